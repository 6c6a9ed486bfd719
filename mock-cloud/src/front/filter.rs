//! A filter below HTTP and above TLS: what hyper says passes, unless an exchange that a fault struck takes the way out
//! for itself and writes its own bytes; then hyper's answer to it is swallowed.

use hil_link::Stream;
use std::{
    cell::{Cell, RefCell},
    future::poll_fn,
    io::{self, IoSlice},
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A connection's bytes, shared by hyper and the exchange under way; clones act on the same connection.
#[derive(Clone)]
pub(super) struct Filter {
    shared: Rc<Shared>,
}

struct Shared {
    /// `None` once it was taken for something else than HTTP.
    stream: RefCell<Option<Stream>>,
    swallows: Cell<Swallows>,
}

/// What becomes of the bytes hyper writes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Swallows {
    /// They go out.
    Nothing,
    /// They do not; hyper has not begun yet.
    Next,
    /// They do not, until hyper is through with its answer, which it flushes.
    UntilFlushed,
}

impl Filter {
    pub(super) fn new(stream: Stream) -> Self {
        Filter {
            shared: Rc::new(Shared {
                stream: RefCell::new(Some(stream)),
                swallows: Cell::new(Swallows::Nothing),
            }),
        }
    }

    /// Writes bytes of an answer past hyper, which waits for the answer meanwhile.
    pub(super) async fn write(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let written =
                poll_fn(|cx| self.with_stream(|stream| Pin::new(stream).poll_write(cx, bytes))).await?;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            bytes = &bytes[written..];
        }
        poll_fn(|cx| self.with_stream(|stream| Pin::new(stream).poll_flush(cx))).await
    }

    /// The next answer of hyper does not go out, as it was written already.
    pub(super) fn swallow_next(&self) {
        self.shared.swallows.set(Swallows::Next);
    }

    /// Takes the stream, once HTTP is over.
    pub(super) fn take(&self) -> Option<Stream> {
        self.shared.stream.borrow_mut().take()
    }

    fn with_stream<T>(&self, call: impl FnOnce(&mut Stream) -> Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        match self.shared.stream.borrow_mut().as_mut() {
            Some(stream) => call(stream),
            None => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }

    /// Whether bytes of hyper are to be swallowed; it has begun then.
    fn swallows(&self) -> bool {
        let swallows = self.shared.swallows.get() != Swallows::Nothing;
        if swallows {
            self.shared.swallows.set(Swallows::UntilFlushed);
        }
        swallows
    }
}

impl AsyncRead for Filter {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.with_stream(|stream| Pin::new(stream).poll_read(cx, buf))
    }
}

impl AsyncWrite for Filter {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.swallows() {
            return Poll::Ready(Ok(buf.len()));
        }
        self.with_stream(|stream| Pin::new(stream).poll_write(cx, buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.swallows() {
            return Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum()));
        }
        self.with_stream(|stream| Pin::new(stream).poll_write_vectored(cx, slices))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.shared.swallows.get() == Swallows::UntilFlushed {
            self.shared.swallows.set(Swallows::Nothing);
        }
        self.with_stream(|stream| Pin::new(stream).poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.with_stream(|stream| Pin::new(stream).poll_shutdown(cx))
    }
}
