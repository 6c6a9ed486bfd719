//! What commands read first: vocabulary, catalogue, and the scenarios embedded or added by the user.

use crate::files::Files;
use hil_diagnostic::{Diagnostics, Source};
use hil_mock_cloud::cloud_faces;
use hil_scenario::{
    FieldType, Plan, ReadError, Vocabulary, embedded_catalogue, embedded_exercise, embedded_suites,
    load_source, options,
};
use hil_sim::{default_ics, default_timing};
use hil_trace::Catalogue;
use hil_unit::unit_file::KnownNames;
use hil_wire::Protocol;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
};

/// Everything scenarios are checked against.
pub(crate) struct Library {
    pub(crate) vocabulary: Vocabulary,
    pub(crate) catalogue: Catalogue,
    pub(crate) catalogue_sha256: String,
}

/// Why scenarios could not be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LibraryError {
    /// Files with mistakes.
    #[error("{}", .0.render(false))]
    Invalid(Diagnostics),
    /// Files that cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl Library {
    pub(crate) fn open() -> Result<Library, LibraryError> {
        let vocabulary = Vocabulary::embedded().map_err(LibraryError::Invalid)?;
        let (mut catalogue, catalogue_sha256) = embedded_catalogue().map_err(LibraryError::Invalid)?;
        catalogue.exercise = embedded_exercise(&vocabulary).map_err(LibraryError::Invalid)?;
        Ok(Library {
            vocabulary,
            catalogue,
            catalogue_sha256,
        })
    }

    /// Embedded suites and added folders; the last of the same path wins. All mistakes of all files at once.
    pub(crate) fn plans(&self, added: &[PathBuf]) -> Result<Vec<Arc<Plan>>, LibraryError> {
        let embedded = embedded_suites().into_iter();
        let mut sources: BTreeMap<String, Arc<Source>> = embedded
            .map(|(path, text)| (path.clone(), Source::new(path, text)))
            .collect();
        let mut files = Files::default();
        for folder in added {
            files.add(folder)?;
        }
        sources.extend(files.scenarios);
        self.check(sources, files.mistakes)
    }

    /// Checks scenarios, each under its path below the suites; `mistakes` are what is wrong already.
    pub(crate) fn check(
        &self,
        sources: impl IntoIterator<Item = (String, Arc<Source>)>,
        mut mistakes: Diagnostics,
    ) -> Result<Vec<Arc<Plan>>, LibraryError> {
        let mut plans = Vec::new();
        for (path, source) in sources {
            match load_source(&path, source, &self.vocabulary, &self.catalogue) {
                Ok(plan) => plans.push(Arc::new(plan)),
                Err(more) => mistakes.extend(more),
            }
        }
        if mistakes.has_errors() {
            Err(LibraryError::Invalid(mistakes))
        } else {
            Ok(plans)
        }
    }

    /// The names a unit file of a protocol can use.
    pub(crate) fn unit_names(&self, protocol: Protocol) -> KnownNames {
        let words = self.vocabulary.words(protocol);
        let durations = words
            .unit
            .iter()
            .filter(|(_, field)| field.kind == FieldType::Duration);
        let times = COMMON_TIMES.into_iter().map(str::to_owned);
        let times = times.chain(default_timing(protocol).into_iter().map(|(name, _)| name));
        let times: BTreeSet<String> = times.chain(durations.map(|(name, _)| name.clone())).collect();
        let features = options(&self.catalogue, words, protocol, "feature");
        let own = default_ics(protocol).into_iter();
        let own = own.filter(|(_, value)| value.is_boolean()).map(|(name, _)| name);
        let features: BTreeSet<String> = features.into_iter().chain(own).collect();
        KnownNames {
            timing: times.into_iter().collect(),
            features: features.into_iter().filter(|name| name != "dialect").collect(),
            probes: words.probes.keys().cloned().collect(),
            stimuli: words.stimuli.keys().cloned().collect(),
            states: words.prepare.keys().cloned().collect(),
            cloud_faces: cloud_faces(protocol).into_iter().map(str::to_owned).collect(),
        }
    }
}

/// Times any unit may state: how long it takes to boot, and how long an `expect` without a bound waits for it.
const COMMON_TIMES: [&str; 2] = ["boot", "patience"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unit_files_know_the_names_of_their_protocol() {
        let library = Library::open().unwrap_or_else(|error| panic!("{error}"));
        for protocol in Protocol::ALL {
            let names = library.unit_names(protocol);
            assert!(names.timing.iter().any(|name| name == "patience"), "{protocol}");
            assert!(
                !names.features.is_empty() && !names.probes.is_empty(),
                "{protocol}"
            );
        }
        let edge = library.unit_names(Protocol::EdgePoll);
        assert!(edge.timing.iter().any(|name| name == "poll_interval"));
    }
}
