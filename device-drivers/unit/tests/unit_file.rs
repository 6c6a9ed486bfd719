//! Unit files: what is read, every diagnostic as a golden file, the template and the schema against the reader.

use hil_diagnostic::{Collector, Source, parse_yaml};
use hil_link::Address;
use hil_unit::unit_file::{
    DriverKind, HookFormat, KnownNames, RestartWhen, StopSignal, UnitFile, UnitFileError, init_template,
    schema,
};
use hil_wire::Protocol;
use serde_json::json;
use std::{fs, path::Path, time::Duration};

const WHOLE: &str = r#"
name: gateway
protocol: sota
driver: process
command: [./agent, --config, "{state_dir}/agent.toml"]
environment: {LOG: debug, LEVEL: 3}
working_directory: work
templates:
  - {from: agent.toml.in, to: etc/agent.toml}
settings: {device_id: 007, device_key: "abc"}
faces:
  sota-http: "127.0.0.1:8888"
  sota-commands: "{state_dir}/commands.sock"
artifacts:
  current: images/agent_1.0.0.deb
  next: {path: images/new.deb, version: 1.10, name: agent}
timing: {poll_interval: 500ms, boot: 2s}
ics: {websocket: true, console: false, dialect: serde}
subject: {version: 1.10, digest: "sha256:00", board: rev-c}
ready: {face: sota-http, console: listening, timeout: 5s}
stop: {signal: SIGINT, timeout: 2s}
restart: {when: always, delay: 100ms}
probes:
  version: [cat, "{state_dir}/version"]
  installs: {command: [./count, installs], format: json, timeout: 1m}
stimuli: {clock_jump: [./jump, "{seconds}"]}
lab:
  tap: {segment: 10.91.0.0/24, subnet: 10.91.0.16/28, source: 10.91.0.5, ignore: [10.91.0.1]}
  module: "{state_dir}/module.socket"
  time_server: {address: "127.0.0.1:0", every: 10s}
"#;

#[test]
fn a_whole_unit_file_is_read() {
    let file = UnitFile::parse("unit.yaml", WHOLE).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    assert_eq!(file.name, "gateway");
    assert_eq!(
        (file.protocol, file.driver),
        (Protocol::Sota, DriverKind::Process)
    );
    assert_eq!(file.command[2], "{state_dir}/agent.toml");
    assert_eq!(file.environment["LEVEL"], "3");
    assert_eq!(file.settings["device_id"], "007");
    assert_eq!(file.artifacts["current"].name, "agent");
    assert_eq!(file.artifacts["current"].version, "1.0.0");
    assert_eq!(file.artifacts["next"].version, "1.10");
    assert_eq!(json!(file.timing), json!({"poll_interval": 0.5, "boot": 2.0}));
    assert_eq!(
        json!(file.ics),
        json!({"websocket": true, "console": false, "dialect": "serde"})
    );
    assert_eq!(file.ready.face.as_deref(), Some("sota-http"));
    assert_eq!(
        (file.stop.signal, file.stop.timeout),
        (StopSignal::Int, Duration::from_secs(2))
    );
    assert_eq!(
        (file.restart.when, file.restart.delay),
        (RestartWhen::Always, Duration::from_millis(100))
    );
    assert_eq!(file.probes["version"].format, HookFormat::Auto);
    assert_eq!(file.probes["installs"].timeout, Duration::from_secs(60));
    assert_eq!(file.stimuli["clock_jump"].command, ["./jump", "{seconds}"]);
    assert_eq!(
        json!(file.facts()),
        json!({"driver": "process", "subject_version": "1.10", "subject_digest": "sha256:00", "subject_board": "rev-c"})
    );
    assert_eq!(file.lab.module.as_deref(), Some("{state_dir}/module.socket"));
    assert_eq!(
        file.lab.tap.as_ref().unwrap().ignore,
        ["10.91.0.1".parse::<std::net::IpAddr>().unwrap()]
    );
    assert_eq!(
        file.lab.time_server.as_ref().unwrap().every,
        Duration::from_secs(10)
    );
    let addresses = file.addresses();
    assert_eq!(addresses["sota-http"], Address::Host("127.0.0.1".into(), 8888));
    assert_eq!(
        addresses["sota-commands"],
        Address::Path("{state_dir}/commands.sock".into())
    );
}

#[test]
fn every_mistake_is_shown_at_its_place() {
    for (name, text) in [
        ("empty", ""),
        ("not_a_map", "- a\n"),
        ("unknown_words", "nam: x\nprotocol: edgepoll\ndriver: docker\n"),
        (
            "command_missing",
            "name: x\nprotocol: edge-poll\ndriver: process\n",
        ),
        (
            "images_of_two_items",
            "name: x\nprotocol: aos-v7\ndriver: process\ncommand: [./agent]\nartifacts:\n  crash: crash_1.2.0.img\n  \
             next: app_1.0.0.img\n  second: other_1.0.0.img\n",
        ),
        (
            "command_text",
            "name: x\nprotocol: edge-poll\ndriver: process\ncommand: ./agent -v\n",
        ),
        (
            "command_empty",
            "name: x\nprotocol: edge-poll\ndriver: process\ncommand: []\n",
        ),
        (
            "command_number",
            "name: x\nprotocol: edge-poll\ndriver: process\ncommand: [./agent, -p, 80]\n",
        ),
        (
            "keys_of_a_process",
            "name: x\nprotocol: edge-poll\ndriver: remote\ncommand: [./agent]\nrestart: always\n",
        ),
        (
            "keys_of_an_adapter",
            "name: x\nprotocol: edge-poll\ndriver: process\ncommand: [a]\ntimeouts: {start: 1s}\n",
        ),
        (
            "adapter",
            "name: x\nprotocol: edge-poll\ndriver: adapter\nprobes: {version: [a]}\nrestart: always\ntimeouts: {strat: 1s, \
             stop: 3}\n",
        ),
        (
            "lab",
            "name: x\nprotocol: edge-poll\ndriver: remote\nlab:\n  tap: {segment: 10.91.0.0/33, subnet: ten, source: me, ignore: \
             [10.91.0.1, you]}\n  module: somewhere\n  time_server: {address: /tmp/x, every: 3}\n  names: here\n  dns: \"127.0.0.1:53\"\n",
        ),
        (
            "lab_of_a_sim",
            "name: x\nprotocol: edge-poll\ndriver: sim\nlab: {module: \"127.0.0.1:0\"}\n",
        ),
        (
            "environment",
            "name: x\nprotocol: edge-poll\ndriver: process\ncommand: [a]\nenvironment: {A=B: c, D: [1], E: }\n",
        ),
        (
            "templates",
            "name: x\nprotocol: edge-poll\ndriver: process\ncommand: [a]\ntemplates:\n  - {from: a, to: ../b}\n  \
             - {from: a, to: /etc/b}\n  - {form: a, to: b}\n  - a\n",
        ),
        (
            "settings",
            "name: x\nprotocol: edge-poll\ndriver: remote\nsettings: {Device-Key: a, 2fast: b}\n",
        ),
        (
            "faces",
            "name: x\nprotocol: ota-rpc\ndriver: remote\nfaces:\n  rpc_http: \"127.0.0.1:80\"\n  rpc-serial: ttyUSB0\n",
        ),
        (
            "faces_of_a_client",
            "name: x\nprotocol: edge-poll\ndriver: remote\nfaces: {api: \"127.0.0.1:80\"}\n",
        ),
        ("faces_missing", "name: x\nprotocol: ota-rpc\ndriver: remote\n"),
        (
            "artifacts",
            "name: x\nprotocol: edge-poll\ndriver: sim\nartifacts:\n  newest: a_1.snap\n  next: a.snap\n  older: \
             {version: 1.0}\n  crash: {path: a, version: [1]}\n",
        ),
        (
            "timing",
            "name: x\nprotocol: edge-poll\ndriver: sim\ntiming: {poll_interval: 3, boot: fast, x: -1s}\n",
        ),
        (
            "ics",
            "name: x\nprotocol: aos-v7\ndriver: sim\nics: {tls: yes, signatures: 1, dialect: publishr}\n",
        ),
        (
            "dialect",
            "name: x\nprotocol: edge-poll\ndriver: sim\nics: {dialect: rustc}\n",
        ),
        (
            "subject",
            "name: x\nprotocol: edge-poll\ndriver: remote\nsubject: {version: [1]}\n",
        ),
        (
            "policies",
            "name: x\nprotocol: edge-poll\ndriver: process\ncommand: [a]\nready: {face: api, timeout: 3}\nstop: {signal: \
             SIGTREM, time: 3s}\nrestart: sometimes\n",
        ),
        (
            "hooks",
            "name: x\nprotocol: edge-poll\ndriver: process\ncommand: [a]\nrestart: {delay: 1s}\nprobes:\n  version: cat \
             version\n  installs: {comand: [a], format: yaml}\nstimuli: {clock_jump: []}\n",
        ),
        (
            "duplicate",
            "name: x\nname: y\nprotocol: edge-poll\ndriver: sim\n",
        ),
        ("syntax", "name: x\nfaces: {rpc-http: \"a:1\"\n"),
    ] {
        let mistakes = UnitFile::parse("unit.yaml", text).expect_err(name);
        insta::assert_snapshot!(name, mistakes.render(false));
    }
}

#[test]
fn names_are_checked_against_what_the_protocol_knows() {
    let file = UnitFile::parse("unit.yaml", WHOLE).unwrap();
    let known = KnownNames {
        timing: names(&["poll_interval", "boot_time"]),
        features: names(&["websockets", "console"]),
        probes: names(&["version", "installs"]),
        stimuli: names(&["clock_skip"]),
        ..KnownNames::default()
    };
    insta::assert_snapshot!("names", file.check_names(&known).render(false));
    assert!(file.check_names(&KnownNames::default()).is_empty());
    let told = WHOLE.replace("agent.toml\"]", "agent.toml\", \"{boot}\"]");
    let mistakes = UnitFile::parse("unit.yaml", &told).unwrap().check_names(&known);
    assert!(mistakes.iter().all(|mistake| !mistake.title.contains("`boot`")));
}

#[test]
fn every_kind_of_mistake_of_a_file_is_shown_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("unit.yaml");
    let text = "name: u\nprotocol: edge-poll\ndriver: process\ncommand: [./nope]\ntiming: {pol_interval: 1s}\nstop: {signal: INTT}\n";
    fs::write(&path, text).unwrap();
    let known = |_| KnownNames {
        timing: names(&["poll_interval"]),
        ..KnownNames::default()
    };
    let Err(UnitFileError::Invalid(mistakes)) = UnitFile::load(&path, &known) else {
        panic!("accepted");
    };
    let shown = mistakes
        .render(false)
        .replace(&directory.path().display().to_string(), "DIR");
    insta::assert_snapshot!("at_once", shown);
    fs::write(&path, b"name: caf\xe9\n").unwrap();
    assert!(matches!(
        UnitFile::load(&path, &known),
        Err(UnitFileError::Invalid(_))
    ));
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn load(path: &Path) -> Result<UnitFile, UnitFileError> {
    UnitFile::load(path, &|_| KnownNames::default())
}

#[test]
fn files_that_do_not_exist_are_reported() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("unit.yaml");
    assert!(matches!(load(&path), Err(UnitFileError::Read { .. })));
    fs::write(&path, WHOLE).unwrap();
    let Err(UnitFileError::Invalid(mistakes)) = load(&path) else {
        panic!("accepted");
    };
    let shown = mistakes
        .render(false)
        .replace(&directory.path().display().to_string(), "DIR");
    insta::assert_snapshot!("missing_files", shown);

    for (name, folder) in [
        ("work", true),
        ("images", true),
        ("images/agent_1.0.0.deb", false),
        ("agent", false),
    ] {
        let path = directory.path().join(name);
        if folder {
            fs::create_dir(path).unwrap()
        } else {
            fs::write(path, "bytes").unwrap()
        }
    }
    for name in ["images/new.deb", "agent.toml.in"] {
        fs::write(directory.path().join(name), "").unwrap();
    }
    let file = load(&path).unwrap();
    let artifacts = file.load_artifacts(directory.path()).unwrap();
    assert_eq!(&*artifacts.get("current").unwrap().bytes, b"bytes");
    fs::remove_file(directory.path().join("images/new.deb")).unwrap();
    let mistakes = file.load_artifacts(directory.path()).unwrap_err();
    assert!(
        mistakes
            .render(false)
            .contains("the image of role `next` cannot be read")
    );
}

#[test]
fn templates_are_valid_and_fit_the_schema() {
    let schema = jsonschema::validator_for(&schema()).unwrap();
    for protocol in Protocol::ALL {
        for driver in DriverKind::ALL {
            let text = init_template(protocol, driver);
            let file = UnitFile::parse("unit.yaml", &text).unwrap_or_else(|m| panic!("{m}"));
            assert_eq!((file.protocol, file.driver), (protocol, driver));
            assert!(schema.is_valid(&json_of(&text)), "{text}");
            assert!(text.lines().all(|line| line.len() <= 120), "{text}");
            // What is commented out must be right once it is not: only the key lines of comments count.
            let uncommented = uncommented(&text);
            UnitFile::parse("unit.yaml", &uncommented).unwrap_or_else(|m| panic!("{m}\n{uncommented}"));
            assert!(schema.is_valid(&json_of(&uncommented)), "{uncommented}");
        }
    }
    insta::assert_snapshot!(
        "init_edge_poll_process",
        init_template(Protocol::EdgePoll, DriverKind::Process)
    );
    insta::assert_snapshot!(
        "init_edge_poll_adapter",
        init_template(Protocol::EdgePoll, DriverKind::Adapter)
    );
    insta::assert_snapshot!(
        "init_ota_rpc_remote",
        init_template(Protocol::OtaRpc, DriverKind::Remote)
    );
    assert!(schema.is_valid(&json_of(WHOLE)));
    for wrong in [
        "{}",
        "name: x\nprotocol: edge-poll\ndriver: sim\nextra: 1\n",
        "name: x\nprotocol: y\ndriver: sim\n",
    ] {
        assert!(!schema.is_valid(&json_of(wrong)), "{wrong}");
    }
}

fn json_of(text: &str) -> serde_json::Value {
    let collector = Collector::new(Source::new("unit.yaml", text));
    parse_yaml(&collector).unwrap().to_json()
}

/// The file with its commented keys in force.
fn uncommented(text: &str) -> String {
    let is_key = |rest: &str| {
        let word: String = rest
            .trim_start_matches("- ")
            .chars()
            .take_while(|c| c.is_ascii_lowercase() || *c == '_')
            .collect();
        !word.is_empty() && (rest[word.len()..].starts_with(':') || rest.starts_with("- {"))
    };
    text.lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(rest) if is_key(rest.trim_start()) && !rest.starts_with("sim:") => rest,
            _ => line,
        })
        .map(|line| format!("{line}\n"))
        .collect()
}
