//! Sweeps of power cuts: which run of one an instance is, what it came to, and the table all its runs make.

use crate::{InstanceSummary, Verdict};
use serde::{Deserialize, Serialize};

/// The place of an instance in a sweep; in its header.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SweepRun {
    /// Name of the sweep: what the names of its instances begin with.
    pub name: String,
    /// Which points it has.
    pub cut: SweepKind,
    /// The step whose end the points are counted from.
    pub from: String,
    /// The step with whose end they end.
    pub to: String,
    /// Seconds power stays away.
    pub power_back_after: f64,
    /// At most so many flash writes are spent.
    pub wear: Option<u64>,
    /// What a point can come to: words, and the CEL condition over named steps that tells it.
    pub outcomes: Vec<(String, String)>,
    /// What lies between the two steps, as the reference run measured it.
    pub span: Option<SweepSpan>,
    /// The point of this instance; `None`: the reference run, without a cut.
    pub point: Option<SweepPoint>,
    /// Flash writes this instance cost, where they can be counted.
    pub spent: Option<u64>,
}

/// The points of a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SweepKind {
    /// Flash writes.
    FlashWrites,
    /// Points in time.
    Time,
}

/// What lies between the two steps of a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SweepSpan {
    /// Seconds.
    pub seconds: f64,
    /// Flash writes, where they can be counted.
    pub writes: Option<u64>,
}

/// Where one run of a sweep cuts power.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SweepPoint {
    /// At a write to flash.
    Write {
        /// Which, from 1.
        write: u64,
        /// Whether the first half of it is done.
        torn: bool,
    },
    /// At a moment.
    Time {
        /// Seconds after the first step.
        after: f64,
    },
}

impl SweepPoint {
    /// Its short name, such as `w07t` or `t001.500s`: padded so that names sort as points do.
    pub fn label(&self, span: &SweepSpan) -> String {
        match self {
            SweepPoint::Write { write, torn } => {
                let width = span.writes.unwrap_or(*write).max(1).to_string().len();
                format!("w{write:0width$}{}", if *torn { "t" } else { "" })
            }
            SweepPoint::Time { after } => {
                let width = format!("{:.3}", span.seconds).len();
                format!("t{after:0width$.3}s")
            }
        }
    }

    /// Where it lies between the two steps, from 0 to 1.
    pub fn share(&self, span: &SweepSpan) -> f64 {
        let share = match self {
            SweepPoint::Write { write, torn } => {
                let before = write.saturating_sub(1) as f64 + if *torn { 0.5 } else { 0.0 };
                before / span.writes.unwrap_or(*write).max(1) as f64
            }
            SweepPoint::Time { after } => after / span.seconds.max(f64::MIN_POSITIVE),
        };
        share.clamp(0.0, 1.0)
    }
}

/// What one run of a sweep came to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SweepResult {
    /// When power was cut, seconds since the start of the bench; `None` if it was not.
    pub cut_at: Option<f64>,
    /// Seconds from the return of power to the first contact.
    pub recovery: Option<f64>,
    /// The first outcome whose condition held at the end.
    pub outcome: Option<String>,
}

/// A whole sweep.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SweepTable {
    /// Its name.
    pub name: String,
    /// What its scenario shows.
    pub title: String,
    /// Which points it has.
    pub cut: SweepKind,
    /// The step whose end the points are counted from.
    pub from: String,
    /// The step with whose end they end.
    pub to: String,
    /// What lies between them.
    pub span: Option<SweepSpan>,
    /// Name of the reference run, its verdict, and its outcome.
    pub reference: Option<SweepRow>,
    /// Why no point was run.
    pub not_judged: Option<String>,
    /// Its points in their order.
    pub points: Vec<SweepRow>,
    /// At most so many flash writes were to be spent.
    pub wear: Option<u64>,
    /// Flash writes that were, where they can be counted.
    pub spent: Option<u64>,
}

/// One run of a sweep.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SweepRow {
    /// The instance.
    pub instance: String,
    /// Its short name.
    pub label: String,
    /// Where it lies between the two steps, from 0 to 1.
    pub share: f64,
    /// Whether the write was half done.
    pub torn: bool,
    /// Its verdict.
    pub verdict: Verdict,
    /// Why it did not run.
    pub skipped: Option<String>,
    /// What it came to.
    #[serde(flatten)]
    pub result: SweepResult,
}

impl SweepTable {
    /// Every sweep among these instances, in the order of names.
    pub fn all(instances: &[InstanceSummary]) -> Vec<SweepTable> {
        let mut tables: Vec<SweepTable> = Vec::new();
        for instance in instances {
            let Some(run) = &instance.header.sweep else {
                continue;
            };
            let at = match tables.iter().position(|table| table.name == run.name) {
                Some(at) => at,
                None => {
                    tables.push(SweepTable::new(run, &instance.header.scenario.name));
                    tables.len() - 1
                }
            };
            tables[at].add(run, instance);
        }
        for table in &mut tables {
            table.points.sort_by(|a, b| a.share.total_cmp(&b.share));
        }
        tables.sort_by(|a, b| a.name.cmp(&b.name));
        tables
    }

    fn new(run: &SweepRun, title: &str) -> SweepTable {
        SweepTable {
            name: run.name.clone(),
            title: title.to_owned(),
            cut: run.cut,
            from: run.from.clone(),
            to: run.to.clone(),
            span: None,
            reference: None,
            not_judged: None,
            points: Vec::new(),
            wear: run.wear,
            spent: None,
        }
    }

    fn add(&mut self, run: &SweepRun, instance: &InstanceSummary) {
        self.span = self.span.or(run.span);
        if let Some(spent) = run.spent {
            self.spent = Some(self.spent.unwrap_or(0).saturating_add(spent));
        }
        let span = run.span.unwrap_or(SweepSpan {
            seconds: 0.0,
            writes: None,
        });
        let row = SweepRow {
            instance: instance.header.instance.clone(),
            label: run
                .point
                .map_or_else(|| REFERENCE.to_owned(), |point| point.label(&span)),
            share: run.point.map_or(0.0, |point| point.share(&span)),
            torn: matches!(run.point, Some(SweepPoint::Write { torn: true, .. })),
            verdict: instance.verdict,
            skipped: instance.skipped.clone(),
            result: instance.sweep.clone().unwrap_or_default(),
        };
        match (run.point, &instance.skipped) {
            (Some(_), _) => self.points.push(row),
            (None, Some(reason)) => self.not_judged = Some(reason.clone()),
            (None, None) => self.reference = Some(row),
        }
    }

    /// The points that were run.
    pub fn ran(&self) -> impl Iterator<Item = &SweepRow> {
        self.points.iter().filter(|point| point.skipped.is_none())
    }

    /// The points that were left out.
    pub fn left_out(&self) -> impl Iterator<Item = &SweepRow> {
        self.points.iter().filter(|point| point.skipped.is_some())
    }

    /// How many points came to what, in the order of their first appearance.
    pub fn outcomes(&self) -> Vec<(&str, usize)> {
        let mut counted: Vec<(&str, usize)> = Vec::new();
        for point in self.ran() {
            let word = point.result.outcome.as_deref().unwrap_or(NO_OUTCOME);
            match counted.iter_mut().find(|(known, _)| *known == word) {
                Some((_, count)) => *count += 1,
                None => counted.push((word, 1)),
            }
        }
        counted
    }

    /// The point that took longest to come back.
    pub fn slowest(&self) -> Option<&SweepRow> {
        let recovered = self.ran().filter(|point| point.result.recovery.is_some());
        recovered.max_by(|a, b| {
            let seconds = |row: &SweepRow| row.result.recovery.unwrap_or_default();
            seconds(a).total_cmp(&seconds(b))
        })
    }

    /// The worst verdict of its runs.
    pub fn verdict(&self) -> Verdict {
        let all = self.reference.iter().chain(self.ran());
        all.map(|row| row.verdict).fold(Verdict::None, Verdict::join)
    }
}

/// Short name of the run without a cut.
pub const REFERENCE: &str = "reference";
/// What a point came to if no outcome held.
pub const NO_OUTCOME: &str = "neither";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_sort_as_points_do() {
        let span = SweepSpan {
            seconds: 12.5,
            writes: Some(120),
        };
        let write = |write, torn| SweepPoint::Write { write, torn }.label(&span);
        assert_eq!((write(7, false), write(7, true)), ("w007".into(), "w007t".into()));
        let time = |after| SweepPoint::Time { after }.label(&span);
        assert_eq!((time(0.0), time(11.5)), ("t00.000s".into(), "t11.500s".into()));
        let share = |write, torn| SweepPoint::Write { write, torn }.share(&span);
        assert!(share(1, false) < share(1, true) && share(1, true) < share(2, false));
    }
}
