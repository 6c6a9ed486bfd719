//! Arguments of `hil proxy`.

use clap::Args;

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

pub(super) const PROXY_EXAMPLES: &str = "\
Examples:
  hil proxy --listen 127.0.0.1:9000 --to 192.0.2.1:8080 --fault 'net.latency: {span: 200ms, jitter: 50ms}'
  hil proxy --to cloud.example:443 --fault 'net.reset: {after_bytes: 4096, times: 1}' \\
      --fault 'net.bandwidth: {bytes_per_second: 10000}'
  hil proxy --to cloud.example:443 --fault 'net.black_hole: {for: 10m}, when: 30s'
  hil proxy --to 192.0.2.7:80 --unit-listens --fault 'net.truncate: {after_bytes: 100, direction: to_cloud}'

It prints where it listens, every connection, and every fault as it acts, and runs until SIGINT or SIGTERM.
Bytes pass as they are, TLS included. `times` and `skip` count connections a fault would act on.";
