//! Live progress without a terminal.

use crate::fixture::run;
use hil_reports::{PlainProgress, ProgressSink};

#[test]
fn one_line_for_each_instance() {
    let run = run();
    let sink = PlainProgress::new(Vec::new());
    sink.total(run.summary.instances.len());
    for instance in &run.summary.instances {
        sink.started(&instance.header.instance);
        sink.finished(instance);
    }
    insta::assert_snapshot!("progress", String::from_utf8(sink.into_inner()).unwrap());
}
