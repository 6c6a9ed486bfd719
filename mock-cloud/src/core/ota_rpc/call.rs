//! Calls under way: sent, repeated with credentials if the unit demands them, answered or given up.

use super::{
    OtaRpcCloud, UNIT_HTTP,
    channel::{self, Name},
    firmware::without_nulls,
    request::{CallRequest, Login, Transport},
};
use crate::core::{Now, Outputs, Send};
use hil_trace::Stamp;
use hil_wire::{
    http::{Request, Response},
    ota_rpc::{
        Frame, Id, Outcome, code,
        digest::{Challenge, Context},
        encode,
        http::{parse_response, query_request, rest_request},
        mqtt::{frames_topic, method_topic},
    },
};
use serde_json::{Value, json};

/// A call that waits for its answer.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    pub(super) request: CallRequest,
    /// When the caller stops waiting; the front minds the time of HTTP exchanges.
    pub(super) deadline: Option<Stamp>,
    /// It was repeated with credentials.
    repeated: bool,
}

impl OtaRpcCloud {
    /// Sends a call; returns its number.
    pub(super) fn call(&mut self, now: Now, request: CallRequest, out: &mut Outputs) -> u64 {
        let number = self.next_call;
        self.next_call += 1;
        out.note(
            "calling",
            without_nulls(json!({
                "call": number,
                "id": request.frame.id.as_ref().map(Id::to_value),
                "method": request.method(),
                "transport": request.transport.name(),
            })),
        );
        if !self.transmit(number, &request, None, out) {
            self.unanswered(&request, "nobody has subscribed to the unit's topic", out);
            return number;
        }
        let deadline = (!request.transport.is_http()).then(|| now.stamp + request.limit);
        // Nobody answers a notification on a lasting connection.
        if request.transport.is_http() || request.frame.id.is_some() {
            let pending = Pending {
                request,
                deadline,
                repeated: false,
            };
            self.pending.insert(number, pending);
        }
        number
    }

    /// Posts bytes that are no frame of ours, or sends them over a connection.
    pub(super) fn call_raw(
        &mut self,
        mut request: CallRequest,
        path: &str,
        bytes: Vec<u8>,
        out: &mut Outputs,
    ) -> u64 {
        let number = self.next_call;
        self.next_call += 1;
        match Name::of(request.transport, &request.connection) {
            Some(name) => self.send_over(&name, bytes, channel::operation("raw"), out),
            None if request.transport == Transport::Mqtt => {
                let topic = frames_topic(&self.settings.unit_id);
                self.publish_to_unit(topic, bytes, &channel::operation("raw"), out);
            }
            None => {
                let mut post = Request::new("POST", path)
                    .header("Content-Type", "application/json")
                    .header("Content-Length", bytes.len().to_string());
                post.body = bytes;
                self.exchange(number, &request, post, out);
                request.login = None;
                let pending = Pending {
                    request,
                    deadline: None,
                    repeated: false,
                };
                self.pending.insert(number, pending);
            }
        }
        number
    }

    /// The answer to an HTTP exchange, or why there is none.
    pub(super) fn exchange_ended(
        &mut self,
        number: u64,
        result: Result<Response, String>,
        out: &mut Outputs,
    ) {
        let Some(pending) = self.pending.remove(&number) else {
            return;
        };
        let response = match result {
            Ok(response) => response,
            Err(reason) => return self.unanswered(&pending.request, &reason, out),
        };
        if let Some(id) = &pending.request.frame.id
            && let Some(reply) = parse_response(pending.request.form(), id, &response).value
        {
            self.unit_answered(number, &reply);
        }
        let demand = response
            .headers
            .get("WWW-Authenticate")
            .map(Challenge::from_header);
        let (401, Some(Ok(challenge)), Some(login), false) =
            (response.status, demand, &pending.request.login, pending.repeated)
        else {
            return;
        };
        let post = self.http_request(&pending.request);
        let context = Context::Http {
            method: &post.method,
            uri: &post.target,
        };
        let header = self.answer_challenge(challenge, login, context).to_header();
        self.transmit(number, &pending.request, Some(Credentials::Header(header)), out);
        let pending = Pending {
            repeated: true,
            ..pending
        };
        self.pending.insert(number, pending);
    }

    /// A reply came over a lasting connection, or to a topic of the broker; `from_there` says which requests it may be to.
    pub(super) fn reply_received(
        &mut self,
        now: Now,
        reply: &Frame,
        from_there: impl Fn(&CallRequest) -> bool,
        out: &mut Outputs,
    ) {
        let Some(id) = &reply.id else {
            return;
        };
        let found = self.pending.iter().find(|(_, pending)| {
            let request = &pending.request;
            from_there(request) && request.frame.id.as_ref().is_some_and(|asked| asked.answers(id))
        });
        let Some(number) = found.map(|(number, _)| *number) else {
            return;
        };
        let Some(pending) = self.pending.remove(&number) else {
            return;
        };
        self.unit_answered(number, reply);
        let Some(Outcome::Failure(error)) = reply.outcome() else {
            return;
        };
        let (code::UNAUTHORIZED, Ok(challenge), Some(login), false) = (
            error.code,
            Challenge::from_error(error),
            &pending.request.login,
            pending.repeated,
        ) else {
            return;
        };
        let auth = self.answer_challenge(challenge, login, Context::Frame).to_auth();
        self.transmit(number, &pending.request, Some(Credentials::Frame(auth)), out);
        let deadline = Some(now.stamp + pending.request.limit);
        let pending = Pending {
            repeated: true,
            deadline,
            ..pending
        };
        self.pending.insert(number, pending);
    }

    /// Stops waiting for some calls.
    pub(super) fn give_up_where(
        &mut self,
        reason: &str,
        out: &mut Outputs,
        mut whether: impl FnMut(&CallRequest) -> bool,
    ) {
        let numbers: Vec<u64> = self
            .pending
            .iter()
            .filter(|(_, pending)| whether(&pending.request))
            .map(|(number, _)| *number)
            .collect();
        for number in numbers {
            if let Some(pending) = self.pending.remove(&number) {
                self.unanswered(&pending.request, reason, out);
            }
        }
    }

    /// Stops waiting for what is overdue.
    pub(super) fn expire_calls(&mut self, now: Now, out: &mut Outputs) {
        let overdue: Vec<u64> = self
            .pending
            .iter()
            .filter(|(_, pending)| pending.deadline.is_some_and(|at| at <= now.stamp))
            .map(|(number, _)| *number)
            .collect();
        for number in overdue {
            if let Some(pending) = self.pending.remove(&number) {
                self.unanswered(&pending.request, "no answer within the limit", out);
            }
        }
    }

    fn unanswered(&self, request: &CallRequest, reason: &str, out: &mut Outputs) {
        let facts = json!({
            "id": request.frame.id.as_ref().map(Id::to_value),
            "method": request.method(),
            "transport": request.transport.name(),
            "notification": request.frame.id.is_none(),
            "reason": reason,
        });
        out.note("unanswered", without_nulls(facts));
    }

    /// Puts a call on its way; false if there is nobody to take it.
    fn transmit(
        &mut self,
        number: u64,
        request: &CallRequest,
        credentials: Option<Credentials>,
        out: &mut Outputs,
    ) -> bool {
        if request.transport.is_http() {
            let mut post = self.http_request(request);
            if let Some(Credentials::Header(header)) = credentials {
                post.headers.push("Authorization", header);
            }
            self.exchange(number, request, post, out);
            return true;
        }
        let mut frame = request.frame.clone();
        if let Some(Credentials::Frame(auth)) = credentials {
            frame.auth = Some(auth);
        }
        let payload = channel::payload(request, &frame);
        let operation = channel::call_operation(request.method());
        match Name::of(request.transport, &request.connection) {
            Some(name) => {
                self.send_over(&name, payload, operation, out);
                true
            }
            None => {
                let topic = match request.method_topic {
                    true => method_topic(&self.settings.unit_id, request.method()),
                    false => frames_topic(&self.settings.unit_id),
                };
                self.publish_to_unit(topic, payload, &operation, out)
            }
        }
    }

    fn exchange(&self, number: u64, request: &CallRequest, post: Request, out: &mut Outputs) {
        out.sends.push(Send::Call {
            call: number,
            face: UNIT_HTTP.to_owned(),
            request: post,
            operation: channel::call_operation(request.method()),
            limit: request.limit,
            patience: std::time::Duration::ZERO,
        });
    }

    /// The request of a call; the front adds `Host`.
    fn http_request(&self, request: &CallRequest) -> Request {
        let mut post = match request.transport {
            Transport::Rest => rest_request("", request.method(), request.frame.arguments()),
            Transport::Query => {
                let arguments = request.frame.arguments().and_then(Value::as_object);
                query_request("", request.method(), &arguments.cloned().unwrap_or_default())
            }
            _ => {
                let mut post = Request::new("POST", "/rpc").header("Content-Type", "application/json");
                post.body = encode(&request.frame);
                post.headers.push("Content-Length", post.body.len().to_string());
                post
            }
        };
        post.headers
            .0
            .retain(|(name, _)| !name.eq_ignore_ascii_case("host"));
        if request.keep_alive {
            post.headers.push("Connection", "keep-alive");
        }
        post
    }

    fn answer_challenge(
        &self,
        mut challenge: Challenge,
        login: &Login,
        context: Context<'_>,
    ) -> hil_wire::ota_rpc::digest::Credentials {
        if let Some(realm) = &login.realm {
            challenge.realm.clone_from(realm);
        }
        challenge.nonce = challenge.nonce.saturating_sub(login.nonce_age.as_secs());
        let cnonce = (self.settings.seed ^ self.next_call.wrapping_mul(0x9e37_79b9)) & 0xffff_ffff;
        challenge.answer(&login.user, &login.password, cnonce, context)
    }
}

/// What a call is repeated with.
enum Credentials {
    Header(String),
    Frame(Value),
}
