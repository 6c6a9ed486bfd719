//! Every sample request that the edge poll cloud must refuse or tolerate, with the answer the reference demands.

use hil_link::Clock;
use hil_mock_cloud::{
    CloudSettings,
    core::{
        Core, HttpCall, Now, Outputs,
        edge_poll::{API, EdgePollCloud, Urls},
    },
};
use hil_trace::Stamp;
use hil_wire::{
    Protocol,
    http::{Request, Response},
};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

#[test]
fn the_cloud_answers_as_the_reference_demands() {
    let samples: Value = serde_json::from_str(SAMPLES).unwrap();
    let mut checked = Vec::new();
    for sample in samples["invalid"].as_array().unwrap() {
        let to_cloud = sample["direction"]
            .as_str()
            .unwrap_or_default()
            .ends_with("to_cloud");
        if !to_cloud || sample["expected"]["status"].is_null() {
            continue;
        }
        let mut bench = Bench::new(&samples["constants"]);
        bench.prepare(sample);
        let response = bench.ask(&request(&sample["request"]));
        let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        let told = json!({ "status": response.status, "code": error_member(&body, "code") });
        let expected = &sample["expected"];
        let wanted = json!({ "status": expected["status"], "code": expected["code"] });
        assert_eq!(told, wanted, "{}: {}", sample["id"], body);
        for member in ["current_status", "field"] {
            if let Some(value) = expected.get(member) {
                assert_eq!(
                    error_member(&body, member),
                    value,
                    "{} {member}: {body}",
                    sample["id"]
                );
            }
        }
        checked.push((sample["class"] == "cloud", sample["id"].clone()));
    }
    let of_the_cloud = checked.iter().filter(|(cloud, _)| *cloud).count();
    assert_eq!((of_the_cloud, checked.len()), (6, 21), "{checked:?}");
}

struct Bench {
    core: EdgePollCloud,
    now: Now,
}

impl Bench {
    fn new(constants: &Value) -> Self {
        let text = |name: &str| constants[name].as_str().unwrap().to_owned();
        let settings = CloudSettings {
            protocol: Protocol::EdgePoll,
            bind: "cloud".to_owned(),
            advertised_host: "cloud".to_owned(),
            ports: BTreeMap::new(),
            public_url: Some(text("api_public_url")),
            unit_id: text("device_id"),
            unit_key: text("device_key"),
            admin_token: text("admin_token"),
            publish_token: text("publish_token"),
            options: Map::new(),
            seed: 1,
        };
        Bench {
            core: EdgePollCloud::new(
                settings,
                Urls {
                    blob_origin: "http://blobs".to_owned(),
                    ..Urls::default()
                },
            ),
            now: Now {
                stamp: Stamp(0),
                unix_ms: Clock::VIRTUAL_EPOCH_US / 1000,
            },
        }
    }

    /// The state a sample presumes: the command it names is queued, and what its precondition says.
    fn prepare(&mut self, sample: &Value) {
        let target = sample["request"]["path"].as_str().unwrap();
        let precondition = sample["precondition"].as_str().unwrap_or_default();
        if let Some(rest) = target.strip_prefix("/api/v1/commands/")
            && let Some(id) = rest.strip_suffix("/ack")
            && sample["expected"]["code"] != "unknown_command"
        {
            let mut queue = json!({"command": "restart_service", "payload": {"service": "a"}, "id": id});
            if precondition.ends_with("expired") {
                queue["expires_in"] = json!(1);
            }
            self.act("queue", &queue);
            self.now.unix_ms += 2000;
            for status in ["completed", "in_progress"] {
                if precondition.ends_with(status) {
                    let mut ack = sample["request"].clone();
                    ack["body"] = json!({ "status": status });
                    assert_eq!(self.ask(&request(&ack)).status, 200);
                }
            }
        }
        if sample["expected"]["code"] == "version_exists" {
            let mut first = sample["request"].clone();
            first["form"]["snap"]["content_text"] = json!("first");
            assert_eq!(self.ask(&request(&first)).status, 201);
        }
    }

    fn ask(&mut self, request: &Request) -> Response {
        let call = HttpCall {
            face: API,
            request,
            peer: None,
        };
        self.core.http(self.now, call, &mut Outputs::default())
    }

    fn act(&mut self, action: &str, with: &Value) {
        let with = with.as_object().unwrap();
        let done = self
            .core
            .act(self.now, action, with, &|_| None, &mut Outputs::default());
        done.unwrap();
    }
}

fn request(sample: &Value) -> Request {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut request = Request::new(text(&sample["method"]), text(&sample["path"]));
    for (name, value) in sample["headers"].as_object().unwrap() {
        request = request.header(name, text(value));
    }
    if let Some(body) = sample.get("body") {
        request.body = body.to_string().into_bytes();
    } else if let Some(body) = sample["body_text"].as_str() {
        request.body = body.as_bytes().to_vec();
    } else if let Some(form) = sample["form"].as_object() {
        request = request.header("Content-Type", "multipart/form-data; boundary=cut");
        for (name, field) in form {
            let (file, content) = match field["content_text"].as_str() {
                Some(content) => (format!("; filename={}", field["filename"]), content),
                None => (String::new(), field.as_str().unwrap()),
            };
            let head = format!("--cut\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n");
            request
                .body
                .extend([head.as_bytes(), content.as_bytes(), b"\r\n"].concat());
        }
        request.body.extend(b"--cut--\r\n");
    }
    request
}

fn error_member<'a>(body: &'a Value, name: &str) -> &'a Value {
    match body.get("error").filter(|error| error.is_object()) {
        Some(error) => &error[name],
        None => &body[name],
    }
}

const SAMPLES: &str = include_str!("../../harness/wire/fixtures/edge-poll/samples.json");
