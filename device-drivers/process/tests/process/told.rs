//! What processes are told, what they print, and what hooks answer.

use crate::bench::{Bench, object, run};
use hil_process::{ProcessDriver, RemoteDriver};
use hil_unit::{
    Capability, Driver, Identity, UnitError, UnitFile,
    link::Clock,
    trace::{ConsoleStream, UnitChange},
};
use serde_json::{Map, json};
use std::{fs, os::unix::fs::PermissionsExt, time::Duration};

#[test]
fn a_process_is_told_everything_and_its_console_is_recorded() {
    run(async {
        let mut bench = Bench::new();
        bench.endpoints.authority = "AUTHORITY".to_owned();
        let identity = Identity {
            certificate_chain: "CHAIN".to_owned(),
            private_key: "KEY".to_owned(),
        };
        bench.endpoints.identities.insert("online".to_owned(), identity);
        bench.endpoints.missing_identities.insert("spare".to_owned());
        let template = "key = \"{device_key}\"\n[a]\nb = {{seed}}\n";
        fs::write(bench.folder.path().join("agent.toml.in"), template).unwrap();
        let script = r#"
            echo "$HIL_BASE_URL $HIL_DEVICE_KEY $HIL_POLL_INTERVAL $HIL_SEED $HIL_UNIT_NAME $NAME"
            cat "$HIL_CA_FILE" "$HIL_ONLINE_CERTIFICATE_FILE" "$HIL_ONLINE_KEY_FILE" "$HIL_STATE_DIR/etc/agent.toml"
            pwd
            echo "${HIL_SPARE_CERTIFICATE_FILE-unset}${HIL_SPARE_KEY_FILE-unset}"
            echo oops >&2
            echo end
            exec sleep 60
        "#;
        let keys = "settings: {device_key: given}\nenvironment: {NAME: \"key {device_key}\"}\n\
                    working_directory: \"{state_dir}\"\ntemplates: [{from: agent.toml.in, to: etc/agent.toml}]\n\
                    ready: {console: end}";
        let mut unit = bench.script(script, keys);
        unit.start().await.unwrap();
        bench
            .until("errors", |b| !b.console(ConsoleStream::Stderr).is_empty())
            .await;
        let expected = format!(
            "http://cloud:1/api/v1 given 0.5 7 unit-1 key given\nAUTHORITYCHAINKEYkey = \"given\"\n[a]\nb = {{seed}}\n{}\n\n\
             end\n",
            fs::canonicalize(bench.state()).unwrap().display()
        );
        assert_eq!(bench.console(ConsoleStream::Stdout), expected);
        assert_eq!(bench.console(ConsoleStream::Stderr), "oops\n");
        for name in [
            "pki/authority.pem",
            "pki/online.pem",
            "pki/online.key",
            "etc/agent.toml",
        ] {
            let mode = fs::metadata(bench.state().join(name))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
        let booted = (UnitChange::Booted, json!({"boot": 1}));
        let changes = bench.changes();
        assert_eq!((changes.len(), &changes[1]), (2, &booted));
        // What it was started with is measured.
        let (UnitChange::Started, facts) = &changes[0] else {
            panic!("{changes:?}");
        };
        let (file, digest) = facts["files"].as_object().unwrap().iter().next().unwrap();
        assert!(file.ends_with("sh"), "{file}");
        assert_eq!(digest.as_str().map(str::len), Some(64));
    });
}

#[test]
fn a_unit_runs_the_image_it_is_prepared_with() {
    run(async {
        let bench = Bench::new();
        for name in ["app_1.0.0.sh", "app_0.9.0.sh"] {
            fs::write(
                bench.folder.path().join(name),
                format!("echo {name}\nexec sleep 60\n"),
            )
            .unwrap();
        }
        let keys = "command: [/bin/sh, \"{running_file}\", \"{running_version}\"]\nready: {console: app}\n\
                    artifacts: {current: app_1.0.0.sh, older: app_0.9.0.sh}";
        let mut unit = bench.unit(keys);
        unit.prepare(&object(json!({"running": "older"}))).await.unwrap();
        unit.start().await.unwrap();
        assert_eq!(bench.console(ConsoleStream::Stdout), "app_0.9.0.sh\n");
        let mut unit = bench.unit("command: [sh]\nartifacts: {older: app_0.9.0.sh}");
        let refused = unit
            .prepare(&object(json!({"running": "older"})))
            .await
            .unwrap_err();
        assert!(matches!(refused, UnitError::NotSupported(_)), "{refused}");
    });
}

#[test]
fn a_flood_is_truncated_and_named_and_does_not_block_the_unit() {
    run(async {
        let bench = Bench::new();
        let script =
            "head -c 20000000 /dev/zero | tr '\\0' x\necho > \"$HIL_STATE_DIR/done\"\nexec sleep 60\n";
        fs::write(bench.folder.path().join("agent.sh"), script).unwrap();
        let driver = bench.driver("command: [/bin/sh, agent.sh]");
        let driver = driver.with_console_limit(100_000, 1000);
        let mut unit = driver.create(bench.surroundings()).unwrap();
        unit.start().await.unwrap();
        bench
            .until("end of the flood", |b| !b.read("done").is_empty())
            .await;
        assert!(bench.console(ConsoleStream::Stdout).len() <= 100_000);
        let troubles = bench.troubles();
        assert_eq!(troubles.len(), 1, "{troubles:?}");
        assert!(troubles[0].starts_with("the unit floods its standard output: more than 100000 bytes"));
    });
}

#[test]
fn unknown_placeholders_are_clear_errors() {
    run(async {
        let bench = Bench::new();
        let refusal = |keys: &str| bench.try_unit(keys).err().unwrap().to_string();
        let refused = refusal("command: [./agent, \"--key={device_kye}\"]");
        let expected =
            "`command, word 2`: line 1: unknown placeholder `{device_kye}`, did you mean `{device_key}`?";
        assert!(refused.starts_with(expected), "{refused}");
        let refused = refusal("command: [a]\nenvironment: {A: \"{nothing}\"}");
        let expected = "`environment.A`: line 1: unknown placeholder `{nothing}`";
        assert!(refused.starts_with(expected), "{refused}");
        fs::write(bench.folder.path().join("a.in"), "one\n{two}\n").unwrap();
        let mut unit = bench.unit("command: [sh]\ntemplates: [{from: a.in, to: a}]");
        let refused = unit.start().await.unwrap_err().to_string();
        assert!(
            refused.starts_with("`a.in`: line 2: unknown placeholder `{two}`"),
            "{refused}"
        );
    });
}

#[test]
fn hooks_answer_probes_and_apply_stimuli() {
    run(async {
        let bench = Bench::new();
        let keys = r#"
command: [sleep, "60"]
probes:
  version: [cat, "{state_dir}/{snap_name}/version"]
  slow: {command: [sleep, "60"], timeout: 100ms}
  facts: {command: [echo, '{"a": 1}'], format: json}
stimuli:
  write: [/bin/sh, -c, 'echo "$HIL_TEXT" > "$HIL_STATE_DIR/$HIL_NAME"; echo 5']
"#;
        let driver = bench.driver(keys);
        let hooks = [Capability::Probe, Capability::Stimulate].into();
        assert!(driver.capabilities().is_superset(&hooks));
        let mut unit = driver.create(bench.surroundings()).unwrap();
        unit.start().await.unwrap();
        fs::create_dir(bench.state().join("app")).unwrap();
        fs::write(bench.state().join("app/version"), "2.0\n").unwrap();
        let of = |name: &str| object(json!({"snap_name": name}));
        assert_eq!(unit.probe("version", &of("app")).await, Ok(json!("2.0")));
        assert_eq!(unit.probe("facts", &Map::new()).await, Ok(json!({"a": 1})));
        let failed = unit.probe("version", &of("other")).await.unwrap_err();
        assert!(failed.to_string().contains("No such file"), "{failed}");
        let failed = unit.probe("version", &Map::new()).await.unwrap_err();
        assert!(
            failed.to_string().contains("unknown placeholder `{snap_name}`"),
            "{failed}"
        );
        let failed = unit.probe("slow", &Map::new()).await.unwrap_err();
        assert_eq!(
            failed.to_string(),
            "probe `slow` took longer than 0.1 s; `timeout` beside its command gives it more"
        );
        let failed = unit.probe("other", &Map::new()).await.unwrap_err();
        assert!(matches!(failed, UnitError::UnknownName { kind: "probe", .. }));
        let arguments = object(json!({"name": "note", "text": "hello"}));
        assert_eq!(unit.stimulate("write", &arguments).await, Ok(json!(5)));
        assert_eq!(bench.read("note"), "hello\n");
    });
}

#[test]
fn a_face_that_accepts_means_ready() {
    run(async {
        let bench = Bench::new();
        let path = bench.folder.path().join("face.sock");
        let text = format!(
            "name: x\nprotocol: ota-rpc\ndriver: process\ncommand: [sleep, \"60\"]\nfaces: {{rpc-http: \"{}\"}}\nready: \
             {{face: rpc-http, timeout: 5s}}\n",
            path.display()
        );
        let file = UnitFile::parse("unit.yaml", &text).unwrap();
        let mut surroundings = bench.surroundings();
        surroundings.faces = file.addresses();
        let driver = ProcessDriver::new(file, bench.folder.path()).unwrap();
        let mut unit = driver.create(surroundings).unwrap();
        let late = async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            let listener = tokio::net::UnixListener::bind(&path).unwrap();
            listener.accept().await.unwrap();
        };
        let (started, ()) = tokio::join!(unit.start(), late);
        started.unwrap();
    });
}

#[test]
fn a_process_needs_a_real_bench() {
    run(async {
        let bench = Bench::new();
        let driver = bench.driver("command: [sh]");
        let mut surroundings = bench.surroundings();
        surroundings.state_directory = None;
        let refused = driver.create(surroundings).err().unwrap();
        assert!(matches!(refused, UnitError::NotSupported(_)), "{refused}");
        let mut surroundings = bench.surroundings();
        surroundings.clock = Clock::new_virtual();
        let refused = driver.create(surroundings).err().unwrap();
        assert!(matches!(refused, UnitError::NotSupported(_)), "{refused}");
    });
}

#[test]
fn a_remote_unit_is_left_alone() {
    run(async {
        let bench = Bench::new();
        let text = "name: x\nprotocol: edge-poll\ndriver: remote\n";
        let driver = RemoteDriver::new(UnitFile::parse("unit.yaml", text).unwrap());
        assert!(driver.capabilities().is_empty());
        let mut unit = driver.create(bench.surroundings()).unwrap();
        unit.prepare(&Map::new()).await.unwrap();
        unit.start().await.unwrap();
        unit.stop().await.unwrap();
        assert!(matches!(unit.cut_power().await, Err(UnitError::NotSupported(_))));
        assert_eq!(bench.changes(), [(UnitChange::Started, json!({"remote": true}))]);
    });
}
