//! The outcome of an update.

use super::{
    members::{Codes, Context, Members, Read},
    result_code::ResultCode,
};
use serde_json::{Value, json};

/// The outcome of one operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationResult {
    /// Id of the operation; the client uses the update's id.
    pub id: String,
    /// Outcome.
    pub result_code: ResultCode,
    /// Text for people.
    pub result_text: String,
}

/// The outcome of an update: the results of its operations, possibly none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateReport {
    /// Id of the update.
    pub update_id: String,
    /// Results in order.
    pub operation_results: Vec<OperationResult>,
}

impl OperationResult {
    pub(super) fn to_value(&self, codes: Codes) -> Value {
        json!({
            "id": self.id,
            "result_code": self.result_code.to_value(codes),
            "result_text": self.result_text,
        })
    }

    /// A report of this one result, for the update of the same id.
    pub fn into_report(self) -> UpdateReport {
        UpdateReport {
            update_id: self.id.clone(),
            operation_results: vec![self],
        }
    }
}

impl UpdateReport {
    /// A report of one result with the update's id.
    pub fn single(update_id: impl Into<String>, code: ResultCode, text: impl Into<String>) -> Self {
        OperationResult {
            id: update_id.into(),
            result_code: code,
            result_text: text.into(),
        }
        .into_report()
    }

    /// True if Core takes the report as success: every code is 0 or 1. No result at all counts as success.
    pub fn is_success(&self) -> bool {
        self.operation_results.iter().all(|r| r.result_code.is_success())
    }

    pub(super) fn to_value(&self, codes: Codes) -> Value {
        let results: Vec<_> = self.operation_results.iter().map(|r| r.to_value(codes)).collect();
        json!({"update_id": self.update_id, "operation_results": results})
    }
}

impl Read for OperationResult {
    fn read(value: &Value, path: &str, context: &mut Context) -> Option<Self> {
        let mut members = Members::of(value, path, context)?;
        let id = members.get("id", context);
        let result_code = members.get("result_code", context);
        let result_text = members.get("result_text", context);
        members.note_unknown(context);
        Some(OperationResult {
            id: id?,
            result_code: result_code?,
            result_text: result_text?,
        })
    }
}

impl Read for UpdateReport {
    fn read(value: &Value, path: &str, context: &mut Context) -> Option<Self> {
        let mut members = Members::of(value, path, context)?;
        let update_id = members.get("update_id", context);
        let operation_results = members.get("operation_results", context);
        members.note_unknown(context);
        Some(UpdateReport {
            update_id: update_id?,
            operation_results: operation_results?,
        })
    }
}
