//! Finds what left the process group of its boot (`setsid`, a daemon): all that a boot started carries a mark in its
//! environment.

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::{
    fs,
    sync::atomic::{AtomicU64, Ordering},
};

/// Names one boot among all of this machine.
pub struct BootMark(String);

impl Default for BootMark {
    fn default() -> Self {
        Self::new()
    }
}

impl BootMark {
    /// A mark no other boot carries.
    pub fn new() -> Self {
        static BOOTS: AtomicU64 = AtomicU64::new(0);
        let boot = BOOTS.fetch_add(1, Ordering::Relaxed);
        BootMark(format!("{}.{boot}", std::process::id()))
    }

    /// The environment variable that carries it.
    pub fn variable(&self) -> (&'static str, &str) {
        (VARIABLE, &self.0)
    }

    /// Kills every process that carries the mark, in whatever group or session; returns how many there were. None is
    /// found where `/proc` does not show environments, and none that cleared its own.
    pub fn kill_all(&self) -> usize {
        let Ok(processes) = fs::read_dir("/proc") else {
            return 0;
        };
        let ids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        ids.filter(|id| self.kill(*id)).count()
    }

    /// The process is held while its environment is read: its number may go to another one meanwhile.
    fn kill(&self, id: i32) -> bool {
        let held = Pid::from_raw(id).and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
        let Some(held) = held.filter(|_| self.is_carried_by(id)) else {
            return false;
        };
        pidfd_send_signal(held, Signal::KILL).is_ok()
    }

    fn is_carried_by(&self, id: i32) -> bool {
        let mark = format!("{VARIABLE}={}", self.0);
        let environment = fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
        environment
            .split(|byte| *byte == 0)
            .any(|one| one == mark.as_bytes())
    }
}

const VARIABLE: &str = "HIL_BOOT_MARK";
