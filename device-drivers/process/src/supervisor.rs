//! Boots a process, and starts it again after it ended by itself if the unit file says so, or if that was a power cut
//! it was asked for.

use crate::{
    console::Console,
    launch::Launch,
    run::{Ending, Run},
};
use hil_unit::{
    UnitError,
    trace::{Blame, RecordBody, SharedRecorder, UnitChange},
    unit_file::{RestartPolicy, RestartWhen},
};
use rustix::process::Signal;
use serde_json::{Map, Value};
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    rc::{Rc, Weak},
    time::Duration,
};
use tokio::task::AbortHandle;

/// Keeps one process, over all its boots.
pub(crate) struct Supervisor {
    recorder: SharedRecorder,
    console: Rc<Console>,
    restart: RestartPolicy,
    launch: RefCell<Launch>,
    run: RefCell<Option<Rc<Run>>>,
    boots: Cell<u64>,
    /// The driver itself is ending the process: no record of an exit, no restart.
    expected: Cell<bool>,
    /// The process was asked to end like a board whose power fails, and for how long power then stays away.
    power_cut: Cell<Option<Outage>>,
    /// Where links to pseudo terminals of the process may be.
    lines: Vec<PathBuf>,
    pending: RefCell<Option<AbortHandle>>,
    /// Lets a process that is held up go on.
    held: RefCell<Option<AbortHandle>>,
    own: Weak<Supervisor>,
}

/// How long power stays away; for good without a time.
pub(crate) type Outage = Option<Duration>;

impl Supervisor {
    /// Nothing is started yet.
    pub(crate) fn new(
        recorder: SharedRecorder,
        console: Rc<Console>,
        restart: RestartPolicy,
        launch: Launch,
        lines: Vec<PathBuf>,
    ) -> Rc<Self> {
        Rc::new_cyclic(|own| Supervisor {
            recorder,
            console,
            restart,
            launch: RefCell::new(launch),
            run: RefCell::default(),
            boots: Cell::new(0),
            expected: Cell::new(false),
            power_cut: Cell::new(None),
            lines,
            pending: RefCell::default(),
            held: RefCell::default(),
            own: own.clone(),
        })
    }

    /// What the next boot starts.
    pub(crate) fn set_launch(&self, launch: Launch) {
        self.launch.replace(launch);
    }

    /// Digests of the files the next boot starts.
    pub(crate) fn measured(&self, unit_directory: &Path, state_directory: &Path) -> BTreeMap<String, String> {
        self.launch.borrow().measured(unit_directory, state_directory)
    }

    /// The next time the process ends by itself is a power cut; `None` if it is not after all.
    pub(crate) fn expect_power_cut(&self, outage: Option<Outage>) {
        self.power_cut.set(outage);
    }

    /// Takes away links to pseudo terminals: they lead to whoever opens the next one once the process is gone.
    pub(crate) fn unlink_lines(&self) {
        for path in &self.lines {
            if fs::symlink_metadata(path).is_ok_and(|facts| facts.is_symlink()) {
                // Whoever was faster has taken it away.
                let _ = fs::remove_file(path);
            }
        }
    }

    /// The current or last boot.
    pub(crate) fn run(&self) -> Option<Rc<Run>> {
        self.run.borrow().clone()
    }

    /// True if the process is started again after it failed.
    pub(crate) fn restarts_failures(&self) -> bool {
        self.restart.when != RestartWhen::Never
    }

    /// Keeps the process with its whole group from running for so long, from now on.
    pub(crate) fn hold(&self, span: Duration) -> Result<(), UnitError> {
        let Some(run) = self.run() else {
            return Err(UnitError::NotSupported(
                "hold up a unit that does not run".to_owned(),
            ));
        };
        if let Some(earlier) = self.held.take() {
            earlier.abort();
        }
        run.hold();
        let run = Rc::downgrade(&run);
        let task = tokio::task::spawn_local(async move {
            tokio::time::sleep(span).await;
            if let Some(run) = run.upgrade() {
                run.go_on();
            }
        });
        self.held.replace(Some(task.abort_handle()));
        Ok(())
    }

    /// Starts the process; what is left of the last boot is killed.
    pub(crate) fn boot(&self) -> Result<(), UnitError> {
        self.cancel_restart();
        drop(self.run.take());
        self.expected.set(false);
        self.console.begin_boot();
        let own = self.own.clone();
        let on_end = move |ending| {
            if let Some(own) = own.upgrade() {
                own.process_ended(ending);
            }
        };
        let run = Run::start(&self.launch.borrow(), &self.console, on_end)?;
        self.run.replace(Some(Rc::new(run)));
        self.boots.set(self.boots.get() + 1);
        let facts = Map::from_iter([("boot".to_owned(), Value::from(self.boots.get()))]);
        self.record(UnitChange::Booted, facts);
        Ok(())
    }

    /// Ends the process in order. Facts: how it ended, and `forced` if it had to be killed.
    pub(crate) async fn stop(
        &self,
        signal: Signal,
        patience: Duration,
    ) -> Result<Map<String, Value>, UnitError> {
        let Some(run) = self.take_over() else {
            return Ok(Map::new());
        };
        let (ending, forced) = run.stop(signal, patience).await.ok_or_else(survives)?;
        let mut facts = ending.facts();
        facts.insert("forced".to_owned(), forced.into());
        Ok(facts)
    }

    /// Kills the process with its whole group.
    pub(crate) async fn kill(&self) -> Result<(), UnitError> {
        match self.take_over() {
            None => Ok(()),
            Some(run) => run.kill().await.map(drop).ok_or_else(survives),
        }
    }

    /// Leaves a record of a change.
    pub(crate) fn record(&self, change: UnitChange, facts: Map<String, Value>) {
        self.recorder.record(RecordBody::Unit { change, facts });
    }

    /// From here on the driver ends the process.
    fn take_over(&self) -> Option<Rc<Run>> {
        self.cancel_restart();
        if let Some(held) = self.held.take() {
            held.abort();
        }
        self.power_cut.set(None);
        self.expected.set(true);
        self.run.take()
    }

    fn cancel_restart(&self) {
        if let Some(task) = self.pending.take() {
            task.abort();
        }
    }

    fn process_ended(&self, ending: Ending) {
        if self.expected.get() {
            return;
        }
        if let Some(outage) = self.power_cut.take() {
            self.record(UnitChange::PowerCut, ending.facts());
            return self.go_dark(outage);
        }
        self.record(UnitChange::Exited, ending.facts());
        let again = match self.restart.when {
            RestartWhen::Never => false,
            RestartWhen::Failure => ending.is_failure(),
            RestartWhen::Always => true,
        };
        if again {
            // The wait must not keep a unit alive that is dropped meanwhile.
            let (own, delay) = (self.own.clone(), self.restart.delay.max(SHORTEST_DELAY));
            let task = tokio::task::spawn_local(async move {
                tokio::time::sleep(delay).await;
                if let Some(own) = own.upgrade() {
                    own.start_again(UnitChange::Rebooted);
                }
            });
            self.pending.replace(Some(task.abort_handle()));
        }
    }

    /// Ends what is left of the boot; power comes back after the outage.
    fn go_dark(&self, outage: Outage) {
        self.unlink_lines();
        let (own, run) = (self.own.clone(), self.run.take());
        let task = tokio::task::spawn_local(async move {
            let killed = async {
                match run {
                    Some(run) => run.kill().await.is_some(),
                    None => true,
                }
            };
            let (killed, ()) = tokio::join!(killed, tokio::time::sleep(outage.unwrap_or_default()));
            let Some(own) = own.upgrade() else { return };
            if !killed {
                own.trouble(&survives());
            } else if outage.is_some() {
                own.start_again(UnitChange::PowerRestored);
            }
        });
        self.pending.replace(Some(task.abort_handle()));
    }

    fn start_again(&self, change: UnitChange) {
        // This very task is the pending one; booting must not abort it.
        self.pending.take();
        self.record(change, Map::new());
        if let Err(error) = self.boot() {
            self.trouble(&error);
        }
    }

    fn trouble(&self, error: &UnitError) {
        self.recorder.record(RecordBody::Trouble {
            blame: Blame::Lab,
            text: error.to_string(),
        });
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.cancel_restart();
    }
}

fn survives() -> UnitError {
    UnitError::Lab("the unit's process survives SIGKILL; it hangs in the kernel".to_owned())
}

/// A process that fails at once must not be started in a tight loop.
const SHORTEST_DELAY: Duration = Duration::from_millis(50);
