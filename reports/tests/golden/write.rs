//! Reports on disk.

use crate::fixture::run;
use hil_reports::write_all;
use std::fs;

#[test]
fn all_four_are_written_and_nothing_else_stays() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("a/b");
    let run = run();
    for _ in 0..2 {
        let written = write_all(&out, &run.report()).unwrap();
        let names: Vec<_> = written
            .iter()
            .map(|p| p.file_name().unwrap().to_str().unwrap())
            .collect();
        assert_eq!(names, ["report.html", "summary.md", "junit.xml", "report.json"]);
        assert!(written.iter().all(|p| fs::metadata(p).unwrap().len() > 100));
    }
    assert_eq!(fs::read_dir(&out).unwrap().count(), 4);
}

#[test]
fn errors_name_the_file() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("junit.xml")).unwrap();
    let run = run();
    let error = write_all(folder.path(), &run.report()).unwrap_err();
    assert!(error.to_string().contains("junit.xml: "), "{error}");
    let left: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    assert_eq!(left.len(), 3, "no half files: {left:?}");
    let file = folder.path().join("summary.md");
    let error = write_all(&file, &run.report()).unwrap_err();
    assert!(error.to_string().contains("summary.md: "), "{error}");
}
