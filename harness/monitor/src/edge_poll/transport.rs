//! Whom the unit speaks to: certificates, TLS versions, and plain transport beside a TLS API (POLL-SEC-001 to 003,
//! POLL-DL-007).

use crate::{Judge, Monitor, Tally, old_tls::turned_down};
use hil_trace::{Event, HowClosed, Party, Record, RecordBody, Stamp, Who};
use std::collections::BTreeMap;

/// Follows connections from their opening, and what each is presented.
pub(super) struct TransportMonitor {
    connections: BTreeMap<u32, Connection>,
    /// The record that shows that the API speaks TLS.
    secure: Option<u64>,
    /// Redirects to plain http since a version was told last: where to, and their records.
    led_to_plain: Vec<(String, u64)>,
    certificates: Tally,
    versions: Tally,
    plain: Tally,
    led_on: Tally,
}

/// Something no unit may accept.
#[derive(Clone)]
struct Presented {
    certificate: Option<String>,
    old_version: bool,
    record: u64,
}

struct Connection {
    face: String,
    presented: Option<Presented>,
    /// The handshake is done, and nothing was asked yet.
    silent: bool,
}

impl Default for TransportMonitor {
    fn default() -> Self {
        TransportMonitor {
            connections: BTreeMap::new(),
            secure: None,
            led_to_plain: Vec::new(),
            certificates: Tally::new("POLL-SEC-001"),
            versions: Tally::new("POLL-SEC-002"),
            plain: Tally::new("POLL-SEC-003"),
            led_on: Tally::new("POLL-DL-007"),
        }
    }
}

impl Monitor for TransportMonitor {
    fn name(&self) -> &'static str {
        "edge-poll/transport"
    }

    fn requirements(&self) -> &'static [&'static str] {
        &["POLL-DL-007", "POLL-SEC-001", "POLL-SEC-002", "POLL-SEC-003"]
    }

    fn observe(&mut self, record: &Record, events: &[Event], judge: &mut Judge<'_>) {
        for event in events {
            match (event.who, event.name.as_str()) {
                (Who::Cloud, "tls_presented") => self.presented(record.seq, event),
                (Who::Cloud, "latest_answer") => self.led_to_plain.clear(),
                (Who::Cloud, "download_answer") => self.redirected(record.seq, event),
                _ => {}
            }
        }
        match &record.what {
            RecordBody::ConnectionOpened {
                connection,
                face,
                by: Party::Unit,
            } => {
                let opened = Connection {
                    face: face.clone(),
                    presented: None,
                    silent: false,
                };
                self.connections.insert(*connection, opened);
            }
            RecordBody::ConnectionClosed { connection, .. } => {
                let closed = self.connections.remove(connection);
                // Some check the name in a certificate only after the handshake.
                if closed.is_some_and(|closed| closed.silent && closed.presented.is_some()) {
                    self.certificates.met(record.seq);
                }
            }
            RecordBody::TlsEstablished { connection, .. } => {
                if let Some(opened) = self.connections.get_mut(connection) {
                    opened.silent = true;
                }
                if self.connections.get(connection).is_some_and(|c| c.face == API) {
                    self.secure.get_or_insert(record.seq);
                }
            }
            RecordBody::TlsRefused { connection, reason } => {
                self.refused(*connection, reason, record.seq, judge);
            }
            RecordBody::HttpRequest {
                connection,
                from: Party::Unit,
                method,
                target,
                ..
            } => self.request(*connection, method, target, record.seq, judge),
            _ => {}
        }
    }

    fn close(&mut self, _: Stamp, _: HowClosed, judge: &mut Judge<'_>) {
        let tallies = [
            &mut self.certificates,
            &mut self.versions,
            &mut self.plain,
            &mut self.led_on,
        ];
        for tally in tallies {
            tally.close(judge);
        }
    }
}

impl TransportMonitor {
    /// A connection is presented something that is not good.
    fn presented(&mut self, record: u64, event: &Event) {
        let certificate = event.text("certificate").filter(|name| *name != "good");
        let old_version = matches!(event.text("version"), Some("1.0" | "1.1"));
        let connection = event.field("connection").and_then(|number| number.as_u64());
        let connection = connection.and_then(|number| u32::try_from(number).ok());
        let opened = connection.and_then(|number| self.connections.get_mut(&number));
        if let Some(opened) = opened.filter(|_| certificate.is_some() || old_version) {
            opened.presented = Some(Presented {
                certificate: certificate.map(str::to_owned),
                old_version,
                record,
            });
        }
    }

    fn refused(&mut self, connection: u32, reason: &str, record: u64, judge: &mut Judge<'_>) {
        let Some(presented) = self
            .connections
            .get(&connection)
            .and_then(|c| c.presented.clone())
        else {
            return;
        };
        if !presented.old_version {
            self.certificates.met(record);
            return;
        }
        match turned_down(reason) {
            Some(true) => self.versions.met(record),
            Some(false) => {
                let text = format!("a version of TLS below 1.2 was not refused: {reason}");
                self.versions
                    .violated(text, vec![presented.record, record], judge);
            }
            None => {}
        }
    }

    /// An answer may lead on to plain http.
    fn redirected(&mut self, record: u64, event: &Event) {
        let status = event.field("http_status").and_then(|status| status.as_u64());
        if let (Some(301 | 302 | 303 | 307 | 308), Some(to)) = (status, event.text("location"))
            && to.starts_with("http://")
        {
            self.led_to_plain.push((to.to_owned(), record));
        }
    }

    fn request(&mut self, connection: u32, method: &str, target: &str, record: u64, judge: &mut Judge<'_>) {
        let what = format!("{method} {target}");
        let Some(opened) = self.connections.get_mut(&connection) else {
            return;
        };
        opened.silent = false;
        if let Some(Presented {
            certificate: Some(certificate),
            record: changed,
            ..
        }) = &opened.presented
        {
            let text = format!("{what} was sent although the certificate was invalid: {certificate}");
            self.certificates.violated(text, vec![*changed, record], judge);
        }
        if let Some(secure) = self.secure.filter(|_| opened.face == PLAIN) {
            let mut redirects = self.led_to_plain.iter().rev();
            match redirects.find(|(to, _)| to.ends_with(target)) {
                Some((_, redirect)) => {
                    let text = format!("a redirect from https to plain http was followed: {what}");
                    self.led_on.violated(text, vec![*redirect, record], judge);
                }
                None => {
                    let text = format!("{what} was sent over plain http although the API speaks TLS");
                    self.plain.violated(text, vec![secure, record], judge);
                }
            }
        }
    }
}

const API: &str = "edge-api";
const PLAIN: &str = "blob-plain";
