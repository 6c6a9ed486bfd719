//! YAML to checked plan: the vocabulary scenarios are written in, the checks with place and excerpt, the JSON Schema
//! for editors, and the suites and catalogue embedded in the binary. What a plan means when it runs is the runner's.

mod condition;
mod lookup;
mod moment;
mod plan;
mod sum;
mod template;

pub use condition::{CompileError, Condition, ConditionError};
pub use lookup::{Lookup, Unresolved, walk};
pub use moment::{Moment, Span};
pub use plan::{Branch, Parameter, Plan, Step, Verb, Wait, Watch};
pub use sum::ExpressionError;
pub use template::{Template, TemplateError};
