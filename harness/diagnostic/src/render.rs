//! Diagnostics as text with excerpts.

use crate::{Diagnostic, Diagnostics, Severity};
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
    let primary = AnnotationKind::Primary.span(visible(diagnostic)).label(label);
    let mut snippet = Snippet::source(diagnostic.source.text().as_ref())
        .path(diagnostic.path())
        .annotation(primary);
    if let Some((span, label)) = &diagnostic.related {
        snippet = snippet.annotation(AnnotationKind::Context.span(span.clone()).label(label.as_str()));
    }
    let mut group = level.primary_title(diagnostic.title.as_str()).element(snippet);
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    renderer.render(&[group])
}

/// The span cut to its first line, so that a mistake about a whole block does not print the block.
fn visible(diagnostic: &Diagnostic) -> crate::Span {
    let span = diagnostic.span.clone();
    let text = &diagnostic.source.text()[span.clone()];
    match text.find(['\n', '\r']) {
        Some(length) => span.start..span.start + length,
        None => span,
    }
}
