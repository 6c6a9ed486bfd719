//! What stands between an agent and the shell when a unit misbehaves.

use crate::{Hardware, HttpCall, Input, Output, RequestId, Setup};
use hil_trace::Stamp;
use std::time::Duration;

/// Changes what reaches an agent and what it does. Made once for each unit: what it remembers outlives power cuts.
pub(crate) trait Tamper {
    /// The unit has power and its boot loader is about to run.
    fn booting(&mut self, hardware: &mut Hardware) {
        let _ = hardware;
    }

    /// Something is about to reach the agent; what it [hears](Edge::hear) instead may be nothing.
    fn input(&mut self, input: Input, edge: &mut Edge<'_>) {
        edge.hear(input);
    }

    /// The agent did something; what is [performed](Edge::perform) instead may be nothing.
    fn output(&mut self, output: Output, edge: &mut Edge<'_>) {
        edge.perform(output);
    }
}

/// What a tamper acts through while it handles one input or output.
pub(crate) struct Edge<'a> {
    /// What survives power cuts.
    pub(crate) hardware: &'a mut Hardware,
    /// What the unit was given.
    pub(crate) setup: &'a Setup,
    /// Now, on the monotonic clock.
    pub(crate) now: Stamp,
    pub(crate) inputs: Vec<Input>,
    pub(crate) outputs: Vec<Output>,
    pub(crate) later: Vec<(Duration, Later)>,
    pub(crate) extra: u32,
}

/// What a tamper put off.
#[derive(Clone, Debug)]
pub(crate) enum Later {
    /// The agent hears this.
    Hear(Input),
    /// The shell performs this.
    Perform(Output),
}

impl<'a> Edge<'a> {
    /// Nothing heard or done yet; `extra` counts the requests nobody asked for.
    pub(crate) fn new(hardware: &'a mut Hardware, setup: &'a Setup, now: Stamp, extra: u32) -> Self {
        Edge {
            hardware,
            setup,
            now,
            inputs: Vec::new(),
            outputs: Vec::new(),
            later: Vec::new(),
            extra,
        }
    }

    /// Passes an input to the agent.
    pub(crate) fn hear(&mut self, input: Input) {
        self.inputs.push(input);
    }

    /// Has the shell carry an output out.
    pub(crate) fn perform(&mut self, output: Output) {
        self.outputs.push(output);
    }

    /// The same after a while, unless the power fails before.
    pub(crate) fn perform_later(&mut self, after: Duration, output: Output) {
        self.later.push((after, Later::Perform(output)));
    }

    /// Passes an input to the agent after a while, unless the power fails before.
    pub(crate) fn hear_later(&mut self, after: Duration, input: Input) {
        self.later.push((after, Later::Hear(input)));
    }

    /// A request of which the agent knows nothing; its answer reaches nobody.
    pub(crate) fn request(&mut self, call: HttpCall) {
        let output = self.extra_request(call);
        self.perform(output);
    }

    /// The same after a while.
    pub(crate) fn request_later(&mut self, after: Duration, call: HttpCall) {
        let output = self.extra_request(call);
        self.perform_later(after, output);
    }

    fn extra_request(&mut self, call: HttpCall) -> Output {
        self.extra = self.extra.wrapping_add(1) % FIRST_EXTRA;
        Output::Http(RequestId(FIRST_EXTRA + self.extra), Box::new(call))
    }
}

/// Whether an input belongs to a request of which the agent knows nothing.
pub(crate) fn is_of_extra_request(input: &Input) -> bool {
    match input {
        Input::HttpAnswer { request, .. }
        | Input::HttpHead { request, .. }
        | Input::HttpChunk { request, .. }
        | Input::HttpEnd { request }
        | Input::HttpFailed { request, .. } => request.0 >= FIRST_EXTRA,
        _ => false,
    }
}

/// The first number of requests that agents never choose.
const FIRST_EXTRA: u32 = 1 << 30;
