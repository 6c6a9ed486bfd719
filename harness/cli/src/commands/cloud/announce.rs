//! What is printed once everything listens. Pure.

use super::{admin::Served, data::DataFolder, plan::Plan};
use std::{collections::BTreeMap, fmt::Write};

/// What the unit of a cloud must be told, as environment variables.
pub(super) fn settings(served: &Served, data: &DataFolder) -> BTreeMap<String, String> {
    let mut settings = served.cloud.endpoints();
    let authority = data.authority_file();
    settings.insert("ca_file".to_owned(), authority.display().to_string());
    for (name, path) in &served.identities {
        settings.insert(name.clone(), path.display().to_string());
    }
    settings
        .into_iter()
        .map(|(name, value)| (variable(&name), value))
        .collect()
}

/// Everything printed at the start: faces, settings of units, where credentials lie; the last line is `ready`.
pub(super) fn announcement(plan: &Plan, data: &DataFolder, served: &[Served], admin: &str) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    for served in served {
        let _ = writeln!(text, "# {}", served.protocol);
        for face in served.cloud.addresses().keys() {
            let _ = writeln!(text, "#   {face:16} {}", served.cloud.url(face));
        }
        for (name, value) in settings(served, data) {
            let _ = writeln!(text, "{name}={value}");
        }
        let _ = writeln!(
            text,
            "# the same in {}",
            data.environment_file(served.protocol).display()
        );
    }
    let _ = writeln!(text, "# admin interface");
    let _ = writeln!(text, "HIL_ADMIN_URL={admin}");
    if plan.admin_token(data.keys()).required {
        let _ = writeln!(text, "#   needs the header `Authorization: Bearer <admin token>`");
    }
    let folder = data.path().display();
    let _ = writeln!(
        text,
        "# tokens of admin and publishers: {folder}/keys.json, unless given"
    );
    let _ = writeln!(text, "# certificates and keys: {}", data.pki().display());
    text.push_str("ready\n");
    text
}

fn variable(name: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_uppercase()
        } else {
            '_'
        }
    };
    format!("HIL_{}", name.chars().map(plain).collect::<String>())
}
