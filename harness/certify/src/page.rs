//! What people read of a certificate. It follows from the statement alone, so whoever verifies gets the same page.

use crate::{Certificate, Class};
use hil_reports::{CertificatePage, CertificateTable, certificate_html, certificate_markdown};
use std::collections::BTreeMap;

/// The pages beside a certificate: name and text.
pub fn pages(certificate: &Certificate) -> [(&'static str, String); 2] {
    let page = page(certificate);
    [
        ("certificate.html", certificate_html(&page)),
        ("certificate.md", certificate_markdown(&page)),
    ]
}

/// What stands above everything else that is said of such a certificate.
pub fn warning(class: Class) -> Option<&'static str> {
    match class {
        Class::Demonstration => Some(
            "DEMONSTRATION: the unit was simulated by hil itself. This certificate says nothing about any product.",
        ),
        Class::SelfDeclared | Class::Witnessed => None,
    }
}

fn page(certificate: &Certificate) -> CertificatePage {
    let (terms, results, judge) = (&certificate.terms, &certificate.results, &certificate.judge);
    let mut facts = vec![(
        "Claim".to_owned(),
        format!(
            "{} of the {} requirements of {} were exercised and met",
            results.passed.len(),
            certificate.profile.requirements,
            certificate.profile.name
        ),
    )];
    let mut fact = |name: &str, text: String| facts.push((name.to_owned(), text));
    fact("Result", format!("{:?}", results.word()).to_uppercase());
    fact(
        "Vouched for",
        match (&terms.class, &terms.witnessed_by) {
            (Class::Witnessed, Some(body)) => format!("witnessed by {body}, which ran the harness"),
            (Class::Demonstration, _) => "nobody: a demonstration".to_owned(),
            _ => "self-declared: the vendor ran the harness on its own unit".to_owned(),
        },
    );
    for subject in &certificate.subjects {
        fact(
            "Tested",
            format!(
                "{}, {}:{}, {}",
                subject.name, subject.algorithm, subject.digest, subject.obtained
            ),
        );
    }
    fact(
        "Unit",
        format!("{} ({})", certificate.unit.name, certificate.unit.kind),
    );
    // A statement read back has its members in another order.
    let said: BTreeMap<_, _> = certificate.unit.ics.iter().collect();
    let said: Vec<String> = said
        .into_iter()
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    fact("It says of itself", said.join(", "));
    fact("Issued", terms.issued_at.clone());
    fact("Valid until", terms.valid_until.clone());
    fact("Key", terms.key_id.clone());
    if let Some(challenge) = &terms.challenge {
        fact("Challenge", challenge.clone());
    }
    fact(
        "Run",
        format!(
            "{} scenarios, tier {}, seed {}, by {} (SHA-256 {})",
            certificate.scenarios.len(),
            terms.tier,
            terms.seed,
            judge.tool,
            judge.tool_sha256
        ),
    );
    let table = |title: &str, right: &str, rows: &BTreeMap<String, String>| CertificateTable {
        title: title.to_owned(),
        head: ["Requirement".to_owned(), right.to_owned()],
        rows: rows.iter().map(|(id, text)| [id.clone(), text.clone()]).collect(),
    };
    let mut digests: BTreeMap<String, String> = certificate.files.clone();
    digests.insert("catalogue".to_owned(), judge.catalogue.clone());
    digests.insert("monitors".to_owned(), judge.monitors.clone());
    digests.insert(
        format!("profile {}", certificate.profile.name),
        certificate.profile.sha256.clone(),
    );
    CertificatePage {
        title: format!(
            "Certificate: {} under {}",
            certificate.unit.name, certificate.profile.name
        ),
        warning: warning(terms.class).map(str::to_owned),
        facts,
        tables: vec![
            table("Warned: violated SHOULDs and MAYs", "Found", &results.warned),
            table("Waived", "Reason", &results.waived),
            table("Not applicable", "The unit file says", &results.not_applicable),
            table(
                "SHOULDs and MAYs that were not exercised or not decided",
                "Why",
                &results.undecided,
            ),
            table("Violated, and not in the profile", "Found", &results.outside),
            CertificateTable {
                title: "Digests".to_owned(),
                head: ["Of".to_owned(), "SHA-256".to_owned()],
                rows: digests.into_iter().map(|(name, digest)| [name, digest]).collect(),
            },
        ],
        verify: "hil verify . --key KEY.pub.pem".to_owned(),
    }
}
