//! Serial lines: a face of the unit that is a character device.

use hil_link::{Io, Stream};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{FileTypeExt, OpenOptionsExt},
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, unix::AsyncFd};

/// Whether a path is a character device.
pub(super) fn is_serial(path: &str) -> bool {
    std::fs::metadata(path).is_ok_and(|facts| facts.file_type().is_char_device())
}

/// Opens a serial line: 8 data bits, no parity, one stop bit, no flow control, nothing translated.
pub fn open(path: &str, baud_rate: u32) -> io::Result<Stream> {
    let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(flags.bits() as i32)
        .open(path)?;
    let mut modes = tcgetattr(&file)?;
    modes.make_raw();
    modes.set_speed(baud_rate)?;
    tcsetattr(&file, OptionalActions::Now, &modes)?;
    #[allow(deprecated, reason = "a file owns its descriptor, so that this is sound")]
    let line = AsyncFd::new(file)?;
    Ok(Stream::new(Line(line)))
}

struct Line(AsyncFd<File>);

impl Io for Line {}

impl AsyncRead for Line {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            let mut ready = ready!(self.0.poll_read_ready(cx))?;
            match ready.try_io(|line| line.get_ref().read(buf.initialize_unfilled())) {
                Ok(Ok(count)) => {
                    buf.advance(count);
                    return Poll::Ready(Ok(()));
                }
                Ok(Err(error)) => return Poll::Ready(Err(error)),
                Err(_) => {}
            }
        }
    }
}

impl AsyncWrite for Line {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        loop {
            let mut ready = ready!(self.0.poll_write_ready(cx))?;
            if let Ok(result) = ready.try_io(|line| line.get_ref().write(bytes)) {
                return Poll::Ready(result);
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
