//! A boot slot, for units that keep two images and fall back.

use std::sync::Arc;

/// One of the places an image boots from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slot {
    /// The image; empty = nothing to boot.
    pub image: Arc<[u8]>,
    /// Whether the image was declared good.
    pub committed: bool,
    /// How often it was booted since it was written.
    pub boots: u32,
}
