//! Requests and WebSockets to faces of the unit.

use super::toy::{Bench, address, run};
use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::{accept_async, tungstenite::Message};

async fn bench() -> (Bench, hil_link::Listener) {
    let bench = Bench::start(None).await;
    let listener = bench.network.listen(&address("unit")).await.unwrap();
    let mut faces = bench.unit_faces.borrow_mut();
    faces.insert("rpc".to_owned(), address("unit"));
    drop(faces);
    (bench, listener)
}

#[test]
fn a_request_and_its_answer() {
    run(async {
        let (bench, mut listener) = bench().await;
        bench.act("call", json!({"face": "rpc"})).await;
        let mut stream = listener.accept().await.unwrap();
        let mut request = vec![0; 200];
        let count = stream.read(&mut request).await.unwrap();
        let request = String::from_utf8_lossy(&request[..count]).to_lowercase();
        assert!(
            request.starts_with("post /do http/1.1\r\nhost: unit:80\r\n"),
            "{request}"
        );
        assert!(request.contains("content-length: 7\r\n"), "{request}");
        assert!(request.ends_with("\r\n\r\n{\"a\":1}"), "{request}");
        let answer = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok";
        stream.write_all(answer).await.unwrap();
        assert_eq!(bench.told().await, [r#"answered 7 Ok((201, Ok("ok")))"#]);
        assert_eq!(
            bench.trace(),
            [
                "opened 1 rpc by Cloud",
                "Cloud POST rpc /do",
                "Unit 201",
                "closed 1 Fin by Cloud"
            ]
        );
    });
}

#[test]
fn a_body_in_chunks() {
    run(async {
        let (bench, mut listener) = bench().await;
        bench.act("call", json!({"face": "rpc", "chunked": true})).await;
        let mut stream = listener.accept().await.unwrap();
        let mut request = String::new();
        while !request.ends_with("\r\n0\r\n\r\n") {
            let mut piece = vec![0; 200];
            let count = stream.read(&mut piece).await.unwrap();
            assert_ne!(count, 0, "{request}");
            request.push_str(&String::from_utf8_lossy(&piece[..count]));
        }
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        assert!(head.contains("transfer-encoding: chunked"), "{head}");
        assert!(!head.contains("content-length"), "{head}");
        assert_eq!(body, "10\r\n\"a text of two c\r\n6\r\nhunks\"\r\n0\r\n\r\n");
    });
}

#[test]
fn answers_that_do_not_come_are_told_and_recorded() {
    run(async {
        let (bench, mut listener) = bench().await;
        bench.act("call", json!({"face": "rpc"})).await;
        let stream = listener.accept().await.unwrap();
        bench.clock.sleep(Duration::from_secs(6)).await;
        assert_eq!(bench.told().await, [r#"answered 7 Err("no answer in time")"#]);
        drop(stream);
        bench.act("call", json!({"face": "rpc"})).await;
        drop(listener.accept().await.unwrap());
        assert_eq!(bench.told().await.len(), 2);
        bench.arm("cloud.withhold", json!({"on": "do", "times": 1}));
        bench.act("call", json!({"face": "rpc"})).await;
        bench.clock.sleep(Duration::from_secs(6)).await;
        assert_eq!(bench.told().await[2], r#"answered 7 Err("no answer in time")"#);
        let trace = bench.trace();
        assert_eq!(trace[2], "unanswered: no answer in time");
        assert!(trace[6].starts_with("unanswered: "), "{trace:?}");
        assert_eq!(trace[7], "closed 2 Broken by Unit");
        assert_eq!(trace[9], r#"Acted {"on":"do"}"#);
        assert_eq!(trace.len(), 10);
    });
}

#[test]
fn a_connection_is_kept_if_both_want_it() {
    run(async {
        let (bench, mut listener) = bench().await;
        let call = json!({"face": "rpc", "connection": "keep-alive"});
        bench.act("call", call.clone()).await;
        let mut stream = listener.accept().await.unwrap();
        for _ in 0..2 {
            assert_ne!(stream.read(&mut [0; 1000]).await.unwrap(), 0);
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
            stream.write_all(answer).await.unwrap();
            bench.told().await;
            bench.act("call", call.clone()).await;
        }
        assert_ne!(stream.read(&mut [0; 1000]).await.unwrap(), 0);
        let answer = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
        stream.write_all(answer).await.unwrap();
        assert_eq!(bench.told().await.len(), 3);
        let trace = bench.trace();
        assert_eq!(trace.len(), 8, "{trace:?}");
        assert_eq!(trace[7], "closed 1 Fin by Unit");

        // A kept connection that the unit ends is not used again.
        bench.act("call", call.clone()).await;
        let mut stream = listener.accept().await.unwrap();
        assert_ne!(stream.read(&mut [0; 1000]).await.unwrap(), 0);
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        stream.write_all(answer).await.unwrap();
        bench.told().await;
        drop(stream);
        bench.told().await;
        assert_eq!(bench.trace().last().unwrap(), "closed 2 Fin by Unit");
        bench.act("call", call).await;
        listener.accept().await.unwrap();
    });
}

#[test]
fn a_websocket_to_the_unit() {
    run(async {
        let (bench, mut listener) = bench().await;
        bench.act("open", json!({"face": "rpc", "target": "/rpc"})).await;
        let stream = listener.accept().await.unwrap();
        let mut socket = accept_async(stream).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("hello"));
        socket.send(Message::text("hi")).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("hi"));
        socket.close(None).await.unwrap();
        while socket.next().await.is_some() {}
        let told = bench.told().await;
        assert_eq!(told[..2], ["link 3 Ok(1)", "message 1 hi"]);
        assert_eq!(told.last().unwrap(), "closed 1");
        assert_eq!(
            bench.trace()[..6],
            [
                "opened 1 rpc by Cloud",
                "Cloud GET rpc /rpc",
                "Unit 101",
                "websocket 1 1",
                "Cloud 1 \"hello\"",
                "Unit 1 \"hi\"",
            ]
        );
    });
}
