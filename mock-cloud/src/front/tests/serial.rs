//! A serial face, played by a pseudo terminal on the real clock.

use super::toy::{Bench, address, run};
use hil_link::{Address, Clock, Network, Stream, serial::Pty};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Faults, and what the unit reads of five bytes for each in the order they are armed.
fn disturbances() -> [(&'static str, Value, &'static [u8]); 6] {
    [
        ("line.drop", json!({"bytes": 2, "at": 1}), b"hlo"),
        ("line.duplicate", json!({"bytes": 2, "at": -2}), b"hellolo"),
        ("line.flip", json!({"at": 0}), b"iello"),
        ("line.garble", json!({"rate": 57_600}), b"\x80\x9e\x66"),
        ("line.split", json!({"parts": 3, "pause": "40ms"}), b"hello"),
        ("line.noise", json!({"bytes": 3, "kind": "letters"}), b"???hello"),
    ]
}

/// What a unit reads of the greeting under a fault, and for how long it does.
async fn read_under(bench: &Bench, near: &mut Stream, expected: &[u8]) -> (Vec<u8>, Duration) {
    let mut read = vec![0; expected.len()];
    near.read_exact(&mut read[..1]).await.unwrap();
    let start = bench.clock.now();
    near.read_exact(&mut read[1..]).await.unwrap();
    (read, bench.clock.now().since(start))
}

#[test]
fn faults_act_alike_in_virtual_time_and_on_a_terminal() {
    let real = || {
        let mut found = Vec::new();
        for (name, arguments, expected) in disturbances() {
            let mut builder = tokio::runtime::Builder::new_current_thread();
            let runtime = builder.enable_all().build().unwrap();
            found.push(tokio::task::LocalSet::new().block_on(&runtime, async {
                let (terminal, mut near) = Pty::open().unwrap();
                let bench = Bench::start_on(Clock::new_real(), Network::Tcp, None).await;
                let path = Address::Path(terminal.path().to_owned());
                bench.unit_faces.borrow_mut().insert("line".to_owned(), path);
                bench.arm(name, with_name(&arguments));
                bench.act("open", json!({"face": "line"})).await;
                let read = read_under(&bench, &mut near, expected).await;
                bench.host.stop();
                read
            }));
        }
        found
    };
    let mut virtually = Vec::new();
    for (name, arguments, expected) in disturbances() {
        let (sender, receiver) = std::sync::mpsc::channel();
        run(async move {
            let bench = Bench::start(None).await;
            let mut listener = bench.network.listen(&address("unit")).await.unwrap();
            bench
                .unit_faces
                .borrow_mut()
                .insert("line".to_owned(), address("unit"));
            bench.arm(name, with_name(&arguments));
            bench.act("open", json!({"face": "line"})).await;
            let mut near = listener.accept().await.unwrap();
            sender
                .send(read_under(&bench, &mut near, expected).await)
                .unwrap();
        });
        virtually.push(receiver.recv().unwrap());
    }
    for (((name, _, expected), (read, took)), (real, real_took)) in
        disturbances().into_iter().zip(virtually).zip(real())
    {
        let shown: Vec<u8> = read
            .iter()
            .zip(expected)
            .map(|(byte, wanted)| if *wanted == b'?' { b'?' } else { *byte })
            .collect();
        assert_eq!(shown, expected, "{name}");
        assert_eq!(read, real, "{name}");
        let pause = Duration::from_millis(if name == "line.split" { 80 } else { 0 });
        assert!(
            took == pause && real_took >= pause,
            "{name}: {took:?} {real_took:?}"
        );
    }
}

fn with_name(arguments: &Value) -> Value {
    let mut arguments = arguments.clone();
    arguments["on"] = json!("greet");
    arguments["times"] = json!(1);
    arguments
}

#[test]
fn what_the_unit_says_is_recorded_as_it_was_and_heard_as_the_fault_has_it() {
    run(async {
        let bench = Bench::start(None).await;
        let mut stream = bench.connect("toy-bytes").await;
        bench.arm("line.drop", json!({"on": "line", "at": 0, "times": 1}));
        bench.arm("line.silence", json!({"on": "line", "for": "5s", "times": 1}));
        stream.write_all(b"one\n").await.unwrap();
        bench.told().await;
        stream.write_all(b"sil").await.unwrap();
        bench.clock.sleep(Duration::from_millis(10)).await;
        stream.write_all(b"ent\n").await.unwrap();
        bench.clock.sleep(Duration::from_secs(1)).await;
        stream.write_all(b"unheard\n").await.unwrap();
        bench.clock.sleep(Duration::from_secs(5)).await;
        stream.write_all(b"no line").await.unwrap();
        bench.clock.sleep(Duration::from_secs(1)).await;
        stream.write_all(b"at last").await.unwrap();
        stream.shutdown().await.unwrap();
        assert_eq!(
            bench.told().await,
            [
                "stream 1 toy-bytes",
                "bytes ne\n",
                "bytes no line",
                "bytes at last",
                "bytes ",
                "closed 1"
            ]
        );
        let trace = bench.trace();
        for line in [
            "Unit \"one\\n\"",
            "Unit \"unheard\\n\"",
            "Cloud \"NE\\n\"",
            "Cloud \"NO LINE\"",
        ] {
            assert!(trace.contains(&line.to_owned()), "{line}: {trace:?}");
        }
    });
}

#[test]
fn bytes_pass_a_serial_line_untouched() {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let (terminal, mut near) = Pty::open().unwrap();
        let unit = tokio::task::spawn_local(async move {
            let mut greeting = [0; 5];
            near.read_exact(&mut greeting).await.unwrap();
            // Without raw mode these would be changed, echoed, or end the line.
            near.write_all(b"a\r\n\x03\x04\x11").await.unwrap();
            let mut answer = [0; 6];
            near.read_exact(&mut answer).await.unwrap();
            (greeting, answer)
        });
        let bench = Bench::start_on(Clock::new_real(), Network::Tcp, None).await;
        let address = Address::Path(terminal.path().to_owned());
        bench
            .unit_faces
            .borrow_mut()
            .insert("rpc-serial".to_owned(), address);
        bench.act("open", json!({"face": "rpc-serial"})).await;
        while !unit.is_finished() {
            bench.told().await;
        }
        let (greeting, answer) = unit.await.unwrap();
        assert_eq!((&greeting, &answer), (b"hello", b"A\r\n\x03\x04\x11"));
        bench.host.stop();
    });
}
