//! `network_diagnostics`: every endpoint once, in order, five seconds each, without the token (reference section 4.1).

use super::{
    agent::{DeviceAgent, WORK},
    execution::Step,
};
use crate::{Context, HttpCall, HttpError, Limits, Url};
use hil_trace::Stamp;
use hil_wire::{
    device_command::{CommandStatus, Diagnostics, EndpointTest, Parameters, status_text},
    http::Response,
};
use std::time::Duration;

/// The tests so far.
#[derive(Clone, Debug)]
pub(super) struct Testing {
    urls: Vec<String>,
    dns_test: bool,
    begun: Stamp,
    tests: Vec<EndpointTest>,
}

impl DeviceAgent {
    /// Begins with the first endpoint.
    pub(super) fn begin_tests(&mut self, context: &mut Context<'_>) {
        let Some(work) = &mut self.work else { return };
        let Parameters::NetworkDiagnostics {
            test_endpoints,
            include_traceroute,
            dns_test,
        } = work.parameters.clone()
        else {
            return;
        };
        if include_traceroute {
            return self.fail(status_text::TRACEROUTE_NOT_SUPPORTED, context);
        }
        work.step = Step::Testing(Box::new(Testing {
            urls: test_endpoints,
            dns_test,
            begun: context.now(),
            tests: Vec::new(),
        }));
        self.test_next(context);
    }

    /// An endpoint has answered, or has not.
    pub(super) fn tested(&mut self, result: Result<Response, HttpError>, context: &mut Context<'_>) {
        let code = match result {
            Ok(response) => response.status,
            // An answer came, though its body is more than anybody wants.
            Err(HttpError::TooLarge(_)) => 200,
            Err(_) => 0,
        };
        self.note_test(code, context);
        self.test_next(context);
    }

    fn test_next(&mut self, context: &mut Context<'_>) {
        loop {
            let Some(Step::Testing(testing)) = self.work.as_mut().map(|work| &mut work.step) else {
                return;
            };
            let Some(url) = testing.urls.get(testing.tests.len()).cloned() else {
                return self.tests_done(context);
            };
            testing.begun = context.now();
            if Url::parse(&url).is_ok_and(|url| self.is_testable(&url)) {
                let call = HttpCall::new("GET", url).limits(Limits {
                    connect: LIMIT,
                    idle: LIMIT,
                    total: Some(LIMIT),
                    body: 64 * 1024,
                });
                context.http(WORK, call);
                return;
            }
            self.note_test(0, context);
        }
    }

    fn note_test(&mut self, code: u16, context: &mut Context<'_>) {
        let Some(Step::Testing(testing)) = self.work.as_mut().map(|work| &mut work.step) else {
            return;
        };
        let url = testing.urls.get(testing.tests.len()).cloned().unwrap_or_default();
        let word = if code > 0 {
            EndpointTest::SUCCESS
        } else {
            EndpointTest::FAILED
        };
        testing.tests.push(EndpointTest {
            url,
            http_code: i64::from(code),
            response_time: word.to_owned(),
            latency_ms: Some(context.now().since(testing.begun).as_millis() as u64),
        });
    }

    fn tests_done(&mut self, context: &mut Context<'_>) {
        let Some(Step::Testing(testing)) = self.work.as_ref().map(|work| work.step.clone()) else {
            return;
        };
        let diagnostics = Diagnostics {
            wifi_connected: true,
            wifi_rssi: -58,
            local_ip: "192.168.1.50".to_owned(),
            dns_working: testing.dns_test.then_some(true),
            dns_resolved_ip: testing.dns_test.then(|| "192.0.2.1".to_owned()),
            endpoint_tests: testing.tests,
            traceroute: None,
            truncated: None,
        };
        self.finish(CommandStatus::Completed, Some(diagnostics.to_details()), context);
    }

    /// Addresses of the device itself and of its link are not tested, unless the API lives there too.
    fn is_testable(&self, url: &Url) -> bool {
        let host = url.host.to_ascii_lowercase();
        let inner = host == "localhost"
            || host == "::1"
            || host == "0.0.0.0"
            || host.starts_with("127.")
            || host.starts_with("169.254.")
            || host.starts_with("fe80:");
        !inner
            || self
                .base
                .as_ref()
                .is_some_and(|base| base.host == url.host && base.port != url.port)
    }
}

const LIMIT: Duration = Duration::from_secs(5);
