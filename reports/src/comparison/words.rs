//! What two runs differ in, in words.

use crate::{coverage::state_name, text};
use hil_trace::{
    CaseState, CatalogueChange, Change, Condition, Flaky, Loss, LossOf, SideFacts, TimeChange, TimeSample,
};
use serde_json::Value;

/// One thing on a line, and what is to be said of it below.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) title: String,
    pub(super) text: String,
}

impl Item {
    fn new(title: String, text: &str) -> Item {
        let text = text::short(text, REASON);
        Item {
            title: text::line(&title),
            text,
        }
    }
}

/// Such as `POLL-ACK-003 MUST in edge-poll/acks-lost@sim: pass, now fail`.
pub(super) fn change(change: &Change) -> Item {
    let subject = match &change.subject {
        Some(subject) => format!("{subject} {} in ", change.level),
        None => String::new(),
    };
    let seen = match change.instance == change.case {
        true => String::new(),
        false => format!(" (seen in {})", change.instance),
    };
    let new = if change.is_new_requirement {
        ", a requirement the baseline did not know"
    } else {
        ""
    };
    Item::new(
        format!(
            "{subject}{}: {}{new}{seen}",
            change.case,
            turn(change.before, change.now)
        ),
        &change.text,
    )
}

/// Such as `edge-poll/idle@sim: pass, now flaky: 7 passed, 3 did not`.
pub(super) fn flaky(flaky: &Flaky) -> Item {
    let mut parts = vec![
        format!("{} passed", flaky.passed),
        format!("{} did not", flaky.not_passed),
    ];
    if flaky.passed_again > 0 {
        parts = vec![format!("{} passed only when run again", flaky.passed_again)];
        parts.extend((flaky.passed > 0).then(|| format!("{} passed", flaky.passed)));
    }
    let which = match flaky.now {
        CaseState::Flaky => "",
        _ => "in the baseline ",
    };
    let title = format!(
        "{}: {}; {which}{}",
        flaky.case,
        turn(flaky.before, flaky.now),
        parts.join(", ")
    );
    let subjects = match flaky.subjects.as_slice() {
        [] => String::new(),
        subjects => format!("violated at one time: {}", subjects.join(", ")),
    };
    Item::new(title, &subjects)
}

/// What is not exercised any more.
pub(super) fn loss(loss: &Loss) -> Item {
    let title = match &loss.of {
        LossOf::Protocol {
            protocol,
            unit,
            cases,
        } => {
            let cases = text::count(*cases as u64, "scenario");
            format!("{protocol} on unit {unit}: nothing of it is in the new run; {cases} in the baseline")
        }
        LossOf::Requirement {
            id,
            level,
            before,
            now,
        } => {
            format!("{id} {level}: {}, now {}", state_name(*before), state_name(*now))
        }
        LossOf::Violation { case, requirement } => {
            format!("{requirement} in {case}: violated in the baseline, now neither violated nor met")
        }
        LossOf::Case { case, before, now } => format!("{case}: {}", turn(*before, *now)),
    };
    Item::new(title, loss.reason.as_deref().unwrap_or_default())
}

/// A measured time, with its figures.
pub(super) fn time(change: &TimeChange) -> Item {
    let title = format!(
        "{} in {}: {}, now {}",
        change.name,
        change.case,
        sample(&change.baseline),
        sample(&change.new)
    );
    let effect = text::span(change.least_effect);
    let text = match (change.shift, change.interval) {
        (Some(shift), Some((low, high))) => format!(
            "shifted by {}; with 99 % confidence by {} to {}; up to {effect} counts as no shift",
            signed(shift),
            signed(low),
            signed(high)
        ),
        (Some(shift), None) => format!(
            "seems shifted by {}; too few values to tell that from chance: 5 on each side are the least",
            signed(shift)
        ),
        (None, _) => "it was not measured any more".to_owned(),
    };
    Item::new(title, &text)
}

/// A requirement that is not what it was.
pub(super) fn catalogue(change: &CatalogueChange) -> Item {
    let (title, text) = match change {
        CatalogueChange::Added { id, level, state } => {
            let state = state
                .map(|state| format!(", {}", state_name(state)))
                .unwrap_or_default();
            (format!("{id} {level}: new{state}"), String::new())
        }
        CatalogueChange::Removed { id, level } => (format!("{id} {level}: removed"), String::new()),
        CatalogueChange::Level { id, before, now } => (format!("{id}: {before}, now {now}"), String::new()),
        CatalogueChange::Sentence { id, before, now } => (
            format!("{id}: worded otherwise"),
            format!("was: {before} – is: {now}"),
        ),
    };
    Item::new(title, &text)
}

/// Something the runs were not made alike in.
pub(super) fn condition(condition: &Condition) -> Item {
    let list = |names: &[String]| match names.len() {
        0 => "nothing".to_owned(),
        _ => names.join(", "),
    };
    let short = |digests: &[String]| {
        let digests: Vec<String> = digests
            .iter()
            .map(|digest| digest.chars().take(12).collect())
            .collect();
        list(&digests)
    };
    let seeds = |seeds: &[u64]| list(&seeds.iter().map(u64::to_string).collect::<Vec<_>>());
    let some = |cases: &[String]| {
        let more = cases.len().saturating_sub(NAMED);
        let named = cases.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
        if more > 0 {
            format!("{named} and {more} more")
        } else {
            named
        }
    };
    let value = |value: &Option<Value>| match value.as_ref().map(plain) {
        Some(text) if !text.is_empty() => text,
        _ => "nothing".to_owned(),
    };
    let title = match condition {
        Condition::Tool { before, now } => format!("another tool: {}, now {}", list(before), list(now)),
        Condition::Seed { before, now } => format!("another seed: {}, now {}", seeds(before), seeds(now)),
        Condition::Catalogue { before, now } => {
            format!("another catalogue: {}, now {}", short(before), short(now))
        }
        Condition::Strict { now: true } => "the new run alone is strict: violated SHOULDs fail".to_owned(),
        Condition::Strict { now: false } => "the baseline alone is strict: violated SHOULDs fail".to_owned(),
        Condition::Unit { before, now } => format!("unit {before} is held against unit {now}"),
        Condition::Fact {
            unit,
            name,
            before,
            now,
        } => {
            let [before, now] = [value(before), value(now)].map(|text| text::short(&text, FACT));
            format!("{name} of unit {unit}: {before}, now {now}")
        }
        Condition::Scenarios { cases } => format!("changed scenarios: {}", some(cases)),
        Condition::Parameters { cases } => format!("other parameters or faults: {}", some(cases)),
        Condition::Added { cases } => {
            format!("{} only the new run has", text::count(*cases as u64, "scenario"))
        }
    };
    Item::new(title, "")
}

/// A side on one line: `out (hil 0.1.0, seed 7): 12 passed, 1 failed`.
pub(super) fn side(side: &SideFacts) -> String {
    let counts = crate::headline::counted(&side.counts)
        .into_iter()
        .map(|(_, words)| words);
    let counts: Vec<String> = counts.collect();
    let counts = if counts.is_empty() {
        "nothing".to_owned()
    } else {
        counts.join(", ")
    };
    let mut made: Vec<String> = side.tools.iter().cloned().collect();
    made.extend(side.seeds.iter().map(|seed| format!("seed {seed}")));
    made.extend(side.strict.then(|| "strict".to_owned()));
    made.extend(side.interrupted.then(|| "cut short".to_owned()));
    let made = if made.is_empty() {
        String::new()
    } else {
        format!(" ({})", made.join(", "))
    };
    text::line(&format!("{}{made}: {counts}", side.name))
}

fn turn(before: CaseState, now: CaseState) -> String {
    match before == now {
        true => format!("{}, as in the baseline", now.name()),
        false => format!("{}, now {}", before.name(), now.name()),
    }
}

fn sample(sample: &TimeSample) -> String {
    match sample.median {
        None => "no value".to_owned(),
        Some(median) => format!(
            "median {} of {}",
            text::span(median),
            text::count(sample.n as u64, "value")
        ),
    }
}

fn signed(seconds: f64) -> String {
    let words = text::span(seconds.abs());
    match seconds {
        _ if words == "0 s" => words,
        seconds if seconds < 0.0 => format!("−{words}"),
        _ => format!("+{words}"),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

const REASON: usize = 300;
const FACT: usize = 80;
const NAMED: usize = 8;
