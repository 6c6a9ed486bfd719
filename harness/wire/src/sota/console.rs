//! The console gateway: log lines on standard error tell the outcome of each line typed (section 2.4).

use super::event::Event;
use crate::timestamp;

/// The prompt on standard output.
pub const PROMPT: &str = "> ";

/// What a console log line says about a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsoleOutcome<'a> {
    /// The final event in its debug form.
    Response {
        /// Name of the event.
        event: &'a str,
        /// The whole debug form, such as `FoundInstalledPackages([])`.
        debug: &'a str,
    },
    /// The line was rejected; free text.
    Error(&'a str),
}

/// A line of the client's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogLine<'a> {
    /// Microseconds since 1970.
    pub unix_micros: i64,
    /// Version of the client.
    pub version: &'a str,
    /// `INFO`, `ERROR` and so on.
    pub level: &'a str,
    /// The text.
    pub text: &'a str,
}

impl<'a> LogLine<'a> {
    /// Reads `<RFC 3339> (<version>): <LEVEL> - <text>`.
    pub fn parse(line: &'a str) -> Option<LogLine<'a>> {
        let line = line.trim_end_matches(['\r', '\n']);
        let (time, rest) = line.split_once(" (")?;
        let (version, rest) = rest.split_once("): ")?;
        let (level, text) = rest.split_once(" - ")?;
        Some(LogLine {
            unix_micros: timestamp::parse(time)?.unix_micros,
            version,
            level,
            text,
        })
    }

    /// What the line says about a command; `None` for other lines.
    pub fn outcome(&self) -> Option<ConsoleOutcome<'a>> {
        outcome_of(self.text)
    }
}

/// The outcome in any line that has one, whatever stands before it.
pub fn find_outcome(line: &str) -> Option<ConsoleOutcome<'_>> {
    let start = [RESPONSE, ERROR]
        .into_iter()
        .filter_map(|prefix| line.find(prefix))
        .min()?;
    outcome_of(line[start..].trim_end_matches(['\r', '\n']))
}

/// A log line with the outcome of a command.
pub fn response_line(unix_micros: i64, version: &str, event: &Event) -> String {
    log_line(unix_micros, version, "INFO", &format!("{RESPONSE}{event:?}"))
}

/// A log line that rejects what was typed.
pub fn error_line(unix_micros: i64, version: &str, reason: &str) -> String {
    log_line(unix_micros, version, "ERROR", &format!("{ERROR}{reason}"))
}

/// A log line without its line feed.
pub fn log_line(unix_micros: i64, version: &str, level: &str, text: &str) -> String {
    let time = timestamp::format_micros(unix_micros);
    format!("{time} ({version}): {level} - {text}")
}

fn outcome_of(text: &str) -> Option<ConsoleOutcome<'_>> {
    if let Some(reason) = text.strip_prefix(ERROR) {
        return Some(ConsoleOutcome::Error(reason));
    }
    let debug = text.strip_prefix(RESPONSE)?;
    let end = debug
        .find(|c: char| !c.is_ascii_alphanumeric())
        .unwrap_or(debug.len());
    Some(ConsoleOutcome::Response {
        event: &debug[..end],
        debug,
    })
}

const RESPONSE: &str = "Console Response: ";
const ERROR: &str = "Console Error: ";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_read_back() {
        let line = response_line(
            1_479_808_800_000_000,
            "0.2.32",
            &Event::FoundInstalledPackages(Vec::new()),
        );
        assert_eq!(
            line,
            "2016-11-22T10:00:00.000000Z (0.2.32): INFO - Console Response: FoundInstalledPackages([])"
        );
        let parsed = LogLine::parse(&line).unwrap();
        assert_eq!((parsed.version, parsed.level), ("0.2.32", "INFO"));
        assert_eq!(
            parsed.outcome(),
            Some(ConsoleOutcome::Response {
                event: "FoundInstalledPackages",
                debug: "FoundInstalledPackages([])"
            })
        );
        let rejected = error_line(0, "0.2.32", "no such command");
        assert_eq!(
            find_outcome(&rejected),
            Some(ConsoleOutcome::Error("no such command"))
        );
        assert_eq!(LogLine::parse("> "), None);
        assert_eq!(find_outcome("something else"), None);
    }
}
