//! Defects in fetching commands, in the order they are taken, and in what a cloud in trouble makes of a device.

use super::{
    NO_COMMAND_HISTORY, SHARED_PARAMETERS, SIGNATURES_UNCHECKED, STATUSES_NOT_PERSISTED, commands_heard,
};
use crate::{
    Defect, Input, Output,
    defect::{
        COUNTER_WRAPS, Edge, Tamper,
        edits::{
            answers_heard, any_input, boots, edit_json, forget, hear, perform, requests, starts_afresh,
            stateful, timers, without,
        },
    },
    device_command::{
        agent::{DELIVERY, FETCH, FETCH_TIMER, START_TIMER, WATCHDOG_TIMER},
        store::STATUSES,
    },
    hardware::COMMANDS,
};
use serde_json::{Value, json};
use std::time::Duration;

pub(super) const DEFECTS: &[Defect] = &[
    Defect::tampering(
        "fetches-rarely",
        "DCMD-REQ-001",
        "Fetches commands every four minutes only.",
        || {
            timers((), |(), timer, after| match timer {
                FETCH_TIMER => after.max(Duration::from_secs(240)),
                _ => after,
            })
        },
    ),
    Defect::within(
        NO_COMMAND_HISTORY,
        "DCMD-QUEUE-003",
        "Executes a command again when it is delivered again.",
    ),
    Defect::tampering(
        "takes-them-backwards",
        "DCMD-QUEUE-002",
        "Takes the commands of an answer from its end.",
        || {
            any_input(|input| {
                if let Input::HttpAnswer {
                    request: FETCH,
                    response,
                } = input
                {
                    edit_json(&mut response.body, |body| {
                        if let Some(items) = body.get_mut("commands").and_then(Value::as_array_mut) {
                            items.reverse();
                        }
                    });
                }
                true
            })
        },
    ),
    Defect::within(
        SHARED_PARAMETERS,
        "DCMD-QUEUE-004",
        "Has one place for parameters, which a later command overwrites.",
    ),
    Defect::switched(
        "delay-lost-at-the-wrap",
        COUNTER_WRAPS,
        "DCMD-QUEUE-005",
        "Loses delays where its 32-bit counter of milliseconds wraps.",
    ),
    Defect::tampering(
        "queue-lost",
        "DCMD-QUEUE-006",
        "Loses the commands it has accepted when it boots.",
        || boots(|hardware| forget(hardware, COMMANDS)),
    ),
    Defect::tampering(
        "crashes-when-busy",
        "DCMD-QUEUE-007",
        "Restarts when it hears of a command while another executes.",
        || Box::new(CrashesWhenBusy::default()),
    ),
    Defect::both(
        "no-delay",
        SIGNATURES_UNCHECKED,
        "DCMD-QUEUE-008",
        "Starts commands at once whatever their delay.",
        || {
            commands_heard(|command| {
                for name in ["execution_delay", "delay_remaining"] {
                    if command.get(name).is_some() {
                        command[name] = json!(0);
                    }
                }
            })
        },
    ),
    Defect::tampering(
        "delay-by-the-clock",
        "DCMD-QUEUE-009",
        "Counts delays by the wall clock, which may jump.",
        || {
            stateful::<i64>(
                |offset, input, edge| {
                    let jumped = edge.hardware.wall_offset_us - *offset;
                    *offset = edge.hardware.wall_offset_us;
                    // The counter jumps along, forwards or backwards.
                    let milliseconds = (jumped / 1000).rem_euclid(1 << 32);
                    edge.hardware.counter.ahead = edge
                        .hardware
                        .counter
                        .ahead
                        .wrapping_add(u32::try_from(milliseconds).unwrap_or(0));
                    edge.hardware.counter.last = 0;
                    edge.hear(input);
                },
                |_, output, edge| {
                    // It looks every second what its clock says.
                    edge.perform(match output {
                        Output::Timer(START_TIMER, after) => {
                            Output::Timer(START_TIMER, after.min(Duration::from_secs(1)))
                        }
                        other => other,
                    });
                },
            )
        },
    ),
    Defect::both(
        "expiry-ignored",
        SIGNATURES_UNCHECKED,
        "DCMD-QUEUE-010",
        "Starts commands that have expired.",
        || {
            commands_heard(|command| {
                command
                    .as_object_mut()
                    .map(|members| members.remove("expires_at"));
            })
        },
    ),
    Defect::within(
        STATUSES_NOT_PERSISTED,
        "DCMD-STATUS-003",
        "Loses statuses that wait when power fails.",
    ),
    Defect::tampering(
        "forgets-when-cut-off",
        "DCMD-ROBUST-001",
        "Restarts and forgets its commands when it does not reach the cloud.",
        || {
            starts_afresh(
                |input| {
                    matches!(
                        input,
                        Input::HttpFailed {
                            request: FETCH | DELIVERY,
                            ..
                        }
                    )
                },
                |hardware| {
                    forget(hardware, COMMANDS);
                    forget(hardware, STATUSES);
                },
            )
        },
    ),
    Defect::tampering(
        "gives-up-the-cloud",
        "DCMD-ROBUST-002",
        "Speaks with the cloud no more after ten failures in a row.",
        || {
            stateful::<u32>(
                |failures, input, edge| {
                    let failed = matches!(
                        input,
                        Input::HttpFailed {
                            request: FETCH | DELIVERY,
                            ..
                        }
                    );
                    *failures += u32::from(failed);
                    if !failed || *failures < 10 {
                        edge.hear(input);
                    }
                },
                perform,
            )
        },
    ),
    Defect::tampering(
        "comes-back-too-soon",
        "DCMD-ROBUST-003",
        "Comes back before the time that `Retry-After` named.",
        || answers_heard(|response| without(&mut response.headers, "Retry-After")),
    ),
    Defect::tampering(
        "no-watchdog",
        "DCMD-ROBUST-004",
        "Never gives up a command that hangs.",
        || {
            stateful::<()>(hear, |(), output, edge| match output {
                Output::Timer(WATCHDOG_TIMER, _) => {}
                Output::Http(request, mut call) => {
                    let long = Duration::from_secs(30 * 86_400);
                    call.limits.connect = long;
                    call.limits.idle = long;
                    call.limits.total = None;
                    edge.perform(Output::Http(request, call));
                }
                other => edge.perform(other),
            })
        },
    ),
    Defect::tampering(
        "stops-fetching-at-nonsense",
        "DCMD-ROBUST-006",
        "Never fetches again after an answer that is no list of commands.",
        || {
            any_input(|input| match input {
                Input::HttpAnswer {
                    request: FETCH,
                    response,
                } if response.status == 200 => {
                    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
                    body["commands"].is_array()
                }
                _ => true,
            })
        },
    ),
    Defect::tampering(
        "any-certificate-will-do",
        "DCMD-SEC-001",
        "Accepts any certificate of the server.",
        || requests(|call| call.unverified = true),
    ),
    Defect::tampering(
        "token-to-everybody",
        "DCMD-SEC-007",
        "Sends its token along with downloads and diagnostics.",
        || {
            stateful::<()>(hear, |(), output, edge| {
                edge.perform(match output {
                    Output::Http(request, mut call)
                        if call.request.headers.get("Authorization").is_none() =>
                    {
                        let token = edge.setup.endpoints.get("device_token");
                        call.request
                            .headers
                            .push("Authorization", format!("Bearer {token}"));
                        Output::Http(request, call)
                    }
                    other => other,
                });
            })
        },
    ),
    Defect::tampering(
        "token-under-another-name",
        "DCMD-SEC-007",
        "Sends its token along with downloads, in a header of its own.",
        || {
            stateful::<()>(hear, |(), output, edge| {
                edge.perform(match output {
                    Output::Http(request, mut call)
                        if call.request.headers.get("Authorization").is_none() =>
                    {
                        let token = edge.setup.endpoints.get("device_token").to_owned();
                        call.request.headers.push("X-Device-Token", token);
                        Output::Http(request, call)
                    }
                    other => other,
                });
            })
        },
    ),
    Defect::tampering(
        "token-in-urls",
        "DCMD-SEC-007",
        "Adds its token to the URLs it fetches elsewhere.",
        || {
            stateful::<()>(hear, |(), output, edge| {
                edge.perform(match output {
                    Output::Http(request, mut call)
                        if call.request.headers.get("Authorization").is_none() =>
                    {
                        let token = edge.setup.endpoints.get("device_token");
                        let mark = if call.url.contains('?') { '&' } else { '?' };
                        call.url = format!("{}{mark}token={token}", call.url);
                        Output::Http(request, call)
                    }
                    other => other,
                });
            })
        },
    ),
];

/// Restarts when anything new is heard between `executing` and the terminal status.
#[derive(Default)]
struct CrashesWhenBusy {
    busy: bool,
    known: String,
}

impl Tamper for CrashesWhenBusy {
    fn input(&mut self, input: Input, edge: &mut Edge<'_>) {
        let heard = match &input {
            Input::HttpAnswer {
                request: FETCH,
                response,
            } => {
                let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
                let ids = body["commands"].as_array().into_iter().flatten();
                let last = ids.filter_map(|item| item["command_id"].as_str()).next_back();
                last.map(str::to_owned)
            }
            Input::ServerRequest { request, .. } => {
                let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
                body["command"]["command_id"].as_str().map(str::to_owned)
            }
            _ => None,
        };
        if let Some(id) = heard.filter(|id| *id != self.known) {
            self.known = id;
            if self.busy {
                edge.perform(Output::Reboot(Duration::ZERO));
            }
        }
        edge.hear(input);
    }

    fn output(&mut self, output: Output, edge: &mut Edge<'_>) {
        if let Output::Http(_, call) = &output
            && super::is_status(call)
        {
            self.busy = super::status_of(call).0 == "executing";
        }
        edge.perform(output);
    }
}
