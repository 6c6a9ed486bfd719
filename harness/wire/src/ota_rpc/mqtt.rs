//! Topics of the MQTT transport (reference section 2.4).

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
}
