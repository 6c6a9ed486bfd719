//! The authority of a run: makes identities for the mock cloud's faces and for units.

use super::{Identity, Serial, Subject, Validity, serial::SerialSequence};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, DnValue,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, PublicKeyData,
    RevocationReason, RevokedCertParams, SerialNumber,
};
use std::time::Duration;

/// Why a certificate could not be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PkiError {
    /// Ends are reversed or outside the years 1970 to 9999.
    #[error("a certificate cannot be valid from Unix second {} to {}", .0.not_before, .0.not_after)]
    Validity(Validity),
    /// Not a host name, an address, or a text a certificate can hold.
    #[error("`{0}` cannot stand in a certificate")]
    BadName(String),
    /// Not a certificate in PEM or DER.
    #[error("not an X.509 certificate")]
    NotACertificate,
    /// Not a private key in PKCS#8 PEM, or of an unknown kind.
    #[error("not a usable private key: {0}")]
    BadKey(rcgen::Error),
    /// The library could not make a key or sign.
    #[error("cannot sign: {0}")]
    Signing(rcgen::Error),
}

/// A certificate authority with an ECDSA P-256 key. Its subject carries a digest of the key, so no two have the
/// same name.
pub struct Authority {
    pub(super) issuer: Issuer<'static, KeyPair>,
    pub(super) serials: SerialSequence,
    certificate_pem: String,
}

impl Authority {
    /// A new authority, valid for thirty years around the given time; the seed decides the serial numbers it issues.
    pub fn new(name: &str, clock_unix_us: i64, seed: u64) -> Result<Self, PkiError> {
        let key = new_key()?;
        let mut parameters = parameters(long(clock_unix_us))?;
        let serials = SerialSequence::new(seed);
        parameters.serial_number = Some(serials.next().number());
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        parameters
            .distinguished_name
            .push(DnType::OrganizationName, "hil test authority");
        parameters
            .distinguished_name
            .push(DnType::CommonName, printable(name)?);
        let digest = hex::encode(parameters.key_identifier(&key));
        let unique = DnValue::Utf8String(digest[..16].to_owned());
        parameters
            .distinguished_name
            .push(DnType::OrganizationalUnitName, unique);
        let certificate = parameters.self_signed(&key).map_err(PkiError::Signing)?;
        Ok(Authority {
            certificate_pem: certificate.pem(),
            issuer: Issuer::new(parameters, key),
            serials,
        })
    }

    /// An authority from its certificate and key, both PEM; they must belong together.
    pub fn from_pem(certificate: &str, key: &str, seed: u64) -> Result<Self, PkiError> {
        let key = KeyPair::from_pem(key).map_err(PkiError::BadKey)?;
        let (_, pem) = x509_parser::pem::parse_x509_pem(certificate.as_bytes())
            .map_err(|_| PkiError::NotACertificate)?;
        let parsed = pem.parse_x509().map_err(|_| PkiError::NotACertificate)?;
        if parsed.public_key().raw != key.subject_public_key_info() {
            return Err(PkiError::BadKey(rcgen::Error::CouldNotParseKeyPair));
        }
        let issuer = Issuer::from_ca_cert_pem(certificate, key).map_err(|_| PkiError::NotACertificate)?;
        Ok(Authority {
            certificate_pem: certificate.to_owned(),
            issuer,
            serials: SerialSequence::new(seed),
        })
    }

    /// Its certificate, PEM: what a party must trust.
    pub fn authority_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// Its private key, PKCS#8 PEM.
    pub fn private_key_pem(&self) -> String {
        self.issuer.key().serialize_pem()
    }

    /// A server identity for host names and addresses; the first one is the common name too.
    pub fn issue_server(&self, names: &[&str], validity: Validity) -> Result<Identity, PkiError> {
        let key = new_key()?;
        let mut parameters = server_parameters(names, validity)?;
        parameters.serial_number = Some(self.serials.next().number());
        parameters.use_authority_key_identifier_extension = true;
        self.identity(&parameters, &key)
    }

    /// A client identity with a fresh key; without a serial number the next one of the sequence is taken.
    pub fn issue_client(
        &self,
        subject: &Subject,
        validity: Validity,
        serial: Option<&Serial>,
    ) -> Result<Identity, PkiError> {
        self.client(subject, validity, serial, &new_key()?)
    }

    /// A client identity for an existing key (PKCS#8 PEM; ECDSA, Ed25519 or RSA).
    pub fn issue_client_for_key(
        &self,
        subject: &Subject,
        validity: Validity,
        serial: Option<&Serial>,
        private_key: &str,
    ) -> Result<Identity, PkiError> {
        let key = KeyPair::from_pem(private_key).map_err(PkiError::BadKey)?;
        self.client(subject, validity, serial, &key)
    }

    /// The list of certificates it has revoked, DER.
    pub fn revoke(&self, serials: &[Serial], validity: Validity) -> Result<Vec<u8>, PkiError> {
        let (this_update, next_update) = validity.ends()?;
        let revoked = |serial: &Serial| RevokedCertParams {
            serial_number: serial.number(),
            revocation_time: this_update,
            reason_code: Some(RevocationReason::KeyCompromise),
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update,
            next_update,
            crl_number: self.serials.next().number(),
            issuing_distribution_point: None,
            revoked_certs: serials.iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let signed = list.signed_by(&self.issuer).map_err(PkiError::Signing)?;
        Ok(signed.der().to_vec())
    }

    fn client(
        &self,
        subject: &Subject,
        validity: Validity,
        serial: Option<&Serial>,
        key: &KeyPair,
    ) -> Result<Identity, PkiError> {
        let mut parameters = client_parameters(validity)?;
        parameters.distinguished_name = subject.distinguished_name();
        parameters.serial_number = Some(self.serial_or_next(serial));
        self.identity(&parameters, key)
    }

    fn serial_or_next(&self, serial: Option<&Serial>) -> SerialNumber {
        serial.map_or_else(|| self.serials.next().number(), Serial::number)
    }

    fn identity(&self, parameters: &CertificateParams, key: &KeyPair) -> Result<Identity, PkiError> {
        let certificate = parameters
            .signed_by(key, &self.issuer)
            .map_err(PkiError::Signing)?;
        Ok(Identity {
            certificate_chain: certificate.pem(),
            private_key: key.serialize_pem(),
        })
    }
}

/// A server identity no authority vouches for; its serial number is random.
pub fn self_signed(names: &[&str], validity: Validity) -> Result<Identity, PkiError> {
    let key = new_key()?;
    let parameters = server_parameters(names, validity)?;
    let certificate = parameters.self_signed(&key).map_err(PkiError::Signing)?;
    Ok(Identity {
        certificate_chain: certificate.pem(),
        private_key: key.serialize_pem(),
    })
}

pub(super) fn new_key() -> Result<KeyPair, PkiError> {
    KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).map_err(PkiError::Signing)
}

pub(super) fn client_parameters(validity: Validity) -> Result<CertificateParams, PkiError> {
    let mut parameters = parameters(validity)?;
    parameters.is_ca = IsCa::ExplicitNoCa;
    parameters.use_authority_key_identifier_extension = true;
    parameters.key_usages = vec![
        KeyUsagePurpose::DigitalSignature,
        KeyUsagePurpose::KeyEncipherment,
    ];
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    Ok(parameters)
}

fn server_parameters(names: &[&str], validity: Validity) -> Result<CertificateParams, PkiError> {
    let mut parameters = parameters(validity)?;
    parameters.is_ca = IsCa::ExplicitNoCa;
    for name in names {
        let one = CertificateParams::new(vec![printable(name)?.to_owned()]);
        let one = one.map_err(|_| PkiError::BadName((*name).to_owned()))?;
        parameters.subject_alt_names.extend(one.subject_alt_names);
    }
    if let Some(first) = names.first() {
        parameters.distinguished_name.push(DnType::CommonName, *first);
    }
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(parameters)
}

fn parameters(validity: Validity) -> Result<CertificateParams, PkiError> {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = rcgen::DistinguishedName::new();
    (parameters.not_before, parameters.not_after) = validity.ends()?;
    Ok(parameters)
}

fn printable(name: &str) -> Result<&str, PkiError> {
    if name.is_empty() || name.chars().any(char::is_control) {
        return Err(PkiError::BadName(name.to_owned()));
    }
    Ok(name)
}

fn long(clock_unix_us: i64) -> Validity {
    let span = Duration::from_secs(15 * 365 * 24 * 3600);
    let mut validity = Validity::for_span(clock_unix_us, span);
    validity.not_before = (validity.not_before - span.as_secs() as i64).max(0);
    validity
}
