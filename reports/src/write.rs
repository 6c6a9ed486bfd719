//! Reports to a folder. Each file appears whole or not at all.

use crate::{html::HtmlError, junit::JunitError, report::Report};
use hil_trace::SelftestMatrix;
use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

/// Why a report was not written; always names the file.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The disk, a missing folder, permissions.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// JSON has no form for a number.
    #[error("{path}: cannot be written as JSON: {source}")]
    Json {
        /// The file.
        path: PathBuf,
        /// What the serializer said.
        source: serde_json::Error,
    },
    /// No XML could be made.
    #[error("{path}: {source}")]
    Junit {
        /// The file.
        path: PathBuf,
        /// Why.
        source: JunitError,
    },
    /// No HTML could be made.
    #[error("{path}: {source}")]
    Html {
        /// The file.
        path: PathBuf,
        /// Why.
        source: HtmlError,
    },
}

/// Writes `report.html`, `summary.md`, `junit.xml` and `report.json` to a folder, which is made if missing, and
/// returns their paths in this order. Stops at the first error; files written until then stay.
pub fn write_all(directory: &Path, report: &Report<'_>) -> Result<Vec<PathBuf>, ReportError> {
    fs::create_dir_all(directory).map_err(|source| ReportError::Io {
        path: directory.to_owned(),
        source,
    })?;
    let mut written = Vec::new();
    let mut put = |path: PathBuf, text: String| -> Result<(), ReportError> {
        replace(&path, text.as_bytes()).map_err(|source| ReportError::Io {
            path: path.clone(),
            source,
        })?;
        written.push(path);
        Ok(())
    };

    let [page, summary, suites, data] = FILES.map(|name| directory.join(name));
    let path = page;
    match crate::html(report) {
        Ok(text) => put(path, text)?,
        Err(source) => return Err(ReportError::Html { path, source }),
    }
    put(summary, crate::markdown(report))?;
    let path = suites;
    match crate::junit(report) {
        Ok(text) => put(path, text)?,
        Err(source) => return Err(ReportError::Junit { path, source }),
    }
    let path = data;
    match crate::json(report.summary) {
        Ok(text) => put(path, text)?,
        Err(source) => return Err(ReportError::Json { path, source }),
    }
    Ok(written)
}

/// Writes `selftest.html` and `selftest.json` to a folder, which is made if missing, and returns their paths.
pub fn write_selftest(directory: &Path, matrix: &SelftestMatrix) -> Result<Vec<PathBuf>, ReportError> {
    let io = |path: &Path| {
        let path = path.to_owned();
        |source| ReportError::Io { path, source }
    };
    fs::create_dir_all(directory).map_err(io(directory))?;
    let (page, data) = (directory.join("selftest.html"), directory.join("selftest.json"));
    match crate::selftest_html(matrix) {
        Ok(text) => replace(&page, text.as_bytes()).map_err(io(&page))?,
        Err(source) => return Err(ReportError::Html { path: page, source }),
    }
    match crate::selftest_json(matrix) {
        Ok(text) => replace(&data, text.as_bytes()).map_err(io(&data))?,
        Err(source) => return Err(ReportError::Json { path: data, source }),
    }
    Ok(vec![page, data])
}

/// Takes the reports of an earlier run away. What cannot be removed is left for [`write_all`] to complain of.
pub fn remove_all(directory: &Path) {
    for name in FILES {
        let _ = fs::remove_file(directory.join(name));
    }
}

/// Writes a file beside its final place and renames it there.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!(".{name}.{}.part", std::process::id()));
    let written = File::create(&temporary)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}

const FILES: [&str; 4] = ["report.html", "summary.md", "junit.xml", "report.json"];
