//! Defects of polling.

use super::{asks, is_list};
use crate::{
    Defect, Input, Output,
    defect::{
        Tamper,
        edits::{hear, perform, repeated, requests, stateful, timers},
    },
    sota::agent::POLL_TIMER,
};
use hil_wire::sota::core::decode_update_list;
use std::time::Duration;

pub(super) const DEFECTS: &[Defect] = &[
    Defect::tampering(
        "polls-half-as-often",
        "SOTA-POLL-001",
        "Asks for updates half as often as it was told.",
        || {
            timers((), |(), timer, after| match timer {
                POLL_TIMER => after * 2,
                _ => after,
            })
        },
    ),
    Defect::tampering(
        "polls-twice-as-often",
        "SOTA-POLL-001",
        "Asks for updates twice as often as it was told.",
        || {
            timers((), |(), timer, after| match timer {
                POLL_TIMER => after / 2,
                _ => after,
            })
        },
    ),
    Defect::tampering(
        "polls-though-off",
        "SOTA-POLL-002",
        "Asks for updates though polling is off.",
        || polling_anyway(),
    ),
    Defect::tampering(
        "polls-overlap",
        "SOTA-POLL-003",
        "Asks for updates again while it waits for the answer.",
        || repeated(Duration::from_secs(1), |call| asks(call, is_list)),
    ),
    Defect::tampering(
        "refused-for-good",
        "SOTA-POLL-004",
        "Does not poll any more after Core answered with an error.",
        || {
            no_polls_after(
                |input, _| matches!(input, Input::HttpAnswer { response, .. } if response.status >= 400),
            )
        },
    ),
    Defect::tampering(
        "unreachable-for-good",
        "SOTA-POLL-004",
        "Does not poll any more after Core could not be reached.",
        || no_polls_after(|input, _| matches!(input, Input::HttpFailed { .. })),
    ),
    Defect::tampering(
        "unreadable-for-good",
        "SOTA-POLL-004",
        "Does not poll any more after a list of updates it could not read.",
        || {
            no_polls_after(|input, setup| {
                matches!(input, Input::HttpAnswer { response, .. } if response.status == 200
                    && !decode_update_list(&response.body, super::dialect(setup)).is_valid())
            })
        },
    ),
    Defect::tampering(
        "polls-at-zero",
        "SOTA-POLL-005",
        "Polls every second at an interval of 0.",
        || polling_anyway(),
    ),
    Defect::tampering(
        "device-unnamed",
        "SOTA-POLL-006",
        "Asks for the updates of another device.",
        || {
            requests(|call| {
                if let Some((before, _)) = call.url.split_once("/mydevice/")
                    && asks(call, is_list)
                {
                    call.url = format!("{before}/mydevice/00000000-0000-4000-8000-000000000000/updates");
                }
            })
        },
    ),
];

/// Polls every second, whatever is configured.
fn polling_anyway() -> Box<dyn Tamper> {
    stateful::<()>(
        |(), input, edge| {
            if matches!(input, Input::Boot | Input::Timer(POLL_TIMER)) {
                edge.hear_later(Duration::from_secs(1), Input::Timer(POLL_TIMER));
            }
            edge.hear(input);
        },
        perform,
    )
}

/// Polls no more once such an outcome of a request for updates was heard.
fn no_polls_after(ends: fn(&Input, &crate::Setup) -> bool) -> Box<dyn Tamper> {
    Box::new(NoPolls {
        ends,
        asked: false,
        ended: false,
    })
}

struct NoPolls {
    ends: fn(&Input, &crate::Setup) -> bool,
    asked: bool,
    ended: bool,
}

impl Tamper for NoPolls {
    fn input(&mut self, input: Input, edge: &mut crate::defect::Edge<'_>) {
        self.ended |= self.asked && (self.ends)(&input, edge.setup);
        hear(&mut (), input, edge);
    }

    fn output(&mut self, output: Output, edge: &mut crate::defect::Edge<'_>) {
        if let Output::Http(_, call) = &output {
            self.asked = asks(call, is_list);
        }
        if !(self.ended && matches!(output, Output::Timer(POLL_TIMER, _))) {
            edge.perform(output);
        }
    }
}
