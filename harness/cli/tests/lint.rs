//! `hil lint` and `hil run` on files with mistakes, as people see it: one file for each kind of mistake in `mistakes/`,
//! and what is told about it as a golden file.

mod support;

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use support::{Told, hil_in};

#[test]
fn every_mistake_is_told_with_its_place_and_a_way_out() {
    let folder = folder();
    let mut names: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    names.sort();
    assert!(names.len() > 60);
    for path in names {
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        let told = hil_in(&folder, &["lint", &file]);
        assert_eq!(told.code, 3, "{file}: {}", told.err);
        assert_eq!(told.out, "", "{file}");
        assert!(told.err.contains(&format!("--> {file}:")), "{file}: {}", told.err);
        insta::assert_snapshot!(file.trim_end_matches(".yaml"), cut_lists(&told.err));
    }
}

#[test]
fn a_run_is_refused_for_the_mistakes_of_scenarios_and_units_together() {
    let folder = tempfile::tempdir().unwrap();
    let suites = folder.path().join("suites/deep");
    fs::create_dir_all(&suites).unwrap();
    fs::write(
        suites.join("one.yaml"),
        "name: x\nprotocol: edge_poll\nsteps:\n  - do: unit.strat\n",
    )
    .unwrap();
    fs::write(
        suites.join("two.yaml"),
        "name: x\nprotocol: edge-poll\nsteps:\n  - do: unit.strat\n",
    )
    .unwrap();
    fs::write(suites.join("unit.yaml"), "name: not a scenario\ndriver: sim\n").unwrap();
    fs::write(
        folder.path().join("left.yaml"),
        "name: l\nprotocol: edge-poll\ndriver: proces\n",
    )
    .unwrap();
    let right = "name: r\nprotocol: edge-poll\ndriver: process\ncommand: [./nope]\nics: {tsl: true}\n";
    fs::write(folder.path().join("right.yaml"), right).unwrap();
    let told = hil_in(
        folder.path(),
        &[
            "run",
            "--scenarios",
            "suites",
            "--unit",
            "left.yaml",
            "--unit",
            "right.yaml",
        ],
    );
    assert_eq!((told.code, told.out.as_str()), (3, ""));
    insta::assert_snapshot!("run_scenarios_and_units", cut_lists(&told.err));
}

#[test]
fn folders_are_searched_and_units_told_from_scenarios() {
    let folder = tempfile::tempdir().unwrap();
    for inner in ["a", "b/.hidden", "b/empty.yaml"] {
        fs::create_dir_all(folder.path().join(inner)).unwrap();
    }
    let scenario = "name: x\nprotocol: edge-poll\nsteps:\n  - do: unit.start\n";
    fs::write(folder.path().join("a/same.yaml"), scenario).unwrap();
    fs::write(
        folder.path().join("b/same.yaml"),
        scenario.replace("start", "strat"),
    )
    .unwrap();
    fs::write(folder.path().join("b/unit-restarts.yml"), scenario).unwrap();
    fs::write(folder.path().join("b/.hidden/x.yaml"), "nonsense").unwrap();
    fs::write(
        folder.path().join("b/unit.yaml"),
        "name: u\nprotocol: edge-poll\ndriver: sim\n",
    )
    .unwrap();
    let told = hil_in(folder.path(), &["lint", "a", "b"]);
    assert_eq!(told.code, 3);
    insta::assert_snapshot!("folders", cut_lists(&told.err));
    fs::write(folder.path().join("b/same.yaml"), scenario).unwrap();
    let told = hil_in(folder.path(), &["lint", "a", "b"]);
    assert_eq!(
        (told.code, told.out.trim()),
        (0, "3 scenarios, 1 unit file: no mistakes")
    );
}

#[test]
fn what_cannot_be_read_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("empty")).unwrap();
    fs::write(folder.path().join("bad.yaml"), "nme: x\n").unwrap();
    let lint = |arguments: &[&str]| hil_in(folder.path(), &[&["lint"], arguments].concat());
    insta::assert_snapshot!(
        "missing_files",
        shown(&lint(&["nope.yaml", "bad.yaml", "nowhere"]))
    );
    insta::assert_snapshot!("nothing_there", shown(&lint(&["empty"])));
    let run = |arguments: &[&str]| hil_in(folder.path(), &[&["run"], arguments].concat());
    insta::assert_snapshot!("missing_unit", shown(&run(&["--unit", "nope.yaml"])));
    insta::assert_snapshot!("unit_is_a_folder", shown(&run(&["--unit", "empty"])));
    insta::assert_snapshot!("missing_suites", shown(&run(&["--scenarios", "nowhere"])));
}

#[test]
fn bytes_that_editors_cannot_write_are_told_too() {
    let folder = tempfile::tempdir().unwrap();
    let good = "name: x\nprotocol: edge-poll\nsteps:\n  - do: unit.start\n";
    for (name, bytes) in [
        ("latin_1", b"name: caf\xe9\nprotocol: edge-poll\n".to_vec()),
        ("utf_16", good.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        (
            "utf_16_marked",
            [0xfeff]
                .into_iter()
                .chain(good.encode_utf16())
                .flat_map(u16::to_le_bytes)
                .collect(),
        ),
        ("nul", format!("{good}\0").into_bytes()),
        ("escape", good.replace("unit.start", "unit\u{1b}[2J").into_bytes()),
        (
            "windows_lines",
            good.replace("start", "strat").replace('\n', "\r\n").into_bytes(),
        ),
        (
            "byte_order_mark",
            format!("\u{feff}{}", good.replace("name", "nmae")).into_bytes(),
        ),
        ("empty_file", Vec::new()),
    ] {
        fs::write(folder.path().join("scenario.yaml"), bytes).unwrap();
        let told = hil_in(folder.path(), &["lint", "scenario.yaml"]);
        assert_eq!(told.code, 3, "{name}: {}", told.err);
        assert!(!told.err.contains('\u{1b}') && !told.err.contains('\0'), "{name}");
        insta::assert_snapshot!(format!("bytes_{name}"), cut_lists(&told.err));
    }
    for good in [
        format!("\u{feff}{good}"),
        good.replace('\n', "\r\n"),
        format!("---\n{good}...\n"),
    ] {
        fs::write(folder.path().join("scenario.yaml"), good).unwrap();
        assert_eq!(hil_in(folder.path(), &["lint", "scenario.yaml"]).code, 0);
    }
}

#[test]
fn huge_and_deep_files_are_answered_soon() {
    let folder = tempfile::tempdir().unwrap();
    let head = "name: x\nprotocol: edge-poll\nsteps:\n";
    for (text, mistakes) in [
        (
            format!(
                "{head}{}  - do: unit.strat\n",
                "  - do: unit.start\n".repeat(20_000)
            ),
            1,
        ),
        (format!("{head}{}", "  - do: unit.strat\n".repeat(1_000)), 1_000),
        (format!("{head}  - do: {}\n", "x".repeat(1_000_000)), 1),
        (
            format!(
                "{head}  - do: cloud.queue\n    with: {{payload: {}{}}}\n",
                "[".repeat(100_000),
                "]".repeat(100_000)
            ),
            1,
        ),
        (
            format!("a: {}1{}\n", "{a: ".repeat(100_000), "}".repeat(100_000)),
            1,
        ),
    ] {
        fs::write(folder.path().join("scenario.yaml"), &text).unwrap();
        let begun = Instant::now();
        let told = hil_in(folder.path(), &["lint", "scenario.yaml"]);
        assert_eq!(told.code, 3, "{:.200}", told.err);
        let counted = told
            .err
            .lines()
            .filter(|line| line.starts_with("error: "))
            .count();
        assert_eq!(counted, mistakes, "{:.200}", told.err);
        assert!(
            told.err.len() < 2_000 * mistakes.max(1),
            "{} bytes",
            told.err.len()
        );
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mistakes")
}

fn shown(told: &Told) -> String {
    format!("exit {}\n{}{}", told.code, told.out, cut_lists(&told.err))
}

/// Long lists of words without all but their first: words are added to the vocabulary every now and then.
fn cut_lists(text: &str) -> String {
    const LIST: &str = "expected one of ";
    let cut = |line: &str| match line.split_once(LIST) {
        Some((lead, list)) if list.split(", ").count() > 4 => {
            format!("{lead}{LIST}{}, …\n", list.split(", ").next().unwrap_or_default())
        }
        _ => format!("{line}\n"),
    };
    text.lines().map(cut).collect()
}
