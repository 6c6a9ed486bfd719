//! One message through the whole mock cloud: bytes in over a network in memory, journal lines, the core, its store,
//! the answer's bytes out; over HTTP and over WebSocket. The same HTTP exchange with a bare server stands beside it,
//! so that the cloud's own part shows.

#![allow(clippy::disallowed_methods, reason = "a benchmark measures real time")]

use bytes::Bytes;
use criterion::{Criterion, Throughput};
use futures_util::{SinkExt, StreamExt};
use hil_fault::{Artifacts, Faults};
use hil_link::{Address, Clock, Network, Stream};
use hil_mock_cloud::{CloudSettings, CloudSurroundings, MemoryStore, MockCloud};
use hil_trace::{Record, RecordBody, Recorder, SharedRecorder};
use hil_wire::Protocol;
use http_body_util::Full;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    convert::Infallible,
    hint::black_box,
    rc::Rc,
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    runtime::Runtime,
    task::LocalSet,
};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{Message, protocol::WebSocketConfig},
};

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .sample_size(30)
        .configure_from_args();
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime");
    let local = LocalSet::new();
    let mut group = criterion.benchmark_group("path");
    group.throughput(Throughput::Elements(1));
    let (cloud, stream) = local.block_on(&runtime, start_edge_poll());
    exchanges(&mut group, "http_ack", &runtime, &local, stream);
    drop(cloud);
    let (cloud, socket) = local.block_on(&runtime, start_aos());
    messages(&mut group, "websocket_message", &runtime, &local, socket);
    drop(cloud);
    let stream = local.block_on(&runtime, start_bare());
    exchanges(&mut group, "bare_http", &runtime, &local, stream);
    group.finish();
    criterion.final_summary();
}

type Group<'a> = criterion::BenchmarkGroup<'a, criterion::measurement::WallTime>;

fn exchanges(group: &mut Group<'_>, name: &str, runtime: &Runtime, local: &LocalSet, stream: Stream) {
    let stream = RefCell::new(stream);
    group.bench_function(name, |bencher| {
        bencher.iter_custom(|count| {
            let mut stream = stream.borrow_mut();
            local.block_on(runtime, async {
                let start = std::time::Instant::now();
                for _ in 0..count {
                    exchange(&mut stream).await;
                }
                start.elapsed()
            })
        });
    });
}

async fn exchange(stream: &mut Stream) {
    stream.write_all(REQUEST).await.expect("the request is taken");
    let mut answer = [0; 2048];
    let mut length = 0;
    while !answer[..length].ends_with(b"}") {
        let count = stream.read(&mut answer[length..]).await.expect("an answer");
        assert_ne!(count, 0, "{}", String::from_utf8_lossy(&answer[..length]));
        length += count;
    }
    let answer = &answer[..length];
    let good = answer.starts_with(b"HTTP/1.1 200 ");
    assert!(good, "{}", String::from_utf8_lossy(answer));
}

fn messages(
    group: &mut Group<'_>,
    name: &str,
    runtime: &Runtime,
    local: &LocalSet,
    socket: WebSocketStream<Stream>,
) {
    let messages: Vec<Value> = serde_json::from_str(MESSAGES).expect("fixtures are JSON");
    let message = messages
        .iter()
        .find(|message| message["name"] == "monitoringData")
        .expect("the fixture");
    let message = Message::binary(message["message"].to_string().into_bytes());
    let socket = RefCell::new(socket);
    group.bench_function(name, |bencher| {
        bencher.iter_custom(|count| {
            let mut socket = socket.borrow_mut();
            local.block_on(runtime, async {
                let start = std::time::Instant::now();
                for _ in 0..count {
                    socket.send(message.clone()).await.expect("the message is taken");
                    let answer = socket.next().await.expect("an answer").expect("a frame");
                    assert!(answer.is_binary());
                }
                start.elapsed()
            })
        });
    });
}

async fn start_edge_poll() -> (MockCloud, Stream) {
    let (cloud, network) = start(Protocol::EdgePoll).await;
    let queue = json!({"command": "restart_service", "payload": {"service": "a"}, "id": "c1"});
    let queue = queue.as_object().cloned().unwrap_or_default();
    cloud.act("queue", &queue).await.expect("a command");
    let address = cloud.addresses()["edge-api"].clone();
    let stream = network.connect(&address).await.expect("a connection");
    (cloud, stream)
}

async fn start_aos() -> (MockCloud, WebSocketStream<Stream>) {
    let (cloud, network) = start(Protocol::AosV7).await;
    let address = cloud.addresses()["aos-websocket"].clone();
    let stream = network.connect(&address).await.expect("a connection");
    let mut config = WebSocketConfig::default();
    config.read_buffer_size = 4096;
    config.write_buffer_size = 0;
    let opened = client_async_with_config("ws://cloud/ws/v7/", stream, Some(config)).await;
    (cloud, opened.expect("a WebSocket").0)
}

async fn start(protocol: Protocol) -> (MockCloud, Network) {
    let clock = Clock::new_virtual();
    let network = Network::new_memory();
    let settings = CloudSettings {
        protocol,
        bind: "cloud".to_owned(),
        advertised_host: "cloud".to_owned(),
        ports: BTreeMap::new(),
        public_url: None,
        unit_id: "hil-unit-0001".to_owned(),
        unit_key: "edk_bench_0123456789abcdef0123456789".to_owned(),
        admin_token: "admin".to_owned(),
        publish_token: "publish".to_owned(),
        options: serde_json::Map::from_iter([("tls".to_owned(), Value::Bool(false))]),
        seed: 1,
    };
    let recorder: SharedRecorder = Rc::new(Journal {
        clock,
        count: Cell::new(0),
        line: RefCell::default(),
    });
    let surroundings = CloudSurroundings {
        clock,
        network: network.clone(),
        recorder: recorder.clone(),
        faults: Rc::new(Faults::new(recorder, 1)),
        store: Rc::new(MemoryStore::default()),
        artifacts: Artifacts::default(),
        unit_faces: BTreeMap::new(),
    };
    let cloud = MockCloud::start(settings, surroundings).await.expect("a cloud");
    (cloud, network)
}

async fn start_bare() -> Stream {
    let network = Network::new_memory();
    let address = Address::Host("bare".to_owned(), 80);
    let mut listener = network.listen(&address).await.expect("a listener");
    tokio::task::spawn_local(async move {
        let stream = listener.accept().await.expect("a connection");
        let service = service_fn(|_| async {
            let body = Full::new(Bytes::from_static(br#"{"id":"c1","status":"completed"}"#));
            Ok::<_, Infallible>(hyper::Response::new(body))
        });
        let served = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        // Ends with the bench.
        let _ = served.await;
    });
    network.connect(&address).await.expect("a connection")
}

/// Writes journal lines into memory.
struct Journal {
    clock: Clock,
    count: Cell<u64>,
    line: RefCell<Vec<u8>>,
}

impl Recorder for Journal {
    fn record(&self, what: RecordBody) -> u64 {
        let seq = self.count.get();
        self.count.set(seq + 1);
        let at = self.clock.now();
        let mut line = self.line.borrow_mut();
        line.clear();
        let record = Record { seq, at, what };
        serde_json::to_writer(&mut *line, &record).expect("a record is JSON");
        black_box(&line);
        seq
    }
}

const REQUEST: &[u8] = b"POST /api/v1/commands/c1/ack HTTP/1.1\r\nHost: cloud\r\nX-Device-Key: edk_bench_0123456789abcdef0123456789\r\n\
    Content-Type: application/json\r\nContent-Length: 22\r\n\r\n{\"status\":\"completed\"}";
const MESSAGES: &str = include_str!("../../harness/wire/fixtures/aos-v7/measured.json");
