//! What the bus itself answers: names, rules, and who is there (D-Bus specification, "Message Bus Messages").

use super::{Bus, Seat, names::Requested, rule::Rule};
use crate::core::Outputs;
use hil_wire::dbus::{Kind, Message, Value, is_bus_name};
use hil_wire::sota::bus::HARNESS;

impl Bus {
    /// Answers a message to the bus itself.
    pub(super) fn drive(&mut self, seat: Seat, message: &Message, out: &mut Outputs) {
        if message.kind != Kind::Call {
            return;
        }
        let answer = match self.driven(seat, message, out) {
            Ok(arguments) => Message::answer(message).with(&arguments),
            Err((name, text)) => Message::error(message, name, &text),
        };
        if message.expects_reply() {
            self.say(seat, answer, out);
        }
        if message.member == "Hello"
            && let Some(unique) = self.unique_name(seat).map(str::to_owned)
        {
            self.acquired(seat, "NameAcquired", &unique, out);
            self.announce_owner(&unique, "", &unique, out);
        }
    }

    fn driven(
        &mut self,
        seat: Seat,
        message: &Message,
        out: &mut Outputs,
    ) -> Result<Vec<Value<'static>>, Refusal> {
        let Seat::Connection(connection) = seat else {
            return Ok(Vec::new());
        };
        let arguments = message.arguments();
        let arguments = arguments.map_err(|error| (INVALID_ARGUMENTS, error.to_string()))?;
        let name = || match arguments.first() {
            Some(Value::Str(text)) => Ok(text.as_str().to_owned()),
            _ => Err((INVALID_ARGUMENTS, "the first argument is a text".to_owned())),
        };
        let no_owner = |name: &str| (NAME_HAS_NO_OWNER, format!("nobody has the name {name}"));
        let text = |text: &str| vec![Value::from(text.to_owned())];
        Ok(match message.member.as_str() {
            "Hello" => {
                if self.unique_name(seat).is_some() {
                    return Err((FAILED, "Hello was said already".to_owned()));
                }
                self.unique += 1;
                let unique = format!(":1.{}", self.unique);
                if let Some(peer) = self.peers.get_mut(&connection) {
                    peer.unique = Some(unique.clone());
                }
                text(&unique)
            }
            "RequestName" => {
                let flags = match arguments.get(1) {
                    Some(Value::U32(flags)) => *flags,
                    _ => return Err((INVALID_ARGUMENTS, "the second argument is a number".to_owned())),
                };
                vec![Value::U32(self.request_name(seat, &name()?, flags, out)?)]
            }
            "ReleaseName" => vec![Value::U32(self.release_name(seat, &name()?, out))],
            "GetNameOwner" => {
                let name = name()?;
                let owner = self.owner(&name).ok_or_else(|| no_owner(&name))?;
                text(&owner)
            }
            "NameHasOwner" => vec![Value::Bool(self.owner(&name()?).is_some())],
            "ListNames" => vec![Value::from(self.all_names())],
            "ListActivatableNames" => vec![Value::from(vec![BUS.to_owned()])],
            "ListQueuedOwners" => {
                let name = name()?;
                let owners = self.names.queue(&name).filter_map(|seat| self.unique_name(seat));
                let owners: Vec<String> = owners.map(str::to_owned).collect();
                if owners.is_empty() {
                    return Err(no_owner(&name));
                }
                vec![Value::from(owners)]
            }
            "StartServiceByName" => {
                let name = name()?;
                match self.owner(&name) {
                    Some(_) => vec![Value::U32(ALREADY_RUNNING)],
                    None => return Err((SERVICE_UNKNOWN, format!("{name} cannot be started"))),
                }
            }
            "AddMatch" => {
                let rule = Rule::parse(&name()?);
                let rule = rule.ok_or_else(|| (MATCH_RULE_INVALID, "that is no match rule".to_owned()))?;
                if let Some(peer) = self.peers.get_mut(&connection) {
                    if peer.rules.len() >= MOST_RULES {
                        return Err((LIMITS_EXCEEDED, format!("{MOST_RULES} match rules are enough")));
                    }
                    peer.rules.push(rule);
                }
                Vec::new()
            }
            "RemoveMatch" => {
                let rule = name()?;
                let rules = self.peers.get_mut(&connection).map(|peer| &mut peer.rules);
                let known = rules.and_then(|rules| {
                    let position = rules.iter().position(|known| known.text == rule)?;
                    Some(rules.remove(position))
                });
                known.ok_or_else(|| (MATCH_RULE_NOT_FOUND, "that rule was not added".to_owned()))?;
                Vec::new()
            }
            "GetId" | "GetMachineId" => text(&self.guid),
            "GetConnectionCredentials" => {
                let name = name()?;
                self.owner(&name).ok_or_else(|| no_owner(&name))?;
                vec![no_properties()]
            }
            "GetAll" => vec![no_properties()],
            "Ping" | "UpdateActivationEnvironment" => Vec::new(),
            "Introspect" => text(INTROSPECTION),
            other => return Err((UNKNOWN_METHOD, format!("the bus has no method {other}"))),
        })
    }

    /// Asks for a name; the answer of `RequestName`.
    pub(super) fn request_name(
        &mut self,
        seat: Seat,
        name: &str,
        flags: u32,
        out: &mut Outputs,
    ) -> Result<u32, Refusal> {
        if !is_bus_name(name) || name.starts_with(':') || name == BUS {
            return Err((INVALID_ARGUMENTS, format!("{name} cannot be requested")));
        }
        if self.names.count(seat) >= MOST_NAMES {
            return Err((LIMITS_EXCEEDED, format!("{MOST_NAMES} names are enough")));
        }
        Ok(match self.names.request(name, seat, flags) {
            Requested::Owner(before) => {
                let unique = before.and_then(|seat| self.unique_name(seat)).map(str::to_owned);
                self.owner_changed(name, before, Some(seat), unique.as_deref(), out);
                1
            }
            Requested::Queued => 2,
            Requested::Refused => 3,
            Requested::Already => 4,
        })
    }

    /// Gives a name up; the answer of `ReleaseName`.
    pub(super) fn release_name(&mut self, seat: Seat, name: &str, out: &mut Outputs) -> u32 {
        let Some((before, after)) = self.names.release(name, seat) else {
            return match self.names.owner(name) {
                Some(_) => 3,
                None => 2,
            };
        };
        if before != after {
            let unique = self.unique_name(seat).map(str::to_owned);
            self.owner_changed(name, before, after, unique.as_deref(), out);
        }
        1
    }

    /// Tells of a name that went from one to another; `unique` is the name of the one before, who may be gone.
    pub(super) fn owner_changed(
        &mut self,
        name: &str,
        before: Option<Seat>,
        after: Option<Seat>,
        unique: Option<&str>,
        out: &mut Outputs,
    ) {
        if let Some(before) = before.filter(|seat| self.unique_name(*seat).is_some()) {
            self.acquired(before, "NameLost", name, out);
        }
        let old = before.and(unique).unwrap_or_default();
        let new = after
            .and_then(|seat| self.unique_name(seat))
            .unwrap_or_default()
            .to_owned();
        self.announce_owner(name, old, &new, out);
        if let Some(after) = after {
            self.acquired(after, "NameAcquired", name, out);
        }
    }

    /// Tells everybody who wants to know who owns a name.
    pub(super) fn announce_owner(&mut self, name: &str, old: &str, new: &str, out: &mut Outputs) {
        let arguments = [name, old, new].map(|text| Value::from(text.to_owned()));
        let mut signal = Message::signal(BUS_PATH, BUS, "NameOwnerChanged").with(&arguments);
        self.serial = self.serial.wrapping_add(1).max(1);
        signal.serial = self.serial;
        signal.sender = BUS.to_owned();
        self.broadcast(&signal, out);
    }

    fn acquired(&mut self, seat: Seat, member: &str, name: &str, out: &mut Outputs) {
        let mut signal = Message::signal(BUS_PATH, BUS, member).with(&[Value::from(name.to_owned())]);
        signal.destination = self.unique_name(seat).unwrap_or_default().to_owned();
        self.say(seat, signal, out);
    }

    /// The unique name behind a name.
    fn owner(&self, name: &str) -> Option<String> {
        if name == BUS {
            return Some(BUS.to_owned());
        }
        let seat = self.resolve(name)?;
        self.unique_name(seat).map(str::to_owned)
    }

    fn all_names(&self) -> Vec<String> {
        let fixed = [BUS, HARNESS].into_iter();
        let unique = self.peers.values().filter_map(|peer| peer.unique.as_deref());
        fixed
            .chain(self.names.all())
            .chain(unique)
            .map(str::to_owned)
            .collect()
    }
}

/// Name of an error, and a text.
type Refusal = (&'static str, String);

fn no_properties() -> Value<'static> {
    Value::from(std::collections::HashMap::<String, Value<'static>>::new())
}

/// Name and interface of the bus.
pub(super) const BUS: &str = "org.freedesktop.DBus";
const BUS_PATH: &str = "/org/freedesktop/DBus";
/// Nobody has the name a call is for.
pub(super) const SERVICE_UNKNOWN: &str = "org.freedesktop.DBus.Error.ServiceUnknown";
/// A method nobody has.
pub(super) const UNKNOWN_METHOD: &str = "org.freedesktop.DBus.Error.UnknownMethod";
/// Arguments of other types.
pub(super) const INVALID_ARGUMENTS: &str = "org.freedesktop.DBus.Error.InvalidArgs";
const NAME_HAS_NO_OWNER: &str = "org.freedesktop.DBus.Error.NameHasNoOwner";
const MATCH_RULE_INVALID: &str = "org.freedesktop.DBus.Error.MatchRuleInvalid";
const MATCH_RULE_NOT_FOUND: &str = "org.freedesktop.DBus.Error.MatchRuleNotFound";
const LIMITS_EXCEEDED: &str = "org.freedesktop.DBus.Error.LimitsExceeded";
const FAILED: &str = "org.freedesktop.DBus.Error.Failed";
const ALREADY_RUNNING: u32 = 2;
const MOST_RULES: usize = 512;
const MOST_NAMES: usize = 512;

const INTROSPECTION: &str = concat!(
    "<!DOCTYPE node PUBLIC \"-//freedesktop//DTD D-BUS Object Introspection 1.0//EN\"\n",
    " \"http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd\">\n",
    "<node><interface name=\"org.freedesktop.DBus\">",
    "<method name=\"Hello\"><arg direction=\"out\" type=\"s\"/></method>",
    "<method name=\"RequestName\"><arg direction=\"in\" type=\"s\"/><arg direction=\"in\" type=\"u\"/>",
    "<arg direction=\"out\" type=\"u\"/></method>",
    "<method name=\"ReleaseName\"><arg direction=\"in\" type=\"s\"/><arg direction=\"out\" type=\"u\"/></method>",
    "<method name=\"GetNameOwner\"><arg direction=\"in\" type=\"s\"/><arg direction=\"out\" type=\"s\"/></method>",
    "<method name=\"NameHasOwner\"><arg direction=\"in\" type=\"s\"/><arg direction=\"out\" type=\"b\"/></method>",
    "<method name=\"ListNames\"><arg direction=\"out\" type=\"as\"/></method>",
    "<method name=\"AddMatch\"><arg direction=\"in\" type=\"s\"/></method>",
    "<method name=\"RemoveMatch\"><arg direction=\"in\" type=\"s\"/></method>",
    "<signal name=\"NameOwnerChanged\"><arg type=\"s\"/><arg type=\"s\"/><arg type=\"s\"/></signal>",
    "</interface></node>\n"
);
