//! The vocabulary of a run: what happened (records), what it means (events, findings, verdicts), and the
//! journal that keeps it. No I/O but the journal's, no run time, no clock.

mod attempts;
mod bounds;
mod comparison;
mod event;
mod evidence;
mod exercise;
mod figures;
mod finding;
mod header;
mod histogram;
mod journal;
mod partition;
mod payload;
mod record;
mod recorder;
mod repeats;
mod requirement;
mod selftest;
mod stamp;
mod statistics;
mod summary;
mod sweep;
mod timing;
mod verdict;
mod waiver;

pub use attempts::{Attempts, CaseState, case_states};
pub use bounds::{Bounds, Range, Standing};
pub use comparison::{
    CatalogueChange, Change, Comparison, Condition, Flaky, Loss, LossOf, Outcome, Side, SideFacts,
    TimeChange, TimeSample, TimeVerdict, UnitFacts,
};
pub use event::{Event, Who};
pub use evidence::{Evidence, ScenarioEvidence, Tier};
pub use exercise::{
    Exercisable, Exercise, ExerciseCounts, Exercised, Machine, MessageReached, ProtocolExercise,
    TransitionReached, ValueReached, Valued, exercise,
};
pub use figures::{Figure, Figures};
pub use finding::{Blame, Finding};
pub use header::{ClockKind, RepeatOf, RetryOf, ScenarioRef, Tolerances, TraceHeader};
pub use histogram::Histogram;
pub use journal::{
    Conflict, Damage, JournalError, JournalReader, JournalWriter, Line, Merged, Part, ReadJournal, Remark,
    RepeatFigures, Trace, merge,
};
pub use partition::{Deal, NoPartition, Partition};
pub use payload::{INLINE_LIMIT, Payload};
pub use record::{
    CertificateFacts, ConsoleStream, Ending, FaultPhase, HowClosed, HttpEnding, PLAIN_INSTEAD_OF_TLS, Party,
    Record, RecordBody, StepOutcome, UnitChange,
};
pub use recorder::{Recorder, SharedRecorder};
pub use repeats::{Repeats, TimedSeries};
pub use requirement::{Catalogue, Level, Origin, Requirement, Stimulus};
pub use selftest::{Alarm, CleanRun, DefectLine, DefectOutcome, DefectRun, SelftestMatrix};
pub use stamp::Stamp;
pub use statistics::{Drift, Quantile, RepeatValue, Statistics};
pub use summary::{
    Counts, CoverageState, InstanceSummary, Measurement, RequirementCoverage, RunSummary, exit_code,
};
pub use sweep::{
    NO_OUTCOME, REFERENCE, SweepKind, SweepPoint, SweepResult, SweepRow, SweepRun, SweepSpan, SweepTable,
};
pub use timing::{RollbackCell, RollbackPath, TimingTable};
pub use verdict::Verdict;
pub use waiver::{Waiver, WaiverOutcome, WaiverStanding, Waivers};
