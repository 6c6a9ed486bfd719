//! Defects in finding the cloud.

use crate::{
    Defect, HttpCall, HttpError, Input, Output,
    aos::agent::{CONNECT_TIMER, DISCOVERY},
    defect::{
        Tamper,
        edits::{any_input, edit_json, stateful, timers, without},
    },
};
use hil_wire::http::Response;
use serde_json::Value;
use std::time::Duration;

pub(super) const DEFECTS: &[Defect] = &[
    Defect::tampering(
        "discovers-by-get",
        "AOS7-DISC-001",
        "Looks its cloud up with GET in place of POST.",
        || discoveries(|call| call.request.method = "GET".to_owned()),
    ),
    Defect::tampering(
        "discovers-nameless",
        "AOS7-DISC-002",
        "Looks its cloud up without its system id.",
        || discoveries(|call| edit_json(&mut call.request.body, |body| super::remove(body, "systemId"))),
    ),
    Defect::tampering(
        "protocols-unsaid",
        "AOS7-DISC-003",
        "Does not say which protocols it speaks.",
        || {
            discoveries(|call| {
                edit_json(&mut call.request.body, |body| {
                    super::remove(body, "supportedProtocols")
                })
            })
        },
    ),
    Defect::tampering(
        "discovers-plain-text",
        "AOS7-DISC-004",
        "Looks its cloud up without a content type.",
        || discoveries(|call| without(&mut call.request.headers, "Content-Type")),
    ),
    Defect::tampering(
        "path-left-out",
        "AOS7-DISC-005",
        "Connects to a path of its own.",
        || {
            upgrades(|call| {
                let host_end = call.url.find("://").map_or(0, |at| at + 3);
                let end = call.url[host_end..]
                    .find('/')
                    .map_or(call.url.len(), |at| at + host_end);
                call.url = format!("{}/own/path", &call.url[..end]);
            })
        },
    ),
    Defect::tampering(
        "discovers-every-time",
        "AOS7-DISC-006",
        "Looks its cloud up before every connection.",
        || Box::new(EveryTime::default()),
    ),
    Defect::tampering(
        "discovers-once",
        "AOS7-DISC-007",
        "Never looks its cloud up again.",
        || {
            stateful::<Option<Response>>(
                |known, input, edge| {
                    if let Input::HttpAnswer {
                        request: DISCOVERY,
                        response,
                    } = &input
                        && response.status == 200
                    {
                        *known = Some(response.clone());
                    }
                    edge.hear(input);
                },
                |known, output, edge| match (output, known) {
                    (Output::Http(DISCOVERY, _), Some(response)) => edge.hear(Input::HttpAnswer {
                        request: DISCOVERY,
                        response: response.clone(),
                    }),
                    (other, _) => edge.perform(other),
                },
            )
        },
    ),
    Defect::tampering(
        "first-url-only",
        "AOS7-DISC-008",
        "Knows only the first URL of several.",
        || {
            found(|answer| {
                if let Some(urls) = answer.get_mut("connectionInfo").and_then(Value::as_array_mut) {
                    urls.truncate(1);
                }
                true
            })
        },
    ),
    Defect::tampering(
        "gives-up-discovery",
        "AOS7-DISC-009",
        "Does not look its cloud up again after an answer other than 200.",
        || {
            any_input(
                |input| !matches!(input, Input::HttpAnswer { request: DISCOVERY, response } if response.status != 200),
            )
        },
    ),
    Defect::tampering(
        "any-success-will-do",
        "AOS7-DISC-009",
        "Takes any status from 200 to 299 for the answer of discovery.",
        || {
            any_input(|input| {
                if let Input::HttpAnswer {
                    request: DISCOVERY,
                    response,
                } = input
                    && (200..300).contains(&response.status)
                {
                    response.status = 200;
                }
                true
            })
        },
    ),
    Defect::tampering(
        "gives-up-at-garbage",
        "AOS7-DISC-010",
        "Does not look its cloud up again after an answer without a URL.",
        || {
            any_input(|input| match input {
                Input::HttpAnswer {
                    request: DISCOVERY,
                    response,
                } if response.status == 200 => {
                    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
                    body["connectionInfo"]
                        .as_array()
                        .is_some_and(|urls| !urls.is_empty())
                }
                _ => true,
            })
        },
    ),
    Defect::tampering(
        "delay-not-heeded",
        "AOS7-DISC-011",
        "Does not heed `nextRequestDelay`.",
        || {
            found(|answer| {
                super::remove(answer, "nextRequestDelay");
                true
            })
        },
    ),
    Defect::tampering(
        "gives-up-at-repeat-later",
        "AOS7-DISC-012",
        "Does not look its cloud up again when it is told to do so later.",
        || found(|answer| answer["errorCode"] != 2),
    ),
    Defect::tampering(
        "no-bearer",
        "AOS7-DISC-013",
        "Connects without the token it was given.",
        || upgrades(|call| without(&mut call.request.headers, "Authorization")),
    ),
    Defect::tampering(
        "refusal-taken-for-a-fault",
        "AOS7-DISC-014",
        "Does not look its cloud up again when it is refused with 401.",
        || {
            any_input(|input| {
                if let Input::WsFailed { error, .. } = input
                    && matches!(error, HttpError::Refused(answer) if answer.status == 401)
                {
                    *error = HttpError::Connect("refused".to_owned());
                }
                true
            })
        },
    ),
    Defect::tampering(
        "no-pause-between",
        "AOS7-DISC-015",
        "Tries again at once whatever failed.",
        || {
            timers((), |(), timer, after| match timer {
                CONNECT_TIMER => after.min(Duration::from_millis(100)),
                _ => after,
            })
        },
    ),
];

/// Edits requests for discovery.
pub(super) fn discoveries(edit: fn(&mut HttpCall)) -> Box<dyn Tamper> {
    Box::new(Calls {
        edit,
        upgrades: false,
    })
}

/// Edits requests for a WebSocket.
pub(super) fn upgrades(edit: fn(&mut HttpCall)) -> Box<dyn Tamper> {
    Box::new(Calls { edit, upgrades: true })
}

struct Calls {
    edit: fn(&mut HttpCall),
    upgrades: bool,
}

impl Tamper for Calls {
    fn output(&mut self, mut output: Output, edge: &mut crate::defect::Edge<'_>) {
        match &mut output {
            Output::Http(DISCOVERY, call) if !self.upgrades => (self.edit)(call),
            Output::OpenWs(_, call) if self.upgrades => (self.edit)(call),
            _ => {}
        }
        edge.perform(output);
    }
}

/// Edits good answers of discovery; `false` keeps them from the agent.
fn found(edit: fn(&mut Value) -> bool) -> Box<dyn Tamper> {
    Box::new(Found(edit))
}

struct Found(fn(&mut Value) -> bool);

impl Tamper for Found {
    fn input(&mut self, mut input: Input, edge: &mut crate::defect::Edge<'_>) {
        if let Input::HttpAnswer {
            request: DISCOVERY,
            response,
        } = &mut input
            && response.status == 200
            && let Ok(mut answer) = serde_json::from_slice::<Value>(&response.body)
        {
            if !(self.0)(&mut answer) {
                return;
            }
            response.body = answer.to_string().into_bytes();
        }
        edge.hear(input);
    }
}

/// Asks for discovery once more in front of each connection but the first.
#[derive(Default)]
struct EveryTime {
    discovery: Option<HttpCall>,
    connected: bool,
    waiting: Option<Output>,
}

impl Tamper for EveryTime {
    fn input(&mut self, input: Input, edge: &mut crate::defect::Edge<'_>) {
        let answered = matches!(
            input,
            Input::HttpAnswer {
                request: DISCOVERY,
                ..
            } | Input::HttpFailed {
                request: DISCOVERY,
                ..
            }
        );
        match self.waiting.take().filter(|_| answered) {
            Some(upgrade) => edge.perform(upgrade),
            None => edge.hear(input),
        }
    }

    fn output(&mut self, output: Output, edge: &mut crate::defect::Edge<'_>) {
        match (&output, &self.discovery) {
            (Output::Http(DISCOVERY, call), _) => self.discovery = Some((**call).clone()),
            (Output::OpenWs(..), Some(discovery)) if std::mem::replace(&mut self.connected, true) => {
                let again = Output::Http(DISCOVERY, Box::new(discovery.clone()));
                self.waiting = Some(output);
                return edge.perform(again);
            }
            _ => {}
        }
        edge.perform(output);
    }
}
