//! The device's agent: its state, and where each input goes.

use super::{
    boot, defects, direct, execution::Work, fetching::Fetching, outbox::Outbox, probe, signing::SigningKeys,
    store::Commands,
};
use crate::{
    Agent, Behaviour, Context, Hardware, HttpCall, HttpError, Input, RequestId, Setup, TimerId, Url,
};
use hil_trace::Stamp;
use hil_unit::UnitError;
use hil_wire::{
    device_command::{SignaturePolicy, UrlPolicy, header},
    http::Response,
};
use serde_json::{Map, Value};
use std::time::Duration;

/// The agent between two boots.
pub(super) struct DeviceAgent {
    /// Where the cloud is; `None` if what was given is no URL.
    pub(super) base: Option<Url>,
    /// Its own id.
    pub(super) device_id: String,
    /// Keys of command signatures.
    pub(super) keys: SigningKeys,
    /// Which commands must be signed.
    pub(super) policy: SignaturePolicy,
    /// It serves the issuing call instead of fetching.
    pub(super) direct: bool,
    /// Commands it knows.
    pub(super) commands: Commands,
    /// Statuses on their way.
    pub(super) outbox: Outbox,
    /// The rhythm of fetching.
    pub(super) fetching: Fetching,
    /// What is being carried out.
    pub(super) work: Option<Work>,
    /// Before when the cloud must not be asked again.
    pub(super) not_before: Stamp,
    /// The image that runs is on trial.
    pub(super) on_trial: bool,
    /// The software does not work: it neither fetches nor sends.
    pub(super) silent: bool,
    /// Images may come over plain `http` in any case.
    plain_images: bool,
}

/// Timer of the next fetch.
pub(super) const FETCH_TIMER: TimerId = TimerId(1);
/// Timer of the next attempt to deliver.
pub(super) const OUTBOX_TIMER: TimerId = TimerId(2);
/// Timer of the next command that is due.
pub(super) const START_TIMER: TimerId = TimerId(3);
/// Timer of the work under way.
pub(super) const WORK_TIMER: TimerId = TimerId(4);
/// Timer after which work under way is announced again.
pub(super) const PROGRESS_TIMER: TimerId = TimerId(5);
/// Timer after which an image on trial has failed.
pub(super) const SELF_TEST_TIMER: TimerId = TimerId(6);
/// Timer after which work under way is given up.
pub(super) const WATCHDOG_TIMER: TimerId = TimerId(7);
/// The fetch.
pub(super) const FETCH: RequestId = RequestId(1);
/// The delivery of a status.
pub(super) const DELIVERY: RequestId = RequestId(2);
/// What the work under way asks for: image, upload, endpoint.
pub(super) const WORK: RequestId = RequestId(3);

impl DeviceAgent {
    /// An agent with what flash says; it does nothing before `Input::Boot`.
    pub(super) fn new(setup: &Setup, hardware: &Hardware) -> Self {
        let endpoints = &setup.endpoints;
        let policy = match endpoints.get("signature_policy") {
            _ if setup.has(defects::SIGNATURES_UNCHECKED) => SignaturePolicy::Off,
            "required" => SignaturePolicy::Required,
            "if_present" => SignaturePolicy::IfPresent,
            "off" => SignaturePolicy::Off,
            _ => SignaturePolicy::Destructive,
        };
        DeviceAgent {
            base: Url::parse(origin(endpoints.get("base_url"))).ok(),
            device_id: endpoints.get("device_id").to_owned(),
            keys: SigningKeys::new(endpoints),
            policy,
            direct: endpoints.get("mode") == "direct",
            commands: Commands::load(&hardware.flash),
            outbox: Outbox::load(&hardware.flash),
            fetching: Fetching::default(),
            work: None,
            not_before: Stamp::ZERO,
            on_trial: false,
            silent: false,
            plain_images: setup.has(defects::PLAIN_IMAGES),
        }
    }

    /// Plain http is allowed while the API itself is plain.
    pub(super) fn url_policy(&self) -> UrlPolicy {
        match &self.base {
            Some(base) if !base.secure => UrlPolicy::LabMode,
            _ if self.plain_images => UrlPolicy::LabMode,
            _ => UrlPolicy::HttpsOnly,
        }
    }

    /// A request to the API, with the token and the headers that show restarts.
    pub(super) fn api(&self, method: &str, path: &str, context: &Context<'_>) -> HttpCall {
        let base = self.base.as_ref().map(Url::to_string).unwrap_or_default();
        let token = context.setup.endpoints.get("device_token");
        HttpCall::new(method, format!("{}{path}", base.trim_end_matches('/')))
            .header("Authorization", format!("Bearer {token}"))
            .header(header::BOOT_ID, format!("boot-{}", context.hardware.boots))
            .header(header::FIRMWARE_VERSION, boot::running_version(context.hardware))
    }

    /// Notes what every answer of the API tells: whether the network works, and when to come back.
    pub(super) fn note_answer(&mut self, response: &Response, context: &mut Context<'_>) {
        if matches!(response.status, 429 | 503) {
            let wait = response
                .headers
                .get("Retry-After")
                .and_then(|text| text.trim().parse::<u64>().ok());
            if let Some(seconds) = wait {
                self.not_before = context.now() + Duration::from_secs(seconds.min(86_400));
            }
        }
        if (200..300).contains(&response.status) && self.on_trial {
            self.confirm(context);
        }
    }

    /// A delay, made longer if the cloud must not be asked that soon.
    pub(super) fn held(&self, delay: Duration, now: Stamp) -> Duration {
        delay.max(self.not_before.since(now))
    }

    fn boot(&mut self, context: &mut Context<'_>) {
        let version = boot::running_version(context.hardware);
        context.console(format!(
            "device {version} starts, boot {}",
            context.hardware.boots
        ));
        let behaviour = boot::running(context.hardware).map(|image| image.behaviour);
        match behaviour {
            Some(Behaviour::Crash) => {
                self.silent = true;
                context.console("panic: the software has crashed");
                context.reboot(Duration::from_secs(1));
                return;
            }
            // Without an image nothing runs; only the way back of a trial still helps.
            None | Some(Behaviour::Hang | Behaviour::Mute) => {
                self.silent = true;
                self.begin_self_test(context);
                return;
            }
            _ => {}
        }
        if self.direct {
            context.serve_http(direct::FACE);
        }
        self.recover(context);
        self.deliver(context);
        if !self.direct {
            self.fetch(context);
        }
        self.start_next(context);
    }

    fn timer(&mut self, timer: TimerId, context: &mut Context<'_>) {
        match timer {
            FETCH_TIMER => self.fetch(context),
            OUTBOX_TIMER => self.deliver(context),
            START_TIMER => self.start_next(context),
            WORK_TIMER => self.work_due(context),
            PROGRESS_TIMER => self.announce_again(context),
            SELF_TEST_TIMER => {
                context.console("the self-test has failed");
                context.reboot(Duration::ZERO);
            }
            WATCHDOG_TIMER => self.watchdog(context),
            _ => {}
        }
    }

    fn answered(
        &mut self,
        request: RequestId,
        result: Result<Response, HttpError>,
        context: &mut Context<'_>,
    ) {
        match request {
            FETCH => self.fetched(result, context),
            DELIVERY => self.delivered(result, context),
            WORK => self.work_answered(result, context),
            _ => {}
        }
    }
}

impl Agent for DeviceAgent {
    fn handle(&mut self, input: Input, context: &mut Context<'_>) {
        match input {
            Input::Boot => self.boot(context),
            Input::Timer(timer) => self.timer(timer, context),
            Input::HttpAnswer { request, response } => self.answered(request, Ok(response), context),
            Input::HttpFailed { request, error } => self.answered(request, Err(error), context),
            Input::HttpHead {
                request: WORK,
                status,
                headers,
            } => self.download_head(status, &headers, context),
            Input::HttpChunk { request: WORK, bytes } => self.download_chunk(&bytes, context),
            Input::HttpEnd { request: WORK } => self.download_end(context),
            Input::ServerRequest {
                exchange, request, ..
            } => {
                let response = self.serve(&request, context);
                context.answer(exchange, response);
            }
            _ => {}
        }
    }

    fn version(&self, hardware: &Hardware) -> Option<String> {
        boot::running(hardware).map(|image| image.version)
    }

    fn probe(
        &self,
        name: &str,
        arguments: &Map<String, Value>,
        hardware: &Hardware,
    ) -> Result<Value, UnitError> {
        probe::answer(name, arguments, hardware)
    }

    fn stimulate(
        &mut self,
        name: &str,
        arguments: &Map<String, Value>,
        context: &mut Context<'_>,
    ) -> Result<Value, UnitError> {
        probe::apply(name, arguments, context)
    }

    fn undo(
        &mut self,
        name: &str,
        _: &Map<String, Value>,
        context: &mut Context<'_>,
    ) -> Result<Value, UnitError> {
        probe::undo(name, context)
    }
}

/// A base URL with or without the path of the API.
fn origin(base: &str) -> &str {
    let base = base.trim_end_matches('/');
    base.strip_suffix("/api/v1").unwrap_or(base)
}
