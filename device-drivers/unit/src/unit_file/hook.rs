//! Commands that read a fact inside a unit, or do something to it.

use std::time::Duration;

/// A command that answers a probe or carries out a stimulus. Arguments of the call are placeholders in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    /// Program and arguments.
    pub command: Vec<String>,
    /// Takes back what a stimulus did; program and arguments.
    pub undo: Option<Vec<String>>,
    /// How its standard output is read.
    pub format: HookFormat,
    /// How long it may take.
    pub timeout: Duration,
}

impl Hook {
    /// How long a hook may take if nothing is said.
    pub const TIMEOUT: Duration = Duration::from_secs(10);
}

/// How the standard output of a hook becomes a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HookFormat {
    /// Whole numbers, `true`, `false`, `null`, objects, lists and quoted text are JSON; everything else is text
    /// without white space at its end. A version such as `2.0` stays text.
    Auto,
    /// Text, without white space at its end.
    Text,
    /// JSON, or the hook failed.
    Json,
}

impl HookFormat {
    /// Every format.
    pub const ALL: [HookFormat; 3] = [HookFormat::Auto, HookFormat::Text, HookFormat::Json];

    /// The word in unit files.
    pub fn name(self) -> &'static str {
        match self {
            HookFormat::Auto => "auto",
            HookFormat::Text => "text",
            HookFormat::Json => "json",
        }
    }
}
