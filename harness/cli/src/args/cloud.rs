//! Arguments of `hil cloud`.

use clap::Args;
use hil_wire::Protocol;
use std::path::PathBuf;

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

pub(super) const CLOUD_EXAMPLES: &str = "\
Examples:
  hil cloud --protocol edge-poll --port edge-api=8080
  hil cloud --bind 0.0.0.0 --advertise lab-7.example --data /var/lib/hil
  hil cloud --protocol ota-rpc --unit-face rpc-http=192.0.2.7:80 --trace
  curl -X POST $HIL_ADMIN_URL/admin/edge-poll/act/queue -d '{\"command\":\"run_discovery\"}'

Admin interface: GET /admin/clouds, GET /admin/PROTOCOL/settings, POST /admin/PROTOCOL/act/ACTION,
PUT /admin/PROTOCOL/artifacts/ROLE?name=NAME&version=VERSION, PUT /admin/PROTOCOL/unit-faces/FACE,
POST /admin/PROTOCOL/faults, DELETE /admin/PROTOCOL/faults[/ID], GET /admin/PROTOCOL/trace?after=SEQ&wait=SECONDS";
