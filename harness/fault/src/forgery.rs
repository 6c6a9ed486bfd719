//! Images that are none, made to do harm.

use flate2::{Compression, Crc, write::DeflateEncoder};
use std::io::{self, Write};

/// Something served as an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forgery {
    /// Bytes without meaning.
    NotFirmware,
    /// Nothing.
    Empty,
    /// A zip archive whose members have names that lead out of any folder.
    Traversal,
    /// A zip archive that is small, and a thousand times its size once unpacked.
    Bomb,
}

impl Forgery {
    /// Every one.
    pub const ALL: [Forgery; 4] = [
        Forgery::NotFirmware,
        Forgery::Empty,
        Forgery::Traversal,
        Forgery::Bomb,
    ];

    /// The word in vocabulary files.
    pub fn name(self) -> &'static str {
        match self {
            Forgery::NotFirmware => "not_firmware",
            Forgery::Empty => "empty",
            Forgery::Traversal => "traversal",
            Forgery::Bomb => "bomb",
        }
    }

    /// Its bytes; `size` is that of the right image.
    pub fn make(self, size: usize) -> Vec<u8> {
        match self {
            Forgery::NotFirmware => vec![b'x'; size],
            Forgery::Empty => Vec::new(),
            Forgery::Traversal => {
                let names = ["../../hil-canary", "/tmp/hil-canary", "..\\..\\hil-canary"];
                let members: Vec<Member> = names
                    .into_iter()
                    .map(|name| Member::stored(name, b"canary"))
                    .collect();
                zip(&members)
            }
            Forgery::Bomb => match Member::zeros("firmware.bin", BOMB) {
                Ok(member) => zip(&[member]),
                // Writing to memory does not fail.
                Err(_) => Vec::new(),
            },
        }
    }
}

/// A member of a zip archive (PKWARE APPNOTE sections 4.3.7 and 4.3.12).
struct Member {
    name: &'static str,
    data: Vec<u8>,
    method: u16,
    crc: u32,
    size: u32,
}

impl Member {
    fn stored(name: &'static str, data: &[u8]) -> Self {
        let mut crc = Crc::new();
        crc.update(data);
        Member {
            name,
            data: data.to_vec(),
            method: 0,
            crc: crc.sum(),
            size: data.len() as u32,
        }
    }

    /// So many zeros, compressed.
    fn zeros(name: &'static str, size: u32) -> io::Result<Self> {
        let block = [0; 1 << 16];
        let (mut crc, mut encoder) = (Crc::new(), DeflateEncoder::new(Vec::new(), Compression::fast()));
        for _ in 0..size as usize / block.len() {
            crc.update(&block);
            encoder.write_all(&block)?;
        }
        Ok(Member {
            name,
            data: encoder.finish()?,
            method: 8,
            crc: crc.sum(),
            size,
        })
    }

    /// The fields that local header and directory share.
    fn common(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for field in [20, 0, self.method, 0, 0x21] {
            bytes.extend(field.to_le_bytes());
        }
        for field in [self.crc, self.data.len() as u32, self.size] {
            bytes.extend(field.to_le_bytes());
        }
        bytes.extend((self.name.len() as u16).to_le_bytes());
        bytes.extend(0u16.to_le_bytes());
        bytes
    }
}

fn zip(members: &[Member]) -> Vec<u8> {
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    for member in members {
        directory.extend(*b"PK\x01\x02\x14\x00");
        directory.extend(member.common());
        directory.extend([0; 10]); // comment, disk, attributes
        directory.extend((archive.len() as u32).to_le_bytes());
        directory.extend(member.name.as_bytes());
        archive.extend(*b"PK\x03\x04");
        archive.extend(member.common());
        archive.extend(member.name.as_bytes());
        archive.extend(&member.data);
    }
    let (count, start) = (members.len() as u16, archive.len() as u32);
    archive.extend(&directory);
    archive.extend(*b"PK\x05\x06\0\0\0\0");
    archive.extend(count.to_le_bytes());
    archive.extend(count.to_le_bytes());
    archive.extend((directory.len() as u32).to_le_bytes());
    archive.extend(start.to_le_bytes());
    archive.extend([0; 2]);
    archive
}

/// What a bomb unpacks to, in bytes.
const BOMB: u32 = 64 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bomb_is_small_and_says_how_big_it_gets() {
        let member = Member::zeros("a", 1 << 20).expect("memory");
        assert!(member.data.len() < 1 << 14);
        let archive = zip(&[member]);
        assert_eq!(archive[..4], *b"PK\x03\x04");
        assert_eq!(archive[22..26], (1u32 << 20).to_le_bytes());
    }

    #[test]
    fn names_that_lead_out_are_in_headers_and_directory() {
        let archive = Forgery::Traversal.make(0);
        let text = String::from_utf8_lossy(&archive);
        assert_eq!(text.matches("../../hil-canary").count(), 2);
        assert_eq!(Forgery::NotFirmware.make(7).len(), 7);
    }
}
