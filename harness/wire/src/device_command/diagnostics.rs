//! The result of `network_diagnostics`, which travels as JSON text inside `details` (reference section 4.1).

use super::header;
use crate::{
    json,
    members::Members,
    oddity::{Decoded, Oddity, OddityKind, Weight},
};
use serde::Serialize;
use serde_json::{Value, json};

/// The object `diagnostics`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Diagnostics {
    /// Whether the unit is on its network.
    pub wifi_connected: bool,
    /// Signal strength in dBm.
    pub wifi_rssi: i64,
    /// Address of the unit.
    pub local_ip: String,
    /// Whether a name resolved; only with `dns_test`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dns_working: Option<bool>,
    /// What it resolved to; only with `dns_test`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dns_resolved_ip: Option<String>,
    /// One entry per endpoint, in the order commanded.
    pub endpoint_tests: Vec<EndpointTest>,
    /// The hops, if asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traceroute: Option<Vec<Value>>,
    /// True if endpoint tests were left off to keep the limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub truncated: Option<bool>,
}

/// The test of one endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EndpointTest {
    /// The URL as commanded.
    pub url: String,
    /// Status of the answer, 0 without one.
    pub http_code: i64,
    /// `success` if any HTTP answer came, else `failed`.
    pub response_time: String,
    /// Milliseconds until the answer or until the test was given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u64>,
}

impl EndpointTest {
    /// The value of `response_time` if an HTTP answer came.
    pub const SUCCESS: &'static str = "success";
    /// The value of `response_time` otherwise.
    pub const FAILED: &'static str = "failed";

    fn read(value: &Value, path: &str, oddities: &mut Vec<Oddity>) -> Option<EndpointTest> {
        let mut members = Members::open(value, path, oddities)?;
        let url = members.required("url");
        let http_code: Option<i64> = members.required("http_code");
        let response_time: Option<String> = members.required("response_time");
        let latency_ms = members.optional("latency_ms");
        if let Some(text) = response_time.as_deref()
            && ![EndpointTest::SUCCESS, EndpointTest::FAILED].contains(&text)
        {
            let detail = format!("`{text}` is neither success nor failed");
            members.report(OddityKind::UnknownName, Weight::Invalid, "response_time", detail);
        }
        let is_code = http_code.is_none_or(|c| c == 0 || (100..=599).contains(&c));
        members.require(is_code, "http_code", "neither an HTTP status nor 0");
        members.finish();
        Some(EndpointTest {
            url: url?,
            http_code: http_code?,
            response_time: response_time?,
            latency_ms,
        })
    }
}

impl Diagnostics {
    /// Reads the text of `details`. A success without status, or the reverse, is a contradiction.
    pub fn decode(details: &str) -> Decoded<Diagnostics> {
        let parsed = json::parse_answer(details.as_bytes());
        let mut oddities = parsed.oddities;
        let value = parsed.value.and_then(|value| {
            let mut outer = Members::open(&value, "", &mut oddities)?;
            let inner = outer
                .required::<&Value>("diagnostics")
                .and_then(|inner| Diagnostics::read(inner, outer.oddities()));
            outer.finish();
            inner
        });
        Decoded { value, oddities }
    }

    fn read(value: &Value, oddities: &mut Vec<Oddity>) -> Option<Diagnostics> {
        let mut members = Members::open(value, "/diagnostics", oddities)?;
        let wifi_connected = members.required("wifi_connected");
        let wifi_rssi = members.required("wifi_rssi");
        let local_ip = members.required("local_ip");
        let dns_working = members.optional("dns_working");
        let dns_resolved_ip = members.optional("dns_resolved_ip");
        let endpoint_tests: Option<Vec<Option<EndpointTest>>> =
            members.required::<&Vec<Value>>("endpoint_tests").map(|items| {
                items
                    .iter()
                    .enumerate()
                    .map(|(index, item)| {
                        let path = format!("/diagnostics/endpoint_tests/{index}");
                        EndpointTest::read(item, &path, members.oddities())
                    })
                    .collect()
            });
        let traceroute = members.optional::<&Vec<Value>>("traceroute").cloned();
        let truncated = members.optional("truncated");
        for (index, test) in endpoint_tests.iter().flatten().flatten().enumerate() {
            if (test.response_time == EndpointTest::SUCCESS) != (test.http_code > 0) {
                let place = format!("endpoint_tests/{index}");
                let detail = "success and status contradict each other";
                members.oddities().push(Oddity::invalid(
                    OddityKind::Contradiction,
                    format!("/diagnostics/{place}"),
                    detail,
                ));
            }
        }
        members.finish();
        Some(Diagnostics {
            wifi_connected: wifi_connected?,
            wifi_rssi: wifi_rssi?,
            local_ip: local_ip?,
            dns_working,
            dns_resolved_ip,
            endpoint_tests: endpoint_tests?.into_iter().collect::<Option<_>>()?,
            traceroute,
            truncated,
        })
    }

    /// The text of `details`. Beyond 2048 bytes, endpoint tests are left off from the end and `truncated` is set.
    pub fn to_details(&self) -> String {
        let mut fitting = self.clone();
        loop {
            let text = json!({"diagnostics": fitting}).to_string();
            if text.len() <= header::DETAILS_LIMIT || fitting.endpoint_tests.pop().is_none() {
                return text;
            }
            fitting.truncated = Some(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diagnostics(endpoints: usize, length: usize) -> Diagnostics {
        let test = |index| EndpointTest {
            url: format!("https://{index}.example/{}", "\u{e4}\"".repeat(length)),
            http_code: 200,
            response_time: EndpointTest::SUCCESS.to_owned(),
            latency_ms: Some(84),
        };
        Diagnostics {
            wifi_connected: true,
            wifi_rssi: -58,
            local_ip: "192.168.1.50".to_owned(),
            dns_working: Some(true),
            dns_resolved_ip: Some("192.0.2.10".to_owned()),
            endpoint_tests: (0..endpoints).map(test).collect(),
            traceroute: None,
            truncated: None,
        }
    }

    #[test]
    fn keeps_the_limit_by_leaving_off_endpoints() {
        let small = diagnostics(8, 1);
        assert_eq!(Diagnostics::decode(&small.to_details()), Decoded::clean(small));
        let large = diagnostics(8, 120).to_details();
        assert!(large.len() <= header::DETAILS_LIMIT);
        let read = Diagnostics::decode(&large).value.unwrap();
        assert_eq!(read.truncated, Some(true));
        assert!((1..8).contains(&read.endpoint_tests.len()));
    }

    #[test]
    fn sees_contradictions() {
        let mut broken = diagnostics(1, 0);
        broken.endpoint_tests[0].http_code = 0;
        let decoded = Diagnostics::decode(&broken.to_details());
        assert_eq!(
            decoded.first_invalid().map(|o| o.kind),
            Some(OddityKind::Contradiction)
        );
        assert!(!Diagnostics::decode("{}").is_valid());
    }
}
