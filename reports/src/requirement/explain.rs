//! One requirement, explained: for a terminal of 80 columns.

use super::{Dossier, list::provoked};
use crate::{
    coverage::{state_name, state_sign},
    style::{Paint, Painter, sign},
    text::{line, numbers, short, wrap},
};
use hil_trace::{Blame, Origin, ScenarioEvidence, Tier, Verdict};
use serde::Serialize;
use std::fmt::Write;

/// A requirement with where it comes from, commands to see it judged, and what a run found about it.
#[derive(Clone, Debug, Serialize)]
pub struct Explanation<'a> {
    /// The requirement.
    #[serde(flatten)]
    pub dossier: Dossier<'a>,
    /// The documents and software it comes from.
    pub source: Vec<&'a str>,
    /// Commands that show it judged, ready to be pasted, each with what it does.
    pub reproduce: Vec<Command>,
    /// What a run found; a member for each finding, violations first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Found>,
}

/// A command line.
#[derive(Clone, Debug, Serialize)]
pub struct Command {
    /// What it shows.
    pub shows: String,
    /// The line.
    pub line: String,
}

/// What an instance of a run found about the requirement.
#[derive(Clone, Debug, Serialize)]
pub struct Found {
    /// The instance.
    pub instance: String,
    /// The judgement.
    pub verdict: Verdict,
    /// Why, in words.
    pub text: String,
    /// Who is to blame, if it is no pass.
    pub blame: Blame,
    /// The monitor, or `scenario`.
    pub monitor: String,
    /// The step of the scenario.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// Numbers of the records that prove it.
    pub records: Vec<u64>,
    /// The command that runs that instance again.
    pub again: String,
}

/// The explanation as text.
pub fn explanation_text(explanation: &Explanation<'_>, color: bool) -> String {
    let mut sheet = Sheet {
        out: String::new(),
        painter: Painter { color },
    };
    sheet.head(explanation);
    sheet.shown(explanation);
    for command in &explanation.reproduce {
        sheet.command(command);
    }
    sheet.found(explanation);
    sheet.out
}

struct Sheet {
    out: String,
    painter: Painter,
}

impl Sheet {
    fn head(&mut self, explanation: &Explanation<'_>) {
        let dossier = &explanation.dossier;
        let requirement = dossier.requirement;
        let id = self.painter.paint(Paint::Bold, &requirement.id);
        let level = requirement.level;
        let _ = writeln!(self.out, "{id}  {level}  {}", dossier.protocol);
        for row in wrap(&requirement.sentence, WIDTH - 2) {
            let _ = writeln!(self.out, "  {row}");
        }
        self.out.push('\n');
        if let Some(reached) = dossier.coverage {
            let paint = match state_name(reached.state) {
                "verified" => Paint::Verdict(Verdict::Pass),
                "violated" => Paint::Verdict(Verdict::Fail),
                _ => Paint::Warning,
            };
            let words = format!("{} {}", state_sign(reached.state), state_name(reached.state));
            let words = self.painter.paint(paint, &words);
            let times = reached.instances.len();
            let instances = match times {
                0 => String::new(),
                1 => ", in 1 instance".to_owned(),
                times => format!(", in {times} instances"),
            };
            let _ = writeln!(self.out, "{:12}{words}{instances}", "in the run");
        }
        let origins: Vec<&str> = requirement.origin.iter().copied().map(origin).collect();
        self.row("origin", &origins.join(", "));
        self.rows("source", explanation.source.iter().map(ToString::to_string));
        self.row("applies", requirement.applies_when.as_deref().unwrap_or("always"));
        self.row("seen in", &requirement.observe);
    }

    fn shown(&mut self, explanation: &Explanation<'_>) {
        let dossier = &explanation.dossier;
        if let Some(reason) = &dossier.requirement.unobservable {
            self.row("unobservable", reason);
        }
        let tier = dossier.evidence.tier.map_or("nothing judges it", takes);
        self.row("takes", tier);
        let monitors = dossier.evidence.monitors.iter();
        self.rows(
            "monitor",
            monitors.map(|name| format!("{name}, in every run of the protocol")),
        );
        self.rows("scenario", dossier.evidence.scenarios.iter().map(scenario));
        self.rows("provoked by", dossier.requirement.stimuli.iter().map(provoked));
        let probes: Vec<&str> = dossier.probes.iter().copied().collect();
        if !probes.is_empty() {
            let only = match dossier.needs_probe {
                true => " (nothing else shows it)",
                false => "",
            };
            self.row("probes", &format!("{}{only}", probes.join(", ")));
        }
        let defects = dossier.defects.iter();
        self.rows(
            "proven by",
            defects.map(|defect| format!("{}: {}", defect.name, defect.summary)),
        );
    }

    fn command(&mut self, command: &Command) {
        let shows = self.painter.paint(Paint::Dim, &format!("# {}", command.shows));
        let _ = writeln!(self.out, "\n{shows}\n{}", command.line);
    }

    fn found(&mut self, explanation: &Explanation<'_>) {
        let findings = &explanation.findings;
        if findings.is_empty() {
            return;
        }
        let _ = writeln!(
            self.out,
            "\n{}",
            self.painter.paint(Paint::Bold, "What the run found")
        );
        for found in findings.iter().take(SHOWN) {
            let mark = self
                .painter
                .paint(Paint::Verdict(found.verdict), sign(found.verdict));
            let by = match &found.step {
                Some(step) => format!("step {step}"),
                None => found.monitor.clone(),
            };
            let records = match found.records.as_slice() {
                [] => String::new(),
                records => format!(", records {}", numbers(records)),
            };
            let _ = writeln!(self.out, "{mark} {}", found.instance);
            let said = short(&line(&found.text), LONGEST);
            for row in [said, format!("{by}{records}")] {
                for row in wrap(&row, WIDTH - 4) {
                    let _ = writeln!(self.out, "    {row}");
                }
            }
            if found.verdict != Verdict::Pass {
                let _ = writeln!(self.out, "    {}", found.again);
            }
        }
        if let Some(more) = findings.len().checked_sub(SHOWN).filter(|more| *more > 0) {
            let _ = writeln!(self.out, "  and {more} more; --json has all");
        }
    }

    fn rows(&mut self, name: &str, rows: impl Iterator<Item = String>) {
        let mut name = name;
        for row in rows {
            self.row(name, &row);
            name = "";
        }
    }

    fn row(&mut self, name: &str, words: &str) {
        let mut name = name;
        for row in wrap(&line(words), WIDTH - LABEL) {
            let label = self.painter.paint(Paint::Dim, &format!("{name:LABEL$}"));
            let _ = writeln!(self.out, "{}", format!("{label}{row}").trim_end());
            name = "";
        }
    }
}

fn scenario(scenario: &ScenarioEvidence) -> String {
    let path = scenario.path.trim_end_matches(".yaml");
    let how = match scenario.decides {
        true => "its steps decide",
        false => "for the monitor",
    };
    match scenario.tier {
        Tier::Quick => format!("{path} ({how})"),
        tier => format!("{path} ({how}, {})", tier.name()),
    }
}

fn takes(tier: Tier) -> &'static str {
    match tier {
        Tier::Quick => "quick: any unit, seconds to minutes",
        Tier::VirtualTime => "virtual time, or --tier long",
        Tier::Long => "long: only when asked for with --tag long",
        Tier::Real => "real hardware",
    }
}

fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Source => "the source document",
        Origin::Upstream => "the upstream implementation",
        Origin::DefinedHere => "defined by hil",
    }
}

const WIDTH: usize = 80;
const LABEL: usize = 12;
/// As much of a finding as a terminal shows.
const LONGEST: usize = 300;
/// As many findings as fit a screen.
const SHOWN: usize = 12;
