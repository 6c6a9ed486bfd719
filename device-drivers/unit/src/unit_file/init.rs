//! The unit file `hil init` writes: complete, commented, and valid as it stands.

use super::{DriverKind, ROLES, faces_of};
use hil_wire::Protocol;

/// A commented unit file for a protocol and a driver.
pub fn init_template(protocol: Protocol, driver: DriverKind) -> String {
    let mut text = format!(
        "# The unit under test: what runs it, how it is configured, what it can do.\n\
         name: {}\nprotocol: {protocol}\n# sim: hil's own simulated unit; process: a command hil starts; adapter: a command that\n\
         # drives the unit; remote: it runs somewhere already\ndriver: {driver}\n",
        example_name(driver)
    );
    let parts: &[fn(Protocol, DriverKind) -> String] = &[
        process, adapter, settings, cloud, lab, faces, prepare, artifacts, timing, ics, facts, subject,
    ];
    for part in parts {
        let part = part(protocol, driver);
        if !part.is_empty() {
            text.push('\n');
            text.push_str(&part);
        }
    }
    text
}

fn example_name(driver: DriverKind) -> &'static str {
    match driver {
        DriverKind::Sim => "simulated-unit",
        DriverKind::Process => "my-agent",
        DriverKind::Adapter | DriverKind::Remote => "my-unit",
    }
}

fn process(protocol: Protocol, driver: DriverKind) -> String {
    if driver != DriverKind::Process {
        return String::new();
    }
    let (first, _) = examples(protocol);
    format!(
        "# Program and arguments; no shell reads them. {{placeholders}} and HIL_<NAME> in the environment carry the
# settings of the mock cloud ({{{first}}} is HIL_{}), times in seconds ({{boot}}), and paths:
#   {{state_dir}}  the unit's own folder, fresh for every instance, kept over power cuts
#   {{unit_dir}}   the folder of this file
#   {{ca_file}}    the authority to trust, empty without TLS; {{online_certificate_file}}, {{online_key_file}}
{}# A brace that is meant literally around a name is doubled: {{{{name}}}}.
command: [./agent, --state, \"{{state_dir}}\"]
# environment: {{AGENT_URL: \"{{{first}}}\"}}
# working_directory: .
# templates:
#   - {{from: agent.toml.in, to: agent.toml}}  # to is below {{state_dir}}
# ready: {{console: started, timeout: 30s}}  # or face: …
stop: {{signal: TERM, timeout: 10s}}  # then it is killed
restart: never  # or failure, always; {{when: always, delay: 1s}}

# Commands that read facts inside the unit, or do something to it; arguments of the call are placeholders too.
# probes:
#   {}
# stimuli:
#   clock_jump: [./jump-clock, \"{{seconds}}\"]
#   free_space: {{command: [./fill, \"{{bytes}}\"], undo: [./empty]}}  # undo: when the fault is cleared
{}",
        first.to_uppercase(),
        own_settings(protocol),
        example_probe(protocol),
        POWER_AT_WRITES,
    )
}

fn adapter(protocol: Protocol, driver: DriverKind) -> String {
    if driver != DriverKind::Adapter {
        return String::new();
    }
    let (first, _) = examples(protocol);
    format!(
        "# Program and arguments of the adapter; no shell reads them. It gets requests as JSON lines on its standard input
# and answers them on its standard output: hello, provision, start, stop and what else it implements, as described in
# device-drivers/adapter/README.md. `provision` tells it everything that a process would find in its environment:
# HIL_{} and so on, certificates, the folders HIL_STATE_DIR and HIL_UNIT_DIR. Of them {{unit_dir}} is
# a placeholder in the command.
{}command: [./adapter]
# environment: {{BENCH: \"7\"}}
# working_directory: .
# templates:
#   - {{from: agent.toml.in, to: agent.toml}}  # made below HIL_STATE_DIR at each provision
# timeouts: {{provision: 120s, start: 60s}}  # then the adapter is given up, which is an error of the lab
",
        first.to_uppercase(),
        own_settings(protocol),
    )
}

fn settings(protocol: Protocol, driver: DriverKind) -> String {
    let (_, credential) = examples(protocol);
    let more = match protocol {
        Protocol::DeviceCommand => {
            ", device_token: \"…\", issuer_token: \"…\", hmac_key: \"…\", ed25519_public_key: \"…\""
        }
        Protocol::Sota => ", client_id: \"…\", client_secret: \"…\"",
        _ => "",
    };
    match driver {
        DriverKind::Sim => String::new(),
        DriverKind::Process | DriverKind::Adapter => format!(
            "# What the mock cloud makes up for each run can be fixed here.\n# settings: {{{credential}: \"…\"{more}}}\n"
        ),
        DriverKind::Remote => format!(
            "# What the unit was configured with; the mock cloud takes it over.\n# settings: {{{credential}: \"…\"{more}}}\n"
        ),
    }
}

fn faces(protocol: Protocol, driver: DriverKind) -> String {
    let known = faces_of(protocol);
    if known.is_empty() || driver == DriverKind::Sim {
        return String::new();
    }
    let mut text = format!("# Where the unit listens: {}.\n", known.join(", "));
    if driver.has_command() {
        text.push_str(
            "# Port 0 is a free one and {state_dir}/… a path of its own for each instance, so that instances run side by side.\n",
        );
    }
    if protocol == Protocol::Sota {
        text.push_str(match driver {
            DriverKind::Process => {
                "# stdio is the standard input and output of the process. A gateway that is not here is not exercised.\n\
                 faces: {sota-http: \"127.0.0.1:0\", sota-websocket: \"127.0.0.1:0\"}\n\
                 # sota-commands: \"{state_dir}/commands.socket\", sota-events: \"{state_dir}/events.socket\", sota-console: stdio\n\
                 # sota-bus: \"{state_dir}/bus.socket\" (or \"127.0.0.1:0\") is where hil serves the private D-Bus of the client.\n"
            }
            _ => {
                "# A gateway that is not here is not exercised.\n\
                 faces: {sota-http: \"127.0.0.1:8888\", sota-websocket: \"127.0.0.1:3012\"}\n\
                 # sota-commands: /tmp/sota-commands.socket, sota-events: /tmp/sota-events.socket\n\
                 # sota-bus: \"127.0.0.1:4000\" is where hil serves the private D-Bus of the client.\n"
            }
        });
    } else if protocol == Protocol::OtaRpc {
        let port = if driver.has_command() { 0 } else { 8080 };
        text.push_str(&format!("faces: {{rpc-http: \"127.0.0.1:{port}\"}}\n"));
    } else {
        text.push_str(&format!("# faces: {{{}: \"127.0.0.1:8080\"}}\n", known[0]));
    }
    text
}

fn artifacts(protocol: Protocol, driver: DriverKind) -> String {
    let whose = match driver {
        DriverKind::Sim => "The simulated unit has images of its own; these replace them.",
        _ if protocol == Protocol::OtaRpc => {
            "Images by role. hil makes current, next, older and other_platform by itself, and oversize if the facts\n\
             # below say slot_size; what else is missing leaves the scenarios that need it not exercised.\n\
             # crash and hang do so in their initialisation, mute never answers a call."
        }
        _ if protocol == Protocol::Sota => {
            "Images by role. hil makes current, next, older and oversize by itself: bytes nobody can run. A unit that\n\
             # installs more than any file by itself (prepare: package_manager) needs current, next and older of its own."
        }
        _ if protocol == Protocol::AosV7 => {
            "Images by role; each is the one layer of a service. hil makes current, next, older, big and second by itself;\n\
             # crash and other_platform, which the unit must give up, it cannot know. All but second carry one name: they are\n\
             # versions of one item."
        }
        _ => "Images by role. What is missing leaves the scenarios that need it not exercised.",
    };
    let unused: &[&str] = match protocol {
        Protocol::OtaRpc => &["big", "second"],
        _ => &[],
    };
    let roles: Vec<&str> = ROLES
        .iter()
        .copied()
        .filter(|role| !unused.contains(role))
        .collect();
    format!(
        "# {whose}
# Roles: {}.
# Name and version come from file names of the form name_version.ext, or are given.
# artifacts:
#   current: images/app_1.0.0.bin
#   next: {{path: images/app-new.bin, name: app, version: \"2.0.0\"}}
",
        roles.join(", ")
    )
}

fn timing(protocol: Protocol, _: DriverKind) -> String {
    let own = match protocol {
        Protocol::EdgePoll | Protocol::DeviceCommand | Protocol::Sota => "poll_interval: 1s, ",
        Protocol::AosV7 => "ack_timeout: 10s, monitoring_period: 60s, alert_period: 10s, status_delay: 10s, ",
        Protocol::OtaRpc => "snapshot: 10s, stall: 600s, ",
    };
    format!("# Times of the unit; limits are judged by them.\n# timing: {{{own}boot: 5s}}\n")
}

fn ics(protocol: Protocol, _: DriverKind) -> String {
    let example = match protocol {
        Protocol::EdgePoll => "tls: true, configurable-api-url: true",
        Protocol::DeviceCommand => "relay-mode: true, direct-mode: false",
        Protocol::AosV7 => {
            "dialect: publisher, second-node: true, encrypted-desired-status: false, pings: false, range_resume: true"
        }
        Protocol::Sota => "dialect: rustc, websocket: true, console: false",
        Protocol::OtaRpc => {
            "http: true, websocket: false, websocket_client: false, uart: false, acl: false, tls: false, push-update: false,\n\
             #   mqtt: false, snapshots: true, no-snapshots: false, file-system-rpc: false, signatures: false"
        }
    };
    format!(
        "# Implementation conformance statement: optional features the unit has (true) or has not (false). Only what is\n\
         # denied here counts as not applicable.\n# ics: {{{example}}}\n"
    )
}

fn facts(protocol: Protocol, _: DriverKind) -> String {
    match protocol {
        Protocol::EdgePoll => {
            "# What scenarios ask about this unit: its services (the agent's own first), its own snap.\n\
             # facts: {services: [my-agent, logger, web], own_service: my-agent, snap_name: my-agent}\n"
                .to_owned()
        }
        Protocol::OtaRpc => {
            "# What archives made by hil for this unit are: the platform their manifest names, their parts (the application\n\
             # first), bytes of room in a slot.\n\
             # facts: {platform: esp32, parts: [app, fs], slot_size: 1048576}\n"
                .to_owned()
        }
        Protocol::Sota => {
            "# What the unit's system information command prints.\n\
             # facts: {system_info: \"{\\\"id\\\":\\\"x\\\"}\\n\"}\n"
                .to_owned()
        }
        _ => String::new(),
    }
}

/// States a scenario may declare, and how they reach the unit.
fn prepare(protocol: Protocol, driver: DriverKind) -> String {
    if protocol == Protocol::AosV7 && driver == DriverKind::Remote {
        return "# How the unit stands when a scenario begins; scenarios that want what is not said here are not exercised. Its store\n\
                # is empty if it forgets between scenarios what was installed.\n\
                # prepare: {store: empty, node: unprovisioned}\n"
            .to_owned();
    }
    let (variable, example) = match (protocol, driver) {
        (_, DriverKind::Sim) => return String::new(),
        (Protocol::Sota, _) => (
            "polling",
            "polling: true, polling_sec: 1, auth: true, auto_download: true, package_manager: false, system_info: true",
        ),
        (Protocol::AosV7, _) => ("certificate", "certificate: own"),
        (Protocol::OtaRpc, _) => (
            "acl",
            "acl: \"\", users: \"{}\", realm: RPC, sig_req_mask: -1, running: current",
        ),
        _ => return String::new(),
    };
    let how = match driver {
        DriverKind::Process | DriverKind::Adapter => {
            format!(
                "# How scenarios want the unit configured: what is named here reaches it as {{prepare_{variable}}},\n\
                 # HIL_PREPARE_{} and so on, with this value where a scenario says nothing. Scenarios that want what is not\n\
                 # named are not exercised.",
                variable.to_uppercase()
            )
        }
        _ => {
            "# How the unit is configured. Scenarios that want it otherwise, or want what is not said here, are not exercised."
                .to_owned()
        }
    };
    let meaning = match protocol {
        Protocol::AosV7 => {
            "# certificate says whose {online_certificate_file} is: scenarios give other ones, or an empty name for none.\n"
        }
        Protocol::OtaRpc if driver.has_command() => {
            "# acl is an access list, users the passwords by user; both are JSON. The keys behind sig_req_mask are {update_key0}\n\
             # and {update_key1}, public keys in DER, in Base64.\n"
        }
        Protocol::OtaRpc => {
            "# acl is an access list, users the passwords by user; both are JSON. With sig_req_mask the image `next` has to come\n\
             # signed.\n"
        }
        Protocol::Sota if driver.has_command() => {
            "# With package_manager its list of installed packages begins with {running_name} {running_version}.\n"
        }
        _ => "",
    };
    format!("{how}\n{meaning}# prepare: {{{example}}}\n")
}

/// Where the cloud is, for units that cannot be told.
fn cloud(protocol: Protocol, driver: DriverKind) -> String {
    if driver == DriverKind::Sim {
        return String::new();
    }
    let face = match protocol {
        Protocol::EdgePoll => "edge-api: 8080",
        Protocol::DeviceCommand => "device-api: 8080",
        Protocol::AosV7 => "aos-discovery: 8443, aos-websocket: 8444, aos-blobs: 8445",
        Protocol::Sota => "sota-core: 8080, sota-auth: 9001",
        Protocol::OtaRpc => "firmware-host: 8080, mqtt-broker: 1883",
    };
    format!(
        "# Where the mock cloud listens, for units that cannot be told: address, the host name units use, ports by face,\n\
         # and the folder of the authority it trusts, such as the one that `hil cloud --data hil-cloud` made.\n\
         # cloud:\n\
         #   bind: 0.0.0.0\n\
         #   advertise: lab.example\n\
         #   pki: hil-cloud/pki\n\
         #   ports: {{{face}}}\n"
    )
}

/// Instruments around the unit, for those that help with its protocol.
fn lab(protocol: Protocol, driver: DriverKind) -> String {
    let instruments: &[&str] = match (protocol, driver) {
        (_, DriverKind::Sim) | (Protocol::Sota | Protocol::AosV7, _) => return String::new(),
        (Protocol::EdgePoll, _) => &[
            "tap: {segment: 10.91.0.0/24, subnet: 10.91.0.16/28}  # sees whom run_discovery asks for; needs CAP_NET_RAW",
            "time_server: {address: \"127.0.0.1:0\", every: 60s}  # sets its clock over SNTP",
            "names: \"127.0.0.1:0\"  # resolves its names, or does not",
        ],
        (Protocol::DeviceCommand, _) => &[
            "module: \"127.0.0.1:0\"  # a sensor module on {module}, which is reset and misbehaves",
            "time_server: {address: \"127.0.0.1:0\", every: 60s}  # sets its clock over SNTP",
        ],
        (Protocol::OtaRpc, _) => {
            &["time_server: {address: \"127.0.0.1:0\", every: 60s}  # sets its clock over SNTP"]
        }
    };
    let lines: String = instruments.iter().map(|line| format!("#   {line}\n")).collect();
    format!(
        "# Instruments of the lab around the unit, in place of probes and stimuli of its own; it is told {{time_server}} and\n\
         # so on like its own faces. See device-drivers/lab/README.md.\n# lab:\n{lines}"
    )
}

fn subject(_: Protocol, driver: DriverKind) -> String {
    match driver {
        DriverKind::Sim => String::new(),
        _ => "# What exactly is tested; stands in reports and certificates.\n\
              # subject: {version: \"1.0.0\", digest: \"sha256:…\"}\n"
            .to_owned(),
    }
}

/// A setting that says where the cloud is, and one that says who the unit is.
fn examples(protocol: Protocol) -> (&'static str, &'static str) {
    match protocol {
        Protocol::EdgePoll => ("base_url", "device_key"),
        Protocol::DeviceCommand => ("api_base_url", "device_id"),
        Protocol::AosV7 => ("discovery_url", "system_id"),
        Protocol::Sota => ("core_url", "device_uuid"),
        Protocol::OtaRpc => ("rpc_http", "device_id"),
    }
}

/// What else units of a protocol are told.
fn own_settings(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::OtaRpc => {
            "# Where to listen: {rpc_http} (host:port; also {rpc_http_host}, {rpc_http_port}), {rpc_websocket}, {rpc_serial}.\n\
             # {rpc_server_url} is the WebSocket to dial, {mqtt_url} the MQTT broker to connect to (mqtt://host:port; also\n\
             # {mqtt_host}, {mqtt_port}), {device_id} the unit's own id and the first level of its topics.\n"
        }
        Protocol::Sota => {
            "# {core_url}, {device_uuid}; {auth_url}, {client_id}, {client_secret}, empty in scenarios without authentication.\n\
             # Where to listen: {sota_http} (host:port; also {sota_http_host}, {sota_http_port}), {sota_websocket},\n\
             # {sota_commands}. {events_socket} is where the external installer listens,\n\
             # {dbus_address} the private D-Bus, as in `environment: {DBUS_SESSION_BUS_ADDRESS: \"{dbus_address}\"}`.\n"
        }
        Protocol::AosV7 => {
            "# {system_id}, {node_password}; {offline_certificate_file}, {offline_key_file}.\n"
        }
        _ => "",
    }
}

/// What a sweep of power cuts over every write to flash needs of a process.
const POWER_AT_WRITES: &str = "\
#   # Tells the process to end at once, as if power failed, before the write to flash of that number from now on, or,
#   # if torn is true, after the first half of it. It is started again when power comes back. A sweep counts the writes
#   # with the probe `flash_writes: [./count-writes]`.
#   cut_at_write: [./fail-at-write, \"{write}\", \"{torn}\"]
";

fn example_probe(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::EdgePoll => {
            "version: {command: [cat, \"{state_dir}/snaps/{snap_name}/version\"], format: text}"
        }
        Protocol::AosV7 => "item: [cat, \"{state_dir}/items/{item}/version\"]",
        Protocol::Sota => "image: [sh, -c, \"sha256sum {state_dir}/packages/{id} | cut -d' ' -f1\"]",
        _ => "version: {command: [cat, \"{state_dir}/version\"], format: text}",
    }
}
