//! Standard input and output of a process as a face the cloud can open, like the console port of a board; it stays over
//! all boots.

use hil_unit::link::{Listener, Stream};
use std::{cell::RefCell, rc::Rc};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::ChildStdin,
    sync::{broadcast, mpsc},
    task::AbortHandle,
};

/// What the process of the moment and the connections of the face exchange.
pub(crate) struct StdioFace {
    printed: broadcast::Sender<Vec<u8>>,
    /// To the standard input of the process that was started last.
    typed: RefCell<Option<mpsc::UnboundedSender<Vec<u8>>>>,
}

impl StdioFace {
    pub(crate) fn new() -> Self {
        StdioFace {
            printed: broadcast::Sender::new(BACKLOG),
            typed: RefCell::default(),
        }
    }

    /// What is typed goes to this process from now on; its input stays open as long as it runs.
    pub(crate) fn attach(&self, mut input: ChildStdin) -> AbortHandle {
        let (typed, mut lines) = mpsc::unbounded_channel::<Vec<u8>>();
        self.typed.replace(Some(typed));
        let task = tokio::task::spawn_local(async move {
            while let Some(bytes) = lines.recv().await {
                let written = async {
                    input.write_all(&bytes).await?;
                    input.flush().await
                };
                // A process that reads no more is none of our business here.
                if written.await.is_err() {
                    break;
                }
            }
        });
        task.abort_handle()
    }

    /// Passes on what the process printed.
    pub(crate) fn print(&self, bytes: &[u8]) {
        // Nobody may be connected.
        let _ = self.printed.send(bytes.to_vec());
    }

    /// Accepts connections until cancelled.
    pub(crate) async fn serve(self: Rc<Self>, mut listener: Listener) {
        let mut connections = tokio::task::JoinSet::new();
        while let Ok(stream) = listener.accept().await {
            connections.spawn_local(self.clone().relay(stream));
            while connections.try_join_next().is_some() {}
        }
    }

    async fn relay(self: Rc<Self>, stream: Stream) {
        let (mut from, mut to) = tokio::io::split(stream);
        let mut printed = self.printed.subscribe();
        let mut buffer = vec![0; READ_SIZE];
        loop {
            tokio::select! {
                read = from.read(&mut buffer) => match read {
                    Ok(count @ 1..) => self.type_in(&buffer[..count]),
                    _ => return,
                },
                bytes = printed.recv() => match bytes {
                    Ok(bytes) => {
                        if to.write_all(&bytes).await.is_err() || to.flush().await.is_err() {
                            return;
                        }
                    }
                    // A reader that is too slow misses something, as on a serial line.
                    Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Err(broadcast::error::RecvError::Closed) => return,
                },
            }
        }
    }

    fn type_in(&self, bytes: &[u8]) {
        if let Some(typed) = &*self.typed.borrow() {
            // A process that has ended reads nothing.
            let _ = typed.send(bytes.to_vec());
        }
    }
}

const BACKLOG: usize = 4096;
const READ_SIZE: usize = 4096;
