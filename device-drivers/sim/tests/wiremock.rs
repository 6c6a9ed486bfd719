//! The unit's HTTP client over real TCP against wiremock, a peer that shares no code with us: polls,
//! acknowledgements, interrupted downloads, wrong digests.

#[allow(dead_code, unreachable_pub)]
mod support;

use hil_link::{Clock, Network};
use hil_sim::default_artifacts;
use hil_unit::Unit;
use hil_wire::{Protocol, digest};
use serde_json::{Value, json};
use std::time::Duration;
use support::{Bench, KEY, arguments, in_real_time};
use wiremock::{
    Mock, MockServer, Request, ResponseTemplate,
    matchers::{header, header_exists, method, path, path_regex},
};

const P: Protocol = Protocol::EdgePoll;

async fn bench() -> (MockServer, Bench) {
    let server = MockServer::start().await;
    let mut bench = Bench::new(Clock::new_real(), Network::Tcp, &server.uri(), P);
    for (name, seconds) in [
        ("poll_interval", 0.5),
        ("boot", 0.0),
        ("verify", 0.05),
        ("install", 0.05),
        ("health_check", 0.1),
    ] {
        bench.surroundings.timing.insert(name.into(), json!(seconds));
    }
    (server, bench)
}

fn item(command: &str, payload: Value) -> Value {
    json!([{
        "id": "cmd_1", "command": command, "payload": payload, "status": "pending",
        "created_at": "2026-03-02T09:00:00.000Z", "expires_at": null, "delivery_count": 1,
    }])
}

/// Lists a command once, then nothing.
async fn list_once(server: &MockServer, items: Value) {
    let poll = || {
        Mock::given(method("GET"))
            .and(path("/api/v1/commands"))
            .and(header("X-Device-Key", KEY))
    };
    poll()
        .respond_with(ResponseTemplate::new(200).set_body_json(items))
        .up_to_n_times(1)
        .with_priority(1)
        .mount(server)
        .await;
    poll()
        .respond_with(ResponseTemplate::new(204))
        .mount(server)
        .await;
}

async fn accept_posts(server: &MockServer) {
    for (pattern, status) in [
        (r"^/api/v1/commands/[^/]+/ack$", 200),
        ("^/api/v1/snaps/status$", 204),
    ] {
        Mock::given(method("POST"))
            .and(path_regex(pattern))
            .and(header("X-Device-Key", KEY))
            .and(header("Content-Type", "application/json"))
            .respond_with(ResponseTemplate::new(status))
            .mount(server)
            .await;
    }
}

async fn publish(server: &MockServer, bytes: &[u8], version: &str) {
    let answer = json!({
        "snap_name": "edge-agent", "version": version, "download_url": format!("{}/blob", server.uri()),
        "checksum": digest::sha256_tagged(bytes), "size": bytes.len(),
    });
    Mock::given(method("GET"))
        .and(path("/api/v1/snaps/latest"))
        .respond_with(ResponseTemplate::new(200).set_body_json(answer))
        .mount(server)
        .await;
}

/// Waits for the terminal acknowledgement; gives `status error_code`.
async fn acknowledged(server: &MockServer, bench: &Bench) -> String {
    for _ in 0..200 {
        bench.sleep(0.05).await;
        for request in server.received_requests().await.unwrap() {
            let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
            if request.url.path().ends_with("/cmd_1/ack") && body["status"] != "in_progress" {
                let text = |name: &str| body[name].as_str().unwrap_or_default();
                return format!("{} {}", text("status"), text("error_code"))
                    .trim()
                    .to_owned();
            }
        }
    }
    panic!("no acknowledgement; console:\n{}", bench.records.console());
}

async fn count(server: &MockServer, wanted: &str) -> usize {
    let requests: Vec<Request> = server.received_requests().await.unwrap();
    requests
        .iter()
        .filter(|request| request.url.path() == wanted)
        .count()
}

async fn version(unit: &mut dyn Unit) -> Value {
    unit.probe("version", &arguments(json!({}))).await.unwrap()
}

#[test]
fn polls_and_acknowledges() {
    in_real_time(async {
        let (server, bench) = bench().await;
        list_once(&server, item("config_update", json!({"log_level": "debug"}))).await;
        accept_posts(&server).await;
        let mut unit = bench.unit(P, &[]);
        unit.start().await.unwrap();
        assert_eq!(acknowledged(&server, &bench).await, "completed");
        bench.sleep(2.0).await;
        let polls = count(&server, "/api/v1/commands").await;
        assert!((4..=8).contains(&polls), "{polls}");
        unit.stop().await.unwrap();
        bench.sleep(0.2).await;
        let before = count(&server, "/api/v1/commands").await;
        bench.sleep(1.2).await;
        assert_eq!(count(&server, "/api/v1/commands").await, before);
    });
}

#[test]
fn resumes_with_a_range() {
    in_real_time(async {
        let (server, bench) = bench().await;
        let image = default_artifacts(P).get("big").unwrap().clone();
        list_once(
            &server,
            item(
                "update_snap",
                json!({"snap_name": "edge-agent", "version": image.version}),
            ),
        )
        .await;
        accept_posts(&server).await;
        publish(&server, &image.bytes, &image.version).await;
        let bytes = image.bytes.to_vec();
        let (half, total) = (bytes.len() / 2, bytes.len());
        // The first answer ends at half without saying how long it is meant to be.
        Mock::given(method("GET"))
            .and(path("/blob"))
            .and(header("X-Device-Key", KEY))
            .respond_with(
                ResponseTemplate::new(200)
                    .insert_header("ETag", "\"one\"")
                    .insert_header("Transfer-Encoding", "chunked")
                    .set_body_bytes(bytes[..half].to_vec()),
            )
            .up_to_n_times(1)
            .mount(&server)
            .await;
        Mock::given(method("GET"))
            .and(path("/blob"))
            .and(header("Range", format!("bytes={half}-").as_str()))
            .and(header("If-Range", "\"one\""))
            .respond_with(
                ResponseTemplate::new(206)
                    .insert_header("ETag", "\"one\"")
                    .insert_header("Content-Range", format!("bytes {half}-{}/{total}", total - 1))
                    .set_body_bytes(bytes[half..].to_vec()),
            )
            .mount(&server)
            .await;
        let mut unit = bench.unit(P, &[]);
        unit.start().await.unwrap();
        assert_eq!(acknowledged(&server, &bench).await, "completed");
        assert_eq!(count(&server, "/blob").await, 2);
        assert_eq!(version(unit.as_mut()).await, json!(image.version));
    });
}

#[test]
fn a_wrong_digest_is_never_applied() {
    in_real_time(async {
        let (server, bench) = bench().await;
        let image = default_artifacts(P).get("next").unwrap().clone();
        list_once(
            &server,
            item(
                "update_snap",
                json!({"snap_name": "edge-agent", "version": image.version}),
            ),
        )
        .await;
        accept_posts(&server).await;
        publish(&server, &image.bytes, &image.version).await;
        let mut corrupt = image.bytes.to_vec();
        corrupt[100] ^= 1;
        Mock::given(method("GET"))
            .and(path("/blob"))
            .respond_with(ResponseTemplate::new(200).set_body_bytes(corrupt))
            .mount(&server)
            .await;
        let mut unit = bench.unit(P, &[]);
        unit.start().await.unwrap();
        assert_eq!(acknowledged(&server, &bench).await, "failed checksum_mismatch");
        assert_eq!(version(unit.as_mut()).await, json!("1.0.0"));
    });
}

#[test]
fn a_slow_answer_is_given_up_at_the_latest_by_power() {
    in_real_time(async {
        let (server, bench) = bench().await;
        Mock::given(header_exists("X-Boot-Id"))
            .respond_with(ResponseTemplate::new(204).set_delay(Duration::from_secs(30)))
            .mount(&server)
            .await;
        let mut unit = bench.unit(P, &[]);
        unit.start().await.unwrap();
        bench.sleep(1.0).await;
        assert_eq!(count(&server, "/api/v1/commands").await, 1);
        unit.cut_power().await.unwrap();
        unit.restore_power().await.unwrap();
        bench.sleep(0.5).await;
        assert_eq!(count(&server, "/api/v1/commands").await, 2);
    });
}
