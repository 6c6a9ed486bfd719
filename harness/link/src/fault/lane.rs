//! One way of a connection: takes bytes in, lets faults act on them, and sends them on when their time has come.

use super::{affliction::Affliction, end::End, pacer, pacer::Pacer, place::Place};
use crate::{Stream, StreamHandle};
use bytes::{Buf, Bytes, BytesMut};
use hil_fault::{ConnectionEffect, Direction, FaultId};
use std::{collections::VecDeque, io, rc::Rc};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf},
    sync::Notify,
    time::{Duration, Instant, sleep_until},
};

pub(super) struct Lane {
    place: Rc<Place>,
    /// Of both sides.
    handles: [StreamHandle; 2],
    direction: Direction,
    pub(super) source: ReadHalf<Stream>,
    pub(super) sink: WriteHalf<Stream>,
    /// Faults came or went.
    pub(super) changed: Rc<Notify>,
    afflictions: Vec<Affliction>,
    /// Bytes let through so far, whether they have left or not.
    passed: u64,
    /// What came and was not let through yet.
    held: BytesMut,
    /// What was let through, with the time it leaves.
    leaving: VecDeque<(Instant, Bytes)>,
    leaving_bytes: usize,
    stalled: Option<Stall>,
    end: Option<End>,
}

/// Nothing is let through.
struct Stall {
    by: FaultId,
    until: Option<Instant>,
}

impl Lane {
    pub(super) fn new(
        place: Rc<Place>,
        handles: &[StreamHandle; 2],
        direction: Direction,
        source: ReadHalf<Stream>,
        sink: WriteHalf<Stream>,
    ) -> Self {
        Lane {
            place,
            handles: handles.clone(),
            direction,
            source,
            sink,
            changed: Rc::default(),
            afflictions: Vec::new(),
            passed: 0,
            held: BytesMut::new(),
            leaving: VecDeque::new(),
            leaving_bytes: 0,
            stalled: None,
            end: None,
        }
    }

    /// Moves bytes until this way has ended; what has to be sent has been when this returns.
    pub(super) async fn run(&mut self) -> End {
        let changed = self.changed.clone();
        loop {
            self.notice();
            self.let_through();
            let due = self.leaving.front().map(|(at, _)| *at);
            if let (None, Some(end)) = (due, self.end) {
                return self.finish(end).await;
            }
            let now = Instant::now();
            let until = self.stalled.as_ref().and_then(|stall| stall.until);
            let takes = self.end.is_none() && self.stalled.is_none() && self.leaving_bytes < ROOM;
            let (source, sink, held) = (&mut self.source, &mut self.sink, &mut self.held);
            let front = self.leaving.front_mut();
            tokio::select! {
                biased;
                () = changed.notified() => {}
                sent = send(sink, front), if due.is_some_and(|at| at <= now) => match sent {
                    Ok(count) => self.sent(count),
                    Err(_) => return End::Broken,
                },
                () = sleep_until(due.unwrap_or(now)), if due.is_some_and(|at| at > now) => {}
                () = sleep_until(until.unwrap_or(now)), if until.is_some() => self.stalled = None,
                read = source.read_buf(held), if takes => match read {
                    Ok(0) => self.end = Some(End::Fin),
                    Ok(_) => {}
                    Err(_) => return End::Broken,
                },
            }
        }
    }

    /// Takes up faults that came and drops those that went.
    fn notice(&mut self) {
        let candidates = self.place.candidates();
        let gone = |id: FaultId| !candidates.iter().any(|candidate| candidate.id == id);
        if self.stalled.as_ref().is_some_and(|stall| gone(stall.by)) {
            self.stalled = None;
        }
        let before = self.afflictions.len();
        self.afflictions.retain(|affliction| !gone(affliction.id));
        if self.afflictions.len() < before {
            // What it delayed is late enough.
            let now = Instant::now();
            for (at, _) in &mut self.leaving {
                *at = now.min(*at);
            }
        }
        for candidate in candidates {
            let known = self.afflictions.iter().any(|known| known.id == candidate.id);
            if !known && !candidate.spent && candidate.effect.concerns(self.direction) {
                let affliction = Affliction::new(candidate.id, candidate.effect, self.passed);
                self.afflictions.push(affliction);
            }
        }
    }

    /// Lets through what came, up to the next place where a fault acts.
    fn let_through(&mut self) {
        loop {
            self.act_between_bytes();
            if self.stalled.is_some() || self.end.is_some_and(|end| end != End::Fin) || self.held.is_empty() {
                break;
            }
            let barriers = self.afflictions.iter().filter_map(Affliction::barrier);
            let room = barriers
                .min()
                .map_or(u64::MAX, |at| at.saturating_sub(self.passed));
            let count = usize::try_from(room).unwrap_or(usize::MAX).min(self.held.len());
            let bytes = self.held.split_to(count);
            self.pass(bytes);
        }
        if self.end == Some(End::HalfClosed) {
            self.held.clear();
        }
        self.held.reserve(READ_SIZE);
    }

    /// Faults that act at this very place.
    fn act_between_bytes(&mut self) {
        let (place, passed, direction) = (self.place.clone(), self.passed, self.direction);
        for affliction in &mut self.afflictions {
            if affliction.barrier() != Some(passed) {
                continue;
            }
            affliction.decided = true;
            if !place.takes_turn(affliction.id, direction, passed) {
                continue;
            }
            match affliction.effect {
                ConnectionEffect::Stall { span, .. } => {
                    self.stalled = Some(Stall {
                        by: affliction.id,
                        until: span.map(|span| Instant::now() + span),
                    });
                }
                ConnectionEffect::HalfClose { .. } => self.end = Some(End::HalfClosed),
                ConnectionEffect::Reset { .. } => self.end = Some(End::Reset),
                ConnectionEffect::Truncate { .. } => self.end = Some(End::Cut),
                _ => {}
            }
            if self
                .end
                .is_some_and(|end| matches!(end, End::HalfClosed | End::Cut))
            {
                self.handles.iter().for_each(StreamHandle::cut);
            }
        }
    }

    /// Faults act on bytes that pass; they leave when the faults on timing let them.
    fn pass(&mut self, mut bytes: BytesMut) {
        let (place, passed, direction) = (self.place.clone(), self.passed, self.direction);
        for affliction in &mut self.afflictions {
            if let Some(at) = affliction.target() {
                let index = at
                    .checked_sub(passed)
                    .and_then(|index| usize::try_from(index).ok());
                if let Some(byte) = index.and_then(|index| bytes.get_mut(index)) {
                    affliction.decided = true;
                    if place.takes_turn(affliction.id, direction, at) {
                        *byte ^= 1;
                    }
                }
            } else if affliction.effect.threshold().is_none() && !affliction.decided {
                affliction.decided = true;
                if place.takes_turn(affliction.id, direction, passed) {
                    let chances = place.chances(affliction.id, direction);
                    affliction.pacer = Pacer::of(&affliction.effect, chances);
                }
            }
        }
        self.passed += bytes.len() as u64;
        self.leaving_bytes += bytes.len();
        let pacers = self
            .afflictions
            .iter_mut()
            .filter_map(|affliction| affliction.pacer.as_mut());
        let last = self.leaving.back().map(|(at, _)| *at);
        for (at, piece) in pacer::pace(&bytes.freeze(), pacers, Instant::now()) {
            self.leaving
                .push_back((last.map_or(at, |last| last.max(at)), piece));
        }
    }

    fn sent(&mut self, count: usize) {
        self.leaving_bytes -= count;
        if self.leaving.front().is_some_and(|(_, bytes)| bytes.is_empty()) {
            self.leaving.pop_front();
        }
    }

    async fn finish(&mut self, end: End) -> End {
        match end {
            End::Fin | End::HalfClosed | End::Cut => {
                if self.sink.shutdown().await.is_err() {
                    return End::Broken;
                }
            }
            // What was let through shall arrive before the reset discards it.
            End::Reset if self.passed > 0 => tokio::time::sleep(LAST_BYTES).await,
            End::Reset | End::Broken => {}
        }
        end
    }
}

/// Writes some of a piece and takes that much off it.
async fn send(sink: &mut WriteHalf<Stream>, piece: Option<&mut (Instant, Bytes)>) -> io::Result<usize> {
    let Some((_, bytes)) = piece else {
        return Ok(0);
    };
    let count = sink.write(bytes).await?;
    bytes.advance(count);
    if count == 0 {
        return Err(io::ErrorKind::WriteZero.into());
    }
    Ok(count)
}

const READ_SIZE: usize = 16 * 1024;
/// How much is taken in before it has left.
const ROOM: usize = 1 << 20;
const LAST_BYTES: Duration = Duration::from_millis(5);
