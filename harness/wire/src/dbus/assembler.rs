//! Messages out of a stream of bytes.

use super::message::{Message, MessageError};

/// Why a stream can be read no further.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StreamError {
    /// What comes is no message.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// A line of the handshake does not end.
    #[error("a line of the handshake has more than {0} bytes")]
    Line(usize),
}

/// Puts messages together; after an error nothing more comes.
#[derive(Clone, Debug, Default)]
pub struct Assembler {
    bytes: Vec<u8>,
    broken: bool,
}

impl Assembler {
    /// Takes bytes as they came.
    pub fn push(&mut self, bytes: &[u8]) {
        if !self.broken {
            self.bytes.extend_from_slice(bytes);
        }
    }

    /// The next whole message.
    ///
    /// # Errors
    ///
    /// If what comes is no message of at most [`MOST_BYTES`].
    pub fn next_message(&mut self) -> Result<Option<Message>, MessageError> {
        let read = self.read();
        if read.is_err() {
            self.stop();
        }
        read
    }

    /// Takes nothing more.
    pub fn stop(&mut self) {
        self.broken = true;
        self.bytes = Vec::new();
    }

    fn read(&mut self) -> Result<Option<Message>, MessageError> {
        match Message::size(&self.bytes, MOST_BYTES)? {
            Some(size) if size <= self.bytes.len() => {
                let message = Message::decode(&self.bytes[..size])?;
                self.bytes.drain(..size);
                Ok(Some(message))
            }
            _ => Ok(None),
        }
    }
}

/// The largest message that is taken; what this bus is for has a few hundred bytes.
pub const MOST_BYTES: usize = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_whole_however_they_are_cut() {
        let one = Message::call("a.b", "/", "a.b", "c");
        let two = Message {
            serial: 2,
            ..one.clone()
        };
        let bytes = [one.encode(), two.encode()].concat();
        let mut assembler = Assembler::default();
        let mut read = Vec::new();
        for byte in bytes {
            assembler.push(&[byte]);
            read.extend(assembler.next_message().unwrap());
        }
        assert_eq!(read, [one, two]);
        assembler.push(b"x");
        assert!(assembler.next_message().is_err());
        assembler.push(&[b'y'; 100]);
        assert_eq!(assembler.next_message(), Ok(None));
    }
}
