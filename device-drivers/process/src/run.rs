//! One boot of a process: its group, what left the group, and how it ended.

use crate::{boot_mark::BootMark, console::Console, launch::Launch};
use hil_unit::{UnitError, trace::ConsoleStream};
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use serde_json::{Map, Value};
use std::{
    os::unix::process::ExitStatusExt,
    process::{ExitStatus, Stdio},
    rc::Rc,
    time::Duration,
};
use tokio::{
    process::Child,
    sync::watch,
    task::{AbortHandle, JoinHandle},
    time::{sleep, timeout},
};

/// A process that was started, running or not. Dropping it kills all it started.
pub(crate) struct Run {
    group: Option<Pid>,
    mark: BootMark,
    ended: watch::Receiver<Option<Ending>>,
    tasks: Vec<AbortHandle>,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ending(ExitStatus);

impl Ending {
    /// A status other than 0, or a signal.
    pub(crate) fn is_failure(self) -> bool {
        !self.0.success()
    }

    /// `status` or `signal`.
    pub(crate) fn facts(self) -> Map<String, Value> {
        let (name, value) = match (self.0.code(), self.0.signal()) {
            (Some(status), _) => ("status", status),
            (None, Some(signal)) => ("signal", signal),
            (None, None) => return Map::new(),
        };
        Map::from_iter([(name.to_owned(), value.into())])
    }
}

impl std::fmt::Display for Ending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.0.code(), self.0.signal()) {
            (Some(status), _) => write!(f, "status {status}"),
            (None, Some(signal)) => write!(f, "signal {signal}"),
            (None, None) => f.write_str("an unknown status"),
        }
    }
}

impl Run {
    /// Starts the process. When it ended and its output was read, `ended` learns how, unless this run was dropped.
    pub(crate) fn start(
        launch: &Launch,
        console: &Rc<Console>,
        on_end: impl FnOnce(Ending) + 'static,
    ) -> Result<Run, UnitError> {
        let mark = BootMark::new();
        let (variable, value) = mark.variable();
        let mut command = launch.command();
        command.env(variable, value);
        if console.face().is_some() {
            command.stdin(Stdio::piped());
        }
        let mut child = command.spawn().map_err(|error| launch.failed(&error))?;
        let group = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        let readers = [
            child
                .stdout
                .take()
                .map(|input| read(console, ConsoleStream::Stdout, input)),
            child
                .stderr
                .take()
                .map(|input| read(console, ConsoleStream::Stderr, input)),
        ];
        let readers: Vec<JoinHandle<()>> = readers.into_iter().flatten().collect();
        let mut tasks: Vec<AbortHandle> = readers.iter().map(JoinHandle::abort_handle).collect();
        if let (Some(face), Some(input)) = (console.face(), child.stdin.take()) {
            tasks.push(face.attach(input));
        }
        let (sender, ended) = watch::channel(None);
        let waiter = tokio::task::spawn_local(async move {
            let Some(ending) = wait(child, readers).await else {
                return;
            };
            sender.send_replace(Some(ending));
            on_end(ending);
        });
        tasks.push(waiter.abort_handle());
        Ok(Run {
            group,
            mark,
            ended,
            tasks,
        })
    }

    /// Waits until it ends.
    pub(crate) async fn ended(&self) -> Option<Ending> {
        let mut ended = self.ended.clone();
        ended
            .wait_for(Option::is_some)
            .await
            .ok()
            .and_then(|ending| *ending)
    }

    /// Asks the whole group to end; kills all there is when the time is over. `None` if not even that helped; `true` if
    /// the process had to be killed.
    pub(crate) async fn stop(&self, signal: Signal, patience: Duration) -> Option<(Ending, bool)> {
        self.signal(signal);
        // One that is held up could not do as it is asked.
        self.go_on();
        match timeout(patience, self.ended()).await {
            Ok(Some(ending)) => {
                // Children may still be busy ending in order.
                let _ = timeout(patience.min(STRAGGLERS), self.group_empty()).await;
                self.kill().await.map(|_| (ending, false))
            }
            _ => self.kill().await.map(|ending| (ending, true)),
        }
    }

    /// Kills all it started at once. `None` if some of it survives that.
    pub(crate) async fn kill(&self) -> Option<Ending> {
        self.signal(Signal::KILL);
        timeout(KILL_PATIENCE, async {
            while self.mark.kill_all() > 0 {
                sleep(POLL).await;
            }
            self.ended().await
        })
        .await
        .ok()
        .flatten()
    }

    /// Stops the whole group where it stands.
    pub(crate) fn hold(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets a group that was stopped go on.
    pub(crate) fn go_on(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.group {
            // A group without members is as good as killed.
            let _ = kill_process_group(group, signal);
        }
    }

    async fn group_empty(&self) {
        while self
            .group
            .is_some_and(|group| test_kill_process_group(group).is_ok())
        {
            sleep(POLL).await;
        }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
        self.mark.kill_all();
        for task in &self.tasks {
            task.abort();
        }
    }
}

fn read(
    console: &Rc<Console>,
    stream: ConsoleStream,
    input: impl tokio::io::AsyncRead + Unpin + 'static,
) -> JoinHandle<()> {
    let console = console.clone();
    tokio::task::spawn_local(async move { console.read(stream, input).await })
}

/// Waits for the end, and for the output that is still under way. Children that outlive the process may hold its
/// output open for ever.
async fn wait(mut child: Child, readers: Vec<JoinHandle<()>>) -> Option<Ending> {
    let status = child.wait().await.ok()?;
    let drain = async {
        for reader in readers {
            let _ = reader.await;
        }
    };
    let _ = timeout(DRAIN, drain).await;
    Some(Ending(status))
}

const DRAIN: Duration = Duration::from_millis(300);
const POLL: Duration = Duration::from_millis(10);
const STRAGGLERS: Duration = Duration::from_secs(1);
const KILL_PATIENCE: Duration = Duration::from_secs(5);
