//! Decoding of AosEdge messages against `serde_json::Value` on the same bytes in the same run. The ratios to
//! `Value` are what counts; the bounds in `BOUNDS` hold for the fast path and are checked at the end.

#![allow(clippy::disallowed_methods, reason = "a benchmark measures real time")]

use criterion::{BatchSize, Criterion, Throughput};
use hil_wire::aos::{self, Dialect, Direction};
use serde::Deserialize;
use serde_json::Value;
use std::{
    hint::black_box,
    time::{Duration, Instant},
};

/// Ratio of the fast path to `Value` that must not be exceeded, by message.
const BOUNDS: [(&str, f64); 4] = [
    ("ack", 0.45),
    ("monitoringData", 0.36),
    ("unitStatus", 0.40),
    ("desiredStatus", 0.26),
];

#[derive(Deserialize)]
struct Measured {
    name: String,
    direction: Direction,
    message: Value,
}

fn main() {
    let messages: Vec<Measured> =
        serde_json::from_str(include_str!("../fixtures/aos-v7/measured.json")).expect("fixtures are JSON");
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .sample_size(40)
        .configure_from_args();
    for message in &messages {
        bench(&mut criterion, message);
    }
    criterion.final_summary();
    if measures() {
        ratios(&messages);
    }
}

fn bench(criterion: &mut Criterion, message: &Measured) {
    let frame = message.message.to_string().into_bytes();
    let mut group = criterion.benchmark_group(&message.name);
    group.throughput(Throughput::Bytes(frame.len() as u64));
    group.bench_function("value", |b| b.iter(|| value(&frame)));
    group.bench_function("decode_fast", |b| b.iter(|| fast(&frame, message.direction)));
    group.bench_function("decode", |b| b.iter(|| owned(&frame, message.direction)));
    let envelope = aos::decode(&frame, message.direction, Dialect::Seed)
        .value
        .expect("fixtures are valid");
    group.bench_function("encode", |b| {
        b.iter_batched(
            || (),
            |()| aos::encode(black_box(&envelope)),
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

fn value(frame: &[u8]) {
    black_box(serde_json::from_slice::<Value>(black_box(frame)).expect("fixtures are JSON"));
}

fn fast(frame: &[u8], direction: Direction) {
    let text = simdutf8::basic::from_utf8(black_box(frame)).expect("fixtures are UTF-8");
    black_box(aos::decode_fast(text, direction, Dialect::Seed).expect("fixtures are clean"));
}

fn owned(frame: &[u8], direction: Direction) {
    black_box(aos::decode(black_box(frame), direction, Dialect::Seed));
}

/// The best of many short interleaved runs of each, so that a neighbour on the machine hurts all alike.
#[expect(clippy::print_stdout, reason = "the result of the bench")]
fn ratios(messages: &[Measured]) {
    println!(
        "{:<16}{:>7}{:>12}{:>22}{:>22}",
        "message", "bytes", "value ns", "decode_fast ns", "decode ns"
    );
    let mut failed = false;
    for message in messages {
        let frame = message.message.to_string().into_bytes();
        let runs: [&dyn Fn(); 3] = [&|| value(&frame), &|| fast(&frame, message.direction), &|| {
            owned(&frame, message.direction)
        }];
        let mut best = [f64::INFINITY; 3];
        for _ in 0..60 {
            for (run, best) in runs.iter().zip(&mut best) {
                *best = best.min(nanoseconds(run));
            }
        }
        let [value, fast, owned] = best;
        let bound = BOUNDS
            .iter()
            .find(|(name, _)| *name == message.name)
            .map_or(1.0, |(_, bound)| *bound);
        let met = fast / value <= bound;
        failed |= !met;
        println!(
            "{:<16}{:>7}{value:>12.0}{fast:>14.0} ({:.2}x){owned:>14.0} ({:.2}x)  bound {bound:.2}: {}",
            message.name,
            frame.len(),
            fast / value,
            owned / value,
            if met { "met" } else { "MISSED" },
        );
    }
    if failed {
        std::process::exit(1);
    }
}

/// False where each bench only runs once, to see that it does.
fn measures() -> bool {
    let given = |name: &str| std::env::args().any(|argument| argument == name);
    given("--bench") && !given("--test")
}

/// Nanoseconds per call over about a millisecond.
fn nanoseconds(run: &dyn Fn()) -> f64 {
    let mut calls = 16_u32;
    loop {
        let start = Instant::now();
        for _ in 0..calls {
            run();
        }
        let taken = start.elapsed();
        if taken >= Duration::from_micros(800) {
            return taken.as_secs_f64() * 1e9 / f64::from(calls);
        }
        calls *= 2;
    }
}
