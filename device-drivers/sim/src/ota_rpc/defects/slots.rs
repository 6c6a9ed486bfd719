//! Defects of the boot state: commit, revert, snapshots, what a boot makes of it.

use super::{boot_state, call, called, record_of};
use crate::{
    Defect, Hardware, Input, Output, TimerId,
    defect::{
        Edge, Tamper,
        edits::{boots, forget, hear, stateful},
    },
    ota_rpc::{
        agent::{COMMIT_TIMER, INIT_TIMER},
        record,
    },
};
use hil_wire::{http::Response, ota_rpc::BootState};
use serde_json::{Value, json};
use std::time::Duration;

pub(super) const DEFECTS: &[Defect] = &[
    Defect::tampering(
        "says-committed",
        "OTA-UPDATE-005",
        "Says that a new image is committed.",
        || boot_state(|state| state["is_committed"] = json!(true)),
    ),
    Defect::tampering(
        "slots-as-text",
        "OTA-BOOT-001",
        "Says the numbers of slots as text.",
        || boot_state(|state| state["active_slot"] = json!(state["active_slot"].to_string())),
    ),
    Defect::tampering(
        "never-committed",
        "OTA-BOOT-002",
        "Says that nothing is committed.",
        || boot_state(|state| state["is_committed"] = json!(false)),
    ),
    Defect::tampering(
        "other-members-reset",
        "OTA-BOOT-003",
        "Resets what it was not told to change.",
        || {
            called("OTA.SetBootState", |arguments, _, _| {
                if arguments.get("commit_timeout").is_none() {
                    arguments["commit_timeout"] = json!(77);
                }
                true
            })
        },
    ),
    Defect::tampering(
        "anything-is-a-state",
        "OTA-BOOT-004",
        "Accepts a state without anything to change.",
        || {
            called("OTA.SetBootState", |arguments, exchange, edge| {
                let members = ["active_slot", "is_committed", "revert_slot", "commit_timeout"];
                let slot = |name: &str| arguments[name].as_i64().is_none_or(|slot| (0..2).contains(&slot));
                let usable = members.iter().any(|name| arguments.get(*name).is_some());
                let fits = slot("active_slot") && slot("revert_slot");
                if !(usable && fits) {
                    let frame = json!({"id": 1, "result": null});
                    edge.perform(Output::Answer(exchange, Response::json(200, &frame)));
                }
                usable && fits
            })
        },
    ),
    Defect::tampering(
        "state-arms-the-timer",
        "OTA-BOOT-005",
        "Arms the timer anew when the timeout is changed.",
        || {
            called("OTA.SetBootState", |arguments, _, edge| {
                if let Some(seconds) = arguments["commit_timeout"].as_u64() {
                    edge.perform(Output::Timer(COMMIT_TIMER, Duration::from_secs(seconds)));
                }
                true
            })
        },
    ),
    Defect::tampering(
        "text-uncommits",
        "OTA-BOOT-007",
        "Takes a boolean that is text for false.",
        || {
            called("OTA.SetBootState", |arguments, _, _| {
                if arguments["is_committed"].is_string() {
                    arguments["is_committed"] = json!(false);
                }
                true
            })
        },
    ),
    Defect::tampering(
        "commit-in-words-only",
        "OTA-COMMIT-001",
        "Answers a commit with success and does nothing.",
        || answered_only("OTA.Commit"),
    ),
    Defect::tampering(
        "timeout-stays",
        "OTA-COMMIT-002",
        "Says a timeout though it is committed.",
        || {
            boot_state(|state| {
                if state["is_committed"] == true {
                    state["commit_timeout"] = json!(30);
                }
            })
        },
    ),
    Defect::tampering(
        "commits-again",
        "OTA-COMMIT-003",
        "Answers a commit with success where nothing is to be committed.",
        || {
            called("OTA.Commit", |_, exchange, edge| {
                let committed = record_of(edge).is_committed && !edge.hardware.flash.is_dead();
                if committed {
                    let frame = json!({"id": 1, "result": null});
                    edge.perform(Output::Answer(exchange, Response::json(200, &frame)));
                }
                !committed
            })
        },
    ),
    Defect::tampering(
        "commit-lost",
        "OTA-COMMIT-005",
        "Forgets a commit when it loses its power.",
        || {
            boots(|hardware| {
                let state = record::load(&hardware.flash);
                if hardware.counted("commits") > 0 && state.is_committed {
                    let back = BootState {
                        active_slot: 1 - state.active_slot,
                        ..state
                    };
                    let _ = record::save(&mut hardware.flash, &back);
                }
            })
        },
    ),
    Defect::tampering(
        "no-rollback-by-time",
        "OTA-REVERT-001",
        "Never goes back because of time.",
        || {
            stateful::<()>(hear, |(), output, edge| {
                if !matches!(output, Output::Timer(COMMIT_TIMER, _)) {
                    edge.perform(output);
                }
            })
        },
    ),
    Defect::tampering(
        "revert-in-words-only",
        "OTA-REVERT-002",
        "Answers a revert with success and does nothing.",
        || answered_only("OTA.Revert"),
    ),
    Defect::tampering(
        "reverts-for-nothing",
        "OTA-REVERT-003",
        "Restarts for a revert though nothing is to be reverted.",
        || {
            called("OTA.Revert", |_, _, edge| {
                edge.perform_later(Duration::from_millis(300), Output::Reboot(Duration::ZERO));
                true
            })
        },
    ),
    Defect::tampering(
        "restart-commits",
        "OTA-REVERT-004",
        "Stays with an uncommitted image when it restarts.",
        || stays(),
    ),
    Defect::tampering(
        "crash-stays",
        "OTA-REVERT-007",
        "Stays with an image that crashes.",
        || stays(),
    ),
    Defect::tampering(
        "files-lost",
        "OTA-REVERT-008",
        "Loses the files of the user with each boot.",
        || boots(|hardware| forget(hardware, "files/")),
    ),
    Defect::tampering(
        "every-snapshot-is-the-way-back",
        "OTA-SNAP-001",
        "Makes a snapshot the way back though it was not told to.",
        || {
            called("OTA.CreateSnapshot", |arguments, _, _| {
                as_object(arguments)["set_as_revert"] = json!(true);
                true
            })
        },
    ),
    Defect::tampering(
        "no-snapshot-is-the-way-back",
        "OTA-SNAP-002",
        "Does not make a snapshot the way back.",
        || {
            called("OTA.CreateSnapshot", |arguments, _, _| {
                as_object(arguments)["set_as_revert"] = json!(false);
                true
            })
        },
    ),
    Defect::tampering(
        "snapshot-not-run",
        "OTA-SNAP-003",
        "Stays where it is though the snapshot was not committed.",
        || stays(),
    ),
    Defect::tampering(
        "snapshot-run-though-committed",
        "OTA-SNAP-004",
        "Runs the snapshot though the commit came.",
        || answered_only("OTA.Commit"),
    ),
    Defect::tampering(
        "snapshot-in-the-window",
        "OTA-SNAP-005",
        "Takes a snapshot of what is not committed.",
        || {
            called("OTA.CreateSnapshot", |_, _, edge| {
                call("OTA.Commit", edge);
                true
            })
        },
    ),
    Defect::tampering(
        "snapshot-destroys",
        "OTA-SNAP-006",
        "Erases what runs while it copies it.",
        || {
            called("OTA.CreateSnapshot", |_, _, edge| {
                let running = edge.hardware.active_slot;
                let _ = edge.hardware.erase_slot(running);
                true
            })
        },
    ),
    Defect::tampering(
        "first-boot-needs-its-restart",
        "OTA-ROBUST-002",
        "Does not boot a new image when power failed before its restart.",
        || Box::new(NeedsItsRestart::default()),
    ),
    Defect::tampering(
        "first-boot-must-not-be-disturbed",
        "OTA-ROBUST-003",
        "Does not boot any more when power failed in the first boot of an image.",
        || Box::new(MustNotBeDisturbed::default()),
    ),
];

/// Answers a method with success and does not execute it.
fn answered_only(method: &'static str) -> Box<dyn Tamper> {
    Box::new(AnsweredOnly(method))
}

struct AnsweredOnly(&'static str);

impl Tamper for AnsweredOnly {
    fn input(&mut self, input: Input, edge: &mut Edge<'_>) {
        if let Input::ServerRequest {
            exchange, request, ..
        } = &input
            && super::method_of(request).as_deref() == Some(self.0)
        {
            let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
            let frame = json!({"id": body["id"], "src": "sim-board", "dst": body["src"], "result": null});
            return edge.perform(Output::Answer(*exchange, Response::json(200, &frame)));
        }
        edge.hear(input);
    }
}

/// An uncommitted image that was booted once stays.
fn stays() -> Box<dyn Tamper> {
    Box::new(Stays::default())
}

#[derive(Default)]
struct Stays(Option<BootState>);

impl Tamper for Stays {
    fn booting(&mut self, hardware: &mut Hardware) {
        let state = record::load(&hardware.flash);
        if let Some(stays) = self.0.take() {
            let committed = BootState {
                is_committed: true,
                commit_timeout: 0,
                ..stays
            };
            let _ = record::save(&mut hardware.flash, &committed);
        } else if !state.is_committed {
            self.0 = Some(state);
        }
    }
}

/// Erases everything if a new image is booted for another reason than the restart it asked for.
#[derive(Default)]
struct NeedsItsRestart(bool);

impl Tamper for NeedsItsRestart {
    fn booting(&mut self, hardware: &mut Hardware) {
        let new = !record::load(&hardware.flash).is_committed;
        if !std::mem::take(&mut self.0) && new {
            for slot in 0..record::SLOTS {
                let _ = hardware.erase_slot(slot);
            }
        }
    }

    fn input(&mut self, input: Input, edge: &mut Edge<'_>) {
        if input == Input::Timer(RESTART) {
            self.0 = true;
            return edge.perform(Output::Reboot(Duration::ZERO));
        }
        edge.hear(input);
    }

    fn output(&mut self, output: Output, edge: &mut Edge<'_>) {
        edge.perform(match output {
            Output::Reboot(after) => Output::Timer(RESTART, after),
            other => other,
        });
    }
}

/// Erases everything if the first boot of an image did not come to its end.
#[derive(Default)]
struct MustNotBeDisturbed(bool);

impl Tamper for MustNotBeDisturbed {
    fn booting(&mut self, hardware: &mut Hardware) {
        let new = !record::load(&hardware.flash).is_committed;
        if std::mem::replace(&mut self.0, new) {
            for slot in 0..record::SLOTS {
                let _ = hardware.erase_slot(slot);
            }
        }
    }

    fn input(&mut self, input: Input, edge: &mut Edge<'_>) {
        if input == Input::Timer(INIT_TIMER) {
            self.0 = false;
        }
        edge.hear(input);
    }
}

/// The end of the time before a restart.
const RESTART: TimerId = TimerId(1 << 20);

fn as_object(arguments: &mut Value) -> &mut Value {
    if !arguments.is_object() {
        *arguments = json!({});
    }
    arguments
}
