//! One instance's world: clock, network, cloud and unit, all virtual or all real.

use crate::{
    BenchKind, Dispatcher, Preparation, UnitUnderTest,
    faults::{Makers, SharedUnit},
    seed::sub_seed,
    sweep::Cutter,
};
use hil_fault::{Artifacts, Faults};
use hil_link::{Address, Clock, Network, free_port};
use hil_mock_cloud::{
    CloudError, CloudSettings, CloudSurroundings, MemoryStore, MockCloud, SqliteStore, Store,
};
use hil_scenario::{Plan, Sweep};
use hil_trace::{Blame, SharedRecorder, TraceHeader};
use hil_unit::{Endpoints, Surroundings, UnitError, unit_file::STATE_DIRECTORY};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    rc::Rc,
};
use tokio::sync::Mutex;

/// Cloud and unit of one instance, ready for the first step.
pub(crate) struct Bench {
    pub(crate) cloud: Rc<MockCloud>,
    pub(crate) unit: SharedUnit,
    /// Those who make faults act on cloud and unit.
    pub(crate) makers: Makers,
    /// Cuts power where a sweep does.
    pub(crate) cutter: Cutter,
    pub(crate) dispatcher: Rc<Dispatcher>,
    /// The cloud listens only once the unit is started.
    pub(crate) held: bool,
}

/// Why a bench could not be set up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BenchError {
    #[error("the mock cloud could not start: {0}")]
    Cloud(#[from] CloudError),
    #[error("the unit could not be set up: {0}")]
    Unit(#[from] UnitError),
}

impl BenchError {
    pub(crate) fn blame(&self) -> Blame {
        match self {
            BenchError::Cloud(CloudError::Listen { .. }) => Blame::Lab,
            BenchError::Cloud(_) => Blame::Cloud,
            BenchError::Unit(error) => error.blame(),
        }
    }
}

/// The clock of a kind of bench; must be called on its runtime.
pub(crate) fn clock(kind: BenchKind) -> Clock {
    match kind {
        BenchKind::Virtual => Clock::new_virtual(),
        BenchKind::Real => Clock::new_real(),
    }
}

impl Bench {
    pub(crate) async fn set_up(
        plan: &Plan,
        unit: &UnitUnderTest,
        artifacts: Artifacts,
        header: &TraceHeader,
        dispatcher: Rc<Dispatcher>,
        driver: &dyn hil_unit::Driver,
        state_directory: Option<PathBuf>,
    ) -> Result<Bench, BenchError> {
        let clock = dispatcher.clock();
        let recorder: SharedRecorder = dispatcher.clone();
        let (network, store): (Network, Rc<dyn Store>) = match unit.bench {
            BenchKind::Virtual => (Network::new_memory(), Rc::new(MemoryStore::default())),
            BenchKind::Real => (
                Network::Tcp,
                Rc::new(SqliteStore::in_memory().map_err(CloudError::from)?),
            ),
        };
        let seed = sub_seed(header.seed, header.purpose());
        let faces = faces(unit, state_directory.as_deref())?;
        let settings = settings(plan, unit, seed);
        let faults = Rc::new(Faults::new(recorder.clone(), seed));
        if header.without_faults {
            faults.withhold();
        }
        let surroundings = CloudSurroundings {
            clock,
            network: network.clone(),
            recorder: recorder.clone(),
            faults: faults.clone(),
            store,
            artifacts: artifacts.clone(),
            unit_faces: faces.clone(),
        };
        let cloud = Rc::new(MockCloud::start(settings, surroundings).await?);
        let identities = cloud.identities();
        let authority = match cloud.speaks_tls() || !identities.is_empty() {
            true => cloud.authority_pem().to_owned(),
            false => String::new(),
        };
        let mut endpoints = Endpoints {
            settings: cloud.endpoints(),
            authority,
            identities,
            missing_identities: cloud.missing_identities(),
        };
        endpoints.settings.extend(unit.settings.clone());
        let mut made = driver.create(Surroundings {
            clock,
            network,
            recorder,
            endpoints,
            artifacts,
            faces,
            timing: unit.timing.clone(),
            ics: unit.ics.clone(),
            seed,
            state_directory,
        })?;
        made.prepare(&plan.prepare).await?;
        // A unit that runs already must find nothing before the scenario starts it.
        let held = matches!(unit.prepare, Preparation::Fixed(_));
        if held {
            cloud.hold();
        }
        let unit: SharedUnit = Rc::new(Mutex::new(made));
        let run = header.sweep.as_deref().cloned();
        let counts_writes = plan.sweep.as_ref().is_some_and(Sweep::counts_writes);
        let makers = Makers {
            stage: dispatcher.clone(),
            faults,
            unit: Some(unit.clone()),
            cloud: cloud.clone(),
            disturbances: Rc::default(),
        };
        let cutter = Cutter::new(run, counts_writes, unit.clone(), makers.clone());
        Ok(Bench {
            cloud,
            unit,
            makers,
            cutter,
            dispatcher,
            held,
        })
    }
}

/// Where the unit shall listen; a port 0 becomes a free one and a path gets the state folder of the instance, so that
/// instances can run side by side.
fn faces(
    unit: &UnitUnderTest,
    state_directory: Option<&Path>,
) -> Result<BTreeMap<String, Address>, UnitError> {
    let face = |(name, address): (&String, &Address)| {
        let address = match address {
            Address::Host(host, 0) if unit.bench == BenchKind::Real => {
                let port = free_port(host).map_err(|error| {
                    UnitError::Lab(format!(
                        "no free port on {host} for the unit's face `{name}`: {error}"
                    ))
                })?;
                Address::Host(host.clone(), port)
            }
            Address::Path(path) => Address::Path(inside(path, state_directory)?),
            other => other.clone(),
        };
        Ok((name.clone(), address))
    };
    let mut faces: BTreeMap<_, _> = unit.faces.iter().map(face).collect::<Result<_, _>>()?;
    // One server does both unless the unit file says otherwise.
    if let Some(address) = faces.get("rpc-http").cloned() {
        faces.entry("rpc-websocket".to_owned()).or_insert(address);
    }
    Ok(faces)
}

/// A path below the state folder, which is made: the cloud may listen there before the unit is prepared.
fn inside(path: &str, state_directory: Option<&Path>) -> Result<String, UnitError> {
    let (Some(rest), Some(directory)) = (path.strip_prefix(STATE_DIRECTORY), state_directory) else {
        return Ok(path.to_owned());
    };
    let path = format!("{}{rest}", directory.display());
    let folder = Path::new(&path).parent().unwrap_or(directory);
    std::fs::create_dir_all(folder)
        .map_err(|error| UnitError::Lab(format!("cannot make the folder {}: {error}", folder.display())))?;
    Ok(path)
}

fn settings(plan: &Plan, unit: &UnitUnderTest, seed: u64) -> CloudSettings {
    let given = |name: &str| unit.settings.get(name).cloned();
    let made = |purpose: &str| {
        format!(
            "{:016x}{:016x}",
            sub_seed(seed, purpose),
            sub_seed(seed, &format!("{purpose}+"))
        )
    };
    let real = unit.bench == BenchKind::Real;
    let unit_id = given("device_id")
        .or(given("system_id"))
        .or(given("device_uuid"))
        .unwrap_or_else(|| "hil-unit-0001".to_owned());
    let unit_key = given("device_key")
        .or(given("device_token"))
        .or(given("client_secret"))
        .unwrap_or_else(|| format!("hik_{}", made("unit key")));
    let mut options = plan.cloud.clone();
    for (name, value) in &unit.ics {
        if name == "dialect" && !options.contains_key(name) {
            options.insert(name.clone(), value.clone());
        }
    }
    for name in ["client_id", "hmac_key", "ed25519_public_key"] {
        if let Some(value) = given(name) {
            options.entry(name).or_insert(value.into());
        }
    }
    if let Some(kind) = plan.prepare.get("certificate") {
        options.insert("unit_certificate".to_owned(), kind.clone());
    }
    // A unit that runs already is as the instance before left it.
    if let Preparation::Fixed(_) = unit.prepare {
        options.insert("unsettled".to_owned(), serde_json::Value::Bool(true));
    }
    // A unit without faces may be reached through the broker it connects to.
    if unit.ics.get("mqtt") == Some(&serde_json::Value::Bool(true)) {
        options.insert("mqtt".to_owned(), serde_json::Value::Bool(true));
    }
    // A unit without lab mode speaks to nobody over plain transport.
    if unit.ics.get("lab-mode") == Some(&serde_json::Value::Bool(false)) {
        options.entry("tls").or_insert(serde_json::Value::Bool(true));
    }
    if let Some(folder) = &unit.authority_directory {
        options.insert(
            "authority_directory".to_owned(),
            folder.display().to_string().into(),
        );
    }
    if real {
        // What a unit remembers of an earlier instance is about other ids.
        options.insert("id_prefix".to_owned(), format!("{:08x}-", seed as u32).into());
    }
    CloudSettings {
        protocol: plan.protocol,
        bind: if real {
            unit.bind.clone()
        } else {
            "cloud.hil.test".to_owned()
        },
        advertised_host: if real {
            unit.advertised_host.clone()
        } else {
            "cloud.hil.test".to_owned()
        },
        ports: unit.ports.clone(),
        public_url: None,
        unit_id,
        unit_key,
        admin_token: given("issuer_token").unwrap_or_else(|| made("admin token")),
        publish_token: made("publish token"),
        options,
        seed,
    }
}
