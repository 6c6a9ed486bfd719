//! What goes before the messages: a zero byte, then lines (D-Bus specification, "Authentication Protocol"). Everybody is taken who
//! says EXTERNAL or ANONYMOUS, as the bus is private; file descriptors are not passed.

use super::assembler::StreamError;

/// The server's side of one connection, and what a reader of its bytes makes of them.
#[derive(Clone, Debug, Default)]
pub struct Handshake {
    bytes: Vec<u8>,
    greeted: bool,
    accepted: bool,
    /// The client said EXTERNAL or ANONYMOUS and will say more.
    challenged: bool,
    refusals: u32,
}

/// What came of the bytes so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// Lines to answer with, `\r\n` included; perhaps none.
    NotYet(Vec<u8>),
    /// The client has begun: the lines to answer with, and the first bytes of its messages.
    Begun(Vec<u8>, Vec<u8>),
}

impl Handshake {
    /// Takes bytes of the client; `guid` tells the server's identity in 32 hexadecimal digits.
    ///
    /// # Errors
    ///
    /// If a line does not end.
    pub fn push(&mut self, bytes: &[u8], guid: &str) -> Result<Accepted, StreamError> {
        self.bytes.extend_from_slice(bytes);
        let mut answer = Vec::new();
        if !self.greeted {
            match self.bytes.first() {
                None => return Ok(Accepted::NotYet(answer)),
                Some(0) => drop(self.bytes.drain(..1)),
                Some(_) => {}
            }
            self.greeted = true;
        }
        while let Some(end) = self.bytes.windows(2).position(|pair| pair == b"\r\n") {
            let line: Vec<u8> = self.bytes.drain(..end + 2).collect();
            let line = String::from_utf8_lossy(&line[..end]).into_owned();
            if line == "BEGIN" && self.accepted {
                return Ok(Accepted::Begun(answer, std::mem::take(&mut self.bytes)));
            }
            answer.extend_from_slice(self.answer(&line, guid).as_bytes());
            answer.extend_from_slice(b"\r\n");
            if self.refusals > MOST_REFUSALS {
                return Err(StreamError::Line(MOST_LINE));
            }
        }
        match self.bytes.len() {
            ..=MOST_LINE => Ok(Accepted::NotYet(answer)),
            _ => Err(StreamError::Line(MOST_LINE)),
        }
    }

    fn answer(&mut self, line: &str, guid: &str) -> String {
        let mut words = line.split(' ');
        let (command, mechanism, data) = (words.next().unwrap_or_default(), words.next(), words.next());
        match command {
            "AUTH" if matches!(mechanism, Some("EXTERNAL" | "ANONYMOUS")) => match data {
                Some(_) => self.accept(guid),
                None => {
                    self.challenged = true;
                    "DATA".to_owned()
                }
            },
            "DATA" if self.challenged => self.accept(guid),
            "NEGOTIATE_UNIX_FD" => "ERROR file descriptors are not passed here".to_owned(),
            "AUTH" | "CANCEL" | "ERROR" => {
                self.accepted = false;
                self.challenged = false;
                self.refusals += 1;
                "REJECTED EXTERNAL ANONYMOUS".to_owned()
            }
            _ => {
                self.refusals += 1;
                "ERROR unknown command".to_owned()
            }
        }
    }

    fn accept(&mut self, guid: &str) -> String {
        self.challenged = false;
        self.accepted = true;
        format!("OK {guid}")
    }
}

/// All a client says before its first message, if it waits for no answer.
pub const OPENING: &[u8] = b"\0AUTH ANONYMOUS 68696c\r\nBEGIN\r\n";

/// Longest line in bytes.
pub const MOST_LINE: usize = 16 * 1024;
const MOST_REFUSALS: u32 = 32;

#[cfg(test)]
mod tests {
    use super::*;

    fn play(lines: &[&str]) -> Vec<Accepted> {
        let mut handshake = Handshake::default();
        let pushed = lines.iter().map(|line| handshake.push(line.as_bytes(), "abc"));
        pushed.map(Result::unwrap).collect()
    }

    fn not_yet(text: &str) -> Accepted {
        Accepted::NotYet(text.as_bytes().to_vec())
    }

    #[test]
    fn clients_of_every_habit_are_taken() {
        let said = play(&[
            "\0",
            "AUTH\r\n",
            "AUTH EXTERNAL 30\r\n",
            "NEGOTIATE_UNIX_FD\r\n",
            "BEGIN\r\nl",
        ]);
        assert_eq!(said[1], not_yet("REJECTED EXTERNAL ANONYMOUS\r\n"));
        assert_eq!(said[2], not_yet("OK abc\r\n"));
        assert_eq!(said[3], not_yet("ERROR file descriptors are not passed here\r\n"));
        assert_eq!(said[4], Accepted::Begun(Vec::new(), b"l".to_vec()));
        let at_once = play(&["\0AUTH EXTERNAL\r\nDATA\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\nlxyz"]);
        assert!(
            matches!(&at_once[0], Accepted::Begun(answer, rest) if rest == b"lxyz" && answer.starts_with(b"DATA\r\nOK abc\r\n"))
        );
        let ours = play(&[std::str::from_utf8(OPENING).unwrap()]);
        assert_eq!(ours[0], Accepted::Begun(b"OK abc\r\n".to_vec(), Vec::new()));
    }

    #[test]
    fn nobody_begins_unaccepted_or_talks_for_ever() {
        assert_eq!(play(&["\0BEGIN\r\n"])[0], not_yet("ERROR unknown command\r\n"));
        let mut handshake = Handshake::default();
        assert!(handshake.push(&[b'x'; MOST_LINE + 2], "abc").is_err());
        let mut handshake = Handshake::default();
        assert!(
            handshake
                .push("AUTH X\r\n".repeat(100).as_bytes(), "abc")
                .is_err()
        );
    }
}
