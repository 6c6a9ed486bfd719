//! From records to findings: the view, the protocol's monitors, and the small monitors steps become. Pure.

mod disturbed;
#[cfg(test)]
pub(crate) mod live_tests;
mod matching;
mod scenario;
mod sweep;
mod watch;

pub(crate) use matching::is_meant;
pub(crate) use scenario::{StepState, step_result};

use crate::repeats::Fold;
use disturbed::Disturbed;
use hil_monitor::{Judge, Monitor, View, monitors_for, view_for};
use hil_trace::{
    Catalogue, Event, Exercise, Exercised, Figures, Finding, HowClosed, InstanceSummary, Record, RecordBody,
    RepeatFigures, RunSummary, Stamp, Trace, TraceHeader, Verdict, exercise,
};
use hil_wire::Protocol;
use scenario::ScenarioJudge;
use std::{collections::BTreeMap, rc::Rc};
use sweep::SweepJudge;

/// The judgement of one instance while its records come in.
pub(crate) struct Judgement {
    catalogue: Rc<Catalogue>,
    view: Box<dyn View>,
    monitors: Vec<Box<dyn Monitor>>,
    disturbed: Disturbed,
    pub(crate) scenario: ScenarioJudge,
    sweep: SweepJudge,
    findings: Vec<Finding>,
    closed: Option<HowClosed>,
    last: Stamp,
    records: u64,
    protocol: Protocol,
    exercise: Exercise,
}

impl Judgement {
    pub(crate) fn new(header: &TraceHeader, catalogue: Rc<Catalogue>) -> Self {
        Judgement {
            catalogue,
            view: view_for(header.protocol, &header.ics),
            monitors: monitors_for(header),
            disturbed: Disturbed::default(),
            scenario: ScenarioJudge::new(header),
            sweep: SweepJudge::new(header),
            findings: Vec::new(),
            closed: None,
            last: Stamp::ZERO,
            records: 0,
            protocol: header.protocol,
            exercise: Exercise::default(),
        }
    }

    /// Takes in the next record and returns what it shows. Deadlines that have passed by its stamp expire first.
    pub(crate) fn observe(&mut self, record: &Record) -> Vec<Event> {
        self.expire(record.at);
        self.last = record.at;
        self.records += 1;
        self.sweep.observe(record);
        self.disturbed.observe(record);
        let events = self.view.events(record);
        if let Some(known) = self.catalogue.exercise.get(&self.protocol) {
            for event in &events {
                self.exercise.observe(event, known);
            }
        }
        let before = self.findings.len();
        for monitor in &mut self.monitors {
            let mut judge = Judge::new(&self.catalogue, monitor.as_ref(), &mut self.findings);
            monitor.observe(record, &events, &mut judge);
        }
        self.disturbed.excuse(&mut self.findings[before..]);
        self.scenario
            .observe(record, &events, &self.catalogue, &mut self.findings);
        if let RecordBody::Closed { how } = record.what {
            self.close(record.at, how);
        }
        events
    }

    /// Lets deadlines at or before `now` expire, in their order: what is found does not depend on when it was asked for.
    pub(crate) fn expire(&mut self, now: Stamp) {
        let mut passed = None;
        while let Some(at) = self.next_deadline().filter(|at| *at <= now) {
            // A deadline that stays where it is has passed; those after it have not yet.
            let at = if passed == Some(at) { now } else { at };
            self.expire_at(at);
            if at == now {
                return;
            }
            passed = Some(at);
        }
    }

    fn next_deadline(&self) -> Option<Stamp> {
        let monitors = self.monitors.iter().filter_map(|monitor| monitor.next_deadline());
        monitors.chain(self.scenario.next_deadline()).min()
    }

    fn expire_at(&mut self, now: Stamp) {
        let before = self.findings.len();
        for monitor in &mut self.monitors {
            if monitor.next_deadline().is_some_and(|deadline| deadline <= now) {
                let mut judge = Judge::new(&self.catalogue, monitor.as_ref(), &mut self.findings);
                monitor.expire(now, &mut judge);
            }
        }
        self.disturbed.excuse(&mut self.findings[before..]);
        self.scenario.expire(now, &self.catalogue, &mut self.findings);
    }

    fn close(&mut self, at: Stamp, how: HowClosed) {
        self.closed = Some(how);
        let before = self.findings.len();
        for monitor in &mut self.monitors {
            let mut judge = Judge::new(&self.catalogue, monitor.as_ref(), &mut self.findings);
            monitor.close(at, how, &mut judge);
        }
        self.disturbed.excuse(&mut self.findings[before..]);
        self.scenario.close(how, &self.catalogue, &mut self.findings);
    }

    /// The summary; a trace without its end closes as interrupted.
    pub(crate) fn finish(mut self, header: TraceHeader, strict: bool) -> InstanceSummary {
        if self.closed.is_none() {
            self.close(self.last, HowClosed::Interrupted);
        }
        let verdict = self
            .findings
            .iter()
            .fold(Verdict::Pass, |v, f| v.join(f.effective(strict)));
        InstanceSummary {
            header,
            verdict,
            left: None,
            skipped: None,
            findings: self.findings,
            sweep: self.sweep.result(&self.scenario.values),
            measurements: self.scenario.measurements,
            exercised: match self.catalogue.exercise.get(&self.protocol) {
                Some(known) => self.exercise.finish(known),
                None => Exercised::default(),
            },
            repeats: None,
            duration: self.last.seconds(),
            records: self.records,
        }
    }
}

/// Judges one trace.
pub fn judge_trace(trace: &Trace, catalogue: &Rc<Catalogue>, strict: bool) -> InstanceSummary {
    if let Some(reason) = &trace.skipped {
        return skipped(trace.header.clone(), reason.clone());
    }
    let mut judgement = Judgement::new(&trace.header, catalogue.clone());
    for record in &trace.records {
        judgement.observe(record);
    }
    judgement.finish(trace.header.clone(), strict)
}

/// The summary of an instance that did not run.
pub(crate) fn skipped(header: TraceHeader, reason: String) -> InstanceSummary {
    InstanceSummary {
        header,
        verdict: Verdict::None,
        left: None,
        skipped: Some(reason),
        findings: Vec::new(),
        measurements: Vec::new(),
        exercised: Exercised::default(),
        repeats: None,
        sweep: None,
        duration: 0.0,
        records: 0,
    }
}

/// Judges what a journal holds, in the order of names. Repeats that keep their figures only are taken as they stand.
pub fn judge_traces(
    traces: &[Trace],
    repeats: &[RepeatFigures],
    catalogue: &Catalogue,
    strict: bool,
) -> RunSummary {
    let catalogue = Rc::new(catalogue.clone());
    let mut instances: Vec<InstanceSummary> = traces
        .iter()
        .map(|trace| judge_trace(trace, &catalogue, strict))
        .collect();
    instances.extend(together(&instances, repeats, &catalogue, strict));
    instances.sort_by(|a, b| a.header.instance.cmp(&b.header.instance));
    let interrupted = traces
        .iter()
        .any(|t| t.skipped.is_none() && matches!(t.closed(), None | Some(HowClosed::Interrupted)));
    let headers = || {
        let traces = traces.iter().map(|trace| &trace.header);
        traces.chain(repeats.iter().map(|repeats| &repeats.header))
    };
    let first = headers().next();
    RunSummary {
        tool: first.map_or_else(String::new, |header| header.tool.clone()),
        seed: first.map_or(0, |header| header.seed),
        strict,
        interrupted,
        partitions: headers().filter_map(|header| header.partition).collect(),
        exercise: exercise(&instances, &catalogue.exercise),
        coverage: crate::coverage(&instances, &catalogue, strict),
        instances,
        waivers: Vec::new(),
        wall_seconds: 0.0,
    }
}

/// What repeats say together: those that were judged, and those known by their figures.
fn together(
    judged: &[InstanceSummary],
    repeats: &[RepeatFigures],
    catalogue: &Catalogue,
    strict: bool,
) -> Vec<InstanceSummary> {
    let mut folds: BTreeMap<String, Fold> = BTreeMap::new();
    let headers = repeats.iter().map(|repeats| &repeats.header);
    for header in headers.chain(judged.iter().map(|instance| &instance.header)) {
        if let Some(repeat_of) = header.repeat()
            && !folds.contains_key(&repeat_of.group)
        {
            folds.extend(Fold::new(header).map(|fold| (repeat_of.group.clone(), fold)));
        }
    }
    for repeats in repeats {
        if let Some(fold) = folds.get_mut(&repeats.header.instance) {
            repeats
                .figures
                .iter()
                .for_each(|figures| fold.add_figures(figures));
        }
    }
    for instance in judged {
        let group = instance.header.repeat();
        if let Some(fold) = group.and_then(|repeat_of| folds.get_mut(&repeat_of.group)) {
            fold.add_instance(&Figures::of(instance));
        }
    }
    folds
        .into_values()
        .map(|fold| fold.finish(catalogue, strict))
        .collect()
}
