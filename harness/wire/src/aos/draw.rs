//! Generated messages: every value is drawn from a tape of bytes, so that a shorter tape of smaller bytes is a
//! simpler message and shrinking works by itself.

use super::{
    attributes::Attributes,
    report::Context,
    rule::{NumberRule, Rules, TextRule},
    text::BorrowedText,
};
use serde_json::Number;

/// A source of choices; reads zero for ever after its end.
pub(crate) struct Tape<'a> {
    bytes: std::slice::Iter<'a, u8>,
}

impl<'a> Tape<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Tape { bytes: bytes.iter() }
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.bytes.next().copied().unwrap_or(0)
    }

    pub(crate) fn flip(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::from(self.byte()) % limit.max(1)
    }

    pub(crate) fn pick<'t, T>(&mut self, from: &'t [T]) -> &'t T {
        &from[self.below(from.len())]
    }

    fn number(&mut self) -> u64 {
        let shift = self.byte() % 64;
        (u64::from(self.byte()) << shift) | u64::from(self.byte())
    }

    fn chars(&mut self, alphabet: &str, count: usize) -> String {
        let alphabet: Vec<char> = alphabet.chars().collect();
        (0..count).map(|_| *self.pick(&alphabet)).collect()
    }

    fn hex(&mut self, digits: usize) -> String {
        self.chars("0123456789abcdef", digits)
    }

    pub(crate) fn uuid(&mut self) -> String {
        let (a, b, c, d) = (self.hex(8), self.hex(4), self.hex(3), self.hex(3));
        format!("{a}-{b}-4{c}-a{d}-{}", self.hex(12))
    }

    pub(crate) fn timestamp(&mut self) -> String {
        let (month, day, hour) = (self.below(12) + 1, self.below(28) + 1, self.below(24));
        let (minute, second, micros) = (self.below(60), self.below(60), self.number() % 1_000_000);
        format!("2026-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
    }

    fn base64(&mut self, bytes: usize) -> String {
        use base64::Engine;
        let bytes: Vec<u8> = (0..bytes).map(|_| self.byte()).collect();
        base64::engine::general_purpose::STANDARD.encode(bytes)
    }

    fn words(&mut self, most: usize) -> String {
        let count = self.below(20.min(most + 1));
        self.chars("aZ09 -_./\"\\\n\u{1}é€😀", count)
    }
}

pub(crate) trait Draw: Sized {
    /// A value that has nothing odd under these rules.
    fn draw(tape: &mut Tape<'_>, rules: &Rules, context: Context) -> Self;
}

impl Draw for String {
    fn draw(tape: &mut Tape<'_>, rules: &Rules, context: Context) -> Self {
        match rules.text {
            TextRule::Any => tape.words(20),
            TextRule::Most(most) => tape.words(most),
            TextRule::Name(most) => format!("N{}", tape.words(most - 1)),
            TextRule::Limit(most) => tape.words(most),
            TextRule::SystemId => format!("unit-{}", tape.words(20)),
            TextRule::Transaction | TextRule::Correlation | TextRule::NeededCorrelation => tape.uuid(),
            TextRule::Timestamp => tape.timestamp(),
            TextRule::Digest => format!("sha256:{}", tape.hex(64)),
            TextRule::StateChecksum => tape.hex(56),
            TextRule::Sha256Hex => tape.hex(64),
            TextRule::Serial => {
                let bytes = tape.below(20);
                tape.hex(2 * bytes)
            }
            TextRule::Base64(most) => {
                let bytes = tape.below(most.min(40) + 1);
                tape.base64(bytes)
            }
            TextRule::Base64Of(allowed) => {
                let bytes = *tape.pick(allowed);
                tape.base64(bytes)
            }
            TextRule::Version => format!("{}.{}.{}", tape.byte(), tape.byte(), tape.byte()),
            TextRule::Url => format!("https://blobs.example/{}", tape.hex(8)),
            TextRule::Pem(_) => {
                let body = tape.base64(30);
                format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
            }
            TextRule::BlockAlgorithm => "AES256/CBC/pkcs7".to_owned(),
            TextRule::SignatureAlgorithm => {
                let _ = context;
                (*tape.pick(&["RSA/SHA256", "RSA/SHA256/PKCS1v1_5", "RSA/SHA256/PSS"])).to_owned()
            }
        }
    }
}

impl Draw for BorrowedText<'_> {
    fn draw(tape: &mut Tape<'_>, rules: &Rules, context: Context) -> Self {
        String::draw(tape, rules, context).as_str().into()
    }
}

impl Draw for bool {
    fn draw(tape: &mut Tape<'_>, _rules: &Rules, _context: Context) -> Self {
        tape.flip()
    }
}

impl Draw for u64 {
    fn draw(tape: &mut Tape<'_>, _rules: &Rules, _context: Context) -> Self {
        tape.number()
    }
}

impl Draw for i64 {
    fn draw(tape: &mut Tape<'_>, rules: &Rules, _context: Context) -> Self {
        let number = i64::try_from(tape.number()).unwrap_or(i64::MAX);
        match rules.number {
            NumberRule::ProtocolVersion | NumberRule::SecretsVersion => 7,
            NumberRule::AosCode => number % 15,
            NumberRule::NotNegative => number,
            NumberRule::Any | NumberRule::Seconds if tape.flip() => -number,
            NumberRule::Any | NumberRule::Seconds => number,
        }
    }
}

impl Draw for Number {
    fn draw(tape: &mut Tape<'_>, _rules: &Rules, _context: Context) -> Self {
        let number = tape.number();
        if tape.flip() {
            // quarters below 2^32: exact in a float, so equal again after text
            let quarters = u32::try_from(number % (1 << 32)).unwrap_or_default();
            Number::from_f64(f64::from(quarters) / 4.0).unwrap_or_else(|| 0.into())
        } else {
            number.into()
        }
    }
}

impl<T: Draw> Draw for Vec<T> {
    fn draw(tape: &mut Tape<'_>, rules: &Rules, context: Context) -> Self {
        let count = tape.below(4).clamp(rules.list.least, rules.list.most);
        (0..count).map(|_| T::draw(tape, rules, context)).collect()
    }
}

impl<T: Draw> Draw for Box<T> {
    fn draw(tape: &mut Tape<'_>, rules: &Rules, context: Context) -> Self {
        Box::new(T::draw(tape, rules, context))
    }
}

impl<S: Draw> Draw for Attributes<S> {
    fn draw(tape: &mut Tape<'_>, rules: &Rules, context: Context) -> Self {
        const NAME: &Rules = &Rules::text(TextRule::Transaction);
        let count = tape.below(3);
        let mut seen = Vec::new();
        let mut pairs = Vec::new();
        for _ in 0..count {
            let name = tape.uuid();
            if !seen.contains(&name) {
                let mut letters = Tape::new(name.as_bytes());
                pairs.push((
                    S::draw(&mut letters, NAME, context),
                    S::draw(tape, rules, context),
                ));
                seen.push(name);
            }
        }
        Attributes(pairs)
    }
}
