//! `hil call`: one call of an OTA RPC unit, for people at a bench.

mod connect;
mod digest;
mod http;
mod serial;
mod target;
mod websocket;

use super::{fail, print};
use crate::{args::CallArguments, exit::Exit};
use connect::Trust;
use digest::Login;
use hil_wire::ota_rpc::{Frame, Outcome, RpcError};
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::Value;
use std::{io::Write, time::Duration};
use target::{BadTarget, Target};

pub(crate) fn execute(arguments: CallArguments) -> Exit {
    let result = Call::of(&arguments).and_then(|call| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(CallError::Runtime)?;
        runtime.block_on(call.execute())
    });
    match result {
        Ok(result) => {
            print(&serde_json::to_string_pretty(&result).unwrap_or_else(|_| result.to_string()));
            Exit::Pass
        }
        Err(error) => {
            let exit = error.exit();
            fail(error, exit)
        }
    }
}

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
enum CallError {
    #[error(transparent)]
    Target(#[from] BadTarget),
    #[error("the arguments are not JSON: {0}")]
    Arguments(serde_json::Error),
    #[error("`--user` must be NAME:PASSWORD")]
    User,
    #[error("`--timeout {0}`: must be a positive number of seconds")]
    Timeout(f64),
    #[error("cannot start: {0}")]
    Runtime(std::io::Error),
    #[error("cannot reach {target}: {source}")]
    Connect { target: String, source: std::io::Error },
    #[error("{}: {error}", path.display())]
    File {
        path: std::path::PathBuf,
        error: std::io::Error,
    },
    #[error("TLS cannot be set up: {0}")]
    TlsSetup(#[from] hil_link::tls::SetupError),
    #[error(
        "TLS with {target} failed: {source}; --ca names the authority to trust, --insecure trusts anybody"
    )]
    Tls {
        target: String,
        source: hil_link::tls::TlsError,
    },
    #[error("there is no system authority to trust: give one with --ca, or --insecure")]
    NoAuthority,
    #[error("the connection broke: {0}")]
    Broken(String),
    #[error("no answer within {} s{}", limit.as_secs_f64(), if *synchronised { "" } else { ": nobody answers the handshake on the line" })]
    Late { limit: Duration, synchronised: bool },
    #[error("the unit answered with HTTP status {0}")]
    Status(u16),
    #[error("the unit refused the WebSocket: {0}")]
    Refused(String),
    #[error("the answer is no RPC reply: {0}")]
    NotAReply(String),
    #[error("the unit demands credentials; give them with --user NAME:PASSWORD")]
    NoLogin,
    #[error("the unit does not accept the credentials")]
    WrongLogin,
    #[error("the unit answered error {}{}", .0.code, .0.message.as_ref().map_or_else(String::new, |text| format!(": {text}")))]
    Unit(RpcError),
}

impl CallError {
    fn exit(&self) -> Exit {
        match self {
            CallError::Target(_)
            | CallError::Arguments(_)
            | CallError::User
            | CallError::Timeout(_)
            | CallError::File { .. }
            | CallError::TlsSetup(_)
            | CallError::NoAuthority => Exit::CommandLine,
            // The unit can be reached and says no.
            CallError::Unit(_) | CallError::NoLogin | CallError::WrongLogin => Exit::Run(4),
            _ => Exit::Unexpected,
        }
    }
}

/// One call, checked before anything is sent.
struct Call {
    target: Target,
    frame: Frame,
    login: Option<Login>,
    limit: Duration,
    baud_rate: u32,
    trust: Trust,
}

impl Call {
    fn of(arguments: &CallArguments) -> Result<Call, CallError> {
        let params = match &arguments.arguments {
            None => None,
            Some(text) => Some(serde_json::from_str::<Value>(text).map_err(CallError::Arguments)?),
        };
        let login = match arguments.user.as_deref().filter(|text| !text.is_empty()) {
            None => None,
            Some(text) => Some(Login::parse(text).ok_or(CallError::User)?),
        };
        let limit = Duration::try_from_secs_f64(arguments.timeout)
            .ok()
            .filter(|limit| !limit.is_zero())
            .ok_or(CallError::Timeout(arguments.timeout))?;
        Ok(Call {
            target: arguments.url.parse()?,
            // A number of its own, so that a late reply to an earlier caller on the same line is not taken for ours.
            frame: Frame::request(i64::from(random() >> 1), &arguments.method, params).with_src("hil"),
            login,
            limit,
            baud_rate: arguments.baud_rate,
            trust: Trust::of(arguments)?,
        })
    }

    async fn execute(self) -> Result<Value, CallError> {
        let mut progress = Progress::default();
        let called = async {
            match &self.target {
                Target::Http {
                    authority,
                    path,
                    secure,
                } => http::call(&self, authority, path, *secure).await,
                Target::WebSocket {
                    authority,
                    path,
                    secure,
                } => websocket::call(&self, authority, path, *secure).await,
                Target::Serial(path) => serial::call(&self, path, &mut progress).await,
            }
        };
        let called = tokio::time::timeout(self.limit, called).await;
        let reply = called.map_err(|_| CallError::Late {
            limit: self.limit,
            synchronised: !matches!(self.target, Target::Serial(_)) || progress.synchronised,
        })??;
        match reply.outcome() {
            Some(Outcome::Success { result, message }) => {
                if let (None, Some(message)) = (result, message) {
                    // Standard error that is gone takes no notes.
                    let _ = writeln!(std::io::stderr(), "note: {message}");
                }
                Ok(result.cloned().unwrap_or_default())
            }
            Some(Outcome::Failure(error)) => Err(CallError::Unit(error.clone())),
            None => Err(CallError::NotAReply("neither result nor error".to_owned())),
        }
    }

    /// Whether a frame is the reply to ours.
    fn is_answered_by(&self, frame: &Frame) -> bool {
        let answers = |id| self.frame.id.as_ref().is_some_and(|asked| asked.answers(id));
        frame.called_method().is_none() && frame.id.as_ref().is_some_and(answers)
    }
}

/// How far a call on a serial line came.
#[derive(Default)]
struct Progress {
    synchronised: bool,
}

/// Not predictable where the system has random numbers; nothing secret hangs on it.
fn random() -> u32 {
    let mut bytes = [0; 4];
    match SystemRandom::new().fill(&mut bytes) {
        Ok(()) => u32::from_le_bytes(bytes),
        Err(_) => std::process::id(),
    }
}
