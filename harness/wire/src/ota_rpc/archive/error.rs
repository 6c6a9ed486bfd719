//! Every reason to refuse an archive (reference section 3.1, failure table).

/// Why an archive is refused. Nothing but the inactive slot has been touched then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    /// No local header where one has to be.
    #[error("not a zip archive: no local file header at byte {offset}")]
    NotAnArchive {
        /// Byte position.
        offset: u64,
    },
    /// The first member is something else.
    #[error("the first member is `{found}`, not manifest.json")]
    ManifestNotFirst {
        /// Name of the first member.
        found: String,
    },
    /// A member is not stored.
    #[error("member `{member}` is compressed, method {method}")]
    Compressed {
        /// Name of the member.
        member: String,
        /// Compression method.
        method: u16,
    },
    /// Sizes stand behind the data, where a stream cannot use them.
    #[error("member `{member}` has its sizes in a data descriptor")]
    DataDescriptor {
        /// Name of the member.
        member: String,
    },
    /// Stored and uncompressed size differ.
    #[error("member `{member}` has {stored} bytes stored and {uncompressed} uncompressed")]
    SizeMismatch {
        /// Name of the member.
        member: String,
        /// Stored size.
        stored: u32,
        /// Uncompressed size.
        uncompressed: u32,
    },
    /// A name of 50 characters or more.
    #[error("a member name of {length} characters, 49 are allowed")]
    LongName {
        /// Length of the name in bytes.
        length: usize,
    },
    /// The CRC-32 of a member does not fit.
    #[error("member `{member}` has CRC {found:08x}, its header says {expected:08x}")]
    BadCrc {
        /// Name of the member.
        member: String,
        /// CRC in the header.
        expected: u32,
        /// CRC of the data.
        found: u32,
    },
    /// The manifest is larger than any manifest may be.
    #[error("the manifest has {size} bytes")]
    HugeManifest {
        /// Its size.
        size: u32,
    },
    /// The manifest is not JSON, or not an object of the right types.
    #[error("the manifest cannot be read: {reason}")]
    BadManifest {
        /// What the parser met.
        reason: String,
    },
    /// A required manifest field is absent.
    #[error("the manifest has no `{field}`")]
    MissingField {
        /// Name of the field.
        field: String,
    },
    /// Built for another platform; whole names are compared.
    #[error("the archive is for platform `{found}`, not `{expected}`")]
    WrongPlatform {
        /// The unit's platform.
        expected: String,
        /// The manifest's platform.
        found: String,
    },
    /// A required part is not in the manifest, or its member never came.
    #[error("part `{part}` is missing")]
    MissingPart {
        /// Name of the part.
        part: String,
    },
    /// A member has another size than its part says.
    #[error("part `{part}` has {found} bytes, the manifest says {expected}")]
    PartSize {
        /// Name of the part.
        part: String,
        /// Size in the manifest.
        expected: u64,
        /// Size of the member.
        found: u64,
    },
    /// A part is larger than its slot.
    #[error("part `{part}` has {size} bytes, its slot {limit}")]
    TooBig {
        /// Name of the part.
        part: String,
        /// Size of the part.
        size: u64,
        /// Size of the slot.
        limit: u64,
    },
    /// The digest of a part does not fit.
    #[error("part `{part}` has another {digest:?} digest than the manifest says")]
    DigestMismatch {
        /// Name of the part.
        part: String,
        /// Which digest.
        digest: DigestKind,
    },
    /// The stream ended in the middle.
    #[error("the archive ends after {received} bytes, before its end")]
    Truncated {
        /// Bytes received.
        received: u64,
    },
}

/// A digest of the manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DigestKind {
    /// `cs_sha1`.
    Sha1,
    /// `cs_sha256`.
    Sha256,
}
