//! Answers that faults write past hyper, and the connections that carry them.

use super::toy::{Bench, run};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// What comes back for two requests on one connection, the first of them struck by a fault, until the cloud closes.
async fn two_answers(fault: &str, arguments: Value) -> String {
    let bench = Bench::start(None).await;
    bench.arm(fault, arguments);
    let mut stream = bench.connect("toy").await;
    let mut answers = String::new();
    for connection in ["keep-alive", "close"] {
        let request = format!("GET /who HTTP/1.1\r\nHost: toy\r\nConnection: {connection}\r\n\r\n");
        if stream.write_all(request.as_bytes()).await.is_err() {
            break;
        }
        let mut piece = [0; 4096];
        while let Ok(count @ 1..) = stream.read(&mut piece).await {
            answers.push_str(&String::from_utf8_lossy(&piece[..count]));
            if connection == "keep-alive" && (answers.ends_with("\"}") || answers.ends_with("0\r\n\r\n")) {
                break;
            }
        }
    }
    answers
}

#[test]
fn a_connection_goes_on_after_an_answer_in_pieces_or_chunks() {
    run(async {
        for (fault, arguments) in [
            (
                "cloud.drip",
                json!({"part": "head", "bytes": 3, "every": "10ms", "times": 1}),
            ),
            ("cloud.drip", json!({"bytes": 1, "every": "10ms", "times": 1})),
            (
                "cloud.framing",
                json!({"framing": "chunked", "bytes": 5, "times": 1}),
            ),
        ] {
            let answers = two_answers(fault, arguments.clone()).await;
            assert_eq!(
                answers.matches("HTTP/1.1 200 OK\r\n").count(),
                2,
                "{fault}: {answers}"
            );
            assert!(
                answers.ends_with("\r\n\r\n{\"peer\":\"nobody\"}"),
                "{fault}: {answers}"
            );
        }
    });
}

#[test]
fn a_wrong_length_or_no_last_chunk_ends_the_connection() {
    run(async {
        for (fault, arguments, told) in [
            (
                "cloud.length",
                json!({"by": 3, "times": 1}),
                "Content-Length: 20\r\n",
            ),
            (
                "cloud.length",
                json!({"by": -3, "times": 1}),
                "Content-Length: 14\r\n",
            ),
            (
                "cloud.framing",
                json!({"framing": "close", "times": 1}),
                "Connection: close\r\n",
            ),
        ] {
            let answers = two_answers(fault, arguments.clone()).await;
            assert_eq!(answers.matches("HTTP/1.1").count(), 1, "{fault}: {answers}");
            assert!(answers.contains(told), "{fault}: {answers}");
            assert!(answers.ends_with("{\"peer\":\"nobody\"}"), "{fault}: {answers}");
        }
        let answers = two_answers("cloud.framing", json!({"framing": "chunked_unended", "times": 1})).await;
        assert!(
            answers.contains("Transfer-Encoding: chunked") && !answers.contains("0\r\n\r\n"),
            "{answers}"
        );
    });
}

#[test]
fn what_the_unit_cannot_read_of_an_answer_is_not_recorded_as_sent() {
    for (fault, mut arguments, body) in [
        ("cloud.truncate", json!({"after_bytes": 5}), "{\"pee"),
        (
            "cloud.truncate",
            json!({"after_bytes": 5, "announce": false}),
            "{\"pee",
        ),
        (
            "cloud.reset",
            json!({"when": "in_body", "after_bytes": 3}),
            "{\"p",
        ),
        ("cloud.length", json!({"by": -3}), "{\"peer\":\"nobod"),
        ("cloud.length", json!({"by": 3}), "{\"peer\":\"nobody\"}"),
        ("cloud.stall", json!({"after_bytes": 4}), "{\"pe"),
        ("cloud.stall", json!({"part": "head", "after_bytes": 4}), ""),
        (
            "cloud.stall",
            json!({"after_bytes": 4, "for": "1s"}),
            "{\"peer\":\"nobody\"}",
        ),
    ] {
        run(async {
            let bench = Bench::start(None).await;
            arguments["times"] = json!(1);
            bench.arm(fault, arguments.clone());
            let mut stream = bench.connect("toy").await;
            let request = "GET /who HTTP/1.1\r\nHost: toy\r\nConnection: close\r\n\r\n";
            stream.write_all(request.as_bytes()).await.unwrap();
            bench.clock.sleep(std::time::Duration::from_secs(2)).await;
            let recorded: Vec<String> = bench.bodies();
            assert_eq!(recorded, [body], "{fault} {arguments}");
        });
    }
}
