//! Runs checked scenarios on benches and judges their traces. Running only causes records; judging only reads them,
//! so the same judgement serves a live run and a journal of last month.

mod artifact_facts;
mod bench;
mod coverage;
mod digest;
mod dispatcher;
mod execute;
mod faults;
mod instance;
mod jobs;
mod judge;
mod queue;
mod redaction;
mod repeats;
mod run;
mod seed;
mod selection;
mod selftest;
mod sweep;
mod unit_under_test;

pub use coverage::coverage;
pub use digest::digest;
pub use dispatcher::Dispatcher;
pub use faults::{ArmError, Stage, Tripwire, arm_extra, arm_on_connections};
pub use jobs::RunError;
pub use judge::{judge_trace, judge_traces};
pub use redaction::Redaction;
pub use run::{Cases, InstanceResult, Progress, RunOptions, RunOutcome, Stop, run};
pub use seed::sub_seed;
pub use selection::{Filter, Skip, applies, tier_of};
pub use selftest::{Selftest, SelftestProgress, Specimen, selftest};
pub use unit_under_test::{BenchKind, MakeKit, Preparation, UnitKit, UnitUnderTest};
