//! The matrix on a terminal: what is wrong in full, what is right as counts.

use super::{missed, sentence};
use crate::{
    style::{Paint, Painter, word},
    text,
};
use hil_trace::{DefectLine, SelftestMatrix};
use hil_wire::Protocol;
use std::fmt::Write;

/// The matrix as text; with `all`, a line for each defect.
pub fn selftest_text(matrix: &SelftestMatrix, all: bool, color: bool) -> String {
    let painter = Painter { color };
    let mut out = String::new();
    if all {
        for line in &matrix.defects {
            defect(&mut out, line);
        }
        out.push('\n');
    }
    let missed_lines: Vec<(&DefectLine, String)> = matrix
        .defects
        .iter()
        .filter_map(|line| missed(line).map(|why| (line, why)))
        .collect();
    if !missed_lines.is_empty() {
        let _ = writeln!(out, "{}", painter.paint(Paint::Bold, "Defects not detected"));
        for (line, why) in missed_lines {
            let _ = writeln!(out, "  {} ({}): {}", line.name, line.protocol, line.summary);
            let _ = writeln!(out, "    {}", text::line(&why));
            let also = line.also();
            if !also.is_empty() {
                let also = also.into_iter().collect::<Vec<_>>().join(", ");
                let _ = writeln!(out, "    it tripped {also} instead");
            }
        }
        out.push('\n');
    }
    let alarms = matrix
        .clean
        .iter()
        .flat_map(|run| run.alarms.iter().map(move |alarm| (run.seed, alarm)));
    let mut first = true;
    for (seed, alarm) in alarms {
        if std::mem::take(&mut first) {
            let _ = writeln!(
                out,
                "{}",
                painter.paint(Paint::Bold, "False alarms on clean units")
            );
        }
        let requirement = alarm.requirement.as_deref().unwrap_or("-");
        let _ = writeln!(
            out,
            "  {} {}  {requirement}  seed {seed}: {}",
            word(alarm.verdict),
            alarm.instance,
            text::short(&alarm.text, 200)
        );
    }
    if !first {
        out.push('\n');
    }
    let _ = writeln!(out, "{}", painter.paint(Paint::Bold, "Defects by protocol"));
    for protocol in Protocol::ALL {
        protocol_line(&mut out, matrix, protocol);
    }
    let instances: usize = matrix.clean.iter().map(|run| run.instances).sum();
    if instances > 0 {
        let runs = text::count(matrix.seeds.len() as u64, "seed");
        let _ = writeln!(
            out,
            "  clean units: {} over {runs}",
            text::count(instances as u64, "instance")
        );
    }
    let verdict = matrix.verdict();
    let _ = writeln!(
        out,
        "\n{}: {}, {}",
        painter.paint(Paint::Verdict(verdict), word(verdict)),
        sentence(matrix),
        text::span(matrix.wall_seconds)
    );
    out
}

fn defect(out: &mut String, line: &DefectLine) {
    let also = line.also().into_iter().collect::<Vec<_>>().join(" ");
    let _ = writeln!(
        out,
        "{:32} {:18} {:>3}/{:<3} {also}",
        line.name,
        line.primary,
        line.detected(),
        line.runs.len()
    );
}

fn protocol_line(out: &mut String, matrix: &SelftestMatrix, protocol: Protocol) {
    let own: Vec<&DefectLine> = matrix
        .defects
        .iter()
        .filter(|line| line.protocol == protocol)
        .collect();
    let without = matrix.without_defect.get(&protocol);
    if own.is_empty() && without.is_none() {
        return;
    }
    let detected = own.iter().filter(|line| line.is_detected()).count();
    let _ = write!(out, "  {protocol:14}  {detected} of {} detected", own.len());
    if let Some(without) = without {
        let _ = write!(
            out,
            "; no defect for {}",
            text::count(without.len() as u64, "MUST")
        );
    }
    out.push('\n');
}
