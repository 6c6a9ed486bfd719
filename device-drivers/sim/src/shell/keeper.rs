//! Keeps a unit's hardware in a file, where it outlives the process: written before anything the unit did with it is
//! seen outside.

use crate::{Hardware, hardware::Mark};
use hil_trace::{Blame, RecordBody, SharedRecorder};
use hil_unit::UnitError;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The file of one unit.
pub(crate) struct Keeper {
    path: PathBuf,
    mark: Mark,
    failed: bool,
}

impl Keeper {
    /// The file in a folder, which is made, and the hardware it holds, if there is one.
    pub(crate) fn open(folder: &Path) -> Result<(Keeper, Option<Hardware>), UnitError> {
        let lab = |path: &Path, error: io::Error| UnitError::Lab(format!("{}: {error}", path.display()));
        fs::create_dir_all(folder).map_err(|error| lab(folder, error))?;
        let path = folder.join(FILE);
        let hardware = match fs::read(&path) {
            Ok(bytes) => Some(Hardware::from_bytes(&bytes).ok_or_else(|| {
                UnitError::Lab(format!(
                    "{} is damaged or of another version; remove it to begin afresh",
                    path.display()
                ))
            })?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(lab(&path, error)),
        };
        let keeper = Keeper {
            path,
            mark: Mark::default(),
            failed: false,
        };
        Ok((keeper, hardware))
    }

    /// Writes what has changed.
    pub(crate) fn keep(&mut self, hardware: &Hardware, recorder: &SharedRecorder) {
        let mark = hardware.mark();
        if mark == self.mark {
            return;
        }
        self.mark = mark;
        let new = self.path.with_extension("new");
        let written = fs::write(&new, hardware.to_bytes()).and_then(|()| fs::rename(&new, &self.path));
        if let Err(error) = written
            && !self.failed
        {
            self.failed = true;
            let text = format!(
                "the unit's state cannot be kept: {}: {error}",
                self.path.display()
            );
            recorder.record(RecordBody::Trouble {
                blame: Blame::Lab,
                text,
            });
        }
    }
}

/// Whether a folder holds the state of a simulated unit.
pub fn is_kept(folder: &Path) -> bool {
    folder.join(FILE).exists()
}

const FILE: &str = "unit.state";
