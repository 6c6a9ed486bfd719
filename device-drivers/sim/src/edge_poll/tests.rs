//! The agent without I/O: every input by hand.

use super::{
    EdgePollKind,
    agent::{DELIVERY, DOWNLOAD, LATEST, POLL},
};
use crate::{HttpCall, HttpError, Input, Kind, RequestId, Setup, testing::Desk};
use hil_wire::{
    digest,
    http::{Headers, Response},
};
use serde_json::{Value, json};
use std::time::Duration;

#[test]
fn backs_off_and_recovers() {
    let mut desk = desk();
    let mut begun = Vec::new();
    for _ in 0..10 {
        assert_eq!(desk.next_request().0, POLL);
        begun.push(desk.seconds());
        desk.answer(POLL, Response::new(503));
    }
    for (n, pair) in begun.windows(2).enumerate() {
        let (gap, most) = (pair[1] - pair[0], (30.0 * 2f64.powi(n as i32 + 1)).min(300.0));
        assert!((29.999..=most + 0.001).contains(&gap), "{n}: {gap}");
    }
    desk.next_request();
    let recovered = desk.seconds();
    desk.answer(POLL, Response::new(204));
    desk.next_request();
    assert!((26.9..=33.1).contains(&(desk.seconds() - recovered)));
}

#[test]
fn waits_as_long_as_it_is_told() {
    for (header, at_least) in [("400", 400.0), ("Mon, 02 Mar 2026 09:10:00 GMT", 597.0)] {
        let mut desk = desk();
        desk.next_request();
        let begun = desk.seconds();
        desk.answer(POLL, Response::new(429).header("Retry-After", header));
        desk.next_request();
        assert!(
            desk.seconds() - begun >= at_least - 3.0,
            "{header}: {}",
            desk.seconds()
        );
    }
}

#[test]
fn adopts_hints_and_ignores_nonsense() {
    let mut desk = desk();
    let mut gap = |hint: &str| {
        desk.next_request();
        let begun = desk.seconds();
        desk.answer(
            POLL,
            Response::json(200, &json!([])).header("X-Poll-Interval", hint),
        );
        desk.next_request();
        let gap = desk.seconds() - begun;
        desk.answer(POLL, Response::new(304));
        gap
    };
    assert!((4.5..=5.5).contains(&gap("5")));
    for nonsense in ["0", "-1", "abc"] {
        assert!((4.5..=5.5).contains(&gap(nonsense)), "{nonsense}");
    }
}

#[test]
fn survives_answers_that_are_no_list() {
    let mut desk = desk();
    for body in [
        "[{\"id\":\"cmd_10\",\"command\":\"rest",
        "<html>login</html>",
        "{\"commands\":[]}",
        "[{\"id\":\"cmd_10\",\"command\":\"unheard_of\",\"payload\":{}}] trailing",
        "",
    ] {
        desk.next_request();
        let begun = desk.seconds();
        let response = Response {
            body: body.into(),
            ..Response::new(200)
        };
        desk.answer(POLL, response);
        assert_eq!(desk.next_request().0, POLL, "{body}");
        assert!(desk.seconds() - begun < 33.1);
        desk.answer(POLL, Response::new(204));
    }
}

#[test]
fn one_bad_item_does_not_block_the_others() {
    let mut desk = desk();
    let mut bad = item("b", "restart_service", json!({}));
    bad["payload"] = json!(42);
    let mut expired = item("e", "restart_service", json!({"service": "telemetry"}));
    expired["expires_at"] = json!("2020-01-01T00:00:00Z");
    let mut extended = item("g", "restart_service", json!({"service": "gateway", "more": 1}));
    extended["colour"] = json!("red");
    list(
        &mut desk,
        json!([
            item("a", "restart_service", json!({"service": "telemetry"})),
            {"no": "id"},
            bad,
            expired,
            item("f", "restart_service", json!({"service": 42})),
            extended,
        ]),
    );
    let acks: Vec<_> = (0..5).map(|_| ack(&mut desk, 200)).collect();
    assert_eq!(
        acks,
        [
            "a completed ",
            "b rejected invalid_payload",
            "e rejected expired",
            "f rejected invalid_payload",
            "g completed "
        ]
    );
    assert_eq!(desk.probe("executions", json!({"id": "e"})), json!(0));
}

#[test]
fn repeats_a_lost_acknowledgement_and_then_is_silent() {
    let mut desk = desk();
    let telemetry = item("a", "restart_service", json!({"service": "telemetry"}));
    list(&mut desk, json!([telemetry]));
    let mut acks = Vec::new();
    for _ in 0..3 {
        let (request, call) = next(&mut desk, DELIVERY);
        acks.push(call.request.body);
        desk.fail(request);
    }
    assert_eq!(ack(&mut desk, 200), "a completed ");
    assert!(acks.iter().all(|body| *body == acks[0]));
    // Delivered again: acknowledged again, not executed again.
    list(&mut desk, json!([telemetry]));
    assert_eq!(ack(&mut desk, 200), "a completed ");
    desk.boot();
    list(&mut desk, json!([telemetry]));
    assert_eq!(ack(&mut desk, 200), "a completed ");
    assert_eq!(desk.probe("executions", json!({"id": "a"})), json!(1));
    assert_eq!(
        desk.probe("service_starts", json!({"service": "telemetry"})),
        json!(1)
    );
}

#[test]
fn an_unsent_acknowledgement_survives_a_boot() {
    let mut desk = desk();
    list(
        &mut desk,
        json!([item("a", "config_update", json!({"log_level": "debug"}))]),
    );
    let (request, _) = next(&mut desk, DELIVERY);
    desk.fail(request);
    desk.boot();
    assert_eq!(ack(&mut desk, 200), "a completed ");
    assert_eq!(desk.probe("config", json!({"key": "log_level"})), json!("debug"));
}

#[test]
fn gives_an_acknowledgement_up_where_it_is_refused() {
    for status in [404, 409, 410] {
        let mut desk = desk();
        let first = item("a", "restart_service", json!({"service": "telemetry"}));
        let second = item("b", "restart_service", json!({"service": "gateway"}));
        list(&mut desk, json!([first, second]));
        assert_eq!(ack(&mut desk, status), "a completed ");
        assert_eq!(ack(&mut desk, 200), "b completed ");
        list(&mut desk, json!([first]));
        assert_eq!(desk.next_request().0, POLL, "{status}");
    }
}

#[test]
fn tries_once_more_with_a_minimal_body() {
    for status in [400, 413, 415] {
        let mut desk = desk();
        let item = item("a", "restart_service", json!({"service": "telemetry"}));
        list(&mut desk, json!([item]));
        assert_eq!(ack(&mut desk, status), "a completed ");
        let (request, call) = next(&mut desk, DELIVERY);
        assert_eq!(call.request.body, br#"{"status":"completed"}"#);
        desk.answer(request, Response::new(status));
        list(&mut desk, json!([item]));
        assert_eq!(desk.next_request().0, POLL, "{status}");
    }
}

#[test]
fn keeps_everything_while_its_key_is_refused() {
    let mut desk = desk();
    list(
        &mut desk,
        json!([item("a", "restart_service", json!({"service": "telemetry"}))]),
    );
    for _ in 0..6 {
        let (request, _) = desk.next_request();
        desk.answer(request, Response::new(401));
    }
    let (request, _) = next_answering(&mut desk, POLL, DELIVERY, 403);
    let resumed = desk.seconds();
    desk.answer(request, Response::json(200, &json!([])));
    assert_eq!(ack(&mut desk, 200), "a completed ");
    assert!(desk.seconds() - resumed <= 30.0);
}

#[test]
fn announces_what_takes_long() {
    let mut desk = desk();
    list(
        &mut desk,
        json!([item("a", "run_discovery", json!({"subnet": "10.0.0.0/20"}))]),
    );
    assert_eq!(ack(&mut desk, 200), "a in_progress ");
    assert!(desk.seconds() < 70.0);
    let mut polls = 0;
    loop {
        let (request, call) = desk.next_request();
        if request == DELIVERY {
            assert!(String::from_utf8_lossy(&call.request.body).contains("hosts_found"));
            break;
        }
        polls += 1;
        desk.answer(request, Response::new(204));
    }
    assert!(polls >= 5, "{polls}");
    let addresses = desk.probe("probed_addresses", json!({}));
    assert_eq!(addresses.as_array().unwrap().len(), 4096);
}

#[test]
fn an_interrupted_command_is_not_forgotten() {
    let mut desk = desk();
    list(
        &mut desk,
        json!([item("a", "run_discovery", json!({"subnet": "10.0.0.0/24"}))]),
    );
    desk.boot();
    assert_eq!(ack(&mut desk, 200), "a failed interrupted");
}

#[test]
fn a_configuration_is_all_or_nothing() {
    let mut desk = desk();
    list(
        &mut desk,
        json!([
            item(
                "a",
                "config_update",
                json!({"log_level": "warn", "poll_interval_s": 0})
            ),
            item(
                "b",
                "config_update",
                json!({"poll_interval_s": 60, "discovery_enabled": false})
            ),
        ]),
    );
    let (request, call) = next(&mut desk, DELIVERY);
    let body: Value = serde_json::from_slice(&call.request.body).unwrap();
    assert_eq!(
        (&body["error_code"], &body["details"]["keys"]),
        (&json!("invalid_config"), &json!(["poll_interval_s"]))
    );
    desk.answer(request, Response::new(200));
    let (request, call) = next(&mut desk, DELIVERY);
    let body: Value = serde_json::from_slice(&call.request.body).unwrap();
    assert_eq!(
        body["details"]["changed"],
        json!(["discovery_enabled", "poll_interval_s"])
    );
    desk.answer(request, Response::new(200));
    desk.boot();
    assert_eq!(desk.probe("config", json!({"key": "log_level"})), json!("info"));
    assert_eq!(desk.probe("config", json!({"key": "poll_interval_s"})), json!(60));
}

#[test]
fn resumes_a_download_and_checks_the_whole_file() {
    let mut desk = desk();
    let bytes = begin_download(&mut desk, "big");
    let (half, rest) = bytes.split_at(100_000);
    head(
        &mut desk,
        200,
        &[("ETag", "\"x\""), ("Content-Length", &bytes.len().to_string())],
    );
    chunk(&mut desk, half);
    desk.fail(DOWNLOAD);
    let (_, call) = next(&mut desk, DOWNLOAD);
    assert_eq!(call.request.headers.get("Range"), Some("bytes=100000-"));
    assert_eq!(call.request.headers.get("If-Range"), Some("\"x\""));
    let range = format!("bytes 100000-{}/{}", bytes.len() - 1, bytes.len());
    head(&mut desk, 206, &[("ETag", "\"x\""), ("Content-Range", &range)]);
    chunk(&mut desk, rest);
    desk.input(Input::HttpEnd { request: DOWNLOAD });
    let reports = reports(&mut desk);
    assert_eq!(reports, ["verifying", "installing", "rebooting"]);
    desk.boot();
    assert_eq!(reports_until_ack(&mut desk), ["success", "u completed "]);
    assert_eq!(desk.probe("version", json!({})), json!("1.7.0"));
}

#[test]
fn an_interruption_by_power_resumes_too() {
    let mut desk = desk();
    let bytes = begin_download(&mut desk, "big");
    head(&mut desk, 200, &[("ETag", "\"x\"")]);
    chunk(&mut desk, &bytes[..50_000]);
    desk.boot();
    let (_, call) = next(&mut desk, DOWNLOAD);
    assert_eq!(call.request.headers.get("Range"), Some("bytes=50000-"));
    // The object changed meanwhile: what is there does not count.
    head(&mut desk, 200, &[("ETag", "\"y\"")]);
    chunk(&mut desk, &bytes);
    desk.input(Input::HttpEnd { request: DOWNLOAD });
    assert_eq!(reports(&mut desk), ["verifying", "installing", "rebooting"]);
}

#[test]
fn a_wrong_first_part_is_found_out() {
    let mut desk = desk();
    let bytes = begin_download(&mut desk, "next");
    head(&mut desk, 200, &[("ETag", "\"x\"")]);
    chunk(&mut desk, &vec![0; 1000]);
    desk.fail(DOWNLOAD);
    next(&mut desk, DOWNLOAD);
    let range = format!("bytes 1000-{}/{}", bytes.len() - 1, bytes.len());
    head(&mut desk, 206, &[("ETag", "\"x\""), ("Content-Range", &range)]);
    chunk(&mut desk, &bytes[1000..]);
    desk.input(Input::HttpEnd { request: DOWNLOAD });
    assert_eq!(
        reports_until_ack(&mut desk),
        ["verifying", "failure", "u failed checksum_mismatch"]
    );
    assert_eq!(desk.probe("version", json!({})), json!("1.0.0"));
    assert_eq!(desk.probe("temporary_files", json!({})), json!(0));
}

#[test]
fn refuses_what_it_must_not_fetch() {
    let hex = "0".repeat(64);
    let good = json!({"version": "1.1.0", "download_url": "http://cloud/blob", "checksum": format!("sha256:{hex}"), "size": 10});
    let with = |name: &str, value: Value| {
        let mut answer = good.clone();
        answer[name] = value;
        answer
    };
    for (answer, code) in [
        (with("version", json!("1.1.1")), "version_unavailable"),
        (with("version", json!("../../etc/x")), "version_unavailable"),
        (with("checksum", json!("md5:00")), "checksum_unsupported"),
        (
            with("checksum", json!("sha256:abc123...")),
            "checksum_unsupported",
        ),
        (with("checksum", Value::Null), "checksum_unsupported"),
        (with("size", json!(1u64 << 40)), "no_space"),
        (with("download_url", json!("ftp://cloud/blob")), "download_failed"),
    ] {
        let mut desk = desk();
        command_update(&mut desk, "1.1.0", json!({}));
        desk.answer(LATEST, Response::json(200, &answer));
        assert_eq!(
            reports_until_ack(&mut desk),
            ["failure".to_owned(), format!("u failed {code}")],
            "{answer}"
        );
    }
    let mut desk = desk();
    command_update(&mut desk, "1.1.0", json!({}));
    desk.answer(LATEST, Response::new(404));
    assert_eq!(
        reports_until_ack(&mut desk),
        ["failure", "u failed version_unavailable"]
    );
}

#[test]
fn plain_urls_are_for_the_lab_only() {
    let mut desk = desk_at("https://cloud");
    command_update(&mut desk, "1.1.0", json!({}));
    desk.answer(LATEST, Response::json(200, &offer("next", "http://cloud/blob")));
    assert_eq!(
        reports_until_ack(&mut desk),
        ["failure", "u failed download_failed"]
    );
}

#[test]
fn goes_back_only_where_that_is_allowed() {
    let mut desk = desk();
    command_update(&mut desk, "0.9.0", json!({}));
    desk.answer(LATEST, Response::json(200, &offer("older", "http://cloud/blob")));
    assert_eq!(ack(&mut desk, 200), "u rejected downgrade_refused");
    for (payload, answer) in [
        (json!({"allow_downgrade": true}), json!(false)),
        (json!({}), json!(true)),
    ] {
        let mut desk = self::desk();
        command_update(&mut desk, "0.9.0", payload);
        let mut offer = offer("older", "http://cloud/blob");
        offer["allow_downgrade"] = answer;
        desk.answer(LATEST, Response::json(200, &offer));
        next(&mut desk, DOWNLOAD);
    }
}

#[test]
fn does_not_install_what_runs_already() {
    let mut desk = desk();
    list(
        &mut desk,
        json!([item(
            "u",
            "update_snap",
            json!({"snap_name": "edge-agent", "version": "1.0.0"})
        )]),
    );
    assert_eq!(
        reports_until_ack(&mut desk),
        ["already_installed", "u completed "]
    );
}

#[test]
fn follows_few_redirects_and_keeps_its_key() {
    let mut desk = desk();
    begin_download(&mut desk, "next");
    for hop in 1..=5 {
        head(&mut desk, 302, &[("Location", "http://other/blob")]);
        let (_, call) = next(&mut desk, DOWNLOAD);
        assert_eq!(call.url, "http://other/blob");
        assert_eq!(call.request.headers.count("X-Device-Key"), 0, "{hop}");
    }
    head(&mut desk, 302, &[("Location", "/again")]);
    assert_eq!(
        reports_until_ack(&mut desk),
        ["failure", "u failed download_failed"]
    );
    let mut desk = desk_at("https://cloud");
    command_update(&mut desk, "1.1.0", json!({}));
    desk.answer(LATEST, Response::json(200, &offer("next", "https://cloud/blob")));
    let (_, call) = next(&mut desk, DOWNLOAD);
    assert_eq!(call.request.headers.count("X-Device-Key"), 1);
    head(&mut desk, 302, &[("Location", "http://cloud/blob")]);
    assert_eq!(
        reports_until_ack(&mut desk),
        ["failure", "u failed download_failed"]
    );
}

#[test]
fn asks_again_when_a_storage_url_has_expired() {
    let mut desk = desk();
    command_update(&mut desk, "1.1.0", json!({}));
    desk.answer(
        LATEST,
        Response::json(200, &offer("next", "http://storage/blob?se=1")),
    );
    next(&mut desk, DOWNLOAD);
    head(&mut desk, 403, &[]);
    next(&mut desk, LATEST);
    desk.answer(
        LATEST,
        Response::json(200, &offer("next", "http://storage/blob?se=2")),
    );
    let (_, call) = next(&mut desk, DOWNLOAD);
    assert_eq!(call.url, "http://storage/blob?se=2");
    head(&mut desk, 403, &[]);
    next(&mut desk, DOWNLOAD);
}

#[test]
fn gives_a_hopeless_download_up() {
    let mut desk = desk();
    begin_download(&mut desk, "next");
    for _ in 0..4 {
        desk.input(Input::HttpFailed {
            request: DOWNLOAD,
            error: HttpError::Connect("refused".into()),
        });
        next(&mut desk, DOWNLOAD);
    }
    desk.fail(DOWNLOAD);
    assert_eq!(
        reports_until_ack(&mut desk),
        ["failure", "u failed download_failed"]
    );
}

#[test]
fn short_and_long_bodies_are_noticed() {
    let mut desk = desk();
    let bytes = begin_download(&mut desk, "next");
    head(&mut desk, 200, &[]);
    chunk(&mut desk, &bytes[..100]);
    desk.input(Input::HttpEnd { request: DOWNLOAD });
    // No entity tag: the whole blob is fetched again.
    let (_, call) = next(&mut desk, DOWNLOAD);
    assert_eq!(call.request.headers.get("Range"), None);
    head(&mut desk, 200, &[]);
    chunk(&mut desk, &bytes);
    chunk(&mut desk, b"more");
    assert_eq!(
        reports_until_ack(&mut desk),
        ["failure", "u failed size_mismatch"]
    );
    let mut desk = self::desk();
    begin_download(&mut desk, "next");
    head(&mut desk, 200, &[("Content-Length", "12")]);
    assert_eq!(
        reports_until_ack(&mut desk),
        ["failure", "u failed size_mismatch"]
    );
}

#[test]
fn a_full_disk_ends_the_download() {
    let mut desk = desk();
    let bytes = begin_download(&mut desk, "next");
    head(&mut desk, 200, &[]);
    chunk(&mut desk, &bytes[..100]);
    let free = desk.hardware.flash.leave_free(50);
    chunk(&mut desk, &bytes[100..]);
    assert_eq!(reports_until_ack(&mut desk), ["failure", "u failed no_space"]);
    assert_eq!(desk.hardware.flash.free(), free + 100);
}

fn desk() -> Desk {
    desk_at("http://cloud")
}

fn desk_at(base_url: &str) -> Desk {
    let mut setup = Setup {
        timing: EdgePollKind.timing(),
        seed: 3,
        ..Setup::default()
    };
    setup.endpoints.set("base_url", base_url);
    setup.endpoints.set("device_key", "edk_test_0123456789abcdef");
    Desk::new(&EdgePollKind, setup)
}

fn item(id: &str, command: &str, payload: Value) -> Value {
    json!({
        "id": id, "command": command, "payload": payload, "status": "pending",
        "created_at": "2026-03-02T09:00:00.000Z", "expires_at": null, "delivery_count": 1,
    })
}

/// Answers the next poll with a list.
fn list(desk: &mut Desk, items: Value) {
    let (request, _) = next(desk, POLL);
    desk.answer(request, Response::json(200, &items));
}

/// The next request of a kind; others are answered with nothing to do.
fn next(desk: &mut Desk, wanted: RequestId) -> (RequestId, HttpCall) {
    for _ in 0..200 {
        let (request, call) = desk.next_request();
        if request == wanted {
            return (request, call);
        }
        let status = if request == POLL { 204 } else { 200 };
        desk.answer(request, Response::new(status));
    }
    panic!("{wanted:?} never came");
}

fn next_answering(
    desk: &mut Desk,
    wanted: RequestId,
    other: RequestId,
    status: u16,
) -> (RequestId, HttpCall) {
    loop {
        let (request, call) = desk.next_request();
        if request == wanted {
            return (request, call);
        }
        assert_eq!(request, other);
        desk.answer(request, Response::new(status));
    }
}

/// Answers the next acknowledgement; says what it was.
fn ack(desk: &mut Desk, status: u16) -> String {
    let (request, call) = next(desk, DELIVERY);
    let text = describe(&call);
    desk.answer(request, Response::new(status));
    text
}

fn describe(call: &HttpCall) -> String {
    let body: Value = serde_json::from_slice(&call.request.body).unwrap();
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    match call.url.split('/').rev().nth(1) {
        Some(id) if call.url.ends_with("/ack") => format!("{id} {} {}", text("status"), text("error_code")),
        _ => text("status"),
    }
}

fn command_update(desk: &mut Desk, version: &str, more: Value) {
    let mut payload = json!({"snap_name": "edge-agent", "version": version});
    payload
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    list(desk, json!([item("u", "update_snap", payload)]));
    next(desk, LATEST);
}

fn offer(role: &str, url: &str) -> Value {
    let artifact = EdgePollKind.artifacts().get(role).unwrap().clone();
    json!({
        "snap_name": artifact.name, "version": artifact.version, "download_url": url,
        "checksum": digest::sha256_tagged(&artifact.bytes), "size": artifact.bytes.len(),
    })
}

/// Commands an update and goes up to its first request for the blob.
fn begin_download(desk: &mut Desk, role: &str) -> Vec<u8> {
    let artifact = EdgePollKind.artifacts().get(role).unwrap().clone();
    command_update(desk, &artifact.version, json!({}));
    desk.answer(LATEST, Response::json(200, &offer(role, "http://cloud/blob")));
    next(desk, DOWNLOAD);
    artifact.bytes.to_vec()
}

fn head(desk: &mut Desk, status: u16, headers: &[(&str, &str)]) {
    let headers = Headers(
        headers
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect(),
    );
    desk.input(Input::HttpHead {
        request: DOWNLOAD,
        status,
        headers,
    });
}

fn chunk(desk: &mut Desk, bytes: &[u8]) {
    desk.input(Input::HttpChunk {
        request: DOWNLOAD,
        bytes: bytes.to_vec().into(),
    });
}

/// Reports up to the reboot into a new version.
fn reports(desk: &mut Desk) -> Vec<String> {
    let mut seen = Vec::new();
    while seen.last().is_none_or(|last| last != "rebooting") {
        seen.push(ack(desk, 204));
    }
    desk.advance(Duration::from_secs(1));
    seen
}

/// Reports up to the acknowledgement, included.
fn reports_until_ack(desk: &mut Desk) -> Vec<String> {
    let mut seen = Vec::new();
    while seen.last().is_none_or(|last: &String| !last.contains(' ')) {
        seen.push(ack(desk, 204));
    }
    seen.retain(|text| text != "downloading");
    seen
}
