//! Defects of certificates and of provisioning.

use super::{Fate, each, kind, message, remove, said, sent, unsaid, with_message};
use crate::{Defect, Input, Output, defect::edits::stateful};
use serde_json::{Value, json};

pub(super) const DEFECTS: &[Defect] = &[
    Defect::tampering(
        "no-requests-for-certificates",
        "AOS7-CERT-001",
        "Asks for no certificates when it is told to renew them.",
        || unsaid("issueUnitCertificates"),
    ),
    Defect::tampering(
        "broken-requests",
        "AOS7-CERT-002",
        "Asks for certificates with broken requests.",
        || {
            said("issueUnitCertificates", |data| {
                for request in each(data, "requests") {
                    let csr = request["csr"].as_str().unwrap_or_default();
                    // Another letter in the middle: the signature does not fit.
                    let middle = csr.len() / 2;
                    let changed: String = csr
                        .chars()
                        .enumerate()
                        .map(|(index, letter)| match letter {
                            'A' if index >= middle && index < middle + 40 => 'B',
                            'a'..='y' if index == middle + 3 => char::from(letter as u8 + 1),
                            letter => letter,
                        })
                        .collect();
                    request["csr"] = json!(changed);
                }
            })
        },
    ),
    Defect::tampering(
        "installation-unconfirmed",
        "AOS7-CERT-003",
        "Does not confirm certificates it installed.",
        || unsaid("installUnitCertificatesConfirmation"),
    ),
    Defect::tampering(
        "wrong-serial",
        "AOS7-CERT-004",
        "Confirms certificates under another serial number.",
        || {
            said("installUnitCertificatesConfirmation", |data| {
                for entry in each(data, "certificates").filter(|entry| entry["serial"] != "") {
                    entry["serial"] = json!("0badc0de");
                }
            })
        },
    ),
    Defect::tampering(
        "any-key-will-do",
        "AOS7-CERT-005",
        "Confirms a certificate that does not fit its key.",
        || {
            said("installUnitCertificatesConfirmation", |data| {
                for entry in each(data, "certificates") {
                    remove(entry, "errorInfo");
                    if entry["serial"] == "" {
                        entry["serial"] = json!("01");
                    }
                }
            })
        },
    ),
    Defect::tampering(
        "identity-first",
        "AOS7-CERT-006",
        "Installs the `iam` certificate of the main node first.",
        || {
            said("installUnitCertificatesConfirmation", |data| {
                if let Some(entries) = data.get_mut("certificates").and_then(Value::as_array_mut) {
                    entries.reverse();
                }
            })
        },
    ),
    Defect::tampering(
        "expiry-unreported",
        "AOS7-CERT-007",
        "Does not report a certificate that is about to expire.",
        || unsaid("renewCertificatesNotification"),
    ),
    Defect::tampering(
        "provisioning-unanswered",
        "AOS7-PROV-001",
        "Says nothing when provisioning is to begin.",
        || unsaid("startProvisioningResponse"),
    ),
    Defect::tampering(
        "provisioning-without-requests",
        "AOS7-PROV-002",
        "Begins provisioning without requests for certificates.",
        || said("startProvisioningResponse", |data| data["csrs"] = json!([])),
    ),
    Defect::tampering(
        "finish-unanswered",
        "AOS7-PROV-003",
        "Says nothing when provisioning is to end.",
        || unsaid("finishProvisioningResponse"),
    ),
    Defect::tampering(
        "deprovisioning-unanswered",
        "AOS7-PROV-004",
        "Says nothing when it is to be deprovisioned.",
        || unsaid("deprovisioningResponse"),
    ),
    Defect::tampering(
        "wrong-password-unanswered",
        "AOS7-PROV-005",
        "Says nothing when the password is wrong or the node unknown.",
        || {
            sent(|message| {
                let answer = kind(message).ends_with("rovisioningResponse");
                let refused = message["data"].get("errorInfo").is_some();
                if answer && refused {
                    Fate::Settled
                } else {
                    Fate::Passes
                }
            })
        },
    ),
    Defect::tampering(
        "always-unprovisioned",
        "AOS7-PROV-006",
        "Reports a node as unprovisioned whatever became of it.",
        || {
            said("unitStatus", |data| {
                for node in each(data, "nodes").filter(|node| node["identity"]["codename"] == "second-node") {
                    node["state"] = json!("unprovisioned");
                }
            })
        },
    ),
    Defect::tampering(
        "password-told",
        "AOS7-PROV-007",
        "Repeats the password in its answer.",
        || {
            stateful::<Option<Value>>(
                |password, input, edge| {
                    if let Input::WsFrame { frame, .. } = &input
                        && let Some(message) = message(frame)
                        && let Some(told) = message["data"].get("password")
                    {
                        *password = Some(told.clone());
                    }
                    edge.hear(input);
                },
                |password, mut output, edge| {
                    if let Output::SendWs(_, frame) = &mut output
                        && let Some(mut message) = message(frame)
                        && kind(&message).ends_with("rovisioningResponse")
                        && let Some(password) = password
                    {
                        message["data"]["password"] = password.clone();
                        *frame = with_message(frame, &message);
                    }
                    edge.perform(output);
                },
            )
        },
    ),
];
