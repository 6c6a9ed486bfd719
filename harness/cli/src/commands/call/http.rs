//! A call over HTTP: one `POST` of a frame, repeated once with credentials.

use super::{Call, CallError, connect::own_host};
use bytes::Bytes;
use hil_wire::ota_rpc::{
    Frame, decode,
    digest::{Challenge, Context},
    http::frame_request,
};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Request, client::conn::http1, header::WWW_AUTHENTICATE};
use hyper_util::rt::TokioIo;

pub(super) async fn call(call: &Call, authority: &str, path: &str, secure: bool) -> Result<Frame, CallError> {
    let mut authorization = None;
    loop {
        let answer = post(call, authority, path, secure, authorization.as_deref()).await?;
        if answer.status == 401 {
            if authorization.is_some() {
                return Err(CallError::WrongLogin);
            }
            let challenge = answer.challenge.as_deref().map(Challenge::from_header);
            let Some(Ok(challenge)) = challenge else {
                return Err(CallError::Status(401));
            };
            let context = Context::Http {
                method: "POST",
                uri: path,
            };
            authorization = Some(call.credentials(&challenge, context)?.to_header());
            continue;
        }
        let decoded = decode(&answer.body);
        return match decoded.value {
            Some(frame) if call.is_answered_by(&frame) => Ok(frame),
            _ if answer.status != 200 => Err(CallError::Status(answer.status)),
            Some(_) => Err(CallError::NotAReply("it answers another call".to_owned())),
            None => {
                let reason = decoded.oddities.first().map(ToString::to_string);
                Err(CallError::NotAReply(reason.unwrap_or_default()))
            }
        };
    }
}

struct Answer {
    status: u16,
    challenge: Option<String>,
    body: Bytes,
}

async fn post(
    call: &Call,
    authority: &str,
    path: &str,
    secure: bool,
    authorization: Option<&str>,
) -> Result<Answer, CallError> {
    let stream = call.trust.connect(authority, secure).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    let host = own_host(authority, secure);
    let request = frame_request(host, &call.frame);
    let mut builder = Request::builder().method("POST").uri(path);
    for (name, value) in &request.headers.0 {
        builder = builder.header(name, value);
    }
    if let Some(value) = authorization {
        builder = builder.header("Authorization", value);
    }
    let message = builder
        .body(Full::new(Bytes::from(request.body)))
        .map_err(|error| CallError::Broken(error.to_string()))?;
    let answered = async {
        let response = sender.send_request(message).await.map_err(broken)?;
        let challenge = response.headers().get(WWW_AUTHENTICATE);
        let challenge = challenge.and_then(|value| value.to_str().ok()).map(str::to_owned);
        let status = response.status().as_u16();
        let body = Limited::new(response.into_body(), BODY_LIMIT).collect().await;
        let body = body.map_err(|error| CallError::Broken(error.to_string()))?;
        Ok(Answer {
            status,
            challenge,
            body: body.to_bytes(),
        })
    };
    let (mut answered, mut connection) = (std::pin::pin!(answered), std::pin::pin!(connection));
    let mut ended = false;
    loop {
        tokio::select! {
            biased;
            answered = &mut answered => return answered,
            // Its error reaches the answer too.
            _ = &mut connection, if !ended => ended = true,
        }
    }
}

fn broken(error: hyper::Error) -> CallError {
    let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
    CallError::Broken(error.to_string() + &cause.unwrap_or_default())
}

const BODY_LIMIT: usize = 16 << 20;
