use super::{Place, disturbed};
use crate::{Stream, memory};
use hil_fault::{FaultId, FaultSpec, Faults};
use hil_trace::{FaultPhase, RecordBody, Recorder};
use serde_json::{Map, Value, json};
use std::{cell::RefCell, io::ErrorKind, rc::Rc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    task::LocalSet,
    time::{Instant, sleep, timeout},
};

/// Keeps the phases of faults.
#[derive(Default)]
struct Phases(RefCell<Vec<(u32, FaultPhase)>>);

impl Recorder for Phases {
    fn record(&self, what: RecordBody) -> u64 {
        if let RecordBody::Fault { id, phase, .. } = what {
            self.0.borrow_mut().push((id, phase));
        }
        0
    }
}

impl Phases {
    fn acted(&self, id: FaultId) -> usize {
        let acted = (id.0, FaultPhase::Acted);
        self.0.borrow().iter().filter(|phase| **phase == acted).count()
    }
}

struct Bench {
    faults: Rc<Faults>,
    phases: Rc<Phases>,
    connections: u32,
}

impl Bench {
    fn inject(&self, name: &str, with: Value) -> FaultId {
        self.faults.arm(spec(name, with), true)
    }

    /// The unit's end and the cloud's.
    fn connect(&mut self) -> (Stream, Stream) {
        self.connections += 1;
        let (unit, cloud) = memory::pair();
        let place = Place::new(self.faults.clone(), "api", self.connections, Map::new());
        (Stream::new(unit), disturbed(Stream::new(cloud), place))
    }
}

fn spec(name: &str, with: Value) -> FaultSpec {
    FaultSpec::parse(name, with.as_object().unwrap()).unwrap()
}

fn bench<F: Future<Output = ()>>(test: impl FnOnce(Bench) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    let phases = Rc::new(Phases::default());
    let bench = Bench {
        faults: Rc::new(Faults::new(phases.clone(), 1)),
        phases,
        connections: 0,
    };
    LocalSet::new().block_on(&runtime, test(bench));
}

async fn rest(stream: &mut Stream) -> Vec<u8> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    bytes
}

#[test]
fn bytes_pass_unharmed_until_a_fault_comes() {
    bench(|mut bench| async move {
        let (mut unit, mut cloud) = bench.connect();
        cloud.write_all(b"one").await.unwrap();
        bench.inject("net.latency", json!({"span": "200ms", "on": "other"}));
        let id = bench.inject("net.latency", json!({"span": "200ms", "on": "api"}));
        cloud.write_all(b"two").await.unwrap();
        let began = Instant::now();
        let mut bytes = [0; 3];
        unit.read_exact(&mut bytes).await.unwrap();
        assert_eq!((&bytes, began.elapsed()), (b"one", Duration::ZERO));
        unit.read_exact(&mut bytes).await.unwrap();
        assert_eq!((&bytes, began.elapsed()), (b"two", Duration::from_millis(200)));
        assert_eq!(bench.phases.acted(id), 1);
        bench.faults.clear(id);
        cloud.write_all(b"end").await.unwrap();
        drop(cloud);
        assert_eq!(rest(&mut unit).await, b"end");
        assert_eq!(began.elapsed(), Duration::from_millis(200));
    });
}

#[test]
fn jitter_stays_inside_its_bounds_and_comes_from_the_seed() {
    bench(|mut bench| async move {
        bench.inject("net.latency", json!({"span": "200ms", "jitter": "50ms"}));
        let mut spans = Vec::new();
        for _ in 0..20 {
            let (mut unit, mut cloud) = bench.connect();
            let began = Instant::now();
            unit.write_all(b"?").await.unwrap();
            cloud.read_u8().await.unwrap();
            spans.push(began.elapsed().as_millis());
        }
        assert!(spans.iter().all(|span| (150..=251).contains(span)), "{spans:?}");
        assert!(spans.iter().any(|span| *span != spans[0]));
    });
}

#[test]
fn a_rate_holds_over_a_long_transfer_and_latency_does_not_add_up() {
    bench(|mut bench| async move {
        bench.inject(
            "net.bandwidth",
            json!({"bytes_per_second": 10_000, "direction": "to_unit"}),
        );
        bench.inject("net.latency", json!({"span": "1s"}));
        let (mut unit, mut cloud) = bench.connect();
        let began = Instant::now();
        let sent = vec![7; 100_000];
        let sending = async {
            cloud.write_all(&sent).await.unwrap();
            cloud.shutdown().await.unwrap();
        };
        let (_, received) = tokio::join!(sending, rest(&mut unit));
        assert_eq!(received, sent);
        let seconds = began.elapsed().as_secs_f64();
        assert!((10.9..11.2).contains(&seconds), "{seconds}");
    });
}

#[test]
fn chunks_are_writes_of_their_own() {
    bench(|mut bench| async move {
        bench.inject("net.chunk", json!({"bytes": 4, "every": "1s"}));
        let (mut unit, mut cloud) = bench.connect();
        cloud.write_all(b"0123456789").await.unwrap();
        for expected in [&b"0123"[..], b"4567", b"89"] {
            let mut bytes = [0; 64];
            let count = unit.read(&mut bytes).await.unwrap();
            assert_eq!(&bytes[..count], expected);
        }
    });
}

#[test]
fn a_stall_holds_one_way_only_and_goes_on() {
    bench(|mut bench| async move {
        bench.inject("net.stall", json!({"after_bytes": 3, "for": "5s"}));
        let (mut unit, mut cloud) = bench.connect();
        let began = Instant::now();
        cloud.write_all(b"012345").await.unwrap();
        let mut bytes = [0; 3];
        unit.read_exact(&mut bytes).await.unwrap();
        assert_eq!((&bytes, began.elapsed()), (b"012", Duration::ZERO));
        unit.write_all(b"?").await.unwrap();
        assert_eq!(cloud.read_u8().await.unwrap(), b'?');
        unit.read_exact(&mut bytes).await.unwrap();
        assert_eq!((&bytes, began.elapsed().as_secs()), (b"345", 5));
    });
}

#[test]
fn a_black_hole_swallows_everything_until_it_is_cleared() {
    bench(|mut bench| async move {
        let (mut unit, mut cloud) = bench.connect();
        let id = bench.inject("net.black_hole", json!({}));
        unit.write_all(b"up").await.unwrap();
        cloud.write_all(b"down").await.unwrap();
        assert!(timeout(Duration::from_secs(3600), unit.read_u8()).await.is_err());
        assert!(timeout(Duration::from_secs(3600), cloud.read_u8()).await.is_err());
        assert_eq!(bench.phases.acted(id), 1, "once for both ways");
        bench.faults.clear(id);
        assert_eq!(
            (unit.read_u8().await.unwrap(), cloud.read_u8().await.unwrap()),
            (b'd', b'u')
        );
    });
}

#[test]
fn a_half_closed_way_ends_while_the_other_goes_on() {
    bench(|mut bench| async move {
        bench.inject("net.half_close", json!({"after_bytes": 2}));
        let (mut unit, mut cloud) = bench.connect();
        cloud.write_all(b"0123").await.unwrap();
        assert_eq!(rest(&mut unit).await, b"01");
        unit.write_all(b"?").await.unwrap();
        assert_eq!(cloud.read_u8().await.unwrap(), b'?');
    });
}

#[test]
fn a_reset_comes_at_once_or_after_bytes() {
    bench(|mut bench| async move {
        bench.inject("net.reset", json!({"times": 1}));
        let second = bench.inject("net.reset", json!({"after_bytes": 2, "direction": "to_cloud"}));
        let (mut unit, mut cloud) = bench.connect();
        assert_eq!(
            unit.read_u8().await.unwrap_err().kind(),
            ErrorKind::ConnectionReset
        );
        assert_eq!(
            cloud.read_u8().await.unwrap_err().kind(),
            ErrorKind::ConnectionReset
        );
        assert!(cloud.handle().is_reset());
        let (mut unit, mut cloud) = bench.connect();
        unit.write_all(b"012").await.unwrap();
        let mut bytes = [0; 2];
        cloud.read_exact(&mut bytes).await.unwrap();
        assert_eq!(&bytes, b"01");
        assert_eq!(
            cloud.read_u8().await.unwrap_err().kind(),
            ErrorKind::ConnectionReset
        );
        assert_eq!(
            unit.read_u8().await.unwrap_err().kind(),
            ErrorKind::ConnectionReset
        );
        assert_eq!(bench.phases.acted(second), 1);
    });
}

#[test]
fn one_bit_is_flipped_and_a_cut_ends_in_order() {
    bench(|mut bench| async move {
        bench.inject("net.corrupt", json!({"byte": 4}));
        bench.inject("net.truncate", json!({"after_bytes": 6}));
        let (mut unit, mut cloud) = bench.connect();
        cloud.write_all(b"00").await.unwrap();
        cloud.write_all(b"000000").await.unwrap();
        assert_eq!(rest(&mut unit).await, b"000010");
        assert_eq!(cloud.read(&mut [0]).await.unwrap(), 0);
        assert!(cloud.handle().is_cut());
    });
}

#[test]
fn connections_are_counted_where_the_fault_would_act() {
    bench(|mut bench| async move {
        let id = bench.inject("net.truncate", json!({"after_bytes": 4, "skip": 1, "times": 1}));
        for (sent, expected) in [
            ("0", "0"),
            ("0123456", "0123456"),
            ("01", "01"),
            ("0123456", "0123"),
        ] {
            let (mut unit, mut cloud) = bench.connect();
            cloud.write_all(sent.as_bytes()).await.unwrap();
            let _ = cloud.shutdown().await;
            assert_eq!(rest(&mut unit).await, expected.as_bytes());
        }
        assert_eq!(bench.phases.acted(id), 1);
        let (mut unit, mut cloud) = bench.connect();
        cloud.write_all(b"0123456").await.unwrap();
        cloud.shutdown().await.unwrap();
        assert_eq!(rest(&mut unit).await, b"0123456");
    });
}

#[test]
fn a_fault_that_comes_later_meets_connections_that_are_up() {
    bench(|mut bench| async move {
        let (mut unit, _cloud) = bench.connect();
        let fault = bench.faults.arm(spec("net.reset", json!({})), false);
        let faults = bench.faults.clone();
        tokio::task::spawn_local(async move {
            sleep(Duration::from_secs(3)).await;
            faults.ignite(fault);
        });
        let began = Instant::now();
        assert_eq!(
            unit.read_u8().await.unwrap_err().kind(),
            ErrorKind::ConnectionReset
        );
        assert_eq!(began.elapsed().as_secs(), 3);
    });
}

#[test]
fn withheld_faults_change_nothing() {
    bench(|mut bench| async move {
        bench.faults.withhold();
        let id = bench.inject("net.reset", json!({}));
        let (mut unit, mut cloud) = bench.connect();
        cloud.write_all(b"whole").await.unwrap();
        drop(cloud);
        assert_eq!(rest(&mut unit).await, b"whole");
        assert_eq!(bench.phases.acted(id), 0);
    });
}
