//! The checksum behind a frame: CRC-32 (IEEE) over the bytes from `{` to `}`, as eight hex digits.

/// What the metadata behind a frame says about its checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crc {
    /// No metadata, or too little of it to be checked.
    Absent,
    /// The checksum fits.
    Valid,
    /// The checksum does not fit: the frame is dropped without an answer.
    Wrong {
        /// The number sent; `None` if it is no hex number.
        sent: Option<u32>,
        /// The number that fits.
        right: u32,
    },
}

impl Crc {
    /// True unless the frame has to be dropped.
    pub fn is_acceptable(self) -> bool {
        !matches!(self, Crc::Wrong { .. })
    }
}

/// CRC-32 of the JSON bytes.
pub fn crc32(json: &[u8]) -> u32 {
    crc32fast::hash(json)
}

/// The checksum as it is sent: eight lower-case hex digits.
pub fn crc_text(json: &[u8]) -> String {
    format!("{:08x}", crc32(json))
}

/// The unit's rule: fewer than eight characters are not checked; otherwise the hex number they start with
/// has to fit.
pub(super) fn check_as_unit(json: &[u8], metadata: &[u8]) -> Crc {
    if metadata.len() < 8 {
        return Crc::Absent;
    }
    let digits = metadata
        .iter()
        .position(|b| !b.is_ascii_hexdigit())
        .unwrap_or(metadata.len());
    compare(json, &metadata[..digits])
}

/// The rule of `mos`: the first field of any metadata has to be hex and fit.
pub(super) fn check_as_caller(json: &[u8], metadata: &[u8]) -> Crc {
    if metadata.is_empty() {
        return Crc::Absent;
    }
    let field = metadata.split(|&b| b == b',').next().unwrap_or_default();
    compare(json, field)
}

fn compare(json: &[u8], digits: &[u8]) -> Crc {
    let right = crc32(json);
    let sent = std::str::from_utf8(digits)
        .ok()
        .filter(|text| !text.starts_with('+'))
        .and_then(|text| u32::from_str_radix(text, 16).ok());
    if sent == Some(right) {
        Crc::Valid
    } else {
        Crc::Wrong { sent, right }
    }
}
