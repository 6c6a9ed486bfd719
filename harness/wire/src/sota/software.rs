//! Everything installed, packages and firmware, as `SendInstalledSoftware` carries it.

use super::members::{Context, Members, Read};
use serde_json::{Value, json};

/// An installed package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstalledPackage {
    /// Id.
    pub package_id: String,
    /// Name.
    pub name: String,
    /// Text for people.
    pub description: String,
    /// Unix seconds.
    pub last_modified: u64,
}

/// Firmware of one module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstalledFirmware {
    /// Module.
    pub module: String,
    /// Id.
    pub firmware_id: String,
    /// Unix seconds.
    pub last_modified: u64,
}

/// Everything installed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InstalledSoftware {
    /// Packages.
    pub packages: Vec<InstalledPackage>,
    /// Firmware.
    pub firmwares: Vec<InstalledFirmware>,
}

impl InstalledSoftware {
    /// The lists as JSON.
    pub fn to_value(&self) -> Value {
        let packages: Vec<_> = self.packages.iter().map(InstalledPackage::to_value).collect();
        let firmwares: Vec<_> = self.firmwares.iter().map(InstalledFirmware::to_value).collect();
        json!({"packages": packages, "firmwares": firmwares})
    }
}

impl InstalledPackage {
    fn to_value(&self) -> Value {
        json!({
            "package_id": self.package_id,
            "name": self.name,
            "description": self.description,
            "last_modified": self.last_modified,
        })
    }
}

impl InstalledFirmware {
    fn to_value(&self) -> Value {
        json!({
            "module": self.module,
            "firmware_id": self.firmware_id,
            "last_modified": self.last_modified,
        })
    }
}

impl Read for InstalledPackage {
    fn read(value: &Value, path: &str, context: &mut Context) -> Option<Self> {
        let mut members = Members::of(value, path, context)?;
        let package_id = members.get("package_id", context);
        let name = members.get("name", context);
        let description = members.get("description", context);
        let last_modified = members.get("last_modified", context);
        members.note_unknown(context);
        Some(InstalledPackage {
            package_id: package_id?,
            name: name?,
            description: description?,
            last_modified: last_modified?,
        })
    }
}

impl Read for InstalledFirmware {
    fn read(value: &Value, path: &str, context: &mut Context) -> Option<Self> {
        let mut members = Members::of(value, path, context)?;
        let module = members.get("module", context);
        let firmware_id = members.get("firmware_id", context);
        let last_modified = members.get("last_modified", context);
        members.note_unknown(context);
        Some(InstalledFirmware {
            module: module?,
            firmware_id: firmware_id?,
            last_modified: last_modified?,
        })
    }
}

impl Read for InstalledSoftware {
    fn read(value: &Value, path: &str, context: &mut Context) -> Option<Self> {
        let mut members = Members::of(value, path, context)?;
        let packages = members.get("packages", context);
        let firmwares = members.get("firmwares", context);
        members.note_unknown(context);
        Some(InstalledSoftware {
            packages: packages?,
            firmwares: firmwares?,
        })
    }
}
