//! Diagnostics as text with excerpts.

use crate::{Diagnostic, Diagnostics, Severity, Span};
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

pub(crate) fn render(diagnostics: &Diagnostics, color: bool) -> String {
    let renderer = if color {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let rendered: Vec<String> = diagnostics.iter().map(|d| render_one(d, &renderer)).collect();
    rendered.join("\n\n")
}

fn render_one(diagnostic: &Diagnostic, renderer: &Renderer) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let label = Some(diagnostic.label.as_str()).filter(|label| !label.is_empty());
    let related = diagnostic.related.as_ref();
    let excerpt = Excerpt::of(diagnostic, related.map(|(span, _)| span));
    let primary = AnnotationKind::Primary
        .span(excerpt.inside(&visible(diagnostic)))
        .label(label);
    let mut snippet = Snippet::source(excerpt.text)
        .line_start(excerpt.line)
        .path(diagnostic.path())
        .annotation(primary);
    if let Some((span, label)) = related {
        let span = excerpt.inside(span);
        snippet = snippet.annotation(AnnotationKind::Context.span(span).label(label.as_str()));
    }
    let mut group = level.primary_title(diagnostic.title.as_str()).element(snippet);
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    renderer.render(&[group])
}

/// The span cut to its first line, so that a mistake about a whole block does not print the block.
fn visible(diagnostic: &Diagnostic) -> Span {
    let span = diagnostic.span.clone();
    let text = &diagnostic.source.text()[span.clone()];
    match text.find(['\n', '\r']) {
        Some(length) => span.start..span.start + length,
        None => span,
    }
}

/// The lines of a text that are shown. Rendering takes time with the length of what it is given, so it is given no more.
struct Excerpt<'d> {
    text: &'d str,
    /// Byte of the file the text begins with.
    start: usize,
    /// Line of the file the text begins with, from 1.
    line: usize,
}

impl<'d> Excerpt<'d> {
    fn of(diagnostic: &'d Diagnostic, related: Option<&Span>) -> Excerpt<'d> {
        let text: &str = diagnostic.source.text();
        let primary = diagnostic.span.start;
        let (first, last) = related.map_or((primary, primary), |span| {
            (span.start.min(primary), span.start.max(primary))
        });
        let start = text[..first].rfind('\n').map_or(0, |at| at + 1);
        let end = text[last..].find('\n').map_or(text.len(), |at| last + at + 1);
        let end = text.floor_char_boundary(end.min(last + LONGEST_REST));
        Excerpt {
            text: &text[start..end],
            start,
            line: diagnostic.source.position(start).0,
        }
    }

    /// A place of the file as a place of the excerpt.
    fn inside(&self, span: &Span) -> Span {
        let shift = |at: usize| at.saturating_sub(self.start).min(self.text.len());
        shift(span.start)..shift(span.end)
    }
}

/// How much is shown of the line a mistake is in, after its place; in bytes.
const LONGEST_REST: usize = 300;
