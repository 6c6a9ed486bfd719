//! The harness on the bus: the software manager that answers the client, and the caller of the client's methods.

use super::{
    Seat,
    driver::{INVALID_ARGUMENTS, UNKNOWN_METHOD},
    names::Names,
};
use crate::core::Outputs;
use hil_trace::Stamp;
use hil_wire::{
    dbus::{Kind, Message, Value, from_json},
    sota::bus::{DOWNLOAD_COMPLETE, GET_INSTALLED_PACKAGES, INSTALLED_SIGNATURE, MANAGER, UPDATE_AVAILABLE},
};
use serde_json::{Value as Json, json};
use std::{collections::BTreeMap, time::Duration};

/// A call of the client.
#[derive(Clone, Debug)]
pub(in super::super) struct Calling {
    /// The call but for its number.
    pub(in super::super) message: Message,
    /// How long an answer is waited for.
    pub(in super::super) limit: Duration,
}

/// What the harness does on the bus.
#[derive(Debug, Default)]
pub(super) struct Manager {
    /// Number of the last message.
    serial: u32,
    /// Calls by number that were not answered.
    calls: BTreeMap<u32, Called>,
    /// Packages it says are installed, each a map.
    pub(super) packages: Vec<Json>,
    /// Firmwares it says are installed, each a map.
    pub(super) firmwares: Vec<Json>,
}

#[derive(Debug)]
struct Called {
    message: Message,
    deadline: Stamp,
    /// Who it was sent to; nobody as long as its name has no owner.
    sent: Option<Seat>,
}

impl Manager {
    /// Keeps a call until its name has an owner; returns its number.
    pub(super) fn call(&mut self, now: Stamp, calling: Calling) -> u32 {
        let serial = self.next_serial();
        let called = Called {
            message: Message {
                serial,
                ..calling.message
            },
            deadline: now + calling.limit,
            sent: None,
        };
        self.calls.insert(serial, called);
        serial
    }

    /// Calls that can be sent now.
    pub(super) fn ready(&mut self, names: &Names) -> Vec<Message> {
        let mut ready = Vec::new();
        for called in self.calls.values_mut().filter(|called| called.sent.is_none()) {
            called.sent = names.owner(&called.message.destination);
            if called.sent.is_some() {
                ready.push(called.message.clone());
            }
        }
        ready
    }

    /// Takes a message; returns the answer if one is due.
    pub(super) fn receive(&mut self, message: &Message) -> Option<Message> {
        match message.kind {
            Kind::Return | Kind::Error => {
                self.calls.remove(&message.reply_serial?);
                None
            }
            Kind::Call => {
                let mut answer = match self.answer(message) {
                    Ok(arguments) => Message::answer(message).with(&arguments),
                    Err((name, text)) => Message::error(message, name, &text),
                };
                answer.serial = self.next_serial();
                message.expects_reply().then_some(answer)
            }
            _ => None,
        }
    }

    /// Somebody is gone: nobody else answers what was asked there.
    pub(super) fn gone(&mut self, seat: Seat, out: &mut Outputs) {
        self.give_up(
            out,
            |called| called.sent == Some(seat),
            |_| "the client left the bus",
        );
    }

    pub(super) fn next_wake(&self) -> Option<Stamp> {
        self.calls.values().map(|called| called.deadline).min()
    }

    /// Gives up calls that took too long.
    pub(super) fn wake(&mut self, now: Stamp, out: &mut Outputs) {
        self.give_up(
            out,
            |called| called.deadline <= now,
            |called| match called.sent {
                Some(_) => "no answer in time",
                None => "nobody has the client's name",
            },
        );
    }

    fn give_up(
        &mut self,
        out: &mut Outputs,
        lost: impl Fn(&Called) -> bool,
        reason: impl Fn(&Called) -> &'static str,
    ) {
        self.calls.retain(|call, called| {
            let lost = lost(called);
            if lost {
                let facts = json!({"call": call, "method": called.message.member, "reason": reason(called)});
                out.note("bus_unanswered", facts);
            }
            !lost
        });
    }

    fn answer(&self, call: &Message) -> Result<Vec<Value<'static>>, (&'static str, String)> {
        let wanted = match call.member.as_str() {
            "Ping" => return Ok(Vec::new()),
            "Introspect" => return Ok(vec![Value::from(INTROSPECTION.to_owned())]),
            DOWNLOAD_COMPLETE => "ss",
            UPDATE_AVAILABLE => "sssb",
            GET_INSTALLED_PACKAGES => "bb",
            other => {
                return Err((
                    UNKNOWN_METHOD,
                    format!("the software manager has no method {other}"),
                ));
            }
        };
        if !matches!(call.interface.as_str(), "" | MANAGER) {
            let text = format!("the software manager has no interface {}", call.interface);
            return Err((UNKNOWN_METHOD, text));
        }
        if call.signature != wanted {
            let text = format!("{} takes arguments of types {wanted}", call.member);
            return Err((INVALID_ARGUMENTS, text));
        }
        if call.member != GET_INSTALLED_PACKAGES {
            return Ok(Vec::new());
        }
        let arguments = call.arguments().unwrap_or_default();
        let asked = |at: usize| arguments.get(at) == Some(&Value::Bool(true));
        let of = |asked: bool, all: &Vec<Json>| json!(if asked { all.as_slice() } else { &[] });
        let software = [of(asked(0), &self.packages), of(asked(1), &self.firmwares)];
        from_json(INSTALLED_SIGNATURE, &software).map_err(|error| (INVALID_ARGUMENTS, error.to_string()))
    }

    fn next_serial(&mut self) -> u32 {
        self.serial = self.serial.wrapping_add(1).max(1);
        self.serial
    }
}

const INTROSPECTION: &str = concat!(
    "<!DOCTYPE node PUBLIC \"-//freedesktop//DTD D-BUS Object Introspection 1.0//EN\"\n",
    " \"http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd\">\n",
    "<node><interface name=\"org.genivi.SoftwareLoadingManager\">",
    "<method name=\"updateAvailable\"><arg direction=\"in\" type=\"s\" name=\"update_id\"/>",
    "<arg direction=\"in\" type=\"s\" name=\"signature\"/><arg direction=\"in\" type=\"s\" name=\"description\"/>",
    "<arg direction=\"in\" type=\"b\" name=\"request_confirmation\"/></method>",
    "<method name=\"downloadComplete\"><arg direction=\"in\" type=\"s\" name=\"update_image\"/>",
    "<arg direction=\"in\" type=\"s\" name=\"signature\"/></method>",
    "<method name=\"getInstalledPackages\"><arg direction=\"in\" type=\"b\" name=\"include_packages\"/>",
    "<arg direction=\"in\" type=\"b\" name=\"include_firmware\"/><arg direction=\"out\" type=\"aa{sv}\" name=\"packages\"/>",
    "<arg direction=\"out\" type=\"aa{sv}\" name=\"firmwares\"/></method>",
    "</interface></node>\n"
);
