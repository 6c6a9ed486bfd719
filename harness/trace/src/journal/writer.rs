//! Writes journals.

use super::{JournalError, Line, Trace};
use crate::{Figures, INLINE_LIMIT, Partition, Payload, Record, TraceHeader, Waivers};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

/// Appends lines to a journal; flushes at the end of each instance. Every instance that is whole on disk can be judged,
/// whatever becomes of those after it.
#[derive(Debug)]
pub struct JournalWriter {
    directory: PathBuf,
    path: PathBuf,
    file: BufWriter<File>,
    instances: usize,
    partitions: BTreeSet<Partition>,
}

impl JournalWriter {
    /// Creates `journal.jsonl` and the side-file folder `payloads` in a folder, which is made if missing.
    pub fn create(directory: &Path) -> Result<Self, JournalError> {
        JournalWriter::create_at(directory, directory.join("journal.jsonl"))
    }

    /// Begins a journal anew with what `keep` appends of the one that is there, which is lost only once that is on disk.
    pub fn replace(
        directory: &Path,
        keep: impl FnOnce(&mut JournalWriter) -> Result<(), JournalError>,
    ) -> Result<Self, JournalError> {
        let mut writer = JournalWriter::create_at(directory, directory.join(".journal.jsonl.part"))?;
        keep(&mut writer)?;
        writer.flush()?;
        let path = directory.join("journal.jsonl");
        let renamed = writer
            .file
            .get_ref()
            .sync_all()
            .and_then(|()| fs::rename(&writer.path, &path));
        renamed.map_err(|source| JournalError::Io {
            path: path.clone(),
            source,
        })?;
        writer.path = path;
        Ok(writer)
    }

    fn create_at(directory: &Path, path: PathBuf) -> Result<Self, JournalError> {
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
            instances: 0,
            partitions: BTreeSet::new(),
        })
    }

    /// What is written is a part of a run that machines share, even if there is nothing in it.
    pub fn is_part(&mut self, partition: Partition) {
        self.partitions.insert(partition);
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
        self.instances += 1;
        self.flush()
    }

    /// Appends the waivers of the run; comes before its instances.
    pub fn append_waivers(&mut self, waivers: &Waivers) -> Result<(), JournalError> {
        self.line(&Line::Waivers(waivers.clone()))
    }

    /// Appends what the repeats of one scenario have in common; comes before all of them.
    pub fn append_group(&mut self, header: &TraceHeader) -> Result<(), JournalError> {
        self.line(&Line::Repeats(Box::new(header.clone())))
    }

    /// Appends a repeat that keeps its figures only. It reaches the disk with whatever is flushed next, or with many more
    /// of its kind.
    pub fn append_figures(&mut self, group: &str, figures: &Figures) -> Result<(), JournalError> {
        self.instances += 1;
        self.line(&Line::Figures {
            group: group.to_owned(),
            figures: figures.clone(),
        })
    }

    /// Ends the journal: everything that is in it was meant to be.
    pub fn finish(mut self, interrupted: bool) -> Result<(), JournalError> {
        self.line(&Line::End {
            instances: self.instances,
            interrupted,
            partitions: self.partitions.clone(),
        })?;
        self.flush()
    }

    fn flush(&mut self) -> Result<(), JournalError> {
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
