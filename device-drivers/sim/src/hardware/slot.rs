//! A boot slot, for units that keep two images and fall back.

use super::{FlashError, Hardware};
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
    /// Whether writing the image was broken off: its digest does not fit, and no boot loader starts it.
    pub torn: bool,
}

impl Slot {
    /// A slot with an image that was declared good.
    pub(crate) fn holding(image: Arc<[u8]>) -> Slot {
        Slot {
            image,
            committed: true,
            ..Slot::default()
        }
    }

    /// Whether a boot loader finds a whole image in it.
    pub(crate) fn is_bootable(&self) -> bool {
        !self.image.is_empty() && !self.torn
    }
}

impl Hardware {
    /// Empties a slot; one step. A slot that is not there or empty needs none.
    pub(crate) fn erase_slot(&mut self, index: usize) -> Result<(), FlashError> {
        match self.slots.get_mut(index) {
            Some(slot) if *slot != Slot::default() => {
                self.flash.step()?;
                *slot = Slot::default();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Writes an image into a slot, block by block; power can fail at each block.
    pub(crate) fn write_slot(&mut self, index: usize, image: Arc<[u8]>) -> Result<(), FlashError> {
        let Some(slot) = self.slots.get_mut(index) else {
            return Ok(());
        };
        let mut written = 0;
        for block in image.chunks(BLOCK) {
            let (done, result) = self.flash.write_step(block.len());
            written += done.unwrap_or(0);
            if let Err(error) = result {
                *slot = Slot {
                    image: Arc::from(&image[..written]),
                    torn: true,
                    ..Slot::default()
                };
                return Err(error);
            }
        }
        *slot = Slot {
            image,
            ..Slot::default()
        };
        Ok(())
    }
}

/// Bytes written to a slot at a time.
const BLOCK: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_whose_writing_was_broken_off_does_not_boot() {
        let image: Arc<[u8]> = Arc::from(vec![7; BLOCK + 100]);
        for (n, torn, length) in [(1, false, 0), (1, true, BLOCK / 2), (2, true, BLOCK + 50)] {
            let mut hardware = Hardware {
                slots: vec![Slot::default()],
                ..Hardware::default()
            };
            hardware.flash.fail_at_write(n, torn);
            assert!(hardware.write_slot(0, image.clone()).is_err());
            assert_eq!(hardware.slots[0].image.len(), length);
            assert!(!hardware.slots[0].is_bootable());
            hardware.flash.revive();
            assert!(hardware.write_slot(0, image.clone()).is_ok() && hardware.slots[0].is_bootable());
            assert!(hardware.erase_slot(0).is_ok() && !hardware.slots[0].is_bootable());
        }
    }
}
