//! The command line as typed arguments.

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use hil_wire::Protocol;
use std::path::PathBuf;

/// Test and certify device agents against a reference mock cloud.
#[derive(Debug, Parser)]
#[command(name = "hil", version, after_help = EXAMPLES, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run scenarios against a unit and judge them
    #[command(after_help = RUN_EXAMPLES)]
    Run(RunArguments),
    /// List scenarios, units, requirements or defects
    List(ListArguments),
    /// Test the tests: clean units must trip nothing, each defect its own requirement
    #[command(after_help = SELFTEST_EXAMPLES)]
    Selftest(SelftestArguments),
    /// Check scenario and unit files without running anything
    #[command(after_help = "Example:\n  hil lint my-suites/ unit.yaml")]
    Lint(LintArguments),
    /// Judge a journal again
    #[command(after_help = "Examples:\n  hil judge report/journal.jsonl\n  hil judge report/ --digest")]
    Judge(JudgeArguments),
    /// Turn a journal into a report
    #[command(after_help = "Example:\n  hil report report/ --format html --output page.html")]
    Report(ReportArguments),
    /// Serve the mock cloud on TCP
    #[command(after_help = CLOUD_EXAMPLES)]
    Cloud(CloudArguments),
    /// Run a simulated unit on TCP, for clients and clouds of others
    #[command(after_help = SIMULATE_EXAMPLES)]
    Simulate(SimulateArguments),
    /// Call an OTA RPC unit over HTTP, WebSocket or serial
    #[command(after_help = CALL_EXAMPLES)]
    Call(CallArguments),
    /// Carry connections between a unit and a cloud of anybody, with faults on the way
    #[command(after_help = PROXY_EXAMPLES)]
    Proxy(ProxyArguments),
    /// Write a commented unit.yaml
    #[command(after_help = "Example:\n  hil init edge-poll --driver process > unit.yaml")]
    Init(InitArguments),
    /// Print a JSON Schema for editors
    #[command(after_help = "Example:\n  hil schema scenario > scenario.schema.json")]
    Schema(SchemaArguments),
    /// Print shell completions
    #[command(after_help = "Example:\n  hil completions bash > /etc/bash_completion.d/hil")]
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// Which scenarios.
#[derive(Debug, Default, Args)]
pub(crate) struct FilterArguments {
    /// Only this protocol (may be given several times)
    #[arg(long, value_name = "PROTOCOL")]
    pub(crate) protocol: Vec<Protocol>,
    /// Only scenarios whose path contains this
    #[arg(long = "path", value_name = "PART")]
    pub(crate) paths: Vec<String>,
    /// Only scenarios with this tag; `long` scenarios run only when asked for
    #[arg(long = "tag", value_name = "TAG")]
    pub(crate) tags: Vec<String>,
    /// Only scenarios that verify this requirement, or ids beginning with this
    #[arg(long = "requirement", value_name = "ID")]
    pub(crate) requirements: Vec<String>,
    /// Add the scenarios of a folder; one of the same path replaces an embedded one
    #[arg(long, value_name = "DIR")]
    pub(crate) scenarios: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    /// Unit under test: a unit.yaml, or sim:PROTOCOL; every simulated unit if not given
    #[arg(long = "unit", value_name = "FILE|sim:PROTOCOL")]
    pub(crate) units: Vec<String>,
    #[command(flatten)]
    pub(crate) filter: FilterArguments,
    /// Seed of everything random; printed by every run
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Instances at a time
    #[arg(long, short = 'j', value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) jobs: Option<u16>,
    /// How often each scenario runs
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) repeat: u32,
    /// Set a parameter of the scenarios
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub(crate) set: Vec<String>,
    /// Tier of parameters
    #[arg(long, value_name = "TIER", value_parser = clap::builder::PossibleValuesParser::new(hil_scenario::TIERS))]
    pub(crate) tier: Option<String>,
    /// Use this file as the image of a role
    #[arg(long = "artifact", value_name = "ROLE=FILE")]
    pub(crate) artifacts: Vec<String>,
    /// Inject a fault into every scenario, before its first step: NAME, or 'NAME: {ARGUMENTS}, when: …'
    #[arg(long = "fault", value_name = "FAULT")]
    pub(crate) faults: Vec<String>,
    /// Arm every fault and let none act: whatever passes then needs no fault
    #[arg(long, conflicts_with = "faults")]
    pub(crate) without_faults: bool,
    /// Violated SHOULD requirements fail
    #[arg(long)]
    pub(crate) strict: bool,
    /// End the run with the first failure or error
    #[arg(long)]
    pub(crate) fail_fast: bool,
    /// Write journal, report.json, junit.xml, report.html and summary.md into a folder
    #[arg(long, value_name = "DIR")]
    pub(crate) report: Option<PathBuf>,
    /// Give simulated units a deliberate misbehaviour
    #[arg(long = "defect", value_name = "NAME")]
    pub(crate) defects: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    /// What
    #[arg(value_enum, default_value_t = Listed::Scenarios)]
    pub(crate) what: Listed,
    #[command(flatten)]
    pub(crate) filter: FilterArguments,
}

/// What `list` lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Listed {
    /// Scenarios with what they verify
    Scenarios,
    /// Units that come with hil
    Units,
    /// Ways back to the version before, and the scenarios that show each; every requirement on time
    RollbackPaths,
    /// Deliberate misbehaviours of simulated units, and the requirement each must trip
    Defects,
    /// Requirements, and how many scenarios verify each; `-`: none but, perhaps, a monitor, which judges every run
    Requirements,
}

#[derive(Debug, Args)]
pub(crate) struct SelftestArguments {
    /// Only this defect (may be given several times); clean units are not judged then
    #[arg(long = "defect", value_name = "NAME")]
    pub(crate) defects: Vec<String>,
    /// Only this protocol (may be given several times)
    #[arg(long, value_name = "PROTOCOL")]
    pub(crate) protocol: Vec<Protocol>,
    /// Number of seeds
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) seeds: u32,
    /// The first seed; the others follow it
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Instances at a time
    #[arg(long, short = 'j', value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) jobs: Option<u16>,
    /// Add the scenarios of a folder; one of the same path replaces an embedded one
    #[arg(long, value_name = "DIR")]
    pub(crate) scenarios: Vec<PathBuf>,
    /// Print a line for each defect
    #[arg(long, conflicts_with = "json")]
    pub(crate) all: bool,
    /// Print the matrix as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Write selftest.html and selftest.json into a folder
    #[arg(long, value_name = "DIR")]
    pub(crate) report: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct LintArguments {
    /// Scenario files, folders of them, or unit.yaml files; the embedded suites if none is given
    pub(crate) files: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct JudgeArguments {
    /// A journal, or the folder it is in
    pub(crate) journal: PathBuf,
    /// Print the digest of what happened instead
    #[arg(long)]
    pub(crate) digest: bool,
    /// Violated SHOULD requirements fail
    #[arg(long)]
    pub(crate) strict: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ReportArguments {
    /// A journal, or the folder it is in
    pub(crate) journal: PathBuf,
    /// Format
    #[arg(long, value_enum, default_value_t = Format::Html)]
    pub(crate) format: Format,
    /// Write to a file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Violated SHOULD requirements fail
    #[arg(long)]
    pub(crate) strict: bool,
}

/// Formats of `report`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// One self-contained page
    Html,
    /// JUnit XML (Surefire)
    Junit,
    /// JSON with a schema
    Json,
    /// Markdown for merge requests
    Markdown,
    /// As on the terminal
    Text,
}

#[derive(Debug, Args)]
pub(crate) struct CloudArguments {
    /// Protocols to serve; all if none is given
    #[arg(long, value_name = "PROTOCOL")]
    pub(crate) protocol: Vec<Protocol>,
    /// Address to listen on
    #[arg(long, default_value = "127.0.0.1")]
    pub(crate) bind: String,
    /// Host name units are told
    #[arg(long, value_name = "HOST")]
    pub(crate) advertise: Option<String>,
    /// Public URL in download links
    #[arg(long, value_name = "URL", env = "API_PUBLIC_URL")]
    pub(crate) public_url: Option<String>,
    /// Fixed port of a face; [PROTOCOL.]FACE=PORT
    #[arg(long = "port", value_name = "FACE=PORT")]
    pub(crate) ports: Vec<String>,
    /// Folder for the database and certificates
    #[arg(long, default_value = "hil-cloud", value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// Address of the admin interface; other addresses than loopback need a token
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDRESS")]
    pub(crate) admin: String,
    /// Token of the admin interface and of operators; made if not given
    #[arg(long, env = "HIL_ADMIN_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub(crate) admin_token: Option<String>,
    /// Identity of the unit
    #[arg(long, default_value = "hil-unit-0001", value_name = "ID")]
    pub(crate) unit_id: String,
    /// Key or token of the unit; made if not given
    #[arg(long, env = "HIL_UNIT_KEY", hide_env_values = true, value_name = "KEY")]
    pub(crate) unit_key: Option<String>,
    /// Token of publishers; made if not given
    #[arg(
        long,
        env = "SNAP_PUBLISH_TOKEN",
        hide_env_values = true,
        value_name = "TOKEN"
    )]
    pub(crate) publish_token: Option<String>,
    /// Where a unit that is itself the server can be reached; HOST:PORT, or a path
    #[arg(long = "unit-face", value_name = "FACE=ADDRESS")]
    pub(crate) unit_faces: Vec<String>,
    /// Use this file as the image of a role; hil's own images if none is given
    #[arg(long = "artifact", value_name = "ROLE=FILE")]
    pub(crate) artifacts: Vec<String>,
    /// Option of the protocols, such as tls=true; [PROTOCOL.]NAME=VALUE
    #[arg(long = "option", value_name = "NAME=VALUE")]
    pub(crate) options: Vec<String>,
    /// Append TLS session secrets to a file, for reading captures
    #[arg(long, value_name = "FILE")]
    pub(crate) key_log: Option<PathBuf>,
    /// Append every record to trace.jsonl in the data folder
    #[arg(long)]
    pub(crate) trace: bool,
    /// How many records of each protocol stay readable through the admin interface
    #[arg(long, default_value_t = 10_000, value_name = "N")]
    pub(crate) keep: usize,
}

#[derive(Debug, Args)]
pub(crate) struct ProxyArguments {
    /// Where it listens; port 0 takes a free one
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:0")]
    pub(crate) listen: String,
    /// Where every connection is carried on to
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) to: String,
    /// A fault on connections, in the words of scenarios, perhaps with `when: SPAN`
    #[arg(long = "fault", value_name = "FAULT", required = true)]
    pub(crate) faults: Vec<String>,
    /// The unit is at --to, and the cloud connects to it
    #[arg(long)]
    pub(crate) unit_listens: bool,
    /// Seed of jitter and probabilities
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Print one JSON object for each line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SimulateArguments {
    /// The protocol the unit speaks
    pub(crate) protocol: Protocol,
    /// Where it listens: a free port on loopback, or a path in a folder of its own, if not given
    #[arg(long = "listen", value_name = "FACE=HOST:PORT|PATH")]
    pub(crate) listen: Vec<String>,
    /// Where the cloud is; NAME if it has several addresses, such as auth_url
    #[arg(long = "cloud", value_name = "[NAME=]URL")]
    pub(crate) cloud: Vec<String>,
    /// What the unit is told: NAME=VALUE lines or a JSON object, as `hil cloud` writes and prints; or the data folder
    /// of `hil cloud`
    #[arg(long, value_name = "FILE")]
    pub(crate) endpoints: Option<PathBuf>,
    /// Anything else the unit is told, such as device_key
    #[arg(long = "setting", value_name = "NAME=VALUE")]
    pub(crate) settings: Vec<String>,
    /// The authority it trusts, PEM
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// A TLS client certificate and its key, PEM, such as online=unit.pem,unit.key
    #[arg(long = "identity", value_name = "NAME=CERTIFICATE,KEY")]
    pub(crate) identities: Vec<String>,
    /// A time of the unit, such as poll_interval=5s
    #[arg(long = "timing", value_name = "NAME=TIME")]
    pub(crate) timing: Vec<String>,
    /// An optional feature or fact of the unit, such as dialect=publisher
    #[arg(long = "ics", value_name = "NAME=VALUE")]
    pub(crate) ics: Vec<String>,
    /// A part of the state it starts in, such as running=older
    #[arg(long = "prepare", value_name = "NAME=VALUE")]
    pub(crate) prepare: Vec<String>,
    /// Use this file as the image of a role; hil's own images otherwise
    #[arg(long = "artifact", value_name = "ROLE=FILE")]
    pub(crate) artifacts: Vec<String>,
    /// Give it a deliberate misbehaviour
    #[arg(long = "defect", value_name = "NAME")]
    pub(crate) defects: Vec<String>,
    /// Keep its storage in a folder: it goes on where it was, even after it was killed
    #[arg(long, value_name = "DIR")]
    pub(crate) state: Option<PathBuf>,
    /// Run nothing: print a fact of the unit whose storage is in --state
    #[arg(long, value_name = "NAME", requires = "state")]
    pub(crate) probe: Option<String>,
    /// An argument of --probe
    #[arg(long = "argument", value_name = "NAME=VALUE", requires = "probe")]
    pub(crate) arguments: Vec<String>,
    /// Seed of everything random in it
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Print one JSON object for each line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CallArguments {
    /// http://HOST/rpc, https://…, ws://…, wss://…, or the path of a serial port
    pub(crate) url: String,
    /// Such as OTA.GetBootState
    pub(crate) method: String,
    /// Arguments as JSON
    pub(crate) arguments: Option<String>,
    /// Seconds to wait for the reply
    #[arg(long, default_value_t = 20.0, value_name = "SECONDS")]
    pub(crate) timeout: f64,
    /// Answer a demand for digest authentication
    #[arg(
        long,
        env = "HIL_RPC_USER",
        hide_env_values = true,
        value_name = "NAME:PASSWORD"
    )]
    pub(crate) user: Option<String>,
    /// The authority the unit's certificate must be of, PEM; that of the system if not given
    #[arg(long, value_name = "FILE", conflicts_with = "insecure")]
    pub(crate) ca: Option<PathBuf>,
    /// A TLS client certificate, PEM
    #[arg(long, value_name = "FILE", requires = "key")]
    pub(crate) cert: Option<PathBuf>,
    /// Its private key, PEM
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub(crate) key: Option<PathBuf>,
    /// Accept any certificate of the unit
    #[arg(long)]
    pub(crate) insecure: bool,
    /// Bits per second on a serial port
    #[arg(long, default_value_t = 115_200, value_name = "RATE")]
    pub(crate) baud_rate: u32,
}

#[derive(Debug, Args)]
pub(crate) struct InitArguments {
    /// The protocol the unit speaks
    pub(crate) protocol: Protocol,
    /// What runs it
    #[arg(long, default_value = "process", value_parser = ["process", "remote", "sim"])]
    pub(crate) driver: String,
}

#[derive(Debug, Args)]
pub(crate) struct SchemaArguments {
    /// Which files it is for
    #[arg(value_enum, default_value_t = SchemaOf::Scenario)]
    pub(crate) of: SchemaOf,
}

/// Files with a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaOf {
    /// Scenario files
    Scenario,
    /// unit.yaml
    Unit,
    /// report.json
    Report,
}

const EXAMPLES: &str = "\
Examples:
  hil run                                  every suite against the simulated units
  hil run --unit unit.yaml --report out    your own agent, with reports in out/
  hil list requirements --protocol aos-v7
  hil judge out/ && hil report out/ --format markdown

Exit codes: 0 pass, 1 unexpected, 2 command line, 3 invalid file, 4 failed, 5 inconclusive,
6 error of lab or harness, 7 nothing ran";

const RUN_EXAMPLES: &str = "\
Examples:
  hil run
  hil run --protocol edge-poll --path ack
  hil run --unit unit.yaml --artifact next=build/fw.zip --report out
  hil run --unit sim:ota-rpc --set window=300s --repeat 10
  hil run --requirement POLL-ACK --strict
  hil run --path edge-poll/snap --fault 'cloud.reset: {on: ack, when: after_handling, times: 1}'";

const SELFTEST_EXAMPLES: &str = "\
Examples:
  hil selftest                                  every suite and every defect with seed 1
  hil selftest --seeds 10 --report out          with seeds 1 to 10, and the matrix as a page
  hil selftest --defect polls-too-fast --all

Exit codes: 0 every defect was detected by its own requirement and clean units tripped nothing,
4 a defect was missed or a clean unit accused, 5 cut short";

const CLOUD_EXAMPLES: &str = "\
Examples:
  hil cloud --protocol edge-poll --port edge-api=8080
  hil cloud --bind 0.0.0.0 --advertise lab-7.example --data /var/lib/hil
  hil cloud --protocol ota-rpc --unit-face rpc-http=192.0.2.7:80 --trace
  curl -X POST $HIL_ADMIN_URL/admin/edge-poll/act/queue -d '{\"command\":\"run_discovery\"}'

Admin interface: GET /admin/clouds, GET /admin/PROTOCOL/settings, POST /admin/PROTOCOL/act/ACTION,
PUT /admin/PROTOCOL/artifacts/ROLE?name=NAME&version=VERSION, PUT /admin/PROTOCOL/unit-faces/FACE,
POST /admin/PROTOCOL/faults, DELETE /admin/PROTOCOL/faults[/ID], GET /admin/PROTOCOL/trace?after=SEQ&wait=SECONDS";

const PROXY_EXAMPLES: &str = "\
Examples:
  hil proxy --listen 127.0.0.1:9000 --to 192.0.2.1:8080 --fault 'net.latency: {span: 200ms, jitter: 50ms}'
  hil proxy --to cloud.example:443 --fault 'net.reset: {after_bytes: 4096, times: 1}' \\
      --fault 'net.bandwidth: {bytes_per_second: 10000}'
  hil proxy --to cloud.example:443 --fault 'net.black_hole: {for: 10m}, when: 30s'
  hil proxy --to 192.0.2.7:80 --unit-listens --fault 'net.truncate: {after_bytes: 100, direction: to_cloud}'

It prints where it listens, every connection, and every fault as it acts, and runs until SIGINT or SIGTERM.
Bytes pass as they are, TLS included. `times` and `skip` count connections a fault would act on.";
const SIMULATE_EXAMPLES: &str = "\
Examples:
  hil simulate ota-rpc --listen rpc-http=127.0.0.1:8080
  hil simulate ota-rpc --listen rpc-serial=/tmp/board        a serial line, as a pseudo terminal
  hil simulate edge-poll --endpoints hil-cloud               the cloud that `hil cloud` serves
  hil simulate edge-poll --cloud http://192.0.2.1:8080 --setting device_key=edk_… --timing poll_interval=5s
  hil simulate aos-v7 --cloud https://192.0.2.1:9000/sd/v7/ --setting system_id=hil-unit-0001 \\
      --ca authority.pem --identity online=unit.pem,unit.key --ics dialect=publisher
  hil simulate sota --listen sota-http=127.0.0.1:8888 --ics dialect=serde --prepare package_manager=true
  hil simulate device-command --listen device-direct=127.0.0.1:8081 --setting issuer_token=secret

What is not given is taken from HIL_<NAME> in the environment, so that it can be the command of a process unit:
  command: [hil, simulate, edge-poll, --state, \"{state_dir}/unit\"]
  probes: {version: [hil, simulate, edge-poll, --state, \"{state_dir}/unit\", --probe, version]}

It prints where it listens, its console, reboots and power events, and `ready` once it can be called.
It runs until SIGINT or SIGTERM, or until the unit's software ends, whose status it returns.";

const CALL_EXAMPLES: &str = "\
Examples:
  hil call http://192.0.2.7/rpc OTA.GetBootState
  hil call ws://192.0.2.7/rpc OTA.Update '{\"url\":\"http://192.0.2.1/fw.zip\",\"commit_timeout\":300}'
  hil call https://board.lab/rpc OTA.Commit --ca authority.pem --user admin:secret
  hil call /dev/ttyUSB0 Sys.GetInfo

Exit codes: 0 the unit answered, 1 it cannot be reached or answers nonsense, 2 command line,
4 the unit answered with an error or refused the credentials";
