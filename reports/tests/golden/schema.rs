//! `report.json` against its schema.

use crate::fixture::run;
use hil_reports::{SCHEMA, SCHEMA_TEXT, json};
use hil_trace::RunSummary;
use serde_json::Value;

fn document() -> Value {
    serde_json::from_str(&json(&run().summary).unwrap()).unwrap()
}

fn errors(document: &Value) -> Vec<String> {
    let schema: Value = serde_json::from_str(SCHEMA_TEXT).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    validator
        .iter_errors(document)
        .map(|e| format!("{} at {}", e, e.instance_path()))
        .collect()
}

#[test]
fn a_report_fits_its_schema() {
    assert_eq!(errors(&document()), Vec::<String>::new());
    assert_eq!(document()["schema"], SCHEMA);
}

#[test]
fn a_report_reads_back() {
    let summary: RunSummary = serde_json::from_value(document()).unwrap();
    assert_eq!(summary, run().summary);
}

#[test]
fn the_schema_refuses_other_things() {
    for (pointer, value) in [
        ("/schema", "hil-report/2".into()),
        ("/exit_code", 1.into()),
        ("/instances/0/verdict", "great".into()),
        ("/instances/0/findings/0/blame", "dog".into()),
        ("/counts/passed", (-1).into()),
    ] {
        let mut document = document();
        *document.pointer_mut(pointer).unwrap() = value;
        assert!(!errors(&document).is_empty(), "{pointer} is not checked");
    }
    let mut document = document();
    document
        .as_object_mut()
        .unwrap()
        .insert("more".to_owned(), 1.into());
    assert!(!errors(&document).is_empty(), "unknown members are not refused");
}
