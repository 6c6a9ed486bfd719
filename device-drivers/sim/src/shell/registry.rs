//! The running tasks of one unit and the connections they hold, so that a power cut ends all of them.

use hil_link::StreamHandle;
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
};
use tokio::task::AbortHandle;

/// Tasks by serial number.
#[derive(Default)]
pub(crate) struct Registry {
    next: Cell<u64>,
    tasks: RefCell<BTreeMap<u64, Entry>>,
}

#[derive(Default)]
struct Entry {
    abort: Option<AbortHandle>,
    stream: Option<StreamHandle>,
}

/// A task's own end of its entry; leaves the registry when dropped.
pub(crate) struct TaskGuard {
    registry: Rc<Registry>,
    /// Serial number of the task.
    pub(crate) serial: u64,
}

impl Registry {
    /// Spawns a task; it gets its guard.
    pub(crate) fn spawn<F: Future<Output = ()> + 'static>(
        self: &Rc<Self>,
        task: impl FnOnce(TaskGuard) -> F,
    ) -> u64 {
        let serial = self.next.get();
        self.next.set(serial + 1);
        self.tasks.borrow_mut().insert(serial, Entry::default());
        let guard = TaskGuard {
            registry: self.clone(),
            serial,
        };
        let abort = tokio::task::spawn_local(task(guard)).abort_handle();
        if let Some(entry) = self.tasks.borrow_mut().get_mut(&serial) {
            entry.abort = Some(abort);
        }
        serial
    }

    /// Ends one task in order: its connection is closed.
    pub(crate) fn end(&self, serial: u64) {
        let entry = self.tasks.borrow_mut().remove(&serial);
        if let Some(abort) = entry.and_then(|e| e.abort) {
            abort.abort();
        }
    }

    /// Ends every task; connections are reset.
    pub(crate) fn cut_all(&self) {
        for entry in self.tasks.take().into_values() {
            match (entry.stream, entry.abort) {
                // A task with a connection is left to notice: only its own next poll turns the end into a reset.
                (Some(stream), _) => stream.reset(),
                (None, Some(abort)) => abort.abort(),
                (None, None) => {}
            }
        }
    }
}

impl TaskGuard {
    /// Tells which connection the task holds.
    pub(crate) fn attach(&self, stream: StreamHandle) {
        match self.registry.tasks.borrow_mut().get_mut(&self.serial) {
            Some(entry) => entry.stream = Some(stream),
            None => stream.reset(),
        }
    }
}

impl Drop for TaskGuard {
    fn drop(&mut self) {
        self.registry.tasks.borrow_mut().remove(&self.serial);
    }
}
