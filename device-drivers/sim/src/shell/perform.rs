//! Carries out what an agent wants: timers, requests, faces, sockets, streams.

use super::{
    client,
    core::Core,
    event::{Outlet, Reply},
    server,
    stream::{self, StreamCommand},
    websocket::{self, Side, WsCommand},
};
use crate::{ExchangeId, HttpCall, Input, Output, RequestId, SocketId, StreamId};
use bytes::Bytes;
use hil_link::{Address, Stream};
use hil_trace::{Blame, RecordBody};
use tokio::sync::mpsc;

impl Core {
    /// Carries out one output.
    pub(crate) fn perform(&mut self, output: Output) {
        match output {
            Output::Timer(timer, after) => {
                let at = self.environment.clock.now() + after;
                self.timers.insert(timer, at);
            }
            Output::Cancel(timer) => {
                self.timers.remove(&timer);
            }
            Output::Http(request, call) => self.send_request(request, *call),
            Output::CancelHttp(request) => {
                if let Some(serial) = self.requests.remove(&request) {
                    self.registry.end(serial);
                }
            }
            Output::ServeHttp(face) => self.serve(face, true, false),
            Output::ServeStreams(face) => self.serve(face, false, false),
            Output::ServeHalfClosing(face) => self.serve(face, false, true),
            Output::Answer(exchange, response) => self.reply(exchange, Reply::Answer(response)),
            Output::Abandon(exchange) => self.reply(exchange, Reply::Abandon),
            Output::AcceptWs(exchange, socket, headers) => {
                self.reply(exchange, Reply::Upgrade(socket, headers));
            }
            Output::OpenWs(socket, call) => self.open_socket(socket, *call),
            Output::SendWs(socket, frame) => {
                if let Some((_, sender)) = self.sockets.get(&socket) {
                    let _ = sender.send(WsCommand::Send(frame));
                }
            }
            Output::CloseWs(socket) => {
                if let Some((_, sender)) = self.sockets.remove(&socket) {
                    let _ = sender.send(WsCommand::Close);
                }
            }
            Output::OpenStream(stream, address) => self.open_stream(stream, &address),
            Output::SendStream(stream, bytes) => {
                if let Some((_, sender)) = self.streams.get(&stream) {
                    let _ = sender.send(StreamCommand::Send(bytes));
                }
            }
            Output::CloseStream(stream) => {
                if let Some((_, sender)) = self.streams.remove(&stream) {
                    let _ = sender.send(StreamCommand::Close);
                }
            }
            Output::Console(line) => self.console(&line),
            Output::Reboot(after) => self.reboot_after(after),
            Output::Exit(status) => self.exit = Some(status),
        }
    }

    /// Takes over the connection of an upgrade the agent accepted.
    pub(crate) fn adopt_socket(&mut self, socket: SocketId, stream: Stream, early: Bytes) {
        let (sender, commands) = mpsc::unbounded_channel();
        let events = self.events.clone();
        let serial = self.registry.spawn(|guard| {
            let outlet = Outlet {
                serial: guard.serial,
                events,
            };
            websocket::serve(guard, outlet, socket, stream, early, commands, Side::Server)
        });
        if let Some((old, _)) = self.sockets.insert(socket, (serial, sender)) {
            self.registry.end(old);
        }
        self.input(Input::WsOpened {
            socket,
            headers: Default::default(),
        });
    }

    /// Takes over a connection on a face that serves streams.
    pub(crate) fn adopt_stream(&mut self, face: String, connection: Stream, half_closing: bool) {
        let id = StreamId(self.next_stream);
        self.next_stream = self.next_stream.wrapping_add(1).max(StreamId::SERVED);
        let (sender, commands) = mpsc::unbounded_channel();
        let events = self.events.clone();
        let serial = self.registry.spawn(|guard| {
            let outlet = Outlet {
                serial: guard.serial,
                events,
            };
            stream::run(guard, outlet, id, connection, commands, half_closing)
        });
        self.streams.insert(id, (serial, sender));
        self.input(Input::StreamOpened { stream: id, face });
    }

    fn send_request(&mut self, request: RequestId, call: HttpCall) {
        let (environment, events) = (self.environment.clone(), self.events.clone());
        let serial = self.registry.spawn(|guard| {
            let outlet = Outlet {
                serial: guard.serial,
                events,
            };
            client::run(environment, guard, outlet, request, call)
        });
        if let Some(old) = self.requests.insert(request, serial) {
            self.registry.end(old);
        }
    }

    fn open_socket(&mut self, socket: SocketId, call: HttpCall) {
        let (sender, commands) = mpsc::unbounded_channel();
        let (environment, events) = (self.environment.clone(), self.events.clone());
        let serial = self.registry.spawn(|guard| {
            let outlet = Outlet {
                serial: guard.serial,
                events,
            };
            websocket::open(environment, guard, outlet, socket, call, commands)
        });
        if let Some((old, _)) = self.sockets.insert(socket, (serial, sender)) {
            self.registry.end(old);
        }
    }

    fn open_stream(&mut self, id: StreamId, address: &str) {
        let (sender, commands) = mpsc::unbounded_channel();
        let (environment, events) = (self.environment.clone(), self.events.clone());
        let address = read_address(address);
        let serial = self.registry.spawn(|guard| {
            let outlet = Outlet {
                serial: guard.serial,
                events,
            };
            stream::open(environment, guard, outlet, id, address, commands)
        });
        if let Some((old, _)) = self.streams.insert(id, (serial, sender)) {
            self.registry.end(old);
        }
    }

    fn serve(&mut self, face: String, http: bool, half_closing: bool) {
        let Some(address) = self.environment.faces.get(&face).cloned() else {
            self.recorder.record(RecordBody::Trouble {
                blame: Blame::Harness,
                text: format!("the unit has no address for its face `{face}`"),
            });
            return;
        };
        let service = server::Service {
            face: face.clone(),
            address,
            http,
            half_closing,
            events: self.events.clone(),
            registry: self.registry.clone(),
            recorder: self.recorder.clone(),
        };
        let network = self.environment.network.clone();
        let serial = self.registry.spawn(|guard| server::run(guard, network, service));
        if let Some(old) = self.faces.insert(face, serial) {
            self.registry.end(old);
        }
    }

    fn reply(&mut self, exchange: ExchangeId, reply: Reply) {
        if let Some(sender) = self.exchanges.remove(&exchange) {
            // A caller that went away does not matter any more.
            let _ = sender.send(reply);
        }
    }
}

fn read_address(text: &str) -> Address {
    match text.rsplit_once(':') {
        Some((host, port)) if !text.starts_with('/') => match port.parse() {
            Ok(port) => Address::Host(host.to_owned(), port),
            Err(_) => Address::Path(text.to_owned()),
        },
        _ => Address::Path(text.to_owned()),
    }
}
