//! One message: its header in values, its body as bytes (D-Bus specification, "Message Format").

use super::{
    arguments::{ArgumentError, decode_arguments, encode_arguments, signature_of},
    field::{Field, FieldValue, SIGNATURE, SignatureText},
    names::{is_bus_name, is_interface, is_member, is_path},
};
use zvariant::{
    Endian, ObjectPath, Value,
    serialized::{Context, Data},
    to_bytes,
};

/// What a message is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Calls a method.
    Call,
    /// Answers a call.
    Return,
    /// Refuses a call.
    Error,
    /// Tells everybody who listens.
    Signal,
    /// A type nobody knows, which is passed over.
    Other(u8),
}

/// A message. Texts are empty where the header has no such field.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// What it is for.
    pub kind: Kind,
    /// Such as [`NO_REPLY_EXPECTED`].
    pub flags: u8,
    /// Number by which it is answered; never 0.
    pub serial: u32,
    /// Object it is for or from.
    pub path: String,
    /// Interface of the method or signal.
    pub interface: String,
    /// Name of the method or signal.
    pub member: String,
    /// Name of the error.
    pub error_name: String,
    /// Number of the call it answers.
    pub reply_serial: Option<u32>,
    /// Name of the connection it is for.
    pub destination: String,
    /// Unique name of the connection it is from; the bus sets it.
    pub sender: String,
    /// Types of the arguments.
    pub signature: String,
    /// The arguments.
    pub body: Vec<u8>,
    /// Byte order of the body.
    pub endian: Endian,
}

/// Why bytes are no message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// The first byte is neither `l` nor `B`.
    #[error("byte order 0x{0:02x} is none")]
    ByteOrder(u8),
    /// The version is not 1.
    #[error("protocol version {0} is not 1")]
    Version(u8),
    /// The header says it is larger than it may be.
    #[error("a message of {size} bytes is larger than the {most} allowed here")]
    TooLarge {
        /// What it says.
        size: u64,
        /// What is allowed.
        most: usize,
    },
    /// The header cannot be read.
    #[error("the header is malformed: {0}")]
    Header(String),
    /// A field has a value or type it cannot have.
    #[error("header field {code} is wrong: {value}")]
    Field {
        /// Code of the field.
        code: u8,
        /// Its value.
        value: String,
    },
    /// A field its type needs is absent.
    #[error("header field `{0}` is missing")]
    Missing(&'static str),
}

impl Message {
    /// A call of a method.
    pub fn call(destination: &str, path: &str, interface: &str, member: &str) -> Message {
        Message {
            path: path.to_owned(),
            interface: interface.to_owned(),
            member: member.to_owned(),
            destination: destination.to_owned(),
            ..Message::of(Kind::Call)
        }
    }

    /// The answer to a call.
    pub fn answer(call: &Message) -> Message {
        Message {
            reply_serial: Some(call.serial),
            destination: call.sender.clone(),
            flags: NO_REPLY_EXPECTED,
            ..Message::of(Kind::Return)
        }
    }

    /// The refusal of a call.
    pub fn error(call: &Message, name: &str, text: &str) -> Message {
        let error = Message {
            kind: Kind::Error,
            error_name: name.to_owned(),
            ..Message::answer(call)
        };
        error.with(&[Value::from(text.to_owned())])
    }

    /// A signal.
    pub fn signal(path: &str, interface: &str, member: &str) -> Message {
        Message {
            path: path.to_owned(),
            interface: interface.to_owned(),
            member: member.to_owned(),
            flags: NO_REPLY_EXPECTED,
            ..Message::of(Kind::Signal)
        }
    }

    /// The same message with these arguments. Values that cannot be written, such as file descriptors, leave it without any.
    #[must_use]
    pub fn with(mut self, arguments: &[Value<'static>]) -> Message {
        if let Ok(body) = encode_arguments(arguments) {
            self.signature = signature_of(arguments);
            self.body = body;
            self.endian = Endian::Little;
        }
        self
    }

    /// Its arguments.
    ///
    /// # Errors
    ///
    /// If the bytes are not what the signature says.
    pub fn arguments(&self) -> Result<Vec<Value<'static>>, ArgumentError> {
        decode_arguments(&self.signature, &self.body, self.endian)
    }

    /// Whether its sender waits for an answer.
    pub fn expects_reply(&self) -> bool {
        self.kind == Kind::Call && self.flags & NO_REPLY_EXPECTED == 0
    }

    /// The message as bytes.
    pub fn encode(&self) -> Vec<u8> {
        let context = Context::new_dbus(self.endian, 0);
        let order: u8 = match self.endian {
            Endian::Little => b'l',
            Endian::Big => b'B',
        };
        let size = u32::try_from(self.body.len()).unwrap_or(u32::MAX);
        let head = (
            order,
            self.kind.code(),
            self.flags,
            1u8,
            size,
            self.serial,
            self.fields(),
        );
        // Numbers and checked texts can always be written.
        let mut bytes = to_bytes(context, &head).map_or_else(|_| Vec::new(), |data| data.bytes().to_vec());
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// The bytes of a whole message that begins so; `None` if there are too few to tell.
    ///
    /// # Errors
    ///
    /// If they begin no message of at most `most` bytes.
    pub fn size(bytes: &[u8], most: usize) -> Result<Option<usize>, MessageError> {
        let Some(head) = bytes.first_chunk::<16>() else {
            return match bytes.first() {
                Some(order) if !matches!(order, b'l' | b'B') => Err(MessageError::ByteOrder(*order)),
                _ => Ok(None),
            };
        };
        let number = |at: usize| {
            let number = [head[at], head[at + 1], head[at + 2], head[at + 3]];
            match head[0] {
                b'l' => Ok(u64::from(u32::from_le_bytes(number))),
                b'B' => Ok(u64::from(u32::from_be_bytes(number))),
                order => Err(MessageError::ByteOrder(order)),
            }
        };
        let (body, fields) = (number(4)?, number(12)?);
        if head[3] != 1 {
            return Err(MessageError::Version(head[3]));
        }
        let size = (16 + fields).next_multiple_of(8) + body;
        match usize::try_from(size) {
            Ok(known) if known <= most && fields <= MOST_FIELDS => Ok(Some(known)),
            _ => Err(MessageError::TooLarge { size, most }),
        }
    }

    /// Reads the bytes of one message.
    ///
    /// # Errors
    ///
    /// If they are none.
    pub fn decode(bytes: &[u8]) -> Result<Message, MessageError> {
        let endian = match bytes.first() {
            Some(b'l') => Endian::Little,
            Some(b'B') => Endian::Big,
            other => return Err(MessageError::ByteOrder(other.copied().unwrap_or_default())),
        };
        let malformed = |problem: &dyn ToString| MessageError::Header(problem.to_string());
        let data = Data::new(bytes, Context::new_dbus(endian, 0));
        let (head, used): (Head<'_>, usize) = data.deserialize().map_err(|error| malformed(&error))?;
        let (_, kind, flags, version, size, serial, fields) = head;
        if version != 1 {
            return Err(MessageError::Version(version));
        }
        let body = bytes.get(used.next_multiple_of(8)..).unwrap_or_default();
        if serial == 0 || u32::try_from(body.len()) != Ok(size) {
            return Err(malformed(&"serial 0, or a body of another length"));
        }
        let mut message = Message {
            flags,
            serial,
            body: body.to_vec(),
            endian,
            ..Message::of(Kind::from_code(kind))
        };
        for field in fields {
            message.take(field)?;
        }
        message.check()?;
        Ok(message)
    }

    fn of(kind: Kind) -> Message {
        Message {
            kind,
            flags: 0,
            serial: 1,
            path: String::new(),
            interface: String::new(),
            member: String::new(),
            error_name: String::new(),
            reply_serial: None,
            destination: String::new(),
            sender: String::new(),
            signature: String::new(),
            body: Vec::new(),
            endian: Endian::Little,
        }
    }

    fn fields(&self) -> Vec<Field<'_>> {
        let mut fields = Vec::new();
        let mut put = |code, value| {
            let value = FieldValue::Other(value);
            fields.push(Field { code, value });
        };
        if let Ok(path) = ObjectPath::try_from(self.path.as_str()) {
            put(PATH, Value::from(path));
        }
        let texts = [
            (INTERFACE, &self.interface),
            (MEMBER, &self.member),
            (ERROR_NAME, &self.error_name),
            (DESTINATION, &self.destination),
            (SENDER, &self.sender),
        ];
        for (code, text) in texts.into_iter().filter(|(_, text)| !text.is_empty()) {
            put(code, Value::from(text.as_str()));
        }
        if let Some(serial) = self.reply_serial {
            put(REPLY_SERIAL, Value::U32(serial));
        }
        if !self.signature.is_empty() {
            fields.push(Field {
                code: SIGNATURE,
                value: FieldValue::Signature(SignatureText(self.signature.clone())),
            });
        }
        fields
    }

    fn take(&mut self, field: Field<'_>) -> Result<(), MessageError> {
        let code = field.code;
        let value = match field.value {
            FieldValue::Signature(text) => {
                self.signature = text.0;
                return Ok(());
            }
            FieldValue::Other(value) => value,
        };
        let wrong = || MessageError::Field {
            code,
            value: format!("{value:?}").chars().take(100).collect(),
        };
        let text = |fits: fn(&str) -> bool| match &value {
            Value::Str(text) if fits(text) => Ok(text.as_str().to_owned()),
            _ => Err(wrong()),
        };
        match (code, &value) {
            (PATH, Value::ObjectPath(path)) if is_path(path) => self.path = path.as_str().to_owned(),
            (INTERFACE, _) => self.interface = text(is_interface)?,
            (MEMBER, _) => self.member = text(is_member)?,
            (ERROR_NAME, _) => self.error_name = text(is_interface)?,
            (REPLY_SERIAL, Value::U32(serial)) => self.reply_serial = Some(*serial),
            (DESTINATION, _) => self.destination = text(is_bus_name)?,
            (SENDER, _) => self.sender = text(is_bus_name)?,
            (UNIX_FDS, Value::U32(_)) => {}
            (PATH | REPLY_SERIAL | UNIX_FDS | 0, _) => return Err(wrong()),
            // Fields nobody knows are passed over.
            _ => {}
        }
        Ok(())
    }

    fn check(&self) -> Result<(), MessageError> {
        let answers = matches!(self.kind, Kind::Return | Kind::Error);
        let names = matches!(self.kind, Kind::Call | Kind::Signal);
        let missing = [
            ("path", names && self.path.is_empty()),
            ("member", names && self.member.is_empty()),
            (
                "interface",
                self.kind == Kind::Signal && self.interface.is_empty(),
            ),
            (
                "error name",
                self.kind == Kind::Error && self.error_name.is_empty(),
            ),
            ("reply serial", answers && self.reply_serial.is_none()),
            ("signature", self.signature.is_empty() && !self.body.is_empty()),
        ];
        match missing.into_iter().find(|(_, missing)| *missing) {
            Some((field, _)) => Err(MessageError::Missing(field)),
            None => Ok(()),
        }
    }
}

impl Kind {
    fn code(self) -> u8 {
        match self {
            Kind::Call => 1,
            Kind::Return => 2,
            Kind::Error => 3,
            Kind::Signal => 4,
            Kind::Other(code) => code,
        }
    }

    fn from_code(code: u8) -> Kind {
        match code {
            1 => Kind::Call,
            2 => Kind::Return,
            3 => Kind::Error,
            4 => Kind::Signal,
            other => Kind::Other(other),
        }
    }
}

/// Byte order, type, flags, version, length of the body, serial, fields.
type Head<'a> = (u8, u8, u8, u8, u32, u32, Vec<Field<'a>>);

/// Flag of calls whose sender wants no answer.
pub const NO_REPLY_EXPECTED: u8 = 1;

const PATH: u8 = 1;
const INTERFACE: u8 = 2;
const MEMBER: u8 = 3;
const ERROR_NAME: u8 = 4;
const REPLY_SERIAL: u8 = 5;
const DESTINATION: u8 = 6;
const SENDER: u8 = 7;
const UNIX_FDS: u8 = 9;

/// Bytes of all fields; names have at most 255 each.
const MOST_FIELDS: u64 = 16 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn message() -> Message {
        let call = Message::call(
            "org.genivi.SotaClient",
            "/a",
            "org.genivi.SotaClient",
            "initiateDownload",
        );
        Message {
            serial: 7,
            sender: ":1.2".into(),
            ..call
        }
        .with(&[Value::from("u".to_owned())])
    }

    #[test]
    fn messages_survive_bytes() {
        let call = message();
        let error = Message::error(&call, "Error.MissingArgument", "no id");
        let signal = Message::signal("/", "a.b", "c");
        for message in [call, error, signal] {
            let bytes = message.encode();
            assert_eq!(Message::size(&bytes, 1000), Ok(Some(bytes.len())));
            assert_eq!(Message::decode(&bytes), Ok(message));
        }
    }

    #[test]
    fn a_hello_of_another_library_is_read() {
        let hex = "6c01000100000000010000006d00000001016f00150000002f6f72672f667265656465736b746f702f4442757300000002017300140000\
                   006f72672e667265656465736b746f702e4442757300000000030173000500000048656c6c6f00000006017300140000006f72672e667265656465\
                   736b746f702e4442757300000000";
        let bytes = hex::decode(hex).unwrap();
        let hello = Message::decode(&bytes).unwrap();
        assert_eq!(
            (hello.member.as_str(), hello.path.as_str()),
            ("Hello", "/org/freedesktop/DBus")
        );
        assert_eq!(hello.destination, hello.interface);
    }

    #[test]
    fn several_types_are_no_structure() {
        let two = [Value::from("u".to_owned()), Value::U32(1)];
        let bytes = Message::call("a.b", "/", "a.b", "c").with(&two).encode();
        let at = bytes
            .windows(5)
            .position(|part| part == b"\x02su\0\0" || part == b"\x02su\0\x01");
        assert!(at.is_some(), "{}", hex::encode(&bytes));
        assert_eq!(Message::decode(&bytes).unwrap().signature, "su");
        let one = Message {
            signature: "(su)".into(),
            ..Message::decode(&bytes).unwrap()
        };
        let read = Message::decode(&one.encode()).unwrap();
        assert_eq!(
            (read.signature.as_str(), read.arguments().unwrap().len()),
            ("(su)", 1)
        );
    }

    #[test]
    fn sizes_are_bounded() {
        let mut bytes = message().encode();
        assert!(matches!(
            Message::size(&bytes, 20),
            Err(MessageError::TooLarge { .. })
        ));
        bytes[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
        bytes[12..16].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(matches!(
            Message::size(&bytes, 1 << 20),
            Err(MessageError::TooLarge { .. })
        ));
        assert_eq!(Message::size(b"l", 1), Ok(None));
        assert_eq!(
            Message::size(b"GET / HTTP/1.1\r\n\r\n", 100),
            Err(MessageError::ByteOrder(b'G'))
        );
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Message::size(&bytes, 1000);
            let _ = Message::decode(&bytes).map(|message| message.arguments().is_ok());
        }

        #[test]
        fn no_change_of_a_message_makes_it_panic(at in 0usize..160, value in any::<u8>()) {
            let mut bytes = message().encode();
            let at = at % bytes.len();
            bytes[at] = value;
            let _ = Message::decode(&bytes).map(|message| message.arguments().is_ok());
        }
    }
}
