//! Serial lines as streams, and pseudo terminals for units that are simulated.

use crate::{Io, Stream};
use rustix::{
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{OptionalActions, QueueSelector, tcflush, tcgetattr, tcsetattr},
};
use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{FileTypeExt, OpenOptionsExt},
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, unix::AsyncFd};

/// Whether a path is a character device.
pub fn is_serial(path: &str) -> bool {
    std::fs::metadata(path).is_ok_and(|facts| facts.file_type().is_char_device())
}

/// Opens a serial line: 8 data bits, no parity, one stop bit, no flow control, nothing translated. What came before
/// anybody read is dropped.
pub fn open(path: &str, baud_rate: u32) -> io::Result<Stream> {
    let file = open_raw(path, baud_rate)?;
    tcflush(&file, QueueSelector::IFlush)?;
    line(file)
}

/// A pseudo terminal: who opens [`Pty::path`] talks to the stream that came with it. The path exists until this is
/// dropped, whoever opens and closes it meanwhile.
pub struct Pty {
    path: String,
    far: File,
}

impl Pty {
    /// A new one, raw on both sides, and the near side's stream.
    pub fn open() -> io::Result<(Pty, Stream)> {
        let near = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
        grantpt(&near)?;
        unlockpt(&near)?;
        let path = ptsname(&near, Vec::new())?;
        let path = path
            .into_string()
            .map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
        rustix::io::ioctl_fionbio(&near, true)?;
        let far = open_raw(&path, PTY_RATE)?;
        Ok((Pty { path, far }, line(File::from(near))?))
    }

    /// The character device.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Forgets what was sent to a far side that does not read.
    pub fn discard(&self) -> io::Result<()> {
        Ok(tcflush(&self.far, QueueSelector::IFlush)?)
    }
}

fn open_raw(path: &str, baud_rate: u32) -> io::Result<File> {
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
    Ok(file)
}

fn line(file: File) -> io::Result<Stream> {
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

/// A pseudo terminal has no speed; it must be told one all the same.
const PTY_RATE: u32 = 115_200;
