//! An agent's hands: the time, the hardware, randomness, and everything it can make the shell do.

use crate::{
    Hardware, Setup,
    defect::COUNTER_WRAPS,
    output::{ExchangeId, Frame, HttpCall, Output, RequestId, SocketId, StreamId, TimerId},
};
use bytes::Bytes;
use hil_trace::Stamp;
use hil_wire::http::{Headers, Response};
use rand::rngs::StdRng;
use std::time::Duration;

/// What an agent acts through while it handles one input.
pub struct Context<'a> {
    /// What survives power cuts.
    pub hardware: &'a mut Hardware,
    /// Randomness of this unit, seeded.
    pub rng: &'a mut StdRng,
    /// What the unit was given.
    pub setup: &'a Setup,
    now: Stamp,
    bench_unix_us: i64,
    outputs: &'a mut Vec<Output>,
}

impl<'a> Context<'a> {
    /// A context for one input; outputs are appended in order. `bench_unix_us` is the bench's wall time.
    pub fn new(
        hardware: &'a mut Hardware,
        rng: &'a mut StdRng,
        setup: &'a Setup,
        now: Stamp,
        bench_unix_us: i64,
        outputs: &'a mut Vec<Output>,
    ) -> Self {
        Context {
            hardware,
            rng,
            setup,
            now,
            bench_unix_us,
            outputs,
        }
    }

    /// Now, on the monotonic clock.
    pub fn now(&self) -> Stamp {
        self.now
    }

    /// The unit's own wall clock in Unix microseconds: right but for the jumps it was made to do.
    pub fn wall_us(&self) -> i64 {
        self.bench_unix_us.saturating_add(self.hardware.wall_offset_us)
    }

    /// The unit's own wall clock in Unix milliseconds.
    pub fn wall_ms(&self) -> i64 {
        self.wall_us().div_euclid(1000)
    }

    /// Milliseconds of the unit's own counter, which no change of the wall clock moves and which outlives power cuts.
    pub fn counter_ms(&mut self) -> u64 {
        if self.setup.has(COUNTER_WRAPS) {
            u64::from(self.hardware.counter.raw(self.now))
        } else {
            self.hardware.counter.extended(self.now)
        }
    }

    /// Sets or moves a timer.
    pub fn timer(&mut self, timer: TimerId, after: Duration) {
        self.push(Output::Timer(timer, after));
    }

    /// Stops a timer; one that is not set is no mistake.
    pub fn cancel(&mut self, timer: TimerId) {
        self.push(Output::Cancel(timer));
    }

    /// Sends a request; it ends in `HttpAnswer`, `HttpEnd` or `HttpFailed`.
    pub fn http(&mut self, request: RequestId, call: HttpCall) {
        self.push(Output::Http(request, Box::new(call)));
    }

    /// Gives a request up; no further input comes of it.
    pub fn cancel_http(&mut self, request: RequestId) {
        self.push(Output::CancelHttp(request));
    }

    /// Serves HTTP and WebSocket upgrades on a face of the unit.
    pub fn serve_http(&mut self, face: &str) {
        self.push(Output::ServeHttp(face.to_owned()));
    }

    /// Serves byte streams on a face of the unit.
    pub fn serve_streams(&mut self, face: &str) {
        self.push(Output::ServeStreams(face.to_owned()));
    }

    /// Serves byte streams on a face whose peers end their side first: `StreamEnded` comes in place of
    /// `StreamClosed`, and the stream can be written until it is closed.
    pub fn serve_half_closing(&mut self, face: &str) {
        self.push(Output::ServeHalfClosing(face.to_owned()));
    }

    /// Answers a request on a face, now or in a later input.
    pub fn answer(&mut self, exchange: ExchangeId, response: Response) {
        self.push(Output::Answer(exchange, response));
    }

    /// Closes the connection of a request without an answer.
    pub fn abandon(&mut self, exchange: ExchangeId) {
        self.push(Output::Abandon(exchange));
    }

    /// Accepts an upgrade to WebSocket; `WsOpened` follows.
    pub fn accept_ws(&mut self, exchange: ExchangeId, socket: SocketId, headers: Headers) {
        self.push(Output::AcceptWs(exchange, socket, headers));
    }

    /// Opens a WebSocket; `WsOpened` or `WsFailed` follows.
    pub fn open_ws(&mut self, socket: SocketId, call: HttpCall) {
        self.push(Output::OpenWs(socket, Box::new(call)));
    }

    /// Sends one frame as it is.
    pub fn send_ws(&mut self, socket: SocketId, frame: Frame) {
        self.push(Output::SendWs(socket, frame));
    }

    /// Closes a WebSocket's connection after what was sent.
    pub fn close_ws(&mut self, socket: SocketId) {
        self.push(Output::CloseWs(socket));
    }

    /// Opens a stream; `StreamOpened` or `StreamClosed` follows.
    pub fn open_stream(&mut self, stream: StreamId, address: &str) {
        self.push(Output::OpenStream(stream, address.to_owned()));
    }

    /// Writes to a stream.
    pub fn send_stream(&mut self, stream: StreamId, bytes: impl Into<Bytes>) {
        self.push(Output::SendStream(stream, bytes.into()));
    }

    /// Closes a stream after what was written.
    pub fn close_stream(&mut self, stream: StreamId) {
        self.push(Output::CloseStream(stream));
    }

    /// Prints one line on the console.
    pub fn console(&mut self, line: impl Into<String>) {
        self.push(Output::Console(line.into()));
    }

    /// Restarts the unit after a while; until then the agent goes on.
    pub fn reboot(&mut self, after: Duration) {
        self.push(Output::Reboot(after));
    }

    /// Ends the software by itself.
    pub fn exit(&mut self, status: i32) {
        self.push(Output::Exit(status));
    }

    fn push(&mut self, output: Output) {
        // A unit whose power failed in the middle of an input does nothing more.
        if !self.hardware.flash.is_dead() {
            self.outputs.push(output);
        }
    }
}
