//! WebSockets of the unit, and faults on messages.

use super::toy::{Bench, run};
use futures_util::{SinkExt, StreamExt};
use hil_link::Stream;
use serde_json::json;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{
        Error, Message,
        protocol::frame::{
            CloseFrame, Frame,
            coding::{CloseCode, Data, OpCode},
        },
    },
};

async fn socket(bench: &Bench) -> WebSocketStream<Stream> {
    let stream = bench.connect("toy").await;
    client_async("ws://toy/socket", stream).await.unwrap().0
}

async fn next_text(socket: &mut WebSocketStream<Stream>) -> String {
    let message = socket.next().await.unwrap().unwrap();
    message.into_text().unwrap().to_string()
}

#[test]
fn frames_are_seen_as_they_were_and_messages_as_wholes() {
    run(async {
        let bench = Bench::start(None).await;
        let mut socket = socket(&bench).await;
        let text = |payload: &'static str, opcode, fin| {
            Message::Frame(Frame::message(payload, OpCode::Data(opcode), fin))
        };
        socket.send(text("one ", Data::Text, false)).await.unwrap();
        socket.send(Message::Ping("p".into())).await.unwrap();
        socket.send(text("message", Data::Continue, true)).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), Message::Pong("p".into()));
        assert_eq!(next_text(&mut socket).await, "one message");
        let close = CloseFrame {
            code: CloseCode::Normal,
            reason: "".into(),
        };
        socket.close(Some(close.clone())).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), Message::Close(Some(close)));
        assert!(socket.next().await.is_none());
        let told = bench.told().await;
        assert_eq!(
            told,
            [
                "websocket 1 /socket",
                "message 9 p",
                "message 1 one message",
                "message 8 \u{3}\u{fffd}",
                "closed 1"
            ]
        );
        assert_eq!(
            bench.trace(),
            [
                "opened 1 toy by Unit",
                "Unit GET toy /socket",
                "Cloud 101",
                "websocket 1 1",
                "Unit 1+ \"one \"",
                "Unit 9 \"p\"",
                "Cloud 10 \"p\"",
                "Unit 0 \"message\"",
                "Cloud 1 \"one message\"",
                "Unit 8 \"\\u{3}\u{fffd}\"",
                "Cloud 8 \"\\u{3}\u{fffd}\"",
                "closed 1 Fin by Unit",
            ]
        );
    });
}

#[test]
fn a_refused_upgrade_and_a_bad_one() {
    run(async {
        let bench = Bench::start(None).await;
        let refused = client_async("ws://toy/other", bench.connect("toy").await).await;
        assert!(matches!(refused, Err(Error::Http(response)) if response.status() == 403));
        let mut stream = bench.connect("toy").await;
        let request = "GET /socket HTTP/1.1\r\nHost: toy\r\nConnection: keep-alive, Upgrade\r\n\
                       Upgrade: WebSocket\r\nSec-WebSocket-Version: 8\r\n\r\n";
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 426");
    });
}

#[test]
fn faults_on_messages_act_before_anything_leaves() {
    run(async {
        let bench = Bench::start(None).await;
        let mut socket = socket(&bench).await;
        bench.arm("cloud.withhold", json!({"on": "echo", "times": 1}));
        bench.arm(
            "cloud.nack",
            json!({"on": "echo", "times": 1, "retry_after": "2s"}),
        );
        bench.arm("cloud.repeat", json!({"on": "echo", "times": 1}));
        bench.arm("cloud.delay", json!({"on": "echo", "times": 1, "by": "3s"}));
        bench.arm("cloud.replace", json!({"on": "echo", "times": 1, "text": "{"}));
        bench.arm("cloud.close", json!({"on": "echo", "times": 1, "code": 1013}));
        for text in ["withheld", "refused", "twice", "late", "replaced"] {
            socket.send(Message::text(text)).await.unwrap();
        }
        let start = bench.clock.now();
        let mut found = Vec::new();
        for _ in 0..5 {
            found.push(next_text(&mut socket).await);
        }
        let late = bench.clock.now().0 - start.0;
        assert_eq!(
            found,
            ["nack of refused, retry Some(2000)", "twice", "twice", "{", "late"]
        );
        assert!((3_000_000..3_010_000).contains(&late), "{late}");
        socket.send(Message::text("closed")).await.unwrap();
        let Message::Close(Some(close)) = socket.next().await.unwrap().unwrap() else {
            panic!("no close frame");
        };
        assert_eq!(u16::from(close.code), 1013);
        assert!(socket.next().await.is_none());
        bench.told().await;
        let trace = bench.trace();
        let at = |text: &str| trace.iter().position(|line| line == text).unwrap();
        assert_eq!(
            trace[at("Unit 1 \"withheld\"") + 1],
            r#"Acted {"on":"echo","connection":1}"#
        );
        assert!(trace[at("Unit 1 \"replaced\"") + 1].starts_with("Acted"));
        assert_eq!(trace.last().unwrap(), "closed 1 Fin by Cloud");
    });
}

#[test]
fn a_connection_falls_silent_and_stays_open() {
    run(async {
        let bench = Bench::start(None).await;
        let mut socket = socket(&bench).await;
        let silence = json!({"on": "echo", "times": 1, "for": "60s"});
        bench.arm("cloud.silence", silence);
        for text in ["one", "two"] {
            socket.send(Message::text(text)).await.unwrap();
        }
        socket.send(Message::Ping("p".into())).await.unwrap();
        bench.clock.sleep(Duration::from_secs(61)).await;
        socket.send(Message::text("three")).await.unwrap();
        assert_eq!(next_text(&mut socket).await, "three");
        let told = bench.told().await;
        assert_eq!(told, ["websocket 1 /socket", "message 1 one", "message 1 three"]);
        let trace = bench.trace();
        assert_eq!(trace[7..9], ["Unit 1 \"two\"", "Unit 9 \"p\""], "{trace:?}");
        drop(socket);
        bench.told().await;
        assert_eq!(bench.trace().last().unwrap(), "closed 1 Fin by Unit");
    });
}

#[test]
fn messages_go_in_other_frames_in_another_order_and_with_other_bytes() {
    run(async {
        let bench = Bench::start(None).await;
        let mut socket = socket(&bench).await;
        let once = |name: &str, mut arguments: serde_json::Value| {
            arguments["on"] = json!("echo");
            arguments["times"] = json!(1);
            bench.arm(name, arguments);
        };
        once("cloud.reorder", json!({}));
        once("cloud.opcode", json!({"opcode": "binary"}));
        once("cloud.fragment", json!({"parts": 3, "pings": true}));
        once("cloud.malform", json!({"how": "truncated"}));
        once("cloud.member", json!({"path": "a", "value": 2}));
        for text in ["held back", "binary", "fragments", "half of it", "{\"a\":1}"] {
            socket.send(Message::text(text)).await.unwrap();
        }
        bench.told().await;
        let cloud: Vec<String> = bench
            .trace()
            .into_iter()
            .filter(|line| line.starts_with("Cloud"))
            .collect();
        assert_eq!(
            cloud[1..],
            [
                "Cloud 2 \"binary\"",
                "Cloud 1 \"held back\"",
                "Cloud 1+ \"fra\"",
                "Cloud 9 \"between\"",
                "Cloud 0+ \"gme\"",
                "Cloud 9 \"between\"",
                "Cloud 0 \"nts\"",
                "Cloud 1 \"half \"",
                "Cloud 1 \"{\\\"a\\\":2}\"",
            ]
        );
    });
}

#[test]
fn pings_stay_unanswered() {
    run(async {
        let bench = Bench::start(None).await;
        let mut socket = socket(&bench).await;
        bench.arm("cloud.withhold", json!({"on": "pong", "times": 1}));
        socket.send(Message::Ping("lost".into())).await.unwrap();
        socket.send(Message::Ping("heard".into())).await.unwrap();
        assert_eq!(
            socket.next().await.unwrap().unwrap(),
            Message::Pong("heard".into())
        );
    });
}

#[test]
fn a_connection_is_lost_without_a_word_at_once_or_a_little_later() {
    for (after, echoed) in [(json!(null), false), (json!("2s"), true)] {
        run(async move {
            let bench = Bench::start(None).await;
            let mut socket = socket(&bench).await;
            bench.arm("cloud.abort", json!({"on": "echo", "after": after}));
            socket.send(Message::text("one")).await.unwrap();
            if echoed {
                assert_eq!(next_text(&mut socket).await, "one");
            }
            assert!(matches!(socket.next().await, Some(Err(_))));
            bench.told().await;
            assert_eq!(bench.trace().last().unwrap(), "closed 1 Reset by Cloud");
            assert_eq!(bench.clock.now().0 / 1_000_000, if echoed { 2 } else { 0 });
        });
    }
}

#[test]
fn a_body_drips() {
    run(async {
        let bench = Bench::start(None).await;
        bench.arm("cloud.drip", json!({"on": "/who", "bytes": 5, "every": "2s"}));
        let mut stream = bench.connect("toy").await;
        let request = b"GET /who HTTP/1.1\r\nHost: toy\r\nConnection: close\r\n\r\n";
        stream.write_all(request).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.ends_with("\r\n\r\n{\"peer\":\"nobody\"}"), "{answer}");
        assert_eq!(bench.clock.now().0 / 1_000_000, 6);
    });
}

#[test]
fn the_cloud_closes_resets_and_answers_nonsense() {
    run(async {
        let bench = Bench::start(None).await;
        let mut silent = socket(&bench).await;
        bench.act("close", json!({})).await;
        // A peer that does not answer is given up after ten seconds.
        bench.clock.sleep(Duration::from_secs(11)).await;
        assert_eq!(bench.trace().last().unwrap(), "closed 1 Fin by Cloud");
        assert!(matches!(silent.next().await, Some(Ok(Message::Close(_)))));

        let mut wrong = socket(&bench).await;
        wrong.get_mut().write_all(&[0x81, 0x01, b'a']).await.unwrap();
        let Some(Ok(Message::Close(Some(close)))) = wrong.next().await else {
            panic!("no close frame");
        };
        assert_eq!(close.code, CloseCode::Protocol);
    });
    run(async {
        let bench = Bench::start(None).await;
        let mut socket = socket(&bench).await;
        bench.act("reset", json!({})).await;
        assert!(matches!(socket.next().await, Some(Err(_))));
        assert_eq!(bench.told().await.last().unwrap(), "closed 1");
        assert_eq!(bench.trace().last().unwrap(), "closed 1 Reset by Cloud");
    });
}

#[test]
fn the_core_is_woken_when_it_wants() {
    run(async {
        let bench = Bench::start(None).await;
        bench.act("wake", json!({"after": 60})).await;
        bench.clock.sleep(Duration::from_secs(1)).await;
        bench.act("wake", json!({"after": 30})).await;
        bench.clock.sleep(Duration::from_secs(100)).await;
        assert_eq!(bench.told().await, ["woken at 31000 ms"]);
    });
}
