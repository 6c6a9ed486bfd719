//! What can be wrong with a firmware archive: each variant spoils one thing of a good one (reference section 3.1).

use hil_wire::ota_rpc::archive::{
    ArchiveBuilder, ArchiveEvent, ArchiveReader, Checks, MANIFEST_NAME, Manifest, Member, write_zip,
};
use indexmap::IndexMap;
use serde_json::Value;

/// Why a variant cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum VariantError {
    /// The artifact is no firmware archive.
    #[error("the image is no firmware archive that could be spoilt")]
    NoArchive,
    /// Nobody but its vendor can sign it.
    #[error("the image has no signatures, and the unit was not told the keys that could sign it")]
    NoKey,
    /// No such variant.
    #[error("there is no such variant")]
    Unknown,
}

/// The manifest of an archive; `None` if it is none.
pub(super) fn manifest(bytes: &[u8]) -> Option<Manifest> {
    let events = ArchiveReader::new(Checks::default()).push(bytes).ok()?;
    events.into_iter().find_map(|event| match event {
        ArchiveEvent::Manifest { manifest, .. } => Some(*manifest),
        _ => None,
    })
}

/// The archive with another version.
pub(super) fn with_version(bytes: &[u8], version: &str) -> Result<Vec<u8>, VariantError> {
    let mut builder = take_apart(bytes).ok_or(VariantError::NoArchive)?;
    version.clone_into(&mut builder.manifest.version);
    Ok(builder.build())
}

/// A spoilt copy of an archive.
pub(super) fn spoil(bytes: &[u8], variant: &str) -> Result<Vec<u8>, VariantError> {
    match variant {
        "not_a_zip" => return Ok(vec![b'x'; bytes.len().max(64)]),
        "truncated" => return Ok(bytes[..bytes.len() / 2].to_vec()),
        _ => {}
    }
    let mut builder = take_apart(bytes).ok_or(VariantError::NoArchive)?;
    match variant {
        "wrong_platform" => builder.manifest.platform.insert_str(0, "other-"),
        "platform_prefix" => builder.manifest.platform.push('x'),
        "wrong_checksum" | "last_wrong_checksum" => {
            let mut parts = builder.manifest.parts.values_mut();
            let part = match variant {
                "wrong_checksum" => parts.next(),
                _ => parts.next_back(),
            };
            if let Some(part) = part {
                part.cs_sha1 = part.cs_sha1.as_ref().map(|_| "0".repeat(40));
                part.cs_sha256 = Some("0".repeat(64));
            }
        }
        "part_size" => {
            if let Some(part) = builder.manifest.parts.values_mut().next() {
                let data = part.src.as_ref().and_then(|src| builder.data.get(src));
                part.size = Some(data.map_or(0, |data| data.len() as u64) + 1);
            }
        }
        "missing_part" => {
            if let Some((_, part)) = builder.manifest.parts.shift_remove_index(0)
                && let Some(src) = part.src
            {
                builder.data.shift_remove(&src);
            }
        }
        _ => {}
    }
    let mut members = builder.members();
    change_members(&mut members, variant, &builder)?;
    Ok(write_zip(&members))
}

fn change_members(
    members: &mut Vec<Member>,
    variant: &str,
    builder: &ArchiveBuilder,
) -> Result<(), VariantError> {
    match variant {
        "wrong_platform"
        | "platform_prefix"
        | "wrong_checksum"
        | "last_wrong_checksum"
        | "part_size"
        | "missing_part" => {}
        "missing_member" => {
            member(members)?;
            members.remove(1);
        }
        "flipped" | "flipped_fixed" | "last_flipped_fixed" => {
            let member = match variant {
                "last_flipped_fixed" => members.iter_mut().skip(1).next_back(),
                _ => members.get_mut(1),
            };
            let member = member.ok_or(VariantError::NoArchive)?;
            let mut data = member.data.clone();
            let middle = data.len() / 2;
            if let Some(byte) = data.get_mut(middle) {
                *byte ^= 1;
            }
            if variant.ends_with("flipped_fixed") {
                *member = Member::stored(member.name.clone(), data);
            } else {
                member.data = data;
            }
        }
        "no_platform" | "no_version" | "no_build_id" | "no_parts" => {
            let mut manifest = builder.manifest.to_value();
            if let Value::Object(manifest) = &mut manifest {
                manifest.shift_remove(variant.trim_start_matches("no_"));
            }
            set_manifest(members, manifest.to_string());
        }
        "bad_manifest" => set_manifest(members, "{\"name\": ".to_owned()),
        "manifest_last" => members.rotate_left(1),
        "compressed" => member(members)?.method = 8,
        "size_mismatch" => {
            let member = member(members)?;
            member.uncompressed_size = member.uncompressed_size.saturating_add(1);
        }
        "long_name" => {
            let member = member(members)?;
            member.name = format!("{}.bin", "n".repeat(60));
        }
        "outside_path" => {
            for name in ["../outside.bin", "deep/inside.bin"] {
                members.push(Member::stored(name, b"must not be written".to_vec()));
            }
        }
        _ => return Err(VariantError::Unknown),
    }
    Ok(())
}

/// The first member with data.
fn member(members: &mut [Member]) -> Result<&mut Member, VariantError> {
    members.get_mut(1).ok_or(VariantError::NoArchive)
}

fn set_manifest(members: &mut [Member], text: String) {
    if let Some(first) = members.first_mut() {
        *first = Member::stored(MANIFEST_NAME, text);
    }
}

/// What an archive is made of; `None` if it is none.
pub(super) fn take_apart(bytes: &[u8]) -> Option<ArchiveBuilder> {
    let events = ArchiveReader::new(Checks::default()).push(bytes).ok()?;
    let mut builder: Option<ArchiveBuilder> = None;
    let mut current = None;
    for event in events {
        match event {
            ArchiveEvent::Manifest {
                manifest, signatures, ..
            } => {
                builder = Some(ArchiveBuilder {
                    manifest: *manifest,
                    directory: None,
                    signatures,
                    data: IndexMap::new(),
                });
            }
            ArchiveEvent::PartBegins { part, .. } => {
                let builder = builder.as_mut()?;
                let src = builder.manifest.parts.get(&part)?.src.clone()?;
                builder.data.entry(src.clone()).or_default();
                current = Some(src);
            }
            ArchiveEvent::PartData(data) => {
                let src = current.as_ref()?;
                builder
                    .as_mut()?
                    .data
                    .entry(src.clone())
                    .or_default()
                    .extend(data);
            }
            ArchiveEvent::PartEnds { .. } | ArchiveEvent::End => {}
        }
    }
    builder
}

#[cfg(test)]
mod tests {
    use super::*;
    use hil_wire::ota_rpc::archive::{ArchiveError, read_all};

    fn checks() -> Checks {
        Checks {
            platform: Some("esp32".into()),
            required_parts: vec!["app".into(), "fs".into()],
            max_part_size: None,
        }
    }

    fn good() -> Vec<u8> {
        ArchiveBuilder::new("esp32", "2.0", "b/2")
            .part("app", "app", "app.bin", vec![7; 300])
            .part("fs", "fs", "fs.bin", vec![8; 100])
            .build()
    }

    #[test]
    fn every_variant_is_refused_for_its_own_reason() {
        let reason = |variant: &str| {
            let spoilt = spoil(&good(), variant).unwrap();
            read_all(&spoilt, checks()).expect_err(variant)
        };
        assert!(matches!(reason("flipped"), ArchiveError::BadCrc { .. }));
        assert!(matches!(
            reason("flipped_fixed"),
            ArchiveError::DigestMismatch { .. }
        ));
        assert!(matches!(
            reason("wrong_checksum"),
            ArchiveError::DigestMismatch { .. }
        ));
        for last in ["last_flipped_fixed", "last_wrong_checksum"] {
            let of_last = |part: &str| part == "fs";
            assert!(matches!(reason(last), ArchiveError::DigestMismatch { part, .. } if of_last(&part)));
        }
        assert!(matches!(
            reason("missing_member"),
            ArchiveError::MissingPart { .. }
        ));
        assert!(matches!(reason("truncated"), ArchiveError::Truncated { .. }));
        assert!(matches!(
            reason("wrong_platform"),
            ArchiveError::WrongPlatform { .. }
        ));
        assert!(matches!(
            reason("platform_prefix"),
            ArchiveError::WrongPlatform { .. }
        ));
        for field in ["platform", "version", "build_id", "parts"] {
            let expected = ArchiveError::MissingField { field: field.into() };
            assert_eq!(reason(&format!("no_{field}")), expected);
        }
        assert!(matches!(reason("missing_part"), ArchiveError::MissingPart { .. }));
        assert!(matches!(reason("not_a_zip"), ArchiveError::NotAnArchive { .. }));
        assert!(matches!(
            reason("manifest_last"),
            ArchiveError::ManifestNotFirst { .. }
        ));
        assert!(matches!(reason("bad_manifest"), ArchiveError::BadManifest { .. }));
        assert!(matches!(reason("compressed"), ArchiveError::Compressed { .. }));
        assert!(matches!(
            reason("size_mismatch"),
            ArchiveError::SizeMismatch { .. }
        ));
        assert!(matches!(reason("part_size"), ArchiveError::PartSize { .. }));
        assert!(matches!(reason("long_name"), ArchiveError::LongName { .. }));
        assert_eq!(spoil(&good(), "nonsense"), Err(VariantError::Unknown));
        assert_eq!(spoil(b"text", "flipped"), Err(VariantError::NoArchive));
    }

    #[test]
    fn foreign_members_leave_the_archive_good() {
        let odd = spoil(&good(), "outside_path").unwrap();
        assert!(read_all(&odd, checks()).is_ok());
        assert_eq!(manifest(&odd).map(|m| m.version), Some("2.0".to_owned()));
    }

    #[test]
    fn the_version_alone_is_changed() {
        let renamed = with_version(&good(), "9.9").unwrap();
        let (old, new) = (manifest(&good()).unwrap(), manifest(&renamed).unwrap());
        assert_eq!((new.version.as_str(), new.parts), ("9.9", old.parts));
        assert!(read_all(&renamed, checks()).is_ok());
    }
}
