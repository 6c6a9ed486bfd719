//! Faults armed outside scenarios, such as by the operator of a served cloud.

use super::{Makers, Spark, Stage};
use hil_fault::{Effect, FaultError, FaultId, FaultSpec};
use hil_mock_cloud::MockCloud;
use hil_scenario::{ExtraFault, Lookup, Unresolved};
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
}

/// Arms a fault where there is a cloud and no unit; what it waits for lies in `fuses`.
pub async fn arm_extra(
    fault: &ExtraFault,
    stage: Rc<dyn Stage>,
    cloud: &Rc<MockCloud>,
    fuses: &mut JoinSet<()>,
) -> Result<FaultId, ArmError> {
    let (name, with, when) = fault.parts();
    let arguments = with.resolve(&Nothing)?;
    let empty = Map::new();
    let spec =
        FaultSpec::parse(name, arguments.as_object().unwrap_or(&empty))?.with_probability(when.probability);
    if let Effect::Unit(_) = spec.effect {
        return Err(ArmError::NoUnit(name.to_owned()));
    }
    let (spark, _) = Spark::of(when, stage.clock().now(), &|_| None, &Nothing)?;
    let makers = Makers {
        stage,
        faults: cloud.faults().clone(),
        unit: None,
        cloud: cloud.clone(),
        disturbances: Rc::default(),
    };
    Ok(makers.arm(spec, spark, Map::new(), fuses).await.id)
}

/// Outside scenarios there is nothing to refer to.
struct Nothing;

impl Lookup for Nothing {
    fn get(&self, _: &str) -> Option<Value> {
        None
    }
}
