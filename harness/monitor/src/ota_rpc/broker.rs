//! Where replies over MQTT go, and requests that name nobody to reply to (OTA-MQTT-001, OTA-MQTT-002).

use crate::{Judge, Monitor, Tally};
use hil_trace::{Event, HowClosed, Record, Stamp, Who};
use hil_wire::ota_rpc::{Id, mqtt::frames_topic};
use serde_json::Value;

/// Follows calls over MQTT to the topics of their replies.
pub(super) struct BrokerMonitor {
    asked: Vec<Asked>,
    directed: Tally,
    dropped: Tally,
}

struct Asked {
    id: Id,
    /// Where its reply belongs; nowhere if it names no sender.
    topic: Option<String>,
    record: u64,
    answered: bool,
    /// Replies to it that went elsewhere: the topic, and the record.
    astray: Vec<(String, u64)>,
}

impl Default for BrokerMonitor {
    fn default() -> Self {
        BrokerMonitor {
            asked: Vec::new(),
            directed: Tally::new("OTA-MQTT-001"),
            dropped: Tally::new("OTA-MQTT-002"),
        }
    }
}

impl Monitor for BrokerMonitor {
    fn name(&self) -> &'static str {
        "ota-rpc/broker"
    }

    fn requirements(&self) -> &'static [&'static str] {
        &["OTA-MQTT-001", "OTA-MQTT-002"]
    }

    fn observe(&mut self, record: &Record, events: &[Event], judge: &mut Judge<'_>) {
        for event in events
            .iter()
            .filter(|event| event.text("transport") == Some("mqtt"))
        {
            let Some(id) = event.field("id").and_then(Id::from_value) else {
                continue;
            };
            match (event.who, event.name.as_str()) {
                (Who::Cloud, "call") => self.asked.push(Asked {
                    id,
                    topic: event.text("src").filter(|src| !src.is_empty()).map(frames_topic),
                    record: record.seq,
                    answered: false,
                    astray: Vec::new(),
                }),
                (Who::Unit, "reply") => self.reply(&id, record.seq, event, judge),
                _ => {}
            }
        }
    }

    fn close(&mut self, _: Stamp, how: HowClosed, judge: &mut Judge<'_>) {
        // A copy elsewhere does no harm; what was cut off may have been about to come.
        let lost = self
            .asked
            .iter()
            .filter(|asked| !asked.answered && how == HowClosed::Complete);
        for asked in lost {
            let belongs = asked.topic.as_deref().unwrap_or_default();
            for (topic, seq) in &asked.astray {
                let text = format!("the reply went to `{topic}` instead of `{belongs}`");
                self.directed.violated(text, vec![asked.record, *seq], judge);
            }
        }
        self.directed.close(judge);
        self.dropped.close(judge);
    }
}

impl BrokerMonitor {
    fn reply(&mut self, id: &Id, seq: u64, event: &Event, judge: &mut Judge<'_>) {
        let topic = event.text("topic").unwrap_or_default();
        let mut asked: Vec<&mut Asked> = self
            .asked
            .iter_mut()
            .filter(|asked| asked.id.answers(id))
            .collect();
        let proper = asked
            .iter_mut()
            .filter(|asked| asked.topic.as_deref() == Some(topic));
        let mut found = false;
        for asked in proper {
            asked.answered = true;
            found = true;
        }
        if found {
            return self.directed.met(seq);
        }
        if let [only] = &asked[..]
            && only.topic.is_none()
            && event.field("ok") == Some(&Value::Bool(true))
        {
            let text = "a request with an id and no sender was carried out";
            return self.dropped.violated(text, vec![only.record, seq], judge);
        }
        if let Some(last) = asked.iter_mut().rev().find(|asked| asked.topic.is_some()) {
            last.astray.push((topic.to_owned(), seq));
        }
    }
}
