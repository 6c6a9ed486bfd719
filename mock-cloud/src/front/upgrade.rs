//! The opening handshake of a WebSocket (RFC 6455 section 4), both sides. Pure.

use hil_wire::http::{Headers, Request, Response};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// Whether a request asks for a WebSocket.
pub(crate) fn is_upgrade(request: &Request) -> bool {
    request.method == "GET"
        && has_token(&request.headers, "Upgrade", "websocket")
        && has_token(&request.headers, "Connection", "upgrade")
}

/// What is wrong with the upgrade itself; `None` if nothing is.
pub(crate) fn refusal(request: &Request) -> Option<Response> {
    if request.headers.get("Sec-WebSocket-Version") != Some("13") {
        return Some(Response::new(426).header("Sec-WebSocket-Version", "13"));
    }
    let key = request.headers.get("Sec-WebSocket-Key");
    key.is_none().then(|| Response::new(400))
}

/// The answer that accepts an upgrade, and the first subprotocol of those known that it offers.
pub(crate) fn acceptance(request: &Request, subprotocols: &[&str]) -> Response {
    let key = request.headers.get("Sec-WebSocket-Key").unwrap_or_default();
    let response = Response::new(101)
        .header("Connection", "Upgrade")
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Accept", derive_accept_key(key.as_bytes()));
    let mut offered = tokens(&request.headers, "Sec-WebSocket-Protocol");
    match offered.find(|offer| subprotocols.contains(offer)) {
        Some(accepted) => response.header("Sec-WebSocket-Protocol", accepted),
        None => response,
    }
}

/// Adds what makes a request an upgrade; `key` is 16 bytes in base64.
pub(crate) fn ask(request: &mut Request, key: &str) {
    for (name, value) in [
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", key),
    ] {
        if request.headers.get(name).is_none() {
            request.headers.push(name, value);
        }
    }
}

/// Whether an answer accepts the upgrade a request asked for.
pub(crate) fn is_accepted(request: &Request, response: &Response) -> bool {
    let key = request.headers.get("Sec-WebSocket-Key").unwrap_or_default();
    response.status == 101
        && response.headers.get("Sec-WebSocket-Accept") == Some(&derive_accept_key(key.as_bytes()))
}

fn has_token(headers: &Headers, name: &str, token: &str) -> bool {
    tokens(headers, name).any(|found| found.eq_ignore_ascii_case(token))
}

fn tokens<'h>(headers: &'h Headers, name: &'h str) -> impl Iterator<Item = &'h str> {
    headers
        .get_all(name)
        .flat_map(|value| value.split(','))
        .map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_known_subprotocol_offered_is_accepted() {
        let accepted = |offers: &[&str], known: &[&str]| {
            let mut request = Request::new("GET", "/rpc").header("Sec-WebSocket-Key", "x");
            for offer in offers {
                request = request.header("Sec-WebSocket-Protocol", *offer);
            }
            let response = acceptance(&request, known);
            response.headers.get("Sec-WebSocket-Protocol").map(str::to_owned)
        };
        assert_eq!(
            accepted(&["other, json-rpc"], &["json-rpc"]).as_deref(),
            Some("json-rpc")
        );
        assert_eq!(accepted(&["b", "a"], &["a", "b"]).as_deref(), Some("b"));
        assert_eq!(accepted(&["other"], &["json-rpc"]), None);
        assert_eq!(accepted(&["json-rpc"], &[]), None);
        assert_eq!(accepted(&[], &["json-rpc"]), None);
    }
}
