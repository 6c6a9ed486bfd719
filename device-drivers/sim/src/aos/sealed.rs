//! Opening a desired status that is encrypted for the offline certificate (reference section 5.4), with the offline key.

use super::{agent::AosAgent, defects::SEALED_IGNORED};
use crate::Context;
use aes::cipher::{BlockDecryptMut, KeyIvInit, block_padding::Pkcs7};
use base64::{Engine, engine::general_purpose::STANDARD};
use cms::{
    cert::x509::{
        Certificate,
        der::{Decode, DecodePem, asn1::OctetString},
    },
    content_info::ContentInfo,
    enveloped_data::{EnvelopedData, RecipientIdentifier, RecipientInfo},
};
use hil_wire::aos::{DesiredStatus, Dialect, Direction, Message, decode};
use rsa::{Pkcs1v15Encrypt, RsaPrivateKey, pkcs8::DecodePrivateKey};
use serde_json::{Value, json};

impl AosAgent {
    /// Takes a desired status as it is, or opened if it is encrypted and the unit has that feature.
    pub(super) fn desire_perhaps_sealed(&mut self, desired: DesiredStatus, context: &mut Context<'_>) {
        match desired.encrypted.as_deref() {
            None => self.desire(desired, context),
            Some(_) if context.setup.has(SEALED_IGNORED) => {}
            Some(encrypted) => match self.unsealed(encrypted, context) {
                Some(desired) => self.desire(desired, context),
                None => self.journal("a desired status that cannot be decrypted", context),
            },
        }
    }

    /// What is inside; `None` if it is for somebody else or no desired status.
    pub(super) fn unsealed(&self, encrypted: &str, context: &Context<'_>) -> Option<DesiredStatus> {
        let identity = context.setup.endpoints.identities.get("offline")?;
        let plain = open(encrypted, &identity.certificate_chain, &identity.private_key)?;
        let mut data: Value = serde_json::from_slice(&plain).ok()?;
        data["messageType"] = json!("desiredStatus");
        let header = json!({"version": 7, "systemId": self.system_id, "createdAt": "2026-01-01T00:00:00Z", "txn": "inner"});
        let message = json!({"header": header, "data": data}).to_string();
        let decoded = decode(message.as_bytes(), Direction::CloudToUnit, Dialect::Seed);
        match decoded.value?.data {
            Message::DesiredStatus(desired) => Some(desired),
            _ => None,
        }
    }
}

fn open(encrypted: &str, certificate: &str, key: &str) -> Option<Vec<u8>> {
    let end = certificate.find(PEM_END)? + PEM_END.len();
    let own = Certificate::from_pem(certificate.get(..end)?)
        .ok()?
        .tbs_certificate;
    let der = STANDARD.decode(encrypted).ok()?;
    let enveloped: EnvelopedData = ContentInfo::from_der(&der).ok()?.content.decode_as().ok()?;
    let wrapped = enveloped
        .recip_infos
        .0
        .iter()
        .find_map(|recipient| match recipient {
            RecipientInfo::Ktri(recipient) => match &recipient.rid {
                RecipientIdentifier::IssuerAndSerialNumber(name)
                    if name.issuer == own.issuer && name.serial_number == own.serial_number =>
                {
                    Some(recipient.enc_key.as_bytes())
                }
                _ => None,
            },
            _ => None,
        })?;
    let key = RsaPrivateKey::from_pkcs8_pem(key).ok()?;
    let content_key = key.decrypt(Pkcs1v15Encrypt, wrapped).ok()?;
    let content = enveloped.encrypted_content;
    let iv: OctetString = content.content_enc_alg.parameters?.decode_as().ok()?;
    let cipher = content.encrypted_content?;
    cbc::Decryptor::<aes::Aes256>::new_from_slices(&content_key, iv.as_bytes())
        .ok()?
        .decrypt_padded_vec_mut::<Pkcs7>(cipher.as_bytes())
        .ok()
}

const PEM_END: &str = "-----END CERTIFICATE-----";
