//! The F-names of the protocol references, and the words of scenarios that do what each of them names.

use crate::Plan;
use serde_json::Value;

/// An F-name and its signs: a scenario provokes it if it uses one of these words. A sign is the name of an action or a
/// fault, perhaps with an argument that must be given, perhaps with the value it must have: `cloud.publish checksum`,
/// `unit.stimulate name=clock_jump`. `cloud` and `prepare` stand for the options of the scenario itself, and
/// `sweep` for its sweep of power cuts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Code {
    /// Such as `F-RST`.
    pub(crate) name: &'static str,
    pub(crate) signs: &'static [&'static str],
}

impl Code {
    /// The F-names in the name of a stimulus, each once; `Err` is one that nobody knows.
    pub(crate) fn all_in(stimulus: &str) -> impl Iterator<Item = Result<Code, &str>> {
        let words = stimulus.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
        let names = words.filter(|word| {
            word.strip_prefix("F-").is_some_and(|rest| {
                !rest.is_empty() && rest.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
            })
        });
        names.map(|name| {
            let known = CODES.iter().find(|(code, _)| *code == name);
            known.map(|&(name, signs)| Code { name, signs }).ok_or(name)
        })
    }

    /// Whether the scenario uses one of the signs.
    pub(crate) fn provoked_by(self, plan: &Plan) -> bool {
        let of_plan = |word: &str| match word {
            "cloud" => Some(&plan.cloud),
            "prepare" => Some(&plan.prepare),
            _ => None,
        };
        let mut found = self.signs.iter().map(|sign| Sign::parse(sign)).any(|sign| {
            let options = of_plan(sign.word);
            options.is_some_and(|options| sign.agrees(&|argument| options.get(argument).cloned()))
                || (sign.word == "sweep" && plan.sweep.is_some())
        });
        plan.for_each_word(&mut |_, word, argument_of| {
            let signs = self.signs.iter().map(|sign| Sign::parse(sign));
            found |= signs
                .filter(|sign| sign.word == word)
                .any(|sign| sign.agrees(argument_of));
        });
        // A sweep cuts power without a word in its steps.
        found || (plan.sweep.is_some() && self.signs.contains(&SWEPT))
    }
}

/// One sign in its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sign<'s> {
    word: &'s str,
    argument: Option<&'s str>,
    value: Option<&'s str>,
}

impl<'s> Sign<'s> {
    fn parse(text: &'s str) -> Sign<'s> {
        let (word, argument) = match text.split_once(' ') {
            Some((word, argument)) => (word, Some(argument)),
            None => (text, None),
        };
        let (argument, value) = match argument.and_then(|argument| argument.split_once('=')) {
            Some((argument, value)) => (Some(argument), Some(value)),
            None => (argument, None),
        };
        Sign {
            word,
            argument,
            value,
        }
    }

    fn agrees(self, argument_of: &dyn Fn(&str) -> Option<Value>) -> bool {
        let Some(argument) = self.argument else {
            return true;
        };
        let given = argument_of(argument).filter(|given| !given.is_null());
        given.is_some_and(|given| match self.value {
            None => true,
            Some("true") => given == true,
            Some(value) => given == value,
        })
    }
}

/// What a sweep does.
const SWEPT: &str = "unit.power_cut";
const CODES: &[(&str, &[&str])] = &[
    (
        "F-BADIMG",
        &[
            "cloud.publish artifact=crash",
            "cloud.publish artifact=mute",
            "cloud.publish artifact=hang",
            "cloud.publish artifact=other_platform",
            "cloud.update artifact=crash",
            "cloud.update artifact=mute",
            "cloud.update artifact=hang",
            "cloud.update artifact=other_platform",
        ],
    ),
    (
        "F-BCG",
        &[
            "unit.module",
            "unit.stimulate name=module",
            "unit.stimulus name=module",
        ],
    ),
    ("F-BUSY", &["cloud.issue", "cloud.update", "unit.busy"]),
    ("F-CHUNK", &["cloud.framing"]),
    (
        "F-CLOCK",
        &[
            "unit.clock_jump",
            "unit.clock_unset",
            "unit.stimulate name=clock_jump",
            "unit.stimulate name=clock_unset",
            "unit.stimulus name=clock_jump",
            "unit.stimulus name=clock_unset",
        ],
    ),
    (
        "F-CLOCK0",
        &[
            "unit.clock_unset",
            "unit.stimulate name=clock_unset",
            "unit.stimulus name=clock_unset",
        ],
    ),
    (
        "F-DISK",
        &[
            "unit.storage_full",
            "unit.stimulate name=free_space",
            "unit.stimulus name=free_space",
        ],
    ),
    (
        "F-DNS",
        &[
            "cloud.publish download_url=unreachable",
            "cloud.redirect target=unreachable",
            "cloud.wrong_url leads_to=unresolved",
        ],
    ),
    ("F-DRIP", &["cloud.drip", "net.bandwidth", "net.chunk"]),
    ("F-DUP", &["cloud.redeliver", "cloud.repeat", "cloud.list_twice"]),
    (
        "F-JSON",
        &[
            "cloud.bad_json",
            "cloud.body",
            "cloud.padding",
            "cloud.queue extra",
            "cloud.queue_raw",
            "cloud.issue extra",
            "cloud.issue_raw",
            "cloud.replace",
            "cloud.malform",
            "cloud.member",
            "cloud.unknown_type",
            "cloud.wrong_txn",
            "cloud.wrong_version",
        ],
    ),
    (
        "F-KEY",
        &[
            "cloud.key",
            "cloud.rotate_key",
            "cloud.revoke_token",
            "cloud.refuse_credentials",
            "cloud.accept_credentials",
        ],
    ),
    ("F-ORDER", &["cloud.list_reversed"]),
    (
        "F-POWER",
        &[
            "sweep",
            "unit.cut_power",
            "unit.power_cut",
            "unit.power_cut_at_write",
            "unit.brown_out",
            "unit.reset",
            "unit.stimulate name=cut_at_write",
        ],
    ),
    ("F-REDIR", &["cloud.redirect", "cloud redirect_downloads=true"]),
    ("F-RESTART", &["cloud.restart", "cloud.other_instance"]),
    (
        "F-RST",
        &[
            "cloud.reset",
            "cloud.abort",
            "net.reset",
            "cloud.unsubscribe reset=true",
        ],
    ),
    ("F-SIZE", &["cloud.publish size"]),
    ("F-STALL", &["cloud.stall", "net.stall", "net.black_hole"]),
    ("F-STATUS", &["cloud.status", "cloud.storage_full"]),
    (
        "F-SUM",
        &[
            "artifact.flip",
            "net.corrupt",
            "artifact.swap",
            "cloud.alter_blob",
            "cloud.publish checksum",
            "cloud.publish variant=flipped",
            "cloud.publish variant=flipped_fixed",
            "cloud.publish variant=wrong_checksum",
            "cloud.publish variant=last_flipped_fixed",
            "cloud.publish variant=last_wrong_checksum",
            "cloud.update checksum",
        ],
    ),
    ("F-TLS", &["tls.certificate", "tls.version"]),
    (
        "F-TRUNC",
        &[
            "artifact.truncate",
            "cloud.truncate",
            "cloud.length",
            "net.truncate",
        ],
    ),
    ("F-URL", &["cloud.publish download_url", "cloud.wrong_url"]),
    ("F-WRAP", &["unit.timer_wrap"]),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Vocabulary;
    use hil_wire::Protocol;

    #[test]
    fn every_sign_is_a_word_of_some_protocol() {
        let vocabulary = Vocabulary::embedded().unwrap_or_else(|d| panic!("{d}"));
        let words = Protocol::ALL.map(|protocol| vocabulary.words(protocol));
        for sign in CODES.iter().flat_map(|(_, signs)| *signs) {
            let Sign { word, argument, .. } = Sign::parse(sign);
            let known = words.iter().any(|words| {
                let found = words.actions.get(word).or_else(|| words.faults.get(word));
                let fields = found.map(|word| &word.with);
                let options = match word {
                    "cloud" => Some(&words.cloud),
                    "prepare" => Some(&words.prepare),
                    _ => fields,
                };
                options.is_some_and(|fields| argument.is_none_or(|argument| fields.contains_key(argument)))
            });
            assert!(known || *sign == "sweep", "{sign}");
        }
    }

    #[test]
    fn f_names_are_found_in_the_names_of_stimuli() {
        let names = |text| {
            Code::all_in(text)
                .map(|code| code.map(|code| code.name))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            names("F-STATUS 500 on report, F-RST"),
            [Ok("F-STATUS"), Ok("F-RST")]
        );
        assert_eq!(names("F-STATIC"), [Err("F-STATIC")]);
        assert_eq!(names("empty catalogue, OF-RST, F-low"), []);
    }
}
