//! One end of a connection, whatever carries it, and the handle that can reset it from outside.

use std::{
    cell::{Cell, RefCell},
    io::{self, IoSlice},
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What a stream is made of.
pub trait Io: AsyncRead + AsyncWrite + Unpin {
    /// Makes the coming drop a reset instead of an orderly end, where the transport can.
    fn prepare_reset(&mut self) {}
}

/// One end of a connection.
pub struct Stream {
    io: Box<dyn Io>,
    handle: StreamHandle,
}

/// Resets a stream from outside; clones act on the same stream.
#[derive(Clone, Default)]
pub struct StreamHandle {
    shared: Rc<Shared>,
}

#[derive(Default)]
struct Shared {
    reset: Cell<bool>,
    cut: Cell<bool>,
    wakers: RefCell<Vec<Waker>>,
}

impl Stream {
    /// A stream over a transport.
    pub fn new(io: impl Io + 'static) -> Self {
        Stream {
            io: Box::new(io),
            handle: StreamHandle::default(),
        }
    }

    /// A stream over a layer (such as TLS) that runs on another stream, whose handle it keeps.
    pub fn layered(io: impl Io + 'static, handle: StreamHandle) -> Self {
        Stream {
            io: Box::new(io),
            handle,
        }
    }

    /// The handle of this stream.
    pub fn handle(&self) -> StreamHandle {
        self.handle.clone()
    }
}

impl StreamHandle {
    /// Resets the connection: both ends see it break, nothing more is delivered.
    pub fn reset(&self) {
        self.shared.reset.set(true);
        self.wake();
    }

    /// Wakes whoever waits for the stream.
    pub(crate) fn wake(&self) {
        for waker in self.shared.wakers.take() {
            waker.wake();
        }
    }

    /// A fault on the way ends the connection in order, which no party does.
    pub(crate) fn cut(&self) {
        self.shared.cut.set(true);
    }

    /// True if the end of the connection is none of the peer's doing.
    pub fn is_cut(&self) -> bool {
        self.shared.cut.get()
    }

    /// True after [`StreamHandle::reset`].
    pub fn is_reset(&self) -> bool {
        self.shared.reset.get()
    }

    fn check(&self, context: &Context<'_>) -> io::Result<()> {
        if self.is_reset() {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        let mut wakers = self.shared.wakers.borrow_mut();
        if !wakers.iter().any(|w| w.will_wake(context.waker())) {
            wakers.push(context.waker().clone());
        }
        Ok(())
    }
}

impl Stream {
    fn check(&mut self, context: &Context<'_>) -> io::Result<()> {
        self.handle
            .check(context)
            .inspect_err(|_| self.io.prepare_reset())
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if self.handle.is_reset() {
            self.io.prepare_reset();
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check(cx)?;
        Pin::new(&mut *self.io).poll_read(cx, buf)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.check(cx)?;
        Pin::new(&mut *self.io).poll_write(cx, buf)
    }

    /// All slices in one go, whatever is below: the TLS library makes a single attempt to send the alert of a failed
    /// handshake, and the alert is not always the first slice.
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check(cx)?;
        if self.io.is_write_vectored() {
            return Pin::new(&mut *self.io).poll_write_vectored(cx, slices);
        }
        let mut written = 0;
        for slice in slices.iter().filter(|slice| !slice.is_empty()) {
            match Pin::new(&mut *self.io).poll_write(cx, slice) {
                Poll::Ready(Ok(count)) => {
                    written += count;
                    if count < slice.len() {
                        break;
                    }
                }
                // What went out must be reported first; the next call meets the same obstacle.
                _ if written > 0 => break,
                other => return other,
            }
        }
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check(cx)?;
        Pin::new(&mut *self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check(cx)?;
        Pin::new(&mut *self.io).poll_shutdown(cx)
    }
}

impl Io for tokio::net::TcpStream {
    fn prepare_reset(&mut self) {
        // Closing with data pending or linger zero sends RST; a failure leaves an orderly close.
        let _ = self.set_zero_linger();
    }
}

impl Io for tokio::net::UnixStream {}

impl Io for Stream {
    fn prepare_reset(&mut self) {
        self.io.prepare_reset();
    }
}

impl Io for tokio_rustls::server::TlsStream<Stream> {
    fn prepare_reset(&mut self) {
        self.get_mut().0.prepare_reset();
    }
}

impl Io for tokio_rustls::client::TlsStream<Stream> {
    fn prepare_reset(&mut self) {
        self.get_mut().0.prepare_reset();
    }
}
