//! `ack` and `nack` (reference sections 3.15 and 3.16). Which message they are about is the transaction id of
//! their header.

use super::{
    object::object,
    rule::{NumberRule, Rules, TextRule},
    text::Text,
};

object! {
    /// A message arrived and was accepted for processing.
    #[derive(Eq, Default)]
    pub struct Ack<S> {
        /// Allowed and without meaning.
        "correlationId" => optional correlation_id: Option<S> = Rules::text(TextRule::Correlation);
    }
}

object! {
    /// The cloud cannot process a message now.
    #[derive(Eq, Default)]
    pub struct Nack<S> {
        /// Allowed and without meaning.
        "correlationId" => optional correlation_id: Option<S> = Rules::text(TextRule::Correlation);
        /// Milliseconds to wait before sending it again.
        "retryAfter" => optional retry_after: Option<i64> = Rules::number(NumberRule::NotNegative);
    }
}

impl<S: Text> Nack<S> {
    /// How long to wait if a nack does not say, in milliseconds.
    pub const DEFAULT_RETRY_AFTER: u64 = 500;

    /// Milliseconds to wait; the default if absent, 0 if negative.
    pub fn retry_after_millis(&self) -> u64 {
        self.retry_after.map_or(Self::DEFAULT_RETRY_AFTER, |millis| {
            u64::try_from(millis).unwrap_or(0)
        })
    }
}
