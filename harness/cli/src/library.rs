//! What commands read first: vocabulary, catalogue, and the scenarios embedded or added by the user.

use hil_diagnostic::Diagnostics;
use hil_scenario::{Plan, ReadError, Vocabulary, embedded_catalogue, embedded_suites, load, load_directory};
use hil_trace::Catalogue;
use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

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
        let (catalogue, catalogue_sha256) = embedded_catalogue().map_err(LibraryError::Invalid)?;
        Ok(Library {
            vocabulary,
            catalogue,
            catalogue_sha256,
        })
    }

    /// Embedded suites and added folders; the last of the same path wins. All mistakes of all files at once.
    pub(crate) fn plans(&self, added: &[PathBuf]) -> Result<Vec<Arc<Plan>>, LibraryError> {
        let mut texts: BTreeMap<String, String> = embedded_suites().into_iter().collect();
        for folder in added {
            texts.extend(load_directory(folder)?);
        }
        self.check(texts)
    }

    /// Checks texts by path.
    pub(crate) fn check(&self, texts: BTreeMap<String, String>) -> Result<Vec<Arc<Plan>>, LibraryError> {
        let mut plans = Vec::new();
        let mut mistakes = Diagnostics::default();
        for (path, text) in texts {
            match load(&path, &text, &self.vocabulary, &self.catalogue) {
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
}
