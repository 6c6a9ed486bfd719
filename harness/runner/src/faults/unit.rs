//! Makes the effects of faults on the unit, through its driver.

use super::{Tripwire, disturbances::Disturbance, fuse::Fuse};
use hil_fault::UnitEffect;
use hil_trace::RecordBody;
use hil_unit::{Unit, UnitError};
use serde_json::{Map, Value, json};
use std::{rc::Rc, time::Duration};
use tokio::sync::{Mutex, oneshot};

/// The unit of a bench, for steps and faults: one call at a time.
pub(crate) type SharedUnit = Rc<Mutex<Box<dyn Unit>>>;

/// Tells whoever waits for it that the first effect was made.
type Begun = Option<oneshot::Sender<()>>;

/// Makes an effect; tells `begun` once the first of it is done. What a driver cannot do is trouble.
pub(super) async fn make(fuse: &Fuse, unit: &SharedUnit, effect: &UnitEffect, begun: &mut Begun) {
    if let Err(error) = try_make(fuse, unit, effect, begun).await {
        if let UnitError::NotImplemented(what) = &error {
            fuse.stage.not_implemented(what);
            return tell(begun);
        }
        fuse.stage.record(RecordBody::Trouble {
            blame: error.blame(),
            text: error.to_string(),
        });
        tell(begun);
    }
}

async fn try_make(
    fuse: &Fuse,
    unit: &SharedUnit,
    effect: &UnitEffect,
    begun: &mut Begun,
) -> Result<(), UnitError> {
    match effect {
        UnitEffect::PowerCut { outage } => {
            let seconds = outage.map(|outage| ("seconds", json!(outage.as_secs_f64())));
            cut_power(fuse, unit, facts(seconds), *outage, begun)
                .await
                .map(drop)
        }
        UnitEffect::PowerCutAtWrite { write, torn, outage } => {
            cut_power_at_write(fuse, unit, *write, *torn, *outage, begun).await
        }
        UnitEffect::BrownOut { times, up, down } => {
            for dip in 1..=*times {
                if dip > 1 {
                    fuse.stage.clock().sleep(*up).await;
                }
                let told = facts([("dip", json!(dip)), ("seconds", json!(down.as_secs_f64()))]);
                if !cut_power(fuse, unit, told, Some(*down), begun).await? {
                    break;
                }
            }
            Ok(())
        }
        UnitEffect::Reset => cut_power(fuse, unit, Map::new(), Some(Duration::ZERO), begun)
            .await
            .map(drop),
        UnitEffect::Reboot => {
            if fuse.faults.act(fuse.id, fuse.facts.clone()).is_some() {
                unit.lock().await.reboot().await?;
            }
            tell(begun);
            Ok(())
        }
        UnitEffect::Stimulus {
            name,
            arguments,
            span,
        } => {
            disturb(fuse, unit, name, arguments, begun).await?;
            if let Some(span) = span {
                fuse.stage.clock().sleep(*span).await;
                fuse.disturbances.take_back(fuse.id, unit).await?;
            }
            Ok(())
        }
    }
}

/// Cuts power, and gives it back after the outage; false if the fault must not act.
async fn cut_power(
    fuse: &Fuse,
    unit: &SharedUnit,
    mut told: Map<String, Value>,
    outage: Option<Duration>,
    begun: &mut Begun,
) -> Result<bool, UnitError> {
    told.extend(fuse.facts.clone());
    let acts = fuse.faults.act(fuse.id, told).is_some();
    if acts {
        fuse.disturbances.begin(fuse.id, Disturbance::Dark);
        let mut powered = unit.lock().await;
        powered.cut_power().await?;
        // Power that was away for no time lets nobody else come between.
        if outage == Some(Duration::ZERO) {
            fuse.disturbances.end(fuse.id);
            powered.restore_power().await?;
        }
    }
    tell(begun);
    if let Some(outage) = outage.filter(|outage| acts && !outage.is_zero()) {
        fuse.stage.clock().sleep(outage).await;
        fuse.disturbances.take_back(fuse.id, unit).await?;
    }
    Ok(acts)
}

async fn cut_power_at_write(
    fuse: &Fuse,
    unit: &SharedUnit,
    write: u64,
    torn: bool,
    outage: Option<Duration>,
    begun: &mut Begun,
) -> Result<(), UnitError> {
    let Some(spec) = fuse.faults.turn(fuse.id) else {
        tell(begun);
        return Ok(());
    };
    let cut = Rc::new(Tripwire::new("unit.power_cut", json!({}), 1, 1));
    fuse.stage.stretch(cut.clone());
    // A command in a unit file may name every argument there is, given or not.
    let seconds = outage.map(|outage| outage.as_secs_f64());
    let arguments = json!({"write": write, "torn": torn, "seconds": seconds});
    let arguments = arguments.as_object().cloned().unwrap_or_default();
    let applied = match stimulate(fuse, unit, CUT_AT_WRITE, &arguments).await {
        Ok(applied) => applied,
        Err(error) => {
            fuse.faults.missed(fuse.id);
            return Err(error);
        }
    };
    tell(begun);
    cut.tripped().await;
    applied_by(fuse, &spec.name, applied);
    Ok(())
}

/// Applies a stimulus; it acted once the driver says what it applied.
async fn disturb(
    fuse: &Fuse,
    unit: &SharedUnit,
    name: &str,
    arguments: &Map<String, Value>,
    begun: &mut Begun,
) -> Result<(), UnitError> {
    if let Some(spec) = fuse.faults.turn(fuse.id) {
        match stimulate(fuse, unit, name, arguments).await {
            Ok(applied) => {
                let (name, arguments) = (name.to_owned(), arguments.clone());
                fuse.disturbances
                    .begin(fuse.id, Disturbance::Stimulus { name, arguments });
                applied_by(fuse, &spec.name, applied);
            }
            Err(error) => {
                fuse.faults.missed(fuse.id);
                return Err(error);
            }
        }
    }
    tell(begun);
    Ok(())
}

async fn stimulate(
    fuse: &Fuse,
    unit: &SharedUnit,
    name: &str,
    arguments: &Map<String, Value>,
) -> Result<Value, UnitError> {
    let result = unit.lock().await.stimulate(name, arguments).await;
    fuse.stage.record(RecordBody::Stimulus {
        name: name.to_owned(),
        arguments: arguments.clone(),
        result: result.clone().map_err(|error| error.to_string()),
    });
    result
}

/// Records an effect with what the driver really applied.
fn applied_by(fuse: &Fuse, name: &str, applied: Value) {
    let mut told = facts([("applied", applied)]);
    told.extend(fuse.facts.clone());
    fuse.faults.acted(fuse.id, name, told);
}

fn facts(told: impl IntoIterator<Item = (&'static str, Value)>) -> Map<String, Value> {
    told.into_iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

fn tell(begun: &mut Begun) {
    if let Some(begun) = begun.take() {
        // Nobody has to wait for it.
        let _ = begun.send(());
    }
}

/// The stimulus that makes power fail at a write.
const CUT_AT_WRITE: &str = "cut_at_write";
