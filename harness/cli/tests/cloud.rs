//! `hil cloud` from outside: an appliance, an operator and a publisher over plain TCP.

mod support;

use serde_json::{Value, json};
use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    path::Path,
    thread,
    time::Duration,
};
use support::{Answer, Cloud, error_text, hil, http, run, signal};

fn poll(cloud: &Cloud) -> Value {
    let url = format!("{}/api/v1/commands", cloud.base());
    let answer = http("GET", &url, &[("X-Device-Key", cloud.key())], b"");
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

fn ack(cloud: &Cloud, id: &str, body: Value) -> Answer {
    let url = format!("{}/api/v1/commands/{id}/ack", cloud.base());
    let headers = [
        ("X-Device-Key", cloud.key()),
        ("Content-Type", "application/json"),
    ];
    http("POST", &url, &headers, body.to_string().as_bytes())
}

fn ids(polled: &Value) -> Vec<&str> {
    let items = polled
        .as_array()
        .or(polled["commands"].as_array())
        .expect("a list of commands");
    items.iter().map(|item| item["id"].as_str().unwrap()).collect()
}

fn keys(data: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(data.join("keys.json")).unwrap()).unwrap()
}

#[test]
fn what_was_accepted_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let cloud = Cloud::start(&data, &["--port", "edge-api=0"]);
    let queued = cloud.admin(
        "POST",
        "edge-poll/act/queue",
        r#"{"command": "run_discovery", "id": "first"}"#,
    );
    assert_eq!(queued["id"], "first");
    cloud.admin(
        "POST",
        "edge-poll/act/queue",
        r#"{"command": "run_discovery", "id": "second"}"#,
    );
    assert_eq!(ids(&poll(&cloud)), ["first", "second"]);
    let done = json!({"status": "completed", "details": {"found": 3}});
    assert_eq!(ack(&cloud, "first", done.clone()).status, 200);
    let (key, seen) = (cloud.key().to_owned(), keys(&data));
    assert_eq!(cloud.terminate(), Some(0));

    let cloud = Cloud::start(&data, &["--port", "edge-api=0"]);
    assert_eq!(cloud.key(), key);
    assert_eq!(keys(&data), seen);
    assert_eq!(ids(&poll(&cloud)), ["second"]);
    // The same again is a repetition, another end is refused: the first is known.
    assert_eq!(ack(&cloud, "first", done).status, 200);
    assert_eq!(
        ack(&cloud, "first", json!({"status": "failed", "error_code": "late"})).status,
        409
    );
    assert_eq!(cloud.terminate(), Some(0));
}

#[test]
fn units_find_it_again_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let where_it_is = |cloud: &Cloud| (cloud.base().to_owned(), cloud.settings["HIL_ADMIN_URL"].clone());
    let first = Cloud::start(&data, &[]);
    let place = where_it_is(&first);
    assert_eq!(first.terminate(), Some(0));
    let again = Cloud::start(&data, &[]);
    assert_eq!(where_it_is(&again), place);
    assert_eq!(again.terminate(), Some(0));

    // Somebody else took the unit's port: it moves, and says so in its settings.
    let taken = TcpListener::bind(place.0.strip_prefix("http://").unwrap()).unwrap();
    let moved = Cloud::start(&data, &[]);
    assert_ne!(moved.base(), place.0);
    drop(taken);
}

#[test]
fn an_answer_means_committed_even_if_the_process_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::start(folder.path(), &[]);
    cloud.admin(
        "POST",
        "edge-poll/act/queue",
        r#"{"command": "run_discovery", "id": "only"}"#,
    );
    assert_eq!(ack(&cloud, "only", json!({"status": "completed"})).status, 200);
    signal(cloud.pid(), "-KILL");
    drop(cloud);
    let cloud = Cloud::start(folder.path(), &[]);
    assert!(ids(&poll(&cloud)).is_empty());
}

#[test]
fn files_are_private_and_made_once() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let cloud = Cloud::start(&data, &["--trace"]);
    poll(&cloud);
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    assert_eq!(mode(&data.join("pki")), 0o700);
    for name in [
        "keys.json",
        "edge-poll.env",
        "edge-poll.sqlite",
        "trace.jsonl",
        "pki/authority.key",
    ] {
        assert_eq!(mode(&data.join(name)), 0o600, "{name}");
    }
    let told = std::fs::read_to_string(data.join("edge-poll.env")).unwrap();
    assert!(
        told.lines()
            .any(|line| line == format!("HIL_BASE_URL={}", cloud.base()))
    );
    let authority = std::fs::read(data.join("pki/authority.pem")).unwrap();
    let second = hil().args(["cloud", "--data"]).arg(&data).output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    assert!(
        error_text(&second).contains("used by another"),
        "{}",
        error_text(&second)
    );
    assert_eq!(cloud.terminate(), Some(0));
    let trace = std::fs::read_to_string(data.join("trace.jsonl")).unwrap();
    let lines: Vec<Value> = trace
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(lines.iter().all(|line| line["protocol"] == "edge-poll"));
    assert!(trace.contains("/api/v1/commands"));
    drop(Cloud::start(&data, &[]));
    assert_eq!(std::fs::read(data.join("pki/authority.pem")).unwrap(), authority);
}

#[test]
fn a_publisher_publishes() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::start(folder.path(), &["--publish-token", "let-me-publish"]);
    let part = |name: &str, value: &str| {
        format!("--frontier\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let form = part("snap_name", "edge-agent")
        + &part("version", "2.0.0")
        + "--frontier\r\nContent-Disposition: form-data; name=\"snap\"; filename=\"a.snap\"\r\n"
        + "Content-Type: application/octet-stream\r\n\r\nthe image\r\n--frontier--\r\n";
    let url = format!("{}/api/v1/admin/publish", cloud.base());
    let kind = ("Content-Type", "multipart/form-data; boundary=frontier");
    assert_eq!(http("POST", &url, &[kind], form.as_bytes()).status, 401);
    let token = ("Authorization", "Bearer let-me-publish");
    let published = http("POST", &url, &[kind, token], form.as_bytes());
    assert_eq!(published.status, 201, "{}", published.text());
    let latest = format!("{}/api/v1/snaps/latest?snap_name=edge-agent", cloud.base());
    let key = ("X-Device-Key", cloud.key());
    let latest = http("GET", &latest, &[key], b"").json();
    assert_eq!(latest["version"], "2.0.0");
    let blob = http("GET", latest["download_url"].as_str().unwrap(), &[key], b"");
    assert_eq!(blob.text(), "the image");
}

#[test]
fn operators_publish_images_they_upload() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::start(folder.path(), &[]);
    let told = cloud.admin(
        "PUT",
        "edge-poll/artifacts/next?name=edge-agent&version=3.1.0",
        "three one",
    );
    assert_eq!(told["size"], 9);
    let published = cloud.admin("POST", "edge-poll/act/publish", r#"{"artifact": "next"}"#);
    assert_eq!(published["version"], "3.1.0");
    assert_eq!(
        published["checksum"]
            .as_str()
            .unwrap()
            .trim_start_matches("sha256:"),
        told["sha256"]
    );
}

#[test]
fn a_fault_waits_for_its_trigger() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::start(folder.path(), &[]);
    let url = format!("{}/api/v1/commands", cloud.base());
    let status = || http("GET", &url, &[("X-Device-Key", cloud.key())], b"").status;
    let fault = json!({
        "fault": "cloud.status",
        "with": {"on": "poll", "status": 503, "times": 1},
        "when": {"event": "unit.poll", "nth": 2},
    });
    cloud.admin("POST", "edge-poll/faults", &fault.to_string());
    let seen: Vec<u16> = (0..4).map(|_| status()).collect();
    let disturbed = seen.iter().filter(|status| **status == 503).count();
    // The second poll sets it off; it is on its way while that poll is answered.
    assert!(seen[0] == 200 && disturbed == 1, "{seen:?}");
}

#[test]
fn operators_read_the_trace_and_disturb() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::start(folder.path(), &[]);
    let clouds = cloud.admin("GET", "clouds", "");
    assert_eq!(clouds["clouds"][0]["protocol"], "edge-poll");
    assert_eq!(clouds["clouds"][0]["faces"]["edge-api"], cloud.base());
    assert_eq!(
        cloud.admin("GET", "edge-poll/settings", "")["device_key"],
        cloud.key()
    );
    let fault = json!({"fault": "cloud.status", "with": {"on": "poll", "status": 503, "retry_after": 7}});
    let armed = cloud.admin("POST", "edge-poll/faults", &fault.to_string());
    let url = format!("{}/api/v1/commands", cloud.base());
    let disturbed = http("GET", &url, &[("X-Device-Key", cloud.key())], b"");
    assert_eq!(disturbed.status, 503);
    assert!(
        disturbed.head.to_ascii_lowercase().contains("retry-after: 7\r\n"),
        "{}",
        disturbed.head
    );
    let cleared = cloud.admin("DELETE", &format!("edge-poll/faults/{}", armed["id"]), "");
    assert_eq!(cleared["acted"], 1);
    poll(&cloud);
    let all = cloud.admin("GET", "edge-poll/trace", "");
    let records = all["records"].as_array().unwrap();
    assert!(
        records
            .windows(2)
            .all(|two| two[0]["seq"].as_u64() < two[1]["seq"].as_u64())
    );
    assert!(
        records
            .iter()
            .any(|record| record["what"].to_string().contains("/api/v1/commands"))
    );
    // Somebody who waits for more gets it as soon as it is there.
    let url = format!(
        "{}/admin/edge-poll/trace?after={}&wait=20",
        cloud.settings["HIL_ADMIN_URL"],
        records.len() - 1
    );
    let waiting = thread::spawn(move || http("GET", &url, &[], b"").json());
    thread::sleep(Duration::from_millis(100));
    poll(&cloud);
    assert!(!waiting.join().unwrap()["records"].as_array().unwrap().is_empty());
    assert_eq!(all["next"].as_u64(), Some(records.len() as u64));
    let last = records.len() - 2;
    let behind = cloud.admin("GET", &format!("edge-poll/trace?after={last}&limit=1"), "");
    assert_eq!(behind["records"], json!([records[last + 1]]));
}

#[test]
fn keys_of_the_user_stay_out_of_the_trace() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let key = "a-key-of-the-user-0123456789";
    let cloud = Cloud::start(&data, &["--trace", "--unit-key", key]);
    assert!(ids(&poll(&cloud)).is_empty());
    let shown = cloud.admin("GET", "edge-poll/trace", "").to_string();
    assert!(
        shown.contains("redacted-unit_key") && !shown.contains(key),
        "{shown}"
    );
    assert_eq!(cloud.terminate(), Some(0));
    let trace = std::fs::read_to_string(data.join("trace.jsonl")).unwrap();
    assert!(
        trace.contains("redacted-unit_key") && !trace.contains(key),
        "{trace}"
    );
}

#[test]
fn operators_mistakes_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::start(folder.path(), &[]);
    let admin = &cloud.settings["HIL_ADMIN_URL"];
    for (method, path, body, status, says) in [
        ("GET", "/admin/moon/trace", "", 404, "moon"),
        ("GET", "/elsewhere", "", 404, "/elsewhere"),
        ("GET", "/admin/edge-poll/act/queue", "", 405, "POST"),
        ("POST", "/admin/edge-poll/act/fly", "", 404, "fly"),
        ("POST", "/admin/edge-poll/act/queue", "{}", 400, "command"),
        ("POST", "/admin/edge-poll/act/queue", "[", 400, "JSON"),
        (
            "POST",
            "/admin/edge-poll/act/publish",
            r#"{"artifact": "none"}"#,
            404,
            "none",
        ),
        (
            "POST",
            "/admin/edge-poll/faults",
            r#"{"fault": "cloud.moon"}"#,
            400,
            "cloud.moon",
        ),
        (
            "POST",
            "/admin/edge-poll/faults",
            r#"{"fault": "unit.power_cut"}"#,
            400,
            "acts on the unit",
        ),
        ("DELETE", "/admin/edge-poll/faults/99", "", 404, "99"),
        ("GET", "/admin/edge-poll/trace?after=x", "", 400, "after"),
        ("PUT", "/admin/edge-poll/unit-faces/nose", "{}", 404, "nose"),
    ] {
        let answer = http(method, &format!("{admin}{path}"), &[], body.as_bytes());
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
        let error = answer.json()["error"].as_str().unwrap().to_owned();
        assert!(error.contains(says), "{path}: {error}");
    }
    // A page in a browser of this machine is no operator.
    let url = format!("{admin}/admin/clouds");
    assert_eq!(
        http("GET", &url, &[("Origin", "https://example.org")], b"").status,
        403
    );
    assert_eq!(
        http("GET", &url, &[("Authorization", "Bearer wrong")], b"").status,
        401
    );
}

#[test]
fn a_token_guards_the_admin_interface() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let open = run(&["cloud", "--data", data, "--admin", "0.0.0.0:0"]);
    assert_eq!(open.status.code(), Some(2));
    assert!(
        error_text(&open).contains("--admin-token"),
        "{}",
        error_text(&open)
    );
    let cloud = Cloud::start(
        folder.path(),
        &["--admin", "0.0.0.0:0", "--admin-token", "a-long-token"],
    );
    let url = cloud.settings["HIL_ADMIN_URL"].replace("0.0.0.0", "127.0.0.1") + "/admin/clouds";
    let answer = http("GET", &url, &[], b"");
    assert_eq!(answer.status, 401);
    assert!(
        answer
            .head
            .to_ascii_lowercase()
            .contains("www-authenticate: bearer"),
        "{}",
        answer.head
    );
    assert_eq!(
        http("GET", &url, &[("Authorization", "Bearer a-long-toke")], b"").status,
        401
    );
    assert_eq!(
        http("GET", &url, &[("Authorization", "Bearer a-long-token")], b"").status,
        200
    );
}

#[test]
fn a_port_in_use_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let data = folder.path().to_str().unwrap();
    let ended = run(&[
        "cloud",
        "--protocol",
        "edge-poll",
        "--data",
        data,
        "--port",
        &format!("edge-api={port}"),
    ]);
    assert_eq!(ended.status.code(), Some(1));
    let text = error_text(&ended);
    assert!(
        text.contains("edge-api") && text.contains(&port.to_string()),
        "{text}"
    );
}

#[test]
fn wrong_arguments_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    for (wrong, says) in [
        (["--port", "edge-api"], "FACE=PORT"),
        (["--port", "nose=1"], "edge-api"),
        (["--unit-face", "nose=/dev/null"], "rpc-serial"),
        (["--option", "tls"], "NAME=VALUE"),
        (["--admin", "nowhere"], "HOST:PORT"),
        (["--unit-key", "short"], "--unit-key"),
        (["--public-url", "ftp://a"], "http://"),
    ] {
        let ended = run(&[
            "cloud",
            "--protocol",
            "edge-poll",
            "--data",
            data,
            wrong[0],
            wrong[1],
        ]);
        assert_eq!(ended.status.code(), Some(2), "{wrong:?}: {}", error_text(&ended));
        assert!(
            error_text(&ended).contains(says),
            "{wrong:?}: {}",
            error_text(&ended)
        );
    }
}

#[test]
fn links_show_the_public_url() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::start(folder.path(), &["--public-url", "https://lab.example/edge/"]);
    assert_eq!(cloud.base(), "https://lab.example/edge");
    let published = cloud.admin("POST", "edge-poll/act/publish", r#"{"artifact": "next"}"#);
    assert!(published["version"].is_string());
}

#[test]
fn exchanges_under_way_are_finished() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::start(folder.path(), &[]);
    cloud.admin(
        "POST",
        "edge-poll/act/queue",
        r#"{"command": "run_discovery", "id": "late"}"#,
    );
    let slow = json!({"fault": "cloud.stall", "with": {"on": "ack", "for": "700ms"}});
    cloud.admin("POST", "edge-poll/faults", &slow.to_string());
    let host = cloud.base().strip_prefix("http://").unwrap().to_owned();
    let mut stream = TcpStream::connect(&host).unwrap();
    let body = r#"{"status":"completed"}"#;
    let request = format!(
        "POST /api/v1/commands/late/ack HTTP/1.1\r\nHost: {host}\r\nX-Device-Key: {}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        cloud.key(),
        body.len()
    );
    // An idle connection must not hold up the end.
    let idle = TcpStream::connect(&host).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    thread::sleep(Duration::from_millis(200));
    let ended = thread::spawn(move || cloud.terminate());
    let mut read = String::new();
    stream.read_to_string(&mut read).unwrap();
    assert!(read.starts_with("HTTP/1.1 200"), "{read}");
    assert_eq!(ended.join().unwrap(), Some(0));
    drop(idle);
}

#[test]
fn websockets_are_taken_leave_of() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::start_for("ota-rpc", folder.path(), &[]);
    let url = cloud.settings["HIL_RPC_SERVER_URL"].clone();
    let host = url
        .strip_prefix("ws://")
        .and_then(|rest| rest.strip_suffix("/rpc"))
        .unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(support::PATIENCE)).unwrap();
    let request = format!(
        "GET /rpc HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut read = Vec::new();
    let mut byte = [0];
    while !read.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        read.push(byte[0]);
    }
    assert!(
        read.starts_with(b"HTTP/1.1 101"),
        "{}",
        String::from_utf8_lossy(&read)
    );
    let ended = thread::spawn(move || cloud.terminate());
    let mut close = [0; 4];
    stream.read_exact(&mut close).unwrap();
    assert_eq!(close, [0x88, 2, 0x03, 0xe9], "a close frame with code 1001");
    stream.write_all(&[0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe9]).unwrap();
    assert_eq!(ended.join().unwrap(), Some(0));
}
