//! The bytes of a byte stream between the core and the transport; faults on lines strike here. What the unit sends is
//! recorded as it came, even where a fault lets the core hear something else.

use super::{Host, link::Item};
use bytes::{Bytes, BytesMut};
use hil_fault::{LineEffect, Site};
use hil_trace::{Party, Stamp};
use std::{collections::VecDeque, rc::Rc, time::Duration};

/// One byte stream that is open.
pub(super) struct Line {
    host: Rc<Host>,
    connection: u32,
    /// What waits for a pause to be over.
    waiting: VecDeque<(Stamp, Bytes)>,
    /// What the unit sent since its last line feed, while a fault waits for whole lines.
    heard: BytesMut,
    /// When that counts as whole all the same.
    whole_at: Option<Stamp>,
    /// Nothing passes until then.
    silent: Option<Stamp>,
    /// The core sends nothing more.
    ending: bool,
}

impl Line {
    pub(super) fn new(host: Rc<Host>, connection: u32) -> Self {
        Line {
            host,
            connection,
            waiting: VecDeque::new(),
            heard: BytesMut::new(),
            whole_at: None,
            silent: None,
            ending: false,
        }
    }

    /// Takes what the core sends.
    pub(super) fn stage(&mut self, item: Item, outgoing: &mut BytesMut) {
        match item {
            Item::Bytes(parts) if !self.ending => {
                let mut due = self.waiting.back().map_or(self.now(), |(due, _)| *due);
                for part in parts {
                    due = due + part.pause;
                    self.waiting.push_back((due, part.bytes.into()));
                }
                self.release(outgoing);
            }
            Item::Silence(span) => self.fall_silent(span),
            Item::End => self.ending = true,
            Item::Bytes(_) | Item::Frame(_) => {}
        }
    }

    /// Records what is due and puts it on its way.
    pub(super) fn release(&mut self, outgoing: &mut BytesMut) {
        let now = self.now();
        while let Some((_, bytes)) = self.waiting.pop_front_if(|(due, _)| *due <= now) {
            if !bytes.is_empty() && !self.is_silent() {
                self.host.edge.bytes(self.connection, Party::Cloud, &bytes);
                outgoing.extend_from_slice(&bytes);
            }
        }
    }

    /// True once everything was released and the core sends nothing more.
    pub(super) fn is_ending(&self) -> bool {
        self.ending && self.waiting.is_empty()
    }

    /// When to call [`Line::release`] and [`Line::hear`] again.
    pub(super) fn next_wake(&self) -> Option<Stamp> {
        let due = self.waiting.front().map(|(due, _)| *due);
        [due, self.whole_at].into_iter().flatten().min()
    }

    /// Records what came from the unit, nothing if time has passed only, and whether more will come; returns what the core
    /// hears of it.
    pub(super) fn hear(&mut self, bytes: &[u8], ended: bool) -> Vec<u8> {
        if !bytes.is_empty() {
            self.host.edge.bytes(self.connection, Party::Unit, bytes);
        }
        if self.is_silent() {
            return Vec::new();
        }
        self.heard.extend_from_slice(bytes);
        let mut told = Vec::new();
        if !self.host.edge.faults.is_armed_at(Site::Line) {
            self.whole_at = None;
            told.extend_from_slice(&self.heard.split());
            return told;
        }
        while !self.is_silent()
            && let Some(at) = self.heard.iter().position(|byte| *byte == b'\n')
        {
            let line = self.heard.split_to(at + 1).freeze();
            self.hear_line(&line, &mut told);
        }
        if self.is_silent() {
            self.heard.clear();
        }
        let now = self.now();
        if self.heard.is_empty() {
            self.whole_at = None;
        } else if ended || self.whole_at.is_some_and(|at| at <= now) {
            let rest = self.heard.split().freeze();
            self.hear_line(&rest, &mut told);
            self.whole_at = None;
        } else if !bytes.is_empty() {
            self.whole_at = Some(now + WHOLE_AFTER);
        }
        told
    }

    fn hear_line(&mut self, line: &Bytes, told: &mut Vec<u8>) {
        let operation = self.host.core.borrow().line_operation(self.connection, line);
        match self.host.edge.strike_line(self.connection, &operation) {
            None => told.extend_from_slice(line),
            Some((LineEffect::Silence { span }, _)) => self.fall_silent(span),
            Some((effect, draw)) => {
                for part in effect.shape(line, self.host.baud_rate, draw) {
                    told.extend_from_slice(&part.bytes);
                }
            }
        }
    }

    fn fall_silent(&mut self, span: Option<Duration>) {
        self.silent = Some(span.map_or(Stamp(u64::MAX), |span| self.now() + span));
    }

    fn now(&self) -> Stamp {
        self.host.edge.clock.now()
    }

    fn is_silent(&self) -> bool {
        self.silent.is_some_and(|until| self.now() < until)
    }
}

/// A line of the unit that does not end counts as whole after this time.
const WHOLE_AFTER: Duration = Duration::from_millis(50);
