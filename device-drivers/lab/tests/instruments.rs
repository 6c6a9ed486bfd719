//! Instruments around real processes, over real sockets.

use hil_lab::LabDriver;
use hil_process::ProcessDriver;
use hil_unit::{
    Driver, Surroundings, Unit, UnitError, UnitFile,
    link::{Clock, Network},
    trace::{ConsoleStream, Party, RecordBody, Recorder},
};
use serde_json::{Map, Value, json};
use std::{cell::RefCell, collections::BTreeMap, fs, future::Future, rc::Rc, time::Duration};
use tempfile::TempDir;

#[derive(Default)]
struct Memory(RefCell<Vec<RecordBody>>);

impl Recorder for Memory {
    fn record(&self, body: RecordBody) -> u64 {
        let mut records = self.0.borrow_mut();
        records.push(body);
        records.len() as u64 - 1
    }
}

struct Bench {
    folder: TempDir,
    recorder: Rc<Memory>,
}

impl Bench {
    /// A unit that is this Python script, with these instruments.
    fn unit(script: &str, lab: &str) -> (Bench, Box<dyn Unit>) {
        let bench = Bench {
            folder: tempfile::tempdir().unwrap(),
            recorder: Rc::default(),
        };
        fs::write(bench.folder.path().join("unit.py"), script).unwrap();
        let text = format!(
            "name: x\nprotocol: device-command\ndriver: process\ncommand: [python3, -u, \"{{unit_dir}}/unit.py\"]\nlab: {{{lab}}}\n"
        );
        let file = UnitFile::parse("unit.yaml", &text).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        let lab = file.lab.clone();
        let inner = ProcessDriver::new(file, bench.folder.path()).unwrap();
        let driver = LabDriver::new(Box::new(inner), lab);
        let unit = driver.create(Surroundings {
            clock: Clock::new_real(),
            network: Network::Tcp,
            recorder: bench.recorder.clone(),
            endpoints: Default::default(),
            artifacts: Default::default(),
            faces: BTreeMap::new(),
            timing: Map::new(),
            ics: Map::new(),
            seed: 7,
            state_directory: Some(bench.folder.path().join("state")),
        });
        (bench, unit.unwrap())
    }

    fn printed(&self) -> String {
        let mut text = String::new();
        for body in self.recorder.0.borrow().iter() {
            if let RecordBody::Console {
                stream: ConsoleStream::Stdout,
                payload,
            } = body
            {
                text.push_str(&String::from_utf8_lossy(payload.bytes()));
            }
        }
        text
    }

    /// What an instrument heard from the unit.
    fn heard(&self, at: &str) -> Vec<Map<String, Value>> {
        let records = self.recorder.0.borrow();
        let heard = records.iter().filter_map(|body| match body {
            RecordBody::Datagram {
                face,
                from: Party::Unit,
                facts,
                ..
            } if face == at => Some(facts.clone()),
            _ => None,
        });
        heard.collect()
    }

    async fn until(&self, what: &str, reached: impl Fn(&Self) -> bool) {
        for _ in 0..2000 {
            if reached(self) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("{what}: {:?}", self.recorder.0.borrow());
    }
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, test);
}

/// Resets its module hard twice, and says each time whether it came back within three seconds.
const RESETS: &str = r#"
import os, socket, time
def ask(line, patience=0.5):
    where = os.environ["HIL_MODULE"]
    with socket.socket(socket.AF_UNIX) if where.startswith("/") else socket.socket() as line_to_it:
        line_to_it.settimeout(patience)
        line_to_it.connect(where if where.startswith("/") else (os.environ["HIL_MODULE_HOST"], int(os.environ["HIL_MODULE_PORT"])))
        line_to_it.sendall(line.encode() + b"\n")
        try:
            return line_to_it.recv(100).decode().strip()
        except socket.timeout:
            return "nothing"
print("first", ask("status"), ask("restarts"), ask("calibration"), ask("sing"))
for _ in range(2):
    print("reset", ask("reset hard"))
    until = time.monotonic() + 3
    while (heard := ask("status")) != "online" and time.monotonic() < until:
        time.sleep(0.1)
    print("came back", heard, ask("restarts"), ask("calibration"))
    while not os.path.exists(os.environ["HIL_STATE_DIR"] + "/again"):
        time.sleep(0.05)
time.sleep(60)
"#;

#[test]
fn a_module_is_reset_and_misbehaves() {
    for place in ["\"127.0.0.1:0\"", "\"{state_dir}/module.socket\""] {
        run(async {
            let (bench, mut unit) = Bench::unit(RESETS, &format!("module: {place}"));
            unit.prepare(&Map::new()).await.unwrap();
            let probe =
                async |unit: &mut Box<dyn Unit>, name: &str, of: Value| unit.probe(name, &object(of)).await;
            unit.start().await.unwrap();
            bench
                .until("back", |bench| {
                    bench.printed().contains("came back online 1 calibrated")
                })
                .await;
            assert!(
                bench
                    .printed()
                    .starts_with("first online 0 calibrated error\nreset ok\n"),
                "{}",
                bench.printed()
            );
            assert_eq!(probe(&mut unit, "module", json!({})).await, Ok(json!("online")));
            assert_eq!(
                probe(&mut unit, "module_resets", json!({"type": "hard"})).await,
                Ok(json!(1))
            );
            assert_eq!(
                probe(&mut unit, "module_resets", json!({"type": "soft"})).await,
                Ok(json!(0))
            );
            let silent = object(json!({"behaviour": "silent"}));
            unit.stimulate("module", &silent).await.unwrap();
            fs::write(bench.folder.path().join("state/again"), "").unwrap();
            bench
                .until("silent", |bench| {
                    bench.printed().contains("came back nothing nothing nothing")
                })
                .await;
            assert_eq!(probe(&mut unit, "module", json!({})).await, Ok(json!("offline")));
            assert_eq!(probe(&mut unit, "module_resets", json!({})).await, Ok(json!(2)));
            unit.undo("module", &silent).await.unwrap();
            assert_eq!(probe(&mut unit, "module", json!({})).await, Ok(json!("online")));
            let wrong = unit
                .stimulate("module", &object(json!({"behaviour": "odd"})))
                .await;
            assert!(matches!(wrong, Err(UnitError::BadArgument { .. })), "{wrong:?}");
            let heard = bench.heard("module");
            assert!(
                heard.contains(&object(json!({"text": "reset hard"}))),
                "{heard:?}"
            );
            unit.put_away().await.unwrap();
        });
    }
}

/// Asks for the time every 0.2 s, and prints its whole years.
const ASKS_FOR_TIME: &str = r#"
import os, socket, struct, time
while True:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.settimeout(1)
        server.sendto(b"\x23" + bytes(47), (os.environ["HIL_TIME_SERVER_HOST"], int(os.environ["HIL_TIME_SERVER_PORT"])))
        seconds = struct.unpack("!I", server.recv(48)[40:44])[0] - 2208988800
        off = seconds - time.time()
        print("year", time.gmtime(seconds).tm_year, "off", round(off / 60))
    time.sleep(0.2)
"#;

#[test]
fn a_time_server_moves_the_clock_of_whoever_asks_it() {
    run(async {
        let lab = "time_server: {address: \"127.0.0.1:0\", every: 5s}";
        let (bench, mut unit) = Bench::unit(ASKS_FOR_TIME, lab);
        unit.prepare(&Map::new()).await.unwrap();
        unit.start().await.unwrap();
        bench
            .until("right", |bench| bench.printed().contains("off 0\n"))
            .await;
        let hour = object(json!({"seconds": 3600}));
        unit.stimulate("clock_jump", &hour).await.unwrap();
        bench
            .until("ahead", |bench| bench.printed().contains("off 60\n"))
            .await;
        unit.undo("clock_jump", &hour).await.unwrap();
        unit.stimulate("clock_unset", &Map::new()).await.unwrap();
        bench
            .until("unset", |bench| bench.printed().contains("year 1970"))
            .await;
        let applied = unit.undo("clock_unset", &Map::new()).await.unwrap();
        assert_eq!(applied, json!({"time_server": "clock_unset", "offset": 0.0}));
        bench
            .until("right again", |bench| bench.printed().ends_with("off 0\n"))
            .await;
        assert!(bench.heard("time").len() > 4);
        unit.put_away().await.unwrap();
    });
}

#[test]
fn a_unit_that_never_asks_for_the_time_is_no_unit_with_another_clock() {
    run(async {
        let lab = "time_server: {address: \"127.0.0.1:0\", every: 300ms}";
        let (_bench, mut unit) = Bench::unit("import time\ntime.sleep(60)\n", lab);
        unit.prepare(&Map::new()).await.unwrap();
        unit.start().await.unwrap();
        let said = unit.stimulate("clock_unset", &Map::new()).await.unwrap_err();
        assert_eq!(
            said.to_string(),
            "the unit did not ask the time server within 0.3 s; `lab: {time_server: {every: …}}` says how often it does"
        );
        unit.put_away().await.unwrap();
    });
}

/// Knocks at addresses of the loopback range, which need no network of its own.
const KNOCKS: &str = r#"
import socket, time
for address in ["127.91.0.17", "127.91.0.40", "127.91.0.17", "127.91.0.1"]:
    with socket.socket() as knock:
        knock.settimeout(0.2)
        knock.connect_ex((address, 9))
time.sleep(60)
"#;

#[test]
fn a_tap_sees_whom_a_unit_asks_for() {
    run(async {
        let lab = "tap: {segment: 127.91.0.0/24, subnet: 127.91.0.16/28, ignore: [127.91.0.1]}";
        let (bench, mut unit) = Bench::unit(KNOCKS, lab);
        let text = format!("name: x\nprotocol: edge-poll\ndriver: remote\nlab: {{{lab}}}\n");
        let lab = UnitFile::parse("unit.yaml", &text).unwrap().lab;
        let lacks = LabDriver::lacks(&lab);
        if let Some(why) = lacks.get("packet-tap") {
            // Without the right to see packets there is no probe either, and the reason is named.
            assert!(why.contains("CAP_NET_RAW"), "{why}");
            assert!(LabDriver::probes(&lab).is_empty());
            return;
        }
        unit.prepare(&Map::new()).await.unwrap();
        unit.start().await.unwrap();
        bench.until("both", |bench| bench.heard("tap").len() >= 2).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        let seen = |to: &str, inside: bool| object(json!({"to": to, "kind": "tcp", "inside": inside}));
        assert_eq!(
            bench.heard("tap"),
            [seen("127.91.0.17", true), seen("127.91.0.40", false)]
        );
        let probed = unit.probe("probed_addresses", &Map::new()).await;
        assert_eq!(probed, Ok(json!(["127.91.0.17", "127.91.0.40"])));
        unit.put_away().await.unwrap();
    });
}

/// Asks for names the way resolvers do, and prints what the answers say.
const ASKS_FOR_NAMES: &str = r#"
import os, socket, time
def ask(name, kind=1):
    query = b"\x07\x09\x01\x00\x00\x01" + bytes(6)
    query += b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + bytes([0, 0, kind, 0, 1])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.settimeout(0.5)
        server.sendto(query, (os.environ["HIL_NAME_SERVER_HOST"], int(os.environ["HIL_NAME_SERVER_PORT"])))
        try:
            answer = server.recv(512)
        except socket.timeout:
            return "silence"
    if answer[3] & 15:
        return "code %d" % (answer[3] & 15)
    return socket.inet_ntoa(answer[-4:]) if answer[7] else "nothing"
for name in ["gone.hil.test", "dead.hil.test", "mute.hil.test", "cloud.hil.test", "example.com"]:
    print(name, ask(name))
print("six", ask("cloud.hil.test", 28))
time.sleep(60)
"#;

#[test]
fn names_are_answered_as_they_say() {
    run(async {
        let (bench, mut unit) = Bench::unit(ASKS_FOR_NAMES, "names: \"127.0.0.1:0\"");
        unit.prepare(&Map::new()).await.unwrap();
        unit.start().await.unwrap();
        bench.until("all", |bench| bench.printed().contains("six ")).await;
        assert_eq!(
            bench.printed(),
            "gone.hil.test code 3\ndead.hil.test 127.0.0.99\nmute.hil.test silence\ncloud.hil.test 127.0.0.1\n\
             example.com code 3\nsix nothing\n"
        );
        let heard = bench.heard("names");
        let first = json!({"name": "gone.hil.test", "type": "A", "answer": "no such name"});
        assert_eq!((heard.len(), &heard[0]), (6, &object(first)));
        unit.put_away().await.unwrap();
    });
}
