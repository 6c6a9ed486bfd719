//! Writes zip archives member by member, header fields at will, so that odd archives can be made too.

/// Id of the extra field of the manifest's local header that holds the signatures as JSON.
pub const SIGNATURE_FIELD: u16 = 0x293a;

/// One member. [`Member::stored`] fills the header from the data; change fields to make an archive odd.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Name as written.
    pub name: String,
    /// Bytes as written.
    pub data: Vec<u8>,
    /// General purpose flags; bit 3 announces a data descriptor.
    pub flags: u16,
    /// Compression method; 0 is stored.
    pub method: u16,
    /// CRC-32 of the uncompressed bytes; 0 is not checked by units.
    pub crc: u32,
    /// Uncompressed size as claimed.
    pub uncompressed_size: u32,
    /// Extra fields as written, see [`Member::with_extra`].
    pub extra: Vec<u8>,
}

impl Member {
    /// A stored member with correct sizes and CRC.
    pub fn stored(name: impl Into<String>, data: impl Into<Vec<u8>>) -> Self {
        let data = data.into();
        Member {
            name: name.into(),
            flags: 0,
            method: 0,
            crc: crc32fast::hash(&data),
            uncompressed_size: clamp(data.len()),
            extra: Vec::new(),
            data,
        }
    }

    /// Appends one extra field.
    #[must_use]
    pub fn with_extra(mut self, id: u16, data: &[u8]) -> Self {
        let length = u16::try_from(data.len()).unwrap_or(u16::MAX);
        self.extra.extend_from_slice(&id.to_le_bytes());
        self.extra.extend_from_slice(&length.to_le_bytes());
        self.extra.extend_from_slice(&data[..usize::from(length)]);
        self
    }

    /// What local and central header have in common.
    fn common(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(26);
        bytes.extend_from_slice(&20u16.to_le_bytes());
        bytes.extend_from_slice(&self.flags.to_le_bytes());
        bytes.extend_from_slice(&self.method.to_le_bytes());
        bytes.extend_from_slice(&0u32.to_le_bytes()); // time and date
        bytes.extend_from_slice(&self.crc.to_le_bytes());
        bytes.extend_from_slice(&clamp(self.data.len()).to_le_bytes());
        bytes.extend_from_slice(&self.uncompressed_size.to_le_bytes());
        bytes.extend_from_slice(&clamp16(self.name.len()).to_le_bytes());
        bytes.extend_from_slice(&clamp16(self.extra.len()).to_le_bytes());
        bytes
    }
}

/// The archive with these members in this order, local headers, data and central directory.
pub fn write_zip(members: &[Member]) -> Vec<u8> {
    let mut archive = Vec::new();
    let mut directory = Vec::new();
    for member in members {
        let common = member.common();
        directory.extend_from_slice(&CENTRAL_SIGNATURE);
        directory.extend_from_slice(&20u16.to_le_bytes());
        directory.extend_from_slice(&common);
        directory.extend_from_slice(&[0; 10]); // comment, disk, attributes
        directory.extend_from_slice(&clamp(archive.len()).to_le_bytes());
        directory.extend_from_slice(member.name.as_bytes());
        directory.extend_from_slice(&member.extra);
        archive.extend_from_slice(&LOCAL_SIGNATURE);
        archive.extend_from_slice(&common);
        archive.extend_from_slice(member.name.as_bytes());
        archive.extend_from_slice(&member.extra);
        archive.extend_from_slice(&member.data);
    }
    let count = clamp16(members.len()).to_le_bytes();
    let start = clamp(archive.len()).to_le_bytes();
    let length = clamp(directory.len()).to_le_bytes();
    archive.extend_from_slice(&directory);
    archive.extend_from_slice(&END_SIGNATURE);
    archive.extend_from_slice(&[0; 4]); // disk numbers
    archive.extend_from_slice(&count);
    archive.extend_from_slice(&count);
    archive.extend_from_slice(&length);
    archive.extend_from_slice(&start);
    archive.extend_from_slice(&[0; 2]); // comment
    archive
}

pub(super) const LOCAL_SIGNATURE: [u8; 4] = *b"PK\x03\x04";
pub(super) const CENTRAL_SIGNATURE: [u8; 4] = *b"PK\x01\x02";
pub(super) const END_SIGNATURE: [u8; 4] = *b"PK\x05\x06";

fn clamp(size: usize) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX)
}

fn clamp16(size: usize) -> u16 {
    u16::try_from(size).unwrap_or(u16::MAX)
}
