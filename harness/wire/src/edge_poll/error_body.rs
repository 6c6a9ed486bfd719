//! The body of every error answer (reference section 2).

use crate::{json, members::Members, oddity::Decoded};
use serde::Serialize;
use serde_json::{Map, Value};

/// `{error, code, request_id}` and what the code adds, such as `field` or `current_status`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ErrorBody {
    /// One sentence for people.
    pub error: String,
    /// Machine code in snake_case, see [`super::error_code::answer`]; for logs, a unit decides on the HTTP status.
    pub code: String,
    /// Id of the request, also in header `X-Request-Id`.
    pub request_id: String,
    /// Further members of this code.
    #[serde(flatten)]
    pub members: Map<String, Value>,
}

impl ErrorBody {
    /// An error body without further members.
    pub fn new(error: impl Into<String>, code: impl Into<String>, request_id: impl Into<String>) -> Self {
        ErrorBody {
            error: error.into(),
            code: code.into(),
            request_id: request_id.into(),
            members: Map::new(),
        }
    }

    /// Adds one further member.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.members.insert(name.into(), value.into());
        self
    }

    /// Reads an error answer; further members are legal.
    pub fn decode(bytes: &[u8]) -> Decoded<ErrorBody> {
        let parsed = json::parse_answer(bytes);
        let mut oddities = parsed.oddities;
        let value = parsed.value.and_then(|value| {
            let mut members = Members::open(&value, "", &mut oddities)?;
            let error = members.required("error");
            let code = members.required("code");
            let request_id = members.required("request_id");
            let rest = members.rest();
            Some(ErrorBody {
                error: error?,
                code: code?,
                request_id: request_id?,
                members: rest,
            })
        });
        Decoded { value, oddities }
    }
}
