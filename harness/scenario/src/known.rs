//! Words the harness knows by itself: verbs, capabilities, tiers, artifact roles.

/// The verbs of steps.
pub const VERBS: [&str; 8] = [
    "do", "inject", "expect", "never", "one_of", "measure", "wait", "for_each",
];

/// Capabilities a scenario can need, as the unit drivers name them.
pub const CAPABILITIES: [&str; 13] = [
    "power",
    "reboot",
    "console",
    "probe",
    "stimulate",
    "storage",
    "clock",
    "virtual-time",
    "boots",
    "provision",
    "own-images",
    "packet-tap",
    "names",
];

/// Tiers a parameter can have values for.
pub const TIERS: [&str; 3] = ["default", "quick", "long"];

/// Roles of images; derived images add to a role with a dash, such as `next-flipped`.
pub const ARTIFACT_ROLES: [&str; 10] = [
    "current",
    "next",
    "older",
    "crash",
    "hang",
    "mute",
    "other_platform",
    "oversize",
    "big",
    "second",
];

/// What `${artifact.ROLE.…}` can refer to.
pub const ARTIFACT_FACTS: [&str; 4] = ["name", "version", "size", "sha256"];

/// Roots of `${…}` that no step may be named after.
pub const ROOTS: [&str; 4] = ["params", "unit", "artifact", "event"];
