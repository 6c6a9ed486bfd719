//! Service discovery: the request and the answer that name the WebSocket URLs (reference section 2).

use super::{
    direction::{Dialect, Direction},
    object::object,
    part::Part,
    report::{Context, Fault, Place, Report},
    rule::{NumberRule, Rules, TextRule},
    text::Text,
};
use crate::{
    json,
    oddity::{Decoded, OddityKind},
};

object! {
    /// What a unit posts to `/sd/v7/`.
    #[derive(Eq, Default)]
    pub struct DiscoveryRequest<S> {
        /// Version of the protocol, 7; the protocol document asks only for the id.
        "version" => optional version: Option<i64> = Rules::number(NumberRule::ProtocolVersion);
        /// Id of the unit.
        "systemId" => required system_id: S = Rules::text(TextRule::SystemId);
        /// URL schemes it can use, `wss`.
        "supportedProtocols" => optional supported_protocols: Option<Vec<S>>;
    }
}

impl DiscoveryRequest {
    /// The request units of version 9.1.1 make.
    pub fn new(system_id: impl Into<String>) -> Self {
        DiscoveryRequest {
            version: Some(super::envelope::PROTOCOL_VERSION),
            system_id: system_id.into(),
            supported_protocols: Some(vec!["wss".to_owned()]),
        }
    }
}

object! {
    /// The answer to it.
    #[derive(Eq, Default)]
    pub struct DiscoveryResponse<S> {
        /// Version of the protocol, echoed.
        "version" => optional version: Option<i64> = Rules::number(NumberRule::ProtocolVersion);
        /// Id of the unit, echoed.
        "systemId" => optional system_id: Option<S> = Rules::text(TextRule::SystemId);
        /// Milliseconds between attempts; 0 is the same as absent.
        "nextRequestDelay" => optional next_request_delay: Option<i64> = Rules::number(NumberRule::NotNegative);
        /// WebSocket URLs, to be tried in order.
        "connectionInfo" => required connection_info: Vec<S> = Rules::text(TextRule::Url);
        /// Bearer token for the upgrade.
        "authToken" => optional auth_token: Option<S>;
        /// Why there may be no URLs, see [`DiscoveryCode`].
        "errorCode" => optional error_code: Option<i64>;
    }
    cross urls_or_error;
    settle settle_response;
}

impl<S: Text> DiscoveryResponse<S> {
    /// The error code by name; absent counts as no error. `None` for an unknown number.
    pub fn code(&self) -> Option<DiscoveryCode> {
        DiscoveryCode::from_code(self.error_code.unwrap_or(0))
    }
}

/// What discovery says besides URLs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DiscoveryCode {
    /// Nothing is wrong.
    NoError,
    /// Ask elsewhere.
    Redirect,
    /// Ask later.
    RepeatLater,
    /// An error.
    Error,
}

impl DiscoveryCode {
    /// Every code; the position is the number.
    pub const ALL: [DiscoveryCode; 4] = [
        DiscoveryCode::NoError,
        DiscoveryCode::Redirect,
        DiscoveryCode::RepeatLater,
        DiscoveryCode::Error,
    ];

    /// The number on the wire.
    pub fn code(self) -> i64 {
        self as i64
    }

    /// The code of that number.
    pub fn from_code(code: i64) -> Option<Self> {
        DiscoveryCode::ALL.get(usize::try_from(code).ok()?).copied()
    }
}

/// Decodes the body of a discovery request.
pub fn decode_discovery_request(body: &[u8]) -> Decoded<DiscoveryRequest> {
    decode_as(body, Direction::UnitToCloud)
}

/// Decodes the body of a discovery answer.
pub fn decode_discovery_response(body: &[u8]) -> Decoded<DiscoveryResponse> {
    decode_as(body, Direction::CloudToUnit)
}

fn decode_as<T: Part>(body: &[u8], direction: Direction) -> Decoded<T> {
    let Decoded { value, oddities } = json::parse(body);
    let dialect = Dialect::default();
    let mut report = Report::new(Context { direction, dialect }, oddities);
    let value = value.and_then(|value| T::read(&value, &Place::Root, &Rules::NONE, &mut report));
    Decoded {
        value,
        oddities: report.oddities,
    }
}

fn urls_or_error<S: Text>(
    response: &DiscoveryResponse<S>,
    _rules: &Rules,
    _context: Context,
    tell: &mut dyn FnMut(&'static str, Fault),
) {
    if response.code().is_none() {
        let detail = "no known error code, which are 0 to 3";
        tell("errorCode", Fault::invalid(OddityKind::UnknownName, detail));
    }
    if response.connection_info.is_empty() && response.code() == Some(DiscoveryCode::NoError) {
        let detail = "no URL, and no error code that says why";
        tell("connectionInfo", Fault::invalid(OddityKind::InvalidValue, detail));
    }
    let plain = |url: &S| !url.as_ref().starts_with("wss://") && !url.as_ref().starts_with("https://");
    if response.connection_info.iter().any(plain) {
        let detail = "a URL without TLS";
        tell(
            "connectionInfo",
            Fault::tolerable(OddityKind::InvalidValue, detail),
        );
    }
}

#[cfg(any(test, feature = "strategies"))]
fn settle_response<S: Text>(
    response: &mut DiscoveryResponse<S>,
    _rules: &Rules,
    _context: Context,
    tape: &mut super::draw::Tape<'_>,
) {
    if response.error_code.is_some() {
        response.error_code = Some(tape.pick(&DiscoveryCode::ALL).code());
    }
    for url in &mut response.connection_info {
        *url = S::from("wss://cloud.example/ws/v7/");
    }
    if response.connection_info.is_empty() {
        response.connection_info.push(S::from("https://cloud.example/"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oddity::Weight;

    fn oddities<T>(decoded: &Decoded<T>) -> Vec<(OddityKind, Weight, &str)> {
        let view = |o: &'_ crate::Oddity| (o.kind, o.weight);
        decoded
            .oddities
            .iter()
            .map(|o| (view(o).0, view(o).1, o.path.as_str()))
            .collect()
    }

    #[test]
    fn the_answer_needs_urls_unless_it_has_an_error() {
        let decoded = decode_discovery_response(br#"{"connectionInfo":[],"errorCode":2}"#);
        assert_eq!(oddities(&decoded), []);
        let decoded = decode_discovery_response(br#"{"connectionInfo":[],"errorCode":0}"#);
        let expected = (OddityKind::InvalidValue, Weight::Invalid, "/connectionInfo");
        assert_eq!(oddities(&decoded), [expected]);
        let decoded = decode_discovery_response(
            br#"{"connectionInfo":["ws://x/"],"errorCode":9,"nextRequestDelay":-1}"#,
        );
        assert_eq!(
            oddities(&decoded),
            [
                (OddityKind::InvalidValue, Weight::Invalid, "/nextRequestDelay"),
                (OddityKind::UnknownName, Weight::Invalid, "/errorCode"),
                (OddityKind::InvalidValue, Weight::Tolerable, "/connectionInfo"),
            ]
        );
        for body in [&b"[]"[..], b"garbage", b"{}", br#"{"connectionInfo":null}"#] {
            assert!(!decode_discovery_response(body).is_valid());
        }
    }

    #[test]
    fn the_request_needs_only_the_id() {
        let decoded = decode_discovery_request(br#"{"systemId":"hil-unit-0001"}"#);
        assert_eq!(oddities(&decoded), []);
        let body = serde_json::to_string(&DiscoveryRequest::new("hil-unit-0001"));
        assert_eq!(
            body.ok().as_deref(),
            Some(r#"{"version":7,"systemId":"hil-unit-0001","supportedProtocols":["wss"]}"#)
        );
        assert!(!decode_discovery_request(br#"{"version":7}"#).is_valid());
    }
}
