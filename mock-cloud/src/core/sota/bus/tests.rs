//! The bus without a front: connections that say hello, names, routing, calls both ways, and what is no D-Bus.

use super::*;
use hil_wire::{
    dbus::{OPENING, Value as Argument},
    sota::{
        DownloadComplete,
        bus::{CLIENT, CLIENT_PATH, MANAGER, download_complete},
    },
};
use std::time::Duration;

/// A bus and what it sends, put together again.
struct Desk {
    bus: Bus,
    read: BTreeMap<u32, (bool, Assembler)>,
    notes: Vec<(String, Value)>,
    reset: Vec<u32>,
    serial: u32,
}

impl Desk {
    fn new(manager: bool) -> Self {
        Desk {
            bus: Bus::new(7, manager),
            read: BTreeMap::new(),
            notes: Vec::new(),
            reset: Vec::new(),
            serial: 0,
        }
    }

    fn take(&mut self, out: Outputs) {
        let notes = out.notes.into_iter();
        self.notes
            .extend(notes.map(|(name, facts)| (name, Value::Object(facts))));
        for sent in out.sends {
            match sent {
                Send::Bytes {
                    connection, payload, ..
                } => {
                    let (begun, assembler) = self.read.entry(connection).or_default();
                    // The first thing that comes is the line of the handshake.
                    if std::mem::replace(begun, true) {
                        assembler.push(&payload);
                    }
                }
                Send::Reset { connection } => self.reset.push(connection),
                other => panic!("{other:?}"),
            }
        }
    }

    fn bytes(&mut self, connection: u32, bytes: &[u8]) {
        let mut out = Outputs::default();
        self.bus.bytes(connection, bytes, &mut out);
        self.take(out);
    }

    fn say(&mut self, connection: u32, message: Message) -> u32 {
        self.serial += 1;
        let serial = self.serial;
        self.bytes(connection, &Message { serial, ..message }.encode());
        serial
    }

    fn heard(&mut self, connection: u32) -> Vec<Message> {
        let (_, assembler) = self.read.entry(connection).or_default();
        std::iter::from_fn(|| assembler.next_message().unwrap()).collect()
    }

    /// Somebody on the bus who has said hello.
    fn guest(&mut self, connection: u32) {
        self.bus.opened(connection, &mut Outputs::default());
        self.bytes(connection, OPENING);
        self.say(connection, call("Hello", &[]));
        self.heard(connection);
    }

    /// What the bus answers.
    fn ask(
        &mut self,
        connection: u32,
        member: &str,
        arguments: &[Argument<'static>],
    ) -> Result<Value, String> {
        let serial = self.say(connection, call(member, arguments));
        let mut heard = self.heard(connection).into_iter();
        let answer = heard
            .find(|message| message.reply_serial == Some(serial))
            .unwrap();
        match answer.kind {
            Kind::Error => Err(answer.error_name),
            _ => Ok(answer
                .arguments()
                .unwrap()
                .first()
                .map(hil_wire::dbus::to_json)
                .into()),
        }
    }
}

fn call(member: &str, arguments: &[Argument<'static>]) -> Message {
    Message::call(driver::BUS, "/org/freedesktop/DBus", driver::BUS, member).with(arguments)
}

fn text(text: &str) -> Argument<'static> {
    Argument::from(text.to_owned())
}

fn claim(name: &str) -> [Argument<'static>; 2] {
    [text(name), Argument::U32(0)]
}

fn calling(method: &str) -> Calling {
    Calling {
        message: Message::call(CLIENT, CLIENT_PATH, CLIENT, method),
        limit: Duration::from_secs(5),
    }
}

#[test]
fn names_have_owners() {
    let mut desk = Desk::new(true);
    desk.guest(1);
    desk.guest(2);
    assert_eq!(desk.ask(1, "RequestName", &claim(CLIENT)), Ok(json!(1)));
    assert_eq!(desk.ask(2, "RequestName", &claim(CLIENT)), Ok(json!(2)));
    assert_eq!(desk.ask(2, "GetNameOwner", &[text(CLIENT)]), Ok(json!(":1.1")));
    assert_eq!(desk.ask(2, "NameHasOwner", &[text(MANAGER)]), Ok(json!(true)));
    assert_eq!(
        desk.ask(2, "StartServiceByName", &[text(MANAGER), Argument::U32(0)]),
        Ok(json!(2))
    );
    let mut out = Outputs::default();
    desk.bus.closed(1, &mut out);
    desk.take(out);
    assert_eq!(desk.ask(2, "GetNameOwner", &[text(CLIENT)]), Ok(json!(":1.2")));
    assert!(desk.ask(2, "GetNameOwner", &[text("a.b")]).is_err());
    assert!(desk.ask(2, "RequestName", &claim("nonsense")).is_err());
    assert!(desk.ask(2, "Fly", &[]).is_err());
}

#[test]
fn signals_go_to_those_who_want_them() {
    let mut desk = Desk::new(true);
    desk.guest(1);
    desk.guest(2);
    let rule = format!("type='signal',sender='{}',arg0='a.b'", driver::BUS);
    assert!(desk.ask(2, "AddMatch", &[text(&rule)]).is_ok());
    assert!(desk.ask(1, "RequestName", &claim("c.d")).is_ok());
    assert_eq!(desk.heard(2), []);
    assert!(desk.ask(1, "RequestName", &claim("a.b")).is_ok());
    let heard = desk.heard(2);
    assert_eq!((heard.len(), heard[0].member.as_str()), (1, "NameOwnerChanged"));
    assert!(desk.ask(2, "RemoveMatch", &[text(&rule)]).is_ok());
    assert!(desk.ask(2, "RemoveMatch", &[text(&rule)]).is_err());
}

#[test]
fn the_client_is_called_once_it_has_its_name() {
    let mut desk = Desk::new(true);
    let now = Stamp(0);
    let mut out = Outputs::default();
    assert_eq!(desk.bus.call(now, calling("initiateDownload"), &mut out), 1);
    desk.take(out);
    desk.guest(1);
    desk.say(1, call("RequestName", &claim(CLIENT)));
    let heard = desk.heard(1);
    let called = heard.iter().find(|message| message.kind == Kind::Call).unwrap();
    assert_eq!((called.sender.as_str(), called.serial), (HARNESS, 1));
    assert!(desk.bus.next_wake().is_some());
    desk.say(1, Message::answer(called));
    assert_eq!(desk.bus.next_wake(), None);
}

#[test]
fn a_call_nobody_answers_is_given_up() {
    let mut desk = Desk::new(true);
    let mut out = Outputs::default();
    desk.bus.call(Stamp(0), calling("updateReport"), &mut out);
    desk.bus.wake(desk.bus.next_wake().unwrap(), &mut out);
    desk.take(out);
    let (name, facts) = desk.notes.pop().unwrap();
    assert_eq!(
        (name.as_str(), &facts["reason"]),
        ("bus_unanswered", &json!("nobody has the client's name"))
    );
}

#[test]
fn the_software_manager_answers_while_it_is_there() {
    let mut desk = Desk::new(true);
    desk.guest(1);
    let download = DownloadComplete {
        update_id: "u".into(),
        update_image: "/tmp/u".into(),
        signature: String::new(),
    };
    let ask = |desk: &mut Desk, message: Message| {
        let serial = desk.say(1, message);
        let heard = desk.heard(1);
        let answer = heard
            .into_iter()
            .find(|answer| answer.reply_serial == Some(serial));
        answer.map(|answer| answer.error_name)
    };
    assert_eq!(ask(&mut desk, download_complete(&download)), Some(String::new()));
    let wrong = Message {
        member: "getInstalledPackages".into(),
        ..download_complete(&download)
    };
    assert_eq!(
        ask(&mut desk, wrong.clone()).as_deref(),
        Some(driver::INVALID_ARGUMENTS)
    );
    let right = wrong.with(&[Argument::Bool(true), Argument::Bool(false)]);
    assert_eq!(ask(&mut desk, right), Some(String::new()));
    let mut out = Outputs::default();
    desk.bus.set_manager(false, &mut out);
    desk.take(out);
    assert_eq!(
        ask(&mut desk, download_complete(&download)).as_deref(),
        Some(driver::SERVICE_UNKNOWN)
    );
}

#[test]
fn what_is_no_dbus_is_cut_off_and_said() {
    let before_hello = call("ListNames", &[]).encode();
    let huge = {
        let mut head = call("Hello", &[]).encode();
        head[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
        head
    };
    for wrong in [
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        before_hello,
        huge,
        vec![b'l'; 64],
    ] {
        let mut desk = Desk::new(true);
        desk.bus.opened(1, &mut Outputs::default());
        desk.bytes(1, OPENING);
        desk.bytes(1, &wrong);
        assert_eq!(desk.reset, [1]);
        assert_eq!(
            desk.notes.last().map(|(name, _)| name.as_str()),
            Some("bus_refused")
        );
        // Nothing more is looked at.
        desk.bytes(1, &vec![0; 1 << 20]);
        assert_eq!(desk.reset.len(), 1);
    }
}
