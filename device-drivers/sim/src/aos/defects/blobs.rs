//! Defects in fetching and checking blobs.

use super::{BLOBS_UNVERIFIED, SIGNATURES_UNVERIFIED, kind, message, said, unsaid, with_message};
use crate::{
    Defect, Input, Output,
    aos::agent::DOWNLOAD,
    defect::edits::{forget, hear, perform, requests, stateful, without},
};
use serde_json::Value;

pub(super) const DEFECTS: &[Defect] = &[
    Defect::tampering(
        "blobs-unasked",
        "AOS7-BLOB-001",
        "Does not ask where blobs are.",
        || unsaid("requestBlobUrls"),
    ),
    Defect::tampering(
        "blobs-of-nobody",
        "AOS7-BLOB-002",
        "Asks where blobs are without a correlation id.",
        || said("requestBlobUrls", |data| super::remove(data, "correlationId")),
    ),
    Defect::tampering(
        "any-answer-will-do",
        "AOS7-BLOB-003",
        "Takes the answer to the request of another for its own.",
        || {
            stateful::<Value>(
                |own, mut input, edge| {
                    if let Input::WsFrame { frame, .. } = &mut input
                        && let Some(mut message) = message(frame)
                        && kind(&message) == "blobUrls"
                        && own.is_string()
                    {
                        message["data"]["correlationId"] = own.clone();
                        *frame = with_message(frame, &message);
                    }
                    edge.hear(input);
                },
                |own, output, edge| {
                    if let Output::SendWs(_, frame) = &output
                        && let Some(message) = message(frame)
                        && kind(&message) == "requestBlobUrls"
                    {
                        *own = message["data"]["correlationId"].clone();
                    }
                    edge.perform(output);
                },
            )
        },
    ),
    Defect::tampering(
        "asks-under-the-same-name",
        "AOS7-BLOB-004",
        "Asks again under the same correlation id.",
        || {
            stateful::<(Value, Value)>(
                |(first, latest), mut input, edge| {
                    if let Input::WsFrame { frame, .. } = &mut input
                        && let Some(mut message) = message(frame)
                        && kind(&message) == "blobUrls"
                        && message["data"]["correlationId"] == *first
                    {
                        message["data"]["correlationId"] = latest.clone();
                        *frame = with_message(frame, &message);
                    }
                    edge.hear(input);
                },
                |(first, latest), mut output, edge| {
                    if let Output::SendWs(_, frame) = &mut output
                        && let Some(mut message) = message(frame)
                        && kind(&message) == "requestBlobUrls"
                    {
                        *latest = message["data"]["correlationId"].clone();
                        if first.is_null() {
                            first.clone_from(latest);
                        }
                        message["data"]["correlationId"] = first.clone();
                        *frame = with_message(frame, &message);
                    }
                    edge.perform(output);
                },
            )
        },
    ),
    Defect::tampering(
        "blobs-from-elsewhere",
        "AOS7-BLOB-005",
        "Fetches blobs from a path of its own.",
        || {
            stateful::<()>(hear, |(), mut output, edge| {
                if let Output::Http(DOWNLOAD, call) = &mut output {
                    call.url = format!("{}.copy", call.url);
                }
                edge.perform(output);
            })
        },
    ),
    Defect::within(
        BLOBS_UNVERIFIED,
        "AOS7-BLOB-006",
        "Installs blobs whatever their checksum and digest.",
    ),
    Defect::within(
        SIGNATURES_UNVERIFIED,
        "AOS7-BLOB-007",
        "Installs blobs whatever their signature.",
    ),
    Defect::tampering(
        "blobs-from-the-beginning",
        "AOS7-BLOB-008",
        "Fetches an interrupted blob from its beginning.",
        || requests(|call| without(&mut call.request.headers, "Range")),
    ),
    Defect::tampering(
        "blobs-not-kept",
        "AOS7-BLOB-009",
        "Keeps no blobs, and asks for all of them for each version.",
        || {
            stateful::<()>(
                |(), input, edge| {
                    if let Input::WsFrame { frame, .. } = &input
                        && message(frame).is_some_and(|message| kind(&message) == "desiredStatus")
                    {
                        forget(edge.hardware, "blobs/");
                    }
                    edge.hear(input);
                },
                perform,
            )
        },
    ),
];
