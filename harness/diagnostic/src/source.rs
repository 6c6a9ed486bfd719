//! One file's text and where its lines begin.

use crate::{Diagnostic, Diagnostics, Span};
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
        let text = text.strip_prefix(BYTE_ORDER_MARK).map_or(text.clone(), Arc::from);
        let line_starts = std::iter::once(0)
            .chain(text.match_indices('\n').map(|(at, _)| at + 1))
            .collect();
        Arc::new(Source {
            path: path.into(),
            text,
            line_starts,
        })
    }

    /// A source from the bytes of a file; bytes that are not UTF-8 are a mistake at the place of the first one.
    pub fn from_bytes(path: impl Into<String>, bytes: Vec<u8>) -> Result<Arc<Source>, Diagnostics> {
        let error = match String::from_utf8(bytes) {
            Ok(text) => return Ok(Source::new(path, text)),
            Err(error) => error,
        };
        let (at, bytes) = (error.utf8_error().valid_up_to(), error.as_bytes());
        let help = match bytes {
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "this looks like UTF-16; save the file as UTF-8",
            _ => "save the file as UTF-8",
        };
        let label = format!(
            "the byte 0x{:02x} is no UTF-8 here",
            bytes.get(at).copied().unwrap_or_default()
        );
        let source = Source::new(path, String::from_utf8_lossy(bytes));
        let diagnostic = Diagnostic::error(&source, &(at..at + 1), "this file is not UTF-8 text")
            .label(label)
            .help(help.to_owned());
        Err([diagnostic].into_iter().collect())
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

const BYTE_ORDER_MARK: char = '\u{feff}';

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

    #[test]
    fn a_byte_order_mark_shifts_no_column() {
        let source = Source::new("a.yaml", "\u{feff}name: x");
        assert_eq!(&**source.text(), "name: x");
    }

    #[test]
    fn bytes_that_are_no_text_are_a_mistake_with_a_place() {
        let read = |bytes: &[u8]| Source::from_bytes("a.yaml", bytes.to_vec()).map(|s| s.text().to_string());
        assert_eq!(read(b"name: x"), Ok("name: x".to_owned()));
        insta::assert_snapshot!("latin_1", read(b"name: x\n# \xfcber\n").unwrap_err());
        insta::assert_snapshot!("utf_16", read(b"\xff\xfen\0a\0m\0").unwrap_err());
    }
}
