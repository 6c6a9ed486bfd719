//! What a message says of itself although it cannot be decoded: bad UTF-8, text that breaks off, nesting deeper than
//! the decoder goes. A unit may read further than the harness, so its ack must still find the message.

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use std::fmt;

/// What came before the place that cannot be read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Glimpse {
    pub(crate) txn: Option<String>,
    pub(crate) message: Option<String>,
    /// It is JSON all the same: only deeper nested than the decoder goes.
    pub(crate) too_deep: bool,
}

impl Glimpse {
    /// Of the payload of one message. Never deeper than two objects, however deep the text nests.
    pub(crate) fn of(payload: &[u8]) -> Glimpse {
        let text = String::from_utf8_lossy(payload);
        let mut glimpse = Glimpse::default();
        let mut deserializer = serde_json::Deserializer::from_str(text.trim_start_matches('\u{feff}'));
        let read = Members {
            glimpse: &mut glimpse,
            within: Within::Message,
        }
        .deserialize(&mut deserializer);
        glimpse.too_deep =
            read.is_ok() && deserializer.end().is_ok() && std::str::from_utf8(payload).is_ok_and(deep);
        glimpse
    }
}

/// Whether a text nests deeper than serde_json goes.
fn deep(text: &str) -> bool {
    let (mut depth, mut most, mut quoted, mut escaped) = (0_usize, 0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => {
                depth += 1;
                most = most.max(depth);
            }
            b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    most > DEEPEST
}

#[derive(Clone, Copy)]
enum Within {
    Message,
    Header,
    Data,
}

struct Members<'g> {
    glimpse: &'g mut Glimpse,
    within: Within,
}

impl<'de> DeserializeSeed<'de> for Members<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            let within = match (self.within, key.as_str()) {
                (Within::Message, "header") => Within::Header,
                (Within::Message, "data") => Within::Data,
                (Within::Header, "txn") => {
                    self.glimpse.txn = Some(map.next_value()?);
                    continue;
                }
                (Within::Data, "messageType") => {
                    self.glimpse.message = Some(map.next_value()?);
                    continue;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            map.next_value_seed(Members {
                glimpse: &mut *self.glimpse,
                within,
            })?;
        }
        Ok(())
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        Err(A::Error::custom("an array"))
    }
}

/// How deep serde_json goes.
const DEEPEST: usize = 127;

#[cfg(test)]
mod tests {
    use super::*;

    const START: &str = r#"{"header":{"version":7,"txn":"t-1"},"data":{"messageType":"requestLog","#;

    fn seen(text: &str) -> (Option<String>, Option<String>, bool) {
        let glimpse = Glimpse::of(text.as_bytes());
        (glimpse.txn, glimpse.message, glimpse.too_deep)
    }

    #[test]
    fn what_nests_too_deep_is_a_message_all_the_same() {
        let nested = format!(
            "{START}\"unknown\":{}{}}}}}",
            "[".repeat(10_000),
            "]".repeat(10_000)
        );
        assert_eq!(
            seen(&nested),
            (Some("t-1".into()), Some("requestLog".into()), true)
        );
        assert!(!seen(&format!("{START}\"a\":[\"[[[\"]}}}}")).2);
    }

    #[test]
    fn what_breaks_off_has_said_who_it_is() {
        assert_eq!(
            seen(&format!("{START}\"filter\":{{")),
            (Some("t-1".into()), Some("requestLog".into()), false)
        );
        assert_eq!(seen("requestLog please"), (None, None, false));
        assert_eq!(seen("[]"), (None, None, false));
        let mut bytes = format!("{START}\"a\":\"").into_bytes();
        bytes.extend_from_slice(b"\xc3\x28\"}}");
        let glimpse = Glimpse::of(&bytes);
        assert_eq!((glimpse.txn.as_deref(), glimpse.too_deep), (Some("t-1"), false));
    }
}
