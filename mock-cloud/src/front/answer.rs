//! How an answer goes out on the wire, byte for byte, where a fault disturbs it.

use super::filter::Filter;
use hil_fault::{AnswerPart, Framing};
use hil_link::{Clock, StreamHandle};
use hil_wire::http::{Headers, Response};
use std::{io, time::Duration};

/// What one answer looks like on the wire.
pub(super) struct WireAnswer {
    head: Vec<u8>,
    body: Vec<u8>,
}

/// What becomes of the connection after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Afterwards {
    /// It carries the next exchange.
    Stays,
    /// It ends in order.
    Ends,
    /// It was reset.
    Reset,
}

impl WireAnswer {
    /// As the response says; no body after a HEAD request.
    pub(super) fn new(response: &Response, to_head: bool) -> Self {
        let status = hyper::StatusCode::from_u16(response.status).unwrap_or_default();
        let reason = status.canonical_reason().unwrap_or("Unknown");
        let mut head = format!("HTTP/1.1 {} {reason}\r\n", response.status);
        for (name, value) in &response.headers.0 {
            // What is between the lines of a header would be another header.
            let clean = |text: &str| text.replace(['\r', '\n'], " ");
            head.push_str(&format!("{}: {}\r\n", clean(name), clean(value)));
        }
        head.push_str("\r\n");
        WireAnswer {
            head: head.into_bytes(),
            body: match to_head {
                true => Vec::new(),
                false => response.body.clone(),
            },
        }
    }

    /// The same, its body in chunks.
    #[must_use]
    pub(super) fn framed(mut self, framing: Framing) -> Self {
        let Framing::Chunked { bytes, ended } = framing else {
            return self;
        };
        let mut chunks = Vec::new();
        for chunk in self.body.chunks(whole(bytes).max(1)) {
            chunks.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
            chunks.extend(chunk);
            chunks.extend(b"\r\n");
        }
        if ended {
            chunks.extend(b"0\r\n\r\n");
        }
        self.body = chunks;
        self
    }

    /// All of it at once.
    pub(super) async fn send(self, wire: &Filter) -> io::Result<()> {
        wire.write(&[self.head, self.body].concat()).await
    }

    /// All of it, and so many bytes more.
    pub(super) async fn send_padded(self, wire: &Filter, byte: u8, count: u64) -> io::Result<()> {
        self.send(wire).await?;
        let padding = vec![byte; PADDING];
        let mut left = whole(count);
        while left > 0 {
            let piece = left.min(PADDING);
            wire.write(&padding[..piece]).await?;
            left -= piece;
        }
        Ok(())
    }

    /// As much as ends after so many bytes of a part, then nothing for some time, or for ever; then the rest.
    pub(super) async fn send_stalling(
        self,
        (wire, clock): (&Filter, &Clock),
        (part, after): (AnswerPart, u64),
        span: Option<Duration>,
    ) -> io::Result<()> {
        let (first, rest) = self.cut(part, after);
        wire.write(&first).await?;
        match span {
            Some(span) => clock.sleep(span).await,
            None => std::future::pending().await,
        }
        wire.write(&rest).await
    }

    /// A part in pieces, the rest at once.
    pub(super) async fn send_dripping(
        self,
        (wire, clock): (&Filter, &Clock),
        part: AnswerPart,
        (bytes, every): (u64, Duration),
    ) -> io::Result<()> {
        let pieces = whole(bytes).max(1);
        let (before, slow, behind) = match part {
            AnswerPart::Head => (Vec::new(), self.head, self.body),
            AnswerPart::Body => (self.head, self.body, Vec::new()),
        };
        wire.write(&before).await?;
        for (number, piece) in slow.chunks(pieces).enumerate() {
            if number > 0 {
                clock.sleep(every).await;
            }
            wire.write(piece).await?;
        }
        wire.write(&behind).await
    }

    /// The head and so much of the body.
    pub(super) async fn send_cut(self, wire: &Filter, after: u64) -> io::Result<()> {
        let (first, _) = self.cut(AnswerPart::Body, after);
        wire.write(&first).await
    }

    /// The head and so much of the body, then a reset.
    pub(super) async fn send_reset(
        self,
        (wire, clock): (&Filter, &Clock),
        after: u64,
        handle: &StreamHandle,
    ) -> io::Result<()> {
        self.send_cut(wire, after).await?;
        // The first part leaves before the reset discards it.
        clock.sleep(Duration::from_millis(5)).await;
        handle.reset();
        Ok(())
    }

    fn cut(self, part: AnswerPart, after: u64) -> (Vec<u8>, Vec<u8>) {
        let at = match part {
            AnswerPart::Head => whole(after).min(self.head.len()),
            AnswerPart::Body => self.head.len() + whole(after).min(self.body.len()),
        };
        let mut first = [self.head, self.body].concat();
        let rest = first.split_off(at);
        (first, rest)
    }
}

/// Removes a header, whatever its case.
pub(super) fn without(headers: &mut Headers, name: &str) {
    headers.0.retain(|(given, _)| !given.eq_ignore_ascii_case(name));
}

fn whole(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

const PADDING: usize = 16 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_counted_in_hex_and_can_go_unended() {
        let response = Response {
            status: 200,
            headers: Headers(vec![("Transfer-Encoding".into(), "chunked".into())]),
            body: b"hello world".to_vec(),
        };
        let framed = |ended| {
            let answer = WireAnswer::new(&response, false).framed(Framing::Chunked { bytes: 10, ended });
            String::from_utf8_lossy(&answer.body).into_owned()
        };
        assert_eq!(framed(true), "a\r\nhello worl\r\n1\r\nd\r\n0\r\n\r\n");
        assert_eq!(framed(false), "a\r\nhello worl\r\n1\r\nd\r\n");
        let head = WireAnswer::new(&response, true);
        assert_eq!(
            head.head,
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        );
        assert!(head.body.is_empty());
    }

    #[test]
    fn a_header_value_stays_one_line() {
        let response = Response::new(302).header("Location", "http://a/\r\nX-Evil: 1");
        let answer = WireAnswer::new(&response, false);
        assert!(!String::from_utf8_lossy(&answer.head).contains("\r\nX-Evil"));
    }
}
