//! The vocabulary of a run: what happened (records), what it means (events, findings, verdicts), and the
//! journal that keeps it. No I/O but the journal's, no run time, no clock.

mod event;
mod finding;
mod header;
mod journal;
mod payload;
mod record;
mod recorder;
mod requirement;
mod stamp;
mod summary;
mod sweep;
mod verdict;

pub use event::{Event, Who};
pub use finding::{Blame, Finding};
pub use header::{ClockKind, ScenarioRef, Tolerances, TraceHeader};
pub use journal::{Damage, JournalError, JournalReader, JournalWriter, Line, ReadJournal, Trace};
pub use payload::{INLINE_LIMIT, Payload};
pub use record::{
    CertificateFacts, ConsoleStream, Ending, FaultPhase, HowClosed, HttpEnding, PLAIN_INSTEAD_OF_TLS, Party,
    Record, RecordBody, StepOutcome, UnitChange,
};
pub use recorder::{Recorder, SharedRecorder};
pub use requirement::{Catalogue, Level, Origin, Requirement, Stimulus};
pub use stamp::Stamp;
pub use summary::{
    Counts, CoverageState, InstanceSummary, Measurement, RequirementCoverage, RunSummary, exit_code,
};
pub use sweep::{
    NO_OUTCOME, REFERENCE, SweepKind, SweepPoint, SweepResult, SweepRow, SweepRun, SweepSpan, SweepTable,
};
pub use verdict::Verdict;
