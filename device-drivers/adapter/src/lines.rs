//! Lines of a stream nobody can trust to have any.

use tokio::io::{AsyncRead, AsyncReadExt};

/// Reads lines up to a length. Safe to be cancelled between two lines.
pub(crate) struct Lines<R> {
    input: R,
    buffer: Vec<u8>,
    /// How much of the buffer holds no end of a line.
    searched: usize,
}

/// What came next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// A line, without its end.
    Line(Vec<u8>),
    /// The stream ended.
    End,
    /// The stream ended inside a line.
    HalfLine(Vec<u8>),
    /// A line is longer than any may be; this is how it begins.
    TooLong(Vec<u8>),
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub(crate) fn new(input: R) -> Self {
        Lines {
            input,
            buffer: Vec::new(),
            searched: 0,
        }
    }

    /// The next line. After anything but a line nothing comes any more.
    pub(crate) async fn next(&mut self) -> Next {
        loop {
            let fresh = &self.buffer[self.searched..];
            if let Some(at) = fresh.iter().position(|byte| *byte == b'\n') {
                let rest = self.buffer.split_off(self.searched + at + 1);
                let mut line = std::mem::replace(&mut self.buffer, rest);
                self.searched = 0;
                line.pop();
                return Next::Line(line);
            }
            self.searched = self.buffer.len();
            if self.searched > LONGEST_LINE {
                self.buffer.truncate(BEGINNING);
                return Next::TooLong(std::mem::take(&mut self.buffer));
            }
            self.buffer.reserve(READ_SIZE);
            match self.input.read_buf(&mut self.buffer).await {
                Ok(1..) => {}
                _ if self.buffer.is_empty() => return Next::End,
                _ => return Next::HalfLine(std::mem::take(&mut self.buffer)),
            }
        }
    }
}

/// Bytes a line may have: more than any log that is read at once.
pub(crate) const LONGEST_LINE: usize = 8 * 1024 * 1024;
const BEGINNING: usize = 1024;
const READ_SIZE: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    async fn all(bytes: Vec<u8>) -> Vec<Next> {
        let mut lines = Lines::new(&bytes[..]);
        let mut seen = Vec::new();
        loop {
            let next = lines.next().await;
            let goes_on = matches!(next, Next::Line(_));
            seen.push(next);
            if !goes_on {
                return seen;
            }
        }
    }

    #[tokio::test]
    async fn lines_halves_and_ends_are_told_apart() {
        let line = |text: &str| Next::Line(text.into());
        assert_eq!(
            all(b"a\n\nb\n".to_vec()).await,
            [line("a"), line(""), line("b"), Next::End]
        );
        assert_eq!(
            all(b"a\nb".to_vec()).await,
            [line("a"), Next::HalfLine(b"b".to_vec())]
        );
        assert_eq!(all(Vec::new()).await, [Next::End]);
        let endless = all(vec![b'x'; LONGEST_LINE + 100_000]).await;
        assert_eq!(endless, [Next::TooLong(vec![b'x'; BEGINNING])]);
    }
}
