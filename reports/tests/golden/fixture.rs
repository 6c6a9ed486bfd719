//! A run by hand: pass, warning, fail, inconclusive, error, skipped; with traces, catalogue and decoder.

use hil_reports::{EventSource, Report};
use hil_trace::{
    Blame, Catalogue, CertificateFacts, ClockKind, ConsoleStream, CoverageState, Ending, Event, FaultPhase,
    Finding, HowClosed, HttpEnding, InstanceSummary, Level, Measurement, Origin, Party, Payload, Record,
    RecordBody, Requirement, RequirementCoverage, RunSummary, ScenarioRef, Stamp, StepOutcome, Tolerances,
    Trace, TraceHeader, UnitChange, Verdict, Who,
};
use hil_wire::{Protocol, http::Headers};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// A run with all it takes to report it.
pub(crate) struct Run {
    pub(crate) summary: RunSummary,
    pub(crate) traces: Vec<Trace>,
    pub(crate) catalogue: Catalogue,
}

impl Run {
    pub(crate) fn report(&self) -> Report<'_> {
        Report {
            summary: &self.summary,
            traces: &self.traces,
            catalogue: &self.catalogue,
            events: &Polls,
        }
    }
}

/// Reads polls and acknowledgements off HTTP records; everything else stays raw.
pub(crate) struct Polls;

impl EventSource for Polls {
    fn events(&self, trace: &Trace) -> Vec<Event> {
        let mut events = Vec::new();
        let mut polls = BTreeMap::new();
        for record in &trace.records {
            let event = |who, name: &str, records, fields: Value| Event {
                who,
                name: name.to_owned(),
                at: record.at,
                records,
                fields: fields.as_object().cloned().unwrap_or_default(),
            };
            match &record.what {
                RecordBody::HttpRequest { exchange, target, .. } if target == "/api/v1/commands" => {
                    polls.insert(*exchange, record.seq);
                    events.push(event(Who::Unit, "poll", vec![record.seq], json!({})));
                }
                RecordBody::HttpRequest { target, body, .. } if target.ends_with("/ack") => {
                    let body: Value = serde_json::from_slice(body.bytes()).unwrap_or_default();
                    let id = target.split('/').rev().nth(1).unwrap_or_default();
                    let fields =
                        json!({"id": id, "status": body["status"], "error_code": body["error_code"]});
                    events.push(event(Who::Unit, "ack", vec![record.seq], fields));
                }
                RecordBody::HttpResponse { exchange, body, .. } if polls.contains_key(exchange) => {
                    let items: Vec<Value> = serde_json::from_slice(body.bytes()).unwrap_or_default();
                    let records = vec![polls[exchange], record.seq];
                    let commands: Vec<&Value> = items.iter().map(|i| &i["command"]).collect();
                    let ids: Vec<&Value> = items.iter().map(|i| &i["id"]).collect();
                    let name = if items.is_empty() {
                        "noCommands"
                    } else {
                        "commands"
                    };
                    events.push(event(
                        Who::Cloud,
                        name,
                        records,
                        json!({"ids": ids, "commands": commands}),
                    ));
                }
                _ => {}
            }
        }
        events
    }
}

/// Records one after the other.
pub(crate) struct Script {
    records: Vec<Record>,
    now: f64,
    exchange: u32,
}

impl Script {
    pub(crate) fn new() -> Self {
        Script {
            records: Vec::new(),
            now: 0.0,
            exchange: 0,
        }
    }

    pub(crate) fn at(&mut self, seconds: f64) -> &mut Self {
        self.now = seconds;
        self
    }

    pub(crate) fn push(&mut self, what: RecordBody) -> &mut Self {
        self.records.push(Record {
            seq: self.records.len() as u64,
            at: Stamp((self.now * 1e6) as u64),
            what,
        });
        self.now += 0.0013;
        self
    }

    pub(crate) fn request(&mut self, method: &str, target: &str, body: &str) -> &mut Self {
        self.exchange += 1;
        let exchange = self.exchange;
        self.push(RecordBody::HttpRequest {
            connection: 1,
            exchange,
            face: "edge-api".to_owned(),
            from: Party::Unit,
            method: method.to_owned(),
            target: target.to_owned(),
            headers: Headers::new()
                .with("Host", "cloud.test")
                .with("X-Device-Key", "key-of-this-run"),
            body: Payload::from(body),
        })
    }

    pub(crate) fn response(&mut self, status: u16, body: &str, ending: HttpEnding) -> &mut Self {
        let exchange = self.exchange;
        self.push(RecordBody::HttpResponse {
            exchange,
            from: Party::Cloud,
            status,
            headers: Headers::new().with("Content-Type", "application/json"),
            body: Payload::from(body),
            ending,
        })
    }

    pub(crate) fn poll(&mut self, body: &str) -> &mut Self {
        self.request("GET", "/api/v1/commands", "")
            .response(200, body, HttpEnding::Complete)
    }

    pub(crate) fn unit(&mut self, change: UnitChange, facts: Value) -> &mut Self {
        self.push(RecordBody::Unit {
            change,
            facts: map(facts),
        })
    }

    pub(crate) fn step(&mut self, step: &str, verb: &str, subject: &str, arguments: Value) -> &mut Self {
        self.push(RecordBody::StepStarted {
            step: step.to_owned(),
            verb: verb.to_owned(),
            subject: subject.to_owned(),
            arguments,
        })
    }

    pub(crate) fn done(&mut self, step: &str) -> &mut Self {
        self.outcome(step, StepOutcome::Done, Value::Null)
    }

    pub(crate) fn outcome(&mut self, step: &str, outcome: StepOutcome, result: Value) -> &mut Self {
        self.push(RecordBody::StepFinished {
            step: step.to_owned(),
            outcome,
            result,
        })
    }

    pub(crate) fn fault(&mut self, name: &str, phase: FaultPhase, facts: Value) -> &mut Self {
        self.push(RecordBody::Fault {
            id: 1,
            name: name.to_owned(),
            phase,
            facts: map(facts),
        })
    }

    pub(crate) fn console(&mut self, text: &str) -> &mut Self {
        self.push(RecordBody::Console {
            stream: ConsoleStream::Stdout,
            payload: Payload::from(text),
        })
    }

    pub(crate) fn connect(&mut self, face: &str) -> &mut Self {
        self.push(RecordBody::ConnectionOpened {
            connection: 1,
            face: face.to_owned(),
            by: Party::Unit,
        })
        .push(RecordBody::TlsEstablished {
            connection: 1,
            version: "TLSv1_3".to_owned(),
            peer: Some(CertificateFacts {
                common_name: "unit-1".to_owned(),
                subject: "CN=unit-1".to_owned(),
                serial: "01".to_owned(),
            }),
        })
    }

    pub(crate) fn close(&mut self, how: HowClosed) -> Vec<Record> {
        self.push(RecordBody::Closed { how });
        std::mem::take(&mut self.records)
    }
}

pub(crate) fn map(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

pub(crate) fn header(protocol: Protocol, name: &str, unit: &str, clock: ClockKind) -> TraceHeader {
    TraceHeader {
        format: TraceHeader::FORMAT,
        instance: format!("{protocol}/{name}@{unit}"),
        protocol,
        scenario: ScenarioRef {
            path: format!("{protocol}/{name}.yaml"),
            name: name.replace('-', " "),
            text: format!(
                "name: {}\nprotocol: {protocol}\nsteps:\n  - do: cloud.enqueue\n",
                name.replace('-', " ")
            ),
            sha256: "5f".repeat(32),
            verifies: vec!["POLL-ACK-003".to_owned()],
        },
        seed: 42,
        repetition: 0,
        tool: "hil 0.1.0".to_owned(),
        catalogue_sha256: "c0".repeat(32),
        clock,
        epoch_unix_us: 1_767_225_600_000_000,
        tolerances: Tolerances {
            stamp_us: 0,
            order_us: 0,
        },
        unit: unit.to_owned(),
        facts: map(json!({"driver": "sim", "version": "1.4.0"})),
        ics: map(json!({"snap_updates": true})),
        timing: map(json!({"poll_interval": 30})),
        params: Map::new(),
    }
}

pub(crate) fn finding(
    requirement: &str,
    level: Level,
    verdict: Verdict,
    text: &str,
    evidence: &[u64],
) -> Finding {
    Finding {
        requirement: (!requirement.is_empty()).then(|| requirement.to_owned()),
        level,
        verdict,
        text: text.to_owned(),
        evidence: evidence.to_vec(),
        blame: Blame::Unit,
        step: None,
        monitor: "edge-poll/ack".to_owned(),
    }
}

pub(crate) fn judged(
    header: TraceHeader,
    records: Vec<Record>,
    verdict: Verdict,
) -> (InstanceSummary, Trace) {
    let summary = InstanceSummary {
        header: header.clone(),
        verdict,
        skipped: None,
        findings: Vec::new(),
        measurements: Vec::new(),
        duration: records.last().map_or(0.0, |r| r.at.seconds()),
        records: records.len() as u64,
    };
    let trace = Trace {
        header,
        records,
        skipped: None,
    };
    (summary, trace)
}

const RESTART: &str =
    r#"[{"id":"c-1","command":"restart_service","payload":{"service":"ntp"},"status":"pending"}]"#;

/// The unit runs a command again because its acknowledgement was lost and it had no power meanwhile.
pub(crate) fn acks_lost() -> (InstanceSummary, Trace) {
    let mut s = Script::new();
    s.unit(UnitChange::Started, json!({"firmware": "current"}))
        .unit(UnitChange::Booted, json!({"boot": 1, "version": "1.4.0"}))
        .step(
            "1",
            "do",
            "cloud.enqueue",
            json!({"command": "restart_service", "payload": {"service": "ntp"}}),
        )
        .push(RecordBody::Cloud {
            name: "queued".to_owned(),
            facts: map(json!({"id": "c-1", "command": "restart_service"})),
        })
        .done("1")
        .step(
            "2",
            "fault",
            "cloud.drop_response",
            json!({"on": "ack", "times": 1}),
        )
        .fault(
            "cloud.drop_response",
            FaultPhase::Armed,
            json!({"on": "ack", "times": 1}),
        )
        .done("2")
        .at(0.9)
        .connect("edge-api")
        .poll("[]");
    for i in 1..=6 {
        s.at(0.9 + f64::from(i) * 30.0).poll("[]");
    }
    s.at(210.9)
        .poll(RESTART)
        .console("restarting ntp\n")
        .at(211.4)
        .request("POST", "/api/v1/commands/c-1/ack", r#"{"status":"completed"}"#)
        .fault("cloud.drop_response", FaultPhase::Acted, json!({"exchange": 9}))
        .push(RecordBody::HttpUnanswered {
            exchange: 9,
            reason: "response dropped, connection reset".to_owned(),
        })
        .push(RecordBody::ConnectionClosed {
            connection: 1,
            ending: Ending::Reset,
            by: Party::Cloud,
        })
        .at(212.0)
        .step("3", "do", "unit.power_cut", json!({"for": "10 s"}))
        .push(RecordBody::Stimulus {
            name: "power".to_owned(),
            arguments: map(json!({"state": "off"})),
            result: Ok(json!({"off_for_s": 10})),
        })
        .unit(UnitChange::PowerCut, json!({}))
        .console("\u{1b}[31mbrown-out\u{1b}[0m\n")
        .at(222.0)
        .unit(UnitChange::PowerRestored, json!({}))
        .unit(UnitChange::Booted, json!({"boot": 2, "version": "1.4.0"}))
        .done("3")
        .step(
            "4",
            "expect",
            "unit.ack",
            json!({"id": "c-1", "status": "completed", "within": "60 s"}),
        )
        .at(223.1)
        .connect("edge-api")
        .poll(RESTART)
        .console("restarting ntp\n")
        .at(223.9)
        .request("POST", "/api/v1/commands/c-1/ack", r#"{"status":"completed"}"#)
        .response(200, r#"{"id":"c-1","status":"completed"}"#, HttpEnding::Complete)
        .done("4")
        .at(253.1)
        .poll("[]")
        .at(300.2);
    let records = s.close(HowClosed::Complete);
    let header = header(Protocol::EdgePoll, "acks-lost", "sim", ClockKind::Virtual);
    let (mut summary, trace) = judged(header, records, Verdict::Fail);
    summary.findings = vec![
        finding(
            "POLL-ACK-003",
            Level::Must,
            Verdict::Fail,
            "Command c-1 was executed twice: it ran at 210.901 s and again at 223.104 s, after a lost acknowledgement and a power cut.",
            &seqs(&trace, &["restarting ntp", "/ack"]),
        ),
        finding(
            "POLL-AUTH-001",
            Level::Must,
            Verdict::Pass,
            "11 requests, each with one key",
            &[],
        ),
        finding(
            "POLL-INTERVAL-001",
            Level::Must,
            Verdict::Pass,
            "Mean 30.0 s over 8 polls",
            &[],
        ),
        Finding {
            step: Some("4".to_owned()),
            monitor: "scenario".to_owned(),
            ..finding("", Level::Must, Verdict::Pass, "unit.ack came after 1.9 s", &[])
        },
    ];
    summary.measurements = (0..7)
        .map(|i| Measurement {
            name: "poll interval".to_owned(),
            seconds: 30.0 + f64::from(i % 3) * 0.4,
            tolerance: 0.01,
            evidence: vec![10 + i as u64 * 2, 12 + i as u64 * 2],
        })
        .chain([Measurement {
            name: "boot to first poll".to_owned(),
            seconds: 1.1,
            tolerance: 0.05,
            evidence: vec![36, 39],
        }])
        .collect();
    (summary, trace)
}

/// Records whose target or output holds one of the words.
fn seqs(trace: &Trace, words: &[&str]) -> Vec<u64> {
    let holds = |record: &&Record| match &record.what {
        RecordBody::HttpRequest { target, .. } => words.iter().any(|w| target.contains(w)),
        RecordBody::Console { payload, .. } => {
            let text = String::from_utf8_lossy(payload.bytes()).into_owned();
            words.iter().any(|w| text.contains(w))
        }
        _ => false,
    };
    trace.records.iter().filter(holds).map(|r| r.seq).collect()
}

fn idle() -> (InstanceSummary, Trace) {
    let mut s = Script::new();
    s.unit(UnitChange::Started, json!({}))
        .unit(UnitChange::Booted, json!({"boot": 1}))
        .step("1", "wait", "20 polls", json!({}))
        .connect("edge-api");
    for i in 0..20 {
        s.at(1.0 + f64::from(i) * 30.0).poll("[]");
    }
    s.done("1");
    let records = s.close(HowClosed::Complete);
    let header = header(Protocol::EdgePoll, "idle", "sim", ClockKind::Virtual);
    let (mut summary, trace) = judged(header, records, Verdict::Pass);
    summary.findings = vec![
        finding(
            "POLL-INTERVAL-001",
            Level::Must,
            Verdict::Pass,
            "Mean 30.000 s over 20 polls",
            &[5, 43],
        ),
        finding(
            "POLL-INTERVAL-002",
            Level::Should,
            Verdict::Fail,
            "All 19 intervals are 30.000 s: no jitter.",
            &[5, 7, 9, 43],
        ),
    ];
    (summary, trace)
}

fn token_expiry() -> (InstanceSummary, Trace) {
    let mut s = Script::new();
    s.unit(UnitChange::Started, json!({}))
        .connect("sota-core")
        .request("POST", "/oauth/token", "grant_type=client_credentials")
        .response(
            200,
            r#"{"access_token":"t-1","expires_in":60}"#,
            HttpEnding::Complete,
        )
        .step("1", "fault", "cloud.expire_token", json!({}))
        .fault("cloud.expire_token", FaultPhase::Armed, json!({}))
        .done("1")
        .step("2", "expect", "unit.tokenRequest", json!({"within": "2 min"}))
        .at(121.0)
        .outcome(
            "2",
            StepOutcome::Unmet,
            json!("no token was asked for within 2 min"),
        );
    let records = s.close(HowClosed::TimedOut);
    let header = header(Protocol::Sota, "token-expiry", "sim", ClockKind::Virtual);
    let (mut summary, trace) = judged(header, records, Verdict::Inconclusive);
    summary.findings = vec![Finding {
        blame: Blame::Harness,
        step: Some("2".to_owned()),
        monitor: "scenario".to_owned(),
        ..finding(
            "SOTA-AUTH-002",
            Level::Must,
            Verdict::Inconclusive,
            "The fault `cloud.expire_token` was armed and never acted, so the unit had no reason to ask.",
            &[6],
        )
    }];
    (summary, trace)
}

fn reconnect() -> (InstanceSummary, Trace) {
    let mut s = Script::new();
    s.unit(UnitChange::Started, json!({"probe": "cmsis-dap"}))
        .connect("aos-ws")
        .push(RecordBody::WebSocketOpened {
            connection: 1,
            exchange: 1,
        })
        .push(RecordBody::WebSocketFrame {
            connection: 1,
            from: Party::Unit,
            opcode: 1,
            fin: true,
            payload: Payload::from(
                r#"{"header":{"version":7,"systemId":"u1"},"data":{"messageType":"unitStatus"}}"#,
            ),
        })
        .at(4.2)
        .push(RecordBody::Trouble {
            blame: Blame::Lab,
            text: "The debug probe `cmsis-dap` went away: USB device not found.".to_owned(),
        });
    let records = s.close(HowClosed::Complete);
    let header = header(Protocol::AosV7, "reconnect", "board-1", ClockKind::Real);
    let (mut summary, trace) = judged(header, records, Verdict::Error);
    summary.findings = vec![Finding {
        blame: Blame::Lab,
        monitor: "trouble".to_owned(),
        ..finding(
            "",
            Level::Must,
            Verdict::Error,
            "The debug probe `cmsis-dap` went away: USB device not found.",
            &[5],
        )
    }];
    (summary, trace)
}

fn unknown_command() -> (InstanceSummary, Trace) {
    let mut s = Script::new();
    s.unit(UnitChange::Started, json!({}))
        .request("POST", "/v1/devices/u1/commands/next", "")
        .response(200, r#"{"command":"dance"}"#, HttpEnding::Complete)
        .request(
            "POST",
            "/v1/devices/u1/commands/7/result",
            r#"{"result":"unsupported"}"#,
        )
        .response(204, "", HttpEnding::Complete);
    let records = s.close(HowClosed::Complete);
    let header = header(
        Protocol::DeviceCommand,
        "unknown-command",
        "sim",
        ClockKind::Virtual,
    );
    let (mut summary, trace) = judged(header, records, Verdict::Pass);
    summary.findings = vec![finding(
        "DCMD-CMD-004",
        Level::Must,
        Verdict::Pass,
        "Refused as it must be",
        &[3],
    )];
    (summary, trace)
}

fn commit() -> (InstanceSummary, Trace) {
    let header = header(
        Protocol::OtaRpc,
        "commit-after-power-cut",
        "bench",
        ClockKind::Real,
    );
    let (mut summary, mut trace) = judged(header, Vec::new(), Verdict::None);
    let reason = "not exercised: the lab has no capability `power`".to_owned();
    summary.skipped = Some(reason.clone());
    trace.skipped = Some(reason);
    (summary, trace)
}

/// One instance of every verdict.
pub(crate) fn run() -> Run {
    let all = [
        acks_lost(),
        commit(),
        idle(),
        reconnect(),
        token_expiry(),
        unknown_command(),
    ];
    let (mut instances, traces): (Vec<_>, Vec<_>) = all.into_iter().unzip();
    instances.sort_by(|a, b| a.header.instance.cmp(&b.header.instance));
    let requirements = [
        (
            "POLL-ACK-003",
            Level::Must,
            "A command is executed at most once, even if its acknowledgement is lost.",
        ),
        (
            "POLL-AUTH-001",
            Level::Must,
            "Each request carries the device key exactly once.",
        ),
        (
            "POLL-AUTH-004",
            Level::Must,
            "A refused key does not stop polling.",
        ),
        (
            "POLL-INTERVAL-001",
            Level::Must,
            "An idle unit polls once per interval.",
        ),
        ("POLL-INTERVAL-002", Level::Should, "Intervals carry jitter."),
        ("POLL-SNAP-009", Level::May, "Downloads resume."),
        ("SOTA-AUTH-002", Level::Must, "An expired token is renewed."),
        ("DCMD-CMD-004", Level::Must, "Unknown commands are refused."),
        ("AOS7-CONN-001", Level::Must, "A lost connection is opened again."),
        (
            "OTA-COMMIT-002",
            Level::Must,
            "An image that is not committed is rolled back.",
        ),
    ];
    let catalogue = Catalogue {
        requirements: requirements
            .iter()
            .map(|(id, level, sentence)| requirement(id, *level, sentence))
            .collect(),
    };
    let coverage = [
        (
            Protocol::EdgePoll,
            vec![
                covered(
                    "POLL-ACK-003",
                    Level::Must,
                    CoverageState::Failed,
                    &["edge-poll/acks-lost@sim"],
                ),
                covered(
                    "POLL-AUTH-001",
                    Level::Must,
                    CoverageState::Passed,
                    &["edge-poll/acks-lost@sim"],
                ),
                covered("POLL-AUTH-004", Level::Must, CoverageState::NotExercised, &[]),
                covered(
                    "POLL-INTERVAL-001",
                    Level::Must,
                    CoverageState::Passed,
                    &["edge-poll/acks-lost@sim", "edge-poll/idle@sim"],
                ),
                covered(
                    "POLL-INTERVAL-002",
                    Level::Should,
                    CoverageState::Warned,
                    &["edge-poll/idle@sim"],
                ),
                covered("POLL-SNAP-009", Level::May, CoverageState::NotApplicable, &[]),
            ],
        ),
        (
            Protocol::DeviceCommand,
            vec![covered(
                "DCMD-CMD-004",
                Level::Must,
                CoverageState::Passed,
                &["device-command/unknown-command@sim"],
            )],
        ),
        (
            Protocol::AosV7,
            vec![covered(
                "AOS7-CONN-001",
                Level::Must,
                CoverageState::NotExercised,
                &[],
            )],
        ),
        (
            Protocol::Sota,
            vec![covered(
                "SOTA-AUTH-002",
                Level::Must,
                CoverageState::Inconclusive,
                &["sota/token-expiry@sim"],
            )],
        ),
        (
            Protocol::OtaRpc,
            vec![covered(
                "OTA-COMMIT-002",
                Level::Must,
                CoverageState::NotExercised,
                &[],
            )],
        ),
    ];
    Run {
        summary: RunSummary {
            tool: "hil 0.1.0".to_owned(),
            seed: 42,
            strict: false,
            interrupted: false,
            instances,
            coverage: coverage
                .into_iter()
                .map(|(p, all)| (p, all.into_iter().collect()))
                .collect(),
            wall_seconds: 6.52,
        },
        traces,
        catalogue,
    }
}

pub(crate) fn requirement(id: &str, level: Level, sentence: &str) -> (String, Requirement) {
    let requirement = Requirement {
        id: id.to_owned(),
        level,
        sentence: sentence.to_owned(),
        origin: vec![Origin::DefinedHere],
        observe: "requests".to_owned(),
        stimuli: Vec::new(),
        applies_when: None,
    };
    (id.to_owned(), requirement)
}

pub(crate) fn covered(
    id: &str,
    level: Level,
    state: CoverageState,
    instances: &[&str],
) -> (String, RequirementCoverage) {
    let coverage = RequirementCoverage {
        level,
        state,
        instances: instances.iter().map(|i| (*i).to_owned()).collect(),
    };
    (id.to_owned(), coverage)
}
