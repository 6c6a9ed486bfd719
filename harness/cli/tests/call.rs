//! `hil call` from outside: against the Python example device, and peers written from the reference.

mod support;

use serde_json::{Value, json};
use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};
use support::{Cloud, error_text, lines_of, run};

/// A process that ends with the test.
struct Peer {
    child: Child,
    /// The first line it printed that the test waited for.
    said: String,
}

impl Peer {
    fn start(mut command: Command, said: &str) -> Peer {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = lines_of(child.stdout.take().unwrap());
        let mut peer = Peer {
            child,
            said: String::new(),
        };
        while !peer.said.contains(said) || peer.said.is_empty() {
            peer.said = lines
                .recv_timeout(support::PATIENCE)
                .expect("the peer gets ready");
        }
        peer
    }

    fn of(arguments: &[&str]) -> Peer {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/peer.py");
        let mut command = Command::new("python3");
        command.arg(script).args(arguments);
        Peer::start(command, "")
    }

    fn example(state: &Path) -> (Peer, String) {
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
        let script: PathBuf = manifest.join("../../scenarios/examples/ota-rpc-python/device.py");
        let mut command = Command::new("python3");
        command
            .arg(script)
            .env("HIL_STATE_DIR", state)
            .env("HIL_LISTEN_PORT", port.to_string());
        let peer = Peer::start(command, "Init done");
        // Said a moment before it accepts; connections wait in its backlog.
        (peer, format!("http://127.0.0.1:{port}/rpc"))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn result(output: &Output) -> Value {
    assert_eq!(output.status.code(), Some(0), "{}", error_text(output));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_example_device_answers() {
    let folder = tempfile::tempdir().unwrap();
    let (_device, url) = Peer::example(folder.path());
    let state = run(&["call", &url, "OTA.GetBootState"]);
    assert_eq!(result(&state)["is_committed"], true);
    assert!(state.stdout.windows(2).any(|two| two == b"\n "), "pretty");
    let information = result(&run(&["call", url.trim_end_matches("/rpc"), "Sys.GetInfo"]));
    assert!(information["uptime"].is_number(), "{information}");
    let described = run(&["call", &url, "RPC.Describe", r#"{"name": "OTA.Update"}"#]);
    assert_eq!(result(&described)["name"], "OTA.Update");

    let unknown = run(&["call", &url, "Moon.Land"]);
    assert_eq!(unknown.status.code(), Some(4));
    assert!(error_text(&unknown).contains("404"), "{}", error_text(&unknown));
    assert!(unknown.stdout.is_empty());
    let elsewhere = run(&["call", &url.replace("/rpc", "/moon"), "RPC.List"]);
    assert_eq!(elsewhere.status.code(), Some(1));
    assert!(
        error_text(&elsewhere).contains("404"),
        "{}",
        error_text(&elsewhere)
    );
}

#[test]
fn a_websocket_is_called() {
    let peer = Peer::of(&["websocket"]);
    let url = format!("ws://127.0.0.1:{}/rpc", peer.said);
    let long = "ä".repeat(100);
    let arguments = json!({"text": long}).to_string();
    let echo = run(&["call", &url, "Peer.Echo", &arguments]);
    assert_eq!(result(&echo)["echo"]["text"], long);
    assert_eq!(run(&["call", &url, "Moon.Land"]).status.code(), Some(4));
}

#[test]
fn a_serial_line_is_called() {
    for algorithm in [None, Some("MD5"), Some("SHA-256")] {
        let peer = Peer::of(&["serial"].into_iter().chain(algorithm).collect::<Vec<_>>());
        let call = [
            "call",
            &peer.said,
            "Peer.Echo",
            r#"{"n": 1, "text": "ä\u0004\""}"#,
        ];
        if algorithm.is_some() {
            let refused = run(&call);
            assert_eq!(refused.status.code(), Some(4));
            assert!(
                error_text(&refused).contains("--user"),
                "{}",
                error_text(&refused)
            );
        }
        let echo = run(&[&call[..], &["--user", "bench:s3:cret"]].concat());
        assert_eq!(
            result(&echo)["echo"],
            json!({"n": 1, "text": "ä\u{4}\""}),
            "{algorithm:?}"
        );
    }
}

#[test]
fn credentials_are_given_over_http() {
    for algorithm in ["MD5", "SHA-256"] {
        let peer = Peer::of(&["http", algorithm]);
        let url = format!("http://127.0.0.1:{}/rpc", peer.said);
        let call = ["call", &url, "Peer.Echo", "7"];
        let echo = run(&[&call[..], &["--user", "bench:s3:cret"]].concat());
        assert_eq!(result(&echo)["echo"], 7, "{algorithm}");
        let wrong = run(&[&call[..], &["--user", "bench:guessed"]].concat());
        assert_eq!(wrong.status.code(), Some(4));
        let none = run(&call);
        assert_eq!(none.status.code(), Some(4));
        assert!(error_text(&none).contains("--user"), "{}", error_text(&none));
    }
}

#[test]
fn units_that_are_not_there() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = listener.local_addr().unwrap();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (url, says) in [
        (format!("http://{free}/rpc"), "cannot reach"),
        (format!("ws://{free}/rpc"), "cannot reach"),
        (format!("http://{silent}/rpc"), "no answer within 0.5 s"),
        (format!("ws://{silent}/rpc"), "no answer within 0.5 s"),
        ("/dev/no-such-line".to_owned(), "/dev/no-such-line"),
        ("/dev/null".to_owned(), "/dev/null"),
        ("/dev/ptmx".to_owned(), "handshake"),
    ] {
        let ended = run(&["call", &url, "RPC.List", "--timeout", "0.5"]);
        assert_eq!(ended.status.code(), Some(1), "{url}: {}", error_text(&ended));
        assert!(error_text(&ended).contains(says), "{url}: {}", error_text(&ended));
    }
}

#[test]
fn wrong_arguments() {
    for (arguments, says) in [
        (&["board", "RPC.List"][..], "http://HOST/rpc"),
        (&["mqtt://board/rpc", "RPC.List"], "https://"),
        (&["http://board/rpc", "RPC.List", "{"], "JSON"),
        (
            &["http://board/rpc", "RPC.List", "--user", "bench"],
            "NAME:PASSWORD",
        ),
        (&["http://board/rpc", "RPC.List", "--timeout", "0"], "seconds"),
        (&["http://board/rpc"], "METHOD"),
    ] {
        let ended = run(&[&["call"], arguments].concat());
        assert_eq!(
            ended.status.code(),
            Some(2),
            "{arguments:?}: {}",
            error_text(&ended)
        );
        assert!(
            error_text(&ended).contains(says),
            "{arguments:?}: {}",
            error_text(&ended)
        );
    }
}

#[test]
fn tls_is_spoken_and_its_mistakes_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::start_for("aos-v7", &folder.path().join("data"), &[]);
    let setting = |name: &str| cloud.settings[name].clone();
    let url = setting("HIL_DISCOVERY_URL");
    let (authority, certificate, key) = (
        setting("HIL_CA_FILE"),
        setting("HIL_ONLINE_CERTIFICATE_FILE"),
        setting("HIL_ONLINE_KEY_FILE"),
    );
    let own = ["--cert", &certificate, "--key", &key];
    // The handshake succeeds where the answer is that of a server which speaks something else.
    for trust in [&["--ca", &authority][..], &["--insecure"]] {
        let output = run(&[&["call", &url, "Sys.GetInfo"][..], &own, trust].concat());
        let error = error_text(&output);
        assert_eq!(output.status.code(), Some(1), "{error}");
        assert!(
            error.contains("HTTP status") || error.contains("no RPC reply"),
            "{error}"
        );
    }
    let stranger = run(&[&["call", &url, "Sys.GetInfo", "--ca", &certificate][..], &own].concat());
    let error = error_text(&stranger);
    assert!(
        error.contains("TLS") && stranger.status.code() != Some(0),
        "{error}"
    );
    let missing = run(&["call", &url, "Sys.GetInfo", "--ca", "/nowhere.pem"]);
    assert_eq!(missing.status.code(), Some(2));
    assert!(error_text(&missing).contains("/nowhere.pem"));
}
