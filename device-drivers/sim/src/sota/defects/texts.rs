//! Defects in how text commands are read.

use crate::{
    Defect, Input, StreamId,
    defect::{
        Edge, Tamper,
        edits::{any_input, edit_json},
    },
};
use serde_json::json;

pub(super) const DEFECTS: &[Defect] = &[
    Defect::tampering(
        "short-keywords-unknown",
        "SOTA-CONS-001",
        "Does not know the short keywords.",
        || texts(|text| Some(format!("no {text}")).filter(|_| SHORT.contains(&first(text)))),
    ),
    Defect::tampering(
        "leading-blanks-rejected",
        "SOTA-CONS-002",
        "Rejects commands with white space before the keyword.",
        || texts(|text| text.starts_with([' ', '\t']).then(|| format!("no {text}"))),
    ),
    Defect::tampering(
        "semicolons-rejected",
        "SOTA-CONS-002",
        "Rejects commands with a semicolon behind them.",
        || texts(|text| text.contains(';').then(|| format!("no {text}"))),
    ),
    Defect::tampering(
        "carriage-returns-rejected",
        "SOTA-CONS-002",
        "Rejects commands with a carriage return behind them.",
        || texts(|text| text.contains('\r').then(|| format!("no {text}"))),
    ),
    Defect::tampering(
        "surplus-arguments-dropped",
        "SOTA-CONS-003",
        "Drops arguments a command does not take.",
        || {
            texts(|text| {
                let most = match first(text) {
                    "GetUpdateRequests" | "getreq" | "ListSystemInfo" | "ListInstalledPackages" => 1,
                    "StartDownload" | "StartInstall" | "dl" | "inst" => 2,
                    _ => return None,
                };
                Some(text.split_whitespace().take(most).collect::<Vec<_>>().join(" "))
            })
        },
    ),
    Defect::tampering(
        "keywords-in-any-case",
        "SOTA-CONS-004",
        "Takes keywords in any letter case.",
        || {
            texts(|text| {
                let word = first(text);
                let known = ["GetUpdateRequests", "getreq", "StartDownload", "dl"];
                let right = known.iter().find(|right| right.eq_ignore_ascii_case(word))?;
                Some(text.replacen(word, right, 1))
            })
        },
    ),
    Defect::tampering(
        "arguments-run-in",
        "SOTA-CONS-006",
        "Takes a keyword that is run together with its argument.",
        || {
            texts(|text| {
                ["StartDownload", "StartInstall", "SendUpdateReport", "dl"]
                    .into_iter()
                    .find_map(|keyword| {
                        let rest = text.trim_start().strip_prefix(keyword)?;
                        let run_in = !rest.is_empty() && !rest.starts_with(char::is_whitespace);
                        run_in.then(|| format!("{keyword} {rest}"))
                    })
            })
        },
    ),
    Defect::tampering(
        "codes-clipped",
        "SOTA-REPORT-002",
        "Takes a result code above 19 for 19.",
        || {
            reports(|id, rest| {
                let code = rest.first()?.parse::<u32>().ok().filter(|code| *code > 19)?;
                Some(format!("{id} {}", code.min(19)))
            })
        },
    ),
    Defect::tampering(
        "negative-codes-taken",
        "SOTA-REPORT-002",
        "Takes a negative result code without its sign.",
        || reports(|id, rest| rest.first()?.strip_prefix('-').map(|code| format!("{id} {code}"))),
    ),
    Defect::tampering(
        "unknown-codes-taken",
        "SOTA-REPORT-002",
        "Takes a result code it does not know for any failure.",
        || {
            reports(|id, rest| {
                let known = hil_wire::sota::ResultCode::from_word(rest.first()?).is_some();
                (!known && rest.len() == 1).then(|| format!("{id} 19"))
            })
        },
    ),
    Defect::tampering(
        "code-optional",
        "SOTA-REPORT-003",
        "Takes a report without a result code for a success.",
        || reports(|id, rest| rest.is_empty().then(|| format!("{id} 0"))),
    ),
    Defect::tampering(
        "report-cut",
        "SOTA-REPORT-003",
        "Drops what stands behind the result code of a report.",
        || reports(|id, rest| (rest.len() > 1).then(|| format!("{id} {}", rest[0]))),
    ),
    Defect::tampering(
        "code-names-in-capitals",
        "SOTA-REPORT-006",
        "Takes result codes by name in capitals only.",
        || {
            reports(|id, rest| {
                let small = rest.first()?.contains(|c: char| c.is_ascii_lowercase());
                small.then(|| format!("{id} unknown_code"))
            })
        },
    ),
    Defect::tampering(
        "odd-word-dropped",
        "SOTA-PKG-002",
        "Drops a package name without a version.",
        || {
            texts(|text| {
                let words: Vec<&str> = text.split_whitespace().collect();
                let odd = first(text) == "SendInstalledPackages"
                    && words.len() > 2
                    && words.len().is_multiple_of(2);
                odd.then(|| words[..words.len() - 1].join(" "))
            })
        },
    ),
    Defect::tampering(
        "version-optional",
        "SOTA-PKG-002",
        "Takes a package name without a version for version 0.",
        || {
            texts(|text| {
                let words = text.split_whitespace().count();
                let odd = first(text) == "SendInstalledPackages" && words.is_multiple_of(2);
                odd.then(|| format!("{} 0", text.trim_end()))
            })
        },
    ),
    Defect::tampering(
        "bytes-replaced",
        "SOTA-ROBUST-009",
        "Puts something else in place of bytes that are not UTF-8.",
        || {
            any_input(|input| {
                match input {
                    Input::StreamData { stream, bytes } if stream.0 >= StreamId::SERVED => {
                        *bytes = String::from_utf8_lossy(bytes).into_owned().into();
                    }
                    Input::ServerRequest { request, .. } => {
                        request.body = String::from_utf8_lossy(&request.body).into_owned().into_bytes();
                        edit_json(&mut request.body, |body| {
                            if *body == "\u{fffd}\u{fffd}" {
                                *body = json!("GetUpdateRequests");
                            }
                        });
                    }
                    _ => {}
                }
                true
            })
        },
    ),
];

/// Puts another text in place of one on the commands socket or the console.
fn texts<F: Fn(&str) -> Option<String> + 'static>(edit: F) -> Box<dyn Tamper> {
    Box::new(Texts(edit))
}

/// The same for the arguments of a report: its id, and the words behind it.
fn reports(edit: fn(&str, &[&str]) -> Option<String>) -> Box<dyn Tamper> {
    texts(move |text| {
        let text = text.trim_end_matches([';', '\r', '\n']);
        let words: Vec<&str> = text.split_whitespace().collect();
        match words[..] {
            [
                keyword @ ("SendUpdateReport" | "SendInstallReport" | "sendup"),
                id,
                ref rest @ ..,
            ] => edit(id, rest).map(|arguments| format!("{keyword} {arguments}")),
            _ => None,
        }
    })
}

struct Texts<F>(F);

impl<F: Fn(&str) -> Option<String>> Tamper for Texts<F> {
    fn input(&mut self, mut input: Input, edge: &mut Edge<'_>) {
        if let Input::StreamData { stream, bytes } = &mut input
            && stream.0 >= StreamId::SERVED
            && let Ok(text) = std::str::from_utf8(bytes)
            && let Some(mut edited) = (self.0)(text)
        {
            // A line on the console stays one.
            if text.ends_with('\n') && !edited.ends_with('\n') {
                edited.push('\n');
            }
            *bytes = edited.into();
        }
        edge.hear(input);
    }
}

fn first(text: &str) -> &str {
    text.split([' ', '\t', '\r', '\n', ';'])
        .find(|word| !word.is_empty())
        .unwrap_or_default()
}

const SHORT: [&str; 8] = ["auth", "getreq", "ls", "info", "sendpack", "sendup", "dl", "inst"];
