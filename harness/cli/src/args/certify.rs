//! Arguments of `hil keygen`, `hil certify` and `hil verify`.

use clap::{Args, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct KeygenArguments {
    /// Where the private key is written (PKCS#8, mode 0600); the public one goes beside it, to KEY.pub.pem
    #[arg(value_name = "KEY.pem")]
    pub(crate) key: PathBuf,
    /// How it signs
    #[arg(long, value_enum, default_value_t = KeyAlgorithm::EcdsaP256)]
    pub(crate) algorithm: KeyAlgorithm,
}

/// Kinds of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeyAlgorithm {
    /// ECDSA on P-256 with SHA-256
    EcdsaP256,
    /// Ed25519
    Ed25519,
}

#[derive(Debug, Args)]
pub(crate) struct CertifyArguments {
    /// Unit under test: a unit.yaml, or sim:PROTOCOL for a demonstration
    #[arg(long, value_name = "FILE|sim:PROTOCOL")]
    pub(crate) unit: String,
    /// What is claimed: a name of `hil list profiles`, or a file of your own
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) profile: String,
    /// The private key that signs, PKCS#8 in PEM: ECDSA P-256 or Ed25519
    #[arg(long, value_name = "KEY.pem", required_unless_present = "plan")]
    pub(crate) key: Option<PathBuf>,
    /// Folder for the journal, reports and certificate; it must be new or empty
    #[arg(long, value_name = "DIR", required_unless_present = "plan")]
    pub(crate) out: Option<PathBuf>,
    /// X.509 certificates of the key, its own first, to be attached
    #[arg(long, value_name = "CHAIN.pem")]
    pub(crate) certificate_chain: Option<PathBuf>,
    /// Run nothing: say what would run, how long it may take, and what is missing
    #[arg(long, conflicts_with = "resume")]
    pub(crate) plan: bool,
    /// Go on with a run that was cut off
    #[arg(long)]
    pub(crate) resume: bool,
    /// What the certifying body asks for; the seed of the run comes from it
    #[arg(long, value_name = "NONCE", conflicts_with = "seed")]
    pub(crate) challenge: Option<String>,
    /// Seed of everything random
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Violations that do not deny the certificate: a file of requirement, reason and last day for each
    #[arg(long, value_name = "FILE")]
    pub(crate) waivers: Option<PathBuf>,
    /// How long the certificate is valid, unless a waiver it rests on ends before
    #[arg(long, value_name = "SPAN", default_value = "365d")]
    pub(crate) valid_for: String,
    /// The certifying body that runs this on a remote unit
    #[arg(long, value_name = "NAME")]
    pub(crate) witnessed_by: Option<String>,
    /// Instances at a time
    #[arg(long, short = 'j', value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) jobs: Option<u16>,
    /// Tier of parameters [default: `quick` for units in real time, else `default`]; `long` also runs what takes hours
    #[arg(long, value_name = "TIER", value_parser = clap::builder::PossibleValuesParser::new(hil_scenario::TIERS))]
    pub(crate) tier: Option<String>,
    /// Use this file as the image of a role
    #[arg(long = "artifact", value_name = "ROLE=FILE")]
    pub(crate) artifacts: Vec<String>,
    /// Give a simulated unit a deliberate misbehaviour, to see a certificate denied
    #[arg(long = "defect", value_name = "NAME")]
    pub(crate) defects: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArguments {
    /// The folder with certificate.dsse.json, journal.jsonl and payloads
    #[arg(value_name = "DIR")]
    pub(crate) directory: PathBuf,
    /// The public key that must have signed
    #[arg(
        long,
        value_name = "KEY.pub.pem",
        required_unless_present = "ca",
        conflicts_with = "ca"
    )]
    pub(crate) key: Option<PathBuf>,
    /// Authorities one of which must stand behind the attached X.509 certificates
    #[arg(long, value_name = "CA.pem")]
    pub(crate) ca: Option<PathBuf>,
    /// A profile of the vendor's own, if the certificate is about one
    #[arg(long, value_name = "FILE")]
    pub(crate) profile: Option<PathBuf>,
    /// Verify as of this day or moment, such as 2027-01-31 or 2027-01-31T12:00:00Z
    #[arg(long, value_name = "DATE")]
    pub(crate) at: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

pub(super) const CERTIFY_EXAMPLES: &str = "\
Examples:
  hil keygen vendor.pem
  hil certify --unit sim:edge-poll --profile edge-poll-core --key vendor.pem --out certificate
  hil certify --unit unit.yaml --profile edge-poll-core --plan
  hil certify --unit unit.yaml --profile edge-poll-core --key vendor.pem --out certificate --challenge 7f3a… --resume

Exit codes: 0 certified, 4 a MUST was violated, 5 something was not decided, 6 error of lab or harness,
8 something the profile needs was not exercised; 1, 2, 3 as ever";

pub(super) const VERIFY_EXAMPLES: &str = "\
Examples:
  hil verify certificate --key vendor.pub.pem
  hil verify certificate --ca authority.pem --at 2027-01-31 --json

Exit codes: 0 it holds, 5 it holds, and this version of hil judges the journal otherwise,
9 it is refused: changed, of another key, not valid now, or not what the journal shows; 1, 2, 3 as ever";
