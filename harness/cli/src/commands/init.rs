//! `hil init`.

use super::print;
use crate::{args::InitArguments, exit::Exit};
use hil_scenario::{Field, FieldType, Vocabulary, Word, Words};
use hil_unit::unit_file::{DriverKind, init_template};

pub(crate) fn execute(arguments: InitArguments) -> Exit {
    let driver = match arguments.driver.as_str() {
        "sim" => DriverKind::Sim,
        "adapter" => DriverKind::Adapter,
        "remote" => DriverKind::Remote,
        _ => DriverKind::Process,
    };
    print(&init_template(arguments.protocol, driver));
    if driver.has_command()
        && let Ok(vocabulary) = Vocabulary::embedded()
    {
        print(&hooks(vocabulary.words(arguments.protocol)));
    }
    Exit::Pass
}

/// What scenarios may read in a unit or do to it, with the arguments its commands get, as comments.
fn hooks(words: &Words) -> String {
    let mut text = facts(words);
    for (noun, hooks) in [("Probes", &words.probes), ("Stimuli", &words.stimuli)] {
        text.push_str(&format!(
            "\n# {noun} that scenarios use, with the arguments of the call; one in brackets may be empty:\n"
        ));
        for (name, word) in hooks {
            text.push_str(&hook(name, word));
        }
    }
    text
}

/// Times and facts that scenarios reckon with, as comments.
fn facts(words: &Words) -> String {
    let is_time = |field: &Field| field.kind == FieldType::Duration;
    let (times, facts): (Vec<_>, Vec<_>) = words.unit.iter().partition(|(_, field)| is_time(field));
    let mut text = String::new();
    for (section, fields) in [("timing", times), ("facts", facts)] {
        if !fields.is_empty() {
            text.push_str(&format!("\n# What `{section}` can say:\n"));
        }
        for (name, field) in fields {
            text.push_str(&format!("#   {name}  {}\n", field.summary));
        }
    }
    text
}

fn hook(name: &str, word: &Word) -> String {
    let arguments: String = word
        .with
        .iter()
        .map(|(name, field)| match field.required {
            true => format!(" {{{name}}}"),
            false => format!(" [{{{name}}}]"),
        })
        .collect();
    format!("#   {name}{arguments}  {}\n", word.summary)
}
