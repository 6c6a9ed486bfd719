//! Defects of the WebSocket and of TLS.

use super::{
    discovery::{discoveries, upgrades},
    message, txn,
};
use crate::{
    Defect, HttpError, Input, Output, SocketId,
    aos::agent::{CONNECT_TIMER, DISCOVERY, DOWNLOAD, OUTBOX_TIMER, PING_TIMER},
    defect::ANY_TLS_VERSION,
    defect::edits::{hear, perform, requests, stateful, timers},
};
use bytes::Bytes;
use std::{collections::BTreeSet, time::Duration};

pub(super) const DEFECTS: &[Defect] = &[
    Defect::tampering(
        "two-connections",
        "AOS7-CONN-001",
        "Opens a second connection beside the first.",
        || {
            stateful::<Option<Output>>(
                |upgrade, input, edge| {
                    if matches!(input, Input::WsOpened { .. })
                        && let Some(upgrade) = upgrade.take()
                    {
                        edge.perform_later(Duration::from_millis(300), upgrade);
                    }
                    edge.hear(input);
                },
                |upgrade, output, edge| {
                    if let Output::OpenWs(socket, call) = &output {
                        *upgrade = Some(Output::OpenWs(SocketId(socket.0 + (1 << 20)), call.clone()));
                    }
                    edge.perform(output);
                },
            )
        },
    ),
    Defect::tampering(
        "leaves-connections-open",
        "AOS7-CONN-001",
        "Opens another connection when an ack does not come, and leaves the one before open.",
        || {
            stateful::<BTreeSet<SocketId>>(
                |closed, input, edge| {
                    if let Input::WsFrame { socket, frame } = &input
                        && frame.opcode == 8
                        && closed.insert(*socket)
                    {
                        // As libraries do; the agent may not care about this connection any more.
                        edge.perform(Output::SendWs(*socket, frame.clone()));
                    }
                    edge.hear(input);
                },
                |closed, output, edge| match &output {
                    Output::SendWs(_, frame) if frame.opcode == 8 => {}
                    Output::CloseWs(socket) if !closed.contains(socket) => {}
                    _ => edge.perform(output),
                },
            )
        },
    ),
    Defect::tampering(
        "closed-for-good",
        "AOS7-CONN-002",
        "Does nothing more once the cloud closed the connection.",
        || {
            stateful::<bool>(
                |closed, input, edge| {
                    if let Input::WsFrame { socket, frame } = &input
                        && frame.opcode == 8
                    {
                        *closed = true;
                        edge.perform(Output::SendWs(*socket, frame.clone()));
                    }
                    if !*closed {
                        edge.hear(input);
                    }
                },
                perform,
            )
        },
    ),
    Defect::tampering(
        "broken-for-good",
        "AOS7-CONN-003",
        "Does not connect again after a connection broke.",
        || {
            stateful::<bool>(
                |open, input, edge| {
                    *open |= matches!(input, Input::WsOpened { .. });
                    let broke = matches!(input, Input::WsFailed { .. } | Input::WsClosed { .. });
                    if !(*open && broke) {
                        edge.hear(input);
                    }
                },
                perform,
            )
        },
    ),
    Defect::tampering(
        "empty-pongs",
        "AOS7-CONN-004",
        "Answers pings without what they carried.",
        || {
            stateful::<()>(hear, |(), mut output, edge| {
                if let Output::SendWs(_, frame) = &mut output
                    && frame.opcode == 10
                {
                    frame.payload = Bytes::new();
                }
                edge.perform(output);
            })
        },
    ),
    Defect::tampering(
        "pongs-as-text",
        "AOS7-CONN-004",
        "Takes what pings carry for text.",
        || {
            stateful::<()>(hear, |(), mut output, edge| {
                if let Output::SendWs(_, frame) = &mut output
                    && frame.opcode == 10
                {
                    let text = String::from_utf8_lossy(&frame.payload).into_owned();
                    frame.payload = text.into();
                }
                edge.perform(output);
            })
        },
    ),
    Defect::tampering(
        "leaves-without-a-word",
        "AOS7-CONN-005",
        "Does not answer a close frame.",
        || {
            stateful::<()>(hear, |(), output, edge| {
                if !matches!(&output, Output::SendWs(_, frame) if frame.opcode == 8) {
                    edge.perform(output);
                }
            })
        },
    ),
    Defect::tampering(
        "delays-never-grow",
        "AOS7-CONN-006",
        "Tries to connect every second.",
        || {
            timers((), |(), timer, after| match timer {
                CONNECT_TIMER => Duration::from_millis(if after.is_zero() { 0 } else { 1500 }),
                _ => after,
            })
        },
    ),
    Defect::tampering(
        "forgets-what-it-sent",
        "AOS7-CONN-007",
        "Does not send again what was not acknowledged when the connection broke.",
        || {
            stateful::<BTreeSet<String>>(hear, |sent, output, edge| {
                if let Output::SendWs(socket, frame) = &output
                    && let Some(message) = message(frame)
                    && super::kind(&message) != "ack"
                    && !sent.insert(txn(&message).to_owned())
                {
                    return edge.hear(Input::WsFrame {
                        socket: *socket,
                        frame: super::ack_of(&message),
                    });
                }
                edge.perform(output);
            })
        },
    ),
    Defect::tampering(
        "dead-peer-unnoticed",
        "AOS7-CONN-009",
        "Never notices that nobody is there.",
        || {
            stateful::<()>(hear, |(), output, edge| {
                if !matches!(output, Output::Timer(PING_TIMER | OUTBOX_TIMER, _)) {
                    edge.perform(output);
                }
            })
        },
    ),
    Defect::tampering(
        "leaves-when-idle",
        "AOS7-CONN-010",
        "Closes a connection after four minutes and opens another.",
        || {
            stateful::<()>(
                |(), input, edge| {
                    if let Input::WsOpened { socket, .. } = &input {
                        let minutes = Duration::from_secs(240);
                        edge.perform_later(minutes, Output::CloseWs(*socket));
                        edge.hear_later(minutes, Input::WsClosed { socket: *socket });
                    }
                    edge.hear(input);
                },
                perform,
            )
        },
    ),
    Defect::tampering(
        "connects-without-certificate",
        "AOS7-TLS-001",
        "Presents no certificate where it connects.",
        || {
            upgrades(|call| {
                call.identity = None;
                call.credentials = None;
            })
        },
    ),
    Defect::tampering(
        "discovers-without-certificate",
        "AOS7-TLS-002",
        "Presents no certificate where it looks its cloud up.",
        || {
            discoveries(|call| {
                call.identity = None;
                call.credentials = None;
            })
        },
    ),
    Defect::tampering(
        "offline-certificate-for-discovery",
        "AOS7-TLS-003",
        "Looks its cloud up under its offline certificate.",
        || {
            discoveries(|call| {
                call.identity = Some("offline".to_owned());
                call.credentials = None;
            })
        },
    ),
    Defect::switched(
        "tls-of-any-age",
        ANY_TLS_VERSION,
        "AOS7-TLS-007",
        "Goes on with a cloud that speaks TLS 1.0 or 1.1.",
    ),
    Defect::tampering(
        "any-authority-will-do",
        "AOS7-TLS-004",
        "Accepts a cloud with a certificate of any authority.",
        || requests(|call| call.unverified = true),
    ),
    Defect::tampering(
        "expiry-does-not-matter",
        "AOS7-TLS-005",
        "Accepts a cloud with an expired certificate.",
        || requests(|call| call.unverified = true),
    ),
    Defect::tampering(
        "any-name-will-do",
        "AOS7-TLS-006",
        "Accepts a cloud with a certificate for another name.",
        || requests(|call| call.unverified = true),
    ),
    Defect::tampering(
        "falls-back-to-plain",
        "AOS7-TLS-008",
        "Tries without TLS when TLS fails.",
        || {
            stateful::<Option<crate::HttpCall>>(
                |last, input, edge| {
                    if let Input::HttpFailed {
                        request: DISCOVERY,
                        error: HttpError::Tls(_),
                    } = &input
                        && let Some(mut call) = last.clone()
                    {
                        call.url = call.url.replacen("https://", "http://", 1);
                        edge.request(call);
                    }
                    edge.hear(input);
                },
                |last, output, edge| {
                    if let Output::Http(DISCOVERY, call) = &output {
                        *last = Some((**call).clone());
                    }
                    edge.perform(output);
                },
            )
        },
    ),
    Defect::tampering(
        "offline-certificate-online",
        "AOS7-TLS-009",
        "Presents its offline certificate to the cloud.",
        || {
            requests(|call| {
                if call.identity.is_some() || call.credentials.is_some() {
                    call.identity = Some("offline".to_owned());
                    call.credentials = None;
                }
            })
        },
    ),
    Defect::tampering(
        "old-certificate-kept",
        "AOS7-TLS-010",
        "Goes on with its old certificate after a new one was issued.",
        || {
            requests(|call| {
                if call.credentials.take().is_some() {
                    call.identity = Some("online".to_owned());
                }
            })
        },
    ),
    Defect::tampering(
        "never-recovers",
        "AOS7-ROBUST-015",
        "Does nothing with a desired status once a download has failed.",
        || {
            stateful::<bool>(
                |broken, input, edge| {
                    *broken |= matches!(
                        &input,
                        Input::HttpFailed {
                            request: DOWNLOAD,
                            ..
                        } | Input::HttpHead {
                            request: DOWNLOAD,
                            status: 500..,
                            ..
                        }
                    );
                    match &input {
                        Input::WsFrame { socket, frame } if *broken => match message(frame) {
                            Some(message) if super::kind(&message) == "desiredStatus" => {
                                edge.perform(Output::SendWs(*socket, super::ack_of(&message)));
                            }
                            _ => edge.hear(input),
                        },
                        _ => edge.hear(input),
                    }
                },
                perform,
            )
        },
    ),
];
