//! Announced updates are those of a list Core sent, as they were (SOTA-EVT-002).

use crate::{Judge, Tally};
use hil_wire::sota::{
    Dialect, UpdateRequest,
    core::{Call, decode_update_list},
};
use std::collections::BTreeSet;

/// The lists Core sent.
pub(super) struct Lists {
    faithful: Tally,
    asked: BTreeSet<u32>,
    /// Each list as JSON texts, sorted.
    sent: BTreeSet<Vec<String>>,
    /// An answer was no list, or is not known.
    unclear: bool,
}

impl Default for Lists {
    fn default() -> Self {
        Lists {
            faithful: Tally::new("SOTA-EVT-002"),
            asked: BTreeSet::new(),
            sent: BTreeSet::new(),
            unclear: false,
        }
    }
}

impl Lists {
    /// A request of the unit.
    pub(super) fn asked(&mut self, exchange: u32, face: &str, method: &str, target: &str) {
        if face == "sota-core" && matches!(Call::parse(method, target), Ok(Call::Updates { .. })) {
            self.asked.insert(exchange);
        }
    }

    /// An answer to a request.
    pub(super) fn answered(&mut self, exchange: u32, status: u16, body: &[u8]) {
        if !self.asked.remove(&exchange) || status >= 400 {
            return;
        }
        let decoded = decode_update_list(body, Dialect::Rustc);
        let valid = status == 200 && decoded.is_valid();
        match decoded.value.filter(|_| valid) {
            Some(listed) => {
                self.sent
                    .insert(texts(listed.iter().map(|listed| &listed.request)));
            }
            // What a unit makes of it is another matter.
            None => self.unclear = true,
        }
    }

    /// Updates the unit announces.
    pub(super) fn check(&mut self, updates: &[UpdateRequest], seq: u64, judge: &mut Judge<'_>) {
        if self.unclear {
            return;
        }
        let text = || "updates are announced that are not those of any list Core sent".to_owned();
        let known = self.sent.contains(&texts(updates.iter()));
        self.faithful.check(known, text, seq, judge);
    }

    pub(super) fn close(&mut self, judge: &mut Judge<'_>) {
        self.faithful.close(judge);
    }
}

fn texts<'u>(updates: impl Iterator<Item = &'u UpdateRequest>) -> Vec<String> {
    let mut texts: Vec<String> = updates.map(|update| update.to_value().to_string()).collect();
    texts.sort();
    texts
}
