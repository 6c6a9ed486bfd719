//! An archive as it arrives, by download or by push, and the firmware it becomes in a slot.

use super::{board::Board, signatures::SignaturePolicy};
use crate::{Behaviour, Image};
use hil_wire::ota_rpc::archive::{ArchiveError, ArchiveEvent, ArchiveReader, Manifest};

/// An archive of which some has arrived.
#[derive(Clone, Debug)]
pub(super) struct Intake {
    reader: ArchiveReader,
    policy: SignaturePolicy,
    /// Name of the part that is the application.
    application: String,
    /// The application is what arrives now.
    wanted: bool,
    app: Vec<u8>,
}

impl Intake {
    /// Nothing has arrived; the archive must suit the board and be signed as the policy says.
    pub(super) fn new(board: &Board, policy: SignaturePolicy) -> Self {
        Intake {
            reader: ArchiveReader::new(board.checks()),
            policy,
            application: board.application().to_owned(),
            wanted: false,
            app: Vec::new(),
        }
    }

    /// Takes the next bytes; refuses them at the first thing that is wrong.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        for event in self.reader.push(bytes)? {
            match event {
                ArchiveEvent::Manifest {
                    bytes, signatures, ..
                } => self.policy.check(&bytes, signatures.as_ref())?,
                ArchiveEvent::PartBegins { part, .. } => self.wanted = part == self.application,
                ArchiveEvent::PartData(data) if self.wanted => self.app.extend(data),
                _ => {}
            }
        }
        Ok(())
    }

    /// Bytes taken so far.
    pub(super) fn received(&self) -> u64 {
        self.reader.received()
    }

    /// What goes into the slot, if the archive is complete.
    pub(super) fn finish(&self) -> Result<Vec<u8>, Refusal> {
        let manifest = self.reader.clone().finish()?;
        Ok(firmware(&manifest, &self.app))
    }
}

/// Why an archive is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    /// It is no proper one, or not one for this board.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// Signatures are missing or wrong; one bit for each key.
    #[error("signatures {required:#04x} are required, and of those it has {good:#04x} are good")]
    Signature {
        /// Whose signatures there must be.
        required: u8,
        /// Whose there are.
        good: u8,
    },
    /// The board takes no updates at all.
    #[error("no updates are allowed")]
    NoUpdates,
}

impl Refusal {
    /// The words of the service.
    pub(super) fn words(&self) -> &'static str {
        match self {
            Refusal::Archive(error) => words(error),
            Refusal::Signature { .. } => "Invalid signature",
            Refusal::NoUpdates => "Updates are not allowed",
        }
    }
}

fn words(error: &ArchiveError) -> &'static str {
    match error {
        ArchiveError::NotAnArchive { .. } => "Malformed archive (invalid file header)",
        ArchiveError::ManifestNotFirst { .. } => "Malformed archive (no manifest)",
        ArchiveError::Compressed { .. } => "Cannot handle compressed .zip",
        ArchiveError::LongName { .. } => "Too long file name",
        ArchiveError::BadCrc { .. } => "Invalid CRC",
        ArchiveError::BadManifest { .. } | ArchiveError::HugeManifest { .. } => "Failed to parse manifest",
        ArchiveError::MissingField { .. } => "Required manifest field missing",
        ArchiveError::WrongPlatform { .. } => "Wrong platform",
        ArchiveError::MissingPart { .. } => "Incomplete update package",
        ArchiveError::TooBig { .. } => "Image too big",
        ArchiveError::DigestMismatch { .. } => "Digest mismatch",
        ArchiveError::Truncated { .. } => "Update failed",
        ArchiveError::DataDescriptor { .. }
        | ArchiveError::SizeMismatch { .. }
        | ArchiveError::PartSize { .. } => "Malformed archive",
    }
}

/// Firmware in a slot: an image that says what the manifest said, then the application. An application that is no
/// image of ours is healthy.
fn firmware(manifest: &Manifest, app: &[u8]) -> Vec<u8> {
    let name = manifest.name.as_deref().unwrap_or_default();
    let mut image = Image::new("firmware", name, &manifest.version);
    image.platform.clone_from(&manifest.platform);
    let behaviour = Image::parse(app).map_or(Behaviour::Healthy, |image| image.behaviour);
    let mut bytes = image.behaving(behaviour).render(0);
    bytes.extend(format!("{BUILD_ID}{}\n\n", manifest.build_id).into_bytes());
    bytes.extend(app);
    bytes
}

/// The build id of firmware in a slot; empty if it has none.
pub(super) fn build_id_of(firmware: &[u8]) -> String {
    let head = String::from_utf8_lossy(&firmware[..firmware.len().min(1024)]);
    let mut lines = head.lines().take_while(|line| !line.is_empty());
    lines
        .find_map(|line| line.strip_prefix(BUILD_ID))
        .unwrap_or_default()
        .to_owned()
}

const BUILD_ID: &str = "build_id: ";
