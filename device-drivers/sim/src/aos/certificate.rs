//! Certificates of the unit (reference sections 3.8, 3.9, 3.14, 3.22): requests with fresh keys, installation, and
//! renewal in time.

use super::agent::{AosAgent, CERTIFICATE_TIMER, MAIN_NODE, error_info, timestamp};
use crate::Context;
use hil_link::pki::{CertificateRequest, Identity, Subject};
use hil_wire::{
    aos::{CertificateType, Dialect, IssuedUnitCertificates, RenewCertificatesNotification},
    timestamp::format_micros,
};
use serde_json::{Value, json};
use std::time::Duration;
use x509_parser::{certification_request::X509CertificationRequest, pem::parse_x509_pem, prelude::FromDer};

/// A key whose certificate was asked for.
#[derive(Debug, Clone)]
pub(super) struct PendingKey {
    request: String,
    private_key: String,
}

impl AosAgent {
    /// Asks for certificates of these types for a node, each with a key of its own.
    pub(super) fn request_certificates(&mut self, wanted: &[(String, String)], context: &mut Context<'_>) {
        let mut requests = Vec::new();
        for (kind, node) in wanted {
            if let Some(csr) = self.new_key(kind, node) {
                requests.push(json!({"type": kind, "node": {"codename": node}, "csr": csr}));
            }
        }
        if !requests.is_empty() {
            self.renewed = Some(context.now());
            self.post("issueUnitCertificates", json!({"requests": requests}), context);
        }
    }

    /// Makes a key and a request for it, PEM.
    pub(super) fn new_key(&mut self, kind: &str, node: &str) -> Option<String> {
        let name = match kind {
            "online" => self.system_id.clone(),
            _ => format!("{}-{kind}", self.system_id),
        };
        let made = CertificateRequest::new(&Subject::named(name)).ok()?;
        let pending = PendingKey {
            request: made.request.clone(),
            private_key: made.private_key,
        };
        self.keys.insert((kind.to_owned(), node.to_owned()), pending);
        Some(made.request)
    }

    /// The cloud wants certificates renewed (publisher). Without the secret of its node none is asked for.
    pub(super) fn renew(&mut self, notification: &RenewCertificatesNotification, context: &mut Context<'_>) {
        let secrets = notification.unit_secrets.as_ref().map(|secrets| &secrets.nodes);
        let has_secret =
            |node: &str| secrets.is_some_and(|nodes| nodes.iter().any(|secret| secret.node.name() == node));
        let wanted: Vec<(String, String)> = notification
            .certificates
            .iter()
            .map(|certificate| (certificate.kind.to_string(), certificate.node.name().to_owned()))
            .collect();
        if wanted.iter().all(|(_, node)| has_secret(node)) {
            self.request_certificates(&wanted, context);
        }
    }

    /// Installs what was issued and says what came of each.
    pub(super) fn install_certificates(
        &mut self,
        issued: &IssuedUnitCertificates,
        context: &mut Context<'_>,
    ) {
        let mut order: Vec<_> = issued.certificates.iter().collect();
        // The main node comes last, and its `iam` at the very end.
        order.sort_by_key(|certificate| {
            let node = certificate.node.name().to_owned();
            let iam = certificate.kind == CertificateType::IdentityManager;
            (node == MAIN_NODE, node, iam)
        });
        let mut confirmations = Vec::new();
        for certificate in order {
            let (kind, node) = (certificate.kind.to_string(), certificate.node.name().to_owned());
            let mut entry = json!({"type": kind, "node": {"codename": node}});
            match self.install(&kind, &node, &certificate.certificate_chain, context) {
                Some(serial) => entry["serial"] = json!(serial),
                None => {
                    entry["serial"] = json!("");
                    entry["errorInfo"] = error_info(6, "chain does not match key");
                }
            }
            confirmations.push(entry);
        }
        if !confirmations.is_empty() {
            let data = json!({"certificates": confirmations});
            self.post("installUnitCertificatesConfirmation", data, context);
        }
        context.timer(CERTIFICATE_TIMER, Duration::from_secs(1));
    }

    fn install(&mut self, kind: &str, node: &str, chain: &str, context: &mut Context<'_>) -> Option<String> {
        let key = (kind.to_owned(), node.to_owned());
        let pending = self.keys.get(&key)?.clone();
        if public_key_of_request(&pending.request)? != public_key(chain)? {
            return None;
        }
        self.keys.remove(&key);
        let identity = Identity {
            certificate_chain: chain.to_owned(),
            private_key: pending.private_key,
        };
        let serial = identity.facts().ok()?.serial;
        context
            .hardware
            .observe(&format!("certificate/{kind}"), serial.clone());
        if kind == "online" && node == MAIN_NODE {
            self.store.online = Some((identity.certificate_chain, identity.private_key));
            self.save(context);
        }
        Some(serial)
    }

    /// Reports an online certificate that is about to expire and asks for a new one (seed).
    pub(super) fn certificates_due(&mut self, context: &mut Context<'_>) {
        context.timer(CERTIFICATE_TIMER, Duration::from_secs(60));
        let recently = |at| context.now().since(at) < Duration::from_secs(60);
        if self.dialect != Dialect::Seed
            || self.connection.socket().is_none()
            || self.renewed.is_some_and(recently)
        {
            return;
        }
        let given = context.setup.endpoints.identities.get("online");
        let own = self.store.online.as_ref().map(|(chain, _)| chain.clone());
        let Some(chain) = own.or_else(|| given.map(|given| given.certificate_chain.clone())) else {
            return;
        };
        let Some((till, serial)) = expiry(&chain) else {
            return;
        };
        let margin = context.setup.seconds("certificate_margin", 30.0 * 86_400.0);
        if till - context.wall_us() > i64::try_from(margin.as_micros()).unwrap_or(i64::MAX) {
            return;
        }
        self.journal(
            format!("the online certificate expires, now {}", timestamp(context)),
            context,
        );
        let entry = json!({
            "type": "online",
            "node": {"codename": MAIN_NODE},
            "serial": serial,
            "validTill": format_micros(till),
        });
        let data: Value = json!({"certificates": [entry]});
        self.post("renewCertificatesNotification", data, context);
        self.request_certificates(&[("online".to_owned(), MAIN_NODE.to_owned())], context);
    }
}

fn public_key(chain: &str) -> Option<Vec<u8>> {
    let (_, pem) = parse_x509_pem(chain.as_bytes()).ok()?;
    let certificate = pem.parse_x509().ok()?;
    Some(certificate.public_key().raw.to_vec())
}

fn public_key_of_request(request: &str) -> Option<Vec<u8>> {
    let (_, pem) = parse_x509_pem(request.as_bytes()).ok()?;
    let (_, request) = X509CertificationRequest::from_der(&pem.contents).ok()?;
    Some(request.certification_request_info.subject_pki.raw.to_vec())
}

/// When the leaf of a chain expires, Unix microseconds, and its serial number.
fn expiry(chain: &str) -> Option<(i64, String)> {
    let (_, pem) = parse_x509_pem(chain.as_bytes()).ok()?;
    let certificate = pem.parse_x509().ok()?;
    let till = certificate
        .validity()
        .not_after
        .timestamp()
        .checked_mul(1_000_000)?;
    let identity = Identity {
        certificate_chain: chain.to_owned(),
        private_key: String::new(),
    };
    Some((till, identity.facts().ok()?.serial))
}
