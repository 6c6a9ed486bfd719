//! The recorded exchanges of the reference, asked of the core: what it answers is what was recorded.

use super::{tests::*, *};
use serde_json::Value;

#[test]
fn recorded_exchanges_are_answered_as_recorded() {
    let exchanges: Vec<Value> = serde_json::from_str(EXCHANGES).unwrap();
    assert!(exchanges.iter().filter(|case| case["class"] == "cloud").count() >= 5);
    for case in &exchanges {
        let name = case["name"].as_str().unwrap();
        let mut settings = settings(json!({"client_id": "client-id"}));
        settings.unit_key = "client-secret".into();
        let mut cloud = SotaCloud::new(settings, "http://core".into(), "http://second".into());
        prepare(&mut cloud, name);
        let mut request = Request::new(case["method"].as_str().unwrap(), case["path"].as_str().unwrap());
        for (header, value) in case["request_headers"].as_object().into_iter().flatten() {
            // The token of the record was given by another server.
            if header != "Authorization" || name == "token" {
                request = request.header(header, value.as_str().unwrap());
            }
        }
        request.body = case["request_body"]
            .as_str()
            .unwrap_or_default()
            .as_bytes()
            .to_vec();
        let (face, request) = match name {
            "token" => (AUTH, request),
            "register_device" => (CORE, request.header("Authorization", "Bearer admin")),
            _ => {
                let token = cloud.tokens.give(&mut Outputs::default());
                (CORE, request.header("Authorization", format!("Bearer {token}")))
            }
        };
        let answer = ask(&mut cloud, face, &request);
        check(case, name, &answer);
    }
}

/// What the recorded server held when it was asked.
fn prepare(cloud: &mut SotaCloud, name: &str) {
    let mut queue = |id: &str, package: &str, version: &str, position: i32| {
        let with = json!({
            "artifact": "next", "id": id, "name": package, "version": version, "position": position,
        });
        act(cloud, "queue", with);
    };
    match name {
        "updates_two" => {
            queue(FIRST, "b", "2", 1);
            queue(SECOND, "a", "1", 0);
        }
        "download" | "report" => queue(SECOND, "a", "1", 0),
        _ => {}
    }
}

fn check(case: &Value, name: &str, answer: &Response) {
    let recorded = case["response_body"].as_str().unwrap();
    // Both 200 and 204 are a success without a body (section 4.1).
    let empty = recorded.is_empty() && answer.body.is_empty();
    let both = empty && [200, 204].contains(&answer.status);
    assert!(
        both || case["status"] == answer.status,
        "{name}: {}",
        answer.status
    );
    match name {
        "download" => assert_eq!(answer.body, b"image", "{name}"),
        _ if recorded.is_empty() => assert_eq!(answer.body, b"", "{name}"),
        _ => {
            let mut recorded: Value = serde_json::from_str(recorded).unwrap();
            let mut given: Value = serde_json::from_slice(&answer.body).unwrap();
            match name {
                "token" => {
                    let token = given["access_token"].take();
                    assert!(token.as_str().is_some_and(|token| !token.is_empty()));
                    recorded["access_token"].take();
                }
                // Which UUID is the registry's business.
                "register_device" => {
                    let is_uuid =
                        |value: &Value| value.as_str().is_some_and(|id| uuid::Uuid::parse_str(id).is_ok());
                    assert!(is_uuid(&given) && is_uuid(&recorded), "{given}");
                    return;
                }
                _ => {}
            }
            assert_eq!(given, recorded, "{name}");
        }
    }
}

const FIRST: &str = "10000000-0000-4000-8000-000000000000";
const SECOND: &str = "20000000-0000-4000-8000-000000000000";
const EXCHANGES: &str = include_str!("../../../../harness/wire/fixtures/sota/exchanges.json");
