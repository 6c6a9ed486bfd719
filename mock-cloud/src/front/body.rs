//! A response body that follows a plan: bytes, pauses, a reset, or an end before its announced length.

use bytes::Bytes;
use hil_link::StreamHandle;
use hyper::body::{Body, Frame, SizeHint};
use std::{
    collections::VecDeque,
    convert::Infallible,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::{Sleep, sleep};

/// One piece of the plan.
pub(crate) enum Part {
    /// Bytes to send.
    Data(Bytes),
    /// A pause; `None` = for ever.
    Pause(Option<Duration>),
    /// A reset of the connection.
    Reset,
}

/// The body.
pub(crate) struct PlannedBody {
    parts: VecDeque<Part>,
    announced: Option<u64>,
    handle: StreamHandle,
    pause: Option<Pin<Box<Sleep>>>,
}

impl PlannedBody {
    /// A body of these parts; `announced` is what Content-Length says, `None` sends chunks.
    pub(crate) fn new(parts: Vec<Part>, announced: Option<u64>, handle: StreamHandle) -> Self {
        PlannedBody {
            parts: parts.into(),
            announced,
            handle,
            pause: None,
        }
    }

    /// A plain body.
    pub(crate) fn whole(bytes: Vec<u8>, handle: StreamHandle) -> Self {
        let announced = Some(bytes.len() as u64);
        let parts = if bytes.is_empty() {
            Vec::new()
        } else {
            vec![Part::Data(bytes.into())]
        };
        Self::new(parts, announced, handle)
    }
}

impl Body for PlannedBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        loop {
            if let Some(pause) = &mut self.pause {
                match pause.as_mut().poll(cx) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(()) => self.pause = None,
                }
            }
            match self.parts.pop_front() {
                None => return Poll::Ready(None),
                Some(Part::Data(bytes)) => return Poll::Ready(Some(Ok(Frame::data(bytes)))),
                Some(Part::Pause(Some(span))) => self.pause = Some(Box::pin(sleep(span))),
                Some(Part::Pause(None)) => {
                    self.parts.push_front(Part::Pause(None));
                    return Poll::Pending;
                }
                Some(Part::Reset) => {
                    self.handle.reset();
                    self.parts.push_front(Part::Pause(None));
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.parts.is_empty() && self.pause.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        self.announced.map_or_else(SizeHint::new, SizeHint::with_exact)
    }
}
