//! How far the unit lets itself be led on when it fetches a blob (POLL-DL-007).

use crate::{Judge, Monitor, Tally};
use hil_trace::{Event, HowClosed, Record, Stamp, Who};
use std::time::Duration;

/// Counts redirects followed one right after the other.
pub(super) struct RedirectMonitor {
    /// The last answer that led on.
    led_on: Option<Stamp>,
    /// Requests that followed a redirect, without a pause in between.
    followed: Vec<u64>,
    few: Tally,
}

impl Default for RedirectMonitor {
    fn default() -> Self {
        RedirectMonitor {
            led_on: None,
            followed: Vec::new(),
            few: Tally::new("POLL-DL-007"),
        }
    }
}

impl Monitor for RedirectMonitor {
    fn name(&self) -> &'static str {
        "edge-poll/redirect"
    }

    fn requirements(&self) -> &'static [&'static str] {
        &["POLL-DL-007"]
    }

    fn observe(&mut self, record: &Record, events: &[Event], judge: &mut Judge<'_>) {
        for event in events {
            match (event.who, event.name.as_str()) {
                (Who::Unit, "download") => self.download(record, judge),
                (Who::Cloud, "download_answer") => {
                    let status = event.field("http_status").and_then(|status| status.as_u64());
                    let leads_on = matches!(status, Some(301 | 302 | 303 | 307 | 308));
                    self.led_on = leads_on.then_some(event.at);
                }
                _ => {}
            }
        }
    }

    fn close(&mut self, _: Stamp, _: HowClosed, judge: &mut Judge<'_>) {
        self.few.close(judge);
    }
}

impl RedirectMonitor {
    fn download(&mut self, record: &Record, judge: &mut Judge<'_>) {
        // A later attempt begins anew, after a pause.
        let follows = self.led_on.take().is_some_and(|at| record.at.since(at) < PAUSE);
        if !follows {
            self.followed.clear();
            return;
        }
        self.followed.push(record.seq);
        if self.followed.len() <= MOST {
            self.few.met(record.seq);
        } else if self.followed.len() == MOST + 1 {
            let text = "more than five redirects of one download were followed";
            self.few.violated(text, self.followed.clone(), judge);
        }
    }
}

const MOST: usize = 5;
/// What comes later than this after a redirect is taken for a new attempt.
const PAUSE: Duration = Duration::from_millis(200);
