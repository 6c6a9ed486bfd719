//! One mistake, and all of them.

use crate::{Source, Span};
use std::{fmt, sync::Arc};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The file can be used.
    Warning,
    /// The file cannot be used.
    Error,
}

/// One mistake in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The file.
    pub source: Arc<Source>,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Bytes of the text that are wrong.
    pub span: Span,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in one line.
    pub title: String,
    /// What stands at the place, or what was expected there; may be empty.
    pub label: String,
    /// A second place that explains the first, such as an earlier definition.
    pub related: Option<(Span, String)>,
    /// The way out.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error at a place.
    pub fn error(source: &Arc<Source>, span: &Span, title: impl Into<String>) -> Diagnostic {
        let span = source.fit(span);
        let (line, column) = source.position(span.start);
        Diagnostic {
            source: Arc::clone(source),
            line,
            column,
            span,
            severity: Severity::Error,
            title: shortened(title.into()),
            label: String::new(),
            related: None,
            help: None,
        }
    }

    /// The same with a label at the place.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Diagnostic {
        self.label = shortened(label.into());
        self
    }

    /// The same with a second place.
    #[must_use]
    pub fn related(mut self, span: &Span, label: impl Into<String>) -> Diagnostic {
        self.related = Some((self.source.fit(span), label.into()));
        self
    }

    /// The same with a way out; `None` leaves it as it is.
    #[must_use]
    pub fn help(mut self, help: impl Into<Option<String>>) -> Diagnostic {
        self.help = help.into().or(self.help);
        self
    }

    /// The file's path as shown.
    pub fn path(&self) -> &str {
        self.source.path()
    }
}

/// All mistakes of one or more files, in the order of files and places.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    /// Adds those of another file.
    pub fn extend(&mut self, others: Diagnostics) {
        self.0.extend(others.0);
    }

    /// True if any of them is an error.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|d| d.severity == Severity::Error)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each of them, by path and place.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        let mut ordered: Vec<&Diagnostic> = self.0.iter().collect();
        ordered.sort_by(|a, b| (a.path(), a.span.start).cmp(&(b.path(), b.span.start)));
        ordered.into_iter()
    }

    /// The text shown to people, with excerpts; `color` adds terminal colours.
    pub fn render(&self, color: bool) -> String {
        crate::render::render(self, color)
    }
}

impl FromIterator<Diagnostic> for Diagnostics {
    fn from_iter<T: IntoIterator<Item = Diagnostic>>(diagnostics: T) -> Self {
        Diagnostics(diagnostics.into_iter().collect())
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Diagnostics {}

/// Text people can still read: the middle of a very long one is left out, and what a terminal would obey is escaped.
fn shortened(text: String) -> String {
    let text = match text.chars().any(|c| c.is_control() && c != '\n') {
        true => text
            .chars()
            .flat_map(|c| match c.is_control() && c != '\n' {
                true => c.escape_default().collect::<Vec<_>>(),
                false => vec![c],
            })
            .collect(),
        false => text,
    };
    if text.len() <= LONGEST {
        return text;
    }
    let head = text.floor_char_boundary(LONGEST * 2 / 3);
    let tail = text.ceil_char_boundary(text.len() - LONGEST / 3);
    format!("{}…{}", &text[..head], &text[tail..])
}

const LONGEST: usize = 600;
