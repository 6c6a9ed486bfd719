//! Reads journals, as far as they can be read.

use super::{JournalError, Line, RepeatFigures, Trace};
use crate::{Figures, Partition, Payload, Record, TraceHeader, Waivers};
use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    fs::{self, File},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
};

/// Where and why something of a journal could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Line number, from 1.
    pub line: usize,
    /// Why.
    pub reason: String,
    /// The instance that is read up to here; none if the whole journal is.
    pub instance: Option<String>,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.instance {
            Some(instance) => write!(
                f,
                "`{instance}` breaks off at line {}: {}",
                self.line, self.reason
            ),
            None => write!(f, "the journal breaks off at line {}: {}", self.line, self.reason),
        }
    }
}

/// What could be read of a journal.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadJournal {
    /// Traces in the order of their instance names. An instance two runs have in common is there twice, the second time
    /// under a name that ends in `~2`.
    pub traces: Vec<Trace>,
    /// Repeats that keep their figures only, in the order of the names of their groups.
    pub repeats: Vec<RepeatFigures>,
    /// What is missing, in the order of lines.
    pub damage: Vec<Damage>,
    /// Whether a run in it says that it was cut short.
    pub interrupted: bool,
    /// The parts of a run it holds, as its headers and its end say.
    pub partitions: BTreeSet<Partition>,
    /// The waivers of its runs; those of several runs together, as of the latest day.
    pub waivers: Option<Waivers>,
}

impl ReadJournal {
    /// Whether something that belongs to it was not judged, as far as can be told.
    pub fn is_incomplete(&self) -> bool {
        self.interrupted || !self.damage.is_empty()
    }
}

/// Reads journals.
#[derive(Debug)]
pub struct JournalReader;

impl JournalReader {
    /// Reads a journal file, or `journal.jsonl` in a folder, up to its end or its first unreadable line. An instance with
    /// a record or a payload missing is read up to there, and the others go on.
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
        let mut reading = Reading::new(side);
        let mut bytes = Vec::new();
        for number in 1.. {
            bytes.clear();
            if reader.read_until(b'\n', &mut bytes).map_err(io)? == 0 {
                reading.end_of_file(number);
                break;
            }
            let whole = bytes.ends_with(b"\n");
            let placed = match serde_json::from_slice(&bytes) {
                Ok(_) if !whole => Err(Break::Journal("the last line has no end".to_owned())),
                Ok(line) => reading.place(line),
                Err(error) => Err(Break::Journal(unreadable(&error, &bytes))),
            };
            match placed {
                Ok(()) => {}
                Err(Break::Format(found)) if number == 1 => {
                    let known = TraceHeader::FORMAT;
                    return Err(JournalError::Format { path, found, known });
                }
                Err(cause @ (Break::Format(_) | Break::Journal(_))) if number > 1 => {
                    reading.damaged(number, cause);
                    break;
                }
                Err(Break::Instance(instance, reason)) if number > 1 => {
                    reading.damaged(number, Break::Instance(instance, reason));
                }
                Err(cause) => {
                    let reason = cause.reason();
                    return Err(JournalError::NotAJournal { path, reason });
                }
            }
        }
        Ok(reading.finish())
    }
}

/// Why reading does not go on.
enum Break {
    /// With the whole journal.
    Journal(String),
    /// With the whole journal: what follows is of a format that is not known.
    Format(u32),
    /// With one instance.
    Instance(String, String),
}

impl Break {
    fn reason(self) -> String {
        match self {
            Break::Journal(reason) | Break::Instance(_, reason) => reason,
            Break::Format(found) => {
                format!(
                    "journal format {found} is not known here; this version reads format {}",
                    TraceHeader::FORMAT
                )
            }
        }
    }
}

struct Reading {
    side: PathBuf,
    traces: Vec<Trace>,
    /// The latest trace of each instance name.
    current: BTreeMap<String, usize>,
    /// How often each instance name was begun.
    begun: BTreeMap<String, usize>,
    repeats: Vec<RepeatFigures>,
    /// The latest group of each name, and how often it was begun.
    groups: BTreeMap<String, (usize, usize)>,
    /// Instances whose records are no longer taken.
    broken: BTreeSet<String>,
    damage: Vec<Damage>,
    interrupted: bool,
    partitions: BTreeSet<Partition>,
    ended: bool,
    waivers: Option<Waivers>,
}

impl Reading {
    fn new(side: PathBuf) -> Reading {
        Reading {
            side,
            traces: Vec::new(),
            current: BTreeMap::new(),
            begun: BTreeMap::new(),
            repeats: Vec::new(),
            groups: BTreeMap::new(),
            broken: BTreeSet::new(),
            damage: Vec::new(),
            interrupted: false,
            partitions: BTreeSet::new(),
            ended: false,
            waivers: None,
        }
    }

    fn place(&mut self, line: Line) -> Result<(), Break> {
        self.ended = matches!(line, Line::End { .. });
        match line {
            Line::Header(header) | Line::Skipped { header, .. } | Line::Repeats(header)
                if header.format != TraceHeader::FORMAT =>
            {
                Err(Break::Format(header.format))
            }
            Line::Header(header) => {
                self.begin(*header, None);
                Ok(())
            }
            Line::Skipped { header, reason } => {
                self.begin(*header, Some(reason));
                Ok(())
            }
            Line::Record { instance, record } => self.record(instance, record),
            Line::Repeats(header) => {
                self.begin_group(*header);
                Ok(())
            }
            Line::Figures { group, figures } => self.figures(&group, figures),
            Line::Waivers(more) => {
                self.waivers = Some(match self.waivers.take() {
                    Some(waivers) => waivers.and(more),
                    None => more,
                });
                Ok(())
            }
            Line::End {
                interrupted,
                partitions,
                ..
            } => {
                self.interrupted |= interrupted;
                self.partitions.extend(partitions);
                Ok(())
            }
        }
    }

    fn begin(&mut self, mut header: TraceHeader, skipped: Option<String>) {
        let name = header.instance.clone();
        header.instance = self.named(&name);
        self.partitions.extend(header.partition);
        if let Some(retry) = &mut header.retry_of
            && let Some(at) = self.current.get(&retry.first)
        {
            retry.first.clone_from(&self.traces[*at].header.instance);
        }
        if let Some(repeat_of) = &mut header.repeat_of
            && let Some((at, _)) = self.groups.get(&repeat_of.group)
        {
            repeat_of.group.clone_from(&self.repeats[*at].header.instance);
        }
        self.broken.remove(&name);
        self.current.insert(name, self.traces.len());
        self.traces.push(Trace {
            header,
            records: Vec::new(),
            skipped,
        });
    }

    /// The name an instance gets: one that was there already gets another.
    fn named(&mut self, name: &str) -> String {
        let times = self.begun.entry(name.to_owned()).or_default();
        *times += 1;
        again(name, *times)
    }

    fn begin_group(&mut self, mut header: TraceHeader) {
        let name = header.instance.clone();
        let times = self.groups.get(&name).map_or(1, |(_, times)| times + 1);
        header.instance = again(&name, times);
        if let Some(repeat_of) = &mut header.repeat_of {
            repeat_of.group.clone_from(&header.instance);
        }
        self.groups.insert(name, (self.repeats.len(), times));
        self.repeats.push(RepeatFigures {
            header,
            figures: Vec::new(),
        });
    }

    fn figures(&mut self, group: &str, mut figures: Figures) -> Result<(), Break> {
        let Some((at, _)) = self.groups.get(group).copied() else {
            let reason = format!("figures of repeats of `{group}`, whose header is missing");
            return Err(Break::Instance(figures.instance, reason));
        };
        figures.instance = self.named(&figures.instance);
        self.repeats[at].figures.push(figures);
        Ok(())
    }

    fn record(&mut self, instance: String, mut record: Record) -> Result<(), Break> {
        if self.broken.contains(&instance) {
            return Ok(());
        }
        let Some(trace) = self.current.get(&instance).map(|at| &mut self.traces[*at]) else {
            let reason = format!("a record of `{instance}`, whose header is missing");
            return Err(Break::Instance(instance, reason));
        };
        let expected = trace.records.len() as u64;
        if record.seq != expected {
            let reason = format!("expected record {expected}, and this is record {}", record.seq);
            return Err(Break::Instance(instance, reason));
        }
        if let Some(payload) = record.payload_mut()
            && let Payload::Stored { sha256, .. } = payload
        {
            match stored(&self.side, sha256) {
                Ok(bytes) => *payload = bytes.into(),
                Err(reason) => return Err(Break::Instance(instance, reason)),
            }
        }
        trace.records.push(record);
        Ok(())
    }

    fn damaged(&mut self, line: usize, cause: Break) {
        let instance = match &cause {
            Break::Instance(instance, _) => Some(instance.clone()),
            Break::Journal(_) | Break::Format(_) => None,
        };
        self.broken.extend(instance.clone());
        self.damage.push(Damage {
            line,
            reason: cause.reason(),
            instance,
        });
    }

    fn end_of_file(&mut self, line: usize) {
        if !self.ended {
            let reason = "its end is missing; the run that wrote it did not finish".to_owned();
            self.damaged(line, Break::Journal(reason));
        }
    }

    fn finish(mut self) -> ReadJournal {
        self.traces
            .sort_by(|a, b| a.header.instance.cmp(&b.header.instance));
        self.repeats
            .sort_by(|a, b| a.header.instance.cmp(&b.header.instance));
        ReadJournal {
            traces: self.traces,
            repeats: self.repeats,
            damage: self.damage,
            interrupted: self.interrupted,
            partitions: self.partitions,
            waivers: self.waivers,
        }
    }
}

/// A name that was begun so many times.
fn again(name: &str, times: usize) -> String {
    match times {
        1 => name.to_owned(),
        times => format!("{name}~{times}"),
    }
}

/// The payload kept under a digest.
fn stored(side: &Path, sha256: &str) -> Result<Vec<u8>, String> {
    if sha256.len() != 64 || !sha256.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(format!("`{sha256}` is no SHA-256 of a payload"));
    }
    let file = side.join(sha256);
    match fs::read(&file) {
        Ok(bytes) if hex::encode(Sha256::digest(&bytes)) == sha256 => Ok(bytes),
        Ok(_) => Err(format!("the payload {} is damaged", file.display())),
        Err(error) => Err(format!("the payload {} cannot be read: {error}", file.display())),
    }
}

/// Why a line is none, with its column; the parser would count it as line 1 of its own.
fn unreadable(error: &serde_json::Error, bytes: &[u8]) -> String {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return "the line is empty".to_owned();
    }
    let text = error.to_string();
    let what = text.split(" at line ").next().unwrap_or_default();
    format!("{what}, column {}", error.column())
}
