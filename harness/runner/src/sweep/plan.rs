//! Which instances a sweep has: the reference run first, and once it has passed, one for each point.

use crate::jobs::Job;
use hil_scenario::{Sweep, SweepCut};
use hil_trace::{REFERENCE, SweepKind, SweepPoint, SweepRun, TraceHeader, Verdict};

/// Makes the header of an instance that of the reference run of a sweep.
pub(crate) fn reference_of(sweep: &Sweep, header: &mut TraceHeader) {
    let name = header.instance.clone();
    header.instance = format!("{name}#{REFERENCE}");
    header.sweep = Some(Box::new(SweepRun {
        name,
        cut: match sweep.cut {
            SweepCut::FlashWrites { .. } => SweepKind::FlashWrites,
            SweepCut::Every(_) | SweepCut::Points(_) => SweepKind::Time,
        },
        from: sweep.from.clone(),
        to: sweep.to.clone(),
        power_back_after: sweep.power_back_after.as_secs_f64(),
        wear: sweep.wear,
        outcomes: sweep.outcomes.clone(),
        span: None,
        point: None,
        spent: None,
    }));
}

/// The instances that follow a reference run, whose header says what it measured; nothing after any other instance.
pub(crate) fn points_after(job: &Job, header: &TraceHeader, verdict: Verdict) -> Vec<Job> {
    let (Some(sweep), Some(run)) = (&job.plan.sweep, &header.sweep) else {
        return Vec::new();
    };
    if !job.may_add_points() {
        return Vec::new();
    }
    let planned = match verdict {
        Verdict::Pass => points(sweep, run),
        _ => Err("not exercised: the run without a cut did not pass, so the sweep says nothing".to_owned()),
    };
    let make = |label: &str, point: Option<SweepPoint>, skip: Option<String>| {
        let mut header = job.header();
        let run = SweepRun {
            point,
            spent: None,
            ..(**run).clone()
        };
        header.instance = format!("{}#{label}", run.name);
        header.sweep = Some(Box::new(run));
        job.like(header, skip)
    };
    match planned {
        Err(reason) => vec![make("points", None, Some(reason))],
        Ok(planned) => planned
            .into_iter()
            .map(|(point, left_out)| {
                let label = run.span.map_or_else(String::new, |span| point.label(&span));
                let skip = left_out.then(|| {
                    let wear = run.wear.unwrap_or_default();
                    format!("not exercised: left out to stay within `wear: {wear}` flash writes")
                });
                make(&label, Some(point), skip)
            })
            .collect(),
    }
}

/// Every point, and whether it is left out.
fn points(sweep: &Sweep, run: &SweepRun) -> Result<Vec<(SweepPoint, bool)>, String> {
    let (from, to) = (&sweep.from, &sweep.to);
    let Some(span) = run.span else {
        return Err(format!(
            "not exercised: the run without a cut never came from `{from}` to `{to}`"
        ));
    };
    let points: Vec<SweepPoint> = match sweep.cut {
        SweepCut::FlashWrites { torn } => {
            let writes = span
                .writes
                .ok_or("not exercised: the unit's flash writes could not be counted")?;
            // One more than can be swept is enough to see that there are too many.
            let writes = writes.min(MOST_POINTS as u64 + 1);
            let whole = (1..=writes).map(|write| SweepPoint::Write { write, torn: false });
            let half = (1..=writes).map(|write| SweepPoint::Write { write, torn: true });
            whole.chain(half.filter(|_| torn)).collect()
        }
        SweepCut::Every(every) => {
            let step = every.as_secs_f64();
            let times = (0..=MOST_POINTS).map(|n| n as f64 * step);
            let times = times.take_while(|after| *after < span.seconds);
            times.map(|after| SweepPoint::Time { after }).collect()
        }
        SweepCut::Points(points) => {
            let step = span.seconds / f64::from(points);
            let times = (0..points).map(|n| f64::from(n) * step);
            // To the microsecond, like every stamp.
            let times = times.map(|after| (after * 1e6).round() / 1e6);
            times.map(|after| SweepPoint::Time { after }).collect()
        }
    };
    if points.is_empty() || (span.seconds <= 0.0 && run.cut == SweepKind::Time) {
        let what = match run.cut {
            SweepKind::FlashWrites => "no flash write",
            SweepKind::Time => "no time",
        };
        return Err(format!("not exercised: {what} lies between `{from}` and `{to}`"));
    }
    if points.len() > MOST_POINTS {
        return Err(format!("not exercised: it has more than {MOST_POINTS} points"));
    }
    Ok(within_wear(points, run))
}

/// Leaves out what would cost too many flash writes. A point costs at most the writes up to its cut and a whole run after
/// it. Whole writes come before torn ones; of what does not all fit, evenly spaced points are taken.
fn within_wear(points: Vec<SweepPoint>, run: &SweepRun) -> Vec<(SweepPoint, bool)> {
    let (Some(wear), Some(whole)) = (run.wear, run.spent) else {
        return points.into_iter().map(|point| (point, false)).collect();
    };
    let between = run.span.and_then(|span| span.writes).unwrap_or(whole);
    let affordable = wear.saturating_sub(whole) / whole.saturating_add(between).max(1);
    let mut affordable = usize::try_from(affordable).unwrap_or(usize::MAX);
    let is_torn = |point: &SweepPoint| matches!(point, SweepPoint::Write { torn: true, .. });
    let (torn, rest): (Vec<_>, Vec<_>) = points.into_iter().partition(is_torn);
    let mut planned = Vec::new();
    for part in [rest, torn] {
        let (count, taken) = (part.len(), affordable.min(part.len()));
        affordable -= taken;
        for (index, point) in part.into_iter().enumerate() {
            let chosen = (index * taken) % count < taken;
            planned.push((point, !chosen));
        }
    }
    planned
}

const MOST_POINTS: usize = 20_000;
