//! A name server (RFC 1035, over UDP) for units whose names the lab resolves: what a name is answered stands in the name.

use crate::instrument::Instrument;
use hil_unit::trace::{Party, RecordBody, SharedRecorder};
use serde_json::{Map, Value, json};
use std::{net::IpAddr, net::Ipv4Addr, rc::Rc};
use tokio::net::UdpSocket;

/// Knows the names below `hil.test`, and no other.
pub(crate) struct NameServer {
    recorder: SharedRecorder,
    /// Where everything is but what is dead.
    here: Ipv4Addr,
}

/// What a name is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Address(Ipv4Addr),
    /// There is the name, and nothing of the type that was asked for.
    Nothing,
    NoSuchName,
    Silence,
}

/// One question.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Question {
    name: String,
    kind: u16,
    /// Where it ends in the message.
    end: usize,
}

impl NameServer {
    /// A server at an address, where the cloud is, too.
    pub(crate) fn new(recorder: SharedRecorder, here: IpAddr) -> Rc<NameServer> {
        let here = match here {
            IpAddr::V4(here) => here,
            IpAddr::V6(_) => Ipv4Addr::LOCALHOST,
        };
        Rc::new(NameServer { recorder, here })
    }

    /// Answers until cancelled.
    pub(crate) async fn serve(self: Rc<Self>, socket: UdpSocket) {
        let mut request = [0; 1024];
        loop {
            let Ok((count, from)) = socket.recv_from(&mut request).await else {
                tokio::task::yield_now().await;
                continue;
            };
            if let Some(answer) = self.hear(&request[..count]) {
                // A unit that has gone gets no answer.
                let _ = socket.send_to(&answer, from).await;
            }
        }
    }

    /// Records a question, and answers it.
    fn hear(&self, request: &[u8]) -> Option<Vec<u8>> {
        let question = Question::read(request)?;
        let answer = self.resolve(&question);
        let facts = json!({"name": question.name, "type": question.word(), "answer": answer.word()});
        self.note(Party::Unit, facts, request);
        let message = message(request, &question, answer)?;
        self.note(
            Party::Cloud,
            json!({"name": question.name, "answer": answer.word()}),
            &message,
        );
        Some(message)
    }

    fn resolve(&self, question: &Question) -> Answer {
        let name = question.name.to_ascii_lowercase();
        let Some(first) = name.strip_suffix(".hil.test") else {
            return Answer::NoSuchName;
        };
        let address = match first {
            "gone" => return Answer::NoSuchName,
            "mute" => return Answer::Silence,
            // Refuses on this machine; nowhere at all for a unit of a real network (RFC 5737).
            "dead" if self.here.is_loopback() => Ipv4Addr::new(127, 0, 0, 99),
            "dead" => Ipv4Addr::new(192, 0, 2, 1),
            _ => self.here,
        };
        match question.kind {
            TYPE_A => Answer::Address(address),
            _ => Answer::Nothing,
        }
    }

    fn note(&self, from: Party, facts: Value, payload: &[u8]) {
        let facts: Map<String, Value> = facts.as_object().cloned().unwrap_or_default();
        self.recorder.record(RecordBody::Datagram {
            face: "names".to_owned(),
            from,
            facts,
            payload: payload.into(),
        });
    }
}

impl Instrument for NameServer {}

impl Answer {
    fn word(self) -> String {
        match self {
            Answer::Address(address) => address.to_string(),
            Answer::Nothing => "nothing of that type".to_owned(),
            Answer::NoSuchName => "no such name".to_owned(),
            Answer::Silence => "silence".to_owned(),
        }
    }
}

impl Question {
    /// The first question of a query.
    fn read(message: &[u8]) -> Option<Question> {
        let flags = u16::from_be_bytes([*message.get(2)?, *message.get(3)?]);
        let questions = u16::from_be_bytes([*message.get(4)?, *message.get(5)?]);
        if flags & QUERY_MASK != 0 || questions == 0 {
            return None;
        }
        let (mut at, mut labels) = (HEADER, Vec::new());
        loop {
            let length = usize::from(*message.get(at)?);
            at += 1;
            if length == 0 {
                break;
            }
            // A pointer has nothing to point to in a question.
            if length > LONGEST_LABEL || at > HEADER + LONGEST_NAME {
                return None;
            }
            labels.push(String::from_utf8_lossy(message.get(at..at + length)?).into_owned());
            at += length;
        }
        let kind = u16::from_be_bytes([*message.get(at)?, *message.get(at + 1)?]);
        message.get(at + 3)?;
        Some(Question {
            name: labels.join("."),
            kind,
            end: at + 4,
        })
    }

    fn word(&self) -> String {
        match self.kind {
            TYPE_A => "A".to_owned(),
            28 => "AAAA".to_owned(),
            other => other.to_string(),
        }
    }
}

/// The message of an answer; none for silence.
fn message(request: &[u8], question: &Question, answer: Answer) -> Option<Vec<u8>> {
    let (code, address) = match answer {
        Answer::Silence => return None,
        Answer::NoSuchName => (NO_SUCH_NAME, None),
        Answer::Nothing => (0, None),
        Answer::Address(address) => (0, Some(address)),
    };
    let mut message = request.get(..2)?.to_vec();
    // An answer of the one who knows; recursion as it was asked for, and there.
    message.extend([0x84 | request.get(2)? & 1, 0x80 | code]);
    message.extend([0, 1, 0, u8::from(address.is_some()), 0, 0, 0, 0]);
    message.extend_from_slice(request.get(HEADER..question.end)?);
    if let Some(address) = address {
        // The name again, type A, class IN, no time to live, four bytes.
        message.extend([0xc0, HEADER as u8, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4]);
        message.extend(address.octets());
    }
    Some(message)
}

const HEADER: usize = 12;
const LONGEST_LABEL: usize = 63;
const LONGEST_NAME: usize = 255;
/// Set in answers and in what is no plain query.
const QUERY_MASK: u16 = 0xf800;
const TYPE_A: u16 = 1;
const NO_SUCH_NAME: u8 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    fn query(name: &str, kind: u8) -> Vec<u8> {
        let mut message = vec![7, 9, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        for label in name.split('.') {
            message.push(label.len() as u8);
            message.extend(label.bytes());
        }
        message.extend([0, 0, kind, 0, 1]);
        message
    }

    #[test]
    fn questions_are_read_and_nothing_else() {
        let message = query("gone.hil.test", 1);
        let question = Question::read(&message).unwrap();
        assert_eq!((question.name.as_str(), question.kind), ("gone.hil.test", 1));
        assert_eq!(question.end, message.len());
        for length in 0..message.len() {
            assert_eq!(Question::read(&message[..length]), None, "{length}");
        }
        let mut answer = message.clone();
        answer[2] |= 0x80;
        assert_eq!(Question::read(&answer), None);
        let mut pointer = message.clone();
        pointer[HEADER] = 0xc0;
        assert_eq!(Question::read(&pointer), None);
    }

    #[test]
    fn answers_are_made() {
        let request = query("cloud.hil.test", 1);
        let question = Question::read(&request).unwrap();
        let made = message(&request, &question, Answer::Address(Ipv4Addr::new(127, 0, 0, 1))).unwrap();
        assert_eq!(made[..12], [7, 9, 0x85, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]);
        assert!(made.ends_with(&[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 127, 0, 0, 1]));
        let none = message(&request, &question, Answer::NoSuchName).unwrap();
        assert_eq!((none[3], none[7], none.len()), (0x83, 0, request.len()));
        assert_eq!(message(&request, &question, Answer::Silence), None);
    }
}
