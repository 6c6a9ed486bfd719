//! What a run says about every requirement of the protocols it spoke.

use hil_trace::{
    Catalogue, CoverageState, Finding, InstanceSummary, Level, Requirement, RequirementCoverage, Verdict,
};
use hil_wire::Protocol;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Coverage by protocol and requirement id.
pub fn coverage(
    instances: &[InstanceSummary],
    catalogue: &Catalogue,
    strict: bool,
) -> BTreeMap<Protocol, BTreeMap<String, RequirementCoverage>> {
    let mut all = BTreeMap::new();
    for protocol in Protocol::ALL {
        let ran: Vec<&InstanceSummary> = instances
            .iter()
            .filter(|i| i.header.protocol == protocol)
            .collect();
        if ran.is_empty() {
            continue;
        }
        let prefix = format!("{}-", protocol.requirement_prefix());
        let requirements = catalogue
            .requirements
            .values()
            .filter(|r| r.id.starts_with(&prefix));
        let covered = requirements
            .map(|r| (r.id.clone(), cover(r, &ran, strict)))
            .collect();
        all.insert(protocol, covered);
    }
    all
}

fn cover(requirement: &Requirement, ran: &[&InstanceSummary], strict: bool) -> RequirementCoverage {
    let mut state = None;
    let mut instances = Vec::new();
    for instance in ran {
        let own = instance
            .findings
            .iter()
            .filter(|f| f.requirement.as_ref() == Some(&requirement.id));
        let worst = own
            .map(|finding| state_of(finding, strict))
            .max_by_key(|state| rank(*state));
        if let Some(worst) = worst {
            instances.push(instance.header.instance.clone());
            state = state.into_iter().chain([worst]).max_by_key(|state| rank(*state));
        }
    }
    let applies = ran
        .iter()
        .any(|instance| applies(requirement, &instance.header.ics));
    let state = match state {
        Some(state) => state,
        None if !applies => CoverageState::NotApplicable,
        None => CoverageState::NotExercised,
    };
    RequirementCoverage {
        level: requirement.level,
        sentence: requirement.sentence.clone(),
        state,
        instances,
    }
}

fn state_of(finding: &Finding, strict: bool) -> CoverageState {
    match finding.verdict {
        Verdict::Fail if finding.level == Level::Must || (strict && finding.level == Level::Should) => {
            CoverageState::Violated
        }
        Verdict::Fail => CoverageState::Warned,
        Verdict::Pass => CoverageState::Verified,
        Verdict::None | Verdict::Inconclusive | Verdict::Error => CoverageState::Inconclusive,
    }
}

fn rank(state: CoverageState) -> u8 {
    match state {
        CoverageState::Violated | CoverageState::Waived => 5,
        CoverageState::Warned => 4,
        CoverageState::Inconclusive => 3,
        CoverageState::Verified => 2,
        CoverageState::NotExercised => 1,
        CoverageState::NotApplicable => 0,
    }
}

/// Whether every condition fits: `feature: x` unless the ICS denies x; `dialect: y` if the ICS says that dialect.
fn applies(requirement: &Requirement, ics: &Map<String, Value>) -> bool {
    hil_scenario::conditions(requirement).all(|(name, value)| match name {
        "feature" => ics.get(value) != Some(&Value::Bool(false)),
        option => ics
            .get(option)
            .and_then(Value::as_str)
            .is_none_or(|said| said == value),
    })
}

#[cfg(test)]
mod tests {
    use super::applies;
    use hil_trace::{Level, Origin, Requirement};
    use serde_json::json;

    #[test]
    fn every_condition_of_a_requirement_must_fit() {
        let requirement = Requirement {
            id: "SOTA-WS-001".to_owned(),
            level: Level::Must,
            sentence: String::new(),
            origin: vec![Origin::Source],
            observe: String::new(),
            stimuli: Vec::new(),
            unobservable: None,
            applies_when: Some("feature: websocket, dialect: rustc".to_owned()),
        };
        for (ics, expected) in [
            (json!({"dialect": "rustc"}), true),
            (json!({}), true),
            (json!({"dialect": "serde"}), false),
            (json!({"dialect": "rustc", "websocket": false}), false),
        ] {
            let fits = ics.as_object().map(|ics| applies(&requirement, ics));
            assert_eq!(fits, Some(expected), "{ics}");
        }
    }
}
