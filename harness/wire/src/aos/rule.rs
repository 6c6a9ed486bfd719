//! What values of members must look like, as data: the fast and the thorough decoder both ask here, so they
//! cannot disagree.

use super::{
    identity::IdentityRule,
    report::{Context, Fault},
    shape,
};
use crate::oddity::{OddityKind, Weight};

/// The rules of one member. Each rule acts on the leaves of its own type, so a list of strings may have both a
/// length and a text rule.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) text: TextRule,
    pub(crate) number: NumberRule,
    pub(crate) list: ListRule,
    pub(crate) identity: IdentityRule,
    /// How much a name outside its enumeration matters.
    pub(crate) unknown_name: Weight,
    /// How much it matters that an expected member is missing.
    pub(crate) missing: Missing,
}

/// How much it matters that a member with a default is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    Tolerable,
    Invalid,
    /// Invalid in what the unit sends; the unit itself does without.
    InvalidFromUnit,
}

impl Missing {
    pub(crate) fn weight(self, context: Context) -> Weight {
        match self {
            Missing::Tolerable => Weight::Tolerable,
            Missing::InvalidFromUnit if context.is_from_cloud() => Weight::Tolerable,
            Missing::Invalid | Missing::InvalidFromUnit => Weight::Invalid,
        }
    }
}

/// How many entries a list may have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ListRule {
    pub(crate) least: usize,
    /// The unit's limit (reference section 1.3).
    pub(crate) most: usize,
    /// A single object instead of a list is a known spelling (reference section 0, row D15).
    pub(crate) single: bool,
}

impl Rules {
    pub(crate) const NONE: Rules = Rules {
        text: TextRule::Any,
        number: NumberRule::Any,
        list: ListRule {
            least: 0,
            most: usize::MAX,
            single: false,
        },
        identity: IdentityRule::ANY,
        unknown_name: Weight::Invalid,
        missing: Missing::Tolerable,
    };

    pub(crate) const fn text(rule: TextRule) -> Self {
        let mut rules = Rules::NONE;
        rules.text = rule;
        rules
    }

    pub(crate) const fn most(characters: usize) -> Self {
        Rules::text(TextRule::Most(characters))
    }

    pub(crate) const fn number(rule: NumberRule) -> Self {
        let mut rules = Rules::NONE;
        rules.number = rule;
        rules
    }

    pub(crate) const fn identity(rule: IdentityRule) -> Self {
        let mut rules = Rules::NONE;
        rules.identity = rule;
        rules
    }

    /// At most so many entries.
    pub(crate) const fn list(mut self, most: usize) -> Self {
        self.list.most = most;
        self
    }

    /// At least one entry.
    pub(crate) const fn not_empty(mut self) -> Self {
        self.list.least = 1;
        self
    }

    pub(crate) const fn or_single(mut self) -> Self {
        self.list.single = true;
        self
    }

    pub(crate) const fn tolerating_unknown_names(mut self) -> Self {
        self.unknown_name = Weight::Tolerable;
        self
    }

    pub(crate) const fn missing(mut self, missing: Missing) -> Self {
        self.missing = missing;
        self
    }
}

impl ListRule {
    pub(crate) fn fault(self, entries: usize, context: Context) -> Option<Fault> {
        if entries < self.least {
            let detail = format!("must have at least {} entry", self.least);
            return Some(Fault::invalid(OddityKind::InvalidValue, detail));
        }
        (entries > self.most).then(|| {
            let detail = format!("{entries} entries; the limit is {}", self.most);
            Fault::weighing(context.unit_limit(), OddityKind::InvalidValue, detail)
        })
    }
}

/// What a string must look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TextRule {
    Any,
    /// At most so many characters, a limit of the unit's parser.
    Most(usize),
    /// The same, and not empty.
    Name(usize),
    /// At most so many bytes for everybody.
    Limit(usize),
    /// 1 to 64 characters for everybody.
    SystemId,
    /// Not empty.
    Transaction,
    /// `YYYY-MM-DDTHH:MM:SS[.fraction]Z`.
    Timestamp,
    /// At most 37 characters; may be left out.
    Correlation,
    /// 1 to 37 characters.
    NeededCorrelation,
    /// `sha256:<64 hex digits>`.
    Digest,
    /// Hex; from the unit also Base64 (reference section 0, row D13).
    StateChecksum,
    /// 64 hex digits.
    Sha256Hex,
    /// Hex or empty.
    Serial,
    /// Base64 of at most so many bytes.
    Base64(usize),
    /// Base64 of one of these numbers of bytes.
    Base64Of(&'static [usize]),
    /// A semantic version of at most 32 characters.
    Version,
    /// An absolute URL.
    Url,
    /// PEM text of at most so many characters.
    Pem(usize),
    /// `AES256/CBC/pkcs7` and relatives.
    BlockAlgorithm,
    /// `RSA/SHA256` and relatives.
    SignatureAlgorithm,
}

impl TextRule {
    #[inline]
    pub(crate) fn fault(self, text: &str, context: Context) -> Option<Fault> {
        match self {
            TextRule::Any => None,
            TextRule::Most(most) if text.len() <= most => None,
            TextRule::Name(most) if text.len() <= most && !text.is_empty() => None,
            TextRule::Timestamp if shape::is_plain_timestamp(text) => None,
            rule => rule.judge(text, context),
        }
    }

    fn judge(self, text: &str, context: Context) -> Option<Fault> {
        use OddityKind::{Dialect, InvalidValue};
        let invalid = |detail: &'static str| Some(Fault::invalid(InvalidValue, detail));
        let tolerable = |detail: &'static str| Some(Fault::tolerable(InvalidValue, detail));
        match self {
            TextRule::Any => None,
            TextRule::Most(most) => too_long(text, most, context.unit_limit()),
            TextRule::Name(_) if text.is_empty() => invalid("must not be empty"),
            TextRule::Name(most) => too_long(text, most, context.unit_limit()),
            TextRule::Limit(most) => (text.len() > most).then(|| {
                let detail = format!("{} bytes; the limit is {most}", text.len());
                Fault::invalid(InvalidValue, detail)
            }),
            TextRule::SystemId if text.is_empty() => invalid("must not be empty"),
            TextRule::SystemId => too_long(text, 64, Weight::Invalid),
            TextRule::Transaction if text.is_empty() => {
                invalid("an empty transaction id cannot be acknowledged")
            }
            TextRule::Transaction => None,
            TextRule::Timestamp => match shape::timestamp_form(text) {
                shape::TimestampForm::Plain => None,
                shape::TimestampForm::OtherIso => {
                    tolerable("ISO 8601, but not UTC in the form YYYY-MM-DDTHH:MM:SS[.fraction]Z")
                }
                shape::TimestampForm::NotIso => invalid("not an ISO 8601 timestamp"),
            },
            TextRule::Correlation if text.is_empty() => tolerable("empty instead of left out"),
            TextRule::NeededCorrelation if text.is_empty() => {
                invalid("an empty id ties the message to nothing")
            }
            TextRule::Correlation | TextRule::NeededCorrelation => too_long(text, 37, Weight::Invalid),
            TextRule::Digest if shape::is_sha256_digest(text) => None,
            TextRule::Digest => invalid("must be `sha256:` and 64 hex digits"),
            TextRule::StateChecksum if shape::is_hex(text, 1..=32) => None,
            TextRule::StateChecksum
                if !context.is_from_cloud() && matches!(shape::base64_len(text), Some(28 | 32)) =>
            {
                Some(Fault::tolerable(Dialect, "Base64 instead of hex"))
            }
            TextRule::StateChecksum => invalid("must be a hex checksum of at most 32 bytes"),
            TextRule::Sha256Hex if shape::is_hex(text, 32..=32) => None,
            TextRule::Sha256Hex => invalid("must be 64 hex digits"),
            TextRule::Serial if shape::is_hex(text, 0..=64) => None,
            TextRule::Serial => invalid("must be the serial number in hex"),
            TextRule::Base64(most) => match shape::base64_len(text) {
                None => invalid("not Base64"),
                Some(bytes) if bytes > most => {
                    let detail = format!("{bytes} bytes; the limit is {most}");
                    Some(Fault::weighing(context.unit_limit(), InvalidValue, detail))
                }
                Some(_) => None,
            },
            TextRule::Base64Of(allowed) => match shape::base64_len(text) {
                None => invalid("not Base64"),
                Some(bytes) if !allowed.contains(&bytes) => {
                    let detail = format!("{bytes} bytes; allowed are {allowed:?}");
                    Some(Fault::invalid(InvalidValue, detail))
                }
                Some(_) => None,
            },
            TextRule::Version if text.len() > 32 => too_long(text, 32, context.unit_limit()),
            TextRule::Version if semver::Version::parse(text).is_ok() => None,
            TextRule::Version => tolerable("not a semantic version"),
            TextRule::Url if text.len() > 4096 => too_long(text, 4096, context.unit_limit()),
            TextRule::Url if shape::has_scheme(text) => None,
            TextRule::Url => tolerable("not an absolute URL"),
            TextRule::Pem(most) if text.len() > most => too_long(text, most, context.unit_limit()),
            TextRule::Pem(_) if text.trim_start().starts_with("-----BEGIN ") => None,
            TextRule::Pem(_) => tolerable("not PEM"),
            TextRule::BlockAlgorithm => match shape::block_algorithm(text) {
                shape::AlgorithmForm::Usual => None,
                shape::AlgorithmForm::Publisher => Some(Fault::tolerable(
                    Dialect,
                    "a mode only the publisher's schema knows",
                )),
                shape::AlgorithmForm::Unknown => invalid("not AES128, AES192 or AES256 in CBC mode"),
            },
            TextRule::SignatureAlgorithm => match shape::signature_algorithm(text) {
                shape::AlgorithmForm::Usual => None,
                shape::AlgorithmForm::Publisher => Some(Fault::tolerable(
                    Dialect,
                    "a scheme only the publisher's schema knows",
                )),
                shape::AlgorithmForm::Unknown => invalid("not RSA with a SHA-2 hash"),
            },
        }
    }
}

fn too_long(text: &str, most: usize, weight: Weight) -> Option<Fault> {
    if text.len() <= most {
        return None;
    }
    let characters = text.chars().count();
    (characters > most).then(|| {
        let detail = format!("{characters} characters; the limit is {most}");
        Fault::weighing(weight, OddityKind::InvalidValue, detail)
    })
}

/// What a number must look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NumberRule {
    Any,
    /// Zero or more.
    NotNegative,
    /// The protocol version, 7.
    ProtocolVersion,
    /// An error code the unit's software defines, 0 to 14.
    AosCode,
    /// The version of `unitSecrets`: 7, but units take any scalar (reference section 0, row D15).
    SecretsVersion,
    /// Seconds, also as `PT10S` or `10s` (reference section 0, row D20).
    Seconds,
}

impl NumberRule {
    #[inline]
    pub(crate) fn fault(self, value: i64) -> Option<Fault> {
        use OddityKind::{Dialect, InvalidValue};
        match self {
            NumberRule::Any | NumberRule::Seconds => None,
            NumberRule::NotNegative if value >= 0 => None,
            NumberRule::NotNegative => Some(Fault::invalid(InvalidValue, "must not be negative")),
            NumberRule::ProtocolVersion | NumberRule::SecretsVersion if value == 7 => None,
            NumberRule::ProtocolVersion => Some(Fault::invalid(
                InvalidValue,
                format!("protocol version {value} instead of 7"),
            )),
            NumberRule::SecretsVersion => Some(Fault::tolerable(Dialect, "a version other than 7")),
            NumberRule::AosCode if (0..=14).contains(&value) => None,
            NumberRule::AosCode => Some(Fault::tolerable(
                OddityKind::UnknownName,
                format!("{value} is no known error code"),
            )),
        }
    }
}
