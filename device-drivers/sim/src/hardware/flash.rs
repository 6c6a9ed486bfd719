//! Non-volatile storage as named files, with byte accounting and a counter of writes at which power can fail.

use std::collections::BTreeMap;

/// Named files. Files below `state/` lie in a small partition of their own and are never refused; all others share
/// the capacity. Each change is one step: it happens wholly or not at all.
#[derive(Clone, Debug)]
pub struct Flash {
    pub(super) files: BTreeMap<String, Vec<u8>>,
    pub(super) capacity: u64,
    pub(super) ballast: u64,
    used: u64,
    pub(super) writes: u64,
    /// Grows with whatever changes.
    pub(super) changes: u64,
    fails_at: Option<u64>,
    dead: bool,
}

/// Why something could not be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FlashError {
    /// Not enough room.
    #[error("no space left")]
    NoSpace,
    /// Power failed at this very write.
    #[error("power failed")]
    PowerFailed,
}

impl Default for Flash {
    fn default() -> Self {
        Flash::new(16 * 1024 * 1024)
    }
}

impl Flash {
    /// Empty storage of so many bytes.
    pub fn new(capacity: u64) -> Self {
        Flash {
            files: BTreeMap::new(),
            capacity,
            ballast: 0,
            used: 0,
            writes: 0,
            changes: 0,
            fails_at: None,
            dead: false,
        }
    }

    /// A file's bytes.
    pub fn read(&self, name: &str) -> Option<&[u8]> {
        self.files.get(name).map(Vec::as_slice)
    }

    /// Names of the files whose names begin so, in order.
    pub fn names<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        self.files
            .range(prefix.to_owned()..)
            .map(|(name, _)| name.as_str())
            .take_while(move |name| name.starts_with(prefix))
    }

    /// Replaces a file.
    pub fn write(&mut self, name: &str, bytes: impl Into<Vec<u8>>) -> Result<(), FlashError> {
        let bytes = bytes.into();
        if is_counted(name) {
            let old = self.files.get(name).map_or(0, Vec::len) as u64;
            if bytes.len() as u64 > self.free() + old {
                return Err(FlashError::NoSpace);
            }
        }
        self.step()?;
        self.forget(name);
        self.account(name, bytes.len());
        self.files.insert(name.to_owned(), bytes);
        Ok(())
    }

    /// Appends to a file, which is made if missing.
    pub fn append(&mut self, name: &str, bytes: &[u8]) -> Result<(), FlashError> {
        if is_counted(name) && bytes.len() as u64 > self.free() {
            return Err(FlashError::NoSpace);
        }
        self.step()?;
        self.account(name, bytes.len());
        self.files.entry(name.to_owned()).or_default().extend(bytes);
        Ok(())
    }

    /// Renames a file, replacing the target; false if there is no such file.
    pub fn rename(&mut self, from: &str, to: &str) -> Result<bool, FlashError> {
        if !self.files.contains_key(from) {
            return Ok(false);
        }
        self.step()?;
        self.forget(to);
        if let Some(bytes) = self.forget(from) {
            self.account(to, bytes.len());
            self.files.insert(to.to_owned(), bytes);
        }
        Ok(true)
    }

    /// Removes a file; one that is not there is no mistake.
    pub fn remove(&mut self, name: &str) -> Result<(), FlashError> {
        if self.files.contains_key(name) {
            self.step()?;
            self.forget(name);
        }
        Ok(())
    }

    /// Removes everything.
    pub fn erase(&mut self) {
        self.files.clear();
        self.used = 0;
        self.changes += 1;
    }

    /// Free bytes.
    pub fn free(&self) -> u64 {
        self.capacity
            .saturating_sub(self.used)
            .saturating_sub(self.ballast)
    }

    /// Bytes in all.
    pub fn capacity(&self) -> u64 {
        self.capacity
    }

    /// Fills the storage so that only so many bytes stay free; returns how many really do.
    pub fn leave_free(&mut self, bytes: u64) -> u64 {
        self.ballast = self.capacity.saturating_sub(self.used).saturating_sub(bytes);
        self.changes += 1;
        self.free()
    }

    /// How many writes there were.
    pub fn writes(&self) -> u64 {
        self.writes
    }

    /// Makes power fail at the n-th write from now on (from 1); that write and all later ones do not happen.
    pub fn fail_at_write(&mut self, n: u64) {
        self.fails_at = Some(self.writes + n.max(1));
    }

    /// True once power failed at a write.
    pub fn is_dead(&self) -> bool {
        self.dead
    }

    /// Power is back.
    pub fn revive(&mut self) {
        self.dead = false;
    }

    fn step(&mut self) -> Result<(), FlashError> {
        if self.dead {
            return Err(FlashError::PowerFailed);
        }
        if self.fails_at.is_some_and(|n| self.writes + 1 >= n) {
            self.dead = true;
            self.fails_at = None;
            return Err(FlashError::PowerFailed);
        }
        self.writes += 1;
        self.changes += 1;
        Ok(())
    }

    pub(super) fn account(&mut self, name: &str, length: usize) {
        if is_counted(name) {
            self.used += length as u64;
        }
    }

    fn forget(&mut self, name: &str) -> Option<Vec<u8>> {
        let bytes = self.files.remove(name)?;
        if is_counted(name) {
            self.used -= bytes.len() as u64;
        }
        Some(bytes)
    }
}

fn is_counted(name: &str) -> bool {
    !name.starts_with("state/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_for_every_byte() {
        let mut flash = Flash::default();
        let all = flash.free();
        flash.write("a", b"12345".to_vec()).unwrap();
        flash.append("a", b"67").unwrap();
        flash.write("state/x", vec![0; 100]).unwrap();
        assert_eq!(flash.free(), all - 7);
        flash.rename("a", "b").unwrap();
        assert_eq!(flash.leave_free(3), 3);
        assert_eq!(flash.append("b", b"1234"), Err(FlashError::NoSpace));
        assert_eq!(flash.write("b", b"0123456789".to_vec()), Ok(()));
        assert_eq!(flash.write("state/y", vec![0; 100]), Ok(()));
        assert_eq!(flash.names("state/").collect::<Vec<_>>(), ["state/x", "state/y"]);
        flash.remove("b").unwrap();
        assert_eq!(flash.leave_free(all), all);
    }

    #[test]
    fn power_can_fail_at_a_write() {
        let mut flash = Flash::default();
        flash.fail_at_write(2);
        flash.write("state/a", b"1".to_vec()).unwrap();
        assert_eq!(
            flash.write("state/a", b"2".to_vec()),
            Err(FlashError::PowerFailed)
        );
        assert_eq!(flash.remove("state/a"), Err(FlashError::PowerFailed));
        flash.revive();
        assert_eq!(flash.read("state/a"), Some(&b"1"[..]));
        assert_eq!(
            (flash.write("state/a", b"3".to_vec()), flash.writes()),
            (Ok(()), 2)
        );
    }
}
