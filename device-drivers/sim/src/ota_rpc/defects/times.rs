//! Defects of the commit window.

use crate::{
    Defect, Input, Output,
    defect::edits::{hear, perform, stateful, timers},
    ota_rpc::agent::COMMIT_TIMER,
};
use hil_trace::Stamp;
use std::time::Duration;

pub(super) const DEFECTS: &[Defect] = &[
    Defect::tampering(
        "rollback-too-early",
        "OTA-TIME-001",
        "Goes back in half the time it was given.",
        || {
            timers(
                (),
                |(), timer, after| if timer == COMMIT_TIMER { after / 2 } else { after },
            )
        },
    ),
    Defect::tampering(
        "rollback-too-late",
        "OTA-TIME-002",
        "Goes back in twice the time it was given.",
        || {
            timers(
                (),
                |(), timer, after| if timer == COMMIT_TIMER { after * 2 } else { after },
            )
        },
    ),
    Defect::tampering(
        "window-by-the-clock",
        "OTA-TIME-003",
        "Measures the window by its wall clock.",
        || {
            stateful::<i64>(
                |offset, input, edge| {
                    let jumped = edge.hardware.wall_offset_us
                        - std::mem::replace(offset, edge.hardware.wall_offset_us);
                    if jumped > 60_000_000 {
                        edge.hear(Input::Timer(COMMIT_TIMER));
                    }
                    edge.hear(input);
                },
                perform,
            )
        },
    ),
    Defect::tampering(
        "window-from-the-download",
        "OTA-TIME-004",
        "Begins the window with the download.",
        || {
            stateful::<Option<Stamp>>(hear, |begun, output, edge| {
                match &output {
                    Output::Http(..) => *begun = Some(edge.now),
                    Output::Timer(COMMIT_TIMER, after) => {
                        let passed = begun.map_or(Duration::ZERO, |begun| edge.now.since(begun));
                        let left = after.saturating_sub(passed).max(Duration::from_secs(1));
                        return edge.perform(Output::Timer(COMMIT_TIMER, left));
                    }
                    _ => {}
                }
                edge.perform(output);
            })
        },
    ),
    Defect::tampering(
        "calls-extend-the-window",
        "OTA-TIME-005",
        "Makes the window a little longer with each look at the boot state.",
        || {
            // The end of the window.
            stateful::<Option<Stamp>>(
                |end, input, edge| {
                    if let (Input::ServerRequest { request, .. }, Some(end)) = (&input, end.as_mut())
                        && super::method_of(request).as_deref() == Some("OTA.GetBootState")
                    {
                        *end = *end + Duration::from_millis(200);
                        edge.perform(Output::Timer(COMMIT_TIMER, end.since(edge.now)));
                    }
                    if matches!(input, Input::Boot) {
                        *end = None;
                    }
                    edge.hear(input);
                },
                |end, output, edge| {
                    match &output {
                        Output::Timer(COMMIT_TIMER, after) => *end = Some(edge.now + *after),
                        Output::Cancel(COMMIT_TIMER) => *end = None,
                        _ => {}
                    }
                    edge.perform(output);
                },
            )
        },
    ),
];
