//! Monitors say which requirements they judge. Their sources show whether that is all and nothing but the truth.

use hil_monitor::judged;
use hil_wire::Protocol;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// A source file of monitors: what its `requirements` lists, and what the rest of it names.
struct Source {
    path: String,
    declared: Option<BTreeSet<String>>,
    named: BTreeSet<String>,
}

#[test]
fn each_monitor_lists_the_requirements_its_file_names_and_no_others() {
    let mut listed = BTreeSet::new();
    for folder in ["aos", "device_command", "edge_poll", "ota_rpc", "sota"] {
        let sources = sources(folder);
        let helpers = sources.iter().filter(|source| source.declared.is_none());
        let of_helpers: BTreeSet<&String> = helpers.flat_map(|source| &source.named).collect();
        let monitors: Vec<(&Source, &BTreeSet<String>)> = sources
            .iter()
            .filter_map(|source| Some((source, source.declared.as_ref()?)))
            .collect();
        assert!(!monitors.is_empty(), "{folder}");
        for (source, declared) in &monitors {
            let unlisted: Vec<_> = source.named.difference(declared).collect();
            assert!(unlisted.is_empty(), "{} does not list {unlisted:?}", source.path);
            let unused = declared.difference(&source.named);
            let unused: Vec<_> = unused.filter(|id| !of_helpers.contains(id)).collect();
            assert!(
                unused.is_empty(),
                "{} lists what it never states: {unused:?}",
                source.path
            );
            listed.extend(declared.iter().cloned());
        }
        for id in of_helpers {
            let owned = monitors.iter().any(|(_, declared)| declared.contains(id));
            assert!(owned, "{folder}: no monitor lists {id}");
        }
    }
    let told: BTreeSet<String> = Protocol::ALL
        .into_iter()
        .flat_map(judged)
        .flat_map(|(_, ids)| ids.iter().map(ToString::to_string))
        .collect();
    assert_eq!(told, listed);
}

#[test]
fn requirements_are_listed_once_in_order_and_of_the_own_protocol() {
    for protocol in Protocol::ALL {
        let judged: BTreeMap<_, _> = judged(protocol);
        assert!(!judged.is_empty(), "{protocol}");
        for (name, ids) in judged {
            assert!(ids.is_sorted_by(|a, b| a < b), "{name}");
            assert!(!ids.is_empty(), "{name}");
            let prefix = format!("{}-", protocol.requirement_prefix());
            assert!(ids.iter().all(|id| id.starts_with(&prefix)), "{name}");
            assert!(name.starts_with(protocol.name()), "{name}");
        }
    }
}

fn sources(folder: &str) -> Vec<Source> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(folder);
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| !path.to_string_lossy().ends_with("tests.rs"));
    files.map(|path| read(&path)).collect()
}

fn read(path: &Path) -> Source {
    let text = fs::read_to_string(path).unwrap();
    let list = text.split_once("fn requirements(&self)").map(|(before, rest)| {
        let (list, after) = rest
            .split_once(']')
            .and_then(|(_, rest)| rest.split_once(']'))
            .unwrap();
        (list.to_owned(), format!("{before}{after}"))
    });
    let (declared, rest) = match list {
        Some((list, rest)) => (Some(ids(&list)), rest),
        None => (None, text),
    };
    Source {
        path: path.display().to_string(),
        declared,
        named: ids(&rest),
    }
}

/// Texts in quotes that are ids of requirements.
fn ids(text: &str) -> BTreeSet<String> {
    let prefixes = Protocol::ALL.map(|protocol| format!("{}-", protocol.requirement_prefix()));
    let quoted = text.split('"').skip(1).step_by(2);
    let is_id = |text: &&str| {
        prefixes.iter().any(|prefix| text.starts_with(prefix.as_str()))
            && text.bytes().last().is_some_and(|last| last.is_ascii_digit())
    };
    quoted.filter(is_id).map(str::to_owned).collect()
}
