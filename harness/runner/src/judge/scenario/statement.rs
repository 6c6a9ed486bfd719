//! How a step's judgement becomes findings.

use super::ScenarioJudge;
use hil_scenario::NOTHING;
use hil_trace::{Blame, Catalogue, Finding, Verdict};

impl ScenarioJudge {
    /// What a step says did not come true; without its faults, or with others, that shows nothing.
    pub(super) fn violate(
        &self,
        step: &str,
        verifies: &[String],
        text: String,
        evidence: Vec<u64>,
        catalogue: &Catalogue,
        findings: &mut Vec<Finding>,
    ) {
        if let Some(excuse) = self.excuse(None) {
            let text = format!("{text}; but {excuse}");
            return self.undecided(step, verifies, text, evidence, catalogue, findings);
        }
        self.state_all(
            Verdict::Fail,
            step,
            verifies,
            &text,
            &evidence,
            catalogue,
            findings,
        );
    }

    pub(super) fn undecided(
        &self,
        step: &str,
        verifies: &[String],
        text: String,
        evidence: Vec<u64>,
        catalogue: &Catalogue,
        findings: &mut Vec<Finding>,
    ) {
        self.state_all(
            Verdict::Inconclusive,
            step,
            verifies,
            &text,
            &evidence,
            catalogue,
            findings,
        );
    }

    /// What a step has shown of these requirements.
    pub(super) fn show<'r>(
        &self,
        step: &str,
        requirements: impl Iterator<Item = &'r String>,
        text: &str,
        evidence: &[u64],
        catalogue: &Catalogue,
        findings: &mut Vec<Finding>,
    ) {
        findings.extend(requirements.map(|requirement| {
            let (text, evidence) = (text.to_owned(), evidence.to_vec());
            self.finding(
                Some(requirement),
                Verdict::Pass,
                text,
                evidence,
                Some(step),
                catalogue,
            )
        }));
    }

    #[allow(clippy::too_many_arguments)]
    pub(super) fn state_all(
        &self,
        verdict: Verdict,
        step: &str,
        verifies: &[String],
        text: &str,
        evidence: &[u64],
        catalogue: &Catalogue,
        findings: &mut Vec<Finding>,
    ) {
        let requirements = self.accused(verifies);
        if requirements.is_empty() {
            let evidence = evidence.to_vec();
            findings.push(self.finding(None, verdict, text.to_owned(), evidence, Some(step), catalogue));
        }
        for requirement in requirements {
            let (text, evidence) = (text.to_owned(), evidence.to_vec());
            findings.push(self.finding(Some(requirement), verdict, text, evidence, Some(step), catalogue));
        }
    }

    /// The requirements a step decides. One that names none decides the scenario's only one, if there is only one; with
    /// several, it would accuse the unit of what the step does not show.
    pub(super) fn accused<'r>(&'r self, verifies: &'r [String]) -> &'r [String] {
        match verifies {
            [] if self.verifies.len() == 1 => &self.verifies,
            [] => &[],
            [nothing] if nothing == NOTHING => &[],
            some => some,
        }
    }

    pub(super) fn finding(
        &self,
        requirement: Option<&String>,
        verdict: Verdict,
        text: String,
        evidence: Vec<u64>,
        step: Option<&str>,
        catalogue: &Catalogue,
    ) -> Finding {
        Finding {
            requirement: requirement.cloned(),
            level: requirement.map_or_else(Default::default, |id| catalogue.level(id)),
            verdict,
            text,
            evidence,
            blame: if verdict == Verdict::Fail {
                Blame::Unit
            } else {
                Blame::Harness
            },
            step: step.map(str::to_owned),
            monitor: SCENARIO.to_owned(),
        }
    }
}

/// Who judges by the steps of a scenario, in findings.
pub(super) const SCENARIO: &str = "scenario";
