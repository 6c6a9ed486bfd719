//! Reads an archive as it is downloaded, and refuses it at the first thing that is wrong.

use super::{
    error::{ArchiveError, DigestKind},
    local_header::{self, LocalHeader, Next},
    manifest::{MANIFEST_NAME, Manifest, Part},
};
use crate::oddity::OddityKind;
use indexmap::IndexMap;
use serde_json::{Map, Value};
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// What a unit demands of an archive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checks {
    /// The unit's platform; `None` accepts any.
    pub platform: Option<String>,
    /// Parts that have to be there, such as `app` and `fs`.
    pub required_parts: Vec<String>,
    /// Size of the slot in bytes, for each part.
    pub max_part_size: Option<u64>,
}

/// One thing met on the way through an archive.
#[derive(Clone, Debug, PartialEq)]
pub enum ArchiveEvent {
    /// The manifest, checked for fields, platform and parts.
    Manifest {
        /// The manifest.
        manifest: Box<Manifest>,
        /// The same as it stands in the archive: signatures cover these bytes.
        bytes: Vec<u8>,
        /// `sig0` to `sig7` and free attributes, if the manifest is signed. Not verified here.
        signatures: Option<Map<String, Value>>,
    },
    /// The data of a part begins.
    PartBegins {
        /// Name of the part.
        part: String,
        /// Size in bytes.
        size: u64,
    },
    /// Some data of the part begun last.
    PartData(Vec<u8>),
    /// A part is complete and its CRC, size and digests fit.
    PartEnds {
        /// Name of the part.
        part: String,
    },
    /// The end of the members; what follows is not looked at.
    End,
}

/// Reads an archive from chunks of any size.
#[derive(Clone, Debug)]
pub struct ArchiveReader {
    checks: Checks,
    state: State,
    buffer: Vec<u8>,
    received: u64,
    manifest: Option<Manifest>,
    /// Parts whose member came, by name.
    complete: Vec<String>,
}

#[derive(Clone, Debug)]
enum State {
    Header,
    Manifest(LocalHeader),
    Member(Box<Progress>),
    End,
}

#[derive(Clone, Debug)]
struct Progress {
    header: LocalHeader,
    /// The parts made of this member; empty if nobody wants it.
    parts: IndexMap<String, Part>,
    left: u64,
    crc: crc32fast::Hasher,
    sha1: Sha1,
    sha256: Sha256,
}

impl ArchiveReader {
    /// A reader at the start of an archive.
    pub fn new(checks: Checks) -> Self {
        ArchiveReader {
            checks,
            state: State::Header,
            buffer: Vec::new(),
            received: 0,
            manifest: None,
            complete: Vec::new(),
        }
    }

    /// Takes the next bytes. After an error the reader must not be used any more.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<ArchiveEvent>, ArchiveError> {
        self.received += bytes.len() as u64;
        let mut events = Vec::new();
        if matches!(self.state, State::End) {
            return Ok(events);
        }
        self.buffer.extend_from_slice(bytes);
        while self.step(&mut events)? {}
        Ok(events)
    }

    /// Says that no more bytes come, and returns the manifest of a complete archive.
    pub fn finish(self) -> Result<Manifest, ArchiveError> {
        let State::End = self.state else {
            return Err(ArchiveError::Truncated {
                received: self.received,
            });
        };
        // the end state is reached only behind a manifest
        let Some(manifest) = self.manifest else {
            return Err(ArchiveError::Truncated {
                received: self.received,
            });
        };
        for name in &self.checks.required_parts {
            let expects_data = manifest.parts.get(name).is_some_and(|part| part.src.is_some());
            if expects_data && !self.complete.contains(name) {
                return Err(ArchiveError::MissingPart { part: name.clone() });
            }
        }
        Ok(manifest)
    }

    /// Bytes taken so far.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// True once the end of the members has been reached.
    pub fn at_end(&self) -> bool {
        matches!(self.state, State::End)
    }

    /// Does one thing with the buffer; false if it needs more bytes or is done.
    fn step(&mut self, events: &mut Vec<ArchiveEvent>) -> Result<bool, ArchiveError> {
        match std::mem::replace(&mut self.state, State::Header) {
            State::Header => self.read_header(events),
            State::Manifest(header) => self.read_manifest(header, events),
            State::Member(progress) => self.read_member(progress, events),
            State::End => {
                self.state = State::End;
                self.buffer.clear();
                Ok(false)
            }
        }
    }

    fn read_header(&mut self, events: &mut Vec<ArchiveEvent>) -> Result<bool, ArchiveError> {
        let offset = self.received - self.buffer.len() as u64;
        match local_header::read(&self.buffer, offset)? {
            Next::Incomplete => return Ok(false),
            Next::End => {
                self.state = State::End;
                events.push(ArchiveEvent::End);
            }
            Next::Member(header, length) => {
                self.buffer.drain(..length);
                self.state = self.begin(header, events)?;
            }
        }
        Ok(true)
    }

    fn begin(&self, header: LocalHeader, events: &mut Vec<ArchiveEvent>) -> Result<State, ArchiveError> {
        let Some(manifest) = &self.manifest else {
            if header.name != MANIFEST_NAME {
                return Err(ArchiveError::ManifestNotFirst { found: header.name });
            }
            if header.size > MAX_MANIFEST {
                return Err(ArchiveError::HugeManifest { size: header.size });
            }
            return Ok(State::Manifest(header));
        };
        let size = u64::from(header.size);
        let mut parts = IndexMap::new();
        for (name, part) in &manifest.parts {
            if part.src.as_ref() != Some(&header.name) {
                continue;
            }
            if let Some(expected) = part.size.filter(|&expected| expected != size) {
                return Err(ArchiveError::PartSize {
                    part: name.clone(),
                    expected,
                    found: size,
                });
            }
            check_limit(name, size, &self.checks)?;
            events.push(ArchiveEvent::PartBegins {
                part: name.clone(),
                size,
            });
            parts.insert(name.clone(), part.clone());
        }
        Ok(State::Member(Box::new(Progress {
            header,
            parts,
            left: size,
            crc: crc32fast::Hasher::new(),
            sha1: Sha1::new(),
            sha256: Sha256::new(),
        })))
    }

    fn read_manifest(
        &mut self,
        header: LocalHeader,
        events: &mut Vec<ArchiveEvent>,
    ) -> Result<bool, ArchiveError> {
        let size = header.size as usize;
        let Some(bytes) = self.buffer.get(..size) else {
            self.state = State::Manifest(header);
            return Ok(false);
        };
        check_crc(&header, crc32fast::hash(bytes))?;
        let manifest = accept_manifest(bytes, &self.checks)?;
        let bytes = self.buffer.drain(..size).collect();
        self.manifest = Some(manifest.clone());
        events.push(ArchiveEvent::Manifest {
            manifest: Box::new(manifest),
            bytes,
            signatures: header.signatures,
        });
        Ok(true)
    }

    fn read_member(
        &mut self,
        mut progress: Box<Progress>,
        events: &mut Vec<ArchiveEvent>,
    ) -> Result<bool, ArchiveError> {
        let available = (self.buffer.len() as u64).min(progress.left);
        let data: Vec<u8> = self.buffer.drain(..available as usize).collect();
        progress.left -= available;
        progress.crc.update(&data);
        if !progress.parts.is_empty() && !data.is_empty() {
            progress.sha1.update(&data);
            progress.sha256.update(&data);
            events.push(ArchiveEvent::PartData(data));
        }
        if progress.left > 0 {
            self.state = State::Member(progress);
            return Ok(false);
        }
        self.end(*progress, events)?;
        Ok(true)
    }

    fn end(&mut self, progress: Progress, events: &mut Vec<ArchiveEvent>) -> Result<(), ArchiveError> {
        check_crc(&progress.header, progress.crc.finalize())?;
        let sha1 = hex::encode(progress.sha1.finalize());
        let sha256 = hex::encode(progress.sha256.finalize());
        for (name, part) in progress.parts {
            let differs = |expected: &Option<String>, found: &str| {
                expected
                    .as_ref()
                    .is_some_and(|hex| !hex.eq_ignore_ascii_case(found))
            };
            let digest = match () {
                () if differs(&part.cs_sha256, &sha256) => Some(DigestKind::Sha256),
                () if differs(&part.cs_sha1, &sha1) => Some(DigestKind::Sha1),
                () => None,
            };
            if let Some(digest) = digest {
                return Err(ArchiveError::DigestMismatch { part: name, digest });
            }
            self.complete.push(name.clone());
            events.push(ArchiveEvent::PartEnds { part: name });
        }
        Ok(())
    }
}

/// Reads a whole archive.
pub fn read_all(bytes: &[u8], checks: Checks) -> Result<Manifest, ArchiveError> {
    let mut reader = ArchiveReader::new(checks);
    reader.push(bytes)?;
    reader.finish()
}

fn accept_manifest(bytes: &[u8], checks: &Checks) -> Result<Manifest, ArchiveError> {
    let decoded = Manifest::decode(bytes);
    if let Some(oddity) = decoded.first_invalid() {
        let field = oddity.path.strip_prefix('/');
        return Err(match (oddity.kind, field) {
            (OddityKind::MissingMember, Some(field)) => ArchiveError::MissingField {
                field: field.to_owned(),
            },
            _ => ArchiveError::BadManifest {
                reason: oddity.to_string(),
            },
        });
    }
    let Some(manifest) = decoded.value else {
        return Err(ArchiveError::BadManifest {
            reason: "not an object".to_owned(),
        });
    };
    if let Some(expected) = checks.platform.as_ref().filter(|p| **p != manifest.platform) {
        return Err(ArchiveError::WrongPlatform {
            expected: expected.clone(),
            found: manifest.platform,
        });
    }
    for name in &checks.required_parts {
        if !manifest.parts.contains_key(name) {
            return Err(ArchiveError::MissingPart { part: name.clone() });
        }
    }
    for (name, part) in &manifest.parts {
        if let Some(size) = part.size {
            check_limit(name, size, checks)?;
        }
    }
    Ok(manifest)
}

fn check_limit(part: &str, size: u64, checks: &Checks) -> Result<(), ArchiveError> {
    match checks.max_part_size {
        Some(limit) if size > limit => Err(ArchiveError::TooBig {
            part: part.to_owned(),
            size,
            limit,
        }),
        _ => Ok(()),
    }
}

fn check_crc(header: &LocalHeader, found: u32) -> Result<(), ArchiveError> {
    if header.crc != 0 && header.crc != found {
        return Err(ArchiveError::BadCrc {
            member: header.name.clone(),
            expected: header.crc,
            found,
        });
    }
    Ok(())
}

/// A manifest is kept in memory whole; this is far beyond any real one.
const MAX_MANIFEST: u32 = 64 * 1024;
