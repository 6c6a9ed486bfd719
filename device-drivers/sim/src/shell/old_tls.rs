//! The defect of a TLS library that takes any version: where the server speaks TLS 1.0 or 1.1, the client goes on instead
//! of refusing it.

use hil_link::{Io, Stream};
use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Stands below the TLS library, which knows no version before 1.2: its alert is replaced by what an older client sends.
pub(super) struct OldTls {
    below: Stream,
    /// The first bytes of the server.
    head: Vec<u8>,
    went_on: bool,
}

impl OldTls {
    pub(super) fn over(below: Stream) -> Stream {
        let handle = below.handle();
        let old = OldTls {
            below,
            head: Vec::new(),
            went_on: false,
        };
        Stream::layered(old, handle)
    }

    /// Whether the first record of the server is a hello of TLS 1.0 or 1.1 (RFC 4346 section 7.4.1.3).
    fn is_old(&self) -> bool {
        matches!(
            self.head.as_slice(),
            [HANDSHAKE, _, _, _, _, SERVER_HELLO, _, _, _, 3, 1 | 2, ..]
        )
    }
}

impl Io for OldTls {
    fn prepare_reset(&mut self) {
        self.below.prepare_reset();
    }
}

impl AsyncRead for OldTls {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.below).poll_read(context, buffer);
        let wanted = HEAD.saturating_sub(self.head.len());
        let new = buffer.filled().get(before..).unwrap_or_default();
        self.head.extend(new.iter().take(wanted));
        read
    }
}

impl AsyncWrite for OldTls {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if !self.is_old() {
            return Pin::new(&mut self.below).poll_write(context, bytes);
        }
        if !self.went_on {
            match Pin::new(&mut self.below).poll_write(context, &KEY_EXCHANGE) {
                Poll::Ready(Ok(_)) => self.went_on = true,
                other => return other,
            }
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.below).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.below).poll_shutdown(context)
    }
}

const HANDSHAKE: u8 = 22;
const SERVER_HELLO: u8 = 2;
/// The head of a record, of a message in it, and the version in that.
const HEAD: usize = 11;
/// A client key exchange with no key in it, as a record of TLS 1.1.
const KEY_EXCHANGE: [u8; 11] = [HANDSHAKE, 3, 2, 0, 6, 16, 0, 0, 2, 0, 0];
