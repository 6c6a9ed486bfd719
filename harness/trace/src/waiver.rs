//! Waivers: violations that are known, reasoned, and tolerated until a day.

use crate::{CoverageState, InstanceSummary, RequirementCoverage, Verdict};
use hil_wire::Protocol;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};
use time::Date;

time::serde::format_description!(day, Date, "[year]-[month]-[day]");

/// A requirement whose violation does not fail a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiver {
    /// Id of the requirement.
    pub requirement: String,
    /// Why its violation is tolerated.
    pub reason: String,
    /// The last day it holds, UTC; written as `2027-01-31`.
    #[serde(with = "day")]
    pub expires: Date,
}

/// The waivers of a run, and the day it was judged by. They stand in its journal, so that judging it again comes to the
/// same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waivers {
    /// The day, UTC.
    #[serde(with = "day")]
    pub as_of: Date,
    /// In the order of the file; one for each requirement.
    pub waivers: Vec<Waiver>,
}

/// What became of a waiver in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaiverStanding {
    /// The requirement was violated, and that is waived.
    Used,
    /// The requirement was met wherever it was exercised: the waiver should go.
    Unneeded,
    /// Its day has passed; it waives nothing.
    Expired,
    /// The requirement was not exercised, not decided, or does not apply.
    Idle,
}

impl WaiverStanding {
    /// Whether somebody should look after it.
    pub fn is_stale(self) -> bool {
        matches!(self, WaiverStanding::Unneeded | WaiverStanding::Expired)
    }
}

impl fmt::Display for WaiverStanding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            WaiverStanding::Used => "used",
            WaiverStanding::Unneeded => "unneeded",
            WaiverStanding::Expired => "expired",
            WaiverStanding::Idle => "idle",
        })
    }
}

/// A waiver, and what became of it in a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaiverOutcome {
    /// The waiver.
    #[serde(flatten)]
    pub waiver: Waiver,
    /// What became of it.
    pub standing: WaiverStanding,
    /// What is known of the requirement, an expired waiver's too.
    pub state: CoverageState,
    /// Instances that exercised the requirement.
    pub instances: Vec<String>,
}

impl Waivers {
    /// Whether the violation of a requirement is waived on that day.
    pub fn waives(&self, requirement: &str) -> bool {
        let mut own = self
            .waivers
            .iter()
            .filter(|waiver| waiver.requirement == requirement);
        own.any(|waiver| self.as_of <= waiver.expires)
    }

    /// These and those of another run, as of the later day.
    #[must_use]
    pub fn and(mut self, more: Waivers) -> Waivers {
        self.as_of = self.as_of.max(more.as_of);
        for waiver in more.waivers {
            if !self.waivers.contains(&waiver) {
                self.waivers.push(waiver);
            }
        }
        self
    }

    /// Marks an instance whose violations are waived, all or some.
    pub fn apply(&self, instance: &mut InstanceSummary, strict: bool) {
        let waived = |id: &Option<String>| id.as_deref().is_some_and(|id| self.waives(id));
        let mut any = false;
        let mut left = Verdict::Pass;
        for finding in &instance.findings {
            match finding.effective(strict) {
                Verdict::Fail if waived(&finding.requirement) => any = true,
                verdict => left = left.join(verdict),
            }
        }
        instance.left = (any && instance.verdict == Verdict::Fail).then_some(left);
    }

    /// Marks the requirements whose violations are waived, and says what became of each waiver of the protocols that ran.
    pub fn outcomes(
        &self,
        coverage: &mut BTreeMap<Protocol, BTreeMap<String, RequirementCoverage>>,
    ) -> Vec<WaiverOutcome> {
        let mut outcomes = Vec::new();
        for waiver in &self.waivers {
            let mut protocols = coverage.values_mut();
            let Some(covered) = protocols.find_map(|all| all.get_mut(&waiver.requirement)) else {
                continue;
            };
            let expired = waiver.expires < self.as_of;
            let standing = match covered.state {
                _ if expired => WaiverStanding::Expired,
                CoverageState::Violated | CoverageState::Warned => WaiverStanding::Used,
                CoverageState::Verified => WaiverStanding::Unneeded,
                _ => WaiverStanding::Idle,
            };
            if standing == WaiverStanding::Used {
                covered.state = CoverageState::Waived;
            }
            outcomes.push(WaiverOutcome {
                waiver: waiver.clone(),
                standing,
                state: covered.state,
                instances: covered.instances.clone(),
            });
        }
        outcomes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

    #[test]
    fn a_waiver_holds_through_its_last_day() {
        let waiver = Waiver {
            requirement: "POLL-ACK-001".to_owned(),
            reason: "known".to_owned(),
            expires: date!(2026 - 11 - 23),
        };
        let on = |as_of| Waivers {
            as_of,
            waivers: vec![waiver.clone()],
        };
        assert!(on(date!(2026 - 11 - 22)).waives("POLL-ACK-001"));
        assert!(on(date!(2026 - 11 - 23)).waives("POLL-ACK-001"));
        assert!(!on(date!(2026 - 11 - 24)).waives("POLL-ACK-001"));
        assert!(!on(date!(2026 - 11 - 22)).waives("POLL-ACK-002"));
        let later = on(date!(2026 - 11 - 24)).and(on(date!(2026 - 11 - 22)));
        assert!(
            !later.waives("POLL-ACK-001"),
            "two runs are judged by the later day"
        );
        assert_eq!(later.waivers.len(), 1);
    }

    #[test]
    fn days_are_written_as_people_write_them() {
        let text = r#"{"requirement":"A","reason":"b","expires":"2027-01-31"}"#;
        let waiver: Waiver = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&waiver).unwrap(), text);
        assert!(serde_json::from_str::<Waiver>(&text.replace("-31", "-32")).is_err());
    }
}
