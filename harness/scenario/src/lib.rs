//! YAML to checked plan: the vocabulary scenarios are written in, the checks with place and excerpt, the JSON Schema
//! for editors, and the suites and catalogue embedded in the binary. What a plan means when it runs is the runner's.

mod catalogue;
mod condition;
mod directory;
mod embedded;
mod evidence;
mod exercise;
mod extra_fault;
mod known;
mod load;
mod lookup;
mod measure;
mod moment;
mod plan;
mod schema;
mod stimuli;
mod sum;
mod sweep;
mod template;
mod timing;
mod vocabulary;
mod waivers;

pub use catalogue::{conditions, embedded_catalogue, options, read_catalogue};
pub use condition::{CompileError, Condition, ConditionError};
pub use directory::{ReadError, find_files, load_directory};
pub use embedded::embedded_suites;
pub use evidence::{Judged, check_embedded_evidence, check_evidence, check_requirements, evidence};
pub use exercise::embedded_exercise;
pub use extra_fault::{EXTRA_FAULT, ExtraFault};
pub use known::{ARTIFACT_FACTS, ARTIFACT_ROLES, CAPABILITIES, ROOTS, TIERS, VERBS};
pub use load::{load, load_source};
pub use lookup::{Lookup, Unresolved, walk};
pub use measure::{End, Limits, Measure, Occurrence, Which};
pub use moment::{Moment, Span};
pub use plan::{Branch, NOTHING, Parameter, Plan, Step, Trigger, UnitFact, Verb, Wait, Watch, When};
pub use schema::schema;
pub use stimuli::{check_embedded_stimuli, check_stimuli};
pub use sum::ExpressionError;
pub use sweep::{CUT_AT_WRITE, FLASH_WRITES, Sweep, SweepCut};
pub use template::{Template, TemplateError};
pub use timing::check_embedded_timing;
pub use vocabulary::{Field, FieldType, Fields, SiteNames, Vocabulary, Word, Words};
pub use waivers::{read_waivers, waivers_schema};
