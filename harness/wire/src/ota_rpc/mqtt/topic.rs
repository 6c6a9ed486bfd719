//! Topics of the MQTT transport, and the filters of subscriptions (MQTT 3.1.1 section 4.7).

/// What a topic below a unit's name addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic<'a> {
    /// `<name>/rpc`: the payload is a whole frame.
    Frames {
        /// Device id, or the name a reply goes to.
        name: &'a str,
    },
    /// `<name>/rpc/<Method>`: the topic's method replaces the frame's.
    Method {
        /// Device id.
        name: &'a str,
        /// Method to call.
        method: &'a str,
    },
}

/// `<name>/rpc`, where requests to a unit and replies to a caller are published.
pub fn frames_topic(name: &str) -> String {
    format!("{name}/rpc")
}

/// `<name>/rpc/<Method>`, where a call's method stands in the topic.
pub fn method_topic(name: &str, method: &str) -> String {
    format!("{name}/rpc/{method}")
}

/// The sender name `mos` uses, so that replies come to a topic of its own.
pub fn mos_source(device_id: &str, client_id: &str) -> String {
    format!("{device_id}/rpc-resp/{client_id}")
}

/// Reads a topic; `None` if it is no RPC topic.
pub fn parse_topic(topic: &str) -> Option<Topic<'_>> {
    if let Some(name) = topic.strip_suffix("/rpc") {
        return Some(Topic::Frames { name });
    }
    let (name, method) = topic.rsplit_once("/rpc/")?;
    (!method.is_empty() && !method.contains('/')).then_some(Topic::Method { name, method })
}

/// Whether something can be published under a name.
pub fn is_topic(topic: &str) -> bool {
    !topic.is_empty() && !topic.contains(['+', '#', '\0'])
}

/// Whether something can be subscribed to: `+` and `#` fill a whole level, and `#` is the last one.
pub fn is_filter(filter: &str) -> bool {
    let mut levels = filter.split('/').rev();
    let last = levels.next().unwrap_or_default();
    let single = |level: &str| level == "+" || !level.contains(['+', '#']);
    !filter.is_empty() && !filter.contains('\0') && (last == "#" || single(last)) && levels.all(single)
}

/// Whether a subscription covers a topic; both must be well-formed. Topics that begin with `$` are covered by no filter
/// that begins with a wildcard.
pub fn matches(filter: &str, topic: &str) -> bool {
    if topic.starts_with('$') && filter.starts_with(['+', '#']) {
        return false;
    }
    let (mut levels, mut rest) = (topic.split('/'), filter.split('/'));
    loop {
        match (rest.next(), levels.next()) {
            (Some("#"), _) | (None, None) => return true,
            (Some("+"), Some(_)) => {}
            (Some(wanted), Some(level)) if wanted == level => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_read_back() {
        assert_eq!(
            parse_topic(&frames_topic("u1")),
            Some(Topic::Frames { name: "u1" })
        );
        let source = mos_source("u1", "mos-42");
        assert_eq!(source, "u1/rpc-resp/mos-42");
        assert_eq!(
            parse_topic(&frames_topic(&source)),
            Some(Topic::Frames { name: &source })
        );
        assert_eq!(
            parse_topic("u1/rpc/OTA.Commit"),
            Some(Topic::Method {
                name: "u1",
                method: "OTA.Commit"
            })
        );
        assert_eq!(parse_topic("u1/status"), None);
        assert_eq!(parse_topic("u1/rpc/"), None);
    }

    #[test]
    fn filters_cover_topics_level_by_level() {
        let covered = [
            ("u1/rpc", "u1/rpc"),
            ("u1/rpc/#", "u1/rpc"),
            ("u1/rpc/#", "u1/rpc/OTA.Commit"),
            ("u1/+", "u1/rpc"),
            ("+/rpc", "u1/rpc"),
            ("#", "u1/rpc"),
            ("+/+", "/finance"),
            ("$SYS/#", "$SYS/x"),
            ("\u{e9}/#", "\u{e9}/a"),
        ];
        assert!(covered.iter().all(|(filter, topic)| matches(filter, topic)));
        let not = [
            ("u1/rpc", "u1/rpc/OTA.Commit"),
            ("u1/+", "u1"),
            ("u1/+", "u1/rpc/x"),
            ("+", "/finance"),
            ("#", "$SYS/x"),
            ("+/x", "$SYS/x"),
            ("\u{e9}/#", "e/a"),
        ];
        assert!(not.iter().all(|(filter, topic)| !matches(filter, topic)));
    }

    #[test]
    fn filters_and_topics_have_a_form() {
        assert!(
            ["#", "+", "a/#", "a/+/b", "/", "a b"]
                .iter()
                .all(|text| is_filter(text))
        );
        assert!(
            ["", "a#", "a/#/b", "a+", "a/b+/c", "a\0"]
                .iter()
                .all(|text| !is_filter(text))
        );
        assert!(is_topic("u1/rpc") && !is_topic("") && !is_topic("u1/#") && !is_topic("+"));
    }
}
