//! Non-volatile storage as named files, with byte accounting and a counter of writes at which power can fail.

use std::collections::BTreeMap;

/// Named files. Files below `state/` lie in a small partition of their own and are never refused; all others share
/// the capacity. Each change is one step at which power can fail: it then does not happen, or, if the failure tears it,
/// the first half of its bytes is there. Renaming and removing are never torn.
#[derive(Clone, Debug)]
pub struct Flash {
    pub(super) files: BTreeMap<String, Vec<u8>>,
    pub(super) capacity: u64,
    pub(super) ballast: u64,
    used: u64,
    pub(super) writes: u64,
    /// Grows with whatever changes.
    pub(super) changes: u64,
    fails_at: Option<Failure>,
    dead: bool,
    /// Files are replaced where they are, as careless software does it.
    pub(crate) in_place: bool,
}

/// A failure of power that is to come.
#[derive(Clone, Copy, Debug)]
struct Failure {
    /// At which write, counted from the first.
    write: u64,
    /// Whether the first half of that write is done.
    torn: bool,
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
            in_place: false,
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

    /// Replaces a file so that whatever happens it is wholly the old one or the new one: written beside it, then renamed.
    pub fn replace(&mut self, name: &str, bytes: impl Into<Vec<u8>>) -> Result<(), FlashError> {
        if self.in_place {
            return self.write(name, bytes);
        }
        let beside = if is_counted(name) { BESIDE } else { BESIDE_STATE };
        self.write(beside, bytes)?;
        self.rename(beside, name)?;
        Ok(())
    }

    /// Writes a file where it is; one torn by a power failure has lost its old content.
    pub fn write(&mut self, name: &str, bytes: impl Into<Vec<u8>>) -> Result<(), FlashError> {
        let bytes = bytes.into();
        if is_counted(name) {
            let old = self.files.get(name).map_or(0, Vec::len) as u64;
            if bytes.len() as u64 > self.free() + old {
                return Err(FlashError::NoSpace);
            }
        }
        let (done, result) = self.write_step(bytes.len());
        if let Some(done) = done {
            self.forget(name);
            self.account(name, done);
            let bytes = bytes.into_iter().take(done).collect();
            self.files.insert(name.to_owned(), bytes);
        }
        result
    }

    /// Appends to a file, which is made if missing.
    pub fn append(&mut self, name: &str, bytes: &[u8]) -> Result<(), FlashError> {
        if is_counted(name) && bytes.len() as u64 > self.free() {
            return Err(FlashError::NoSpace);
        }
        let (done, result) = self.write_step(bytes.len());
        if let Some(done) = done {
            self.account(name, done);
            let file = self.files.entry(name.to_owned()).or_default();
            file.extend(&bytes[..done]);
        }
        result
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

    /// Makes power fail at the n-th write from now on (from 1); all later ones do not happen, and of that write, if it
    /// carries bytes and is to be torn, only the first half does.
    pub fn fail_at_write(&mut self, n: u64, torn: bool) {
        let write = self.writes.saturating_add(n.max(1));
        self.fails_at = Some(Failure { write, torn });
    }

    /// True once power failed at a write.
    pub fn is_dead(&self) -> bool {
        self.dead
    }

    /// Power is back.
    pub fn revive(&mut self) {
        self.dead = false;
    }

    /// One change without bytes: done, or not done.
    pub(super) fn step(&mut self) -> Result<(), FlashError> {
        match self.write_step(0) {
            (Some(_), Ok(())) => Ok(()),
            _ => Err(FlashError::PowerFailed),
        }
    }

    /// One write of so many bytes: how many of them are there afterwards (`None`: nothing was touched), and how it ended.
    pub(super) fn write_step(&mut self, length: usize) -> (Option<usize>, Result<(), FlashError>) {
        let failed = Err(FlashError::PowerFailed);
        if self.dead {
            return (None, failed);
        }
        if let Some(failure) = self.fails_at.filter(|failure| self.writes + 1 >= failure.write) {
            self.dead = true;
            self.fails_at = None;
            self.changes += u64::from(failure.torn);
            return ((failure.torn && length > 0).then_some(length / 2), failed);
        }
        self.writes += 1;
        self.changes += 1;
        (Some(length), Ok(()))
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

/// Where a file lies until it takes the place of an older one; what a power failure left there is overwritten.
const BESIDE: &str = "beside";
/// The same for files that are not counted.
const BESIDE_STATE: &str = "state/~beside";

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
        flash.fail_at_write(2, false);
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

    #[test]
    fn a_torn_write_leaves_half_of_it() {
        let mut flash = Flash::default();
        let all = flash.free();
        flash.write("a", b"old".to_vec()).unwrap();
        flash.fail_at_write(1, true);
        assert_eq!(
            flash.write("a", b"brand-new".to_vec()),
            Err(FlashError::PowerFailed)
        );
        flash.revive();
        assert_eq!((flash.read("a"), flash.free()), (Some(&b"bran"[..]), all - 4));
        flash.fail_at_write(1, true);
        assert_eq!(flash.append("a", b"dnew"), Err(FlashError::PowerFailed));
        flash.revive();
        assert_eq!(flash.read("a"), Some(&b"brandn"[..]));
        flash.fail_at_write(1, true);
        assert_eq!(flash.rename("a", "b"), Err(FlashError::PowerFailed));
        flash.revive();
        assert_eq!((flash.read("a"), flash.read("b")), (Some(&b"brandn"[..]), None));
    }

    #[test]
    fn a_replaced_file_is_the_old_or_the_new_one() {
        for (n, torn) in [(1, false), (1, true), (2, false), (2, true), (3, false)] {
            let mut flash = Flash::default();
            flash.replace("state/a", b"old".to_vec()).unwrap();
            flash.fail_at_write(n, torn);
            let result = flash.replace("state/a", b"new".to_vec());
            let expected: &[u8] = if result.is_ok() { b"new" } else { b"old" };
            assert_eq!(flash.read("state/a"), Some(expected), "{n} {torn}");
            assert_eq!(result.is_ok(), n > 2);
        }
    }
}
