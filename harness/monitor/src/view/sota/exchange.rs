//! What the client asks of the authentication server, of Core and of the second origin.

use hil_trace::{HttpEnding, Who};
use hil_wire::{
    http::{Request, Response},
    oddity::Weight,
    sota::{
        Package,
        core::{Call, check_request, decode_packages, decode_results, read_basic},
    },
};
use serde_json::{Value, json};

/// A request that waits for its answer: the name of that answer and facts it repeats.
pub(super) struct Asked {
    answer: &'static str,
    repeated: Value,
}

/// Reads a request: what its answer will be called, its event's name and facts.
pub(super) fn read(face: &str, request: &Request) -> Option<(Asked, &'static str, Value)> {
    let authorization = scheme(request);
    if face == "sota-second" || request.path().starts_with("/moved/") {
        let id = request.segments().last().cloned();
        let origin = if face == "sota-second" { "second" } else { "core" };
        let facts = json!({"id": id, "origin": origin, "authorization": authorization});
        return Some((asked("download_answer", json!({"id": id})), "download", facts));
    }
    let call = Call::parse(&request.method, &request.target).ok()?;
    Some(match &call {
        Call::Token => {
            let credentials = request.headers.get("Authorization").and_then(read_basic);
            let facts = json!({
                "client_id": credentials.map(|credentials| credentials.client_id),
                "valid": check_request(&call, request, None)
                    .iter()
                    .all(|oddity| oddity.weight == Weight::Tolerable),
            });
            (asked("token_answer", json!({})), "token", facts)
        }
        Call::Updates { device } => {
            let facts = json!({"device": device, "authorization": authorization});
            (asked("updates_answer", json!({})), "updates", facts)
        }
        Call::Download { update, .. } => {
            let facts = json!({"id": update, "origin": "core", "authorization": authorization});
            (asked("download_answer", json!({"id": update})), "download", facts)
        }
        Call::Report { update, .. } => {
            let results = decode_results(&request.body).value.unwrap_or_default();
            let first = results.first();
            let facts = json!({
                "id": update,
                "result_code": first.map(|result| result.result_code.number()),
                "text": first.map(|result| result.result_text.as_str()),
                "results": serde_json::from_slice::<Value>(&request.body).ok(),
                "count": results.len(),
                "authorization": authorization,
            });
            (asked("report_answer", json!({"id": update})), "report", facts)
        }
        Call::Installed { .. } => {
            let packages = decode_packages(&request.body).value.unwrap_or_default();
            let packages: Vec<_> = packages.iter().map(Package::to_value).collect();
            let facts =
                json!({"packages": packages, "count": packages.len(), "authorization": authorization});
            (asked("installed_answer", json!({})), "installed", facts)
        }
        Call::SystemInfo { .. } => {
            let body = String::from_utf8_lossy(&request.body);
            let facts = json!({"body": body, "authorization": authorization});
            (asked("system_info_answer", json!({})), "system_info", facts)
        }
        _ => return None,
    })
}

impl Asked {
    /// The event of the answer.
    pub(super) fn answered(self, response: &Response, ending: HttpEnding) -> (Who, &'static str, Value) {
        let mut facts = self.repeated;
        facts["http_status"] = json!(response.status);
        match self.answer {
            "updates_answer" => {
                let listed: Option<Vec<Value>> = serde_json::from_slice(&response.body).ok();
                if let (200, Some(listed)) = (response.status, listed) {
                    let all = |name: &str| -> Vec<Value> {
                        let members = listed.iter().filter_map(|update| update.get(name));
                        members.cloned().collect()
                    };
                    facts["ids"] = json!(all("requestId"));
                    facts["statuses"] = json!(all("status"));
                    facts["count"] = json!(listed.len());
                }
            }
            "download_answer" => {
                facts["bytes"] = json!(response.body.len());
                facts["complete"] = json!(ending == HttpEnding::Complete);
                facts["location"] = json!(response.headers.get("Location"));
            }
            _ => {}
        }
        (Who::Cloud, self.answer, facts)
    }
}

fn asked(answer: &'static str, repeated: Value) -> Asked {
    Asked { answer, repeated }
}

/// The scheme of the Authorization header in lower case, or `none`.
fn scheme(request: &Request) -> String {
    let header = request.headers.get("Authorization").unwrap_or("none");
    let scheme = header.split(' ').next().unwrap_or_default();
    scheme.to_ascii_lowercase()
}
