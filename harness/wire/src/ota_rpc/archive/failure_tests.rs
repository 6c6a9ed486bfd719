//! One archive for each way to be refused.

use super::*;
use serde_json::{Value, json};

type Change = fn(&mut Vec<Member>);

fn builder() -> ArchiveBuilder {
    ArchiveBuilder::new("esp32", "2.0", "b2")
        .part("app", "app", "app.bin", *b"app-v2")
        .part("fs", "fs", "fs.bin", *b"fs-v2")
}

fn checks() -> Checks {
    Checks {
        platform: Some("esp32".into()),
        required_parts: vec!["app".into(), "fs".into()],
        max_part_size: Some(64),
    }
}

fn after(change: Change) -> ArchiveError {
    let mut members = builder().members();
    change(&mut members);
    read_all(&write_zip(&members), checks()).unwrap_err()
}

fn with_manifest(change: impl Fn(&mut Value)) -> ArchiveError {
    let mut manifest = builder().manifest.to_value();
    change(&mut manifest);
    let mut members = builder().members();
    members[0] = Member::stored(MANIFEST_NAME, manifest.to_string());
    read_all(&write_zip(&members), checks()).unwrap_err()
}

#[test]
fn a_good_archive_is_read_with_and_without_directory() {
    for directory in [None, Some("fw-2.0".to_owned())] {
        let builder = ArchiveBuilder {
            directory,
            ..builder()
        };
        assert_eq!(read_all(&builder.build(), checks()), Ok(builder.manifest));
    }
}

#[test]
fn containers_are_refused() {
    assert_eq!(
        read_all(b"hello", checks()),
        Err(ArchiveError::NotAnArchive { offset: 0 })
    );
    assert_eq!(
        read_all(&write_zip(&[]), checks()),
        Err(ArchiveError::NotAnArchive { offset: 0 })
    );
    assert_eq!(
        after(|members| members.swap(0, 1)),
        ArchiveError::ManifestNotFirst {
            found: "app.bin".into()
        }
    );
    assert_eq!(
        after(|members| members[1].method = 8),
        ArchiveError::Compressed {
            member: "app.bin".into(),
            method: 8
        }
    );
    assert_eq!(
        after(|members| members[1].flags = 8),
        ArchiveError::DataDescriptor {
            member: "app.bin".into()
        }
    );
    assert_eq!(
        after(|members| members[1].uncompressed_size = 7),
        ArchiveError::SizeMismatch {
            member: "app.bin".into(),
            stored: 6,
            uncompressed: 7
        }
    );
    assert_eq!(
        after(|members| members[1].name = "n".repeat(50)),
        ArchiveError::LongName { length: 50 }
    );
    assert!(matches!(
        after(|members| members[1].data[0] ^= 1),
        ArchiveError::BadCrc { .. }
    ));
    assert_eq!(
        after(|members| {
            members.pop();
        }),
        ArchiveError::MissingPart { part: "fs".into() }
    );
    let whole = builder().build();
    let half = &whole[..whole.len() / 2];
    assert_eq!(
        read_all(half, checks()),
        Err(ArchiveError::Truncated {
            received: half.len() as u64
        })
    );
}

#[test]
fn manifests_are_refused() {
    assert!(matches!(
        after(|members| members[0] = Member::stored(MANIFEST_NAME, "nonsense")),
        ArchiveError::BadManifest { .. }
    ));
    for field in ["platform", "version", "build_id", "parts"] {
        let error = with_manifest(|manifest| {
            manifest.as_object_mut().unwrap().shift_remove(field);
        });
        assert_eq!(error, ArchiveError::MissingField { field: field.into() });
    }
    for platform in ["esp8266", "esp32c3", "esp3", "ESP32"] {
        assert!(matches!(
            with_manifest(|manifest| manifest["platform"] = platform.into()),
            ArchiveError::WrongPlatform { .. }
        ));
    }
    assert_eq!(
        with_manifest(|manifest| {
            manifest["parts"].as_object_mut().unwrap().shift_remove("fs");
        }),
        ArchiveError::MissingPart { part: "fs".into() }
    );
    assert!(matches!(
        with_manifest(|manifest| manifest["parts"]["app"]["size"] = json!(7)),
        ArchiveError::PartSize { .. }
    ));
    assert!(matches!(
        with_manifest(|manifest| manifest["parts"]["app"]["size"] = json!(65)),
        ArchiveError::TooBig { limit: 64, .. }
    ));
    for (member, digest) in [("cs_sha1", DigestKind::Sha1), ("cs_sha256", DigestKind::Sha256)] {
        assert_eq!(
            with_manifest(|manifest| manifest["parts"]["fs"][member] = "00".into()),
            ArchiveError::DigestMismatch {
                part: "fs".into(),
                digest
            }
        );
    }
}

#[test]
fn a_flipped_bit_is_caught_by_the_digest_even_if_the_crc_fits() {
    let error = after(|members| {
        let mut data = members[1].data.clone();
        data[0] ^= 1;
        members[1] = Member::stored("app.bin", data);
    });
    assert_eq!(
        error,
        ArchiveError::DigestMismatch {
            part: "app".into(),
            digest: DigestKind::Sha256
        }
    );
}

#[test]
fn what_no_part_asks_for_is_passed_over() {
    let mut members = builder().members();
    members.insert(1, Member::stored("../x", *b"evil"));
    let mut reader = ArchiveReader::new(checks());
    let events = reader.push(&write_zip(&members)).unwrap();
    assert!(!events.contains(&ArchiveEvent::PartData(b"evil".to_vec())));
    assert!(reader.finish().is_ok());
}
