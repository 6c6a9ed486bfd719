//! Defects of the rhythm, and of what a unit makes of a cloud that does not answer as it should.

use super::{answers, is_poll};
use crate::{
    Defect, HttpError, Input, Output,
    defect::{
        Tamper,
        edits::{answers_heard, any_input, hear, perform, repeated, requests, stateful, timers, without},
    },
    edge_poll::agent::{DELIVERY, POLL, POLL_TIMER},
};
use std::time::Duration;

pub(super) const DEFECTS: &[Defect] = &[
    Defect::tampering(
        "polls-too-fast",
        "POLL-INTERVAL-001",
        "Polls in half the interval.",
        || polls_after(|after| after / 2),
    ),
    Defect::tampering(
        "polls-without-backoff",
        "POLL-INTERVAL-003",
        "Polls a cloud that fails every second.",
        || polls_after(|after| after.min(Duration::from_secs(1))),
    ),
    Defect::tampering(
        "stays-slow",
        "POLL-INTERVAL-004",
        "Polls in four times the interval for ever once a poll has failed.",
        || {
            // Whether the last poll failed, and whether any did before it.
            stateful::<(bool, bool)>(
                |(last, before), input, edge| {
                    if answers(&input, POLL) {
                        *before |= *last;
                        *last = match &input {
                            Input::HttpAnswer { response, .. } => response.status >= 500,
                            _ => true,
                        };
                    }
                    edge.hear(input);
                },
                |(last, before), output, edge| {
                    edge.perform(match output {
                        Output::Timer(POLL_TIMER, after) if *before && !*last => {
                            Output::Timer(POLL_TIMER, after * 4)
                        }
                        other => other,
                    });
                },
            )
        },
    ),
    Defect::tampering(
        "retry-after-ignored",
        "POLL-INTERVAL-005",
        "Comes back before the time that `Retry-After` named.",
        || answers_heard(|response| without(&mut response.headers, "Retry-After")),
    ),
    Defect::tampering(
        "hint-ignored",
        "POLL-INTERVAL-006",
        "Does not adopt the interval of `X-Poll-Interval`.",
        || answers_heard(|response| without(&mut response.headers, "X-Poll-Interval")),
    ),
    Defect::tampering(
        "polls-meanwhile",
        "POLL-INTERVAL-007",
        "Polls again while a poll still waits for its answer.",
        || repeated(Duration::from_secs(2), is_poll),
    ),
    Defect::tampering(
        "no-work-is-an-error",
        "POLL-FETCH-001",
        "Takes 204 and 304 for failures.",
        || {
            answers_heard(|response| {
                if matches!(response.status, 204 | 304) {
                    response.status = 500;
                }
            })
        },
    ),
    Defect::tampering(
        "gives-up-when-refused",
        "POLL-AUTH-004",
        "Never polls again once its key was refused.",
        || {
            any_input(
                |input| !matches!(input, Input::HttpAnswer { request: POLL, response } if matches!(response.status, 401 | 403)),
            )
        },
    ),
    Defect::tampering(
        "gives-up-when-cut-off",
        "POLL-ROBUST-004",
        "Never polls again after twenty failures in a row.",
        || {
            stateful::<u32>(
                |failures, input, edge| {
                    match &input {
                        Input::HttpFailed { request: POLL, .. } => *failures += 1,
                        Input::HttpAnswer { request: POLL, .. } => *failures = 0,
                        _ => {}
                    }
                    if *failures < 20 || !answers(&input, POLL) {
                        edge.hear(input);
                    }
                },
                perform,
            )
        },
    ),
    Defect::tampering(
        "stops-when-the-clock-jumps",
        "POLL-ROBUST-003",
        "Never polls again once its wall clock was changed.",
        || {
            stateful::<()>(hear, |(), output, edge| {
                let jumped = edge.hardware.wall_offset_us != 0;
                if !(jumped && matches!(output, Output::Timer(POLL_TIMER, _))) {
                    edge.perform(output);
                }
            })
        },
    ),
    Defect::tampering(
        "waits-for-ever",
        "POLL-ROBUST-005",
        "Has no limit on how long a request may take.",
        || {
            requests(|call| {
                let long = Duration::from_secs(30 * 86_400);
                call.limits.connect = long;
                call.limits.idle = long;
                call.limits.total = None;
            })
        },
    ),
    Defect::tampering(
        "unknown-commands-acked-again",
        "POLL-ROBUST-002",
        "Sends acknowledgements again and again that a cloud without its store answers with 404.",
        || {
            any_input(|input| {
                if let Input::HttpAnswer {
                    request: DELIVERY,
                    response,
                } = input
                    && response.status == 404
                {
                    *input = Input::HttpFailed {
                        request: DELIVERY,
                        error: HttpError::Timeout("waiting for the answer"),
                    };
                }
                true
            })
        },
    ),
];

/// Other gaps between polls.
fn polls_after(edit: fn(Duration) -> Duration) -> Box<dyn Tamper> {
    timers(
        edit,
        |edit, timer, after| {
            if timer == POLL_TIMER { edit(after) } else { after }
        },
    )
}
