//! Makes the URLs of an answer lead elsewhere: to a name that does not resolve, a port nobody listens on, or the
//! unit itself, as a cloud with a wrong public URL tells them.

use hil_fault::WrongPlace;
use hil_wire::http::Response;

/// Changes every URL of the host that was asked, in the body and in Location.
pub(super) fn mislead(response: &mut Response, asked: Option<&str>, place: WrongPlace) {
    let host = asked.map_or("", host_of);
    let elsewhere = match place {
        WrongPlace::Unresolved => "unresolved.invalid".to_owned(),
        WrongPlace::Refused => format!("{host}:{NOBODY}"),
        WrongPlace::Loopback => format!("127.0.0.1:{NOBODY}"),
    };
    if let Ok(body) = std::str::from_utf8(&response.body) {
        response.body = replaced(body, host, &elsewhere).into_bytes();
    }
    for (name, value) in &mut response.headers.0 {
        if name.eq_ignore_ascii_case("Location") {
            *value = replaced(value, host, &elsewhere);
        }
    }
}

/// The text, with another authority in every URL of a host.
fn replaced(text: &str, host: &str, elsewhere: &str) -> String {
    let mut parts = text.split(SCHEME_END);
    let mut result = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(['/', '?', '#', '"', '\\', ' ']).unwrap_or(part.len());
        let (authority, rest) = part.split_at(end);
        result.push_str(SCHEME_END);
        result.push_str(if host_of(authority) == host {
            elsewhere
        } else {
            authority
        });
        result.push_str(rest);
    }
    result
}

/// The host of `HOST` or `HOST:PORT`.
fn host_of(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

const SCHEME_END: &str = "://";
/// A port nobody listens on.
const NOBODY: u16 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_urls_of_the_cloud_itself_lead_elsewhere() {
        let body = r#"{"a": "http://cloud.test:80/x", "b": "wss://cloud.test", "c": "http://other.test/x"}"#;
        for (place, expected) in [
            (WrongPlace::Unresolved, "unresolved.invalid"),
            (WrongPlace::Refused, "cloud.test:1"),
            (WrongPlace::Loopback, "127.0.0.1:1"),
        ] {
            let mut response = Response::new(302).header("Location", "https://cloud.test:7/y?z");
            response.body = body.as_bytes().to_vec();
            mislead(&mut response, Some("cloud.test:80"), place);
            let told = String::from_utf8(response.body).unwrap();
            assert_eq!(
                told,
                format!(
                    r#"{{"a": "http://{expected}/x", "b": "wss://{expected}", "c": "http://other.test/x"}}"#
                )
            );
            let location = format!("https://{expected}/y?z");
            assert_eq!(response.headers.get("Location"), Some(location.as_str()));
        }
    }
}
