//! The export upload as CSV: RFC 4180 with a header row that starts with `timestamp` (reference section 3.4).

use crate::{
    oddity::{Decoded, Oddity, OddityKind},
    timestamp,
};

/// The rows of a CSV export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsvExport {
    /// Column names; the first is `timestamp`.
    pub header: Vec<String>,
    /// One row per record.
    pub records: Vec<Vec<String>>,
}

impl CsvExport {
    /// Reads an upload. Paths are `line <n>` with the header as line 1 (quoted line breaks do not count).
    /// A bare line feed at a row's end is tolerable.
    pub fn decode(bytes: &[u8]) -> Decoded<CsvExport> {
        let Ok(text) = std::str::from_utf8(bytes) else {
            return Decoded::nothing(Oddity::invalid(OddityKind::Encoding, "", "not UTF-8"));
        };
        let mut reader = Reader {
            rest: text,
            oddities: Vec::new(),
            line: 0,
        };
        let rows = reader.rows();
        let mut oddities = reader.oddities;
        let Some((header, records)) = rows.and_then(|rows| {
            let mut rows = rows.into_iter();
            Some((rows.next()?, rows.collect::<Vec<_>>()))
        }) else {
            if oddities.is_empty() {
                oddities.push(Oddity::invalid(
                    OddityKind::MissingMember,
                    "line 1",
                    "no header row",
                ));
            }
            return Decoded {
                value: None,
                oddities,
            };
        };
        if header.first().map(String::as_str) != Some("timestamp") {
            let detail = "the first column is not `timestamp`";
            oddities.push(Oddity::invalid(OddityKind::InvalidValue, "line 1", detail));
        }
        for (index, record) in records.iter().enumerate() {
            let path = format!("line {}", index + 2);
            if record.len() != header.len() {
                let detail = format!("{} fields, the header has {}", record.len(), header.len());
                oddities.push(Oddity::invalid(OddityKind::Contradiction, path, detail));
            } else if timestamp::parse(&record[0]).is_none() {
                let detail = "does not start with an RFC 3339 timestamp";
                oddities.push(Oddity::invalid(OddityKind::InvalidValue, path, detail));
            }
        }
        Decoded {
            value: Some(CsvExport { header, records }),
            oddities,
        }
    }

    /// Writes the rows with CRLF; fields are quoted where they have to be.
    pub fn encode(&self) -> String {
        std::iter::once(&self.header)
            .chain(&self.records)
            .map(|row| row.iter().map(|field| quote(field)).collect::<Vec<_>>().join(",") + "\r\n")
            .collect()
    }
}

struct Reader<'a> {
    rest: &'a str,
    oddities: Vec<Oddity>,
    line: usize,
}

impl Reader<'_> {
    fn rows(&mut self) -> Option<Vec<Vec<String>>> {
        let mut rows = Vec::new();
        while !self.rest.is_empty() {
            self.line += 1;
            let mut row = vec![self.field()?];
            while let Some(rest) = self.rest.strip_prefix(',') {
                self.rest = rest;
                row.push(self.field()?);
            }
            if let Some(rest) = self.rest.strip_prefix("\r\n") {
                self.rest = rest;
            } else if let Some(rest) = self.rest.strip_prefix('\n') {
                self.rest = rest;
                let detail = "the row ends with a bare line feed";
                self.oddities.push(Oddity::tolerable(
                    OddityKind::Dialect,
                    format!("line {}", self.line),
                    detail,
                ));
            } else if !self.rest.is_empty() {
                return self.broken("text after a closing quote, or a bare carriage return");
            }
            rows.push(row);
        }
        Some(rows)
    }

    fn field(&mut self) -> Option<String> {
        let Some(quoted) = self.rest.strip_prefix('"') else {
            let end = self.rest.find([',', '\r', '\n', '"']).unwrap_or(self.rest.len());
            let (field, rest) = self.rest.split_at(end);
            if rest.starts_with('"') {
                return self.broken("a quote inside an unquoted field");
            }
            self.rest = rest;
            return Some(field.to_owned());
        };
        let mut field = String::new();
        let mut rest = quoted;
        loop {
            let Some((part, after)) = rest.split_once('"') else {
                return self.broken("a quoted field is never closed");
            };
            field.push_str(part);
            match after.strip_prefix('"') {
                Some(more) => {
                    field.push('"');
                    rest = more;
                }
                None => {
                    self.rest = after;
                    return Some(field);
                }
            }
        }
    }

    fn broken<T>(&mut self, detail: &str) -> Option<T> {
        self.oddities.push(Oddity::invalid(
            OddityKind::Syntax,
            format!("line {}", self.line),
            detail,
        ));
        None
    }
}

fn quote(field: &str) -> String {
    if field.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_quotes_commas_and_line_breaks() {
        let text = "timestamp,note\r\n2025-01-27T00:00:00Z,\"a \"\"b\"\", c\r\nd\"\r\n";
        let decoded = CsvExport::decode(text.as_bytes());
        assert!(decoded.oddities.is_empty(), "{:?}", decoded.oddities);
        let export = decoded.value.unwrap();
        assert_eq!(export.records, [["2025-01-27T00:00:00Z", "a \"b\", c\r\nd"]]);
        assert_eq!(export.encode(), text);
    }

    #[test]
    fn reports_what_is_wrong_with_its_line() {
        for (text, kind, path) in [
            ("", OddityKind::MissingMember, "line 1"),
            ("time,a\r\n", OddityKind::InvalidValue, "line 1"),
            (
                "timestamp,a\r\n2025-01-27T00:00:00Z\r\n",
                OddityKind::Contradiction,
                "line 2",
            ),
            ("timestamp\r\nnoon\r\n", OddityKind::InvalidValue, "line 2"),
            ("timestamp\n", OddityKind::Dialect, "line 1"),
            ("timestamp\r\n\"x", OddityKind::Syntax, "line 2"),
            ("timestamp\r\nx\"y", OddityKind::Syntax, "line 2"),
            ("timestamp\r\n\"x\"y", OddityKind::Syntax, "line 2"),
        ] {
            let oddities = CsvExport::decode(text.as_bytes()).oddities;
            let found: Vec<_> = oddities.iter().map(|o| (o.kind, o.path.as_str())).collect();
            assert_eq!(found, [(kind, path)], "{text:?}");
        }
    }
}
