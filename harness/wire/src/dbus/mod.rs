//! D-Bus as bytes: messages, their arguments, the handshake before them, and addresses (D-Bus specification 0.43). Types of
//! arguments are those of `zvariant`; buses, clients and readers of a trace stand on this alike.

mod address;
mod arguments;
mod assembler;
mod field;
mod handshake;
mod message;
mod names;

pub use address::BusAddress;
pub use arguments::{ArgumentError, decode_arguments, encode_arguments, from_json, signature_of, to_json};
pub use assembler::{Assembler, MOST_BYTES, StreamError};
pub use handshake::{Accepted, Handshake, MOST_LINE, OPENING};
pub use message::{Kind, Message, MessageError, NO_REPLY_EXPECTED};
pub use names::{is_bus_name, is_interface, is_member, is_path};
pub use zvariant::Value;
