//! Damaged journals, and disks that fail while a run goes on: what can be judged is judged, what cannot is said.

mod support;

use std::{
    fs,
    path::{Path, PathBuf},
};
use support::{Told, hil, hil_in};
use tempfile::TempDir;

/// A journal of a few instances with a side file, in folders of its own for each damage.
struct Bench {
    folder: TempDir,
    lines: Vec<String>,
}

impl Bench {
    fn new() -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let told = hil_in(
            folder.path(),
            &[
                "run",
                "--protocol",
                "edge-poll",
                "--path",
                "download",
                "--path",
                "ack-lost",
                "--seed",
                "7",
                // In the same order each time.
                "--jobs",
                "1",
                "--report",
                "whole",
            ],
        );
        assert_eq!(told.code, 0, "{}", told.err);
        let text = fs::read_to_string(folder.path().join("whole/journal.jsonl")).unwrap();
        let lines: Vec<String> = text.lines().map(|line| format!("{line}\n")).collect();
        assert!(lines.iter().filter(|line| begins_an_instance(line)).count() > 2);
        Bench { folder, lines }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a journal into a folder of its own, with the side files of the whole one.
    fn put(&self, name: &str, journal: &[u8]) -> PathBuf {
        let folder = self.path(name);
        fs::create_dir_all(folder.join("payloads")).unwrap();
        fs::write(folder.join("journal.jsonl"), journal).unwrap();
        for file in fs::read_dir(self.path("whole/payloads")).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), folder.join("payloads").join(file.file_name())).unwrap();
        }
        folder
    }

    fn judge(&self, name: &str) -> Told {
        hil_in(self.folder.path(), &["judge", name])
    }

    /// Where the instances after the first begin.
    fn second_instance(&self) -> usize {
        let mut starts = (0..self.lines.len()).filter(|at| begins_an_instance(&self.lines[*at]));
        starts.nth(1).unwrap()
    }
}

fn begins_an_instance(line: &str) -> bool {
    line.starts_with("{\"header\"")
}

#[test]
fn a_whole_journal_is_judged_as_the_run_was() {
    let bench = Bench::new();
    let told = bench.judge("whole");
    assert_eq!((told.code, told.err.as_str()), (0, ""));
    assert!(told.out.contains("seed 7"), "{}", told.out);
}

#[test]
fn a_torn_journal_is_judged_up_to_the_break() {
    let bench = Bench::new();
    let text = bench.lines.concat();
    let second = bench.second_instance();
    for (name, journal) in [
        ("mid_line", &text[..text.len() / 2]),
        ("no_newline", text.trim_end()),
        ("between_instances", &bench.lines[..second].concat()),
        ("after_a_header", &bench.lines[..=second].concat()),
        ("inside_an_instance", &bench.lines[..second + 5].concat()),
        ("zeros_at_the_end", &format!("{text}{}", "\0".repeat(4096))),
    ] {
        bench.put(name, journal.as_bytes());
        let told = bench.judge(name);
        assert_eq!(told.code, 5, "{name}: {}{}", told.out, told.err);
        assert!(
            told.err.contains("warning: the journal breaks off at line "),
            "{name}: {}",
            told.err
        );
        assert!(told.out.contains("the run was cut short"), "{name}: {}", told.out);
        if name != "mid_line" {
            continue;
        }
        for format in ["html", "junit", "json", "markdown", "text"] {
            let told = hil_in(bench.folder.path(), &["report", name, "--format", format]);
            assert_eq!(told.code, 0, "{name} {format}: {}", told.err);
            assert!(
                told.err.contains("breaks off at line"),
                "{name} {format}: {}",
                told.err
            );
        }
    }
}

#[test]
fn a_missing_or_damaged_part_spoils_its_own_instance_only() {
    let bench = Bench::new();
    let second = bench.second_instance();
    let instances = bench.lines.iter().filter(|line| begins_an_instance(line)).count();

    bench.put(
        "line_missing",
        [&bench.lines[..second + 5], &bench.lines[second + 6..]]
            .concat()
            .concat()
            .as_bytes(),
    );
    let mut swapped = bench.lines.clone();
    swapped.swap(second + 5, second + 6);
    bench.put("lines_swapped", swapped.concat().as_bytes());
    let one_of_them = fs::read_dir(bench.path("whole/payloads"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .file_name();
    let missing = bench.put("payload_missing", bench.lines.concat().as_bytes());
    fs::remove_file(missing.join("payloads").join(&one_of_them)).unwrap();
    let flipped = bench.put("payload_flipped", bench.lines.concat().as_bytes());
    let mut bytes = fs::read(flipped.join("payloads").join(&one_of_them)).unwrap();
    bytes[10] ^= 1;
    fs::write(flipped.join("payloads").join(&one_of_them), bytes).unwrap();

    for name in [
        "line_missing",
        "lines_swapped",
        "payload_missing",
        "payload_flipped",
    ] {
        let told = bench.judge(name);
        assert_eq!(told.code, 5, "{name}: {}", told.out);
        assert!(
            told.err.contains("@sim` breaks off at line "),
            "{name}: {}",
            told.err
        );
        let undecided = told.out.matches("inconclusive").count();
        assert!(
            undecided > 0 && told.out.contains(" passed"),
            "{name}: {}",
            told.out
        );
        let spoiled = told.err.lines().count();
        let passed = format!("{} passed", instances - spoiled);
        assert!(
            told.out.contains(&passed),
            "{name}: expected {passed} in {}",
            told.out
        );
    }
}

#[test]
fn a_flipped_byte_ends_the_reading_where_it_stands() {
    let bench = Bench::new();
    let at = bench.second_instance() + 4;
    let mut lines = bench.lines.clone();
    lines[at] = lines[at].replacen("\"seq\"", "\"seq!\"", 1);
    bench.put("flipped", lines.concat().as_bytes());
    let told = bench.judge("flipped");
    assert_eq!(told.code, 5, "{}", told.out);
    assert!(
        told.err.contains(&format!("at line {}: ", at + 1)),
        "{}",
        told.err
    );
}

#[test]
fn what_is_no_journal_is_refused() {
    let bench = Bench::new();
    let newer = bench.lines[0].replacen("\"format\":1", "\"format\":99", 1);
    assert_ne!(newer, bench.lines[0]);
    for (name, journal) in [
        ("text", "hello\n".to_owned()),
        ("blank", "\n\n".to_owned()),
        ("headless", bench.lines[1..].concat()),
        ("newer", format!("{newer}{}", bench.lines[1..].concat())),
        ("torn_at_once", bench.lines[0][..100].to_owned()),
    ] {
        bench.put(name, journal.as_bytes());
        let told = bench.judge(name);
        assert_eq!((told.code, told.out.as_str()), (1, ""), "{name}");
        insta::assert_snapshot!(name, told.err);
    }
    // Of a later run, it is only that run that cannot be read.
    let appended = format!("{}{newer}", bench.lines.concat());
    bench.put("newer_later", appended.as_bytes());
    let told = bench.judge("newer_later");
    assert_eq!(told.code, 5, "{}", told.out);
    assert!(
        told.err.contains("journal format 99 is not known here"),
        "{}",
        told.err
    );

    bench.put("empty", b"");
    let told = bench.judge("empty");
    assert_eq!(told.code, 7, "{}", told.out);
    assert!(
        told.err.contains("the journal breaks off at line 1"),
        "{}",
        told.err
    );
    let told = bench.judge("nowhere");
    assert_eq!(told.code, 1);
    assert!(told.err.contains("nowhere"), "{}", told.err);
}

#[test]
fn journals_of_two_runs_are_judged_as_both() {
    let bench = Bench::new();
    let told = hil_in(
        bench.folder.path(),
        &[
            "run",
            "--unit",
            "sim:edge-poll",
            "--path",
            "download",
            "--path",
            "ack-lost",
            "--defect",
            defect(),
            "--seed",
            "8",
            "--report",
            "broken",
        ],
    );
    assert_eq!(told.code, 4, "{}", told.out);
    let broken = fs::read_to_string(bench.path("broken/journal.jsonl")).unwrap();
    // Under the very same names, as a unit of a vendor would have them.
    let broken = broken.replace(&format!("@sim+{}", defect()), "@sim");
    for (name, journal) in [
        ("broken_last", format!("{}{broken}", bench.lines.concat())),
        ("broken_first", format!("{broken}{}", bench.lines.concat())),
    ] {
        let folder = bench.put(name, journal.as_bytes());
        copy_payloads(&bench.path("broken/payloads"), &folder.join("payloads"));
        let told = bench.judge(name);
        assert_eq!(told.code, 4, "{name}: {}{}", told.out, told.err);
        assert!(told.out.contains("@sim~2"), "{name}: {}", told.out);
    }
}

fn copy_payloads(from: &Path, to: &Path) {
    for file in fs::read_dir(from).into_iter().flatten() {
        let file = file.unwrap();
        fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

/// A defect that shows where an ack is expected.
fn defect() -> &'static str {
    "ack-wrong-id"
}

#[test]
fn reports_that_cannot_be_written_are_an_error_of_the_lab_and_hide_no_verdict() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a_file"), "").unwrap();
    let run = |more: &[&str]| {
        let base = [
            "run",
            "--unit",
            "sim:edge-poll",
            "--path",
            "download",
            "--path",
            "ack-lost",
            "--report",
            "a_file",
        ];
        hil_in(folder.path(), &[&base, more].concat())
    };
    let told = run(&[]);
    assert_eq!(told.code, 6, "{}", told.err);
    assert!(told.out.contains(" passed"), "{}", told.out);
    assert!(told.err.contains("error: the lab's disk: a_file"), "{}", told.err);
    let told = run(&["--defect", defect()]);
    assert_eq!(told.code, 4, "{}", told.err);
    assert!(
        told.out.contains(" failed") && told.err.contains("error: the lab's disk: "),
        "{}",
        told.err
    );
}

#[cfg(unix)]
#[test]
fn a_full_disk_is_an_error_of_the_lab_and_leaves_a_journal_that_can_be_judged() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("out")).unwrap();
    fs::write(folder.path().join("out/report.html"), "of an earlier run").unwrap();
    let limited = |code: &str| {
        let output = std::process::Command::new("sh")
            .args(["-c", &format!("ulimit -f 64; exec \"$HIL\" {code}")])
            .env("HIL", hil().get_program())
            .current_dir(folder.path())
            .output()
            .unwrap();
        Told {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    };
    let told = limited("run --unit sim:edge-poll --report out");
    assert_eq!(told.code, 6, "{}", told.err);
    assert!(told.out.contains(" passed"), "{}", told.out);
    assert!(
        told.err.contains("error: the lab's disk: out/journal.jsonl: "),
        "{}",
        told.err
    );
    assert!(!folder.path().join("out/report.html").exists());
    let told = hil_in(folder.path(), &["judge", "out"]);
    assert_eq!(told.code, 5, "{}", told.err);
    assert!(
        told.err.contains("the journal breaks off at line "),
        "{}",
        told.err
    );
}
