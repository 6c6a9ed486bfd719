//! An answer whose bytes go out past hyper, as a fault makes them.

use super::{
    answer::{Afterwards, WireAnswer, without},
    exchange::{Answer, Exchange, Interrupted, finish_headers, sent},
};
use hil_fault::{ExchangeEffect, Framing, ResetPoint};
use hil_trace::{HttpEnding, Party};
use hil_wire::http::Response;
use http_body_util::Full;
use std::{borrow::Cow, io};

impl Exchange<'_> {
    /// Sends an answer whose bytes are not what hyper would make of it.
    pub(super) async fn send_on_wire(
        &self,
        mut response: Response,
        effect: ExchangeEffect,
    ) -> io::Result<Afterwards> {
        let (wire, clock) = (&self.connection.wire, &self.host.edge.clock);
        let on = (wire, clock);
        let length = response.body.len() as u64;
        let (announced, ending, afterwards) = match &effect {
            ExchangeEffect::Length { by } => (
                Some(length.saturating_add_signed(*by)),
                HttpEnding::Cut,
                Afterwards::Ends,
            ),
            ExchangeEffect::Padding { bytes } => (
                Some(length.saturating_add(*bytes)),
                HttpEnding::Complete,
                Afterwards::Stays,
            ),
            ExchangeEffect::Truncate { announce, .. } => {
                (announce.then_some(length), HttpEnding::Cut, Afterwards::Ends)
            }
            ExchangeEffect::Framed(Framing::Chunked { ended: true, .. }) => {
                (None, HttpEnding::Complete, Afterwards::Stays)
            }
            ExchangeEffect::Framed(Framing::Chunked { ended: false, .. }) => {
                (None, HttpEnding::Cut, Afterwards::Ends)
            }
            ExchangeEffect::Framed(Framing::Close) => (None, HttpEnding::Complete, Afterwards::Ends),
            ExchangeEffect::Drip { .. } => (Some(length), HttpEnding::Complete, Afterwards::Stays),
            ExchangeEffect::Reset(_) => (Some(length), HttpEnding::Cut, Afterwards::Reset),
            _ => (Some(length), HttpEnding::Cut, Afterwards::Stays),
        };
        let chunked = matches!(effect, ExchangeEffect::Framed(Framing::Chunked { .. }));
        self.announce(&mut response, announced, afterwards, chunked);
        let readable = readable(&response, &effect);
        self.host
            .edge
            .response(self.number, Party::Cloud, &readable, ending);
        let json = is_json(&response);
        let answer = WireAnswer::new(&response, self.head);
        match effect {
            ExchangeEffect::Stall {
                part,
                after_bytes,
                span,
            } => {
                let after = (part, after_bytes.unwrap_or(0));
                answer.send_stalling(on, after, span).await?;
            }
            ExchangeEffect::Drip { part, bytes, every } => {
                answer.send_dripping(on, part, (bytes, every)).await?;
            }
            ExchangeEffect::Truncate { after_bytes, .. } => answer.send_cut(wire, after_bytes).await?,
            ExchangeEffect::Reset(ResetPoint::InBody(after)) => {
                answer.send_reset(on, after, &self.connection.handle).await?;
            }
            ExchangeEffect::Framed(framing) if !self.head => answer.framed(framing).send(wire).await?,
            ExchangeEffect::Padding { bytes } if !self.head => {
                answer
                    .send_padded(wire, if json { b' ' } else { 0 }, bytes)
                    .await?;
            }
            _ => answer.send(wire).await?,
        }
        Ok(afterwards)
    }

    /// The headers of an answer that goes past hyper: how its body ends, and whether the connection does.
    fn announce(
        &self,
        response: &mut Response,
        announced: Option<u64>,
        afterwards: Afterwards,
        chunked: bool,
    ) {
        without(&mut response.headers, "Content-Length");
        match announced {
            Some(length) => response.headers.push("Content-Length", length.to_string()),
            None if chunked => response.headers.push("Transfer-Encoding", "chunked"),
            None => {}
        }
        let asked = self.call.request.headers.get("Connection");
        let closes = asked.is_some_and(|value| value.eq_ignore_ascii_case("close"));
        // Of an end that comes too soon nothing is said.
        if closes || (afterwards == Afterwards::Ends && announced.is_none() && !chunked) {
            response.headers.push("Connection", "close");
        }
        finish_headers(self.host, response, false);
    }

    /// Tells hyper that an answer has gone out past it.
    pub(super) fn after(&self, sent: io::Result<Afterwards>) -> Result<Answer, Interrupted> {
        match sent {
            Ok(Afterwards::Stays) => {
                self.connection.wire.swallow_next();
                Ok(Answer::new(Full::default()))
            }
            Ok(Afterwards::Ends) => {
                self.connection.ended.set(true);
                Err(Interrupted)
            }
            // The peer has gone before the end.
            Ok(Afterwards::Reset) | Err(_) => Err(Interrupted),
        }
    }
}

/// The answer as far as a unit can read it: a body that is cut, or announced as shorter, is recorded up to there.
fn readable<'a>(response: &'a Response, effect: &ExchangeEffect) -> Cow<'a, Response> {
    let bytes = match effect {
        ExchangeEffect::Length { by } => Some((response.body.len() as u64).saturating_add_signed(*by)),
        _ => sent(effect),
    };
    let bytes = bytes.map_or(usize::MAX, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
    if bytes >= response.body.len() {
        return Cow::Borrowed(response);
    }
    let mut response = response.clone();
    response.body.truncate(bytes);
    Cow::Owned(response)
}

fn is_json(response: &Response) -> bool {
    let media_type = response.headers.get("Content-Type").unwrap_or_default();
    media_type.starts_with("application/json")
}
