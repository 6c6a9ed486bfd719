//! Large objects: `requestBlobUrls` and `blobUrls`, with what it takes to decrypt and verify them (reference
//! sections 3.13, 3.26 and 5.3).

use super::{
    object::object,
    rule::{Rules, TextRule},
};

object! {
    /// The unit asks where blobs are.
    #[derive(Default)]
    pub struct RequestBlobUrls<S> {
        /// Ties the answer to this request; not the transaction id.
        "correlationId" => required correlation_id: S = Rules::text(TextRule::NeededCorrelation);
        /// `sha256:<64 hex>` each.
        "digests" => required digests: Vec<S> = Rules::text(TextRule::Digest);
    }
}

object! {
    /// The cloud says where.
    #[derive(Default)]
    pub struct BlobUrls<S> {
        /// That of the request.
        "correlationId" => required correlation_id: S = Rules::text(TextRule::NeededCorrelation);
        /// The blobs; an empty list means not found.
        "items" => required items: Vec<BlobInfo<S>> = Rules::NONE.list(16);
    }
}

object! {
    /// One blob.
    #[derive(Default)]
    pub struct BlobInfo<S> {
        /// The requested digest: SHA-256 of the decrypted content.
        "digest" => required digest: S = Rules::text(TextRule::Digest);
        /// Where it is, 1 to 8 URLs; units use the first.
        "urls" => required urls: Vec<S> = Rules::text(TextRule::Url).list(8).not_empty();
        /// Hex of the SHA3-256, despite the name, of the bytes as downloaded.
        "sha256" => required sha256: S = Rules::text(TextRule::Sha256Hex);
        /// Bytes of the download.
        "size" => required size: u64;
        /// How to decrypt it.
        "decryptInfo" => optional decrypt_info: Option<DecryptInfo<S>>;
        /// How to verify it.
        "signInfo" => optional sign_info: Option<SignInfo<S>>;
    }
}

object! {
    /// Key and cipher of a blob.
    #[derive(Eq, Default)]
    pub struct DecryptInfo<S> {
        /// Cipher, such as `AES256/CBC/pkcs7`.
        "blockAlg" => required block_alg: S = Rules::text(TextRule::BlockAlgorithm);
        /// Initialisation vector, Base64 of 16 bytes.
        "blockIv" => required block_iv: S = Rules::text(TextRule::Base64Of(&[16]));
        /// Key, Base64 of 16, 24 or 32 bytes.
        "blockKey" => required block_key: S = Rules::text(TextRule::Base64Of(&[16, 24, 32]));
    }
}

object! {
    /// Signature of a blob's decrypted content.
    #[derive(Eq, Default)]
    pub struct SignInfo<S> {
        /// A name among the certificate chains of the desired status.
        "chainName" => required chain_name: S = Rules::most(64);
        /// Scheme, such as `RSA/SHA256`.
        "alg" => required alg: S = Rules::text(TextRule::SignatureAlgorithm);
        /// The signature, Base64 of at most 512 bytes.
        "value" => required value: S = Rules::text(TextRule::Base64(512));
        /// The time at which the signer's certificate must be valid.
        "trustedTimestamp" => required trusted_timestamp: S = Rules::text(TextRule::Timestamp);
        /// OCSP responses.
        "ocspValues" => optional ocsp_values: Option<Vec<S>> = Rules::most(64).list(4);
    }
}
