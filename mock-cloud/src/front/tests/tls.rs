//! TLS faces.

use super::toy::{Bench, run};
use crate::{CloudSettings, core::Security, front::FaceSecurity, pki::Pki};
use hil_link::{Clock, tls::Connector};
use hil_wire::Protocol;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
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

fn present(pki: &Pki, choice: Value) -> FaceSecurity {
    let choice = serde_json::from_value(choice).unwrap();
    let presented = pki.present(Security::MutualTls, &choice, &settings());
    FaceSecurity::new(presented.unwrap().unwrap())
}

#[test]
fn what_a_careful_unit_turns_away() {
    for (choice, reason) in [
        (
            json!({"certificate": "expired"}),
            "the peer refused: CertificateExpired",
        ),
        (
            json!({"certificate": "not_yet"}),
            "the peer refused: CertificateExpired",
        ),
        (
            json!({"certificate": "wrong_name"}),
            "the peer refused: BadCertificate",
        ),
        (
            json!({"certificate": "self_signed"}),
            "the peer refused: UnknownCA",
        ),
        (
            json!({"certificate": "other_authority"}),
            "the peer refused: UnknownCA",
        ),
        (
            json!({"version": "1.1"}),
            "the peer refused TLS 1.1: alert 70, level 2",
        ),
        (
            json!({"version": "1.0"}),
            "the peer refused TLS 1.0: alert 70, level 2",
        ),
    ] {
        run(async {
            let pki = Pki::new(&settings(), Clock::new_virtual()).unwrap();
            let identities = pki.identities(vec![("online".to_owned(), "unit-1".to_owned())], |_| None);
            let identity = &identities.unwrap()["online"];
            let bench = Bench::start(Some(present(&pki, choice))).await;
            let authority = pki.authority.authority_pem();
            let connector = Connector::new(authority, Some(identity), &bench.clock).unwrap();
            let refused = connector.connect(bench.connect("toy").await, "toy").await;
            assert!(refused.is_err());
            bench.told().await;
            assert_eq!(bench.trace()[1], format!("refused: {reason}"));
        });
    }
}

#[test]
fn the_core_learns_whom_a_certificate_names_and_strangers_are_refused() {
    run(async {
        let clock = Clock::new_virtual();
        let pki = Pki::new(&settings(), clock).unwrap();
        let identities = pki
            .identities(vec![("online".to_owned(), "unit-1".to_owned())], |_| None)
            .unwrap();
        let bench = Bench::start(Some(present(&pki, json!({})))).await;
        let authority = pki.authority.authority_pem();
        let connector = Connector::new(authority, Some(&identities["online"]), &bench.clock).unwrap();
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
