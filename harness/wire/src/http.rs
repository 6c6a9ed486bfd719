//! HTTP messages as plain data: an ordered header list and a body, as they were on the wire.

use crate::oddity::{Oddity, OddityKind};
use serde::{Deserialize, Serialize};

/// Headers in wire order; names compare without regard to case, repetitions are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Headers(pub Vec<(String, String)>);

impl Headers {
    /// No headers.
    pub fn new() -> Self {
        Headers::default()
    }

    /// Appends one header and returns the list.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.push(name, value);
        self
    }

    /// Appends one header.
    pub fn push(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.push((name.into(), value.into()));
    }

    /// The first value of a header.
    pub fn get<'a>(&'a self, name: &str) -> Option<&'a str> {
        self.0
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, v)| v.as_str())
    }

    /// Every value of a header, in wire order.
    pub fn get_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        self.0
            .iter()
            .filter(move |(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, v)| v.as_str())
    }

    /// The token of `Authorization: Bearer`; the scheme is read without regard to case.
    pub fn bearer_token(&self) -> Option<&str> {
        let (scheme, token) = self.get("Authorization")?.split_once(' ')?;
        let token = token.trim();
        (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
    }

    /// How often a header occurs.
    pub fn count(&self, name: &str) -> usize {
        self.get_all(name).count()
    }
}

/// One request. `target` is the request target as sent: path and query.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// Method in upper case as sent, such as `GET`.
    pub method: String,
    /// Path and query, percent-encoding untouched.
    pub target: String,
    /// Headers in wire order.
    pub headers: Headers,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Request {
    /// A request without headers or body.
    pub fn new(method: impl Into<String>, target: impl Into<String>) -> Self {
        Request {
            method: method.into(),
            target: target.into(),
            ..Request::default()
        }
    }

    /// Appends one header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push(name, value);
        self
    }

    /// Sets a JSON body with its content type.
    #[must_use]
    pub fn json(mut self, body: &serde_json::Value) -> Self {
        self.headers.push("Content-Type", "application/json");
        self.body = body.to_string().into_bytes();
        self
    }

    /// The target up to the query, percent-encoding untouched.
    pub fn path(&self) -> &str {
        self.target.split_once('?').map_or(&self.target, |(path, _)| path)
    }

    /// Segments of the path, percent-decoded (lossily), without empty leading segment.
    pub fn segments(&self) -> Vec<String> {
        self.path()
            .trim_start_matches('/')
            .split('/')
            .map(decode_percent)
            .collect()
    }

    /// The first query parameter of that name, percent-decoded.
    pub fn query(&self, name: &str) -> Option<String> {
        let (_, query) = self.target.split_once('?')?;
        query.split('&').find_map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode_percent(key) == name).then(|| decode_percent(&value.replace('+', " ")))
        })
    }
}

/// One response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Headers in wire order.
    pub headers: Headers,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Response {
    /// A response without headers or body.
    pub fn new(status: u16) -> Self {
        Response {
            status,
            ..Response::default()
        }
    }

    /// A JSON response with its content type.
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Response {
            status,
            headers: Headers::new().with("Content-Type", "application/json"),
            body: body.to_string().into_bytes(),
        }
    }

    /// Appends one header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push(name, value);
        self
    }
}

/// The parts of an absolute `http` or `https` URL, as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AbsoluteUrl<'a> {
    /// True for `https`.
    pub secure: bool,
    /// Host and, if given, port.
    pub authority: &'a str,
    /// Path and query, at least `/` or empty.
    pub target: &'a str,
}

impl<'a> AbsoluteUrl<'a> {
    /// Splits a URL; the scheme is read without regard to case. None for other schemes, an empty host, user
    /// information, a fragment, spaces and characters beyond ASCII.
    pub fn parse(text: &'a str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let secure = scheme.eq_ignore_ascii_case("https");
        if !secure && !scheme.eq_ignore_ascii_case("http") {
            return None;
        }
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(end);
        let plain = text.bytes().all(|b| b.is_ascii_graphic() && b != b'#');
        let has_host = !authority.is_empty() && !authority.starts_with(':') && !authority.contains('@');
        (plain && has_host).then_some(AbsoluteUrl {
            secure,
            authority,
            target,
        })
    }
}

fn decode_percent(text: &str) -> String {
    percent_encoding::percent_decode_str(text)
        .decode_utf8_lossy()
        .into_owned()
}

/// Reports a `Content-Length` that is absent or says something else than what came.
pub fn check_content_length(headers: &Headers, body: &[u8], oddities: &mut Vec<Oddity>) {
    let odd = match headers.get("Content-Length").map(str::parse::<usize>) {
        Some(Ok(length)) if length == body.len() => return,
        Some(Ok(length)) => {
            let detail = format!("says {length}, {} came", body.len());
            Oddity::invalid(OddityKind::Contradiction, "Content-Length", detail)
        }
        Some(Err(_)) => Oddity::invalid(OddityKind::InvalidValue, "Content-Length", "not a number"),
        None => Oddity::tolerable(OddityKind::MissingMember, "Content-Length", "absent"),
    };
    oddities.push(odd);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_bearer_tokens() {
        let token = |value: &str| {
            Headers::new()
                .with("authorization", value)
                .bearer_token()
                .map(str::to_owned)
        };
        assert_eq!(token("bearer  t"), Some("t".to_owned()));
        assert_eq!(
            (token("Basic t"), token("Bearer "), token("Bearer")),
            (None, None, None)
        );
    }

    #[test]
    fn splits_absolute_urls() {
        let url = AbsoluteUrl::parse("HTTPS://a.example:8443/b?c").unwrap();
        assert_eq!(
            (url.secure, url.authority, url.target),
            (true, "a.example:8443", "/b?c")
        );
        assert_eq!(AbsoluteUrl::parse("http://a?b").map(|u| u.target), Some("?b"));
        for text in [
            "",
            "a/b",
            "ftp://a",
            "file:///etc/passwd",
            "http://",
            "https:///b",
            "http://u@a",
            "http://a b",
        ] {
            assert_eq!(AbsoluteUrl::parse(text), None, "{text}");
        }
    }
}
