//! `hil keygen`, `hil certify` and `hil verify`: a whole certificate, and everything that can be done to it.

mod support;

use hil_certify::{
    Certificate, Class, Envelope, Judge, JudgeDigests, Profile, Trust, VerifyError, embedded_profiles, pages,
    read_private, read_profile, read_public, signed, verify,
};
use hil_diagnostic::Source;
use hil_scenario::{Vocabulary, embedded_catalogue};
use hil_trace::Catalogue;
use serde_json::Value;
use std::{fs, path::Path};
use support::{Told, hil_in};
use time::OffsetDateTime;

/// Small, so that the tests are quick.
const PROFILE: &str = "\
profile: small
protocol: edge-poll
summary: Two requirements.
requirements:
  levels: []
  also: [POLL-AUTH-001, POLL-INTERVAL-001]
";

fn certify(folder: &Path, more: &[&str]) -> Told {
    let mut arguments = vec![
        "certify",
        "--unit",
        "sim:edge-poll",
        "--profile",
        "small.yaml",
        "--key",
        "key.pem",
    ];
    arguments.extend(more);
    hil_in(folder, &arguments)
}

/// A folder with a key, its profile, and a certificate in `out`.
fn certified(more: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("small.yaml"), PROFILE).unwrap();
    let told = hil_in(folder.path(), &["keygen", "key.pem", "--algorithm", "ed25519"]);
    assert_eq!(told.code, 0, "{}", told.err);
    let mut arguments = vec!["--out", "out"];
    arguments.extend(more);
    let told = certify(folder.path(), &arguments);
    assert_eq!(told.code, 0, "{}{}", told.out, told.err);
    folder
}

fn verified(folder: &Path, more: &[&str]) -> Told {
    let mut arguments = vec!["verify", "out", "--profile", "small.yaml"];
    arguments.extend(more);
    hil_in(folder, &arguments)
}

#[test]
fn a_certificate_is_made_and_verified() {
    let folder = certified(&["--challenge", "7f3a", "--valid-for", "30d"]);
    let folder = folder.path();
    let told = verified(folder, &["--key", "key.pub.pem"]);
    assert_eq!(told.code, 0, "{}", told.err);
    assert!(told.out.starts_with("DEMONSTRATION"), "{}", told.out);
    assert!(told.out.contains("challenge 7f3a"), "{}", told.out);
    let told = verified(folder, &["--key", "key.pub.pem", "--json"]);
    let json: Value = serde_json::from_str(&told.out).unwrap();
    assert_eq!(json["verified"], true);
    assert_eq!(json["statement"]["predicate"]["passedTests"][0], "POLL-AUTH-001");
    let page = fs::read_to_string(folder.join("out/certificate.md")).unwrap();
    assert!(page.contains("DEMONSTRATION"), "{page}");

    // Not now, and not by another key.
    let refused = |more: &[&str], words: &str| {
        let told = verified(folder, more);
        assert_eq!(told.code, 9, "{words}: {}{}", told.out, told.err);
        assert!(told.err.contains(words), "{words}: {}", told.err);
    };
    refused(
        &["--key", "key.pub.pem", "--at", "2020-01-01"],
        "the clock of the machine",
    );
    refused(
        &["--key", "key.pub.pem", "--at", "2999-01-01"],
        "it was valid until",
    );
    assert_eq!(hil_in(folder, &["keygen", "other.pem"]).code, 0);
    refused(&["--key", "other.pub.pem"], "it was signed by key");
    let told = hil_in(folder, &["verify", "out", "--key", "key.pub.pem"]);
    assert_eq!(told.code, 9);
    assert!(
        told.err.contains("is not known here; give its file"),
        "{}",
        told.err
    );
    assert_eq!(
        verified(folder, &["--key", "key.pem"]).code,
        3,
        "a private key is no public one"
    );
    assert_eq!(verified(folder, &[]).code, 2);
    assert_eq!(hil_in(folder, &["verify", ".", "--key", "key.pub.pem"]).code, 1);

    // Nothing is overwritten.
    assert_eq!(certify(folder, &["--out", "out"]).code, 2);
    assert_eq!(certify(folder, &["--out", "out", "--resume"]).code, 2);
    assert_eq!(hil_in(folder, &["keygen", "key.pem"]).code, 2);
}

#[test]
fn a_violated_must_gives_no_certificate_unless_it_is_waived() {
    let folder = certified(&[]);
    let folder = folder.path();
    let wrong = ["--defect", "polls-too-fast", "--seed", "7", "--out"];
    let told = certify(folder, &[&wrong[..], &["denied"]].concat());
    assert_eq!(told.code, 4, "{}", told.err);
    assert!(told.out.contains("no certificate under small"), "{}", told.out);
    assert!(told.out.contains("POLL-INTERVAL-001"), "{}", told.out);
    assert!(!folder.join("denied/certificate.dsse.json").exists());
    assert!(folder.join("denied/report.html").exists());

    let violated: Vec<&str> = told
        .out
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("violated"))
        .collect();
    let ids = violated.iter().filter_map(|line| line.split_whitespace().next());
    let waivers: String = ids
        .map(|id| format!("  - requirement: {id}\n    reason: mended in 2.4\n    expires: 2999-12-31\n"))
        .collect();
    fs::write(folder.join("waivers.yaml"), format!("waivers:\n{waivers}")).unwrap();
    let told = certify(
        folder,
        &[&wrong[..], &["out2", "--waivers", "waivers.yaml"]].concat(),
    );
    assert_eq!(told.code, 0, "{}{}", told.out, told.err);
    let told = hil_in(
        folder,
        &[
            "verify",
            "out2",
            "--profile",
            "small.yaml",
            "--key",
            "key.pub.pem",
            "--json",
        ],
    );
    let json: Value = serde_json::from_str(&told.out).unwrap();
    assert_eq!(json["statement"]["predicate"]["result"], "WARNED");
    assert!(told.out.contains("mended in 2.4"), "{}", told.out);
}

#[test]
fn what_cannot_come_true_is_told_before_any_time_is_spent() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("small.yaml"), PROFILE).unwrap();
    let unit = "name: board\nprotocol: edge-poll\ndriver: remote\nsettings: {device_key: edk_0123456789abcdef0123456789abcdef}\n";
    fs::write(folder.join("unit.yaml"), unit).unwrap();
    let told = hil_in(
        folder,
        &[
            "certify",
            "--unit",
            "unit.yaml",
            "--profile",
            "small.yaml",
            "--plan",
        ],
    );
    assert_eq!(told.code, 8, "{}{}", told.out, told.err);
    assert!(told.out.contains("what is tested"), "{}", told.out);
    assert!(told.out.contains("takes"), "{}", told.out);
    let told = hil_in(
        folder,
        &[
            "certify",
            "--unit",
            "sim:edge-poll",
            "--profile",
            "edge-pole-core",
            "--plan",
        ],
    );
    assert_eq!(
        (told.code, told.err.contains("did you mean")),
        (2, true),
        "{}",
        told.err
    );
    let told = hil_in(
        folder,
        &[
            "certify",
            "--unit",
            "sim:sota",
            "--profile",
            "small.yaml",
            "--plan",
        ],
    );
    assert_eq!(told.code, 2, "{}", told.err);
    hil_in(folder, &["keygen", "key.pem"]);
    let told = certify(folder, &["--out", "out", "--witnessed-by", "Body"]);
    assert_eq!(told.code, 2, "only remote units can be witnessed: {}", told.err);
    assert!(!folder.join("out").exists());
}

/// Signs again with the vendor's key what the journal does not show.
fn forge(folder: &Path, change: impl Fn(&mut Certificate)) {
    let out = folder.join("out");
    let envelope = Envelope::from_bytes(&fs::read(out.join("certificate.dsse.json")).unwrap()).unwrap();
    let statement = serde_json::from_slice(&envelope.payload).unwrap();
    let mut certificate = Certificate::from_statement(&statement).unwrap();
    change(&mut certificate);
    let key = read_private(&folder.join("key.pem")).unwrap();
    for (name, text) in pages(&certificate) {
        fs::write(out.join(name), text).unwrap();
    }
    let envelope = signed(&certificate, &key, None).unwrap();
    fs::write(out.join("certificate.dsse.json"), envelope.to_bytes()).unwrap();
}

#[test]
fn a_certificate_that_says_other_than_its_journal_is_refused_or_listed() {
    let folder = certified(&["--seed", "7"]);
    let folder = folder.path();
    let key = ["--key", "key.pub.pem"];
    let refused = |words: &str| {
        let told = verified(folder, &key);
        assert_eq!(told.code, 9, "{words}: {}", told.out);
        assert!(told.err.contains(words), "{words}: {}", told.err);
    };
    // The same version: its verdicts must agree.
    forge(folder, |certificate| {
        certificate.results.passed.remove("POLL-AUTH-001");
        let reason = "it never said so".to_owned();
        certificate
            .results
            .not_applicable
            .insert("POLL-AUTH-001".to_owned(), reason);
    });
    refused("POLL-AUTH-001: certified as not applicable, judged passed");
    // Another version: what it judges differently is listed.
    forge(folder, |certificate| certificate.judge.monitors = "0".repeat(64));
    let told = verified(folder, &key);
    assert_eq!(told.code, 0, "{}", told.err);
    assert!(
        told.out
            .contains("differs: POLL-AUTH-001: certified as not applicable"),
        "{}",
        told.out
    );
    assert!(told.out.contains("what they judge differently"), "{}", told.out);
    // Facts the journal does not bear out.
    forge(folder, |certificate| certificate.terms.seed = "8".to_owned());
    refused("the certificate says the seed is 8, and the journal says 7");
    forge(folder, |certificate| {
        certificate.terms.seed = "7".to_owned();
        certificate.terms.challenge = Some("abc".to_owned());
    });
    refused("for its challenge");
    forge(folder, |certificate| {
        certificate.terms.challenge = None;
        certificate.terms.class = Class::SelfDeclared;
    });
    refused("certified as self-declared, and a sim unit");
    forge(folder, |certificate| {
        certificate.terms.class = Class::Demonstration;
        certificate.unit.kind = "process".to_owned();
    });
    refused("its kind is process, and the journal says sim");
}

/// Everything `verify` needs.
struct Known {
    catalogue: Catalogue,
    profiles: Vec<Profile>,
    digests: JudgeDigests,
    trust: Trust,
}

impl Known {
    fn of(folder: &Path) -> Known {
        let (catalogue, sha256) = embedded_catalogue().unwrap_or_else(|mistakes| panic!("{mistakes}"));
        let vocabulary = Vocabulary::embedded().unwrap_or_else(|mistakes| panic!("{mistakes}"));
        let mut profiles =
            embedded_profiles(&catalogue, &vocabulary).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        let own = read_profile(Source::new("small.yaml", PROFILE), &catalogue, &vocabulary);
        profiles.push(own.unwrap_or_else(|mistakes| panic!("{mistakes}")));
        let digests = JudgeDigests {
            tool: "another version".to_owned(),
            tool_sha256: String::new(),
            catalogue: sha256,
            monitors: String::new(),
        };
        Known {
            catalogue,
            profiles,
            digests,
            trust: Trust::Key(read_public(&folder.join("key.pub.pem")).unwrap()),
        }
    }

    fn verify(&self, directory: &Path) -> Result<(), VerifyError> {
        let judge = Judge {
            catalogue: &self.catalogue,
            digests: &self.digests,
            profiles: &self.profiles,
            plans: &[],
            now: OffsetDateTime::now_utc(),
        };
        verify(directory, &self.trust, &judge).map(|_| ())
    }
}

#[test]
fn every_changed_byte_is_refused_with_the_part() {
    let folder = certified(&["--seed", "7"]);
    let known = Known::of(folder.path());
    let out = folder.path().join("out");
    known.verify(&out).unwrap();

    let refused = |path: &Path, at: usize, mask: u8, bytes: &mut Vec<u8>, part: &str| {
        bytes[at] ^= mask;
        fs::write(path, &*bytes).unwrap();
        let error = known
            .verify(&out)
            .expect_err(&format!("{part}: byte {at} ^ {mask:#x}"))
            .to_string();
        assert!(error.starts_with(part), "byte {at}: {error}");
        bytes[at] ^= mask;
    };
    // Every byte of the certificate.
    let path = out.join("certificate.dsse.json");
    let mut bytes = fs::read(&path).unwrap();
    for at in 0..bytes.len() {
        refused(&path, at, 1, &mut bytes, "certificate.dsse.json");
    }
    for at in (0..bytes.len()).step_by(97) {
        refused(&path, at, 0x20, &mut bytes, "certificate.dsse.json");
        refused(&path, at, 0x80, &mut bytes, "certificate.dsse.json");
    }
    fs::write(&path, [&bytes[..], b"\n"].concat()).unwrap();
    assert!(known.verify(&out).is_err(), "one newline more");
    fs::write(&path, &bytes).unwrap();

    // A byte of every line of the journal, and others all over it.
    let path = out.join("journal.jsonl");
    let mut journal = fs::read(&path).unwrap();
    let ends = journal
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'\n')
        .map(|(at, _)| at);
    let places: Vec<usize> = ends
        .step_by(journal.len() / 200_000 + 1)
        .chain((0..journal.len()).step_by(40_009))
        .collect();
    for at in places {
        refused(&path, at, 1, &mut journal, "journal.jsonl");
    }
    let lines = journal.iter().filter(|byte| **byte == b'\n').count();
    for cut in [lines / 2, lines - 1] {
        let end = journal
            .iter()
            .enumerate()
            .filter(|(_, byte)| **byte == b'\n')
            .nth(cut - 1)
            .unwrap()
            .0;
        fs::write(&path, &journal[..=end]).unwrap();
        let error = known.verify(&out).unwrap_err().to_string();
        assert!(error.starts_with("journal.jsonl is refused"), "{error}");
    }
    fs::write(&path, &journal).unwrap();

    // Side files: changed, missing, too many.
    let payloads = out.join("payloads");
    fs::create_dir_all(&payloads).unwrap();
    let stray = payloads.join("0".repeat(64));
    fs::write(&stray, "x").unwrap();
    assert!(
        known
            .verify(&out)
            .unwrap_err()
            .to_string()
            .starts_with("payloads/")
    );
    fs::remove_file(stray).unwrap();
    if let Some(payload) = fs::read_dir(&payloads).unwrap().next() {
        let path = payload.unwrap().path();
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        refused(&path, middle, 1, &mut bytes, "payloads/");
        fs::remove_file(&path).unwrap();
        assert!(
            known
                .verify(&out)
                .unwrap_err()
                .to_string()
                .starts_with("payloads/")
        );
        fs::write(&path, &bytes).unwrap();
    }
    // Reports.
    let path = out.join("report.json");
    let mut report = fs::read(&path).unwrap();
    refused(&path, 100, 1, &mut report, "report.json");
    fs::write(&path, &report).unwrap();
    known.verify(&out).unwrap();
}
