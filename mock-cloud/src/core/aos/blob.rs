//! Blobs: encrypted with AES-256-CBC, signed with RSA over the plain content, fetched by URL (reference sections 3.26
//! and 5.3).

use super::{AosCloud, HttpCall, Now, Outputs, json};
use crate::core::range::{Range, parse_range};
use aes::cipher::{BlockEncryptMut, KeyIvInit, block_padding::Pkcs7};
use base64::{Engine, engine::general_purpose::STANDARD};
use hil_wire::{
    aos::RequestBlobUrls,
    digest::{sha256_hex, sha256_tagged},
    http::Response,
    timestamp::format_micros,
};
use ring::{rand::SystemRandom, signature};
use serde_json::Value;
use sha2::Digest;

/// A blob as it is offered.
#[derive(Clone, Debug)]
pub(super) struct Blob {
    /// What is in it.
    pub(super) content: Vec<u8>,
    /// Role of the image it belongs to; empty if several have it.
    pub(super) role: String,
    /// What it is of the image, such as `layer`.
    pub(super) part: String,
    /// What is downloaded.
    cipher: Vec<u8>,
    key: [u8; 32],
    iv: [u8; 16],
}

/// How questions for blobs are answered.
#[derive(Clone, Debug, Default)]
pub(super) struct BlobAnswer {
    /// The kind of answer.
    pub(super) kind: BlobAnswerKind,
    /// Only for blobs of this role.
    pub(super) role: Option<String>,
    /// Only for this part of an image.
    pub(super) part: Option<String>,
    /// How often; `None` = until changed.
    pub(super) times: Option<u64>,
}

impl BlobAnswer {
    /// Whether it is about this blob.
    fn concerns(&self, blob: Option<&Blob>) -> bool {
        let is = |wanted: &Option<String>, of: fn(&Blob) -> &String| {
            wanted
                .as_ref()
                .is_none_or(|wanted| blob.is_some_and(|blob| of(blob) == wanted))
        };
        is(&self.role, |blob| &blob.role) && is(&self.part, |blob| &blob.part)
    }
}

/// What an answer is like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum BlobAnswerKind {
    /// In full and right.
    #[default]
    Right,
    /// An empty list.
    Empty,
    /// None.
    Never,
    /// Right, after one that answers another question.
    ForeignFirst,
    /// With a signature of something else.
    BadSignature,
    /// Signed with a chain the desired status does not name.
    UnknownChain,
    /// Whose content has another digest than was asked for.
    BadDigest,
}

impl BlobAnswerKind {
    /// By its word in the vocabulary.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "right" => BlobAnswerKind::Right,
            "empty" => BlobAnswerKind::Empty,
            "never" => BlobAnswerKind::Never,
            "foreign_first" => BlobAnswerKind::ForeignFirst,
            "bad_signature" => BlobAnswerKind::BadSignature,
            "unknown_chain" => BlobAnswerKind::UnknownChain,
            "bad_digest" => BlobAnswerKind::BadDigest,
            _ => return None,
        })
    }
}

impl Blob {
    fn new(content: Vec<u8>, role: &str, part: &str) -> Self {
        // Keys follow from the content so that a restarted cloud offers the same bytes.
        let key: [u8; 32] = sha2::Sha256::digest([&content[..], b"key"].concat()).into();
        let seed: [u8; 32] = sha2::Sha256::digest([&content[..], b"iv"].concat()).into();
        let mut iv = [0; 16];
        iv.copy_from_slice(&seed[..16]);
        let cipher = cbc::Encryptor::<aes::Aes256>::new(&key.into(), &iv.into())
            .encrypt_padded_vec_mut::<Pkcs7>(&content);
        Blob {
            content,
            role: role.to_owned(),
            part: part.to_owned(),
            cipher,
            key,
            iv,
        }
    }
}

impl AosCloud {
    /// Offers a blob; returns its digest.
    pub(super) fn add_blob(&mut self, content: Vec<u8>, role: &str, part: &str) -> String {
        let digest = sha256_tagged(&content);
        let blob = self.blobs.entry(digest.clone());
        let blob = blob.or_insert_with(|| Blob::new(content, role, part));
        if blob.role != role {
            blob.role.clear();
        }
        digest
    }

    pub(super) fn answer_blobs(&mut self, now: Now, request: &RequestBlobUrls, out: &mut Outputs) {
        let kind = self.take_answer(&request.digests);
        if kind == BlobAnswerKind::Never {
            return;
        }
        let mut items = Vec::new();
        if kind != BlobAnswerKind::Empty {
            for digest in &request.digests {
                // One question may be about blobs of several roles and parts.
                let kind = if self.blob_answer.concerns(self.blobs.get(digest)) {
                    kind
                } else {
                    BlobAnswerKind::Right
                };
                items.extend(self.blob_info(now, digest, kind));
            }
        }
        if kind == BlobAnswerKind::ForeignFirst {
            // Whoever takes this for the answer finds nothing in it.
            let foreign = json!({"correlationId": self.uuid(), "items": []});
            self.post(now, "blobUrls", &foreign, out);
        }
        let data = json!({"correlationId": request.correlation_id, "items": items});
        self.post(now, "blobUrls", &data, out);
    }

    fn take_answer(&mut self, digests: &[String]) -> BlobAnswerKind {
        let answer = &mut self.blob_answer;
        let concerned = |digest: &String| answer.concerns(self.blobs.get(digest));
        if answer.times == Some(0) || !digests.iter().any(concerned) {
            return BlobAnswerKind::Right;
        }
        if let Some(times) = &mut answer.times {
            *times -= 1;
        }
        answer.kind
    }

    fn blob_info(&self, now: Now, digest: &str, kind: BlobAnswerKind) -> Option<Value> {
        let asked = self.blobs.get(digest)?;
        let other;
        let blob = if kind == BlobAnswerKind::BadDigest {
            other = Blob::new([&asked.content[..], ALTERED].concat(), "", "");
            &other
        } else {
            asked
        };
        let signed: &[u8] = match kind {
            BlobAnswerKind::BadSignature => b"something else",
            _ => &blob.content,
        };
        let chain = match kind {
            BlobAnswerKind::UnknownChain => "no-such-chain",
            _ => super::SIGNERS,
        };
        let path = match kind {
            BlobAnswerKind::BadDigest => format!("{WRONG}{}", sha256_hex(&asked.content)),
            _ => format!("/b/{}", sha256_hex(&asked.content)),
        };
        Some(json!({
            "digest": digest,
            "urls": [format!("{}{path}", self.urls.blobs)],
            "sha256": hex_of(&sha3::Sha3_256::digest(&blob.cipher)),
            "size": blob.cipher.len(),
            "decryptInfo": {
                "blockAlg": "AES256/CBC/pkcs7",
                "blockIv": STANDARD.encode(blob.iv),
                "blockKey": STANDARD.encode(blob.key),
            },
            "signInfo": {
                "chainName": chain,
                "alg": "RSA/SHA256",
                "value": STANDARD.encode(sign(signed)?),
                "trustedTimestamp": format_micros(now.unix_ms.saturating_mul(1000)),
                "ocspValues": [],
            },
        }))
    }

    /// The blob that is offered at a path, right or with other content.
    pub(super) fn blob_at(&self, path: &str) -> Option<&Blob> {
        let name = path.strip_prefix("/b/").or_else(|| path.strip_prefix(WRONG))?;
        self.blobs.get(&format!("sha256:{name}"))
    }

    pub(super) fn download(&self, call: HttpCall<'_>) -> Response {
        let path = call.request.path();
        let Some(blob) = self.blob_at(path) else {
            return Response::new(404);
        };
        if call.request.method != "GET" {
            return Response::new(405).header("Allow", "GET");
        }
        let cipher = if path.starts_with(WRONG) {
            Blob::new([&blob.content[..], ALTERED].concat(), "", "").cipher
        } else {
            blob.cipher.clone()
        };
        let common = |response: Response| {
            response
                .header("Content-Type", "application/octet-stream")
                .header("Accept-Ranges", "bytes")
        };
        let range = call.request.headers.get("Range");
        match range.map_or(Range::Ignored, |range| parse_range(range, cipher.len())) {
            Range::Part(first, last) => {
                let range = format!("bytes {first}-{last}/{}", cipher.len());
                let mut response = common(Response::new(206)).header("Content-Range", range);
                response.body = cipher.get(first..=last).unwrap_or_default().to_vec();
                response
            }
            Range::Unsatisfiable => {
                Response::new(416).header("Content-Range", format!("bytes */{}", cipher.len()))
            }
            Range::Ignored => {
                let mut response = common(Response::new(200));
                response.body = cipher;
                response
            }
        }
    }
}

fn sign(content: &[u8]) -> Option<Vec<u8>> {
    let der = super::desire::der(SIGNER_KEY)?;
    let key = signature::RsaKeyPair::from_pkcs8(&der).ok()?;
    let mut value = vec![0; key.public().modulus_len()];
    key.sign(
        &signature::RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        content,
        &mut value,
    )
    .ok()?;
    Some(value)
}

fn hex_of(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Where blobs with other content than their digest are offered.
const WRONG: &str = "/wrong/";
/// What content with another digest has behind it: documents stay readable, so that only the digest tells.
const ALTERED: &[u8] = b" ";
/// The key of the signer of blobs, made for tests.
pub(super) const SIGNER_KEY: &str = include_str!("signer_key.pem");
