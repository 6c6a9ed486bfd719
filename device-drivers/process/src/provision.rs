//! The state folder of a process: made fresh, with certificates and configuration in it.

use crate::{Values, substitute::substitute};
use hil_unit::{
    Endpoints, UnitError,
    link::{Address, pki::write_private},
    unit_file::ConfigTemplate,
};
use std::{
    collections::BTreeMap,
    fs, io,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::Path,
};

/// Removes everything in the state folder, or makes it. Sockets others listen on already stay.
pub fn clear(directory: &Path, faces: &BTreeMap<String, Address>) -> Result<(), UnitError> {
    let failed = |error| lab("the state folder cannot be cleared", directory, &error);
    make_directory(directory)?;
    fs::set_permissions(directory, fs::Permissions::from_mode(0o700)).map_err(failed)?;
    for entry in fs::read_dir(directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let folder = entry.file_type().map_err(failed)?.is_dir();
        let path = entry.path();
        let socket = |face: &Address| matches!(face, Address::Path(face) if Path::new(face) == path);
        if faces.values().any(socket) {
            continue;
        }
        let removed = if folder {
            fs::remove_dir_all(entry.path())
        } else {
            fs::remove_file(entry.path())
        };
        removed.map_err(failed)?;
    }
    Ok(())
}

/// Tells a unit where its certificates and keys are.
pub fn name_certificates(directory: &Path, endpoints: &Endpoints, values: &mut Values) {
    let path = |file: String| directory.join(FOLDER).join(file).display().to_string();
    let authority = if endpoints.authority.is_empty() {
        String::new()
    } else {
        path(AUTHORITY.to_owned())
    };
    values.set("ca_file", authority);
    for name in endpoints.identities.keys() {
        values.set(&format!("{name}_certificate_file"), path(certificate_file(name)));
        values.set(&format!("{name}_key_file"), path(key_file(name)));
    }
    for name in &endpoints.missing_identities {
        for file in ["certificate_file", "key_file"] {
            values.set(&format!("{name}_{file}"), "");
        }
    }
}

/// Writes the certificates and keys of a fresh unit, readable by their owner only.
pub fn write_certificates(directory: &Path, endpoints: &Endpoints) -> Result<(), UnitError> {
    let folder = directory.join(FOLDER);
    let put = |file: &str, contents: &str| {
        let path = folder.join(file);
        make_directory(&folder)?;
        write_private(&path, contents.as_bytes())
            .map_err(|error| lab("a certificate cannot be written", &path, &error))
    };
    if !endpoints.authority.is_empty() {
        put(AUTHORITY, &endpoints.authority)?;
    }
    for (name, identity) in &endpoints.identities {
        put(&certificate_file(name), &identity.certificate_chain)?;
        put(&key_file(name), &identity.private_key)?;
    }
    Ok(())
}

/// Makes configuration files from their templates.
pub fn configuration(
    templates: &[ConfigTemplate],
    unit_directory: &Path,
    state_directory: &Path,
    values: &Values,
) -> Result<(), UnitError> {
    for template in templates {
        let source = unit_directory.join(&template.from);
        let text =
            fs::read_to_string(&source).map_err(|error| lab("a template cannot be read", &source, &error))?;
        let text = substitute(&text, values).map_err(|unknown| UnitError::BadArgument {
            name: template.from.clone(),
            problem: unknown.to_string(),
        })?;
        let target = state_directory.join(&template.to);
        if let Some(folder) = target.parent() {
            make_directory(folder)?;
        }
        write_private(&target, text.as_bytes())
            .map_err(|error| lab("a configuration file cannot be written", &target, &error))?;
    }
    Ok(())
}

fn make_directory(directory: &Path) -> Result<(), UnitError> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .map_err(|error| lab("a folder cannot be made", directory, &error))
}

fn lab(what: &str, path: &Path, error: &io::Error) -> UnitError {
    UnitError::Lab(format!("{what}: {}: {error}", path.display()))
}

fn certificate_file(identity: &str) -> String {
    format!("{identity}.pem")
}

fn key_file(identity: &str) -> String {
    format!("{identity}.key")
}

const FOLDER: &str = "pki";
const AUTHORITY: &str = "authority.pem";
