//! Defects of the serial line and of MQTT.

use crate::{
    Defect, HttpCall, Input, Output,
    defect::{
        Tamper,
        edits::{hear, perform, stateful},
    },
    ota_rpc::mqtt::BROKER,
};
use bytes::Bytes;
use hil_wire::ota_rpc::mqtt::{Packet, PacketReader, encode};
use serde_json::{Value, json};

pub(super) const DEFECTS: &[Defect] = &[
    Defect::tampering(
        "plain-lines-unanswered",
        "OTA-UART-001",
        "Does not answer a line without a checksum.",
        || heard(|bytes| (!is_plain(bytes)).then(|| bytes.to_vec())),
    ),
    Defect::tampering(
        "checksum-of-lines-ignored",
        "OTA-UART-002",
        "Executes frames whose checksum is wrong.",
        || {
            heard(|bytes| {
                let line = bytes.trim_ascii_end();
                let plain = with_checksum(line).map(|end| [&line[..end], b"\n"].concat());
                Some(plain.unwrap_or_else(|| bytes.to_vec()))
            })
        },
    ),
    Defect::tampering(
        "wrong-checksum-sent",
        "OTA-UART-003",
        "Sends replies with a wrong checksum.",
        || {
            stateful::<()>(hear, |(), output, edge| {
                edge.perform(match output {
                    Output::SendStream(stream, bytes) if stream != BROKER => {
                        let mut bytes = bytes.to_vec();
                        let line = bytes.trim_ascii_end().len();
                        if with_checksum(&bytes[..line]).is_some() {
                            bytes[line - 1] = if bytes[line - 1] == b'0' { b'1' } else { b'0' };
                        }
                        Output::SendStream(stream, bytes.into())
                    }
                    other => other,
                });
            })
        },
    ),
    Defect::tampering(
        "handshake-unanswered",
        "OTA-UART-004",
        "Does not answer the handshake of old callers.",
        || {
            stateful::<()>(hear, |(), output, edge| {
                if !matches!(&output, Output::SendStream(stream, bytes) if *stream != BROKER && bytes.contains(&END_OF_TRANSMISSION))
                {
                    edge.perform(output);
                }
            })
        },
    ),
    Defect::tampering(
        "never-in-step-again",
        "OTA-UART-005",
        "Hears nothing more after a byte that is no text.",
        || {
            stateful::<bool>(
                |lost, input, edge| {
                    if let Input::StreamData { stream, bytes } = &input
                        && *stream != BROKER
                    {
                        *lost |= bytes.iter().any(|byte| *byte >= 0x80) || bytes.len() > 4096;
                        if *lost {
                            return;
                        }
                    }
                    edge.hear(input);
                },
                perform,
            )
        },
    ),
    Defect::tampering(
        "talks-on",
        "OTA-UART-007",
        "Does not stop sending when it is told to.",
        || {
            heard(|bytes| {
                let kept: Vec<u8> = bytes.iter().copied().filter(|byte| *byte != XOFF).collect();
                (!kept.is_empty()).then_some(kept)
            })
        },
    ),
    Defect::tampering(
        "checksums-demanded-for-ever",
        "OTA-UART-008",
        "Demands checksums after a restart, too, once a frame had one.",
        || {
            // Whether a frame had a checksum, and whether it booted since.
            stateful::<(bool, bool)>(
                |(seen, demanded), input, edge| {
                    *demanded |= *seen && matches!(input, Input::Boot);
                    if let Input::StreamData { stream, bytes } = &input
                        && *stream != BROKER
                    {
                        *seen |= with_checksum(bytes.trim_ascii_end()).is_some();
                        if *demanded && is_plain(bytes) {
                            return;
                        }
                    }
                    edge.hear(input);
                },
                perform,
            )
        },
    ),
    Defect::tampering(
        "answers-elsewhere",
        "OTA-MQTT-001",
        "Publishes replies to a topic of its own.",
        || {
            stateful::<()>(hear, |(), output, edge| {
                edge.perform(match output {
                    Output::SendStream(BROKER, bytes) => {
                        let changed = packets(&bytes, |packet| {
                            if let Packet::Publish(publish) = packet {
                                publish.topic = format!("{}-replies", publish.topic);
                            }
                        });
                        Output::SendStream(BROKER, changed)
                    }
                    other => other,
                });
            })
        },
    ),
    Defect::tampering(
        "nameless-callers-served",
        "OTA-MQTT-002",
        "Executes calls over MQTT without `src`.",
        || {
            published(|frame| {
                if frame.get("src").is_none() {
                    frame["src"] = json!("somebody");
                }
            })
        },
    ),
    Defect::tampering(
        "duplicates-started",
        "OTA-MQTT-003",
        "Begins a download for each copy of a call over MQTT.",
        || {
            stateful::<u32>(
                |calls, input, edge| {
                    if let Input::StreamData {
                        stream: BROKER,
                        bytes,
                    } = &input
                    {
                        let mut url = None;
                        packets(bytes, |packet| {
                            if let Packet::Publish(publish) = packet
                                && let Ok(frame) = serde_json::from_slice::<Value>(&publish.payload)
                                && frame["method"] == "OTA.Update"
                            {
                                *calls += 1;
                                let arguments = frame.get("params").or_else(|| frame.get("args"));
                                url = arguments.and_then(|a| a["url"].as_str()).map(str::to_owned);
                            }
                        });
                        if let Some(url) = url.filter(|_| *calls > 1) {
                            edge.request(HttpCall::new("GET", url));
                        }
                    }
                    edge.hear(input);
                },
                perform,
            )
        },
    ),
];

/// Changes what comes over the serial line, or with `None` loses it.
fn heard(edit: fn(&[u8]) -> Option<Vec<u8>>) -> Box<dyn Tamper> {
    Box::new(Heard(edit))
}

struct Heard(fn(&[u8]) -> Option<Vec<u8>>);

impl Tamper for Heard {
    fn input(&mut self, mut input: Input, edge: &mut crate::defect::Edge<'_>) {
        if let Input::StreamData { stream, bytes } = &mut input
            && *stream != BROKER
        {
            match (self.0)(bytes) {
                Some(changed) => *bytes = changed.into(),
                None => return,
            }
        }
        edge.hear(input);
    }
}

/// Edits frames that are published to the board.
fn published(edit: fn(&mut Value)) -> Box<dyn Tamper> {
    Box::new(Published(edit))
}

struct Published(fn(&mut Value));

impl Tamper for Published {
    fn input(&mut self, mut input: Input, edge: &mut crate::defect::Edge<'_>) {
        if let Input::StreamData {
            stream: BROKER,
            bytes,
        } = &mut input
        {
            *bytes = packets(bytes, |packet| {
                if let Packet::Publish(publish) = packet
                    && let Ok(mut frame) = serde_json::from_slice::<Value>(&publish.payload)
                {
                    (self.0)(&mut frame);
                    publish.payload = frame.to_string().into_bytes().into();
                }
            });
        }
        edge.hear(input);
    }
}

/// Edits the packets in some bytes, which hold whole ones.
fn packets(bytes: &Bytes, mut edit: impl FnMut(&mut Packet)) -> Bytes {
    let mut reader = PacketReader::default();
    reader.push(bytes);
    let mut changed = Vec::new();
    while let Ok(Some(mut packet)) = reader.take() {
        edit(&mut packet);
        changed.extend(encode(&packet));
    }
    changed.into()
}

/// A line that ends with its JSON.
fn is_plain(bytes: &[u8]) -> bool {
    bytes.trim_ascii_end().ends_with(b"}")
}

/// Where the checksum behind the JSON of a line begins.
fn with_checksum(line: &[u8]) -> Option<usize> {
    let end = line.len().checked_sub(8)?;
    let digits = line[end..].iter().all(u8::is_ascii_hexdigit);
    (digits && line[..end].ends_with(b"}")).then_some(end)
}

const END_OF_TRANSMISSION: u8 = 0x04;
const XOFF: u8 = 0x13;
