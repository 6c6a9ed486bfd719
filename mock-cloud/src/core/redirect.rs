//! Where redirects go: the same named targets for every protocol.

use hil_wire::http::Request;

/// Where a request can be sent to instead. URLs are whole ones for what was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RedirectPlaces {
    /// Scheme, host and port that were asked, such as `https://cloud.hil.test:443`.
    pub own: String,
    /// The same at another path of the same origin; `None` = with another query.
    pub moved: Option<String>,
    /// The same, or at least a server that listens, at another origin.
    pub second: Option<String>,
    /// The same without TLS.
    pub plain: Option<String>,
}

impl RedirectPlaces {
    /// The places of an origin; `base` is any URL of the cloud, for the scheme and where the request names no host.
    pub(super) fn of(base: &str, request: &Request) -> Self {
        let (scheme, rest) = base.split_once("://").unwrap_or(("http", base));
        let host = request.headers.get("Host").unwrap_or(rest);
        RedirectPlaces {
            own: format!("{scheme}://{host}"),
            ..RedirectPlaces::default()
        }
    }

    /// The URL of a named target; any other text stands for itself.
    pub(super) fn url(&self, target: &str, request: &Request) -> String {
        let (scheme, authority) = self.own.split_once("://").unwrap_or(("http", &self.own));
        let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
        let asked = &request.target;
        match target {
            "loop" => format!("{}{asked}", self.own),
            "moved" => self.moved.clone().unwrap_or_else(|| {
                let joint = if asked.contains('?') { '&' } else { '?' };
                format!("{}{asked}{joint}moved=1", self.own)
            }),
            "second-origin" => self.second.clone().unwrap_or_else(|| nobody(scheme, host, asked)),
            "plain-http" => self.plain.clone().unwrap_or_else(|| nobody("http", host, asked)),
            "unreachable" => format!("{scheme}://unreachable.invalid{asked}"),
            "refused" => nobody(scheme, host, asked),
            url => url.to_owned(),
        }
    }
}

/// A port nobody listens on.
fn nobody(scheme: &str, host: &str, asked: &str) -> String {
    format!("{scheme}://{host}:1{asked}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_a_place() {
        let request = Request::new("GET", "/a?b=1").header("Host", "cloud.test:7000");
        let places = RedirectPlaces {
            second: Some("https://else.test/a".to_owned()),
            ..RedirectPlaces::of("https://cloud.test:8000/base", &request)
        };
        for (target, url) in [
            ("loop", "https://cloud.test:7000/a?b=1"),
            ("moved", "https://cloud.test:7000/a?b=1&moved=1"),
            ("second-origin", "https://else.test/a"),
            ("plain-http", "http://cloud.test:1/a?b=1"),
            ("unreachable", "https://unreachable.invalid/a?b=1"),
            ("refused", "https://cloud.test:1/a?b=1"),
            ("http://x/y", "http://x/y"),
        ] {
            assert_eq!(places.url(target, &request), url);
        }
    }
}
