//! The certifying body's challenge: nobody can have prepared for a run whose seed comes from it.

use crate::files::sha256;

/// The run seed of a challenge. It fits into a number of JSON.
pub fn seed_of(challenge: &str) -> u64 {
    let digest = sha256(format!("hil challenge\n{challenge}").as_bytes());
    u64::from_str_radix(&digest[..13], 16).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::seed_of;

    #[test]
    fn a_challenge_gives_one_seed_that_fits_into_json() {
        assert_eq!(seed_of("a"), seed_of("a"));
        assert_ne!(seed_of("a"), seed_of("b"));
        assert!((0..1000).all(|number| seed_of(&number.to_string()) < 1 << 53));
    }
}
