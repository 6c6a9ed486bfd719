//! Files of the device by class; a name carries the time the file was written.

use crate::Flash;

/// What a cleanup may remove.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Logs.
    Logs,
    /// Temporary files.
    Temporary,
    /// Batches of telemetry that were handed over.
    Batches,
    /// Exports on their way; never cleaned while one is under way.
    Exports,
}

impl Class {
    /// The class of a word of the vocabulary.
    pub(super) fn from_name(name: &str) -> Option<Class> {
        match name {
            "logs" => Some(Class::Logs),
            "temporary" => Some(Class::Temporary),
            "batches" => Some(Class::Batches),
            "exports" => Some(Class::Exports),
            _ => None,
        }
    }

    /// The folder.
    pub(super) fn folder(self) -> &'static str {
        match self {
            Class::Logs => "logs/",
            Class::Temporary => "tmp/",
            Class::Batches => "batches/",
            Class::Exports => "exports/",
        }
    }
}

/// The name of a file written at a time (Unix seconds).
pub(super) fn file_name(class: Class, written_s: i64, number: u64) -> String {
    format!("{}{written_s}-{number}", class.folder())
}

/// What stands for a file of so many bytes: as many, or of a large file its size alone.
pub(super) fn content(bytes: u64) -> Vec<u8> {
    match usize::try_from(bytes) {
        Ok(few) if bytes <= MOST_WRITTEN => vec![b'x'; few],
        _ => format!("{LARGE}{bytes}").into_bytes(),
    }
}

fn size(content: &[u8]) -> u64 {
    let told = std::str::from_utf8(content)
        .ok()
        .and_then(|text| text.strip_prefix(LARGE));
    told.and_then(|number| number.parse().ok())
        .unwrap_or(content.len() as u64)
}

/// Removes the files of a class written before a time, or all; returns files and bytes.
pub(super) fn remove(flash: &mut Flash, class: Class, before_s: Option<i64>) -> (u64, u64) {
    let names: Vec<String> = flash.names(class.folder()).map(str::to_owned).collect();
    let mut removed = (0, 0);
    for name in names {
        let written = name[class.folder().len()..]
            .rsplit_once('-')
            .and_then(|(time, _)| time.parse().ok());
        let old = before_s.is_none_or(|before| written.is_some_and(|written: i64| written < before));
        let bytes = flash.read(&name).map_or(0, size);
        if old && flash.remove(&name).is_ok() {
            removed = (removed.0 + 1, removed.1 + bytes);
        }
    }
    removed
}

/// Files of up to so many bytes are written as they are.
const MOST_WRITTEN: u64 = 1024 * 1024;
/// What the content of a larger one begins with.
const LARGE: &str = "file of size ";
