//! The usual ways to tamper, so that a defect is a line in its protocol's table.

use super::{Edge, Tamper};
use crate::{Hardware, HttpCall, Input, Output, TimerId};
use hil_wire::http::{Headers, Response};
use serde_json::{Map, Value};
use std::time::Duration;

/// Edits every request before it is sent.
pub(crate) fn requests(edit: fn(&mut HttpCall)) -> Box<dyn Tamper> {
    outputs(edit, |edit, output| {
        if let Output::Http(_, call) | Output::OpenWs(_, call) = output {
            edit(call);
        }
        true
    })
}

/// Edits the members of the JSON body of some requests before they are sent.
pub(crate) fn json_requests(
    which: fn(&HttpCall) -> bool,
    edit: fn(&mut Map<String, Value>),
) -> Box<dyn Tamper> {
    outputs((which, edit), |(which, edit), output| {
        if let Output::Http(_, call) = output
            && which(call)
        {
            edit_json(&mut call.request.body, |body| {
                if let Value::Object(members) = body {
                    edit(members);
                }
            });
        }
        true
    })
}

/// Has requests answered by nobody: they are not sent, and the agent hears this answer.
pub(crate) fn pretended(pretend: fn(&HttpCall) -> Option<Response>) -> Box<dyn Tamper> {
    Box::new(Pretended(pretend))
}

/// Sends requests once more after a while.
pub(crate) fn repeated(after: Duration, is: fn(&HttpCall) -> bool) -> Box<dyn Tamper> {
    Box::new(Repeated { after, is })
}

/// Edits every answer to a request before the agent hears it, whole or streamed: status, headers, and the body if it
/// came as a whole.
pub(crate) fn answers_heard(edit: fn(&mut Response)) -> Box<dyn Tamper> {
    Box::new(AnswersHeard(edit))
}

/// Changes how long the agent's timers run; `by` is handed to the edit.
pub(crate) fn timers<F: Copy + 'static>(
    by: F,
    edit: fn(F, TimerId, Duration) -> Duration,
) -> Box<dyn Tamper> {
    outputs((by, edit), |(by, edit), output| {
        if let Output::Timer(timer, after) = output {
            *after = edit(by, *timer, *after);
        }
        true
    })
}

/// Changes what the flash holds before each boot.
pub(crate) fn boots(edit: fn(&mut Hardware)) -> Box<dyn Tamper> {
    Box::new(Boots(edit))
}

/// Edits, or with `false` keeps from it, anything the agent would hear.
pub(crate) fn any_input(edit: fn(&mut Input) -> bool) -> Box<dyn Tamper> {
    inputs(edit, |edit, input| edit(input))
}

/// Anything else: with a state of its own, inputs and outputs one by one.
pub(crate) fn stateful<S: Default + 'static>(
    input: fn(&mut S, Input, &mut Edge<'_>),
    output: fn(&mut S, Output, &mut Edge<'_>),
) -> Box<dyn Tamper> {
    Box::new(Stateful {
        state: S::default(),
        input,
        output,
    })
}

/// Restarts once more, so long after the boot that follows its first restart.
pub(crate) fn restarts_once_more(after: Duration) -> Box<dyn Tamper> {
    Box::new(RestartsOnceMore {
        after,
        restarts: false,
        again: false,
    })
}

/// Restarts at some inputs, without its memory of commands.
pub(crate) fn starts_afresh(at: fn(&Input) -> bool, forget: fn(&mut Hardware)) -> Box<dyn Tamper> {
    Box::new(StartsAfresh {
        at,
        forget,
        due: false,
    })
}

/// Removes every file whose name begins so.
pub(crate) fn forget(hardware: &mut Hardware, prefix: &str) {
    let names: Vec<String> = hardware.flash.names(prefix).map(str::to_owned).collect();
    for name in names {
        let _ = hardware.flash.remove(&name);
    }
}

/// Passes an input on as it is.
pub(crate) fn hear<S>(_: &mut S, input: Input, edge: &mut Edge<'_>) {
    edge.hear(input);
}

/// Passes an output on as it is.
pub(crate) fn perform<S>(_: &mut S, output: Output, edge: &mut Edge<'_>) {
    edge.perform(output);
}

/// Edits a JSON body in place; a body that is no JSON stays.
pub(crate) fn edit_json(body: &mut Vec<u8>, edit: impl FnOnce(&mut Value)) {
    if let Ok(mut value) = serde_json::from_slice::<Value>(body) {
        edit(&mut value);
        *body = value.to_string().into_bytes();
    }
}

/// Takes every header of a name away.
pub(crate) fn without(headers: &mut Headers, name: &str) {
    headers.0.retain(|(own, _)| !own.eq_ignore_ascii_case(name));
}

/// Sets a header, in place of all of its name.
pub(crate) fn set_header(headers: &mut Headers, name: &str, value: &str) {
    without(headers, name);
    headers.push(name, value);
}

fn outputs<F: Copy + 'static>(edit: F, act: fn(F, &mut Output) -> bool) -> Box<dyn Tamper> {
    Box::new(Outputs { edit, act })
}

fn inputs<F: Copy + 'static>(edit: F, act: fn(F, &mut Input) -> bool) -> Box<dyn Tamper> {
    Box::new(Inputs { edit, act })
}

struct Outputs<F> {
    edit: F,
    act: fn(F, &mut Output) -> bool,
}

impl<F: Copy> Tamper for Outputs<F> {
    fn output(&mut self, mut output: Output, edge: &mut Edge<'_>) {
        if (self.act)(self.edit, &mut output) {
            edge.perform(output);
        }
    }
}

struct Inputs<F> {
    edit: F,
    act: fn(F, &mut Input) -> bool,
}

impl<F: Copy> Tamper for Inputs<F> {
    fn input(&mut self, mut input: Input, edge: &mut Edge<'_>) {
        if (self.act)(self.edit, &mut input) {
            edge.hear(input);
        }
    }
}

struct Stateful<S> {
    state: S,
    input: fn(&mut S, Input, &mut Edge<'_>),
    output: fn(&mut S, Output, &mut Edge<'_>),
}

impl<S> Tamper for Stateful<S> {
    fn input(&mut self, input: Input, edge: &mut Edge<'_>) {
        (self.input)(&mut self.state, input, edge);
    }

    fn output(&mut self, output: Output, edge: &mut Edge<'_>) {
        (self.output)(&mut self.state, output, edge);
    }
}

struct AnswersHeard(fn(&mut Response));

impl Tamper for AnswersHeard {
    fn input(&mut self, input: Input, edge: &mut Edge<'_>) {
        let input = match input {
            Input::HttpAnswer {
                request,
                mut response,
            } => {
                (self.0)(&mut response);
                Input::HttpAnswer { request, response }
            }
            Input::HttpHead {
                request,
                status,
                headers,
            } => {
                let mut head = Response {
                    status,
                    headers,
                    body: Vec::new(),
                };
                (self.0)(&mut head);
                Input::HttpHead {
                    request,
                    status: head.status,
                    headers: head.headers,
                }
            }
            other => other,
        };
        edge.hear(input);
    }
}

struct Pretended(fn(&HttpCall) -> Option<Response>);

impl Tamper for Pretended {
    fn output(&mut self, output: Output, edge: &mut Edge<'_>) {
        match output {
            Output::Http(request, call) => match (self.0)(&call) {
                Some(response) => {
                    edge.hear_later(Duration::from_millis(1), Input::HttpAnswer { request, response });
                }
                None => edge.perform(Output::Http(request, call)),
            },
            other => edge.perform(other),
        }
    }
}

struct Repeated {
    after: Duration,
    is: fn(&HttpCall) -> bool,
}

impl Tamper for Repeated {
    fn output(&mut self, output: Output, edge: &mut Edge<'_>) {
        if let Output::Http(_, call) = &output
            && (self.is)(call)
        {
            edge.request_later(self.after, (**call).clone());
        }
        edge.perform(output);
    }
}

struct RestartsOnceMore {
    after: Duration,
    /// It restarts for the first time.
    restarts: bool,
    /// It did so again.
    again: bool,
}

impl Tamper for RestartsOnceMore {
    fn input(&mut self, input: Input, edge: &mut Edge<'_>) {
        let boot = input == Input::Boot;
        edge.hear(input);
        if boot && self.restarts && !std::mem::replace(&mut self.again, true) {
            edge.perform_later(self.after, Output::Reboot(Duration::ZERO));
        }
    }

    fn output(&mut self, output: Output, edge: &mut Edge<'_>) {
        self.restarts |= matches!(output, Output::Reboot(_));
        edge.perform(output);
    }
}

struct StartsAfresh {
    at: fn(&Input) -> bool,
    forget: fn(&mut Hardware),
    due: bool,
}

impl Tamper for StartsAfresh {
    fn booting(&mut self, hardware: &mut Hardware) {
        if std::mem::take(&mut self.due) {
            (self.forget)(hardware);
        }
    }

    fn input(&mut self, input: Input, edge: &mut Edge<'_>) {
        if (self.at)(&input) {
            self.due = true;
            edge.perform(Output::Reboot(Duration::ZERO));
        }
        edge.hear(input);
    }
}

struct Boots(fn(&mut Hardware));

impl Tamper for Boots {
    fn booting(&mut self, hardware: &mut Hardware) {
        (self.0)(hardware);
    }
}
