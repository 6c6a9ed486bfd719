//! The names a parameter may be one of, and which URLs it may be (reference section 4).

use serde::Serialize;

macro_rules! names {
    ($(#[$doc:meta])* $type:ident { $($(#[$variant_doc:meta])* $variant:ident = $name:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $type {
            $($(#[$variant_doc])* $variant),+
        }

        impl $type {
            /// Every name on the wire.
            pub const NAMES: &'static [&'static str] = &[$($name),+];

            /// The name on the wire.
            pub fn name(self) -> &'static str {
                match self {
                    $($type::$variant => $name),+
                }
            }

            /// The value of a name on the wire.
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($name => Some($type::$variant),)+
                    _ => None,
                }
            }
        }
    };
}

names! {
    /// Which reset of the sensor module.
    ResetType {
        /// Restart its software.
        Soft = "soft",
        /// Cut its power.
        Hard = "hard",
        /// Restore its delivery state, calibration included.
        Factory = "factory",
    }
}

names! {
    /// Whether the sensor module starts by itself after a reset.
    RestartMode {
        /// It does, and is probed after 5 s.
        Auto = "auto",
        /// It stays halted.
        Manual = "manual",
    }
}

names! {
    /// Form of an export upload.
    ExportFormat {
        /// One JSON object.
        Json = "json",
        /// RFC 4180 with a header row.
        Csv = "csv",
    }
}

/// Which URLs a `firmware_url` may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum UrlPolicy {
    /// https only.
    #[default]
    HttpsOnly,
    /// Plain http too: the lab mode of a run.
    LabMode,
}
