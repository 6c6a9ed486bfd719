//! The 26 message types and their bodies in one enumeration: the `data` of an envelope (reference section 3).

use super::{
    acknowledgement::{Ack, Nack},
    alert::Alerts,
    blob::{BlobUrls, RequestBlobUrls},
    certificate::{
        InstallUnitCertificatesConfirmation, IssueUnitCertificates, IssuedUnitCertificates,
        RenewCertificatesNotification,
    },
    desired_status::DesiredStatus,
    environment::{OverrideEnvVars, OverrideEnvVarsStatus},
    log::{PushLog, RequestLog},
    monitoring::MonitoringData,
    object::{Entries, names},
    part::Part,
    provisioning::{
        DeprovisioningRequest, DeprovisioningResponse, FinishProvisioningRequest, FinishProvisioningResponse,
        StartProvisioningRequest, StartProvisioningResponse,
    },
    report::{Context, Place, Report},
    rule::Rules,
    state::{NewState, StateAcceptance, StateRequest, UpdateState},
    text::{BorrowedText, Text},
    unit_status::UnitStatus,
};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, IgnoredAny, MapAccess, Visitor, value::MapAccessDeserializer},
    ser::SerializeMap,
};
use serde_json::Value;
use std::{fmt, marker::PhantomData};

macro_rules! messages {
    ($( $(#[$doc:meta])* $name:ident = $text:literal $correlation:ident, )*) => {
        names! {
            /// The type of a message, as `data.messageType` spells it.
            pub enum MessageType { $( $(#[$doc])* $name = $text, )* }
        }

        /// The `data` of an envelope. Borrowed from the frame or owned, as [`Text`] says.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Message<S = String> {
            $( $(#[$doc])* $name($name<S>), )*
            /// What cannot be typed: an unknown type, or a body without something it needs.
            Unreadable(Unreadable),
        }

        impl<S: Text> Message<S> {
            /// The type; `None` if it is none of the 26.
            pub fn message_type(&self) -> Option<MessageType> {
                match self {
                    $( Message::$name(_) => Some(MessageType::$name), )*
                    Message::Unreadable(unreadable) => unreadable.message_type(),
                }
            }

            /// The id that ties a response to its request.
            pub fn correlation_id(&self) -> Option<&str> {
                match self {
                    $( Message::$name(body) => messages!(@correlation $correlation body), )*
                    Message::Unreadable(unreadable) => {
                        unreadable.data.get("correlationId").and_then(Value::as_str)
                    }
                }
            }
        }

        impl<S: Text> Message<S> {
            pub(crate) fn read_body(
                message_type: MessageType,
                data: &Value,
                place: &Place<'_>,
                report: &mut Report,
            ) -> Option<Self>
            where
                S: Part,
            {
                match message_type {
                    $(
                        MessageType::$name => {
                            $name::read(data, place, &Rules::NONE, report).map(Message::$name)
                        }
                    )*
                }
            }

            pub(crate) fn is_clean(&self, context: Context) -> bool
            where
                S: Part,
            {
                match self {
                    $( Message::$name(body) => body.is_clean(&Rules::NONE, context), )*
                    Message::Unreadable(_) => false,
                }
            }
        }

        impl<S: Text> Serialize for Message<S> {
            fn serialize<Z: Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
                if let Message::Unreadable(unreadable) = self {
                    return unreadable.data.serialize(serializer);
                }
                let mut map = serializer.serialize_map(None)?;
                match self {
                    $(
                        Message::$name(body) => {
                            map.serialize_entry("messageType", $text)?;
                            body.entries(&mut map)?;
                        }
                    )*
                    Message::Unreadable(_) => {}
                }
                map.end()
            }
        }

        /// Reads the rest of `data` straight into the body of that type.
        fn rest_into_body<'de, S: Text + Deserialize<'de>, A: MapAccess<'de>>(
            message_type: MessageType,
            rest: A,
        ) -> Result<Message<S>, A::Error> {
            let rest = MapAccessDeserializer::new(rest);
            match message_type {
                $( MessageType::$name => $name::deserialize(rest).map(Message::$name), )*
            }
        }

        #[cfg(any(test, feature = "strategies"))]
        impl<S: Text> Message<S> {
            pub(crate) fn draw(
                message_type: MessageType,
                tape: &mut super::draw::Tape<'_>,
                context: Context,
            ) -> Self
            where
                S: super::draw::Draw,
            {
                use super::draw::Draw;
                match message_type {
                    $( MessageType::$name => Message::$name($name::draw(tape, &Rules::NONE, context)), )*
                }
            }
        }

        $(
            impl<S> From<$name<S>> for Message<S> {
                fn from(body: $name<S>) -> Self {
                    Message::$name(body)
                }
            }
        )*
    };
    (@correlation needed $body:ident) => { Some($body.correlation_id.as_ref()) };
    (@correlation free $body:ident) => { $body.correlation_id.as_ref().map(AsRef::as_ref) };
}

messages! {
    /// State of configuration, nodes, items, instances and subjects.
    UnitStatus = "unitStatus" free,
    /// Resource use.
    MonitoringData = "monitoringData" free,
    /// What the unit noticed.
    Alerts = "alerts" free,
    /// State of an instance, uploaded.
    NewState = "newState" free,
    /// A state accepted or rejected.
    StateAcceptance = "stateAcceptance" free,
    /// Part of a log.
    PushLog = "pushLog" needed,
    /// Which variables were set.
    OverrideEnvVarsStatus = "overrideEnvVarsStatus" free,
    /// Request for certificates.
    IssueUnitCertificates = "issueUnitCertificates" free,
    /// Which certificates were installed.
    InstallUnitCertificatesConfirmation = "installUnitCertificatesConfirmation" free,
    /// Certificate requests of a new node.
    StartProvisioningResponse = "startProvisioningResponse" needed,
    /// Whether provisioning worked.
    FinishProvisioningResponse = "finishProvisioningResponse" needed,
    /// Whether deprovisioning worked.
    DeprovisioningResponse = "deprovisioningResponse" needed,
    /// Request for the places of blobs.
    RequestBlobUrls = "requestBlobUrls" needed,
    /// Certificates need renewal.
    RenewCertificatesNotification = "renewCertificatesNotification" free,
    /// Acknowledgement, in both directions.
    Ack = "ack" free,
    /// What the unit shall be.
    DesiredStatus = "desiredStatus" free,
    /// Request for a log.
    RequestLog = "requestLog" needed,
    /// Variables to set.
    OverrideEnvVars = "overrideEnvVars" free,
    /// A new state for an instance.
    UpdateState = "updateState" free,
    /// Request for the state of an instance.
    StateRequest = "stateRequest" free,
    /// Certificates, delivered.
    IssuedUnitCertificates = "issuedUnitCertificates" free,
    /// Start of provisioning.
    StartProvisioningRequest = "startProvisioningRequest" needed,
    /// End of provisioning.
    FinishProvisioningRequest = "finishProvisioningRequest" needed,
    /// A node leaves the unit.
    DeprovisioningRequest = "deprovisioningRequest" needed,
    /// Places of blobs.
    BlobUrls = "blobUrls" needed,
    /// Refusal for now.
    Nack = "nack" free,
}

/// The `data` of a message nobody can type, as it was on the wire.
#[derive(Clone, Debug, PartialEq)]
pub struct Unreadable {
    /// The whole value; null if there was none.
    pub data: Value,
}

impl Unreadable {
    /// The type it claims, if that is one of the 26.
    pub fn message_type(&self) -> Option<MessageType> {
        self.claimed_type().and_then(MessageType::from_name)
    }

    /// The type it claims, whatever that is.
    pub fn claimed_type(&self) -> Option<&str> {
        self.data.get("messageType").and_then(Value::as_str)
    }
}

impl<'de, S: Text + Deserialize<'de>> Deserialize<'de> for Message<S> {
    /// One pass; `messageType` must come first.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(TypeFirst(PhantomData))
    }
}

struct TypeFirst<S>(PhantomData<S>);

impl<'de, S: Text + Deserialize<'de>> Visitor<'de> for TypeFirst<S> {
    type Value = Message<S>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object that starts with messageType")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Message<S>, A::Error> {
        match map.next_key::<BorrowedText<'de>>()? {
            Some(key) if &*key == "messageType" => {
                let message_type = map.next_value()?;
                rest_into_body(message_type, map)
            }
            _ => Err(de::Error::missing_field("messageType")),
        }
    }
}

/// Reads a `data` object whose `messageType` is not the first member, knowing the type already.
pub(crate) struct TypeAnywhere<S>(pub(crate) MessageType, pub(crate) PhantomData<S>);

impl<'de, S: Text + Deserialize<'de>> Visitor<'de> for TypeAnywhere<S> {
    type Value = Message<S>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with a messageType")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Message<S>, A::Error> {
        rest_into_body(self.0, WithoutType { map, passed: false })
    }
}

/// The members of `data` but for one `messageType`.
struct WithoutType<A> {
    map: A,
    passed: bool,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for WithoutType<A> {
    type Error = A::Error;

    fn next_key_seed<K: de::DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        while let Some(key) = self.map.next_key::<BorrowedText<'de>>()? {
            if &*key == "messageType" && !self.passed {
                self.passed = true;
                self.map.next_value::<IgnoredAny>()?;
            } else {
                return seed
                    .deserialize(de::value::CowStrDeserializer::new(key.0))
                    .map(Some);
            }
        }
        Ok(None)
    }

    fn next_value_seed<V: de::DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}
