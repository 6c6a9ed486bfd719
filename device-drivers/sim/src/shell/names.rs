//! The name server of a lab in memory: names below `hil.test` whose answer stands in the name. Others resolve by themselves.

use super::environment::Environment;
use crate::HttpError;
use hil_link::Network;
use hil_trace::{Party, RecordBody};
use serde_json::json;
use std::time::Duration;

/// Asks for a name of the lab; fails where the lab says that there is none, or nothing at all.
pub(super) async fn resolve(environment: &Environment, host: &str) -> Result<(), HttpError> {
    let answer = match (&environment.network, host) {
        (Network::Memory(_), "gone.hil.test") => "no such name",
        (Network::Memory(_), "mute.hil.test") => "silence",
        // A host nobody is on.
        (Network::Memory(_), "dead.hil.test") => "192.0.2.1",
        _ => return Ok(()),
    };
    let facts = json!({"name": host, "type": "A", "answer": answer});
    environment.recorder.record(RecordBody::Datagram {
        face: "names".to_owned(),
        from: Party::Unit,
        facts: facts.as_object().cloned().unwrap_or_default(),
        payload: (&[][..]).into(),
    });
    match answer {
        "no such name" => Err(HttpError::Connect("host name does not resolve".to_owned())),
        "silence" => {
            environment.clock.sleep(PATIENCE).await;
            Err(HttpError::Connect("the name server does not answer".to_owned()))
        }
        _ => Ok(()),
    }
}

/// What resolvers usually wait, with all repeats.
const PATIENCE: Duration = Duration::from_secs(20);
