//! The built binary as a process of its own, ended by its id, and an HTTP client that shares no code with it.

#![allow(dead_code, missing_docs, unreachable_pub, reason = "each test uses a part")]

use serde_json::Value;
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Output, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

/// A running `hil cloud`.
pub struct Cloud {
    child: Child,
    /// The `NAME=value` lines it printed.
    pub settings: BTreeMap<String, String>,
    /// Everything it printed up to `ready`.
    pub printed: String,
}

pub fn hil() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hil"));
    for name in [
        "HIL_ADMIN_TOKEN",
        "HIL_UNIT_KEY",
        "SNAP_PUBLISH_TOKEN",
        "API_PUBLIC_URL",
        "HIL_RPC_USER",
    ] {
        command.env_remove(name);
    }
    command
}

impl Cloud {
    /// Starts a cloud for edge polling and waits until it is ready.
    pub fn start(data: &Path, arguments: &[&str]) -> Cloud {
        Cloud::start_for("edge-poll", data, arguments)
    }

    /// The same for any protocol.
    pub fn start_for(protocol: &str, data: &Path, arguments: &[&str]) -> Cloud {
        let mut child = hil()
            .args(["cloud", "--protocol", protocol, "--data"])
            .arg(data)
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let lines = lines_of(child.stdout.take().unwrap());
        let mut cloud = Cloud {
            child,
            settings: BTreeMap::new(),
            printed: String::new(),
        };
        loop {
            let line = lines.recv_timeout(PATIENCE).expect("the cloud becomes ready");
            if line == "ready" {
                return cloud;
            }
            if let Some((name, value)) = line.split_once('=').filter(|_| line.starts_with("HIL_")) {
                cloud.settings.insert(name.to_owned(), value.to_owned());
            }
            cloud.printed += &line;
            cloud.printed.push('\n');
        }
    }

    pub fn base(&self) -> &str {
        &self.settings["HIL_BASE_URL"]
    }

    pub fn key(&self) -> &str {
        &self.settings["HIL_DEVICE_KEY"]
    }

    /// A call of the admin interface, which must succeed.
    pub fn admin(&self, method: &str, path: &str, body: &str) -> Value {
        let url = format!("{}/admin/{path}", self.settings["HIL_ADMIN_URL"]);
        let answer = http(method, &url, &[], body.as_bytes());
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()
    }

    /// Sends SIGTERM and returns the exit code.
    pub fn terminate(mut self) -> Option<i32> {
        signal(self.child.id(), "-TERM");
        wait(&mut self.child).and_then(|status| status.code())
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A running `hil simulate`.
pub struct Simulated {
    child: Child,
    lines: mpsc::Receiver<String>,
    /// The `NAME=value` lines it printed before `ready`.
    pub settings: BTreeMap<String, String>,
}

impl Simulated {
    /// Starts a unit and waits until it is ready.
    pub fn start(arguments: &[&str]) -> Simulated {
        let mut child = hil()
            .arg("simulate")
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let lines = lines_of(child.stdout.take().unwrap());
        let mut unit = Simulated {
            child,
            lines,
            settings: BTreeMap::new(),
        };
        loop {
            let line = unit.lines.recv_timeout(PATIENCE).expect("the unit becomes ready");
            if line == "ready" {
                return unit;
            }
            if let Some((name, value)) = line.split_once('=').filter(|_| line.starts_with("HIL_")) {
                unit.settings.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    /// Waits until it prints a line with this text.
    pub fn wait_for(&self, text: &str) {
        while !self
            .lines
            .recv_timeout(PATIENCE)
            .expect("another line")
            .contains(text)
        {}
    }

    /// Sends SIGTERM and returns the exit code.
    pub fn terminate(mut self) -> Option<i32> {
        signal(self.child.id(), "-TERM");
        wait(&mut self.child).and_then(|status| status.code())
    }
}

impl Drop for Simulated {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn signal(pid: u32, signal: &str) {
    let done = Command::new("kill")
        .arg(signal)
        .arg(pid.to_string())
        .status()
        .unwrap();
    assert!(done.success());
}

/// Waits for the end, not for ever.
pub fn wait(child: &mut Child) -> Option<std::process::ExitStatus> {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        thread::sleep(Duration::from_millis(10));
    }
    None
}

/// Lines as they come, read on a thread so that waiting for them is bounded.
pub fn lines_of(output: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            // Nobody listens any more: the rest is still read, so that the process never waits.
            let _ = sender.send(line);
        }
    });
    lines
}

/// Runs `hil` to its end.
pub fn run(arguments: &[&str]) -> Output {
    hil().args(arguments).stdin(Stdio::null()).output().unwrap()
}

pub fn error_text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What an HTTP server answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }
}

/// One request on a connection of its own, written by hand.
pub fn http(method: &str, url: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let rest = url.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_at(rest.find('/').unwrap());
    let mut stream = TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    head += &format!("Content-Length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    let mut read = Vec::new();
    stream.read_to_end(&mut read).unwrap();
    let split = read
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .expect("a whole head")
        + 4;
    let head = String::from_utf8(read[..split].to_vec()).unwrap();
    Answer {
        status: head.split(' ').nth(1).unwrap().parse().unwrap(),
        head,
        body: read[split..].to_vec(),
    }
}

pub const PATIENCE: Duration = Duration::from_secs(20);

/// What a finished command told.
#[derive(Debug)]
pub struct Told {
    /// Its exit code; -1 if a signal ended it.
    pub code: i32,
    /// Its standard output.
    pub out: String,
    /// Its standard error.
    pub err: String,
}

/// Runs `hil` in a folder to its end, without a terminal.
pub fn hil_in(folder: &Path, arguments: &[&str]) -> Told {
    let output = hil()
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Told {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
