//! A stub of the sensor module beside the device: it can be reset, answers after a while, and can misbehave.

use super::store::{self, MODULE};
use crate::Flash;
use hil_trace::Stamp;
use hil_wire::device_command::{ResetType, RestartMode};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};

/// State of the module; it has power of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Module {
    /// How often it restarted.
    pub(super) restarts: u64,
    /// Resets by kind.
    pub(super) resets: BTreeMap<String, u64>,
    /// Calibration is there.
    pub(super) calibrated: bool,
    /// It waits to be started by hand.
    pub(super) halted: bool,
    /// When it answers, microseconds; `None` = never.
    pub(super) online_at_us: Option<u64>,
    /// How it behaves when reset.
    pub(super) behaviour: Behaviour,
}

/// How the module behaves when reset.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Behaviour {
    /// It answers after two seconds.
    Well,
    /// It never answers again.
    Silent,
    /// It answers after so many seconds.
    Slow(f64),
    /// It ignores resets.
    Deaf,
    /// It comes back without its calibration, and says so.
    Forgetful,
}

impl Default for Module {
    fn default() -> Self {
        Module {
            restarts: 0,
            resets: BTreeMap::new(),
            calibrated: true,
            halted: false,
            online_at_us: Some(0),
            behaviour: Behaviour::Well,
        }
    }
}

impl Module {
    /// The module as it is.
    pub(super) fn load(flash: &Flash) -> Self {
        store::load(flash, MODULE).unwrap_or_default()
    }

    /// Keeps its state.
    pub(super) fn save(&self, flash: &mut Flash) {
        store::save(flash, MODULE, self);
    }

    /// The device pulls its reset line or asks for a factory reset.
    pub(super) fn reset(
        &mut self,
        kind: ResetType,
        preserve_calibration: bool,
        mode: RestartMode,
        now: Stamp,
    ) {
        *self.resets.entry(kind.name().to_owned()).or_default() += 1;
        if self.behaviour == Behaviour::Deaf {
            return;
        }
        self.restarts += 1;
        self.halted = mode == RestartMode::Manual;
        let erases = kind == ResetType::Factory && !preserve_calibration;
        if erases || self.behaviour == Behaviour::Forgetful {
            self.calibrated = false;
        }
        let after = match self.behaviour {
            Behaviour::Slow(seconds) => Duration::try_from_secs_f64(seconds).ok(),
            Behaviour::Silent => None,
            Behaviour::Well | Behaviour::Deaf | Behaviour::Forgetful => Some(Duration::from_secs(2)),
        };
        self.online_at_us = after.map(|after| (now + after).0);
    }

    /// Whether it answers.
    pub(super) fn is_online(&self, now: Stamp) -> bool {
        !self.halted && self.online_at_us.is_some_and(|at| at <= now.0)
    }

    /// Its state as a word.
    pub(super) fn state(&self, now: Stamp) -> &'static str {
        match self.online_at_us {
            _ if self.halted => "halted",
            None => "offline",
            Some(at) if at > now.0 => "resetting",
            Some(_) => "online",
        }
    }
}
