//! Colours of the terminal, and the words of verdicts every report shares.

use hil_trace::{InstanceSummary, Verdict};
use std::ffi::OsStr;

/// Whether to colour: only on a terminal, never with `NO_COLOR` set to anything or `TERM=dumb`.
pub fn wants_color(no_color: Option<&OsStr>, term: Option<&OsStr>, is_terminal: bool) -> bool {
    is_terminal && no_color.is_none_or(OsStr::is_empty) && term.is_none_or(|t| t != "dumb")
}

/// The word of an instance in lists; `fail` and `error` are told apart by word, colour and sign.
pub(crate) fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::None => "SKIP",
        Verdict::Pass => "PASS",
        Verdict::Inconclusive => "INCONC",
        Verdict::Fail => "FAIL",
        Verdict::Error => "ERROR",
    }
}

/// The word of an instance whose verdict may be waived.
pub(crate) fn instance_word(instance: &InstanceSummary) -> &'static str {
    match instance.is_waived() {
        true => "WAIVED",
        false => word(instance.verdict),
    }
}

/// How an instance is painted.
pub(crate) fn instance_paint(instance: &InstanceSummary) -> Paint {
    match instance.is_waived() {
        true => Paint::Warning,
        false => Paint::Verdict(instance.verdict),
    }
}

/// A one-character sign of a verdict.
pub(crate) fn sign(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::None => "–",
        Verdict::Pass => "✓",
        Verdict::Inconclusive => "?",
        Verdict::Fail => "✗",
        Verdict::Error => "!",
    }
}

/// The verdict of an instance as a class name and filter word; passing with warnings is `warn`,
/// and one that failed as is waived `waived`.
pub(crate) fn class(instance: &InstanceSummary, strict: bool) -> &'static str {
    match instance.verdict {
        _ if instance.is_waived() => "waived",
        Verdict::Pass if instance.warnings(strict).next().is_some() => "warn",
        verdict => verdict_class(verdict),
    }
}

/// A verdict as a class name.
pub(crate) fn verdict_class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::None => "skip",
        Verdict::Pass => "pass",
        Verdict::Inconclusive => "inconc",
        Verdict::Fail => "fail",
        Verdict::Error => "error",
    }
}

/// How something is painted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paint {
    Verdict(Verdict),
    Warning,
    Bold,
    Dim,
}

/// Paints text with ANSI sequences, or leaves it alone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Painter {
    pub(crate) color: bool,
}

impl Painter {
    pub(crate) fn paint(self, paint: Paint, text: &str) -> String {
        if !self.color || text.is_empty() {
            return text.to_owned();
        }
        let code = match paint {
            Paint::Verdict(Verdict::None) | Paint::Dim => "2",
            Paint::Verdict(Verdict::Pass) => "32",
            Paint::Verdict(Verdict::Inconclusive) => "1;36",
            Paint::Verdict(Verdict::Fail) => "1;31",
            Paint::Verdict(Verdict::Error) => "1;35",
            Paint::Warning => "33",
            Paint::Bold => "1",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_needs_a_terminal_and_no_veto() {
        assert!(wants_color(None, Some(OsStr::new("xterm")), true));
        assert!(wants_color(Some(OsStr::new("")), None, true));
        assert!(!wants_color(Some(OsStr::new("1")), None, true));
        assert!(!wants_color(None, Some(OsStr::new("dumb")), true));
        assert!(!wants_color(None, None, false));
    }
}
