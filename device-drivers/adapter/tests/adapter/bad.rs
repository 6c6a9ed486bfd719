//! Each way an adapter can be bad is an error of the lab that says what came, and ends in time.

use crate::bench::{Bench, lab, run};
use hil_adapter::AdapterDriver;
use hil_unit::trace::ConsoleStream;
use serde_json::{Map, json};
use std::time::{Duration, Instant};

/// Answers rightly until `start`, where `BAD` is what it does.
fn bad(at_start: &str) -> String {
    let at_start = at_start.replace('\n', "\n            ");
    format!(
        r#"
import json, os, signal, subprocess, sys, time
IMPLEMENTS = ["provision", "start", "stop", "power_cut", "reboot", "read_log"]
def say(message):
    print(json.dumps(message), flush=True)
def raw(text):
    sys.stdout.write(text)
    sys.stdout.flush()
def main():
    while True:
        line = sys.stdin.readline()
        if not line:
            return
        asked = json.loads(line)
        name, id = asked["request"], asked["id"]
        result = {{}}
        if name == "hello":
            result = {{"protocol": 1, "name": "bad", "implements": IMPLEMENTS}}
        if name == "start":
            {at_start}
        say({{"id": id, "result": result}})
main()
"#
    )
}

/// What `start` of such an adapter fails with.
async fn failing(bench: &Bench, at_start: &str) -> String {
    let mut unit = bench.unit(&bad(at_start), "timeouts: {start: 2s}");
    unit.prepare(&Map::new()).await.unwrap();
    let begun = Instant::now();
    let said = lab(unit.start().await);
    assert!(begun.elapsed() < Duration::from_secs(8), "{said}");
    // It is of no use any more, and says why each time.
    assert_eq!(lab(unit.cut_power().await), said);
    let begun = Instant::now();
    unit.put_away().await.unwrap();
    drop(unit);
    assert!(begun.elapsed() < Duration::from_secs(4), "{said}");
    said
}

#[test]
fn what_is_no_answer_is_shown() {
    for (at_start, said) in [
        (
            r#"raw("starting...\n")"#,
            "the adapter wrote a line that is no JSON (expected value at line 1 column 1): `starting...`",
        ),
        (
            r#"raw("[1]\n")"#,
            "the adapter wrote a line that is no JSON object: `[1]`",
        ),
        (
            "sys.stdout.buffer.write(bytes([255, 254, 10])); sys.stdout.flush()",
            "the adapter wrote a line that is no JSON (expected value at line 1 column 1): `\u{fffd}\u{fffd}`",
        ),
        (
            r#"say({"id": id + 5, "result": 1})"#,
            "the adapter answered request 8, which nobody asked: `{\"id\": 8, \"result\": 1}`",
        ),
        (
            r#"say({"id": id - 1, "result": 1})"#,
            "the adapter answered request 2 twice: `{\"id\": 2, \"result\": 1}`",
        ),
        (
            r#"say({"id": id})"#,
            "the adapter wrote an answer with neither `result` nor `error` nor `not_implemented`: `{\"id\": 3}`",
        ),
        (
            r#"say({"event": "smoke"})"#,
            "the adapter wrote an event `smoke` nobody knows: `{\"event\": \"smoke\"}`",
        ),
        (
            "raw('{\"id\": 3, \"res')\nos._exit(0)",
            "the adapter ended (exit status: 0) in the middle of a line: `{\"id\": 3, \"res`",
        ),
        ("os._exit(3)", "the adapter ended (exit status: 3)"),
        (
            "os.kill(os.getpid(), signal.SIGKILL)",
            "the adapter ended (signal: 9 (SIGKILL))",
        ),
        (
            "os.close(1)\ntime.sleep(600)",
            "the adapter closed its standard output",
        ),
        (
            "time.sleep(600)",
            "the adapter did not answer `start` within 2 s; `timeouts: {start: …}` in the unit file gives it more",
        ),
        (
            "print('no bench today', file=sys.stderr)\ntime.sleep(0.2)\nsys.exit(1)",
            "the adapter ended (exit status: 1); its last words on standard error: `no bench today`",
        ),
        (
            // Deeper than any answer.
            r#"raw("[" * 100000 + "\n")"#,
            "the adapter wrote a line that is no JSON (recursion limit exceeded at line 1 column 128): `[",
        ),
    ] {
        run(async {
            let bench = Bench::new();
            let came = failing(&bench, at_start).await;
            assert!(came.starts_with(said), "{came}\nand not\n{said}");
            assert_eq!(bench.troubles(), [""; 0], "{at_start}");
        });
    }
}

#[test]
fn an_endless_line_is_not_read_to_its_end() {
    run(async {
        let bench = Bench::new();
        let came = failing(&bench, "while True: raw('x' * 1000000)").await;
        assert!(
            came.starts_with("the adapter wrote a line of more than 8388608 bytes, which begins `xxx"),
            "{came}"
        );
    });
}

#[test]
fn an_adapter_that_reads_nothing_is_given_up_in_time() {
    run(async {
        let bench = Bench::new();
        let mut unit = bench.unit(&bad("raw('')"), "timeouts: {reboot: 2s}");
        unit.prepare(&Map::new()).await.unwrap();
        unit.start().await.unwrap();
        // Far more than a pipe holds.
        let script = "import json, sys, time\nid = json.loads(sys.stdin.readline())['id']\nprint(json.dumps({'id': id, \
                      'result': {'protocol': 1, 'name': 'deaf', 'implements': ['provision', 'start', 'stop', \
                      'stimulate'], 'stimuli': ['device_key']}}), flush=True)\ntime.sleep(600)\n";
        let mut deaf = bench.unit(script, "timeouts: {stimulate: 1s}");
        let arguments = json!({"key": "k".repeat(1_000_000)});
        let begun = Instant::now();
        let said = lab(deaf.stimulate("device_key", arguments.as_object().unwrap()).await);
        assert!(
            said.starts_with("the adapter did not answer `stimulate` within 1 s"),
            "{said}"
        );
        deaf.put_away().await.unwrap();
        assert!(begun.elapsed() < Duration::from_secs(4));
    });
}

#[test]
fn a_second_answer_is_told_even_if_nobody_waits() {
    run(async {
        let bench = Bench::new();
        let mut unit = bench.unit(&bad("say({'id': id, 'result': result})"), "");
        unit.prepare(&Map::new()).await.unwrap();
        unit.start().await.unwrap();
        bench.until("trouble", |bench| !bench.troubles().is_empty()).await;
        let said = "the adapter answered request 3 twice: `{\"id\": 3, \"result\": {}}`";
        assert_eq!(bench.troubles(), [said]);
        assert_eq!(lab(unit.cut_power().await), said);
    });
}

#[test]
fn a_flood_is_cut_off_and_the_answer_still_heard() {
    run(async {
        let bench = Bench::new();
        let flood = "for n in range(100100): raw('{\"event\": \"console\", \"text\": \"x\"}\\n')";
        let mut unit = bench.unit(&bad(flood), "");
        unit.prepare(&Map::new()).await.unwrap();
        unit.start().await.unwrap();
        assert_eq!(bench.console(ConsoleStream::Serial).len(), 100_000);
        let troubles = bench.troubles();
        assert_eq!(troubles.len(), 1);
        assert!(
            troubles[0].starts_with("the adapter tells more than"),
            "{troubles:?}"
        );
    });
}

#[test]
fn whatever_it_started_dies_with_it() {
    run(async {
        let bench = Bench::new();
        let start = "child = subprocess.Popen(['sleep', '600'], start_new_session=True)\n\
                     open(os.path.dirname(__file__) + '/child', 'w').write(str(child.pid))\nos._exit(1)";
        let said = failing(&bench, start).await;
        // The child holds standard output open.
        assert_eq!(said, "the adapter ended (exit status: 1)");
        let child = bench.read("child");
        bench
            .until("the child is gone", |_| {
                let state = std::fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
                state.is_empty() || state.contains(") Z ")
            })
            .await;
    });
}

#[test]
fn a_bad_introduction_is_told_before_the_run() {
    let bench = Bench::new();
    let hello = |script: &str, keys: &str| {
        let begun = Instant::now();
        let said = lab(AdapterDriver::introduce(
            &bench.file(script, keys),
            bench.folder.path(),
        ));
        assert!(begun.elapsed() < Duration::from_secs(8), "{said}");
        said
    };
    let answer = |members: &str| {
        format!(
            "import json, sys\nid = json.loads(input())['id']\nprint(json.dumps({{'id': id, {members}}}), flush=True)\ninput()\n"
        )
    };
    assert_eq!(
        hello(&answer("'result': {'protocol': 3}"), ""),
        "the adapter cannot be used: it speaks version 3 of the protocol, and this is version 1"
    );
    assert_eq!(
        hello(&answer("'not_implemented': True"), ""),
        "the adapter does not implement `hello`"
    );
    assert_eq!(
        hello(&answer("'error': 'no bench'"), ""),
        "the adapter could not do `hello`: `no bench`"
    );
    let silent = "import time\ntime.sleep(600)\n";
    let said = hello(silent, "timeouts: {hello: 500ms}");
    assert!(
        said.starts_with("the adapter did not answer `hello` within 0.5 s"),
        "{said}"
    );
    let said = hello("import sys\nsys.exit('no python today')\n", "");
    assert_eq!(
        said,
        "the adapter ended (exit status: 1); its last words on standard error: `no python today`"
    );
    let mut file = bench.file(silent, "");
    file.command = vec!["./nothing-here".to_owned()];
    let said = lab(AdapterDriver::introduce(&file, bench.folder.path()));
    assert!(said.starts_with("cannot start `"), "{said}");
}
