//! What every request of the client has to carry (reference section 4.2).

use super::{authorization::read_basic, call::Call};
use crate::{
    http::{Request, check_content_length},
    oddity::{Oddity, OddityKind},
};

/// The exact body of the token call.
pub const GRANT_BODY: &str = "grant_type=client_credentials";

/// Notes what is wrong with the headers of a call, and with the body of the token call. `token` is what the
/// client holds; without one it must not send `Authorization`.
pub fn check_request(call: &Call, request: &Request, token: Option<&str>) -> Vec<Oddity> {
    let mut oddities = Vec::new();
    let content_type = match call {
        Call::Token => "application/x-www-form-urlencoded; charset=utf-8",
        _ => "application/json",
    };
    check_authorization(call, request, token, &mut oddities);
    check_content_type(request, content_type, &mut oddities);
    check_length(request, &mut oddities);
    if *call == Call::Token && request.body != GRANT_BODY.as_bytes() {
        oddities.push(Oddity::invalid(
            OddityKind::InvalidValue,
            "",
            format!("the body is not `{GRANT_BODY}`"),
        ));
    }
    oddities
}

fn check_authorization(call: &Call, request: &Request, token: Option<&str>, oddities: &mut Vec<Oddity>) {
    let mut invalid = |kind, detail: &str| oddities.push(Oddity::invalid(kind, "Authorization", detail));
    if request.headers.count("Authorization") > 1 {
        invalid(OddityKind::DuplicateMember, "occurs more than once");
    }
    let found = request.headers.get("Authorization");
    match (call, token, found) {
        (Call::Token, _, Some(value)) if read_basic(value).is_some() => {}
        (Call::Token, _, Some(_)) => invalid(OddityKind::InvalidValue, "no Basic credentials"),
        (Call::Token, _, None) => invalid(OddityKind::MissingMember, "absent"),
        (_, None, None) => {}
        (_, None, Some(_)) => invalid(OddityKind::Surplus, "sent, though no token is held"),
        (_, Some(_), None) => invalid(OddityKind::MissingMember, "absent"),
        (_, Some(token), Some(_)) if request.headers.bearer_token() == Some(token) => {}
        (_, Some(_), Some(_)) => invalid(OddityKind::InvalidValue, "not the Bearer token held"),
    }
}

fn check_content_type(request: &Request, expected: &str, oddities: &mut Vec<Oddity>) {
    let found = request.headers.get("Content-Type").unwrap_or_default();
    let plain = |value: &str| value.replace(' ', "").to_ascii_lowercase();
    let (found, expected) = (plain(found), plain(expected));
    if found == expected {
        return;
    }
    let media = |value: &str| value.split(';').next().unwrap_or_default().to_owned();
    let detail = format!("is `{found}`, not `{expected}`");
    // Parameters such as the character set change nothing for a body in ASCII.
    oddities.push(match media(&found) == media(&expected) {
        true => Oddity::tolerable(OddityKind::InvalidValue, "Content-Type", detail),
        false => Oddity::invalid(OddityKind::InvalidValue, "Content-Type", detail),
    });
}

fn check_length(request: &Request, oddities: &mut Vec<Oddity>) {
    if let Some(coding) = request.headers.get("Transfer-Encoding") {
        // How the original client frames its requests, and nothing a requirement asks for.
        oddities.push(Oddity::tolerable(
            OddityKind::InvalidValue,
            "Transfer-Encoding",
            format!("is `{coding}`; requests are never chunked"),
        ));
        return;
    }
    check_content_length(&request.headers, &request.body, oddities);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        oddity::Weight,
        sota::{ClientCredentials, core::basic},
    };

    #[test]
    fn each_header_is_checked() {
        let credentials = ClientCredentials {
            client_id: "client-id".into(),
            client_secret: "client-secret".into(),
        };
        let mut token = Request::new("POST", "/token")
            .header("Authorization", basic(&credentials))
            .header("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
            .header("Content-Length", GRANT_BODY.len().to_string());
        token.body = GRANT_BODY.as_bytes().to_vec();
        assert_eq!(check_request(&Call::Token, &token, None), []);
        token.body.push(b'&');
        let paths: Vec<_> = check_request(&Call::Token, &token, None)
            .into_iter()
            .map(|o| o.path)
            .collect();
        assert_eq!(paths, ["Content-Length", ""]);

        let mut plain = Request::new("POST", "/token")
            .header("Authorization", basic(&credentials))
            .header("Content-Type", "application/x-www-form-urlencoded")
            .header("Transfer-Encoding", "chunked");
        plain.body = GRANT_BODY.as_bytes().to_vec();
        let weights = check_request(&Call::Token, &plain, None)
            .into_iter()
            .map(|oddity| oddity.weight);
        assert_eq!(
            weights.collect::<Vec<_>>(),
            [Weight::Tolerable, Weight::Tolerable]
        );

        let call = Call::Updates { device: "d".into() };
        let request = Request::new("GET", "/")
            .header("Content-Type", "application/json")
            .header("Content-Length", "0");
        assert_eq!(check_request(&call, &request, None), []);
        assert_eq!(check_request(&call, &request, Some("t"))[0].path, "Authorization");
        let request = request.header("authorization", "Bearer t");
        assert_eq!(check_request(&call, &request, Some("t")), []);
        assert_eq!(check_request(&call, &request, None)[0].kind, OddityKind::Surplus);
    }
}
