//! Arguments of `hil call`.

use clap::Args;
use std::path::PathBuf;

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

pub(super) const CALL_EXAMPLES: &str = "\
Examples:
  hil call http://192.0.2.7/rpc OTA.GetBootState
  hil call ws://192.0.2.7/rpc OTA.Update '{\"url\":\"http://192.0.2.1/fw.zip\",\"commit_timeout\":300}'
  hil call https://board.lab/rpc OTA.Commit --ca authority.pem --user admin:secret
  hil call /dev/ttyUSB0 Sys.GetInfo

Exit codes: 0 the unit answered, 1 it cannot be reached or answers nonsense, 2 command line,
4 the unit answered with an error or refused the credentials";
