//! The HTTP transport: whole frames at `/rpc`, one method per path below it (reference section 2.2).

use super::{
    digest::Challenge,
    error::{RpcError, code},
    frame::{self, Frame, Outcome},
    id::Id,
    scan,
};
use crate::{
    http::{Request, Response, check_content_length},
    json,
    oddity::{Decoded, Oddity, OddityKind},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Map, Value};
use std::fmt::Write;

/// How a call is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `POST /rpc` with a whole frame; the reply is a whole frame.
    Frame,
    /// `POST /rpc/<Method>` with the arguments as body; the reply is the bare result or error.
    Rest,
    /// `GET /rpc/<Method>?name=value` with every value pasted as JSON; replies as [`Form::Rest`].
    Query,
    /// `OPTIONS`: answered with an empty 200.
    Preflight,
}

/// A call that came by HTTP.
#[derive(Clone, Debug, PartialEq)]
pub struct RpcCall {
    /// How it was written.
    pub form: Form,
    /// The call as a frame. Outside the frame form it has no id of its own.
    pub frame: Frame,
    /// What was odd about it; never invalid in the frame form.
    pub oddities: Vec<Oddity>,
    /// The caller asked to keep the connection.
    pub keep_alive: bool,
}

/// Why a request is not a call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotACall {
    /// The path is neither `/rpc` nor below it.
    #[error("the path is not /rpc")]
    OtherPath,
    /// The body is not a valid frame: answer [`invalid_request`] and close.
    #[error("invalid frame: {0}")]
    InvalidFrame(Oddity),
}

/// Reads a request as the unit does. In the frame form an invalid frame is an error; elsewhere arguments
/// that are not JSON only leave [`Frame::params`] empty and are noted.
pub fn parse_request(request: &Request) -> Result<RpcCall, NotACall> {
    let path = request.path();
    let below = match path.strip_prefix("/rpc") {
        Some("") | Some("/") => "",
        Some(rest) => rest.strip_prefix('/').ok_or(NotACall::OtherPath)?,
        None => return Err(NotACall::OtherPath),
    };
    let keep_alive = request
        .headers
        .get("Connection")
        .is_some_and(|value| value.eq_ignore_ascii_case("keep-alive"));
    let call = |form, decoded: Decoded<Frame>| RpcCall {
        form,
        frame: decoded.value.unwrap_or_default(),
        oddities: decoded.oddities,
        keep_alive,
    };
    if request.method == "OPTIONS" {
        return Ok(call(Form::Preflight, Decoded::clean(Frame::default())));
    }
    if below.is_empty() {
        let decoded = frame::decode(&request.body);
        if let Some(oddity) = decoded.first_invalid() {
            return Err(NotACall::InvalidFrame(oddity.clone()));
        }
        return Ok(call(Form::Frame, decoded));
    }
    let method = percent_decode_str(below).decode_utf8_lossy().into_owned();
    let (form, params) = if request.method == "GET" && request.body.is_empty() {
        let query = request.target.split_once('?').map(|(_, query)| query);
        (Form::Query, query.map_or(NO_PARAMS, query_arguments))
    } else {
        (Form::Rest, body_arguments(&request.body))
    };
    let frame = Frame {
        method: Some(method),
        params: params.value,
        ..Frame::default()
    };
    Ok(call(
        form,
        Decoded {
            value: Some(frame),
            oddities: params.oddities,
        },
    ))
}

/// The status of a bare error: 403 and 404 for themselves, 500 for every other code, 0 included.
pub fn status_of(code: i64) -> u16 {
    match code {
        code::FORBIDDEN => 403,
        code::NOT_FOUND => 404,
        _ => 500,
    }
}

/// The unit's response to a call: a whole frame with status 200, or the bare result or error.
pub fn reply_response(form: Form, reply: &Frame, keep_alive: bool) -> Response {
    let (status, body) = match (form, &reply.error) {
        (Form::Frame, _) => (200, reply.to_value()),
        (_, Some(error)) => (status_of(error.code), error.to_value()),
        (_, None) => (200, reply.result.clone().unwrap_or(Value::Null)),
    };
    let mut body = body.to_string();
    body.push_str("\r\n");
    response(status, body.into_bytes(), keep_alive)
}

/// The response to a pre-flight request.
pub fn preflight_response(keep_alive: bool) -> Response {
    response(200, Vec::new(), keep_alive)
}

/// The response to an invalid frame; the connection closes.
pub fn invalid_request() -> Response {
    let mut response = Response::new(400)
        .header("Content-Type", "text/plain")
        .header("Content-Length", INVALID_REQUEST.len().to_string())
        .header("Connection", "close");
    response.body = INVALID_REQUEST.as_bytes().to_vec();
    response
}

/// The demand for credentials; the connection closes.
pub fn unauthorized(challenge: &Challenge) -> Response {
    Response::new(401)
        .header("WWW-Authenticate", challenge.to_header())
        .header("Content-Length", "0")
        .header("Connection", "close")
}

/// A caller's request with a whole frame.
pub fn frame_request(host: &str, frame: &Frame) -> Request {
    post(host, "/rpc".to_owned(), frame::encode(frame))
}

/// A caller's request for one method, arguments as body.
pub fn rest_request(host: &str, method: &str, arguments: Option<&Value>) -> Request {
    let body = arguments.map_or_else(Vec::new, |value| value.to_string().into_bytes());
    post(host, method_path(method), body)
}

/// A caller's request for one method, arguments in the query, each value as JSON text.
pub fn query_request(host: &str, method: &str, arguments: &Map<String, Value>) -> Request {
    let mut target = method_path(method);
    for (index, (name, value)) in arguments.iter().enumerate() {
        let separator = if index == 0 { '?' } else { '&' };
        let value = value.to_string();
        let (name, value) = (escape(name), escape(&value));
        // writing to a String cannot fail
        let _ = write!(target, "{separator}{name}={value}");
    }
    Request::new("GET", target).header("Host", host)
}

/// What the unit answered, as a reply frame. In the frame form that is the body; elsewhere result or error
/// is taken from the body by its status, and `id` is put in.
pub fn parse_response(form: Form, id: &Id, response: &Response) -> Decoded<Frame> {
    if form == Form::Frame {
        return frame::decode(&response.body);
    }
    let parsed = json::parse(&response.body);
    let mut oddities = parsed.oddities;
    let mut reply = Frame {
        id: Some(id.clone()),
        ..Frame::default()
    };
    match parsed.value {
        None => {
            return Decoded {
                value: None,
                oddities,
            };
        }
        Some(body) if response.status == 200 => reply.result = Some(body),
        Some(body) => {
            let error = RpcError::from_value(body, "");
            oddities.extend(error.oddities);
            if let Some(expected) = error.value.as_ref().map(|error| status_of(error.code))
                && expected != response.status
            {
                let detail = format!("status {} with a body that asks for {expected}", response.status);
                oddities.push(Oddity::invalid(OddityKind::Contradiction, "", detail));
            }
            reply.error = error.value;
        }
    }
    let value = (reply.result.is_some() || reply.error.is_some()).then_some(reply);
    Decoded { value, oddities }
}

/// Notes what is wrong with the headers of a response: content type, length, and the cross-origin pair.
pub fn check_response(response: &Response) -> Vec<Oddity> {
    let mut oddities = Vec::new();
    for (name, value) in FIXED_HEADERS {
        match response.headers.get(name) {
            Some(found) if found == *value => {}
            Some(found) => oddities.push(Oddity::tolerable(
                OddityKind::InvalidValue,
                *name,
                format!("is `{found}`, not `{value}`"),
            )),
            None => oddities.push(Oddity::tolerable(OddityKind::MissingMember, *name, "absent")),
        }
    }
    check_content_length(&response.headers, &response.body, &mut oddities);
    if !response.body.is_empty() && !response.body.ends_with(b"\r\n") {
        oddities.push(Oddity::tolerable(
            OddityKind::Framing,
            "",
            "the body does not end in CRLF",
        ));
    }
    oddities
}

/// True if a reply means success, in whichever form it came.
pub fn is_success(reply: &Frame) -> bool {
    matches!(reply.outcome(), Some(Outcome::Success { .. }))
}

fn response(status: u16, body: Vec<u8>, keep_alive: bool) -> Response {
    let mut response = Response::new(status);
    for (name, value) in FIXED_HEADERS {
        response.headers.push(*name, *value);
    }
    response.headers.push("Content-Length", body.len().to_string());
    response
        .headers
        .push("Connection", if keep_alive { "keep-alive" } else { "close" });
    response.body = body;
    response
}

fn post(host: &str, target: String, body: Vec<u8>) -> Request {
    let mut request = Request::new("POST", target)
        .header("Host", host)
        .header("Content-Type", "application/json")
        .header("Content-Length", body.len().to_string());
    request.body = body;
    request
}

fn method_path(method: &str) -> String {
    format!("/rpc/{}", escape(method))
}

fn escape(text: &str) -> percent_encoding::PercentEncode<'_> {
    utf8_percent_encode(text, UNRESERVED)
}

fn body_arguments(body: &[u8]) -> Decoded<Value> {
    if body.trim_ascii().is_empty() {
        return NO_PARAMS;
    }
    json::parse(body)
}

/// Pastes every value behind its name, as the unit does, and reads the result with its scanner.
fn query_arguments(query: &str) -> Decoded<Value> {
    let decode = |text: &str| {
        percent_decode_str(&text.replace('+', " "))
            .decode_utf8_lossy()
            .into_owned()
    };
    let pairs: Vec<String> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            format!("{}:{}", Value::String(decode(name)), decode(value))
        })
        .collect();
    if pairs.is_empty() {
        return NO_PARAMS;
    }
    let text = format!("{{{}}}", pairs.join(","));
    let parsed = json::parse(text.as_bytes());
    if parsed.value.is_some() {
        return parsed;
    }
    Decoded {
        value: scan::leading_members(&text).map(Value::Object),
        oddities: parsed.oddities,
    }
}

const NO_PARAMS: Decoded<Value> = Decoded {
    value: None,
    oddities: Vec::new(),
};

const INVALID_REQUEST: &str = "Invalid request\r\n";

const FIXED_HEADERS: &[(&str, &str)] = &[
    ("Content-Type", "application/json"),
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Allow-Headers", "*"),
];

const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_path_chooses_the_form() {
        let frame = br#"{"id":1,"method":"OTA.Commit"}"#;
        for target in ["/rpc", "/rpc/"] {
            let mut request = Request::new("POST", target);
            request.body = frame.to_vec();
            assert_eq!(parse_request(&request).unwrap().form, Form::Frame);
        }
        let rest = rest_request("u", "OTA.Commit", None);
        let call = parse_request(&rest).unwrap();
        assert_eq!(
            (call.form, call.frame.called_method(), call.frame.arguments()),
            (Form::Rest, Some("OTA.Commit"), None)
        );
        for target in ["/", "/rpcx", "/rp"] {
            assert_eq!(
                parse_request(&Request::new("POST", target)),
                Err(NotACall::OtherPath)
            );
        }
        let preflight = parse_request(&Request::new("OPTIONS", "/rpc/OTA.Commit")).unwrap();
        assert_eq!(preflight.form, Form::Preflight);
        assert!(matches!(
            parse_request(&Request::new("POST", "/rpc")),
            Err(NotACall::InvalidFrame(_))
        ));
    }

    #[test]
    fn query_values_are_json() {
        let arguments = json!({"url": "http://h/fw.zip", "commit_timeout": 5, "flag": true});
        let request = query_request("u", "OTA.Update", arguments.as_object().unwrap());
        let call = parse_request(&request).unwrap();
        assert_eq!(
            (call.form, call.frame.params),
            (Form::Query, Some(arguments.clone()))
        );
        let unquoted = Request::new("GET", "/rpc/OTA.Update?commit_timeout=5&url=http%3A//h");
        let call = parse_request(&unquoted).unwrap();
        assert_eq!(call.frame.params, Some(json!({"commit_timeout": 5})));
        assert_eq!(call.oddities[0].kind, OddityKind::Syntax);
    }

    #[test]
    fn bare_errors_carry_a_status() {
        let request = Frame::request(1, "X", None);
        for (number, status) in [(403, 403), (404, 404), (-1, 500), (0, 500), (418, 500)] {
            let reply = request.reply_error("u", RpcError::bare(number)).unwrap();
            let response = reply_response(Form::Rest, &reply, true);
            assert_eq!(response.status, status);
            assert_eq!(response.headers.get("connection"), Some("keep-alive"));
            assert!(check_response(&response).is_empty());
            let read = parse_response(Form::Rest, &1.into(), &response);
            assert_eq!(read.value.unwrap().error, reply.error);
            assert_eq!(reply_response(Form::Frame, &reply, false).status, 200);
        }
    }
}
