//! The shell with agents of its own: faces, WebSockets of both sides, streams, TLS, power cuts. The peer is
//! tokio-tungstenite and rustls by other code than the unit's.

#[allow(dead_code, unreachable_pub)]
mod support;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use hil_link::{Address, Stream, pki, tls};
use hil_sim::{
    Agent, Context, ExchangeId, Frame, Hardware, HttpCall, HttpError, Input, Kind, Setup, SimUnit, SocketId,
    StreamId, TimerId,
};
use hil_trace::RecordBody;
use hil_unit::{Artifacts, Identity, Unit, UnitError};
use hil_wire::{
    Protocol,
    http::{Headers, Response},
};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, time::Duration};
use support::{Bench, arguments, in_virtual_time};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::{
    WebSocketStream, accept_async, accept_hdr_async, client_async,
    tungstenite::{
        Message,
        handshake::server::{Request as Upgrade, Response as Accepted},
        protocol::frame::coding::{Data, OpCode},
    },
};

/// Serves: answers requests now or later, echoes frames and bytes.
#[derive(Default)]
struct Echo {
    late: Option<ExchangeId>,
    next_socket: u32,
    gone: u32,
}

impl Agent for Echo {
    fn handle(&mut self, input: Input, context: &mut Context<'_>) {
        match input {
            Input::Boot => {
                context.serve_http("web");
                context.serve_streams("line");
            }
            Input::ServerRequest {
                exchange, request, ..
            } => match request.path() {
                "/later" => {
                    self.late = Some(exchange);
                    context.timer(TimerId(1), Duration::from_secs(1));
                }
                "/ws" => {
                    self.next_socket += 1;
                    let headers = Headers::new().with("X-Greeting", "hello");
                    context.accept_ws(exchange, SocketId(self.next_socket), headers);
                }
                "/nothing" => context.abandon(exchange),
                "/never" => {}
                _ => context.answer(
                    exchange,
                    Response::json(200, &json!({"length": request.body.len()})),
                ),
            },
            Input::ServerGone { .. } => self.gone += 1,
            Input::Timer(_) => {
                if let Some(exchange) = self.late.take() {
                    context.answer(exchange, Response::new(204));
                }
            }
            Input::WsFrame { socket, frame } => match frame.opcode {
                8 => {
                    context.send_ws(socket, frame);
                    context.close_ws(socket);
                }
                9 => context.send_ws(socket, Frame::new(10, frame.payload)),
                _ => context.send_ws(socket, frame),
            },
            Input::StreamData { stream, bytes } => context.send_stream(stream, bytes),
            _ => {}
        }
    }

    fn version(&self, _: &Hardware) -> Option<String> {
        None
    }

    fn probe(&self, name: &str, _: &Map<String, Value>, _: &Hardware) -> Result<Value, UnitError> {
        match name {
            "gone" => Ok(json!(self.gone)),
            _ => Err(UnitError::NotSupported(name.into())),
        }
    }
}

/// Calls: opens a WebSocket where it is told, and keeps everything it hears as text.
#[derive(Default)]
struct Caller {
    heard: Vec<String>,
}

impl Agent for Caller {
    fn handle(&mut self, input: Input, context: &mut Context<'_>) {
        match input {
            Input::Boot => {
                let url = context.setup.endpoints.get("base_url").to_owned();
                let call = HttpCall::new("GET", url)
                    .header("Authorization", "Bearer abc")
                    .identity("online");
                context.open_ws(SocketId(1), call);
                context.open_stream(StreamId(1), "/tmp/events");
            }
            Input::WsOpened { socket, headers } => {
                self.heard
                    .push(format!("open {}", headers.get("X-Greeting").unwrap_or("")));
                context.send_ws(socket, Frame::new(2, "hello"));
            }
            Input::WsFrame { frame, .. } => {
                let text = String::from_utf8_lossy(&frame.payload).into_owned();
                self.heard.push(format!("{} {} {text}", frame.opcode, frame.fin));
            }
            Input::WsClosed { .. } => self.heard.push("closed".into()),
            Input::WsFailed { error, .. } => self.heard.push(match error {
                HttpError::Refused(response) => format!("refused {}", response.status),
                HttpError::Tls(_) => "tls".into(),
                HttpError::Connect(_) => "connect".into(),
                other => other.to_string(),
            }),
            Input::StreamOpened { stream, .. } => context.send_stream(stream, "ready\n"),
            Input::StreamData { bytes, .. } => {
                self.heard
                    .push(format!("line {}", String::from_utf8_lossy(&bytes)));
            }
            Input::StreamClosed { .. } => self.heard.push("line closed".into()),
            _ => {}
        }
    }

    fn version(&self, _: &Hardware) -> Option<String> {
        Some("1".into())
    }

    fn probe(&self, _: &str, _: &Map<String, Value>, _: &Hardware) -> Result<Value, UnitError> {
        Ok(json!(self.heard))
    }
}

struct EchoKind;
struct CallerKind;

macro_rules! kind {
    ($kind:ty, $agent:ty) => {
        impl Kind for $kind {
            fn provision(
                &self,
                _: &Map<String, Value>,
                _: &Setup,
                _: &mut Hardware,
            ) -> Result<(), UnitError> {
                Ok(())
            }

            fn boot(&self, _: &Setup, _: &mut Hardware) -> Box<dyn Agent> {
                Box::new(<$agent>::default())
            }

            fn artifacts(&self) -> Artifacts {
                Artifacts::default()
            }

            fn timing(&self) -> Map<String, Value> {
                Map::new()
            }

            fn settings(&self) -> &'static [&'static str] {
                &[]
            }
            fn ics(&self) -> Map<String, Value> {
                Map::new()
            }
        }
    };
}
kind!(EchoKind, Echo);
kind!(CallerKind, Caller);

fn unit(bench: &Bench, kind: &'static dyn Kind) -> SimUnit {
    SimUnit::new(kind, Default::default(), bench.surroundings.clone()).unwrap()
}

async fn echo() -> (Bench, SimUnit) {
    let mut bench = Bench::memory(Protocol::OtaRpc);
    bench.surroundings.faces = BTreeMap::from([
        ("web".to_owned(), Address::Host("unit".into(), 80)),
        ("line".to_owned(), Address::Path("/dev/ttyS0".into())),
    ]);
    let mut unit = unit(&bench, &EchoKind);
    unit.start().await.unwrap();
    bench.sleep(1.5).await;
    (bench, unit)
}

async fn web(bench: &Bench) -> Stream {
    bench
        .network
        .connect(&Address::Host("unit".into(), 80))
        .await
        .unwrap()
}

async fn get(bench: &Bench, target: &str) -> Result<(u16, Bytes), hyper::Error> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(web(bench).await)).await?;
    tokio::task::spawn_local(connection);
    let request = http::Request::builder().uri(target).header("Host", "unit");
    let response = sender
        .send_request(request.body(Empty::<Bytes>::new()).unwrap())
        .await?;
    Ok((
        response.status().as_u16(),
        response.into_body().collect().await?.to_bytes(),
    ))
}

#[test]
fn answers_now_and_later() {
    in_virtual_time(async {
        let (bench, mut unit) = echo().await;
        let (status, body) = get(&bench, "/now").await.unwrap();
        assert_eq!((status, &body[..]), (200, &br#"{"length":0}"#[..]));
        let before = bench.clock.now().seconds();
        assert_eq!(get(&bench, "/later").await.unwrap().0, 204);
        assert!((0.99..1.1).contains(&(bench.clock.now().seconds() - before)));
        assert!(get(&bench, "/nothing").await.is_err());
        let given_up = tokio::time::timeout(Duration::from_secs(5), get(&bench, "/never")).await;
        assert!(given_up.is_err());
        bench.sleep(0.1).await;
        // The connection was driven by a task of its own, so only a power cut ends it.
        unit.cut_power().await.unwrap();
        bench.sleep(0.1).await;
        assert!(
            bench
                .network
                .connect(&Address::Host("unit".into(), 80))
                .await
                .is_err()
        );
        unit.restore_power().await.unwrap();
        bench.sleep(1.5).await;
        assert_eq!(get(&bench, "/now").await.unwrap().0, 200);
    });
}

#[test]
fn a_caller_that_goes_away_is_noticed() {
    in_virtual_time(async {
        let (bench, mut unit) = echo().await;
        let mut stream = web(&bench).await;
        stream
            .write_all(b"GET /never HTTP/1.1\r\nHost: unit\r\n\r\n")
            .await
            .unwrap();
        bench.sleep(1.0).await;
        drop(stream);
        bench.sleep(1.0).await;
        assert_eq!(unit.probe("gone", &arguments(json!({}))).await.unwrap(), json!(1));
    });
}

#[test]
fn serves_websockets_beside_http() {
    in_virtual_time(async {
        let (bench, mut unit) = echo().await;
        let (mut socket, response) = client_async("ws://unit/ws", web(&bench).await).await.unwrap();
        assert_eq!(response.headers()["x-greeting"], "hello");
        socket.send(Message::text("one")).await.unwrap();
        socket.send(Message::binary(vec![7; 100_000])).await.unwrap();
        socket.send(Message::Ping("p".into())).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("one"));
        assert_eq!(socket.next().await.unwrap().unwrap().len(), 100_000);
        assert_eq!(socket.next().await.unwrap().unwrap(), Message::Pong("p".into()));
        socket.close(None).await.unwrap();
        assert!(matches!(socket.next().await, Some(Ok(Message::Close(_)))));
        assert!(socket.next().await.is_none());
        let (mut socket, _) = client_async("ws://unit/ws", web(&bench).await).await.unwrap();
        unit.cut_power().await.unwrap();
        assert!(matches!(socket.next().await, Some(Err(_))));
    });
}

#[test]
fn serves_streams() {
    in_virtual_time(async {
        let (bench, mut unit) = echo().await;
        let address = Address::Path("/dev/ttyS0".into());
        let mut first = bench.network.connect(&address).await.unwrap();
        let mut second = bench.network.connect(&address).await.unwrap();
        first.write_all(b"abc").await.unwrap();
        second.write_all(b"xyz").await.unwrap();
        let mut bytes = [0; 3];
        first.read_exact(&mut bytes).await.unwrap();
        assert_eq!(&bytes, b"abc");
        second.read_exact(&mut bytes).await.unwrap();
        assert_eq!(&bytes, b"xyz");
        unit.cut_power().await.unwrap();
        assert!(first.read(&mut bytes).await.is_err());
    });
}

#[test]
fn calls_over_websocket_and_stream() {
    in_virtual_time(async {
        let mut bench = Bench::memory(Protocol::AosV7);
        bench.surroundings.endpoints.set("base_url", "ws://cloud/ws/v7/");
        let cloud = Address::Host("cloud".into(), 80);
        let mut listener = bench.network.listen(&cloud).await.unwrap();
        let mut line = bench
            .network
            .listen(&Address::Path("/tmp/events".into()))
            .await
            .unwrap();
        let mut unit = unit(&bench, &CallerKind);
        unit.start().await.unwrap();
        #[allow(clippy::result_large_err)] // the type is the library's
        let check = |request: &Upgrade, mut response: Accepted| {
            assert_eq!(request.headers()["authorization"], "Bearer abc");
            assert_eq!(request.uri().path(), "/ws/v7/");
            response.headers_mut().insert("X-Greeting", "hi".parse().unwrap());
            Ok(response)
        };
        let mut socket = accept_hdr_async(listener.accept().await.unwrap(), check)
            .await
            .unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), Message::binary("hello"));
        for (opcode, fin, text) in [
            (OpCode::Data(Data::Text), false, "par"),
            (OpCode::Data(Data::Continue), true, "ts"),
        ] {
            let frame = tokio_tungstenite::tungstenite::protocol::frame::Frame::message(text, opcode, fin);
            socket.send(Message::Frame(frame)).await.unwrap();
        }
        socket.send(Message::Ping("p".into())).await.unwrap();
        let mut stream = line.accept().await.unwrap();
        let mut bytes = [0; 6];
        stream.read_exact(&mut bytes).await.unwrap();
        stream.write_all(b"done").await.unwrap();
        bench.sleep(1.0).await;
        drop(stream);
        socket.close(None).await.unwrap();
        bench.sleep(1.0).await;
        drop(socket);
        bench.sleep(1.0).await;
        let heard = unit.probe("heard", &arguments(json!({}))).await.unwrap();
        assert_eq!(
            heard,
            json!([
                "open hi",
                "1 false par",
                "0 true ts",
                "9 true p",
                "line done",
                "line closed",
                "8 true ",
                "closed"
            ])
        );
    });
}

#[test]
fn tells_why_a_websocket_did_not_open() {
    in_virtual_time(async {
        let bench = Bench::memory(Protocol::AosV7);
        let mut nobody = unit(&bench, &CallerKind);
        nobody.start().await.unwrap();
        bench.sleep(2.0).await;
        let heard = nobody.probe("heard", &arguments(json!({}))).await.unwrap();
        assert_eq!(heard, json!(["connect", "line closed"]));
        let script = |_: f64, _: &hil_wire::http::Request| Some(Response::new(403));
        support::serve(
            &bench.network,
            bench.clock,
            Address::Host("cloud".into(), 80),
            Box::new(script),
        )
        .await;
        let mut refused = unit(&bench, &CallerKind);
        refused.start().await.unwrap();
        bench.sleep(2.0).await;
        let heard = refused.probe("heard", &arguments(json!({}))).await.unwrap();
        assert_eq!(heard, json!(["line closed", "refused 403"]));
    });
}

#[test]
fn proves_itself_over_tls() {
    in_virtual_time(async {
        let mut bench = Bench::memory(Protocol::AosV7);
        let now = bench.clock.unix_us(bench.clock.now());
        let authority = pki::Authority::new("test authority", now, 1).unwrap();
        let server = authority
            .issue_server(&["cloud"], pki::Validity::usual(now))
            .unwrap();
        let client = authority
            .issue_client(&"unit-online".into(), pki::Validity::usual(now), None)
            .unwrap();
        let endpoints = &mut bench.surroundings.endpoints;
        endpoints.set("base_url", "wss://cloud/ws");
        endpoints.authority = authority.authority_pem().to_owned();
        endpoints.identities.insert(
            "online".into(),
            Identity {
                certificate_chain: client.certificate_chain.clone(),
                private_key: client.private_key.clone(),
            },
        );
        let acceptor =
            tls::Acceptor::new(&server, Some(authority.authority_pem()), true, &bench.clock).unwrap();
        let mut listener = bench
            .network
            .listen(&Address::Host("cloud".into(), 443))
            .await
            .unwrap();
        let mut trusted = unit(&bench, &CallerKind);
        trusted.start().await.unwrap();
        let (stream, facts) = acceptor.accept(listener.accept().await.unwrap()).await.unwrap();
        assert_eq!(facts.certificate.unwrap().common_name, "unit-online");
        let mut socket: WebSocketStream<_> = accept_async(stream).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), Message::binary("hello"));
        trusted.cut_power().await.unwrap();
        assert!(matches!(socket.next().await, Some(Err(_))));
        // Another authority: the unit refuses.
        let other = pki::Authority::new("another authority", now, 2).unwrap();
        bench.surroundings.endpoints.authority = other.authority_pem().to_owned();
        let mut wary = unit(&bench, &CallerKind);
        wary.start().await.unwrap();
        assert!(acceptor.accept(listener.accept().await.unwrap()).await.is_err());
        bench.sleep(1.0).await;
        let heard = wary.probe("heard", &arguments(json!({}))).await.unwrap();
        assert_eq!(heard, json!(["line closed", "tls"]));
    });
}

#[test]
fn a_face_that_cannot_be_served_is_trouble() {
    in_virtual_time(async {
        let bench = Bench::memory(Protocol::OtaRpc);
        let mut unit = unit(&bench, &EchoKind);
        unit.start().await.unwrap();
        bench.sleep(2.0).await;
        let kept = bench.records.kept.borrow();
        let troubles = kept
            .iter()
            .filter(|(_, body)| matches!(body, RecordBody::Trouble { .. }));
        assert_eq!(troubles.count(), 2);
    });
}
