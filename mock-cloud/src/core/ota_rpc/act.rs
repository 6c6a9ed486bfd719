//! What scenario steps ask of this cloud; names and arguments are those of the vocabulary.

use super::{
    OtaRpcCloud,
    channel::Name,
    request::{CallRequest, Transport, bad, connection, seconds, span},
};
use crate::core::{ActError, Now, Outputs};
use hil_fault::Artifact;
use hil_trace::Stamp;
use hil_wire::ota_rpc::{Frame, Id, Outcome, Write, method, mqtt::mos_source};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// A call that is made again and again.
#[derive(Clone, Debug)]
pub(super) struct Poll {
    pub(super) number: u64,
    pub(super) next: Stamp,
    every: Duration,
    left: Option<u64>,
    with: Map<String, Value>,
    until: Option<Until>,
    /// The calls made and not answered yet.
    calls: Vec<u64>,
}

/// The answer that ends repeated calls.
#[derive(Clone, Debug, PartialEq)]
enum Until {
    /// Any success.
    Success,
    /// This version runs.
    Version(String),
    /// The firmware that runs is committed.
    Settled,
}

impl OtaRpcCloud {
    pub(super) fn do_action(
        &mut self,
        now: Now,
        action: &str,
        with: &Map<String, Value>,
        artifacts: &dyn Fn(&str) -> Option<Artifact>,
        out: &mut Outputs,
    ) -> Result<Map<String, Value>, ActError> {
        let result = match action {
            "call" => {
                let id = self.new_id();
                let request = self.read_call(with, id)?;
                let id = request.frame.id.as_ref().map(Id::to_value);
                json!({"call": self.call(now, request, out), "id": id})
            }
            "push" => self.push(now, with, out)?,
            "call_raw" => self.raw(with, out)?,
            "poll" => self.poll(now, with, None, out)?,
            "await" => {
                let version = with.get("version").and_then(Value::as_str);
                let until = version.map_or(Until::Success, |version| Until::Version(version.to_owned()));
                self.settle(now, with, out)?;
                self.poll(now, with, Some(until), out)?
            }
            "stop_polling" => {
                match with.get("poll").and_then(Value::as_u64) {
                    Some(number) => self.polls.retain(|poll| poll.number != number),
                    None => self.polls.clear(),
                }
                json!({})
            }
            "connect" => {
                let name = Name::Socket(connection(with));
                self.open(&name, with.get("subprotocol").and_then(Value::as_str), out);
                json!({})
            }
            "disconnect" => {
                let transport = Transport::read(with, Transport::WebSocket)?;
                if transport == Transport::Mqtt {
                    self.part_with_unit(out);
                    return Ok(Map::new());
                }
                let name = Name::of(transport, &connection(with));
                let name = name.ok_or_else(|| bad("transport", "has no lasting connection"))?;
                self.close(&name, out);
                json!({})
            }
            "handshake" => {
                let limit = span(seconds(with, "limit").unwrap_or(10.0));
                let times = with.get("times").and_then(Value::as_u64);
                self.begin_handshake(now, limit, times, out);
                json!({})
            }
            "publish" => self.publish(with, artifacts, out)?,
            "withdraw" => self.withdraw(with, out)?,
            _ => return Err(ActError::UnknownAction(format!("cloud.{action}"))),
        };
        Ok(result.as_object().cloned().unwrap_or_default())
    }

    /// Makes the repeated calls that are due.
    pub(super) fn make_polls(&mut self, now: Now, out: &mut Outputs) {
        let due: Vec<usize> = (0..self.polls.len())
            .filter(|&index| self.is_free(&self.polls[index]) && self.polls[index].next <= now.stamp)
            .collect();
        for index in due {
            let poll = &mut self.polls[index];
            poll.next = now.stamp + poll.every;
            poll.left = poll.left.map(|left| left.saturating_sub(1));
            let with = poll.with.clone();
            let id = self.new_id();
            // The arguments were read once already.
            if let Ok(request) = self.read_call(&with, id) {
                let call = self.call(now, request, out);
                self.polls[index].calls.push(call);
            }
        }
        self.polls.retain(|poll| poll.left != Some(0));
    }

    /// When the next repeated call is due.
    pub(super) fn next_poll_at(&self) -> Option<Stamp> {
        let free = self.polls.iter().filter(|poll| self.is_free(poll));
        free.map(|poll| poll.next).min()
    }

    /// While a unit is brought into the declared state nobody waits for it yet.
    fn is_free(&self, poll: &Poll) -> bool {
        !self.settling || !matches!(poll.until, Some(Until::Success | Until::Version(_)))
    }

    /// Begins to bring a unit that nobody provisioned into the declared state, once: its firmware is committed, whatever
    /// went before.
    fn settle(&mut self, now: Now, with: &Map<String, Value>, out: &mut Outputs) -> Result<(), ActError> {
        if !std::mem::take(&mut self.unsettled) {
            return Ok(());
        }
        self.settling = true;
        let mut with = with.clone();
        with.insert("method".to_owned(), method::GET_BOOT_STATE.into());
        self.poll(now, &with, Some(Until::Settled), out).map(drop)
    }

    /// The answer to a question for the boot state while settling.
    fn settled_by(&mut self, reply: &Frame) {
        let committed = match reply.outcome() {
            Some(Outcome::Success { result, .. }) => result.and_then(|result| result.get("is_committed")),
            _ => None,
        };
        // A unit that does not say cannot be helped.
        if committed != Some(&Value::Bool(false)) {
            self.settling = false;
            self.polls.retain(|poll| poll.until != Some(Until::Settled));
            return;
        }
        let asking = self.polls.iter().find(|poll| poll.until == Some(Until::Settled));
        if let Some(mut commit) = asking.cloned() {
            commit.with.insert("method".to_owned(), method::COMMIT.into());
            commit.number = self.next_poll;
            self.next_poll += 1;
            commit.next = Stamp::ZERO;
            commit.left = Some(1);
            commit.until = None;
            commit.calls.clear();
            self.polls.push(commit);
        }
    }

    /// A call was answered: repeated calls end with the answer they wait for.
    pub(super) fn unit_answered(&mut self, call: u64, reply: &Frame) {
        let settles = |poll: &Poll| poll.until == Some(Until::Settled) && poll.calls.contains(&call);
        if self.polls.iter().any(settles) {
            return self.settled_by(reply);
        }
        let Some(Outcome::Success { result, .. }) = reply.outcome() else {
            return;
        };
        let version = result
            .and_then(|result| result.get("fw_version"))
            .and_then(Value::as_str);
        if let Some(version) = version {
            self.running = Some(version.to_owned());
        }
        self.polls.retain_mut(|poll| {
            let asked = poll.calls.contains(&call);
            poll.calls.retain(|open| *open > call);
            let satisfied = match &poll.until {
                None | Some(Until::Settled) => false,
                Some(Until::Success) => true,
                Some(Until::Version(wanted)) => version == Some(wanted),
            };
            !(asked && satisfied)
        });
    }

    fn poll(
        &mut self,
        now: Now,
        with: &Map<String, Value>,
        until: Option<Until>,
        out: &mut Outputs,
    ) -> Result<Value, ActError> {
        let mut with = with.clone();
        with.entry("method").or_insert(method::GET_INFO.into());
        with.entry("limit").or_insert(2.0.into());
        with.shift_remove("id");
        let id = self.new_id();
        CallRequest::read(&with, id, self.usual)?;
        let pause = if until.is_some() { 0.5 } else { 1.0 };
        let every = span(seconds(&with, "every").unwrap_or(pause)).max(SHORTEST);
        let number = self.next_poll;
        self.next_poll += 1;
        self.polls.push(Poll {
            number,
            next: now.stamp,
            every,
            left: with.get("times").and_then(Value::as_u64),
            with,
            until,
            calls: Vec::new(),
        });
        self.make_polls(now, out);
        Ok(json!({"poll": number}))
    }

    /// Calls `OTA.Write` with one part of an archive.
    fn push(&mut self, now: Now, with: &Map<String, Value>, out: &mut Outputs) -> Result<Value, ActError> {
        let number = |name: &str| with.get(name).and_then(Value::as_u64);
        let path = with.get("path").and_then(Value::as_str).unwrap_or_default();
        let (offset, data) =
            self.part_of_archive(path, number("part").unwrap_or(1), number("of").unwrap_or(1))?;
        let mut arguments = with.clone();
        for name in ["path", "part", "of"] {
            arguments.shift_remove(name);
        }
        arguments.insert("method".to_owned(), method::WRITE.into());
        arguments.insert("args".to_owned(), Write { offset, data }.to_value());
        let id = self.new_id();
        let request = self.read_call(&arguments, id)?;
        let id = request.frame.id.as_ref().map(Id::to_value);
        Ok(json!({"call": self.call(now, request, out), "id": id}))
    }

    /// Reads the arguments of a call. Over MQTT the sender is said, as replies go there.
    fn read_call(&self, with: &Map<String, Value>, id: Id) -> Result<CallRequest, ActError> {
        let mut request = CallRequest::read(with, id, self.usual)?;
        let anonymous = with.get("no_src") == Some(&Value::Bool(true));
        if request.transport == Transport::Mqtt && request.frame.id.is_some() && !anonymous {
            let usual = || mos_source(&self.settings.unit_id, "hil");
            request.frame.src.get_or_insert_with(usual);
        }
        Ok(request)
    }

    fn raw(&mut self, with: &Map<String, Value>, out: &mut Outputs) -> Result<Value, ActError> {
        let word = |name: &str| with.get(name).and_then(Value::as_str);
        let fill = with.get("fill").and_then(Value::as_u64).unwrap_or(0);
        let mut bytes = vec![b'x'; usize::try_from(fill).unwrap_or_default().min(MOST)];
        bytes.extend_from_slice(word("text").unwrap_or_default().as_bytes());
        bytes.extend(from_hex(word("hex").unwrap_or_default()).ok_or_else(|| bad("hex", "is no hex"))?);
        let mut arguments = with.clone();
        arguments.insert("method".to_owned(), "raw".into());
        arguments.entry("limit").or_insert(5.0.into());
        let mut request = CallRequest::read(&arguments, Id::from(0), self.usual)?;
        request.frame.id = None;
        request.frame.method = None;
        let path = word("path").unwrap_or("/rpc").to_owned();
        Ok(json!({"call": self.call_raw(request, &path, bytes, out)}))
    }

    /// An id as `mos` draws them: from 2^40 up to 2^41.
    fn new_id(&mut self) -> Id {
        let number = self.next_id;
        self.next_id += 1;
        Id::from((1 << 40) + (number & ((1 << 40) - 1)))
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> = text
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| c.to_digit(16))
        .collect::<Option<_>>()?;
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    Some(
        digits
            .chunks(2)
            .map(|pair| (pair[0] * 16 + pair[1]) as u8)
            .collect(),
    )
}

/// Repeated calls are at least this far apart.
const SHORTEST: Duration = Duration::from_millis(10);
const MOST: usize = 1 << 20;
