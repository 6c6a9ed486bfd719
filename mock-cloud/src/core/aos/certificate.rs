//! The cloud as certificate authority of the unit: answers certificate requests (reference sections 3.8 and 3.22).

use super::{AosCloud, Now, Outputs, Value, json};
use hil_link::pki::{CertificateRequest, CsrError, Subject, SubjectPolicy, Validity};
use hil_wire::aos::IssueUnitCertificates;
use std::time::Duration;

/// How certificate requests are answered.
#[derive(Clone, Debug, Default)]
pub(super) struct Issuing {
    /// For what key.
    pub(super) kind: IssuingKind,
    /// How long certificates hold; a year if `None`.
    pub(super) span: Option<Duration>,
}

/// For which key certificates are issued.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum IssuingKind {
    /// The key asked for.
    #[default]
    Right,
    /// Another key.
    OtherKey,
    /// None: requests stay unanswered.
    Never,
}

impl AosCloud {
    pub(super) fn issue(&mut self, now: Now, request: &IssueUnitCertificates, out: &mut Outputs) {
        if self.issuing.kind == IssuingKind::Never {
            return;
        }
        let mut certificates = Vec::new();
        for wanted in &request.requests {
            let (kind, node) = (wanted.kind.to_string(), wanted.node.name().to_owned());
            match self.sign(now, &kind, &node, &wanted.csr, out) {
                Ok(chain) => certificates.push(json!({
                    "type": kind,
                    "node": {"codename": node},
                    "certificateChain": chain,
                })),
                Err(error) => out.note(
                    "refused",
                    json!({"reason": format!("certificate request of {node} for {kind}: {error}")}),
                ),
            }
        }
        if !certificates.is_empty() {
            self.post(
                now,
                "issuedUnitCertificates",
                &json!({"certificates": certificates}),
                out,
            );
        }
    }

    /// Signs one request; leaves the note `issued` with the serial number.
    pub(super) fn sign(
        &mut self,
        now: Now,
        kind: &str,
        node: &str,
        csr: &str,
        out: &mut Outputs,
    ) -> Result<String, CsrError> {
        let name = match kind {
            "online" => self.system_id().to_owned(),
            _ => format!("{}-{kind}", self.system_id()),
        };
        let policy = SubjectPolicy::Replace(Subject::named(name));
        let now_us = now.unix_ms.saturating_mul(1000);
        let validity = match self.issuing.span {
            Some(span) => Validity::for_span(now_us, span),
            None => Validity::usual(now_us),
        };
        let other;
        let right = self.issuing.kind != IssuingKind::OtherKey;
        let csr = if right {
            csr
        } else {
            other = CertificateRequest::new(&Subject::named("another key"))?.request;
            &other
        };
        let issued = self.authority.sign_csr(csr, &policy, validity)?;
        let facts: Value =
            json!({"type": kind, "node": node, "serial": issued.serial_hex, "right_key": right});
        out.note("issued", facts);
        if kind == "offline" && right {
            self.offline_certificate = Some(issued.chain_pem.clone());
        }
        Ok(issued.chain_pem)
    }
}
