//! One printed seed for a run, one sub-seed for each purpose.

use sha2::{Digest, Sha256};

/// The sub-seed for a purpose, such as an instance's name.
pub fn sub_seed(seed: u64, purpose: &str) -> u64 {
    let mut hash = Sha256::new();
    hash.update(seed.to_le_bytes());
    hash.update(purpose.as_bytes());
    let bytes = hash.finalize();
    u64::from_le_bytes(std::array::from_fn(|index| bytes[index]))
}
