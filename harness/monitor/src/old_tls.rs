//! How a unit took a server that speaks TLS 1.0 or 1.1 only, from what the server saw of it.

/// True if the unit turned the version down, false if it took it; none if the refusal is about something else.
pub(crate) fn turned_down(reason: &str) -> Option<bool> {
    let taken = ["the peer went on with TLS 1.", "the peer took TLS 1."];
    match reason {
        _ if reason.starts_with("the peer refused TLS 1.") => Some(true),
        _ if taken.iter().any(|words| reason.starts_with(words)) => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::turned_down;

    #[test]
    fn only_what_follows_an_old_hello_says_anything() {
        for (reason, expected) in [
            ("the peer refused TLS 1.1: alert 70, level 2", Some(true)),
            ("the peer refused TLS 1.0: it closed, early eof", Some(true)),
            ("the peer went on with TLS 1.1", Some(false)),
            ("the peer took TLS 1.0 and waited for more", Some(false)),
            ("the peer took TLS 1.0, waited for more and closed", Some(false)),
            ("the peer refused: UnknownCA", None),
            ("peer sent no certificates", None),
        ] {
            assert_eq!(turned_down(reason), expected, "{reason}");
        }
    }
}
