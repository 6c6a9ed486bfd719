//! The header before each member, read from the start of a byte stream.

use super::{
    error::ArchiveError,
    zip::{CENTRAL_SIGNATURE, END_SIGNATURE, LOCAL_SIGNATURE, SIGNATURE_FIELD},
};
use serde_json::{Map, Value};

#[derive(Clone, Debug)]
pub(super) struct LocalHeader {
    /// Name without its leading directory.
    pub(super) name: String,
    pub(super) crc: u32,
    pub(super) size: u32,
    pub(super) signatures: Option<Map<String, Value>>,
}

pub(super) enum Next {
    /// More bytes are needed.
    Incomplete,
    /// A header of that many bytes.
    Member(LocalHeader, usize),
    /// The central directory begins: no more members.
    End,
}

/// Reads what `bytes` begin with; `offset` is their place in the archive.
pub(super) fn read(bytes: &[u8], offset: u64) -> Result<Next, ArchiveError> {
    let Some((signature, fields)) = bytes.split_first_chunk::<4>() else {
        let possible = [LOCAL_SIGNATURE, CENTRAL_SIGNATURE, END_SIGNATURE]
            .iter()
            .any(|signature| signature.starts_with(bytes));
        return match possible {
            true => Ok(Next::Incomplete),
            false => Err(ArchiveError::NotAnArchive { offset }),
        };
    };
    if offset > 0 && (*signature == CENTRAL_SIGNATURE || *signature == END_SIGNATURE) {
        return Ok(Next::End);
    }
    if *signature != LOCAL_SIGNATURE {
        return Err(ArchiveError::NotAnArchive { offset });
    }
    let Some(fields) = fields.first_chunk::<26>() else {
        return Ok(Next::Incomplete);
    };
    let short = |at: usize| u16::from_le_bytes([fields[at], fields[at + 1]]);
    let long = |at: usize| u32::from_le_bytes([fields[at], fields[at + 1], fields[at + 2], fields[at + 3]]);
    let name_length = usize::from(short(22));
    if name_length > MAX_NAME {
        return Err(ArchiveError::LongName { length: name_length });
    }
    let name_end = HEADER + name_length;
    let header_end = name_end + usize::from(short(24));
    let (Some(name), Some(extra)) = (bytes.get(HEADER..name_end), bytes.get(name_end..header_end)) else {
        return Ok(Next::Incomplete);
    };
    let member = String::from_utf8_lossy(name).into_owned();
    let (flags, method, stored, uncompressed) = (short(2), short(4), long(14), long(18));
    if method != 0 {
        return Err(ArchiveError::Compressed { member, method });
    }
    if flags & DATA_DESCRIPTOR != 0 {
        return Err(ArchiveError::DataDescriptor { member });
    }
    if stored != uncompressed {
        return Err(ArchiveError::SizeMismatch {
            member,
            stored,
            uncompressed,
        });
    }
    let header = LocalHeader {
        name: strip_directory(&member).to_owned(),
        crc: long(10),
        size: stored,
        signatures: signatures(extra),
    };
    Ok(Next::Member(header, header_end))
}

fn strip_directory(name: &str) -> &str {
    name.split_once('/').map_or(name, |(_, rest)| rest)
}

fn signatures(mut extra: &[u8]) -> Option<Map<String, Value>> {
    loop {
        let (head, rest) = extra.split_first_chunk::<4>()?;
        let id = u16::from_le_bytes([head[0], head[1]]);
        let length = usize::from(u16::from_le_bytes([head[2], head[3]]));
        let data = rest.get(..length)?;
        if id == SIGNATURE_FIELD {
            return serde_json::from_slice(data).ok();
        }
        extra = &rest[length..];
    }
}

const HEADER: usize = 30;
const MAX_NAME: usize = 49;
const DATA_DESCRIPTOR: u16 = 1 << 3;
