//! Makes the effects of faults on the unit, through its driver.

use super::{Tripwire, fuse::Fuse};
use hil_fault::UnitEffect;
use hil_trace::RecordBody;
use hil_unit::{Unit, UnitError};
use serde_json::{Map, Value, json};
use std::{rc::Rc, time::Duration};
use tokio::sync::{Mutex, oneshot};

/// The unit of a bench, for steps and faults: one call at a time.
pub(crate) type SharedUnit = Rc<Mutex<Box<dyn Unit>>>;

/// Makes an effect; tells `begun` once the first of it is done. What a driver cannot do is trouble.
pub(super) async fn make(fuse: &Fuse, unit: &SharedUnit, effect: UnitEffect, begun: oneshot::Sender<()>) {
    if let Err(error) = try_make(fuse, unit, effect, begun).await {
        fuse.stage.record(RecordBody::Trouble {
            blame: error.blame(),
            text: error.to_string(),
        });
    }
}

async fn try_make(
    fuse: &Fuse,
    unit: &SharedUnit,
    effect: UnitEffect,
    begun: oneshot::Sender<()>,
) -> Result<(), UnitError> {
    match effect {
        UnitEffect::PowerCut { outage } => {
            if acts(fuse) {
                unit.lock().await.cut_power().await?;
                let _ = begun.send(());
                restore(fuse, unit, outage).await?;
            }
        }
        UnitEffect::PowerCutAtWrite { write, torn, outage } => {
            let cut = Rc::new(Tripwire::new("unit.power_cut", json!({}), 1));
            fuse.stage.stretch(cut.clone());
            let mut arguments = Map::from_iter([("write".to_owned(), json!(write))]);
            if torn {
                arguments.insert("torn".to_owned(), json!(true));
            }
            if let Some(outage) = outage {
                arguments.insert("seconds".to_owned(), json!(outage.as_secs_f64()));
            }
            stimulate(fuse, unit, "cut_at_write", arguments).await?;
            let _ = begun.send(());
            cut.tripped().await;
            acts(fuse);
        }
        UnitEffect::BrownOut { times, up, down } => {
            let mut begun = Some(begun);
            for dip in 0..times {
                if dip > 0 {
                    fuse.stage.clock().sleep(up).await;
                }
                if !acts(fuse) {
                    return Ok(());
                }
                unit.lock().await.cut_power().await?;
                if let Some(begun) = begun.take() {
                    let _ = begun.send(());
                }
                restore(fuse, unit, Some(down)).await?;
            }
        }
        UnitEffect::Reset => {
            if acts(fuse) {
                let mut unit = unit.lock().await;
                unit.cut_power().await?;
                unit.restore_power().await?;
                let _ = begun.send(());
            }
        }
        UnitEffect::Reboot => {
            if acts(fuse) {
                unit.lock().await.reboot().await?;
                let _ = begun.send(());
            }
        }
        UnitEffect::Stimulus { name, arguments } => {
            if acts(fuse) {
                stimulate(fuse, unit, &name, arguments).await?;
                let _ = begun.send(());
            }
        }
    }
    Ok(())
}

/// Whether the effect may be made now; recorded before it is.
fn acts(fuse: &Fuse) -> bool {
    fuse.faults.act(fuse.id, fuse.facts.clone()).is_some()
}

async fn restore(fuse: &Fuse, unit: &SharedUnit, outage: Option<Duration>) -> Result<(), UnitError> {
    let Some(outage) = outage else {
        return Ok(());
    };
    fuse.stage.clock().sleep(outage).await;
    unit.lock().await.restore_power().await
}

async fn stimulate(
    fuse: &Fuse,
    unit: &SharedUnit,
    name: &str,
    arguments: Map<String, Value>,
) -> Result<(), UnitError> {
    let result = unit.lock().await.stimulate(name, &arguments).await;
    fuse.stage.record(RecordBody::Stimulus {
        name: name.to_owned(),
        arguments,
        result: result.clone().map_err(|error| error.to_string()),
    });
    result.map(drop)
}
