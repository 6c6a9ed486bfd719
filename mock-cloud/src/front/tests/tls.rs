//! TLS faces.

use super::toy::{Bench, run};
use crate::{CloudSettings, core::Security, front::FaceSecurity, pki::Pki};
use hil_link::{Clock, pki::Identity, tls::Connector};
use hil_wire::Protocol;
use serde_json::{Map, json};
use std::{collections::BTreeMap, rc::Rc};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

pub(super) fn settings() -> CloudSettings {
    CloudSettings {
        protocol: Protocol::EdgePoll,
        bind: "toy".to_owned(),
        advertised_host: "toy".to_owned(),
        ports: BTreeMap::new(),
        public_url: None,
        unit_id: "unit".to_owned(),
        unit_key: "key".to_owned(),
        admin_token: "admin".to_owned(),
        publish_token: "publish".to_owned(),
        options: Map::new(),
        seed: 1,
    }
}

fn security(pki: &Rc<Pki>) -> FaceSecurity {
    FaceSecurity::new("toy", Security::MutualTls, pki, &settings())
        .unwrap()
        .unwrap()
}

/// The identity the unit `unit-1` is given for TLS.
fn online(pki: &Pki, settings: &CloudSettings) -> Option<Identity> {
    let wanted = vec![("online".to_owned(), "unit-1".to_owned())];
    let mut identities = pki.identities(wanted, |_| None, settings).unwrap();
    identities.remove("online").unwrap()
}

#[test]
fn what_a_careful_cloud_turns_away() {
    for (kind, reason) in [
        ("none", "peer sent no certificates"),
        ("expired", "invalid peer certificate: certificate expired"),
        ("not_yet", "invalid peer certificate: certificate not valid yet"),
        ("other_authority", "invalid peer certificate: UnknownIssuer"),
        ("revoked", "invalid peer certificate: Revoked"),
    ] {
        run(async {
            let mut settings = settings();
            settings
                .options
                .insert("unit_certificate".to_owned(), json!(kind));
            let pki = Rc::new(Pki::new(&settings, Clock::new_virtual()).unwrap());
            let identity = online(&pki, &settings);
            assert_eq!(identity.is_none(), kind == "none");
            let bench = Bench::start(Some(security(&pki))).await;
            let authority = pki.authority.authority_pem();
            let connector = Connector::new(authority, identity.as_ref(), &bench.clock).unwrap();
            // With TLS 1.3 a client learns of its refusal after its own part of the handshake.
            if let Ok((mut stream, _)) = connector.connect(bench.connect("toy").await, "toy").await {
                assert!(stream.read(&mut [0; 1]).await.is_err(), "{kind}");
            }
            bench.told().await;
            let refused = format!("refused: {reason}");
            let trace = bench.trace();
            assert!(
                trace.iter().any(|line| line.starts_with(&refused)),
                "{kind}: {trace:?}"
            );
        });
    }
}

#[test]
fn another_unit_is_who_its_certificate_names() {
    run(async {
        let mut settings = settings();
        let option = ("unit_certificate".to_owned(), json!("another_unit"));
        settings.options.extend([option]);
        let pki = Rc::new(Pki::new(&settings, Clock::new_virtual()).unwrap());
        let identity = online(&pki, &settings);
        let bench = Bench::start(Some(security(&pki))).await;
        let authority = pki.authority.authority_pem();
        let connector = Connector::new(authority, identity.as_ref(), &bench.clock).unwrap();
        let accepted = connector.connect(bench.connect("toy").await, "toy").await;
        assert!(accepted.is_ok());
        bench.told().await;
        let secured = "secured TLSv1_3 Some(\"another-unit-1\")".to_owned();
        assert!(bench.trace().contains(&secured), "{:?}", bench.trace());
        settings
            .options
            .extend([("unit_certificate".to_owned(), json!("nobody"))]);
        assert!(Pki::new(&settings, Clock::new_virtual()).is_err());
    });
}

#[test]
fn what_a_careful_unit_turns_away() {
    for ((fault, arguments), reason) in [
        (
            ("tls.certificate", json!({"certificate": "expired"})),
            "the peer refused: CertificateExpired",
        ),
        (
            ("tls.certificate", json!({"certificate": "not_yet"})),
            "the peer refused: CertificateExpired",
        ),
        (
            ("tls.certificate", json!({"certificate": "wrong_name"})),
            "the peer refused: BadCertificate",
        ),
        (
            ("tls.certificate", json!({"certificate": "self_signed"})),
            "the peer refused: UnknownCA",
        ),
        (
            ("tls.certificate", json!({"certificate": "other_authority"})),
            "the peer refused: UnknownCA",
        ),
        (
            ("tls.version", json!({"version": "1.1"})),
            "the peer refused TLS 1.1: alert 70, level 2",
        ),
        (
            ("tls.version", json!({"version": "1.0"})),
            "the peer refused TLS 1.0: alert 70, level 2",
        ),
    ] {
        run(async {
            let pki = Rc::new(Pki::new(&settings(), Clock::new_virtual()).unwrap());
            let identity = online(&pki, &settings());
            let bench = Bench::start(Some(security(&pki))).await;
            bench.arm(fault, arguments.clone());
            let authority = pki.authority.authority_pem();
            let connector = Connector::new(authority, identity.as_ref(), &bench.clock).unwrap();
            let refused = connector.connect(bench.connect("toy").await, "toy").await;
            assert!(refused.is_err());
            bench.told().await;
            let refused = format!("refused: {reason}");
            assert!(bench.trace().contains(&refused), "{:?}", bench.trace());
        });
    }
}

#[test]
fn the_core_learns_whom_a_certificate_names_and_strangers_are_refused() {
    run(async {
        let clock = Clock::new_virtual();
        let pki = Rc::new(Pki::new(&settings(), clock).unwrap());
        let identity = online(&pki, &settings());
        let bench = Bench::start(Some(security(&pki))).await;
        let authority = pki.authority.authority_pem();
        let connector = Connector::new(authority, identity.as_ref(), &bench.clock).unwrap();
        let (mut stream, _) = connector
            .connect(bench.connect("toy").await, "toy")
            .await
            .unwrap();
        let request = b"GET /who HTTP/1.1\r\nHost: toy\r\nConnection: close\r\n\r\n";
        stream.write_all(request).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.ends_with(r#"{"peer":"unit-1"}"#), "{answer}");

        let stranger = Connector::new(authority, None, &bench.clock).unwrap();
        if let Ok((mut stream, _)) = stranger.connect(bench.connect("toy").await, "toy").await {
            assert!(stream.read(&mut [0; 1]).await.is_err());
        }
        bench.told().await;
        assert_eq!(
            bench.trace(),
            [
                "opened 1 toy by Unit",
                "secured TLSv1_3 Some(\"unit-1\")",
                "Unit GET toy /who",
                "Cloud 200",
                "closed 1 Fin by Unit",
                "opened 2 toy by Unit",
                "refused: peer sent no certificates",
                "closed 2 Broken by Cloud",
            ]
        );
    });
}
