//! TLS over a network in memory, in virtual time.

use hil_link::{
    Address, Clock, Network, Stream,
    pki::{self, Authority, CertificateRequest, Identity, SubjectPolicy, Validity},
    tls::{Acceptor, ClientRefusal, Connector, KeyLog, PeerFacts, TlsError, TlsSettings},
};
use rustls::{AlertDescription, CertificateError};
use std::{sync::Arc, time::Duration};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

type Outcome = Result<(Stream, PeerFacts), TlsError>;

struct Bench {
    clock: Clock,
    network: Network,
    authority: Authority,
}

impl Bench {
    fn new() -> Self {
        Bench {
            clock: Clock::new_virtual(),
            network: Network::new_memory(),
            authority: Authority::new("bench", Clock::VIRTUAL_EPOCH_US, 1).unwrap(),
        }
    }

    fn now(&self) -> i64 {
        self.clock.unix_us(self.clock.now())
    }

    fn server(&self) -> Identity {
        self.authority
            .issue_server(&["cloud"], Validity::usual(self.now()))
            .unwrap()
    }

    fn client(&self) -> Identity {
        self.authority
            .issue_client(&"unit-1".into(), Validity::usual(self.now()), None)
            .unwrap()
    }

    fn acceptor(&self, server: &Identity) -> Acceptor {
        Acceptor::new(server, Some(self.authority.authority_pem()), true, &self.clock).unwrap()
    }

    fn connector(&self, client: Option<&Identity>) -> Connector {
        Connector::new(self.authority.authority_pem(), client, &self.clock).unwrap()
    }

    /// What the server and the client see.
    async fn meet(&self, acceptor: &Acceptor, connector: &Connector) -> (Outcome, Outcome) {
        let address = Address::Host("cloud".to_owned(), 443);
        let mut listener = self.network.listen(&address).await.unwrap();
        let server = async { acceptor.accept(listener.accept().await.unwrap()).await };
        let client = async {
            let stream = self.network.connect(&address).await.unwrap();
            connector.connect(stream, "cloud").await
        };
        tokio::join!(server, client)
    }
}

#[tokio::test(start_paused = true)]
async fn both_sides_know_each_other_and_talk() {
    let bench = Bench::new();
    let client = bench.client();
    let (server, unit) = bench
        .meet(&bench.acceptor(&bench.server()), &bench.connector(Some(&client)))
        .await;
    let ((mut server, of_unit), (mut unit, of_cloud)) = (server.unwrap(), unit.unwrap());
    assert_eq!(of_unit.version, "TLSv1_3");
    assert_eq!(of_unit.certificate, Some(client.facts().unwrap()));
    assert_eq!(of_unit.server_name.as_deref(), Some("cloud"));
    assert_eq!(of_unit.protocol, None);
    assert_eq!(of_cloud.certificate.unwrap().common_name, "cloud");

    let sent = vec![7; 300_000];
    let write = async {
        unit.write_all(&sent).await.unwrap();
        unit.shutdown().await.unwrap();
    };
    let mut received = Vec::new();
    let (_, read) = tokio::join!(write, server.read_to_end(&mut received));
    read.unwrap();
    assert_eq!(received, sent);
}

#[tokio::test(start_paused = true)]
async fn a_reset_below_tls_is_seen_on_both_sides() {
    let bench = Bench::new();
    let client = bench.client();
    let (server, unit) = bench
        .meet(&bench.acceptor(&bench.server()), &bench.connector(Some(&client)))
        .await;
    let ((mut server, _), (mut unit, _)) = (server.unwrap(), unit.unwrap());
    server.handle().reset();
    let broken = server.read_u8().await.unwrap_err();
    assert_eq!(broken.kind(), std::io::ErrorKind::ConnectionReset);
    let broken = unit.read_u8().await.unwrap_err();
    assert_eq!(broken.kind(), std::io::ErrorKind::ConnectionReset);
}

#[tokio::test(start_paused = true)]
async fn a_client_without_certificate_is_refused_by_the_server_only() {
    let bench = Bench::new();
    let acceptor = bench.acceptor(&bench.server());
    let (server, unit) = bench.meet(&acceptor, &bench.connector(None)).await;
    let refused = server.err().unwrap();
    assert!(
        matches!(refused, TlsError::Refused(rustls::Error::NoCertificatesPresented)),
        "{refused}"
    );
    // TLS 1.3: the client learns it with its first read.
    let (mut unit, _) = unit.unwrap();
    assert!(
        TlsError::from(unit.read_u8().await.unwrap_err())
            .to_string()
            .contains("CertificateRequired")
    );

    let optional = Acceptor::new(
        &bench.server(),
        Some(bench.authority.authority_pem()),
        false,
        &bench.clock,
    );
    let (server, _) = bench.meet(&optional.unwrap(), &bench.connector(None)).await;
    assert_eq!(server.unwrap().1.certificate, None);
}

#[tokio::test(start_paused = true)]
async fn a_good_client_is_refused_with_the_alert_of_the_reason() {
    let bench = Bench::new();
    for (refusal, alert) in [
        (ClientRefusal::Revoked, AlertDescription::CertificateRevoked),
        (ClientRefusal::OfAnother, AlertDescription::AccessDenied),
        (ClientRefusal::Missing, AlertDescription::HandshakeFailure),
    ] {
        let settings = TlsSettings {
            refuses_clients: Some(refusal),
            ..TlsSettings::default()
        };
        let authority = bench.authority.authority_pem();
        let acceptor = Acceptor::with(&bench.server(), Some(authority), true, &bench.clock, &settings);
        let client = bench.client();
        let (server, unit) = bench
            .meet(&acceptor.unwrap(), &bench.connector(Some(&client)))
            .await;
        assert!(matches!(server.err().unwrap(), TlsError::Refused(_)));
        let seen = TlsError::from(unit.unwrap().0.read_u8().await.unwrap_err());
        assert!(
            matches!(seen, TlsError::RefusedByPeer(found) if found == alert),
            "{seen}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn another_authority_is_refused_on_either_side() {
    let bench = Bench::new();
    let other = Authority::new("bench", Clock::VIRTUAL_EPOCH_US, 1).unwrap();
    let stranger = other
        .issue_client(&"unit-1".into(), Validity::usual(bench.now()), None)
        .unwrap();
    let (server, _) = bench
        .meet(
            &bench.acceptor(&bench.server()),
            &bench.connector(Some(&stranger)),
        )
        .await;
    let refused = server.err().unwrap();
    assert!(is(&refused, CertificateError::UnknownIssuer), "{refused}");

    let foreign = other
        .issue_server(&["cloud"], Validity::usual(bench.now()))
        .unwrap();
    let (server, unit) = bench
        .meet(&bench.acceptor(&foreign), &bench.connector(Some(&bench.client())))
        .await;
    let refused = unit.err().unwrap();
    assert!(is(&refused, CertificateError::UnknownIssuer), "{refused}");
    let seen = server.err().unwrap();
    assert!(
        matches!(seen, TlsError::RefusedByPeer(AlertDescription::UnknownCA)),
        "{seen}"
    );

    let nobody = pki::self_signed(&["cloud"], Validity::usual(bench.now())).unwrap();
    let (_, unit) = bench
        .meet(&bench.acceptor(&nobody), &bench.connector(Some(&bench.client())))
        .await;
    assert!(matches!(unit.err().unwrap(), TlsError::Refused(_)));
}

#[tokio::test(start_paused = true)]
async fn another_name_is_refused() {
    let bench = Bench::new();
    let validity = Validity::usual(bench.now());
    let elsewhere = bench
        .authority
        .issue_server(&["elsewhere", "127.0.0.1"], validity)
        .unwrap();
    let (_, unit) = bench
        .meet(
            &bench.acceptor(&elsewhere),
            &bench.connector(Some(&bench.client())),
        )
        .await;
    assert!(unit.err().unwrap().to_string().contains("not valid for name"));
}

#[tokio::test(start_paused = true)]
async fn certificates_expire_in_virtual_time() {
    let bench = Bench::new();
    let week = Duration::from_secs(7 * 24 * 3600);
    let short = Validity::for_span(bench.now(), week);
    let server = bench.authority.issue_server(&["cloud"], short).unwrap();
    let acceptor = bench.acceptor(&server);
    let connector = bench.connector(Some(&bench.client()));
    let (seen, unit) = bench.meet(&acceptor, &connector).await;
    assert!(seen.is_ok() && unit.is_ok());
    bench.clock.sleep(week + Duration::from_secs(1)).await;
    let (seen, unit) = bench.meet(&acceptor, &connector).await;
    let refused = unit.err().unwrap();
    assert!(refused.to_string().contains("expired"), "{refused}");
    let seen = seen.err().unwrap();
    assert!(
        matches!(
            seen,
            TlsError::RefusedByPeer(AlertDescription::CertificateExpired)
        ),
        "{seen}"
    );

    let early = bench
        .authority
        .issue_client(&"unit-1".into(), Validity::not_yet(bench.now()), None)
        .unwrap();
    let (seen, _) = bench
        .meet(&bench.acceptor(&bench.server()), &bench.connector(Some(&early)))
        .await;
    let refused = seen.err().unwrap();
    assert!(refused.to_string().contains("not valid yet"), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn a_renewed_certificate_shows_its_new_serial() {
    let bench = Bench::new();
    let acceptor = bench.acceptor(&bench.server());
    let old = bench.client();
    let (server, _) = bench.meet(&acceptor, &bench.connector(Some(&old))).await;
    let before = server.unwrap().1.certificate.unwrap();
    let request = CertificateRequest::new(&"unit-1".into()).unwrap();
    let issued = bench
        .authority
        .sign_csr(
            &request.request,
            &SubjectPolicy::AsRequested,
            Validity::usual(bench.now()),
        )
        .unwrap();
    let renewed = Identity {
        certificate_chain: issued.chain_pem,
        private_key: request.private_key,
    };
    let (server, _) = bench.meet(&acceptor, &bench.connector(Some(&renewed))).await;
    let after = server.unwrap().1.certificate.unwrap();
    assert_eq!(after.common_name, "unit-1");
    assert_eq!(after.serial, issued.serial_hex);
    assert_ne!(after.serial, before.serial);
}

#[tokio::test(start_paused = true)]
async fn settings_choose_version_protocol_and_key_log() {
    let bench = Bench::new();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keys.log");
    let settings = TlsSettings {
        http_1_1: true,
        only_1_2: true,
        key_log: Some(Arc::new(KeyLog::append_to(&path).unwrap())),
        ..TlsSettings::default()
    };
    let acceptor = Acceptor::with(&bench.server(), None, false, &bench.clock, &settings).unwrap();
    let unset = TlsSettings {
        key_log: None,
        ..settings
    };
    let authority = bench.authority.authority_pem();
    let connector = Connector::with(authority, None, &bench.clock, &unset).unwrap();
    let (server, unit) = bench.meet(&acceptor, &connector).await;
    for facts in [server.unwrap().1, unit.unwrap().1] {
        assert_eq!(facts.version, "TLSv1_2");
        assert_eq!(facts.protocol.as_deref(), Some("http/1.1"));
    }
    let log = std::fs::read_to_string(path).unwrap();
    assert!(log.starts_with("CLIENT_RANDOM "), "{log}");
}

#[tokio::test(start_paused = true)]
async fn noise_is_no_handshake() {
    let bench = Bench::new();
    let address = Address::Host("cloud".to_owned(), 443);
    let mut listener = bench.network.listen(&address).await.unwrap();
    let mut stream = bench.network.connect(&address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let acceptor = bench.acceptor(&bench.server());
    let outcome = acceptor.accept(listener.accept().await.unwrap()).await;
    assert!(matches!(outcome.err().unwrap(), TlsError::Plain));

    let stream = bench.network.connect(&address).await.unwrap();
    drop(listener.accept().await.unwrap());
    let outcome = bench.connector(None).connect(stream, "cloud").await;
    assert!(matches!(outcome.err().unwrap(), TlsError::Transport(_)));
    let stream = bench.network.connect(&address).await.unwrap();
    let outcome = bench.connector(None).connect(stream, "no name").await;
    assert!(matches!(outcome.err().unwrap(), TlsError::BadHost(_)));
}

fn is(error: &TlsError, reason: CertificateError) -> bool {
    matches!(error, TlsError::Refused(rustls::Error::InvalidCertificate(found)) if *found == reason)
}
