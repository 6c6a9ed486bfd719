//! The examples in the README are what really goes over the line.

use crate::bench::{Bench, object, run};
use hil_adapter::{Hello, Request};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

const README: &str = include_str!("../../README.md");

fn lines(arrow: char) -> impl Iterator<Item = Value> {
    let lines = README.lines().filter_map(move |line| line.strip_prefix(arrow));
    lines.map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
}

#[test]
fn every_request_has_an_example_and_an_answer() {
    let asked: BTreeSet<String> = lines('→')
        .map(|line| line["request"].as_str().unwrap().to_owned())
        .collect();
    let known: BTreeSet<String> = Request::ALL
        .into_iter()
        .map(|request| request.name().to_owned())
        .collect();
    assert_eq!(asked, known);
    let ids: Vec<Value> = lines('→').map(|line| line["id"].clone()).collect();
    let answered: Vec<Value> = lines('←').filter_map(|line| line.get("id").cloned()).collect();
    assert_eq!(ids, answered);
    let hello = lines('←')
        .find_map(|line| Hello::read(&line["result"]).ok())
        .unwrap();
    assert!(Request::ALL.into_iter().all(|request| hello.implements(request)));
    for request in Request::ALL {
        let seconds = request.usual_limit().as_secs();
        let row = format!("| `{}` | {seconds} s |", request.name());
        assert!(README.contains(&row), "{row}");
        assert!(hil_unit::unit_file::ADAPTER_REQUESTS.contains(&request.name()));
    }
}

/// An adapter that answers as the README does, and writes down what it was asked.
const AS_IN_THE_README: &str = r#"
import json, pathlib, sys
folder = pathlib.Path(__file__).parent
answers = {}
for line in (folder / "answers").read_text().splitlines():
    request, answer = line.split(" ", 1)
    answers.setdefault(request, json.loads(answer))
with open(folder / "asked", "a") as asked:
    for line in sys.stdin:
        asked.write(line)
        asked.flush()
        request = json.loads(line)
        for notice in answers[request["request"]].get("notices", []):
            print(json.dumps(notice), flush=True)
        answer = {name: value for name, value in answers[request["request"]].items() if name != "notices"}
        print(json.dumps({**answer, "id": request["id"]}), flush=True)
"#;

#[test]
fn what_the_driver_asks_has_the_shape_of_the_examples() {
    run(async {
        let bench = Bench::new();
        let mut answers = String::new();
        let by_id: BTreeMap<u64, Value> = lines('←')
            .filter_map(|line| Some((line.get("id")?.as_u64()?, line.clone())))
            .collect();
        for asked in lines('→') {
            let answer = &by_id[&asked["id"].as_u64().unwrap()];
            answers.push_str(&format!("{} {answer}\n", asked["request"].as_str().unwrap()));
        }
        std::fs::write(bench.folder.path().join("answers"), answers).unwrap();
        let mut unit = bench.unit(AS_IN_THE_README, "");
        unit.prepare(&Map::new()).await.unwrap();
        unit.start().await.unwrap();
        let of = |value| object(value);
        let version = unit
            .probe("version", &of(json!({"snap_name": "edge-agent"})))
            .await;
        assert_eq!(version, Ok(json!("1.0.0")));
        assert_eq!(unit.probe("slot", &Map::new()).await, Ok(json!(1)));
        let starts = unit
            .probe("service_starts", &of(json!({"service": "telemetry"})))
            .await;
        assert_eq!(starts, Ok(json!(2)));
        unit.stimulate("break_service", &of(json!({"service": "telemetry"})))
            .await
            .unwrap();
        let failed = unit
            .stimulate("clock_jump", &of(json!({"seconds": 3600.0})))
            .await
            .unwrap_err();
        assert_eq!(
            failed.to_string(),
            "the adapter could not do `set_clock`: `the clock chip does not answer`"
        );
        let left = unit.stimulate("free_space", &of(json!({"bytes": 4096}))).await;
        assert_eq!(left, Ok(json!({"free": 4000})));
        unit.cut_power().await.unwrap();
        unit.restore_power().await.unwrap();
        assert!(unit.reboot().await.is_err());
        unit.last_words().await.unwrap();
        unit.put_away().await.unwrap();
        let asked = bench.read("asked");
        let asked: Vec<Value> = asked
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let names = |value: &Value| object(value.clone()).keys().cloned().collect::<BTreeSet<_>>();
        let examples: Vec<Value> = lines('→').collect();
        assert_eq!(asked.len(), examples.len());
        for (asked, example) in asked.iter().zip(&examples) {
            assert_eq!(names(asked), names(example));
            assert_eq!(
                (&asked["id"], &asked["request"]),
                (&example["id"], &example["request"])
            );
            assert_eq!(
                names(&asked["arguments"]),
                names(&example["arguments"]),
                "{}",
                asked["request"]
            );
            if asked["request"] == "provision" {
                let told = names(&asked["arguments"]["values"]);
                assert!(
                    told.is_superset(&names(&example["arguments"]["values"])),
                    "{told:?}"
                );
            } else if asked["request"] != "hello" {
                assert_eq!(asked["arguments"], example["arguments"]);
            }
        }
    });
}
