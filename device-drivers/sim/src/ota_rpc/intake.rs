//! An archive as it arrives, by download or by push, and the firmware it becomes in a slot.

use super::board::Board;
use crate::{Behaviour, Image};
use hil_wire::ota_rpc::archive::{ArchiveError, ArchiveEvent, ArchiveReader, Manifest};

/// An archive of which some has arrived.
#[derive(Clone, Debug)]
pub(super) struct Intake {
    reader: ArchiveReader,
    /// Name of the part that is the application.
    application: String,
    /// The application is what arrives now.
    wanted: bool,
    app: Vec<u8>,
}

impl Intake {
    /// Nothing has arrived; the archive must suit the board.
    pub(super) fn new(board: &Board) -> Self {
        Intake {
            reader: ArchiveReader::new(board.checks()),
            application: board.application().to_owned(),
            wanted: false,
            app: Vec::new(),
        }
    }

    /// Takes the next bytes; refuses them at the first thing that is wrong.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), ArchiveError> {
        for event in self.reader.push(bytes)? {
            match event {
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
    pub(super) fn finish(&self) -> Result<Vec<u8>, ArchiveError> {
        let manifest = self.reader.clone().finish()?;
        Ok(firmware(&manifest, &self.app))
    }
}

/// The words of the service for a refused archive.
pub(super) fn refusal(error: &ArchiveError) -> &'static str {
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
