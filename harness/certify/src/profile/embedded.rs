//! The profiles built into the binary.

use super::{Profile, read_profile};
use hil_diagnostic::{Diagnostics, Source};
use hil_scenario::Vocabulary;
use hil_trace::Catalogue;
use hil_wire::Protocol;
use include_dir::{Dir, include_dir};

static PROFILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../scenarios/profiles");

/// Every built-in profile by name, or all mistakes of all their files.
pub fn embedded_profiles(
    catalogue: &Catalogue,
    vocabulary: &Vocabulary,
) -> Result<Vec<Profile>, Diagnostics> {
    let mut profiles = Vec::new();
    let mut mistakes = Diagnostics::default();
    let files = PROFILES.files().filter_map(|file| {
        let name = file.path().to_str()?;
        (name.ends_with(".yaml")).then_some((name, file.contents_utf8()?))
    });
    for (name, text) in files {
        let source = Source::new(format!("scenarios/profiles/{name}"), text);
        match read_profile(source, catalogue, vocabulary) {
            Ok(profile) => profiles.push(profile),
            Err(more) => mistakes.extend(more),
        }
    }
    if mistakes.has_errors() {
        return Err(mistakes);
    }
    profiles.sort_by(|a: &Profile, b| a.name.cmp(&b.name));
    Ok(profiles)
}

/// Those of a protocol.
pub fn embedded_profiles_of(profiles: &[Profile], protocol: Protocol) -> impl Iterator<Item = &Profile> {
    profiles
        .iter()
        .filter(move |profile| profile.protocol == protocol)
}
