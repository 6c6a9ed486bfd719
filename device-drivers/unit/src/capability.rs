//! What a driver or its lab can do.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Asked for by scenarios, offered by drivers; never assumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Capability {
    /// Power can be cut and restored.
    Power,
    /// The unit can be restarted in order.
    Reboot,
    /// The console can be read.
    Console,
    /// Facts inside the unit can be read.
    Probe,
    /// Things can be done to the unit from outside its protocol.
    Stimulate,
    /// The unit's storage can be filled.
    Storage,
    /// The unit's clock can be set.
    Clock,
    /// Time is simulated.
    VirtualTime,
    /// Every start of its software is seen, and which version starts.
    Boots,
    /// The unit can be put into a declared state.
    Provision,
    /// Its images are its maker's own, and it reads the version inside them.
    OwnImages,
    /// Packets on the segment that the unit searches are seen.
    PacketTap,
    /// The lab resolves the names the unit asks for.
    Names,
}

impl Capability {
    /// All of them.
    pub const ALL: [Capability; 13] = [
        Capability::Power,
        Capability::Reboot,
        Capability::Console,
        Capability::Probe,
        Capability::Stimulate,
        Capability::Storage,
        Capability::Clock,
        Capability::VirtualTime,
        Capability::Boots,
        Capability::Provision,
        Capability::OwnImages,
        Capability::PacketTap,
        Capability::Names,
    ];

    /// The word scenarios use.
    pub fn name(self) -> &'static str {
        match self {
            Capability::Power => "power",
            Capability::Reboot => "reboot",
            Capability::Console => "console",
            Capability::Probe => "probe",
            Capability::Stimulate => "stimulate",
            Capability::Storage => "storage",
            Capability::Clock => "clock",
            Capability::VirtualTime => "virtual-time",
            Capability::Boots => "boots",
            Capability::Provision => "provision",
            Capability::OwnImages => "own-images",
            Capability::PacketTap => "packet-tap",
            Capability::Names => "names",
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Capability {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Capability::ALL.into_iter().find(|c| c.name() == text).ok_or(())
    }
}
