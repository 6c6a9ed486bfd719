//! What a process prints: recorded as it comes, up to a limit, and searched for the text that says it is ready.

use crate::stdio_face::StdioFace;
use hil_unit::trace::{Blame, ConsoleStream, RecordBody, SharedRecorder};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    sync::Notify,
};

/// How much of a unit's console is recorded in one instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ConsoleLimit {
    /// Bytes of each stream.
    pub(crate) bytes: u64,
    /// Records of each stream.
    pub(crate) records: u64,
}

impl Default for ConsoleLimit {
    fn default() -> Self {
        ConsoleLimit {
            bytes: 16 * 1024 * 1024,
            records: 100_000,
        }
    }
}

/// The console of one unit, over all its boots.
pub(crate) struct Console {
    recorder: SharedRecorder,
    limit: ConsoleLimit,
    out: Counted,
    error: Counted,
    /// The end of what was printed last, for messages.
    last: RefCell<Vec<u8>>,
    /// Where what is printed goes as well.
    face: Option<Rc<StdioFace>>,
    wanted: Option<String>,
    seen: Cell<bool>,
    appeared: Notify,
}

#[derive(Default)]
struct Counted {
    bytes: Cell<u64>,
    records: Cell<u64>,
    full: Cell<bool>,
}

impl Console {
    /// A console that looks for a text, and may be a face too.
    pub(crate) fn new(
        recorder: SharedRecorder,
        limit: ConsoleLimit,
        wanted: Option<String>,
        face: Option<Rc<StdioFace>>,
    ) -> Self {
        Console {
            recorder,
            limit,
            out: Counted::default(),
            error: Counted::default(),
            last: RefCell::default(),
            face,
            wanted,
            seen: Cell::new(false),
            appeared: Notify::new(),
        }
    }

    /// Forgets what was seen: a new boot must print it again.
    pub(crate) fn begin_boot(&self) {
        self.seen.set(false);
        self.last.borrow_mut().clear();
    }

    /// The face that is this console, if there is one.
    pub(crate) fn face(&self) -> Option<&Rc<StdioFace>> {
        self.face.as_ref()
    }

    /// Waits until the text appeared in this boot.
    pub(crate) async fn appeared(&self) {
        while !self.seen.get() {
            self.appeared.notified().await;
        }
    }

    /// The end of what was printed last, as text.
    pub(crate) fn last_output(&self) -> String {
        String::from_utf8_lossy(&self.last.borrow()).trim().to_owned()
    }

    /// Reads a stream to its end. What exceeds the limit is read all the same, so that the unit never waits for us,
    /// but not recorded.
    pub(crate) async fn read(&self, stream: ConsoleStream, mut input: impl AsyncRead + Unpin) {
        let counted = match stream {
            ConsoleStream::Stderr => &self.error,
            ConsoleStream::Stdout | ConsoleStream::Serial | ConsoleStream::Lab => &self.out,
        };
        let mut buffer = vec![0; READ_SIZE];
        // The end of the last read, in which the wanted text may have begun.
        let mut carried = Vec::new();
        while let Ok(count) = input.read(&mut buffer).await {
            if count == 0 {
                break;
            }
            let bytes = &buffer[..count];
            self.search(&mut carried, bytes);
            self.remember(bytes);
            self.record(stream, counted, bytes);
            if let Some(face) = &self.face {
                face.print(bytes);
            }
            // A flood must not keep others on this thread from their work.
            tokio::task::yield_now().await;
        }
    }

    fn record(&self, stream: ConsoleStream, counted: &Counted, bytes: &[u8]) {
        if counted.full.get() {
            return;
        }
        let total = counted.bytes.get() + bytes.len() as u64;
        counted.bytes.set(total);
        counted.records.set(counted.records.get() + 1);
        if total <= self.limit.bytes && counted.records.get() <= self.limit.records {
            let payload = bytes.into();
            self.recorder.record(RecordBody::Console { stream, payload });
            return;
        }
        counted.full.set(true);
        let name = if stream == ConsoleStream::Stderr {
            "standard error"
        } else {
            "standard output"
        };
        let text = format!(
            "the unit floods its {name}: more than {} bytes or {} writes; what follows is not recorded",
            self.limit.bytes, self.limit.records
        );
        self.recorder.record(RecordBody::Trouble {
            blame: Blame::Unit,
            text,
        });
    }

    fn search(&self, carried: &mut Vec<u8>, bytes: &[u8]) {
        let Some(wanted) = self.wanted.as_deref().filter(|_| !self.seen.get()) else {
            return;
        };
        carried.extend_from_slice(bytes);
        let wanted = wanted.as_bytes();
        if wanted.is_empty() || carried.windows(wanted.len()).any(|part| part == wanted) {
            self.seen.set(true);
            self.appeared.notify_waiters();
            carried.clear();
        } else {
            let keep = (wanted.len() - 1).min(carried.len());
            carried.drain(..carried.len() - keep);
        }
    }

    fn remember(&self, bytes: &[u8]) {
        let mut last = self.last.borrow_mut();
        last.extend_from_slice(&bytes[bytes.len().saturating_sub(LAST_OUTPUT)..]);
        let surplus = last.len().saturating_sub(LAST_OUTPUT);
        last.drain(..surplus);
    }
}

const READ_SIZE: usize = 16 * 1024;
const LAST_OUTPUT: usize = 400;
