//! A judged run as something to read: terminal, JUnit, JSON, HTML, Markdown. Every report is a pure function of
//! summary, traces, catalogue and the decoded events of the traces; only `write` and `progress` touch the world.

mod annotations;
mod certificate;
mod comparison;
mod coverage;
mod exercise;
mod finding;
mod flaky;
mod headline;
mod html;
mod json;
mod junit;
mod ladder;
mod markdown;
mod measurement;
mod progress;
mod report;
mod requirement;
mod rollback;
mod selftest;
mod style;
mod sweep;
mod terminal;
mod text;
mod timing;
mod waivers;
mod write;

pub use annotations::{Place, Places, code_quality, github_annotations};
pub use certificate::{CertificatePage, CertificateTable, certificate_html, certificate_markdown};
pub use comparison::{ComparisonReport, comparison_json, comparison_markdown, comparison_text};
pub use html::{HtmlError, html};
pub use json::{SCHEMA, SCHEMA_TEXT, json};
pub use junit::{JunitError, junit};
pub use ladder::{Ladder, Lane, Row, Shape};
pub use markdown::markdown;
pub use progress::{PlainProgress, ProgressSink, TerminalProgress, stderr_progress};
pub use report::{EventSource, NoEvents, Report};
pub use requirement::{
    Command, Dossier, Explanation, Found, Proof, REQUIREMENTS_SCHEMA, REQUIREMENTS_SCHEMA_TEXT, Reached,
    explanation_json, explanation_text, requirements_json, requirements_text,
};
pub use selftest::{selftest_html, selftest_json, selftest_text};
pub use style::wants_color;
pub use terminal::TerminalReport;
pub use write::{ReportError, remove_all, write_all, write_selftest};
