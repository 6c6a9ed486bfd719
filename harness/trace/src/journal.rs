//! The trace on disk: one JSON line per header or record, large payloads in side files.

use crate::{HowClosed, INLINE_LIMIT, Payload, Record, TraceHeader};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, BufRead, BufReader, BufWriter, Write},
    path::{Path, PathBuf},
};

/// One line of a journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// Begins an instance.
    Header(Box<TraceHeader>),
    /// One record of an instance.
    Record {
        /// The instance it belongs to.
        instance: String,
        /// The record.
        record: Record,
    },
    /// An instance that did not run, and why.
    Skipped {
        /// What would have run.
        header: Box<TraceHeader>,
        /// Why it did not.
        reason: String,
    },
}

/// A whole trace in memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// Its header.
    pub header: TraceHeader,
    /// Its records, in order.
    pub records: Vec<Record>,
    /// Why it did not run, if it did not.
    pub skipped: Option<String>,
}

/// Why a journal could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The disk, a missing file, permissions.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Written by a version this one does not know.
    #[error("{path}: journal format {found} is not known here; this version reads format {known}")]
    Format {
        /// The file.
        path: PathBuf,
        /// Format found.
        found: u32,
        /// Format known.
        known: u32,
    },
    /// Not one line could be read.
    #[error("{path}: not a journal: {reason}")]
    NotAJournal {
        /// The file.
        path: PathBuf,
        /// What is wrong with its first line.
        reason: String,
    },
}

/// Appends lines to a journal; flushes at the end of each instance.
#[derive(Debug)]
pub struct JournalWriter {
    directory: PathBuf,
    path: PathBuf,
    file: BufWriter<File>,
}

impl JournalWriter {
    /// Creates `journal.jsonl` and the side-file folder `payloads` in a folder, which is made if missing.
    pub fn create(directory: &Path) -> Result<Self, JournalError> {
        let path = directory.join("journal.jsonl");
        let io = |source| JournalError::Io {
            path: path.clone(),
            source,
        };
        fs::create_dir_all(directory).map_err(io)?;
        let file = BufWriter::new(File::create(&path).map_err(io)?);
        Ok(JournalWriter {
            directory: directory.to_owned(),
            path,
            file,
        })
    }

    /// Appends a whole trace and flushes it.
    pub fn append(&mut self, trace: &Trace) -> Result<(), JournalError> {
        match &trace.skipped {
            Some(reason) => {
                self.line(&Line::Skipped {
                    header: Box::new(trace.header.clone()),
                    reason: reason.clone(),
                })?;
            }
            None => {
                self.line(&Line::Header(Box::new(trace.header.clone())))?;
                for record in &trace.records {
                    self.record(&trace.header.instance, record.clone())?;
                }
            }
        }
        let path = &self.path;
        self.file.flush().map_err(|source| JournalError::Io {
            path: path.clone(),
            source,
        })
    }

    fn record(&mut self, instance: &str, mut record: Record) -> Result<(), JournalError> {
        if let Some(payload) = record.payload_mut()
            && payload.bytes().len() > INLINE_LIMIT
        {
            *payload = self.store(payload)?;
        }
        self.line(&Line::Record {
            instance: instance.to_owned(),
            record,
        })
    }

    fn store(&self, payload: &Payload) -> Result<Payload, JournalError> {
        let sha256 = hex::encode(Sha256::digest(payload.bytes()));
        let folder = self.directory.join("payloads");
        let path = folder.join(&sha256);
        let io = |source| JournalError::Io {
            path: path.clone(),
            source,
        };
        if !path.exists() {
            fs::create_dir_all(&folder).map_err(io)?;
            fs::write(&path, payload.bytes()).map_err(io)?;
        }
        Ok(Payload::Stored {
            sha256,
            length: payload.length(),
        })
    }

    fn line(&mut self, line: &Line) -> Result<(), JournalError> {
        let path = &self.path;
        let io = |source| JournalError::Io {
            path: path.clone(),
            source,
        };
        serde_json::to_writer(&mut self.file, line).map_err(|e| io(e.into()))?;
        self.file.write_all(b"\n").map_err(io)
    }
}

/// Where and why reading stopped early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TornAt {
    /// Line number, from 1.
    pub line: usize,
    /// Why.
    pub reason: String,
}

/// What could be read of a journal.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadJournal {
    /// Traces in the order of their instance names.
    pub traces: Vec<Trace>,
    /// Set if the journal breaks off.
    pub torn: Option<TornAt>,
}

/// Reads journals.
#[derive(Debug)]
pub struct JournalReader;

impl JournalReader {
    /// Reads a journal file, or `journal.jsonl` in a folder, up to its end or its first unreadable line.
    pub fn read(path: &Path) -> Result<ReadJournal, JournalError> {
        let path = if path.is_dir() {
            path.join("journal.jsonl")
        } else {
            path.to_owned()
        };
        let io = |source| JournalError::Io {
            path: path.clone(),
            source,
        };
        let side = path.parent().unwrap_or(Path::new(".")).join("payloads");
        let mut reader = BufReader::new(File::open(&path).map_err(io)?);
        let mut traces: BTreeMap<String, Trace> = BTreeMap::new();
        let mut torn = None;
        let mut bytes = Vec::new();
        for number in 1.. {
            bytes.clear();
            if reader.read_until(b'\n', &mut bytes).map_err(io)? == 0 {
                break;
            }
            let whole = bytes.ends_with(b"\n");
            let line = serde_json::from_slice(&bytes).map_err(|e| e.to_string());
            let placed = match line {
                Ok(_) if !whole => Err("the last line has no end".to_owned()),
                Ok(line) => place(&mut traces, line, &side, &path)?,
                Err(reason) => Err(reason),
            };
            if let Err(reason) = placed {
                if number == 1 {
                    return Err(JournalError::NotAJournal { path, reason });
                }
                torn = Some(TornAt { line: number, reason });
                break;
            }
        }
        Ok(ReadJournal {
            traces: traces.into_values().collect(),
            torn,
        })
    }
}

impl Trace {
    /// How the trace ended; `None` if its end is missing.
    pub fn closed(&self) -> Option<HowClosed> {
        match self.records.last().map(|r| &r.what) {
            Some(crate::RecordBody::Closed { how }) => Some(*how),
            _ => None,
        }
    }
}

fn place(
    traces: &mut BTreeMap<String, Trace>,
    line: Line,
    side: &Path,
    path: &Path,
) -> Result<Result<(), String>, JournalError> {
    match line {
        Line::Header(header) | Line::Skipped { header, .. } if header.format != TraceHeader::FORMAT => {
            Err(JournalError::Format {
                path: path.to_owned(),
                found: header.format,
                known: TraceHeader::FORMAT,
            })
        }
        Line::Header(header) => {
            let trace = Trace {
                header: *header,
                records: Vec::new(),
                skipped: None,
            };
            traces.insert(trace.header.instance.clone(), trace);
            Ok(Ok(()))
        }
        Line::Skipped { header, reason } => {
            let trace = Trace {
                header: *header,
                records: Vec::new(),
                skipped: Some(reason),
            };
            traces.insert(trace.header.instance.clone(), trace);
            Ok(Ok(()))
        }
        Line::Record { instance, mut record } => {
            let Some(trace) = traces.get_mut(&instance) else {
                return Ok(Err(format!("a record of `{instance}`, whose header is missing")));
            };
            if record.seq != trace.records.len() as u64 {
                return Ok(Err(format!(
                    "record {} of `{instance}` is out of order",
                    record.seq
                )));
            }
            if let Some(payload) = record.payload_mut()
                && let Payload::Stored { sha256, .. } = payload
            {
                let file = side.join(&*sha256);
                match fs::read(&file) {
                    Ok(bytes) if hex::encode(Sha256::digest(&bytes)) == *sha256 => *payload = bytes.into(),
                    Ok(_) => return Ok(Err(format!("{} is damaged", file.display()))),
                    Err(error) => return Ok(Err(format!("{}: {error}", file.display()))),
                }
            }
            trace.records.push(record);
            Ok(Ok(()))
        }
    }
}
