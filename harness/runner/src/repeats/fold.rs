//! The fold of all repeats of one scenario on one unit. It does not matter in which order they come, nor whether a repeat
//! was just run, judged again, or is known by its figures alone.

use super::bounds::{self, MONITOR};
use hil_trace::{
    Blame, Bounds, Catalogue, Figures, Finding, Histogram, InstanceSummary, RepeatValue, Repeats, Statistics,
    TimedSeries, TraceHeader, Verdict,
};
use std::collections::BTreeMap;

/// What is known of some repeats so far. Grows by sixteen bytes for each measured time of each repeat.
pub(crate) struct Fold {
    header: TraceHeader,
    planned: u32,
    ran: u32,
    passed: u32,
    by_figures: u32,
    records: u64,
    duration_us: u64,
    /// Requirements met by repeats that keep their figures only, and by how many of them.
    met: BTreeMap<String, u32>,
    series: BTreeMap<String, Series>,
}

#[derive(Default)]
struct Series {
    /// Repetition and microseconds.
    values: Vec<(u32, i64)>,
    tolerance_us: u64,
    resolution_us: u64,
    /// The bounds of the first repetition.
    bounds: Option<(u32, Option<Box<Bounds>>)>,
    /// Not all repeats have these bounds.
    disagrees: bool,
    /// How many repeats have values, how many of them passed, and how many values one has at most.
    repeats: u32,
    passed: u32,
    most: usize,
}

impl Fold {
    /// The fold of the repeats `header` is one of; none if it is no repeat.
    pub(crate) fn new(header: &TraceHeader) -> Option<Fold> {
        let repeat_of = header.repeat()?.clone();
        Some(Fold {
            planned: repeat_of.times,
            header: TraceHeader {
                instance: repeat_of.group,
                repetition: 0,
                epoch_unix_us: 0,
                ..header.clone()
            },
            ran: 0,
            passed: 0,
            by_figures: 0,
            records: 0,
            duration_us: 0,
            met: BTreeMap::new(),
            series: BTreeMap::new(),
        })
    }

    /// What the repeats have in common.
    pub(crate) fn header(&self) -> &TraceHeader {
        &self.header
    }

    /// Takes in a repeat that keeps its evidence: it is listed on its own, too.
    pub(crate) fn add_instance(&mut self, figures: &Figures) {
        let passed = figures.verdict == Verdict::Pass;
        self.ran += 1;
        self.passed += u32::from(passed);
        self.records = self.records.saturating_add(figures.records);
        self.duration_us = self.duration_us.saturating_add(figures.duration_us);
        let mut values: BTreeMap<&str, usize> = BTreeMap::new();
        for figure in &figures.measured {
            let most = values.entry(&figure.name).or_default();
            *most += 1;
            let series = self.series.entry(figure.name.clone()).or_default();
            series.most = series.most.max(*most);
            if *most == 1 {
                series.repeats += 1;
                series.passed += u32::from(passed);
            }
            series.values.push((figures.repetition, figure.us));
            series.tolerance_us = series.tolerance_us.max(figure.tolerance_us);
            series.resolution_us = series.resolution_us.max(figure.resolution_us);
            series.is_held_against(figures.repetition, &figure.bounds);
        }
    }

    /// Takes in a repeat that passed and of which nothing but its figures is kept.
    pub(crate) fn add_figures(&mut self, figures: &Figures) {
        self.add_instance(figures);
        self.by_figures += 1;
        for requirement in &figures.met {
            match self.met.get_mut(requirement) {
                Some(times) => *times += 1,
                None => {
                    self.met.insert(requirement.clone(), 1);
                }
            }
        }
    }

    /// What all of them together say.
    pub(crate) fn finish(self, catalogue: &Catalogue, strict: bool) -> InstanceSummary {
        let mut findings = Vec::new();
        let mut all = Vec::new();
        for (name, series) in self.series {
            let missing = (self.planned.saturating_sub(series.repeats))
                .saturating_sub(self.passed.saturating_sub(series.passed));
            let (disagrees, values) = (series.disagrees, missing as usize * series.most);
            let Some(series) = series.finish(name, missing) else {
                continue;
            };
            findings.extend(match disagrees {
                true => bounds::disagreeing(&series, catalogue),
                false => bounds::judge(&series, values, catalogue),
            });
            all.push(series);
        }
        if self.ran < self.planned {
            let text = format!(
                "only {} of {} repeats were run and judged",
                self.ran, self.planned
            );
            findings.push(finding(None, Verdict::Inconclusive, text, catalogue));
        }
        for (requirement, times) in self.met {
            let text = format!("met in {times} repeats, of which figures are kept and no records");
            findings.push(finding(Some(requirement), Verdict::Pass, text, catalogue));
        }
        let verdict = findings
            .iter()
            .fold(Verdict::Pass, |verdict, f| verdict.join(f.effective(strict)));
        InstanceSummary {
            exercised: Default::default(),
            header: self.header,
            verdict,
            left: None,
            skipped: None,
            findings,
            measurements: Vec::new(),
            sweep: None,
            repeats: Some(Box::new(Repeats {
                planned: self.planned,
                ran: self.ran,
                passed: self.passed,
                by_figures: self.by_figures,
                series: all,
            })),
            duration: self.duration_us as f64 / 1e6,
            records: self.records,
        }
    }
}

impl Series {
    fn is_held_against(&mut self, repetition: u32, bounds: &Option<Box<Bounds>>) {
        match &mut self.bounds {
            None => self.bounds = Some((repetition, bounds.clone())),
            Some((first, known)) => {
                self.disagrees |= known != bounds;
                if repetition < *first {
                    *first = repetition;
                    known.clone_from(bounds);
                }
            }
        }
    }

    fn finish(mut self, name: String, missing: u32) -> Option<TimedSeries> {
        self.values.sort_unstable();
        let values: Vec<RepeatValue> = self
            .values
            .iter()
            .map(|(repetition, us)| RepeatValue {
                repetition: *repetition,
                seconds: *us as f64 / 1e6,
            })
            .collect();
        let statistics = Statistics::of(&values)?;
        let resolution = self.resolution_us as f64 / 1e6;
        let histogram = Histogram::of(values.iter().map(|value| value.seconds), resolution)?;
        Some(TimedSeries {
            name,
            resolution,
            tolerance: self.tolerance_us as f64 / 1e6,
            bounds: self.bounds.and_then(|(_, bounds)| bounds),
            missing,
            statistics,
            histogram,
            values,
        })
    }
}

fn finding(requirement: Option<String>, verdict: Verdict, text: String, catalogue: &Catalogue) -> Finding {
    Finding {
        level: requirement
            .as_ref()
            .map_or_else(Default::default, |id| catalogue.level(id)),
        requirement,
        verdict,
        text,
        evidence: Vec::new(),
        blame: Blame::Harness,
        step: None,
        monitor: MONITOR.to_owned(),
    }
}
