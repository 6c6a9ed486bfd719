//! A time server (SNTP, RFC 4330): a unit that takes its time from it has the clock the lab wants it to have.

use crate::instrument::Instrument;
use async_trait::async_trait;
use hil_unit::{
    UnitError,
    link::Clock,
    trace::{Party, RecordBody, SharedRecorder},
};
use serde_json::{Map, Value, json};
use std::{cell::Cell, rc::Rc, time::Duration};
use tokio::{net::UdpSocket, sync::Notify, time::timeout};

/// Tells the time of the bench, or another one.
pub(crate) struct TimeServer {
    clock: Clock,
    recorder: SharedRecorder,
    /// What is added to the right time, in microseconds.
    offset_us: Cell<i64>,
    /// How often the unit asks, at the latest.
    every: Duration,
    answered: Notify,
}

impl TimeServer {
    pub(crate) const STIMULI: &[&str] = &["clock_jump", "clock_unset"];

    pub(crate) fn new(clock: Clock, recorder: SharedRecorder, every: Duration) -> Rc<TimeServer> {
        Rc::new(TimeServer {
            clock,
            recorder,
            offset_us: Cell::new(0),
            every,
            answered: Notify::new(),
        })
    }

    /// Answers until cancelled.
    pub(crate) async fn serve(self: Rc<Self>, socket: UdpSocket) {
        let mut request = [0; 512];
        loop {
            let Ok((count, from)) = socket.recv_from(&mut request).await else {
                tokio::task::yield_now().await;
                continue;
            };
            self.note(Party::Unit, Map::new(), &request[..count]);
            let now_us = self.told_us();
            let Some(answer) = answer(&request[..count], now_us) else {
                continue;
            };
            let facts = json!({"unix_seconds": now_us.div_euclid(1_000_000)});
            self.note(
                Party::Cloud,
                facts.as_object().cloned().unwrap_or_default(),
                &answer,
            );
            // A unit that has gone gets no time.
            let _ = socket.send_to(&answer, from).await;
            self.answered.notify_waiters();
        }
    }

    fn right_us(&self) -> i64 {
        self.clock.unix_us(self.clock.now())
    }

    fn told_us(&self) -> i64 {
        self.right_us().saturating_add(self.offset_us.get())
    }

    fn note(&self, from: Party, facts: Map<String, Value>, payload: &[u8]) {
        self.recorder.record(RecordBody::Datagram {
            face: "time".to_owned(),
            from,
            facts,
            payload: payload.into(),
        });
    }
}

#[async_trait(?Send)]
impl Instrument for TimeServer {
    fn stimuli(&self) -> &'static [&'static str] {
        TimeServer::STIMULI
    }

    fn prepare(&self) {
        self.offset_us.set(0);
    }

    /// The unit has the other time once it has asked for it.
    async fn stimulate(
        &self,
        name: &str,
        arguments: &Map<String, Value>,
        undo: bool,
    ) -> Result<Value, UnitError> {
        let offset_us = match name {
            "clock_unset" if undo => 0,
            // The first hour of 1970.
            "clock_unset" => 1_000_000 - self.right_us(),
            _ => {
                let seconds = arguments
                    .get("seconds")
                    .and_then(Value::as_f64)
                    .unwrap_or_default();
                let by = if undo { -seconds } else { seconds };
                self.offset_us.get().saturating_add((by * 1e6) as i64)
            }
        };
        let answered = self.answered.notified();
        self.offset_us.set(offset_us);
        timeout(self.every, answered).await.map_err(|_| {
            UnitError::Lab(format!(
                "the unit did not ask the time server within {} s; `lab: {{time_server: {{every: …}}}}` says how often it does",
                self.every.as_secs_f64()
            ))
        })?;
        Ok(json!({"time_server": name, "offset": offset_us as f64 / 1e6}))
    }
}

/// The answer to a request at a time in microseconds since 1970; none to what is no request.
fn answer(request: &[u8], now_us: i64) -> Option<Vec<u8>> {
    let first = *request.first().filter(|_| request.len() >= PACKET)?;
    let (version, mode) = (first >> 3 & 7, first & 7);
    if !(1..=4).contains(&version) || mode != CLIENT {
        return None;
    }
    let now = timestamp(now_us);
    let mut packet = vec![0; PACKET];
    packet[0] = version << 3 | SERVER;
    // Stratum 1, poll interval as asked, precision of a microsecond, "HIL" as reference.
    packet[1] = 1;
    packet[2] = request[2];
    packet[3] = 0xec;
    packet[12..15].copy_from_slice(b"HIL");
    packet[16..24].copy_from_slice(&now);
    packet[24..32].copy_from_slice(&request[40..48]);
    packet[32..40].copy_from_slice(&now);
    packet[40..48].copy_from_slice(&now);
    Some(packet)
}

/// Seconds since 1900 modulo the era, and their fraction, both of 32 bits.
fn timestamp(unix_us: i64) -> [u8; 8] {
    let seconds = unix_us.div_euclid(1_000_000) + SINCE_1900;
    let fraction = (unix_us.rem_euclid(1_000_000) << 32) / 1_000_000;
    let mut bytes = [0; 8];
    bytes[..4].copy_from_slice(&(seconds as u32).to_be_bytes());
    bytes[4..].copy_from_slice(&(fraction as u32).to_be_bytes());
    bytes
}

const PACKET: usize = 48;
const CLIENT: u8 = 3;
const SERVER: u8 = 4;
/// From 1900 to 1970.
const SINCE_1900: i64 = 2_208_988_800;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_answered_with_the_time() {
        let mut request = vec![0; 48];
        request[0] = 0x23;
        request[40..48].copy_from_slice(&[1, 2, 3, 4, 5, 6, 7, 8]);
        let packet = answer(&request, 1_500_000).unwrap();
        assert_eq!((packet[0], packet[1]), (0x24, 1));
        assert_eq!(packet[24..32], request[40..48]);
        assert_eq!(packet[40..48], [0x83, 0xaa, 0x7e, 0x81, 0x80, 0, 0, 0]);
        assert_eq!(answer(&request[..47], 0), None);
        request[0] = 0x24;
        assert_eq!(answer(&request, 0), None);
    }
}
