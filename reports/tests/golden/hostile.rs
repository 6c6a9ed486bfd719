//! Whatever a unit, a scenario or a certificate says stays text.

use crate::fixture::{Run, run};
use hil_reports::TerminalReport;
use serde_json::json;
use std::sync::Arc;

const HOSTILE: &str = "</pre></details><script>alert(1)</script>\x1b[2J'\"|\n\n# h & ]]> \u{202e}`![x](javascript:y) @all --> \0";

fn hostile() -> Run {
    let mut run = run();
    let summary = &mut run.summary;
    summary.tool = HOSTILE.to_owned();
    for (index, instance) in summary.instances.iter_mut().enumerate() {
        let old = instance.header.instance.clone();
        instance.header.instance = format!("{index}{HOSTILE}");
        instance.header.unit = HOSTILE.to_owned();
        let scenario = Arc::make_mut(&mut instance.header.scenario);
        scenario.text = HOSTILE.to_owned();
        scenario.path = HOSTILE.to_owned();
        instance
            .header
            .facts
            .insert(HOSTILE.to_owned(), json!({HOSTILE: [HOSTILE]}));
        instance.skipped = instance.skipped.take().map(|_| HOSTILE.to_owned());
        for finding in &mut instance.findings {
            finding.text = HOSTILE.to_owned();
            finding.monitor = HOSTILE.to_owned();
            finding.step = finding.step.take().map(|_| HOSTILE.to_owned());
            finding.requirement = finding.requirement.take().map(|r| format!("{r}{HOSTILE}"));
        }
        for measurement in &mut instance.measurements {
            measurement.name = HOSTILE.to_owned();
        }
        for trace in run.traces.iter_mut().filter(|t| t.header.instance == old) {
            let text = serde_json::to_string(&trace.records).unwrap();
            let inner = serde_json::to_string(HOSTILE).unwrap();
            let inner = &inner[1..inner.len() - 1];
            let text = text
                .replace("completed", inner)
                .replace("cloud.", inner)
                .replace("ntp", inner);
            trace.records = serde_json::from_str(&text).unwrap();
            trace.header = instance.header.clone();
        }
    }
    for requirement in run.catalogue.requirements.values_mut() {
        requirement.sentence = HOSTILE.to_owned();
    }
    for requirements in summary.coverage.values_mut() {
        let all = std::mem::take(requirements);
        requirements.extend(all.into_iter().map(|(id, mut coverage)| {
            coverage.instances = vec![HOSTILE.to_owned()];
            (format!("{id}{HOSTILE}"), coverage)
        }));
    }
    run
}

#[test]
fn html_holds_no_foreign_elements() {
    let run = hostile();
    let html = hil_reports::html(&run.report()).unwrap();
    assert_eq!(html.matches("<script").count(), 1, "only our own script");
    assert_eq!(
        html.matches("alert(1)").count(),
        html.matches("&#62;alert(1)&#60;").count()
    );
    assert!(!html.contains('\x1b') && !html.contains('\0') && !html.contains('\u{202e}'));
    // every attribute value stays inside its quotes: no attribute name we do not write
    assert!(!html.contains("'\"|"));
    assert!(
        !html.contains("http://") && !html.contains("https://"),
        "nothing is requested"
    );
}

#[test]
fn html_is_well_formed() {
    for run in [run(), hostile()] {
        let html = hil_reports::html(&run.report()).unwrap();
        let (body, _) = html.split_once("<script>").unwrap();
        let mut open: Vec<&str> = Vec::new();
        let mut ids = std::collections::BTreeSet::new();
        let mut links = Vec::new();
        let style_end = body.find("</style>").unwrap() + "</style>".len();
        for piece in body[style_end..].split('<').skip(1) {
            let (tag, _) = piece.split_once('>').expect("a tag ends");
            for (name, set) in [(" id=\"", true), (" href=\"", false)] {
                if let Some((_, rest)) = tag.split_once(name) {
                    let value = rest.split('"').next().unwrap();
                    if set {
                        assert!(ids.insert(value.to_owned()), "id {value} twice");
                    } else {
                        links.push(value.strip_prefix('#').expect("links stay inside").to_owned());
                    }
                }
            }
            if let Some(name) = tag.strip_prefix('/') {
                match open.pop() {
                    Some(expected) => assert_eq!(name, expected, "after {piece}"),
                    // head was opened before the style
                    None => assert_eq!(name, "head"),
                }
            } else {
                let name = tag.split([' ', '/']).next().unwrap();
                if !matches!(name, "br" | "input" | "meta") && !tag.ends_with('/') {
                    open.push(name);
                }
            }
        }
        assert_eq!(open, ["body"]);
        for link in links {
            assert!(ids.contains(&link), "#{link} leads nowhere");
        }
    }
}

#[test]
fn junit_reads_back() {
    let run = hostile();
    let xml = hil_reports::junit(&run.report()).unwrap();
    let read = quick_junit::Report::deserialize_from_str(&xml).unwrap();
    assert_eq!(
        (read.tests, read.failures, read.errors, read.skipped),
        (6, 1, 2, 1)
    );
}

#[test]
fn markdown_holds_no_foreign_elements() {
    let run = hostile();
    let text = hil_reports::markdown(&run.report());
    // what stands in code spans is not read as mark-up
    let outside: String = text.split('`').step_by(2).collect();
    assert!(!outside.contains("<script"));
    assert!(text.split('`').count() % 2 == 1, "every span ends");
    let (tables, folds) = outside.split_once("<details>").unwrap();
    assert!(!tables.contains("@all"), "nobody is mentioned");
    assert!(!folds.contains("\n\n#"), "no fold ends early");
    for row in text.lines().filter(|l| l.starts_with('|')) {
        let bars = row.replace("\\|", "").matches('|').count();
        assert!(bars == 6 || bars == 10, "{bars} in {row}");
    }
    assert!(!text.contains('\x1b') && !text.contains('\u{202e}'));
}

#[test]
fn the_terminal_obeys_nobody_else() {
    let run = hostile();
    let report = run.report();
    let terminal = TerminalReport {
        report: &report,
        brief: false,
        written: &[],
    };
    let text = terminal.render(100, false);
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()));
    assert!(!text.contains('\u{202e}'));
}
