//! Live progress on the standard error stream: a bar on a terminal, one line per instance elsewhere.

use crate::{
    finding,
    style::{Painter, wants_color},
    terminal::instance_line,
    text,
};
use hil_trace::{InstanceSummary, Verdict};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{
    collections::BTreeSet,
    io::{self, IsTerminal, Write},
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// Hears of instances as they run. May be called from several threads; a sink that fails stays silent.
pub trait ProgressSink {
    /// How many instances are going to run.
    fn total(&self, n: usize);
    /// An instance began.
    fn started(&self, instance: &str);
    /// An instance was judged or skipped.
    fn finished(&self, instance: &InstanceSummary);
}

/// The sink that fits the standard error stream and the environment (`NO_COLOR`, `TERM`).
pub fn stderr_progress() -> Box<dyn ProgressSink + Send + Sync> {
    let is_terminal = io::stderr().is_terminal();
    let term = std::env::var_os("TERM");
    let color = wants_color(
        std::env::var_os("NO_COLOR").as_deref(),
        term.as_deref(),
        is_terminal,
    );
    match is_terminal && term.is_none_or(|t| t != "dumb") {
        true => Box::new(TerminalProgress::new(color)),
        false => Box::new(PlainProgress::new(io::stderr())),
    }
}

/// A bar that names what runs; what did not pass scrolls by above it.
#[derive(Debug)]
pub struct TerminalProgress {
    bar: ProgressBar,
    painter: Painter,
    running: Mutex<BTreeSet<String>>,
}

impl TerminalProgress {
    /// Draws on the standard error stream.
    pub fn new(color: bool) -> Self {
        TerminalProgress::on(ProgressDrawTarget::stderr(), color)
    }

    fn on(target: ProgressDrawTarget, color: bool) -> Self {
        let bar = ProgressBar::with_draw_target(None, target);
        let template = match color {
            true => "{spinner:.cyan} {bar:24.green/dim} {pos}/{len}  {wide_msg}",
            false => "{spinner} {bar:24} {pos}/{len}  {wide_msg}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("━━─"));
        }
        bar.enable_steady_tick(Duration::from_millis(120));
        TerminalProgress {
            bar,
            painter: Painter { color },
            running: Mutex::new(BTreeSet::new()),
        }
    }

    fn show_running(&self, running: &BTreeSet<String>) {
        let names: Vec<&str> = running.iter().map(String::as_str).collect();
        self.bar.set_message(names.join(", "));
    }
}

impl ProgressSink for TerminalProgress {
    fn total(&self, n: usize) {
        self.bar.set_length(n as u64);
    }

    fn started(&self, instance: &str) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.insert(text::line(instance));
        self.show_running(&running);
    }

    fn finished(&self, instance: &InstanceSummary) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.remove(&text::line(&instance.header.instance));
        self.show_running(&running);
        if !matches!(instance.verdict, Verdict::Pass | Verdict::None) {
            self.bar.println(instance_line(instance, self.painter, 0));
            if let Some(reason) = finding::reason(instance, false, 100) {
                self.bar.println(format!("        {reason}"));
            }
        }
        self.bar.inc(1);
    }
}

impl Drop for TerminalProgress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// One line for each instance that ended (of many repeats for some), never coloured: `[ 3/57] PASS    edge-poll/idle@sim  …`.
#[derive(Debug)]
pub struct PlainProgress<W> {
    state: Mutex<PlainState<W>>,
}

#[derive(Debug)]
struct PlainState<W> {
    out: W,
    total: usize,
    done: usize,
}

impl<W: Write> PlainProgress<W> {
    /// Writes to a stream; what cannot be written is dropped.
    pub fn new(out: W) -> Self {
        PlainProgress {
            state: Mutex::new(PlainState {
                out,
                total: 0,
                done: 0,
            }),
        }
    }

    /// Gives the stream back.
    pub fn into_inner(self) -> W {
        self.state
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
            .out
    }
}

impl<W: Write> ProgressSink for PlainProgress<W> {
    fn total(&self, n: usize) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).total = n;
    }

    fn started(&self, _instance: &str) {}

    fn finished(&self, instance: &InstanceSummary) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.done += 1;
        if is_one_of_many(instance) {
            return;
        }
        let total = state.total.max(state.done);
        let width = total.to_string().len();
        let line = format!(
            "[{:>width$}/{total}] {}\n",
            state.done,
            instance_line(instance, Painter { color: false }, 0)
        );
        let _ = state.out.write_all(line.as_bytes());
        if !matches!(instance.verdict, Verdict::Pass | Verdict::None)
            && let Some(reason) = finding::reason(instance, false, 200)
        {
            let _ = writeln!(state.out, "        {reason}");
        }
        let _ = state.out.flush();
    }
}

/// Of many repeats that pass, a few are told.
fn is_one_of_many(instance: &InstanceSummary) -> bool {
    let header = &instance.header;
    let every = header.repeat_of.as_ref().map_or(1, |of| of.times.div_ceil(TOLD));
    instance.verdict == Verdict::Pass && !header.repetition.is_multiple_of(every)
}

const TOLD: u32 = 20;

#[cfg(test)]
mod tests {
    use super::*;
    use hil_trace::{ClockKind, ScenarioRef, Tolerances, TraceHeader};
    use hil_wire::Protocol;
    use indicatif::TermLike;
    use std::sync::Arc;

    /// Keeps every line written.
    #[derive(Clone, Debug, Default)]
    struct Screen(Arc<Mutex<String>>);

    impl TermLike for Screen {
        fn width(&self) -> u16 {
            100
        }
        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn write_line(&self, text: &str) -> io::Result<()> {
            self.write_str(&format!("{text}\n"))
        }
        fn write_str(&self, text: &str) -> io::Result<()> {
            self.0.lock().unwrap().push_str(text);
            Ok(())
        }
        fn clear_line(&self) -> io::Result<()> {
            Ok(())
        }
        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    fn instance(name: &str, verdict: Verdict) -> InstanceSummary {
        let header = TraceHeader {
            format: TraceHeader::FORMAT,
            instance: name.to_owned(),
            protocol: Protocol::EdgePoll,
            scenario: ScenarioRef {
                path: String::new(),
                name: String::new(),
                text: String::new(),
                sha256: String::new(),
                verifies: Vec::new(),
            }
            .into(),
            seed: 1,
            repetition: 0,
            repeat_of: None,
            retry_of: None,
            partition: None,
            tool: String::new(),
            catalogue_sha256: String::new(),
            clock: ClockKind::Virtual,
            epoch_unix_us: 0,
            tolerances: Tolerances::default(),
            unit: "sim".to_owned(),
            facts: Default::default(),
            ics: Default::default(),
            timing: Default::default(),
            prepare: Default::default(),
            params: Default::default(),
            extra_faults: Vec::new(),
            without_faults: false,
            sweep: None,
        };
        InstanceSummary {
            exercised: Default::default(),
            header,
            verdict,
            left: None,
            skipped: None,
            findings: Vec::new(),
            measurements: Vec::new(),
            sweep: None,
            repeats: None,
            duration: 1.0,
            records: 3,
        }
    }

    #[test]
    fn only_what_did_not_pass_scrolls_by() {
        let screen = Screen::default();
        let target = ProgressDrawTarget::term_like_with_hz(Box::new(screen.clone()), 250);
        let sink = TerminalProgress::on(target, false);
        sink.total(2);
        for (name, verdict) in [("a@sim", Verdict::Pass), ("b@sim", Verdict::Fail)] {
            sink.started(name);
            sink.finished(&instance(name, verdict));
        }
        drop(sink);
        let shown = screen.0.lock().unwrap().clone();
        assert!(
            shown.contains("FAIL    b@sim  3 records  1.00 s virtual"),
            "{shown}"
        );
        assert!(!shown.contains("PASS"), "{shown}");
    }
}
