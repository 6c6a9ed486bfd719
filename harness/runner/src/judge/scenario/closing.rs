//! The end of a trace: what is still open, and what has been shown.

use super::{ScenarioJudge, statement::SCENARIO};
use hil_trace::{Catalogue, Finding, HowClosed, Verdict};

impl ScenarioJudge {
    pub(crate) fn close(&mut self, how: HowClosed, catalogue: &Catalogue, findings: &mut Vec<Finding>) {
        if let Some(waiting) = self.waiting.take() {
            let text = format!("the run ended while waiting for {}", waiting.describe());
            self.undecided(&waiting.step, &[], text, Vec::new(), catalogue, findings);
        }
        for fault in self.faults.values().filter(|fault| fault.acted.is_none()) {
            let text = format!("the fault {} was armed and never acted", fault.name);
            findings.push(self.finding(
                None,
                Verdict::Inconclusive,
                text,
                vec![fault.armed],
                None,
                catalogue,
            ));
        }
        match how {
            HowClosed::Interrupted => {
                let text = "the run was interrupted".to_owned();
                findings.push(self.finding(None, Verdict::Inconclusive, text, Vec::new(), None, catalogue));
            }
            HowClosed::TimedOut => {
                let text = "the scenario took longer than its `timeout`, and none of its steps was given that time; if the unit may \
                            need it, raise `timeout`"
                    .to_owned();
                findings.push(self.finding(None, Verdict::Error, text, Vec::new(), None, catalogue));
            }
            HowClosed::Complete => {}
        }
        // What could not be tried, or had no effect, shows nothing; what monitors found is theirs.
        let clean = findings
            .iter()
            .all(|f| f.monitor != SCENARIO || f.verdict == Verdict::Pass);
        if how == HowClosed::Complete && !self.stopped && clean {
            self.confirm(catalogue, findings);
        }
    }

    /// Every step did what it says: what the scenario verifies has been shown.
    fn confirm(&mut self, catalogue: &Catalogue, findings: &mut Vec<Finding>) {
        for forbidden in &self.forbidden {
            let text = format!("{} never came", forbidden.watch.describe());
            let decided = forbidden.watch.decided();
            self.show(&forbidden.step, decided, &text, &[], catalogue, findings);
        }
        for requirement in &self.verifies {
            let stated = |f: &Finding| f.requirement.as_ref() == Some(requirement) && f.step.is_some();
            if !findings.iter().any(stated) && !self.deferred.contains(requirement) {
                let text = "every step of the scenario did what it says".to_owned();
                let evidence = self.proof.clone();
                findings.push(self.finding(
                    Some(requirement),
                    Verdict::Pass,
                    text,
                    evidence,
                    None,
                    catalogue,
                ));
            }
        }
    }
}
