//! Defects of tokens and credentials.

use super::{UNGATED, asked, asks, is_download, is_list, is_packages, is_report, outcomes};
use crate::{
    Defect, HttpCall, Input, Output,
    defect::{
        Tamper,
        edits::{hear, requests, set_header, stateful, timers, without},
    },
    sota::agent::AUTH_TIMER,
};
use hil_wire::{
    http::Response,
    sota::core::{Call, TokenAnswer},
};
use serde_json::json;
use std::time::Duration;

pub(super) const DEFECTS: &[Defect] = &[
    Defect::tampering(
        "token-without-credentials",
        "SOTA-AUTH-001",
        "Asks for a token with its credentials in the body.",
        || {
            token_calls(|call| {
                without(&mut call.request.headers, "Authorization");
                set_body(call, b"grant_type=client_credentials&client_id=a&client_secret=b");
            })
        },
    ),
    Defect::tampering(
        "token-for-password",
        "SOTA-AUTH-001",
        "Asks for a token with another type of grant.",
        || token_calls(|call| set_body(call, b"grant_type=password")),
    ),
    Defect::tampering(
        "token-later",
        "SOTA-AUTH-001",
        "Sends its first report of packages before it asks for a token.",
        || {
            stateful::<bool>(hear, |begun, output, edge| {
                if let Output::Http(_, call) = &output
                    && !std::mem::replace(begun, true)
                {
                    let device = edge.setup.endpoints.get("device_uuid").to_owned();
                    let core = edge
                        .setup
                        .endpoints
                        .get("core_url")
                        .trim_end_matches('/')
                        .to_owned();
                    let list = Call::Updates { device };
                    edge.request(
                        HttpCall::new("GET", format!("{core}{}", list.target())).limits(call.limits),
                    );
                    return edge.perform_later(Duration::from_millis(500), output);
                }
                edge.perform(output);
            })
        },
    ),
    Defect::tampering(
        "downloads-without-token",
        "SOTA-AUTH-002",
        "Downloads without its token.",
        || {
            requests(|call| {
                if asks(call, is_download) {
                    without(&mut call.request.headers, "Authorization");
                }
            })
        },
    ),
    Defect::tampering(
        "token-of-its-own",
        "SOTA-AUTH-002",
        "Sends Core a token nobody issued.",
        || {
            requests(|call| {
                if asks(call, |asked| *asked != Call::Token) {
                    set_header(&mut call.request.headers, "Authorization", "Bearer made-up");
                }
            })
        },
    ),
    Defect::tampering(
        "authorization-always",
        "SOTA-AUTH-003",
        "Sends an Authorization header though it has no credentials.",
        || {
            requests(|call| {
                if call.request.headers.get("Authorization").is_none() {
                    call.request.headers.push("Authorization", "Bearer none");
                }
            })
        },
    ),
    Defect::tampering(
        "unauthorised-list-is-an-error",
        "SOTA-AUTH-004",
        "Takes 401 to the list of updates for an error like any other.",
        || {
            outcomes(is_list, |result| {
                result.map(|response| other_status(response, 401))
            })
        },
    ),
    Defect::tampering(
        "unauthorised-report-is-an-error",
        "SOTA-AUTH-004",
        "Takes 401 to a report for an error like any other.",
        || {
            outcomes(is_report, |result| {
                result.map(|response| other_status(response, 401))
            })
        },
    ),
    Defect::tampering(
        "forbidden-packages-are-an-error",
        "SOTA-AUTH-004",
        "Takes 403 to a list of packages for an error like any other.",
        || {
            outcomes(is_packages, |result| {
                result.map(|response| other_status(response, 403))
            })
        },
    ),
    Defect::tampering(
        "unauthorised-for-good",
        "SOTA-AUTH-004",
        "Asks for no new token when Core refuses its own.",
        || {
            stateful::<bool>(hear, |had, output, edge| {
                *had |= matches!(&output, Output::Http(_, call) if asks(call, |asked| *asked != Call::Token));
                if !(*had && matches!(output, Output::Timer(AUTH_TIMER, _))) {
                    edge.perform(output);
                }
            })
        },
    ),
    Defect::within(
        UNGATED,
        "SOTA-AUTH-005",
        "Takes commands to Core without a token.",
    ),
    Defect::tampering(
        "authenticates-once",
        "SOTA-AUTH-006",
        "Does not try again when it got no token.",
        || {
            stateful::<()>(hear, |(), output, edge| {
                if !matches!(output, Output::Timer(AUTH_TIMER, _)) {
                    edge.perform(output);
                }
            })
        },
    ),
    Defect::tampering(
        "authenticates-hastily",
        "SOTA-AUTH-007",
        "Asks for a token again at once when its credentials are refused.",
        || {
            timers((), |(), timer, after| match timer {
                AUTH_TIMER => Duration::from_millis(50),
                _ => after,
            })
        },
    ),
    Defect::tampering(
        "any-answer-is-a-token",
        "SOTA-AUTH-008",
        "Takes any answer to a token request for a token.",
        || {
            outcomes(
                |asked| *asked == Call::Token,
                |result| match result {
                    Ok(response)
                        if response.status == 200 && !TokenAnswer::decode(&response.body).is_valid() =>
                    {
                        let token = TokenAnswer::for_device("made-up", "device", 3600);
                        Ok(Response::json(200, &token.to_value()))
                    }
                    other => other,
                },
            )
        },
    ),
    Defect::tampering(
        "token-sent-elsewhere",
        "SOTA-AUTH-009",
        "Sends its token to wherever a redirect leads.",
        || {
            stateful::<String>(hear, |token, mut output, edge| {
                if let Output::Http(_, call) = &mut output {
                    match call.request.headers.get("Authorization") {
                        Some(own) => *token = own.to_owned(),
                        None if asked(call).is_none() || asks(call, is_download) => {
                            call.request.headers.push("Authorization", token.as_str());
                        }
                        None => {}
                    }
                }
                edge.perform(output);
            })
        },
    ),
    Defect::tampering(
        "authenticating-twice-fails",
        "SOTA-AUTH-010",
        "Takes Authenticate for an error when it has a token.",
        || {
            stateful::<u32>(hear, |given, mut output, edge| {
                if let Output::Answer(_, response) = &mut output
                    && String::from_utf8_lossy(&response.body).contains("Authenticated\"")
                {
                    *given += 1;
                    if *given > 1 {
                        response.body = json!("NotAuthenticated").to_string().into_bytes();
                        set_header(&mut response.headers, "Content-Length", "18");
                    }
                }
                edge.perform(output);
            })
        },
    ),
];

/// Sets a switch of the configuration in flash.
pub(super) fn configured(hardware: &mut crate::Hardware, name: &str, value: bool) {
    let mut bytes = hardware
        .flash
        .read("state/configuration")
        .unwrap_or_default()
        .to_vec();
    crate::defect::edits::edit_json(&mut bytes, |configuration| configuration[name] = json!(value));
    // A flash without power keeps what it has.
    let _ = hardware.flash.replace("state/configuration", bytes);
}

fn other_status(mut response: Response, status: u16) -> Response {
    if response.status == status {
        response.status = 500;
    }
    response
}

fn set_body(call: &mut HttpCall, body: &[u8]) {
    call.request.body = body.to_vec();
    set_header(
        &mut call.request.headers,
        "Content-Length",
        &body.len().to_string(),
    );
}

fn token_calls(edit: fn(&mut HttpCall)) -> Box<dyn Tamper> {
    Box::new(TokenCalls(edit))
}

struct TokenCalls(fn(&mut HttpCall));

impl Tamper for TokenCalls {
    fn output(&mut self, mut output: Output, edge: &mut crate::defect::Edge<'_>) {
        if let Output::Http(_, call) = &mut output
            && asks(call, |asked| *asked == Call::Token)
        {
            (self.0)(call);
        }
        edge.perform(output);
    }

    fn input(&mut self, input: Input, edge: &mut crate::defect::Edge<'_>) {
        edge.hear(input);
    }
}
