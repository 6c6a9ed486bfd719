//! What the harness itself does in one run of a sweep: measures what lies between the two steps, or cuts power at the
//! point. No step mentions it.

use super::POINT;
use crate::faults::{Makers, SharedUnit, Spark};
use hil_fault::FaultSpec;
use hil_scenario::FLASH_WRITES;
use hil_trace::{Blame, RecordBody, Stamp, SweepPoint, SweepRun, SweepSpan};
use hil_unit::UnitError;
use serde_json::{Map, Value, json};
use std::time::Duration;
use tokio::task::JoinSet;

/// The hand; one that does nothing where there is no sweep.
pub(crate) struct Cutter {
    run: Option<SweepRun>,
    counts_writes: bool,
    unit: SharedUnit,
    makers: Makers,
    begun: Option<Mark>,
    ended: Option<Mark>,
    fuses: JoinSet<()>,
}

/// A moment, and how many flash writes there were by then.
#[derive(Clone, Copy)]
struct Mark {
    at: Stamp,
    writes: Option<u64>,
}

impl Cutter {
    pub(crate) fn new(run: Option<SweepRun>, counts_writes: bool, unit: SharedUnit, makers: Makers) -> Self {
        Cutter {
            run,
            counts_writes,
            unit,
            makers,
            begun: None,
            ended: None,
            fuses: JoinSet::new(),
        }
    }

    /// A named step has ended; its moment is `at`.
    pub(crate) async fn passed(&mut self, step: &str, at: Stamp) {
        let Some(run) = self.run.clone() else { return };
        let (first, last) = (self.begun.is_none(), self.ended.is_none());
        match run.point {
            None if step == run.from && first => self.begun = Some(self.mark(at).await),
            None if step == run.to && last => self.ended = Some(self.mark(at).await),
            Some(point) if step == run.from && first => {
                self.begun = Some(Mark { at, writes: None });
                self.arm(&run, point, at).await;
            }
            _ => {}
        }
    }

    /// What a reference run measured.
    pub(crate) fn span(&self) -> Option<SweepSpan> {
        let (begun, ended) = (self.begun?, self.ended?);
        Some(SweepSpan {
            seconds: ended.at.since(begun.at).as_secs_f64(),
            writes: ended
                .writes
                .zip(begun.writes)
                .map(|(to, from)| to.saturating_sub(from)),
        })
    }

    /// The steps are done: a cut that still waits will not come, and flash writes are counted.
    pub(crate) async fn end(&mut self) -> Option<u64> {
        self.fuses.abort_all();
        match self.run.is_some() && self.counts_writes {
            true => self.count().await.ok(),
            false => None,
        }
    }

    async fn mark(&self, at: Stamp) -> Mark {
        let writes = match self.counts_writes {
            false => None,
            true => match self.count().await {
                Ok(writes) => Some(writes),
                Err(error) => {
                    self.trouble(error.blame(), format!("flash writes cannot be counted: {error}"));
                    None
                }
            },
        };
        Mark { at, writes }
    }

    async fn count(&self) -> Result<u64, UnitError> {
        let mut unit = self.unit.lock().await;
        let value = unit.probe(FLASH_WRITES, &Map::new()).await?;
        // A command that prints text says the number in it.
        let text = value.as_str().and_then(|text| text.trim().parse().ok());
        value.as_u64().or(text).ok_or_else(|| {
            UnitError::Lab(format!(
                "the probe `{FLASH_WRITES}` says {value}, which is no number of writes"
            ))
        })
    }

    /// Arms the cut as a fault like any other; one at a write waits in the unit when this returns.
    async fn arm(&mut self, run: &SweepRun, point: SweepPoint, at: Stamp) {
        let label = run.span.map_or_else(String::new, |span| point.label(&span));
        let (name, arguments, spark) = match point {
            SweepPoint::Write { write, torn } => (
                "unit.power_cut_at_write",
                json!({"write": write, "torn": torn, "for": run.power_back_after}),
                Spark::Now,
            ),
            SweepPoint::Time { after } => {
                let after = Duration::try_from_secs_f64(after).unwrap_or_default();
                let arguments = json!({"for": run.power_back_after});
                ("unit.power_cut", arguments, Spark::At(at + after))
            }
        };
        let spec = FaultSpec::parse(name, arguments.as_object().unwrap_or(&Map::new()));
        let spec = match spec {
            Ok(spec) => spec,
            Err(error) => return self.trouble(Blame::Harness, error.to_string()),
        };
        let facts = Map::from_iter([(POINT.to_owned(), Value::from(label))]);
        self.makers.arm(spec, spark, facts, &mut self.fuses).await;
    }

    fn trouble(&self, blame: Blame, text: String) {
        self.makers.stage.record(RecordBody::Trouble { blame, text });
    }
}
