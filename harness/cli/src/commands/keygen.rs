//! `hil keygen`.

use super::{fail, print};
use crate::{
    args::{KeyAlgorithm, KeygenArguments},
    exit::Exit,
};
use hil_certify::{Algorithm, KeyFileError, PrivateKey, write_pair};

pub(crate) fn execute(arguments: KeygenArguments) -> Exit {
    let algorithm = match arguments.algorithm {
        KeyAlgorithm::EcdsaP256 => Algorithm::EcdsaP256,
        KeyAlgorithm::Ed25519 => Algorithm::Ed25519,
    };
    let Some(key) = PrivateKey::generate(algorithm) else {
        return fail(KeyFileError::NoRandom, Exit::Unexpected);
    };
    match write_pair(&arguments.key, &key) {
        Ok(public) => {
            print(&format!(
                "{}  private, {algorithm}: keep it to yourself\n{}  public: give it to whoever verifies",
                arguments.key.display(),
                public.display()
            ));
            Exit::Pass
        }
        Err(error @ KeyFileError::Exists(_)) => fail(error, Exit::CommandLine),
        Err(error) => fail(error, Exit::Unexpected),
    }
}
