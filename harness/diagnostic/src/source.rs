//! One file's text and where its lines begin.

use crate::Span;
use std::sync::Arc;

/// A text with the path it is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    path: String,
    text: Arc<str>,
    line_starts: Vec<usize>,
}

impl Source {
    /// A source; `path` is shown to people as given.
    pub fn new(path: impl Into<String>, text: impl Into<Arc<str>>) -> Arc<Source> {
        let text: Arc<str> = text.into();
        let line_starts = std::iter::once(0)
            .chain(text.match_indices('\n').map(|(at, _)| at + 1))
            .collect();
        Arc::new(Source {
            path: path.into(),
            text,
            line_starts,
        })
    }

    /// The path shown to people.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The whole text.
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// Line and column (characters), both from 1, of a byte offset; offsets past the end count as the end.
    pub fn position(&self, offset: usize) -> (usize, usize) {
        let offset = self.clamp(offset);
        let line = self.line_starts.partition_point(|start| *start <= offset);
        let start = line.checked_sub(1).map_or(0, |at| self.line_starts[at]);
        (line, self.text[start..offset].chars().count() + 1)
    }

    /// The span cut to the text and to character boundaries.
    pub fn fit(&self, span: &Span) -> Span {
        let start = self.clamp(span.start);
        start..self.clamp(span.end).max(start)
    }

    fn clamp(&self, offset: usize) -> usize {
        self.text.floor_char_boundary(offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_lines_and_characters_from_one() {
        let source = Source::new("a.yaml", "äb\ncd");
        assert_eq!(source.position(0), (1, 1));
        assert_eq!(source.position(2), (1, 2));
        assert_eq!(source.position(4), (2, 1));
        assert_eq!(source.position(99), (2, 3));
        assert_eq!(source.fit(&(1..99)), 0..6);
    }
}
