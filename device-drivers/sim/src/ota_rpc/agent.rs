//! The board's software: its state, and where each input goes.

use super::{
    access::Access,
    board::Board,
    channel::{Line, ServerLink, Way},
    defects,
    intake::build_id_of,
    mqtt::{BROKER, BrokerLink},
    push::Push,
    record,
    signatures::SignaturePolicy,
    snapshot::Copying,
    update::Update,
};
use crate::{
    Agent, Behaviour, Context, Hardware, Image, Input, RequestId, Setup, Slot, SocketId, StreamId, TimerId,
};
use bytes::Bytes;
use hil_trace::Stamp;
use hil_unit::UnitError;
use hil_wire::ota_rpc::{BootState, Frame, PushState};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Whoever waits for a reply.
#[derive(Clone, Debug)]
pub(super) struct Asker {
    pub(super) way: Way,
    /// The request; its arguments are not needed any more.
    pub(super) request: Frame,
}

/// The software between two boots.
pub(crate) struct OtaAgent {
    /// Its own id.
    pub(super) id: String,
    /// The slot it runs from.
    pub(super) slot: usize,
    /// What it is, for archives.
    pub(super) board: Board,
    /// The signatures it demands of them.
    pub(super) policy: SignaturePolicy,
    /// What runs.
    pub(super) image: Image,
    /// The build that runs.
    pub(super) build_id: String,
    /// The boot state as callers are told.
    pub(super) state: BootState,
    /// The first boot of an image nobody has committed: flash holds the way back already.
    pub(super) provisional: bool,
    pub(super) booted_at: Stamp,
    /// When the restart comes that was asked for.
    pub(super) restart_at: Option<Stamp>,
    pub(super) update: Option<Update>,
    pub(super) push: Option<Push>,
    /// How the last update went, by download or by push.
    pub(super) progress: PushState,
    pub(super) copying: Option<Copying>,
    pub(super) access: Access,
    /// Fragments of messages, by socket.
    pub(super) sockets: BTreeMap<SocketId, Vec<u8>>,
    pub(super) next_socket: u32,
    pub(super) lines: BTreeMap<StreamId, Line>,
    pub(super) server: ServerLink,
    pub(super) broker: BrokerLink,
}

/// End of the initialisation, or of what a bad image gets to do instead.
pub(super) const INIT_TIMER: TimerId = TimerId(1);
/// End of the commit window.
pub(super) const COMMIT_TIMER: TimerId = TimerId(2);
/// No progress of a download.
pub(super) const STALL_TIMER: TimerId = TimerId(3);
/// A snapshot is complete.
pub(super) const SNAPSHOT_TIMER: TimerId = TimerId(4);
/// Next attempt to reach the server.
pub(super) const SERVER_TIMER: TimerId = TimerId(5);
/// Next attempt to reach the broker.
pub(super) const BROKER_TIMER: TimerId = TimerId(6);
/// Next ping of the broker, or the end of patience with it.
pub(super) const KEEP_ALIVE_TIMER: TimerId = TimerId(7);
/// The download.
pub(super) const DOWNLOAD: RequestId = RequestId(1);

impl OtaAgent {
    /// The boot loader's choice; nothing is done before `Input::Boot`.
    pub(crate) fn new(setup: &Setup, hardware: &Hardware) -> Self {
        let mut state = record::load(&hardware.flash);
        let bootable = |slot: i64| {
            record::index(slot).filter(|slot| hardware.slots.get(*slot).is_some_and(Slot::is_bootable))
        };
        let slot = match bootable(state.active_slot) {
            Some(slot) => slot,
            // Nothing to boot there: the other slot has to do.
            None => {
                let other = bootable(state.revert_slot).or(bootable(1 - state.active_slot));
                let slot = other.unwrap_or(0);
                state = BootState {
                    active_slot: slot as i64,
                    is_committed: true,
                    revert_slot: slot as i64,
                    commit_timeout: 0,
                };
                slot
            }
        };
        let device_id = setup.endpoints.get("device_id");
        OtaAgent {
            id: if device_id.is_empty() {
                "sim-board"
            } else {
                device_id
            }
            .to_owned(),
            slot,
            board: Board::of(&setup.ics),
            policy: match setup.has(defects::SIGNATURES_IGNORED) {
                true => SignaturePolicy::default(),
                false => SignaturePolicy::load(&hardware.flash, &setup.ics),
            },
            image: image_of(hardware, slot),
            build_id: hardware
                .slots
                .get(slot)
                .map_or_else(String::new, |slot| build_id_of(&slot.image)),
            state,
            provisional: false,
            booted_at: Stamp::ZERO,
            restart_at: None,
            update: None,
            push: None,
            progress: PushState::Idle,
            copying: None,
            access: Access::load(&hardware.flash, setup),
            sockets: BTreeMap::new(),
            next_socket: FIRST_SOCKET,
            lines: BTreeMap::new(),
            server: ServerLink::default(),
            broker: BrokerLink::default(),
        }
    }

    /// The slot that does not run is being written.
    pub(super) fn is_busy(&self) -> bool {
        self.update.is_some() || self.push.is_some() || self.copying.is_some()
    }

    /// The slot that does not run.
    pub(super) fn other_slot(&self) -> usize {
        1 - self.slot.min(1)
    }

    fn timer(&mut self, timer: TimerId, context: &mut Context<'_>) {
        match timer {
            INIT_TIMER => self.initialised(context),
            COMMIT_TIMER => self.window_ends(context),
            STALL_TIMER if self.push.is_some() => {
                self.push_fails("Update timed out", context);
            }
            STALL_TIMER => self.download_fails("Update timed out", context),
            SNAPSHOT_TIMER => self.snapshot_done(context),
            SERVER_TIMER => self.reach_server(context),
            BROKER_TIMER => self.reach_broker(context),
            KEEP_ALIVE_TIMER => self.broker_keep_alive(context),
            _ => {}
        }
    }
}

impl Agent for OtaAgent {
    fn handle(&mut self, input: Input, context: &mut Context<'_>) {
        match input {
            Input::Boot => self.boot(context),
            Input::Timer(timer) => self.timer(timer, context),
            Input::ServerRequest {
                exchange, request, ..
            } => self.http_request(exchange, &request, context),
            Input::HttpHead {
                request: DOWNLOAD,
                status,
                headers,
            } => self.download_head(status, &headers, context),
            Input::HttpChunk {
                request: DOWNLOAD,
                bytes,
            } => self.download_chunk(&bytes, context),
            Input::HttpEnd { request: DOWNLOAD } => self.download_end(context),
            Input::HttpFailed {
                request: DOWNLOAD,
                error,
            } => self.download_fails(&format!("Update failed: {error}"), context),
            Input::WsOpened { socket, .. } => self.socket_opened(socket),
            Input::WsFrame { socket, frame } => self.socket_frame(socket, &frame, context),
            Input::WsClosed { socket } | Input::WsFailed { socket, .. } => {
                self.socket_closed(socket, context);
            }
            Input::StreamOpened { stream: BROKER, .. } => self.broker_opened(context),
            Input::StreamData {
                stream: BROKER,
                bytes,
            } => self.broker_bytes(&bytes, context),
            Input::StreamClosed { stream: BROKER } => self.broker_lost(context),
            Input::StreamOpened { stream, .. } => {
                self.lines.insert(stream, Line::default());
            }
            Input::StreamData { stream, bytes } => self.line_bytes(stream, &bytes, context),
            Input::StreamClosed { stream } => {
                self.lines.remove(&stream);
            }
            _ => {}
        }
    }

    fn version(&self, _: &Hardware) -> Option<String> {
        Some(self.image.version.clone())
    }

    fn probe(
        &self,
        name: &str,
        arguments: &Map<String, Value>,
        hardware: &Hardware,
    ) -> Result<Value, UnitError> {
        super::probe::answer(self, name, arguments, hardware)
    }
}

/// What is in a slot; bytes that are no image of ours are healthy software without a version.
pub(super) fn image_of(hardware: &Hardware, slot: usize) -> Image {
    let bytes = hardware
        .slots
        .get(slot)
        .map(|slot| Bytes::copy_from_slice(&slot.image));
    let image = bytes.as_deref().and_then(Image::parse);
    image.unwrap_or_else(|| Image::new("firmware", "", "").behaving(Behaviour::Healthy))
}

const FIRST_SOCKET: u32 = 16;
