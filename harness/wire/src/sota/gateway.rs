//! The HTTP gateway of the client (reference section 2.1). WebSocket text frames carry the bare JSON text of
//! [`Command::encode`] and [`Event::encode`].

use super::{
    command::Command,
    dialect::{Dialect, NotExpressible},
    event::Event,
};
use crate::{
    http::{Request, Response},
    oddity::{Decoded, Oddity, OddityKind},
};

/// Default address of the HTTP gateway.
pub const HTTP_ADDRESS: &str = "127.0.0.1:8888";
/// Default address of the WebSocket gateway.
pub const WEBSOCKET_ADDRESS: &str = "127.0.0.1:3012";

/// What the HTTP gateway answered.
#[derive(Clone, Debug, PartialEq)]
pub enum HttpReply {
    /// 200: the final event.
    Event(Decoded<Event>),
    /// 400: the body is no command; nothing was done.
    Rejected,
    /// 500: the client lost its own reply.
    Lost,
    /// A status this gateway does not have.
    Unexpected(u16),
}

impl HttpReply {
    /// Reads a response; a missing or wrong content type is noted beside the event.
    pub fn of(response: &Response, dialect: Dialect) -> HttpReply {
        match response.status {
            200 => {
                let mut event = Event::decode(&response.body, dialect);
                event.oddities.extend(content_type_oddity(response));
                HttpReply::Event(event)
            }
            400 => HttpReply::Rejected,
            500 => HttpReply::Lost,
            status => HttpReply::Unexpected(status),
        }
    }
}

/// A request for a command. Method and path mean nothing to the client.
pub fn request(command: &Command, dialect: Dialect) -> Result<Request, NotExpressible> {
    let body = command.encode(dialect)?;
    let mut request = Request::new("POST", "/")
        .header("Content-Type", "application/json")
        .header("Content-Length", body.len().to_string());
    request.body = body.into_bytes();
    Ok(request)
}

/// The command of a request: only the body counts.
pub fn command(request: &Request, dialect: Dialect) -> Decoded<Command> {
    Command::decode(&request.body, dialect)
}

/// The response with the final event.
pub fn reply(event: &Event, dialect: Dialect) -> Result<Response, NotExpressible> {
    let body = event.encode(dialect)?;
    let mut response = Response::new(200)
        .header("Content-Type", "application/json")
        .header("Content-Length", body.len().to_string());
    response.body = body.into_bytes();
    Ok(response)
}

/// The response to a body that is no command: 400, empty, without content type.
pub fn rejection() -> Response {
    Response::new(400).header("Content-Length", "0")
}

/// The response if the client lost its own reply: 500, empty.
pub fn lost() -> Response {
    Response::new(500).header("Content-Length", "0")
}

fn content_type_oddity(response: &Response) -> Option<Oddity> {
    let found = response.headers.get("Content-Type");
    let essence = found.map(|value| value.split(';').next().unwrap_or_default().trim());
    match essence {
        Some(essence) if essence.eq_ignore_ascii_case("application/json") => None,
        Some(essence) => Some(Oddity::invalid(
            OddityKind::InvalidValue,
            "Content-Type",
            format!("is `{essence}`, not application/json"),
        )),
        None => Some(Oddity::invalid(
            OddityKind::MissingMember,
            "Content-Type",
            "absent",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_and_events_pass_the_gateway() {
        let request = request(&Command::GetUpdateRequests, Dialect::Rustc).unwrap();
        assert_eq!(
            command(&request, Dialect::Rustc),
            Decoded::clean(Command::GetUpdateRequests)
        );
        let response = reply(&Event::NoUpdateRequests, Dialect::Rustc).unwrap();
        assert_eq!(
            HttpReply::of(&response, Dialect::Rustc),
            HttpReply::Event(Decoded::clean(Event::NoUpdateRequests))
        );
        assert_eq!(HttpReply::of(&rejection(), Dialect::Rustc), HttpReply::Rejected);
        assert_eq!(HttpReply::of(&lost(), Dialect::Rustc), HttpReply::Lost);
        assert_eq!(
            HttpReply::of(&Response::new(404), Dialect::Rustc),
            HttpReply::Unexpected(404)
        );
    }

    #[test]
    fn the_content_type_is_checked_without_its_parameters() {
        let mut response = reply(&Event::Authenticated, Dialect::Rustc).unwrap();
        response.headers.0[0].1 = "application/json; charset=utf-8".to_owned();
        assert!(matches!(
            HttpReply::of(&response, Dialect::Rustc),
            HttpReply::Event(event) if event.is_valid()
        ));
        response.headers.0.remove(0);
        assert!(matches!(
            HttpReply::of(&response, Dialect::Rustc),
            HttpReply::Event(event) if !event.is_valid()
        ));
    }
}
