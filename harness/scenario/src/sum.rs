//! Sums of durations, references and step names: the grammar below moments and spans.
//!
//! `term (("+" | "-") term)*`, a term being a step name, a duration such as `3s`, or `${path}`, each optionally times
//! or by a number.

use crate::{
    lookup::{Lookup, Unresolved},
    template::is_path,
};
use hil_diagnostic::parse_seconds;
use serde_json::Value;

/// A sum as written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sum {
    pub(crate) text: String,
    pub(crate) terms: Vec<Term>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Term {
    /// Sign included.
    pub(crate) factor: f64,
    pub(crate) atom: Atom,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Atom {
    /// A duration in microseconds.
    Micros(u64),
    Reference(String),
    Step(String),
}

/// What is wrong with a moment or a span.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ExpressionError {
    /// Where in the text, in bytes.
    pub offset: usize,
    /// How many bytes are wrong.
    pub length: usize,
    /// What was expected.
    pub message: String,
}

impl Sum {
    pub(crate) fn parse(text: &str) -> Result<Sum, ExpressionError> {
        let mut scanner = Scanner { text, at: 0 };
        let mut terms = Vec::new();
        let mut sign = if scanner.eat('-') { -1.0 } else { 1.0 };
        loop {
            terms.push(scanner.term(sign)?);
            scanner.spaces();
            sign = match scanner.peek() {
                None => break,
                Some('+') => 1.0,
                Some('-') => -1.0,
                Some(_) => return Err(scanner.error("expected `+` or `-`")),
            };
            scanner.at += 1;
        }
        Ok(Sum {
            text: text.trim().to_owned(),
            terms,
        })
    }

    /// Seconds of everything but step names.
    pub(crate) fn seconds(&self, lookup: &dyn Lookup) -> Result<f64, Unresolved> {
        self.terms.iter().try_fold(0.0, |sum, term| {
            let value = match &term.atom {
                Atom::Micros(micros) => *micros as f64 / 1e6,
                Atom::Reference(path) => reference_seconds(lookup, path)?,
                Atom::Step(_) => 0.0,
            };
            Ok(sum + term.factor * value)
        })
    }

    /// The step names in it.
    pub(crate) fn steps(&self) -> impl Iterator<Item = &str> {
        self.terms.iter().filter_map(|term| match &term.atom {
            Atom::Step(name) => Some(name.as_str()),
            _ => None,
        })
    }

    pub(crate) fn references(&self) -> Vec<&str> {
        self.terms
            .iter()
            .filter_map(|term| match &term.atom {
                Atom::Reference(path) => Some(path.as_str()),
                _ => None,
            })
            .collect()
    }

    /// This less another in seconds, if everything but durations cancels out.
    pub(crate) fn difference(&self, other: &Sum) -> Option<f64> {
        let mut factors = std::collections::BTreeMap::new();
        let negated = other.terms.iter().map(|term| (&term.atom, -term.factor));
        for (atom, factor) in self.terms.iter().map(|t| (&t.atom, t.factor)).chain(negated) {
            *factors.entry(atom).or_insert(0.0) += factor;
        }
        factors.iter().try_fold(0.0, |sum, (atom, factor)| match atom {
            Atom::Micros(micros) => Some(sum + factor * *micros as f64 / 1e6),
            _ if *factor == 0.0 => Some(sum),
            _ => None,
        })
    }

    /// Seconds, if it refers to nothing.
    pub(crate) fn constant(&self) -> Option<f64> {
        self.difference(&Sum {
            text: String::new(),
            terms: Vec::new(),
        })
    }
}

fn reference_seconds(lookup: &dyn Lookup, path: &str) -> Result<f64, Unresolved> {
    let value = lookup.get(path).ok_or_else(|| Unresolved::Missing {
        path: path.to_owned(),
    })?;
    let seconds = match &value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => parse_seconds(text).ok(),
        _ => None,
    };
    seconds.ok_or_else(|| Unresolved::NotADuration {
        path: path.to_owned(),
        value,
    })
}

struct Scanner<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Scanner<'t> {
    fn term(&mut self, sign: f64) -> Result<Term, ExpressionError> {
        self.spaces();
        let number_first = self.number_and_star();
        let atom = self.atom()?;
        let mut factor = sign * number_first.unwrap_or(1.0);
        self.spaces();
        if self.eat('*') {
            factor *= self.number()?;
        } else if self.eat('/') {
            let start = self.at;
            let divisor = self.number()?;
            if divisor == 0.0 {
                self.at = start;
                return Err(self.error("cannot divide by zero"));
            }
            factor /= divisor;
        }
        Ok(Term { factor, atom })
    }

    /// `2 *` before an atom.
    fn number_and_star(&mut self) -> Option<f64> {
        let start = self.at;
        let number = self.number().ok();
        if number.is_some() && self.eat('*') {
            self.spaces();
            return number;
        }
        self.at = start;
        None
    }

    fn number(&mut self) -> Result<f64, ExpressionError> {
        self.spaces();
        let word = self.word_at(|c| c.is_ascii_digit() || c == '.');
        let number = word.parse().map_err(|_| self.error("expected a number"))?;
        self.at += word.len();
        self.spaces();
        Ok(number)
    }

    fn atom(&mut self) -> Result<Atom, ExpressionError> {
        match self.peek() {
            Some('$') => self.reference(),
            Some(c) if c.is_ascii_digit() => {
                let word = self.word_at(|c| c.is_ascii_alphanumeric() || c == '.');
                let seconds =
                    parse_seconds(word).map_err(|error| self.error_at(word.len(), error.to_string()))?;
                self.at += word.len();
                Ok(Atom::Micros((seconds * 1e6).round() as u64))
            }
            Some(c) if c.is_ascii_alphabetic() || c == '_' => {
                let word = self.word_at(|c| c.is_ascii_alphanumeric() || c == '_');
                self.at += word.len();
                Ok(Atom::Step(word.to_owned()))
            }
            _ => Err(self.error("expected a step name, a duration such as 3s, or `${path}`")),
        }
    }

    fn reference(&mut self) -> Result<Atom, ExpressionError> {
        let rest = &self.text[self.at..];
        let (Some(inside), Some(end)) = (rest.strip_prefix("${"), rest.find('}')) else {
            return Err(self.error("expected `${path}`"));
        };
        let path = inside[..end - 2].trim();
        if !is_path(path) {
            return Err(self.error_at(end + 1, "expected a path such as `unit.poll_interval`".to_owned()));
        }
        self.at += end + 1;
        Ok(Atom::Reference(path.to_owned()))
    }

    fn word_at(&self, belongs: impl Fn(char) -> bool) -> &'t str {
        let rest = &self.text[self.at..];
        &rest[..rest.find(|c| !belongs(c)).unwrap_or(rest.len())]
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn spaces(&mut self) {
        self.at += self.word_at(|c| c == ' ').len();
    }

    fn eat(&mut self, wanted: char) -> bool {
        self.spaces();
        let found = self.peek() == Some(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }

    fn error(&self, message: &str) -> ExpressionError {
        self.error_at(self.peek().map_or(1, char::len_utf8), message.to_owned())
    }

    fn error_at(&self, length: usize, message: String) -> ExpressionError {
        ExpressionError {
            offset: self.at,
            length,
            message,
        }
    }
}
