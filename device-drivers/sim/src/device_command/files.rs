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

/// Removes the files of a class written before a time, or all; returns files and bytes.
pub(super) fn remove(flash: &mut Flash, class: Class, before_s: Option<i64>) -> (u64, u64) {
    let names: Vec<String> = flash.names(class.folder()).map(str::to_owned).collect();
    let mut removed = (0, 0);
    for name in names {
        let written = name[class.folder().len()..]
            .rsplit_once('-')
            .and_then(|(time, _)| time.parse().ok());
        let old = before_s.is_none_or(|before| written.is_some_and(|written: i64| written < before));
        let bytes = flash.read(&name).map_or(0, <[u8]>::len) as u64;
        if old && flash.remove(&name).is_ok() {
            removed = (removed.0 + 1, removed.1 + bytes);
        }
    }
    removed
}
