//! What the admin interface does.
//!
//! | call | what it does |
//! | --- | --- |
//! | `GET /admin/clouds` | faces and settings of every cloud |
//! | `GET /admin/P/settings` | what the unit must be told |
//! | `POST /admin/P/act/ACTION` | does what a scenario does with `cloud.ACTION`; the body holds its arguments |
//! | `PUT /admin/P/artifacts/ROLE?name=N&version=V` | the body is the image of a role from now on |
//! | `PUT`, `DELETE /admin/P/unit-faces/FACE` | where the unit listens: `{"address": "HOST:PORT"}` |
//! | `POST /admin/P/faults` | arms `{"fault": "cloud.status", "with": {…}, "when": …}`, with the words of scenarios |
//! | `DELETE /admin/P/faults`, `DELETE /admin/P/faults/ID` | removes faults |
//! | `GET /admin/P/trace?after=SEQ&limit=N&wait=S` | records behind a sequence number; waits up to S seconds for one |

use super::{admin::Served, arguments, plan::is_unit_face};
use hil_diagnostic::Diagnostics;
use hil_fault::{Artifact, FaultId};
use hil_mock_cloud::ActError;
use hil_runner::{ArmError, arm_extra};
use hil_scenario::{ExtraFault, Vocabulary};
use hil_unit::unit_file::parse_address;
use hil_wire::{Protocol, digest::sha256_hex, http::Request};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// Why a call was refused; the text goes to the operator.
#[derive(Debug, thiserror::Error)]
pub(super) enum AdminError {
    #[error("the admin token is missing or wrong; send `Authorization: Bearer <token>`")]
    Token,
    #[error("only programs on this machine are served without a token")]
    Foreign,
    #[error("the body is too big or broke off")]
    Body,
    #[error("there is nothing at {0}")]
    NoSuchPath(String),
    #[error("{0} is not served here")]
    NotServed(String),
    #[error("{path} has no {method}; it has {allowed}")]
    Method {
        path: String,
        method: String,
        allowed: &'static str,
    },
    #[error("the body must be a JSON object: {0}")]
    NotAnObject(String),
    #[error("`{member}`: {problem}")]
    Member {
        member: &'static str,
        problem: &'static str,
    },
    #[error("there is no fault {0}")]
    NoSuchFault(String),
    #[error("units have no face `{0}`")]
    NoSuchFace(String),
    #[error("{}", .0.render(false))]
    Words(Diagnostics),
    #[error(transparent)]
    Arm(#[from] ArmError),
    #[error(transparent)]
    Act(#[from] ActError),
}

impl AdminError {
    /// The HTTP status.
    pub(super) fn status(&self) -> u16 {
        match self {
            AdminError::Token => 401,
            AdminError::Foreign => 403,
            AdminError::Body => 413,
            AdminError::NoSuchPath(_)
            | AdminError::NotServed(_)
            | AdminError::NoSuchFault(_)
            | AdminError::NoSuchFace(_)
            | AdminError::Act(ActError::UnknownAction(_) | ActError::Unknown { .. }) => 404,
            AdminError::Method { .. } => 405,
            AdminError::NotAnObject(_)
            | AdminError::Member { .. }
            | AdminError::Words(_)
            | AdminError::Arm(_)
            | AdminError::Act(ActError::BadArgument { .. }) => 400,
            AdminError::Act(ActError::Stopped | ActError::NotNow(_)) => 409,
            AdminError::Act(_) => 500,
        }
    }
}

/// Executes a call.
pub(super) async fn execute(
    served: &[Served],
    method: &str,
    path: &str,
    query: &str,
    body: &[u8],
) -> Result<Value, AdminError> {
    let request = Request::new(method, format!("{path}?{query}"));
    let segments = request.segments();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let rest = match segments.as_slice() {
        ["admin", "clouds"] => {
            only(path, method, "GET")?;
            return Ok(json!({"clouds": served.iter().map(overview).collect::<Vec<_>>()}));
        }
        ["admin", protocol, rest @ ..] => {
            let found = served.iter().find(|served| served.protocol.name() == *protocol);
            (
                found.ok_or_else(|| AdminError::NotServed((*protocol).to_owned()))?,
                rest,
            )
        }
        _ => return Err(AdminError::NoSuchPath(path.to_owned())),
    };
    let (served, rest) = rest;
    let cloud = &served.cloud;
    match rest {
        ["settings"] => {
            only(path, method, "GET")?;
            Ok(json!(cloud.endpoints()))
        }
        ["act", action] => {
            only(path, method, "POST")?;
            let arguments = arguments::check(served.protocol, action, object(body)?)?;
            Ok(Value::Object(cloud.act(action, &arguments).await?))
        }
        ["artifacts", role] => {
            only(path, method, "PUT")?;
            let word = |name: &str| request.query(name).filter(|text| !text.is_empty());
            let artifact = Artifact {
                name: word("name").unwrap_or_else(|| (*role).to_owned()),
                version: word("version").unwrap_or_else(|| (*role).to_owned()),
                bytes: body.into(),
            };
            let told = json!({
                "role": role,
                "name": artifact.name,
                "version": artifact.version,
                "size": body.len(),
                "sha256": sha256_hex(body),
            });
            cloud.set_artifact(role, artifact);
            Ok(told)
        }
        ["unit-faces", face] => unit_face(served, face, path, method, body),
        ["faults"] => match method {
            "DELETE" => {
                cloud.faults().clear_all();
                Ok(json!({}))
            }
            _ => {
                only(path, method, "POST, DELETE")?;
                let fault = fault(served.protocol, body)?;
                let mut fuses = served.fuses.lock().await;
                while fuses.try_join_next().is_some() {}
                let id = arm_extra(&fault, served.trace.clone(), cloud, &mut fuses).await?;
                Ok(json!({"id": id.0}))
            }
        },
        ["faults", id] => {
            only(path, method, "DELETE")?;
            let acted = id.parse().ok().and_then(|id| cloud.faults().clear(FaultId(id)));
            let acted = acted.ok_or_else(|| AdminError::NoSuchFault((*id).to_owned()))?;
            Ok(json!({"acted": acted}))
        }
        ["trace"] => {
            only(path, method, "GET")?;
            trace(served, &request).await
        }
        _ => Err(AdminError::NoSuchPath(path.to_owned())),
    }
}

fn overview(served: &Served) -> Value {
    let faces = served.cloud.addresses().keys();
    let faces: Map<String, Value> = faces
        .map(|face| ((*face).to_owned(), json!(served.cloud.url(face))))
        .collect();
    json!({
        "protocol": served.protocol,
        "faces": faces,
        "settings": served.cloud.endpoints(),
        "files": served.identities,
    })
}

fn unit_face(
    served: &Served,
    face: &str,
    path: &str,
    method: &str,
    body: &[u8],
) -> Result<Value, AdminError> {
    if !is_unit_face(face) {
        return Err(AdminError::NoSuchFace(face.to_owned()));
    }
    if method == "DELETE" {
        served.cloud.set_unit_face(face, None);
        return Ok(json!({}));
    }
    only(path, method, "PUT, DELETE")?;
    let body = object(body)?;
    let address = body
        .get("address")
        .and_then(Value::as_str)
        .and_then(parse_address);
    let address = address.ok_or(AdminError::Member {
        member: "address",
        problem: "must be HOST:PORT or an absolute path",
    })?;
    served.cloud.set_unit_face(face, Some(address));
    Ok(json!({"face": face, "address": body["address"]}))
}

/// A fault in the words of scenarios.
fn fault(protocol: Protocol, body: &[u8]) -> Result<ExtraFault, AdminError> {
    let body = object(body)?;
    let name = body
        .get("fault")
        .or_else(|| body.get("name"))
        .and_then(Value::as_str);
    let name = name.ok_or(AdminError::Member {
        member: "fault",
        problem: "must name a fault, such as cloud.status",
    })?;
    let mut text = format!("{}: {}", json!(name), member(&body, &["with", "args"]));
    if let Some(when) = body.get("when") {
        text = format!("{text}, when: {when}");
    }
    let vocabulary = Vocabulary::embedded().map_err(AdminError::Words)?;
    ExtraFault::parse(&text, &vocabulary, protocol).map_err(AdminError::Words)
}

/// The first of some members that is there, as JSON, which is YAML too.
fn member(body: &Map<String, Value>, names: &[&str]) -> Value {
    let found = names.iter().find_map(|name| body.get(*name));
    found.cloned().unwrap_or(Value::Null)
}

async fn trace(served: &Served, request: &Request) -> Result<Value, AdminError> {
    let number = |name: &'static str| match request.query(name) {
        None => Ok(None),
        Some(text) => text.parse::<u64>().map(Some).map_err(|_| AdminError::Member {
            member: name,
            problem: "must be a whole number",
        }),
    };
    let limit = number("limit")?.map_or(DEFAULT_RECORDS, |limit| limit as usize);
    let after = number("after")?;
    if let Some(seconds) = number("wait")? {
        let seconds = seconds.min(LONGEST_WAIT);
        served.trace.wait_for(after, Duration::from_secs(seconds)).await;
    }
    let (records, next) = served.trace.after(after, limit);
    Ok(json!({
        "epoch_unix_us": served.clock.epoch_unix_us(),
        "next": next,
        "records": records,
    }))
}

fn only(path: &str, method: &str, allowed: &'static str) -> Result<(), AdminError> {
    if allowed.split(", ").any(|known| known == method) {
        return Ok(());
    }
    Err(AdminError::Method {
        path: path.to_owned(),
        method: method.to_owned(),
        allowed,
    })
}

/// The body as a JSON object; none at all is an empty one.
fn object(body: &[u8]) -> Result<Map<String, Value>, AdminError> {
    if body.trim_ascii().is_empty() {
        return Ok(Map::new());
    }
    serde_json::from_slice(body).map_err(|error| AdminError::NotAnObject(error.to_string()))
}

const DEFAULT_RECORDS: usize = 1000;
/// Seconds a reader of the trace may wait.
const LONGEST_WAIT: u64 = 60;
