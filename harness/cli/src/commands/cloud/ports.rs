//! The ports a cloud was given by the system, kept with its data: a unit that was told them finds it again after a
//! restart.

use super::data::DataError;
use hil_link::pki::write_private;
use std::{collections::BTreeMap, fs, io, net::TcpListener, path::PathBuf};

/// Ports by `PROTOCOL.FACE`, and `admin`.
pub(super) struct Ports {
    path: PathBuf,
    known: BTreeMap<String, u16>,
}

impl Ports {
    /// Those of the last start; none if there was none or the file cannot be understood.
    pub(super) fn load(path: PathBuf) -> Result<Ports, DataError> {
        let known = match fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(DataError::File { path, error }),
        };
        Ok(Ports { path, known })
    }

    /// The ports of names that begin so, without that beginning, as far as they are wanted and free on a host. Whoever
    /// took one that is wanted is told of.
    pub(super) fn free(
        &self,
        prefix: &str,
        host: &str,
        is_wanted: impl Fn(&str) -> bool,
    ) -> Vec<(String, u16)> {
        let mut free = Vec::new();
        for (name, port) in &self.known {
            let Some(rest) = name.strip_prefix(prefix).filter(|rest| is_wanted(rest)) else {
                continue;
            };
            match TcpListener::bind((host.trim_matches(['[', ']']), *port)) {
                Ok(_) => free.push((rest.to_owned(), *port)),
                Err(error) => super::note(&format!("{name} moves from port {port}: {error}")),
            }
        }
        free
    }

    /// Learns a port.
    pub(super) fn learn(&mut self, name: String, port: u16) {
        self.known.insert(name, port);
    }

    /// Keeps them for the next start.
    pub(super) fn save(&self) -> Result<(), DataError> {
        let text = serde_json::to_vec_pretty(&self.known).unwrap_or_default();
        write_private(&self.path, &text).map_err(|error| DataError::File {
            path: self.path.clone(),
            error,
        })
    }
}
