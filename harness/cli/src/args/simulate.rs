//! Arguments of `hil simulate`.

use clap::Args;
use hil_wire::Protocol;
use std::path::PathBuf;

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

pub(super) const SIMULATE_EXAMPLES: &str = "\
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
