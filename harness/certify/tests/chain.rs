//! X.509 certificates of a key.

use hil_certify::{CertificateChain, ChainError, Envelope, EnvelopeError, PrivateKey};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};

const NOW: u64 = 1_800_000_000; // January 2027

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut parameters = CertificateParams::new(Vec::new()).unwrap();
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap()
}

fn leaf(
    key: &KeyPair,
    issuer: &CertifiedIssuer<'static, KeyPair>,
    usage: KeyUsagePurpose,
    extended: Option<ExtendedKeyUsagePurpose>,
) -> String {
    let mut parameters = CertificateParams::new(Vec::new()).unwrap();
    parameters
        .distinguished_name
        .push(DnType::CommonName, "Vendor Ltd");
    parameters.key_usages = vec![usage];
    parameters.extended_key_usages = extended.into_iter().collect();
    parameters.not_before = date_time_ymd(2026, 1, 1);
    parameters.not_after = date_time_ymd(2028, 1, 1);
    parameters.signed_by(key, issuer).unwrap().pem()
}

fn read(pem: &str) -> CertificateChain {
    CertificateChain::from_pem(pem.as_bytes()).unwrap()
}

#[test]
fn a_chain_leads_to_its_authority_and_to_no_other() {
    let (root, other) = (authority("Root"), authority("Other"));
    let key = KeyPair::generate().unwrap();
    let private = PrivateKey::from_pem(&key.serialize_pem()).unwrap();
    let pem = leaf(
        &key,
        &root,
        KeyUsagePurpose::DigitalSignature,
        Some(ExtendedKeyUsagePurpose::CodeSigning),
    );
    let chain = read(&pem);
    assert_eq!(chain.key().unwrap(), private.public().unwrap());
    assert!(chain.subject().contains("Vendor Ltd"));
    assert_eq!(
        chain.verify(&read(&root.pem()), NOW).unwrap(),
        private.public().unwrap()
    );
    let not_trusted = |result| matches!(result, Err(ChainError::NotTrusted { .. }));
    assert!(not_trusted(chain.verify(&read(&other.pem()), NOW)));
    assert!(
        not_trusted(chain.verify(&read(&root.pem()), NOW + 100_000_000)),
        "its time is over"
    );
    assert!(
        not_trusted(chain.verify(&read(&root.pem()), 1_000_000_000)),
        "its time has not come"
    );
    assert_eq!(
        CertificateChain::from_pem(b"nothing").unwrap_err(),
        ChainError::Missing
    );

    let envelope = Envelope::sign(b"{}".to_vec(), &private, &private.public().unwrap(), Some(chain));
    let bytes = envelope.to_bytes();
    let again = Envelope::from_bytes(&bytes).unwrap();
    assert_eq!(again, envelope);
    assert_eq!(again.verify(&private.public().unwrap()), Ok(()));
}

#[test]
fn certificates_for_something_else_are_refused() {
    let root = authority("Root");
    let key = KeyPair::generate().unwrap();
    let trusted = |usage, extended| read(&leaf(&key, &root, usage, extended)).verify(&read(&root.pem()), NOW);
    assert!(trusted(KeyUsagePurpose::DigitalSignature, None).is_ok());
    assert!(matches!(
        trusted(KeyUsagePurpose::KeyEncipherment, None),
        Err(ChainError::KeyUsage(_))
    ));
    let server = trusted(
        KeyUsagePurpose::DigitalSignature,
        Some(ExtendedKeyUsagePurpose::ServerAuth),
    );
    assert!(matches!(server, Err(ChainError::NotTrusted { .. })));
}

#[test]
fn every_flipped_byte_of_an_envelope_is_refused() {
    let root = authority("Root");
    let key = KeyPair::generate().unwrap();
    let private = PrivateKey::from_pem(&key.serialize_pem()).unwrap();
    let chain = read(&leaf(&key, &root, KeyUsagePurpose::DigitalSignature, None));
    let public = private.public().unwrap();
    let payload = br#"{"a":"b"}"#.to_vec();
    let whole = Envelope::sign(payload, &private, &public, Some(chain.clone()));
    let bytes = whole.to_bytes();
    let mut changed = 0;
    for at in 0..bytes.len() {
        for mask in [1, 0x20, 0x80] {
            let mut flipped = bytes.clone();
            flipped[at] ^= mask;
            match Envelope::from_bytes(&flipped) {
                Err(_) => {}
                // The signature does not speak of the certificates: the statement does.
                Ok(envelope) if envelope.chain.as_ref() != Some(&chain) => changed += 1,
                Ok(envelope) => assert!(envelope.verify(&public).is_err(), "byte {at} ^ {mask:#x}"),
            }
        }
    }
    assert!(
        changed > 0,
        "certificates can be exchanged in an envelope, so the statement has to name them"
    );
    for bytes in [&b""[..], b"\n", b"{}\n", &bytes[..bytes.len() - 1]] {
        assert!(matches!(
            Envelope::from_bytes(bytes),
            Err(EnvelopeError::NotCanonical(_) | EnvelopeError::Shape(_))
        ));
    }
}
