//! Defects in reading the list of commands.

use crate::{
    Defect, Input,
    defect::{
        Edge, Tamper,
        edits::{any_input, edit_json, perform, stateful},
    },
    edge_poll::agent::POLL,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

pub(super) const DEFECTS: &[Defect] = &[
    Defect::tampering(
        "list-backwards",
        "POLL-FETCH-002",
        "Executes the commands of a list from its end.",
        || lists(|items| items.reverse()),
    ),
    Defect::tampering(
        "unknown-members-refused",
        "POLL-FETCH-003",
        "Ignores commands that have members it does not know.",
        || {
            lists(|items| {
                items.retain(|item| {
                    let known = |name: &String| MEMBERS.contains(&name.as_str());
                    item.as_object().is_none_or(|members| members.keys().all(known))
                });
            })
        },
    ),
    Defect::tampering(
        "stops-at-nonsense",
        "POLL-FETCH-004",
        "Never polls again after an answer that is no list.",
        || {
            any_input(|input| match input {
                Input::HttpAnswer {
                    request: POLL,
                    response,
                } if response.status == 200 => serde_json::from_slice::<Vec<Value>>(&response.body).is_ok(),
                _ => true,
            })
        },
    ),
    Defect::tampering(
        "one-bad-item-spoils-all",
        "POLL-FETCH-005",
        "Drops a whole list if one item in it is malformed.",
        || {
            lists(|items| {
                let is_good = |item: &Value| {
                    item["id"].is_string() && item["command"].is_string() && item["payload"].is_object()
                };
                if !items.iter().all(is_good) {
                    items.clear();
                }
            })
        },
    ),
    Defect::tampering(
        "expired-executed",
        "POLL-FETCH-006",
        "Starts commands that have expired.",
        || each_item(|item| remove(item, "expires_at")),
    ),
    Defect::tampering(
        "sixty-commands-at-most",
        "POLL-FETCH-007",
        "Never gets round to more than sixty commands.",
        || {
            stateful::<BTreeSet<String>>(
                |seen, mut input, edge| {
                    edit_list(&mut input, |items| {
                        items.retain(|item| {
                            let id = item["id"].as_str().unwrap_or_default().to_owned();
                            seen.contains(&id) || (seen.len() < 60 && seen.insert(id))
                        });
                    });
                    edge.hear(input);
                },
                perform,
            )
        },
    ),
    Defect::tampering(
        "downgrade-accepted",
        "POLL-SNAP-003",
        "Installs an older version without being allowed to.",
        || {
            each_item(|item| {
                if let Some(payload) = item.get_mut("payload").and_then(Value::as_object_mut) {
                    payload.insert("allow_downgrade".to_owned(), json!(true));
                }
            })
        },
    ),
    Defect::tampering(
        "takes-the-good-keys",
        "POLL-CMD-009",
        "Applies the good keys of a configuration that also has bad ones.",
        || {
            each_item(|item| {
                if item["command"] == "config_update"
                    && let Some(payload) = item.get_mut("payload").and_then(Value::as_object_mut)
                {
                    let bad = hil_wire::edge_poll::invalid_config_keys(payload);
                    payload.retain(|key, _| !bad.contains(key));
                }
            })
        },
    ),
];

/// Edits the list of every poll that has one.
fn lists(edit: fn(&mut Vec<Value>)) -> Box<dyn Tamper> {
    stateful_list(edit, |edit, items| edit(items))
}

/// Edits every item of every list.
fn each_item(edit: fn(&mut Value)) -> Box<dyn Tamper> {
    stateful_list(edit, |edit, items| items.iter_mut().for_each(*edit))
}

fn stateful_list<F: Copy + 'static>(edit: F, act: fn(&F, &mut Vec<Value>)) -> Box<dyn Tamper> {
    Box::new(Lists { edit, act })
}

struct Lists<F> {
    edit: F,
    act: fn(&F, &mut Vec<Value>),
}

impl<F> Tamper for Lists<F> {
    fn input(&mut self, mut input: Input, edge: &mut Edge<'_>) {
        edit_list(&mut input, |items| (self.act)(&self.edit, items));
        edge.hear(input);
    }
}

pub(super) fn edit_list(input: &mut Input, edit: impl FnOnce(&mut Vec<Value>)) {
    if let Input::HttpAnswer {
        request: POLL,
        response,
    } = input
        && response.status == 200
    {
        edit_json(&mut response.body, |body| {
            if let Value::Array(items) = body {
                edit(items);
            }
        });
    }
}

fn remove(item: &mut Value, name: &str) {
    if let Some(members) = item.as_object_mut() {
        members.remove(name);
    }
}

const MEMBERS: [&str; 7] = [
    "id",
    "command",
    "payload",
    "status",
    "created_at",
    "expires_at",
    "priority",
];
