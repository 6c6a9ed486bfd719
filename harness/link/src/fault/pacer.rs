//! When bytes may go on: later, slower, or in small pieces.

use bytes::Bytes;
use hil_fault::ConnectionEffect;
use rand::{Rng, rngs::SmallRng};
use std::time::Duration;
use tokio::time::Instant;

/// The timing effect of one fault that acts.
pub(super) enum Pacer {
    Latency {
        span: Duration,
        jitter: Duration,
        chances: SmallRng,
    },
    Bandwidth {
        rate: u64,
        free: Instant,
    },
    Chunk {
        bytes: usize,
        every: Duration,
        free: Instant,
    },
}

impl Pacer {
    /// The pacer of an effect on timing; `None` for other effects.
    pub(super) fn of(effect: &ConnectionEffect, chances: SmallRng) -> Option<Pacer> {
        let now = Instant::now();
        Some(match effect {
            ConnectionEffect::Latency { span, jitter, .. } => Pacer::Latency {
                span: *span,
                jitter: *jitter,
                chances,
            },
            ConnectionEffect::Bandwidth { rate, .. } => Pacer::Bandwidth {
                rate: (*rate).max(1),
                free: now,
            },
            ConnectionEffect::Chunk { bytes, every, .. } => Pacer::Chunk {
                bytes: usize::try_from(*bytes).unwrap_or(usize::MAX).max(1),
                every: *every,
                free: now,
            },
            _ => return None,
        })
    }

    /// How large a piece may be at most.
    fn piece(&self) -> usize {
        match self {
            Pacer::Latency { .. } => usize::MAX,
            Pacer::Bandwidth { rate, .. } => usize::try_from(rate / PIECES_PER_SECOND)
                .unwrap_or(usize::MAX)
                .max(1),
            Pacer::Chunk { bytes, .. } => *bytes,
        }
    }

    /// When a piece that may go on at `at` goes on.
    fn pace(&mut self, at: Instant, length: usize) -> Instant {
        match self {
            Pacer::Latency {
                span,
                jitter,
                chances,
            } => {
                let least = span.saturating_sub(*jitter);
                let most = span.saturating_add(*jitter);
                let late = match most > least {
                    true => Duration::from_micros(chances.random_range(micros(least)..=micros(most))),
                    false => least,
                };
                at + late
            }
            Pacer::Bandwidth { rate, free } => {
                let takes = (length as u64).saturating_mul(1_000_000) / *rate;
                *free = at.max(*free) + Duration::from_micros(takes);
                *free
            }
            Pacer::Chunk { every, free, .. } => {
                let goes = at.max(*free);
                *free = goes + *every;
                goes
            }
        }
    }
}

/// Cuts bytes as all pacers ask for and says when each piece goes on.
pub(super) fn pace<'p>(
    bytes: &Bytes,
    pacers: impl Iterator<Item = &'p mut Pacer>,
    now: Instant,
) -> Vec<(Instant, Bytes)> {
    let mut pacers: Vec<&mut Pacer> = pacers.collect();
    let piece = pacers
        .iter()
        .map(|pacer| pacer.piece())
        .min()
        .unwrap_or(usize::MAX);
    let mut pieces = Vec::new();
    let mut rest = bytes.clone();
    while !rest.is_empty() {
        let piece = rest.split_to(piece.min(rest.len()));
        let at = pacers
            .iter_mut()
            .fold(now, |at, pacer| pacer.pace(at, piece.len()));
        pieces.push((at, piece));
    }
    pieces
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

/// How finely a limited rate is cut.
const PIECES_PER_SECOND: u64 = 20;
