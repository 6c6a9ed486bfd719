//! Where a simulated unit listens: free ports chosen, addresses in use refused, serial lines made.

use super::{
    plan::{COMMANDS, Plan, SERIAL},
    serial::SerialLine,
};
use hil_link::{Address, free_port};
use std::{
    collections::BTreeMap,
    fs, io,
    net::TcpListener,
    os::unix::{fs::FileTypeExt, net::UnixStream},
    path::Path,
};
use tempfile::TempDir;

/// Where the unit listens, and as what callers see it.
pub(super) struct Faces {
    /// For the unit.
    pub(super) addresses: BTreeMap<String, Address>,
    /// For callers: address and URL, by face.
    pub(super) shown: BTreeMap<String, (String, String)>,
    /// Serial lines, and where the unit's own end of each is.
    pub(super) lines: Vec<(SerialLine, Address)>,
    /// Holds the sockets nobody chose a place for.
    _folder: TempDir,
}

/// Why the unit cannot listen.
#[derive(Debug, thiserror::Error)]
pub(super) enum FaceError {
    #[error("cannot listen on {address} for {face}: {error}")]
    Listen {
        face: &'static str,
        address: Address,
        error: io::Error,
    },
    #[error("cannot listen on {0}: something else is there already")]
    Taken(String),
    #[error("cannot listen on {0}: another process does")]
    InUse(String),
    #[error("{SERIAL} is a serial line: give it a path, not {0}")]
    NoPath(Address),
    #[error("cannot make a folder for sockets: {0}")]
    Folder(io::Error),
}

impl Faces {
    /// Looks whether every address can be had, and makes serial lines.
    pub(super) fn open(plan: &Plan) -> Result<Faces, FaceError> {
        let folder = tempfile::Builder::new()
            .prefix("hil-simulate-")
            .tempdir()
            .map_err(FaceError::Folder)?;
        let own = |name: String| Address::Path(folder.path().join(name).display().to_string());
        let mut addresses = BTreeMap::new();
        let mut shown = BTreeMap::new();
        let mut lines = Vec::new();
        for (face, address) in &plan.faces {
            let face = *face;
            let wanted = address.clone().unwrap_or_else(|| own(face.to_owned()));
            let failed = |error| FaceError::Listen {
                face,
                address: wanted.clone(),
                error,
            };
            let (address, seen) = match &wanted {
                Address::Path(path) if face == SERIAL => {
                    let metadata = fs::symlink_metadata(path);
                    if metadata.is_ok_and(|facts| !facts.is_symlink()) {
                        return Err(FaceError::Taken(path.clone()));
                    }
                    let line = SerialLine::open(Path::new(path)).map_err(failed)?;
                    let end = own(format!("{face}.socket"));
                    lines.push((line, end.clone()));
                    (end, wanted.clone())
                }
                Address::Path(path) => {
                    check_socket(path)?;
                    (wanted.clone(), wanted.clone())
                }
                Address::Host(..) if face == SERIAL => return Err(FaceError::NoPath(wanted)),
                Address::Host(host, 0) => {
                    let address = Address::Host(host.clone(), free_port(host).map_err(failed)?);
                    (address.clone(), address)
                }
                Address::Host(host, port) => {
                    TcpListener::bind((host.as_str(), *port)).map_err(failed)?;
                    (wanted.clone(), wanted.clone())
                }
            };
            addresses.insert(face.to_owned(), address);
            shown.insert(face.to_owned(), (seen.to_string(), url(face, &seen)));
        }
        Ok(Faces {
            addresses,
            shown,
            lines,
            _folder: folder,
        })
    }
}

/// A socket nobody listens on may be replaced; nothing else may.
fn check_socket(path: &str) -> Result<(), FaceError> {
    match fs::symlink_metadata(path) {
        Err(_) => Ok(()),
        Ok(facts) if !facts.file_type().is_socket() => Err(FaceError::Taken(path.to_owned())),
        Ok(_) if UnixStream::connect(path).is_ok() => Err(FaceError::InUse(path.to_owned())),
        Ok(_) => Ok(()),
    }
}

fn url(face: &str, address: &Address) -> String {
    match (face, address) {
        (SERIAL, address) => address.to_string(),
        (COMMANDS | "sota-console", Address::Host(..)) => format!("tcp://{address}"),
        (_, Address::Path(path)) => format!("unix:{path}"),
        ("rpc-http", address) => format!("http://{address}/rpc"),
        ("rpc-websocket", address) => format!("ws://{address}/rpc"),
        ("sota-websocket", address) => format!("ws://{address}/"),
        (_, address) => format!("http://{address}/"),
    }
}
