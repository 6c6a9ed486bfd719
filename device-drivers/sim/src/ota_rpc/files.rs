//! User files by RPC, `FS.Put` and `FS.Get`: they belong to the slot that runs and are copied into a new one at its
//! first boot (reference section 4).

use super::{agent::OtaAgent, record::SLOTS};
use crate::{Context, Flash};
use base64::{Engine, engine::general_purpose::STANDARD};
use hil_wire::ota_rpc::{RpcError, argument, code};
use serde_json::{Value, json};

impl OtaAgent {
    /// Writes a file or appends to it.
    pub(super) fn put_file(
        &self,
        arguments: Option<&Value>,
        context: &mut Context<'_>,
    ) -> Result<Value, RpcError> {
        let path = self.file(arguments)?;
        let text = argument::text(arguments, "data").unwrap_or_default();
        let data = STANDARD.decode(text).map_err(|_| bad("data is not base64"))?;
        let flash = &mut context.hardware.flash;
        let append = arguments.and_then(|arguments| arguments.get("append")) == Some(&Value::Bool(true));
        let mut content = match append {
            true => flash.read(&path).map(<[u8]>::to_vec).unwrap_or_default(),
            false => Vec::new(),
        };
        content.extend(data);
        let full = |error: crate::FlashError| RpcError::new(code::FAILURE, error.to_string());
        flash.replace(&path, content).map_err(full)?;
        Ok(Value::Null)
    }

    /// Reads a file, or `len` bytes of it from `offset` on.
    pub(super) fn get_file(
        &self,
        arguments: Option<&Value>,
        context: &Context<'_>,
    ) -> Result<Value, RpcError> {
        let path = self.file(arguments)?;
        let missing = || RpcError::new(code::NOT_FOUND, "no such file");
        let content = context.hardware.flash.read(&path).ok_or_else(missing)?;
        let number = |name: &str| usize::try_from(argument::integer(arguments, name)?).ok();
        let from = number("offset").unwrap_or(0).min(content.len());
        let rest = &content[from..];
        let part = &rest[..number("len").unwrap_or(rest.len()).min(rest.len())];
        Ok(json!({"data": STANDARD.encode(part), "left": rest.len() - part.len()}))
    }

    fn file(&self, arguments: Option<&Value>) -> Result<String, RpcError> {
        let name =
            argument::text(arguments, "filename").filter(|name| !name.is_empty() && !name.contains('/'));
        let name = name.ok_or_else(|| bad("filename is required"))?;
        Ok(path(self.slot, name))
    }
}

/// The new slot has no user files yet.
pub(super) fn erase(flash: &mut Flash, slot: usize) {
    for path in names(flash, slot) {
        // Without power nothing is removed, and nothing else happens either.
        let _ = flash.remove(&path);
    }
}

/// Files of the other slot that this one lacks are copied; if flash is full, what does not fit is left out.
pub(super) fn merge(flash: &mut Flash, slot: usize) {
    let other = SLOTS - 1 - slot.min(SLOTS - 1);
    let prefix = path(other, "");
    for old in names(flash, other) {
        let new = path(slot, old.strip_prefix(&prefix).unwrap_or_default());
        let content = flash.read(&old).map(<[u8]>::to_vec);
        if let (None, Some(content)) = (flash.read(&new), content) {
            let _ = flash.replace(&new, content);
        }
    }
}

fn names(flash: &Flash, slot: usize) -> Vec<String> {
    flash.names(&path(slot, "")).map(str::to_owned).collect()
}

fn path(slot: usize, name: &str) -> String {
    format!("files/{slot}/{name}")
}

fn bad(text: &str) -> RpcError {
    RpcError::new(code::BAD_REQUEST, text)
}
