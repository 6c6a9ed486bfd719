//! Adapters that do as they should.

use crate::bench::{Bench, object, run};
use hil_adapter::AdapterDriver;
use hil_unit::{
    Capability, Driver, UnitError,
    trace::{ConsoleStream, UnitChange},
};
use serde_json::{Map, json};
use std::time::{Duration, Instant};

/// Answers everything it implements with nothing; writes down what it was told.
const PLAIN: &str = r#"
import json, pathlib, sys
folder = pathlib.Path(__file__).parent
say = lambda message: print(json.dumps(message), flush=True)
print("adapter here", file=sys.stderr, flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    name, result = asked["request"], {}
    if name == "hello":
        result = {"protocol": 1, "name": "plain", "implements": ["provision", "start", "stop", "power_cut", "read_log", "probe"],
                  "probes": ["installs", "config"], "notifies": ["console"], "parallel": True}
    if name == "provision":
        (folder / "values").write_text(json.dumps(asked["arguments"]["values"]))
    if name == "start":
        say({"event": "console", "text": "ready\n"})
    if name == "read_log":
        result = {"text": "said at last\n"}
    if name == "probe" and asked["arguments"]["name"] == "config":
        say({"id": asked["id"], "not_implemented": True})
        continue
    say({"id": asked["id"], "result": result, "took": 0.1})
(folder / "ended").write_text("in order")
"#;

#[test]
fn an_adapter_says_what_it_can_and_nothing_else_is_asked() {
    let bench = Bench::new();
    let file = bench.file(PLAIN, "");
    let hello = AdapterDriver::introduce(&file, bench.folder.path()).unwrap();
    assert!(hello.parallel);
    assert_eq!(bench.read("ended"), "in order");
    let driver = AdapterDriver::new(file, bench.folder.path(), hello).unwrap();
    let expected = [
        Capability::Power,
        Capability::Console,
        Capability::Probe,
        Capability::Provision,
    ];
    assert_eq!(driver.capabilities(), expected.into());
    assert_eq!(driver.facts()["adapter"], "plain");
    run(async {
        let mut unit = driver.create(bench.surroundings()).unwrap();
        unit.prepare(&Map::new()).await.unwrap();
        let said = UnitError::NotImplemented("probe `config`".to_owned());
        assert_eq!(
            unit.probe("config", &object(json!({"key": "a"}))).await,
            Err(said)
        );
        let said = UnitError::NotImplemented("stimulus `break_service`".to_owned());
        assert_eq!(unit.stimulate("break_service", &Map::new()).await, Err(said));
        let said = UnitError::NotImplemented("reboot".to_owned());
        assert_eq!(unit.reboot().await, Err(said));
    });
}

#[test]
fn a_unit_lives_behind_its_adapter() {
    run(async {
        let bench = Bench::new();
        let mut unit = bench.unit(PLAIN, "");
        unit.prepare(&Map::new()).await.unwrap();
        let values: serde_json::Value = serde_json::from_str(&bench.read("values")).unwrap();
        let state = bench.state();
        assert_eq!(values["HIL_BASE_URL"], "http://cloud:1/api/v1");
        assert_eq!(values["HIL_DEVICE_KEY"], "secret");
        assert_eq!(values["HIL_POLL_INTERVAL"], "0.5");
        assert_eq!(values["HIL_STATE_DIR"], state.display().to_string());
        let authority = state.join("pki/authority.pem");
        assert_eq!(values["HIL_CA_FILE"], authority.display().to_string());
        assert!(authority.exists());
        unit.start().await.unwrap();
        unit.cut_power().await.unwrap();
        unit.restore_power().await.unwrap();
        unit.last_words().await.unwrap();
        let begun = Instant::now();
        unit.put_away().await.unwrap();
        assert!(begun.elapsed() < Duration::from_secs(3));
        assert_eq!(bench.read("ended"), "in order");
        let boot = |number| (UnitChange::Booted, json!({"boot": number}));
        let plain = |change| (change, json!({}));
        assert_eq!(
            bench.changes(),
            [
                plain(UnitChange::Started),
                boot(1),
                plain(UnitChange::PowerCut),
                plain(UnitChange::PowerRestored),
                boot(2),
                plain(UnitChange::Stopped),
            ]
        );
        assert_eq!(
            bench.console(ConsoleStream::Serial),
            "ready\nready\nsaid at last\n"
        );
        assert_eq!(bench.console(ConsoleStream::Lab), "adapter here\n");
        assert_eq!(bench.troubles(), [""; 0]);
    });
}
