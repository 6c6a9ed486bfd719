//! The D-Bus gateway: the client takes its name on the bus, serves its two methods, and tells the software manager of finished
//! downloads (reference section 2.5). Without a bus it runs on and tries again.

use super::{
    agent::{Origin, SotaAgent},
    defects::bus as defects,
};
use crate::{Context, Setup, StreamId, TimerId};
use hil_wire::{
    dbus::{Assembler, BusAddress, Kind, Message, OPENING, Value},
    sota::{
        Command, Event,
        bus::{CLIENT, CLIENT_PATH, CallError, ClientCall, download_complete},
    },
};
use serde_json::Value as Json;
use std::time::Duration;

/// The connection to the bus.
#[derive(Debug, Default)]
pub(super) struct Bus {
    /// Where it is; empty without this gateway.
    address: String,
    stream: Option<StreamId>,
    open: bool,
    /// Lines of the handshake so far, until the first message.
    lines: Vec<u8>,
    begun: bool,
    assembler: Assembler,
    serial: u32,
}

/// The next attempt to connect.
pub(super) const BUS_TIMER: TimerId = TimerId(4);

impl Bus {
    /// Not connected.
    pub(super) fn new(setup: &Setup) -> Self {
        let has = setup.ics.get("d-bus") == Some(&Json::Bool(true));
        let address = match BusAddress::parse(setup.endpoints.get("dbus_address")) {
            Some(BusAddress::Path(path)) if has => path,
            Some(BusAddress::Host(host, port)) if has => format!("{host}:{port}"),
            _ => String::new(),
        };
        Bus {
            address,
            ..Bus::default()
        }
    }

    /// Whether a stream is the connection to the bus.
    pub(super) fn is(&self, stream: StreamId) -> bool {
        self.stream == Some(stream)
    }

    /// Puts messages together; lines of the bus come before them.
    fn push(&mut self, bytes: &[u8]) {
        if self.begun {
            return self.assembler.push(bytes);
        }
        self.lines.extend_from_slice(bytes);
        // There is one line only: the answer to the only word that has one.
        if let Some(end) = self.lines.windows(2).position(|pair| pair == b"\r\n") {
            self.begun = true;
            let rest = self.lines.split_off(end + 2);
            self.lines.clear();
            self.assembler.push(&rest);
        }
    }

    fn number(&mut self, message: Message) -> Vec<u8> {
        self.serial += 1;
        let serial = self.serial;
        Message { serial, ..message }.encode()
    }
}

impl SotaAgent {
    /// Connects, if there is anything to connect to.
    pub(super) fn open_bus(&mut self, context: &mut Context<'_>) {
        if self.bus.address.is_empty() {
            return;
        }
        let stream = self.gateways.next_stream();
        let address = std::mem::take(&mut self.bus.address);
        context.open_stream(stream, &address);
        self.bus = Bus {
            address,
            stream: Some(stream),
            ..Bus::default()
        };
    }

    /// The bus is there.
    pub(super) fn bus_opened(&mut self, context: &mut Context<'_>) {
        self.bus.open = true;
        if let Some(stream) = self.bus.stream {
            context.send_stream(stream, OPENING);
        }
        self.send_bus(bus_call("Hello"), context);
        let name = [Value::from(CLIENT.to_owned()), Value::U32(DO_NOT_QUEUE)];
        self.send_bus(bus_call("RequestName").with(&name), context);
    }

    /// Bytes of the bus.
    pub(super) fn bus_bytes(&mut self, bytes: &[u8], context: &mut Context<'_>) {
        self.bus.push(bytes);
        loop {
            match self.bus.assembler.next_message() {
                Ok(Some(message)) if message.kind == Kind::Call => self.called_on_bus(&message, context),
                Ok(Some(_)) => {}
                Ok(None) => return,
                Err(error) => {
                    context.console(format!("the bus does not speak D-Bus: {error}"));
                    if let Some(stream) = self.bus.stream {
                        context.close_stream(stream);
                    }
                    return;
                }
            }
        }
    }

    /// The bus is gone, or was never there.
    pub(super) fn bus_closed(&mut self, context: &mut Context<'_>) {
        self.bus.stream = None;
        self.bus.open = false;
        context.timer(BUS_TIMER, RETRY);
    }

    /// Tells the software manager of a finished download. Whether there is one does not matter.
    pub(super) fn announce_on_bus(&mut self, event: &Event, context: &mut Context<'_>) {
        if let Event::DownloadComplete(download) = event
            && self.bus.open
        {
            self.send_bus(download_complete(download), context);
        }
    }

    /// A call of somebody: it is answered, then done.
    fn called_on_bus(&mut self, call: &Message, context: &mut Context<'_>) {
        let read = match (call.path.as_str(), call.interface.as_str()) {
            (CLIENT_PATH, CLIENT | "") => ClientCall::read(&defects::taken(call, context.setup)),
            _ => Err(CallError::UnknownMethod(call.member.clone())),
        };
        let answer = match &read {
            Ok(_) => Message::answer(call),
            Err(error) => Message::error(call, error.name(), &error.to_string()),
        };
        if call.expects_reply() {
            self.send_bus(answer, context);
        }
        let command = match read {
            Ok(ClientCall::InitiateDownload(_)) if context.setup.has(defects::DOWNLOAD_IGNORED) => return,
            Ok(ClientCall::InitiateDownload(id)) => Command::StartDownload(id),
            Ok(ClientCall::UpdateReport(report)) => Command::SendUpdateReport(report),
            Err(_) => return,
        };
        self.enqueue(command, Origin::Bus, context);
    }

    fn send_bus(&mut self, message: Message, context: &mut Context<'_>) {
        if let Some(stream) = self.bus.stream {
            let bytes = self.bus.number(message);
            context.send_stream(stream, bytes);
        }
    }
}

fn bus_call(member: &str) -> Message {
    Message::call(
        "org.freedesktop.DBus",
        "/org/freedesktop/DBus",
        "org.freedesktop.DBus",
        member,
    )
}

/// Between two attempts to connect.
const RETRY: Duration = Duration::from_secs(1);
const DO_NOT_QUEUE: u32 = 4;
