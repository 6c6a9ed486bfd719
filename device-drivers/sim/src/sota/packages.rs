//! Installed packages and stored images, and what installing an image comes to.

use crate::{Behaviour, Flash, FlashError, Image};
use hil_wire::sota::{
    Package, ResultCode,
    core::{decode_packages, encode_packages},
};

/// The installed packages.
pub(super) fn load(flash: &Flash) -> Vec<Package> {
    let bytes = flash.read(FILE).unwrap_or_default();
    decode_packages(bytes).value.unwrap_or_default()
}

/// Keeps the list of installed packages.
pub(super) fn save(flash: &mut Flash, packages: &[Package]) -> Result<(), FlashError> {
    flash.replace(FILE, encode_packages(packages).to_string().into_bytes())
}

/// The file of an update's image; `None` if the id cannot be a file name inside the folder.
pub(super) fn image_file(id: &str) -> Option<String> {
    let safe = !id.is_empty() && id != "." && id != ".." && !id.contains(['/', '\\', '\0']);
    safe.then(|| format!("{FOLDER}{id}"))
}

/// The path clients tell for the image of an update.
pub(super) fn told_path(id: &str) -> String {
    format!("/var/sota/{FOLDER}{id}")
}

/// Takes away every stored image.
pub(super) fn remove_images(flash: &mut Flash) {
    let images: Vec<String> = flash.names(FOLDER).map(str::to_owned).collect();
    for image in images {
        // A flash without power takes nothing away.
        let _ = flash.remove(&image);
    }
}

/// Installs a stored image; the code and a text that say how it went.
pub(super) fn install(flash: &mut Flash, id: &str, package: Option<&Package>) -> (ResultCode, String) {
    let file = image_file(id);
    let Some(bytes) = file.as_deref().and_then(|file| flash.read(file)) else {
        return (ResultCode::NOT_FOUND, "no such image".into());
    };
    let Some(image) = Image::parse(bytes) else {
        return (ResultCode::VALIDATION_FAILED, "not an image".into());
    };
    if image.platform != Image::PLATFORM {
        return (ResultCode::VALIDATION_FAILED, "made for another platform".into());
    }
    if image.behaviour == Behaviour::Crash {
        return (
            ResultCode::INSTALL_FAILED,
            "the installation script failed".into(),
        );
    }
    let package = match package {
        Some(package) => package.clone(),
        None => Package::new(image.name, image.version),
    };
    let mut packages = load(flash);
    if packages.contains(&package) {
        return (ResultCode::ALREADY_PROCESSED, "already installed".into());
    }
    packages.retain(|other| other.name != package.name);
    packages.push(package);
    match save(flash, &packages) {
        Ok(()) => (ResultCode::OK, String::new()),
        Err(error) => (ResultCode::GENERAL_ERROR, error.to_string()),
    }
}

/// Where images are.
pub(super) const FOLDER: &str = "packages/";
const FILE: &str = "state/packages";
