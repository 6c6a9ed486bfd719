//! Faults armed outside scenarios, such as by the operator of a served cloud.

use super::{Makers, Spark, Stage};
use hil_fault::{Effect, FaultError, FaultId, FaultSpec, Faults};
use hil_link::Clock;
use hil_mock_cloud::MockCloud;
use hil_scenario::{ExtraFault, Lookup, Unresolved};
use hil_trace::Stamp;
use serde_json::{Map, Value};
use std::rc::Rc;
use tokio::task::JoinSet;

/// Why a fault cannot be armed.
#[derive(Debug, thiserror::Error)]
pub enum ArmError {
    /// Its arguments make no fault.
    #[error(transparent)]
    Fault(#[from] FaultError),
    /// It refers to something only a scenario knows.
    #[error(transparent)]
    Unresolved(#[from] Unresolved),
    /// It acts on a unit, and there is none.
    #[error("`{0}` acts on the unit, and there is none here to act on")]
    NoUnit(String),
    /// It waits for an event, and nobody reads events.
    #[error("`{0}` cannot wait for an event: what goes over these connections is not read")]
    NoEvents(String),
}

/// Arms a fault where there is a cloud and no unit; what it waits for lies in `fuses`.
pub async fn arm_extra(
    fault: &ExtraFault,
    stage: Rc<dyn Stage>,
    cloud: &Rc<MockCloud>,
    fuses: &mut JoinSet<()>,
) -> Result<FaultId, ArmError> {
    let (spec, spark) = resolved(fault, stage.clock().now())?;
    if let Effect::Unit(_) = spec.effect {
        return Err(ArmError::NoUnit(spec.name));
    }
    let makers = Makers {
        stage,
        faults: cloud.faults().clone(),
        unit: None,
        cloud: cloud.clone(),
        disturbances: Rc::default(),
    };
    Ok(makers.arm(spec, spark, Map::new(), fuses).await.id)
}

/// Arms a fault on connections where there is neither cloud nor unit of ours; what it waits for lies in `fuses`.
pub fn arm_on_connections(
    fault: &ExtraFault,
    faults: &Rc<Faults>,
    clock: Clock,
    fuses: &mut JoinSet<()>,
) -> Result<FaultId, ArmError> {
    let (spec, spark) = resolved(fault, clock.now())?;
    match spark {
        Spark::Now => Ok(faults.arm(spec, true)),
        Spark::At(at) => {
            let id = faults.arm(spec, false);
            let faults = faults.clone();
            fuses.spawn_local(async move {
                clock.sleep_until(at).await;
                faults.ignite(id);
            });
            Ok(id)
        }
        Spark::After(..) => Err(ArmError::NoEvents(spec.name)),
    }
}

/// What a fault does and what sets it off.
fn resolved(fault: &ExtraFault, now: Stamp) -> Result<(FaultSpec, Spark), ArmError> {
    let (name, with, when) = fault.parts();
    let arguments = with.resolve(&Nothing)?;
    let spec = FaultSpec::parse(name, arguments.as_object().unwrap_or(&Map::new()))?;
    let (spark, _) = Spark::of(when, now, &|_| None, &Nothing)?;
    Ok((spec.with_probability(when.probability), spark))
}

/// Outside scenarios there is nothing to refer to.
struct Nothing;

impl Lookup for Nothing {
    fn get(&self, _: &str) -> Option<Value> {
        None
    }
}
