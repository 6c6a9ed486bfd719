//! The body of a request of ours: at once, or in chunks.

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use std::{
    collections::VecDeque,
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

/// What is left to send of a body.
pub(super) struct Pieces {
    left: VecDeque<Bytes>,
    /// The body is one piece, whose length its head says.
    whole: bool,
}

impl Pieces {
    /// A body whose length is known from its head.
    pub(super) fn whole(body: Vec<u8>) -> Self {
        let left = VecDeque::from([Bytes::from(body)]);
        Pieces { left, whole: true }
    }

    /// A body that ends with its last chunk.
    pub(super) fn chunked(body: &[u8]) -> Self {
        let left = body.chunks(CHUNK).map(Bytes::copy_from_slice).collect();
        Pieces { left, whole: false }
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.left.pop_front().map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        match self.whole {
            true => SizeHint::with_exact(self.left.iter().map(|piece| piece.len() as u64).sum()),
            false => SizeHint::default(),
        }
    }
}

/// Small enough that a short command takes several.
const CHUNK: usize = 16;
