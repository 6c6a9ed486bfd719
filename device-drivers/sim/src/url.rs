//! Absolute URLs, as far as units need them: where to connect, what to ask for, which origin it is.

use crate::HttpError;
use http::Uri;
use std::fmt;

/// An absolute `http`, `https`, `ws` or `wss` URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// TLS or not.
    pub secure: bool,
    /// Host name or address, without brackets.
    pub host: String,
    /// Port, the scheme's own if none is written.
    pub port: u16,
    /// Path and query, at least `/`.
    pub target: String,
    authority: String,
}

impl Url {
    /// Reads a URL; user information and fragments are refused.
    pub fn parse(text: &str) -> Result<Url, HttpError> {
        let refuse = || HttpError::Url(text.to_owned());
        let uri: Uri = text.parse().map_err(|_| refuse())?;
        let secure = match uri.scheme_str().map(str::to_ascii_lowercase).as_deref() {
            Some("http" | "ws") => false,
            Some("https" | "wss") => true,
            _ => return Err(refuse()),
        };
        let authority = uri.authority().ok_or_else(refuse)?;
        if authority.as_str().contains('@') || authority.host().is_empty() || text.contains('#') {
            return Err(refuse());
        }
        let own = if secure { 443 } else { 80 };
        let target = uri.path_and_query().map_or("/", |target| target.as_str());
        Ok(Url {
            secure,
            host: authority
                .host()
                .trim_start_matches('[')
                .trim_end_matches(']')
                .to_owned(),
            port: authority.port_u16().unwrap_or(own),
            target: if target.is_empty() { "/" } else { target }.to_owned(),
            authority: authority.as_str().to_owned(),
        })
    }

    /// Value of the `Host` header.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Scheme, host and port: what decides who may see a credential.
    pub fn origin(&self) -> (bool, String, u16) {
        (self.secure, self.host.to_ascii_lowercase(), self.port)
    }

    /// What a `Location` header means when it comes from here: an absolute URL, or an absolute path.
    pub fn join(&self, location: &str) -> Result<Url, HttpError> {
        if let Some(rest) = location.strip_prefix("//") {
            return Url::parse(&format!("{}://{rest}", self.scheme()));
        }
        if location.starts_with('/') {
            return Url::parse(&format!("{}://{}{location}", self.scheme(), self.authority));
        }
        Url::parse(location)
    }

    fn scheme(&self) -> &'static str {
        if self.secure { "https" } else { "http" }
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme(), self.authority, self.target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_urls_apart() {
        let url = Url::parse("https://API.example.com:8443/a/b?c=d").unwrap();
        assert_eq!(
            (url.secure, url.port, url.target.as_str()),
            (true, 8443, "/a/b?c=d")
        );
        assert_eq!(url.origin(), (true, "api.example.com".to_owned(), 8443));
        assert_eq!(
            url.join("/x").unwrap().to_string(),
            "https://API.example.com:8443/x"
        );
        assert_eq!(
            url.join("http://other/y").unwrap().origin(),
            (false, "other".to_owned(), 80)
        );
        assert_eq!(Url::parse("ws://[::1]").unwrap().host, "::1");
        for text in ["", "/a", "ftp://x/", "http://", "http://u:p@h/", "not a url"] {
            assert!(Url::parse(text).is_err(), "{text}");
        }
    }
}
