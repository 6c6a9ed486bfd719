//! A desired status only the unit can read: CMS EnvelopedData (RFC 5652) for its offline certificate, as the reference
//! has it in section 5.4: RSA PKCS #1 v1.5 key transport, AES-256-CBC content.

use super::{ActError, AosCloud, Map, Now, Value, act::bad, json};
use aes::cipher::{BlockEncryptMut, KeyIvInit, block_padding::Pkcs7};
use base64::{Engine, engine::general_purpose::STANDARD};
use cms::{
    cert::{
        IssuerAndSerialNumber,
        x509::{
            Certificate,
            der::{Any, DecodePem, Encode, asn1::OctetString, oid::ObjectIdentifier},
            spki::AlgorithmIdentifierOwned,
        },
    },
    content_info::{CmsVersion, ContentInfo},
    enveloped_data::{
        EncryptedContentInfo, EnvelopedData, KeyTransRecipientInfo, RecipientIdentifier, RecipientInfo,
        RecipientInfos,
    },
};
use hil_link::pki::{Subject, Validity};
use rand::{RngCore, rngs::SmallRng};
use rsa::{Pkcs1v15Encrypt, RsaPublicKey, pkcs8::DecodePublicKey, rand_core};

impl AosCloud {
    /// A desired status, sealed for the unit (`offline`) or for somebody else (`other`). What is sealed is the whole
    /// data object, its `messageType` too.
    ///
    /// # Errors
    /// `recipient` is neither, or the offline certificate of the unit has no RSA key.
    pub(super) fn sealed(
        &mut self,
        now: Now,
        recipient: &str,
        data: &Map<String, Value>,
    ) -> Result<Value, ActError> {
        let certificate = match recipient {
            "offline" => self.offline_certificate.clone(),
            "other" => Some(self.foreign_certificate(now)?),
            _ => return Err(bad("encrypted", "offline or other")),
        };
        let certificate =
            certificate.ok_or_else(|| bad("encrypted", "the unit has no offline certificate"))?;
        let plain = whole(data);
        let sealed = seal(plain.as_bytes(), &certificate, &mut self.random);
        let sealed = sealed.ok_or_else(|| bad("encrypted", "the offline certificate has no RSA key"))?;
        Ok(json!({"encrypted": STANDARD.encode(sealed)}))
    }

    fn foreign_certificate(&self, now: Now) -> Result<String, ActError> {
        let subject = Subject::named("hil-unit-of-somebody-else-offline");
        let validity = Validity::usual(now.unix_ms.saturating_mul(1000));
        let identity = self
            .authority
            .issue_client_for_key(&subject, validity, None, FOREIGN_KEY);
        let failed = |error: hil_link::pki::PkiError| bad("encrypted", &error.to_string());
        Ok(identity.map_err(failed)?.certificate_chain)
    }
}

/// The whole data object of a desired status with these members.
fn whole(members: &Map<String, Value>) -> String {
    let mut whole = Map::from_iter([("messageType".to_owned(), json!("desiredStatus"))]);
    whole.extend(members.clone());
    Value::Object(whole).to_string()
}

/// DER of the ContentInfo; `None` if the certificate (PEM, the first one counts) has no RSA key.
fn seal(plain: &[u8], certificate: &str, random: &mut SmallRng) -> Option<Vec<u8>> {
    let end = certificate.find(PEM_END)? + PEM_END.len();
    let certificate = Certificate::from_pem(certificate.get(..end)?)
        .ok()?
        .tbs_certificate;
    let key = certificate.subject_public_key_info.to_der().ok()?;
    let key = RsaPublicKey::from_public_key_der(&key).ok()?;
    let (mut content_key, mut iv) = ([0; 32], [0; 16]);
    random.fill_bytes(&mut content_key);
    random.fill_bytes(&mut iv);
    let wrapped = key
        .encrypt(&mut Seeded(random), Pkcs1v15Encrypt, &content_key)
        .ok()?;
    let cipher = cbc::Encryptor::<aes::Aes256>::new(&content_key.into(), &iv.into());
    let cipher = cipher.encrypt_padded_vec_mut::<Pkcs7>(plain);
    let recipient = KeyTransRecipientInfo {
        version: CmsVersion::V0,
        rid: RecipientIdentifier::IssuerAndSerialNumber(IssuerAndSerialNumber {
            issuer: certificate.issuer,
            serial_number: certificate.serial_number,
        }),
        key_enc_alg: AlgorithmIdentifierOwned {
            oid: RSA_ENCRYPTION,
            parameters: Some(Any::null()),
        },
        enc_key: OctetString::new(wrapped).ok()?,
    };
    let enveloped = EnvelopedData {
        version: CmsVersion::V0,
        originator_info: None,
        recip_infos: RecipientInfos(vec![RecipientInfo::Ktri(recipient)].try_into().ok()?),
        encrypted_content: EncryptedContentInfo {
            content_type: DATA,
            content_enc_alg: AlgorithmIdentifierOwned {
                oid: AES_256_CBC,
                parameters: Some(Any::encode_from(&OctetString::new(iv).ok()?).ok()?),
            },
            encrypted_content: Some(OctetString::new(cipher).ok()?),
        },
        unprotected_attrs: None,
    };
    let content = ContentInfo {
        content_type: ENVELOPED_DATA,
        content: Any::encode_from(&enveloped).ok()?,
    };
    content.to_der().ok()
}

/// The cloud's own randomness where the RSA library wants some: a run with the same seed sends the same bytes.
struct Seeded<'r>(&'r mut SmallRng);

impl rand_core::RngCore for Seeded<'_> {
    fn next_u32(&mut self) -> u32 {
        self.0.next_u32()
    }

    fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        self.0.fill_bytes(bytes);
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand_core::Error> {
        self.0.fill_bytes(bytes);
        Ok(())
    }
}

impl rand_core::CryptoRng for Seeded<'_> {}

/// The key of the unit's offline certificate, made for tests: a fresh RSA key takes too long for every run.
pub(super) const OFFLINE_KEY: &str = include_str!("offline_key.pem");
/// The key of somebody else, made for tests.
const FOREIGN_KEY: &str = include_str!("foreign_key.pem");
const PEM_END: &str = "-----END CERTIFICATE-----";
const DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
const ENVELOPED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.3");
const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const AES_256_CBC: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.1.42");

#[cfg(test)]
mod tests {
    use super::*;
    use aes::cipher::BlockDecryptMut;
    use cms::cert::x509::der::Decode;
    use rand::SeedableRng;
    use rsa::{RsaPrivateKey, pkcs8::DecodePrivateKey};

    #[test]
    fn what_is_sealed_opens_with_the_offline_key_and_is_a_whole_data_object() {
        let authority = hil_link::pki::Authority::new("test", 1_800_000_000_000_000, 1).unwrap();
        let (subject, validity) = (
            Subject::named("hil-unit-0001-offline"),
            Validity::usual(1_800_000_000_000_000),
        );
        let identity = authority
            .issue_client_for_key(&subject, validity, None, OFFLINE_KEY)
            .unwrap();
        let desired = Map::from_iter([("items".to_owned(), json!([]))]);
        let plain = whole(&desired);
        let sealed = seal(
            plain.as_bytes(),
            &identity.certificate_chain,
            &mut SmallRng::seed_from_u64(1),
        );
        let content = ContentInfo::from_der(&sealed.unwrap()).unwrap();
        let enveloped: EnvelopedData = content.content.decode_as().unwrap();
        let RecipientInfo::Ktri(recipient) = &enveloped.recip_infos.0.as_slice()[0] else {
            panic!("key transport");
        };
        let key = RsaPrivateKey::from_pkcs8_pem(OFFLINE_KEY).unwrap();
        let key = key
            .decrypt(Pkcs1v15Encrypt, recipient.enc_key.as_bytes())
            .unwrap();
        let key: [u8; 32] = key.try_into().unwrap();
        let content = enveloped.encrypted_content;
        let iv: OctetString = content.content_enc_alg.parameters.unwrap().decode_as().unwrap();
        let iv: [u8; 16] = iv.as_bytes().try_into().unwrap();
        let opened = cbc::Decryptor::<aes::Aes256>::new(&key.into(), &iv.into())
            .decrypt_padded_vec_mut::<Pkcs7>(content.encrypted_content.unwrap().as_bytes())
            .unwrap();
        let opened: Value = serde_json::from_slice(&opened).unwrap();
        assert_eq!(opened, json!({"messageType": "desiredStatus", "items": []}));
    }
}
