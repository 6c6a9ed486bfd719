//! Keys of openssl and of hil, and every mistake with them.

use hil_certify::{
    Algorithm, KeyError, KeyFileError, PrivateKey, PublicKey, SignatureError, read_public, write_pair,
};
use std::{fs, os::unix::fs::PermissionsExt, path::Path};

fn text(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/keys")
        .join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn keys_of_openssl_are_taken() {
    for (name, algorithm) in [
        ("openssl-p256", Algorithm::EcdsaP256),
        ("openssl-ed25519", Algorithm::Ed25519),
    ] {
        let private = PrivateKey::from_pem(&text(&format!("{name}.pem"))).unwrap();
        let public = PublicKey::from_pem(&text(&format!("{name}.pub.pem"))).unwrap();
        assert_eq!(private.algorithm(), algorithm);
        assert_eq!(private.public().unwrap(), public);
        // Written as openssl writes them.
        assert_eq!(public.to_pem().unwrap(), text(&format!("{name}.pub.pem")));
        assert_eq!(
            PrivateKey::from_pem(&private.to_pem().unwrap())
                .unwrap()
                .public()
                .unwrap(),
            public
        );
        let signature = private.sign(b"message");
        assert_eq!(signature, private.sign(b"message"), "signatures are reproducible");
        assert_eq!(public.verify(b"message", &signature), Ok(()));
        assert_eq!(
            public.verify(b"massage", &signature),
            Err(SignatureError::Mismatch)
        );
    }
}

#[test]
fn text_around_a_key_is_passed_over() {
    let key = text("openssl-p256.pem");
    let around = format!("Bag Attributes\n    friendlyName: x\n{key}\nand a remark\n");
    assert!(PrivateKey::from_pem(&around).is_ok());
}

#[test]
fn mistakes_say_what_to_do() {
    let private = |name: &str| PrivateKey::from_pem(&text(name)).unwrap_err();
    assert_eq!(private("sec1.pem"), KeyError::OtherFormat);
    assert_eq!(private("encrypted.pem"), KeyError::Encrypted);
    assert_eq!(private("openssl-p256.pub.pem"), KeyError::Public);
    assert_eq!(private("rsa.pem"), KeyError::Algorithm("RSA".to_owned()));
    assert_eq!(
        private("p384.pem"),
        KeyError::Algorithm("ECDSA on P-384".to_owned())
    );
    assert_eq!(
        PrivateKey::from_pem("").unwrap_err(),
        KeyError::Missing("PRIVATE KEY")
    );
    let broken = text("openssl-ed25519.pem").replace("MC4CAQ", "MC4CAg");
    assert!(matches!(
        PrivateKey::from_pem(&broken).unwrap_err(),
        KeyError::Broken(_) | KeyError::Algorithm(_)
    ));
    assert_eq!(
        PublicKey::from_pem(&text("openssl-p256.pem")).unwrap_err(),
        KeyError::Private
    );
    assert_eq!(
        PublicKey::from_pem("x").unwrap_err(),
        KeyError::Missing("PUBLIC KEY")
    );
}

#[test]
fn of_two_good_signatures_only_one_is_taken() {
    let private = PrivateKey::from_pem(&text("openssl-p256.pem")).unwrap();
    let public = private.public().unwrap();
    let signature = private.sign(b"message");
    let other = p256::ecdsa::Signature::from_der(&signature).unwrap();
    let (r, s) = other.split_scalars();
    let other = p256::ecdsa::Signature::from_scalars(r, -s).unwrap();
    let malformed = Err(SignatureError::Malformed(Algorithm::EcdsaP256));
    assert_eq!(public.verify(b"message", other.to_der().as_bytes()), malformed);
    let mut longer = signature.clone();
    longer.push(0);
    assert_eq!(public.verify(b"message", &longer), malformed);
}

#[test]
fn pairs_are_written_for_their_owner_and_never_over_others() {
    let folder = tempfile::tempdir().unwrap();
    for algorithm in [Algorithm::EcdsaP256, Algorithm::Ed25519] {
        let path = folder.path().join(format!("{algorithm}.pem"));
        let key = PrivateKey::generate(algorithm).unwrap();
        let public = write_pair(&path, &key).unwrap();
        assert_eq!(public, folder.path().join(format!("{algorithm}.pub.pem")));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(read_public(&public).unwrap(), key.public().unwrap());
        assert!(matches!(write_pair(&path, &key), Err(KeyFileError::Exists(_))));
        fs::remove_file(&path).unwrap();
        assert!(
            matches!(write_pair(&path, &key), Err(KeyFileError::Exists(_))),
            "the public half is there"
        );
        assert!(!path.exists(), "and half a pair is not left behind");
    }
}
