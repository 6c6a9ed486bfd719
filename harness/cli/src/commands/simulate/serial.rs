//! A serial line of a simulated unit: a pseudo terminal that outlives its reboots, and the unit's own end as a socket.

use hil_link::{Address, Clock, Network, Stream, serial::Pty};
use std::{
    fs, io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf},
    time::timeout,
};

/// The line as callers see it.
pub(super) struct SerialLine {
    _name: Name,
    terminal: Pty,
    near: Stream,
}

/// The link callers open; removed when dropped.
struct Name(PathBuf);

impl SerialLine {
    /// A line that callers open by this path. A link of an earlier run there is replaced, nothing else.
    pub(super) fn open(name: &Path) -> io::Result<SerialLine> {
        let (terminal, near) = Pty::open()?;
        if fs::symlink_metadata(name).is_ok_and(|facts| facts.is_symlink()) {
            fs::remove_file(name)?;
        }
        symlink(terminal.path(), name)?;
        Ok(SerialLine {
            _name: Name(name.to_owned()),
            terminal,
            near,
        })
    }

    /// Carries bytes between callers and the unit's socket, for ever. While the unit has no power, bytes are lost.
    pub(super) async fn carry(self, unit: Address, clock: Clock) {
        let (mut from_caller, mut to_caller) = tokio::io::split(self.near);
        loop {
            match Network::Tcp.connect(&unit).await {
                Ok(stream) => {
                    let (mut from_unit, mut to_unit) = tokio::io::split(stream);
                    tokio::select! {
                        () = output(&mut from_unit, &mut to_caller, &self.terminal) => {}
                        () = input(&mut from_caller, &mut to_unit) => {}
                    }
                }
                Err(_) => {
                    let mut lost = [0; READ_SIZE];
                    tokio::select! {
                        () = clock.sleep(RETRY) => {}
                        _ = from_caller.read(&mut lost) => {}
                    }
                }
            }
        }
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        // A link that is gone already is what is wanted.
        let _ = fs::remove_file(&self.0);
    }
}

/// What the unit says. A caller that does not read loses it, as on a line without flow control.
async fn output(from: &mut ReadHalf<Stream>, to: &mut WriteHalf<Stream>, terminal: &Pty) {
    let mut buffer = [0; READ_SIZE];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        if timeout(PATIENCE, to.write_all(&buffer[..count])).await.is_err() {
            // What cannot be forgotten is read by the next caller.
            let _ = terminal.discard();
        }
    }
}

async fn input(from: &mut ReadHalf<Stream>, to: &mut WriteHalf<Stream>) {
    let mut buffer = [0; READ_SIZE];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        if to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}

const READ_SIZE: usize = 4096;
const RETRY: Duration = Duration::from_millis(50);
const PATIENCE: Duration = Duration::from_secs(1);
