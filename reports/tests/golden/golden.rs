//! Every report of the fixture, word for word.

use crate::fixture::run;
use hil_reports::TerminalReport;
use std::path::PathBuf;

#[test]
fn terminal() {
    let run = run();
    let report = run.report();
    let written = [PathBuf::from("out/report.html"), PathBuf::from("out/junit.xml")];
    let terminal = TerminalReport {
        report: &report,
        brief: false,
        written: &written,
    };
    insta::assert_snapshot!("terminal", terminal.render(100, false));
    insta::assert_snapshot!("terminal_colour", terminal.render(100, true).replace('\x1b', "␛"));
}

#[test]
fn terminal_without_the_list_and_without_traces() {
    let mut run = run();
    run.traces.clear();
    let report = run.report();
    let terminal = TerminalReport {
        report: &report,
        brief: true,
        written: &[],
    };
    insta::assert_snapshot!("terminal_brief", terminal.render(80, false));
}

#[test]
fn terminal_of_other_ends() {
    let mut run = run();
    run.summary.coverage.clear();
    run.summary.interrupted = true;
    let mut ends = String::new();
    while !run.summary.instances.is_empty() {
        let report = run.report();
        let terminal = TerminalReport {
            report: &report,
            brief: true,
            written: &[],
        };
        let text = terminal.render(80, false);
        let last: Vec<&str> = text.lines().rev().take(2).collect();
        ends.push_str(&format!("{}\n{}\n\n", last[1], last[0]));
        // the worst goes first
        let worst = (0..run.summary.instances.len()).max_by_key(|i| run.summary.instances[*i].verdict);
        run.summary.instances.remove(worst.unwrap());
    }
    insta::assert_snapshot!("terminal_ends", ends);
}

#[test]
fn junit() {
    let run = run();
    insta::assert_snapshot!("junit", hil_reports::junit(&run.report()).unwrap());
}

#[test]
fn markdown() {
    let run = run();
    insta::assert_snapshot!("markdown", hil_reports::markdown(&run.report()));
}

#[test]
fn json() {
    let run = run();
    insta::assert_snapshot!("json", hil_reports::json(&run.summary).unwrap());
}

#[test]
fn html() {
    let run = run();
    let html = hil_reports::html(&run.report()).unwrap();
    let view = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("small.html");
    std::fs::write(view, &html).unwrap();
    // style and script have files of their own
    let (head, rest) = html.split_once("<style>").unwrap();
    let (_, body) = rest.split_once("</style>").unwrap();
    let (body, _) = body.split_once("<script>").unwrap();
    insta::with_settings!({filters => vec![(r"sha256-[A-Za-z0-9+/=]+", "sha256-[digest]")]}, {
        insta::assert_snapshot!("html", format!("{head}{body}"));
    });
}

#[test]
fn ladder() {
    let run = run();
    let report = run.report();
    let mut text = String::new();
    for instance in &run.summary.instances {
        text.push_str(&format!("== {}\n", instance.header.instance));
        for row in report.ladder(instance).iter().flat_map(|l| &l.rows) {
            let running = if row.running { ' ' } else { 'x' };
            let line = format!(
                "{:>9.3} {running} {:<8} {:<12} {} | {}",
                row.at.seconds(),
                format!("{:?}", row.records),
                row.who(),
                row.title,
                row.detail()
            );
            text.push_str(line.trim_end());
            text.push('\n');
        }
    }
    insta::assert_snapshot!("ladder", text);
}
