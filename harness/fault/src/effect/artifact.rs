//! Effects on an image while it is served to the unit; what was told of it beforehand stays.

use crate::{FaultError, Forgery, arguments::Arguments};

/// The effect of a fault on an image served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArtifactEffect {
    /// One bit of one byte is flipped.
    Flip {
        /// Which byte of the image; negative counts from the end.
        byte: i64,
    },
    /// Only its first bytes are there, with the length of those.
    Truncate {
        /// How many.
        bytes: u64,
    },
    /// Another image is served in its place.
    Swap {
        /// Role of the other one.
        role: String,
    },
    /// Something made to do harm is served in its place.
    Forge(Forgery),
}

impl ArtifactEffect {
    /// The effect of `artifact.KIND`; `None` if there is none of that kind.
    pub(crate) fn parse(kind: &str, read: &Arguments<'_>) -> Result<Option<ArtifactEffect>, FaultError> {
        Ok(Some(match kind {
            "flip" => ArtifactEffect::Flip {
                byte: read.whole("byte")?.unwrap_or(0),
            },
            "truncate" => ArtifactEffect::Truncate {
                bytes: read.count("bytes")?.ok_or(read.missing("bytes"))?,
            },
            "swap" => ArtifactEffect::Swap {
                role: read.text("artifact")?.ok_or(read.missing("artifact"))?,
            },
            "forge" => {
                let name = read.text("as")?.ok_or(read.missing("as"))?;
                let forgery = Forgery::ALL.into_iter().find(|forgery| forgery.name() == name);
                ArtifactEffect::Forge(forgery.ok_or(read.bad("as", "a kind of forgery"))?)
            }
            _ => return Ok(None),
        }))
    }
}
