//! The list of updates Core answers with (reference section 4.3).

use crate::{
    json,
    oddity::Decoded,
    sota::{
        dialect::Dialect,
        members::{Codes, Context, Members, Read},
        update_request::UpdateRequest,
    },
};
use serde_json::Value;

/// An update in the list; Core adds a time the client does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedUpdate {
    /// What the client reads.
    pub request: UpdateRequest,
    /// ISO 8601; extra to the client.
    pub updated_at: Option<String>,
}

impl ListedUpdate {
    /// The update as JSON.
    pub fn to_value(&self) -> Value {
        let mut value = self.request.to_value();
        if let Some(time) = &self.updated_at {
            value["updatedAt"] = time.clone().into();
        }
        value
    }
}

impl Read for ListedUpdate {
    fn read(value: &Value, path: &str, context: &mut Context) -> Option<Self> {
        let mut members = Members::of(value, path, context)?;
        let request = UpdateRequest::read_members(&mut members, path, context);
        let updated_at = members.optional("updatedAt", context);
        members.note_unknown(context);
        Some(ListedUpdate {
            request: request?,
            updated_at,
        })
    }
}

/// Decodes a list, in the order of the wire. A client announces it by ascending position.
pub fn decode_update_list(bytes: &[u8], dialect: Dialect) -> Decoded<Vec<ListedUpdate>> {
    let parsed = json::parse(bytes);
    let mut context = Context::new(dialect, Codes::Numbers);
    context.oddities = parsed.oddities;
    let value = parsed
        .value
        .and_then(|value| Read::read(&value, "", &mut context));
    Decoded {
        value,
        oddities: context.oddities,
    }
}

/// The list as JSON.
pub fn encode_update_list(updates: &[ListedUpdate]) -> Value {
    updates.iter().map(ListedUpdate::to_value).collect()
}
