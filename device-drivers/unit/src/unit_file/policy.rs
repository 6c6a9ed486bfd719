//! When a process counts as ready, how it is stopped, and what happens when it ends by itself.

use std::time::Duration;

/// When a started unit counts as ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadyPolicy {
    /// Ready once a line of its console contains this text.
    pub console: Option<String>,
    /// Ready once this face accepts connections.
    pub face: Option<String>,
    /// How long that may take.
    pub timeout: Duration,
}

impl Default for ReadyPolicy {
    fn default() -> Self {
        ReadyPolicy {
            console: None,
            face: None,
            timeout: Duration::from_secs(30),
        }
    }
}

/// How a unit is stopped in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StopPolicy {
    /// The signal that asks it to end.
    pub signal: StopSignal,
    /// How long it may take before it is killed.
    pub timeout: Duration,
}

impl Default for StopPolicy {
    fn default() -> Self {
        StopPolicy {
            signal: StopSignal::Term,
            timeout: Duration::from_secs(10),
        }
    }
}

/// Signals that ask a process to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopSignal {
    /// SIGTERM.
    Term,
    /// SIGINT.
    Int,
    /// SIGQUIT.
    Quit,
    /// SIGHUP.
    Hup,
    /// SIGKILL: there is no orderly way.
    Kill,
}

impl StopSignal {
    /// Every signal.
    pub const ALL: [StopSignal; 5] = [
        StopSignal::Term,
        StopSignal::Int,
        StopSignal::Quit,
        StopSignal::Hup,
        StopSignal::Kill,
    ];

    /// The word in unit files.
    pub fn name(self) -> &'static str {
        match self {
            StopSignal::Term => "TERM",
            StopSignal::Int => "INT",
            StopSignal::Quit => "QUIT",
            StopSignal::Hup => "HUP",
            StopSignal::Kill => "KILL",
        }
    }
}

/// Whether the driver starts a unit again that ended by itself, as a service manager or boot loader would.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestartPolicy {
    /// After which endings.
    pub when: RestartWhen,
    /// How long after.
    pub delay: Duration,
}

impl Default for RestartPolicy {
    fn default() -> Self {
        RestartPolicy {
            when: RestartWhen::Never,
            delay: Duration::from_secs(1),
        }
    }
}

/// Endings after which a unit is started again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestartWhen {
    /// None: it stays dead until it is started, rebooted or power-cycled.
    Never,
    /// A status other than 0, or a signal.
    Failure,
    /// Every one.
    Always,
}

impl RestartWhen {
    /// Every choice.
    pub const ALL: [RestartWhen; 3] = [RestartWhen::Never, RestartWhen::Failure, RestartWhen::Always];

    /// The word in unit files.
    pub fn name(self) -> &'static str {
        match self {
            RestartWhen::Never => "never",
            RestartWhen::Failure => "failure",
            RestartWhen::Always => "always",
        }
    }
}
