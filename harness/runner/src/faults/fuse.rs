//! What lies between an injected fault and its first effect: a time, an event, or nothing.

use super::{Disturbances, SharedUnit, Stage, Tripwire, cloud, unit};
use hil_fault::{CloudEffect, Effect, FaultId, FaultSpec, Faults, UnitEffect};
use hil_mock_cloud::MockCloud;
use hil_scenario::{Lookup, Trigger, Unresolved, When};
use hil_trace::{RecordBody, Stamp};
use hil_unit::UnitError;
use serde_json::{Map, Value, json};
use std::{rc::Rc, time::Duration};
use tokio::{
    sync::oneshot,
    task::{AbortHandle, JoinSet},
};

/// What sets a fault off.
pub(crate) enum Spark {
    /// Nothing: it is live at once.
    Now,
    /// A time.
    At(Stamp),
    /// Some time after an event, each time it comes.
    After(Rc<Tripwire>, Duration),
}

impl Spark {
    /// What sets a fault off, and how the trace tells it; `moment` knows when named steps happened.
    pub(crate) fn of(
        when: &When,
        now: Stamp,
        moment: &dyn Fn(&str) -> Option<Stamp>,
        lookup: &dyn Lookup,
    ) -> Result<(Spark, Value), Unresolved> {
        let (spark, mut told) = match &when.trigger {
            Trigger::Now => (Spark::Now, Value::Null),
            Trigger::In(span) => {
                let at = now + span.resolve(lookup)?;
                (Spark::At(at), json!({"at_us": at.0}))
            }
            Trigger::At(at) => {
                let at = at.resolve(moment, lookup)?;
                (Spark::At(at), json!({"at_us": at.0}))
            }
            Trigger::Event {
                event,
                matching,
                nth,
                times,
                offset,
            } => {
                let pattern = matching.resolve(lookup)?;
                let offset = offset.as_ref().map(|span| span.resolve(lookup)).transpose()?;
                let offset = offset.unwrap_or(Duration::ZERO);
                let told = json!({
                    "event": event,
                    "match": pattern,
                    "nth": nth,
                    "times": times,
                    "offset_us": offset.as_micros() as u64,
                });
                let tripwire = Tripwire::new(event, pattern, *nth, *times);
                (Spark::After(Rc::new(tripwire), offset), told)
            }
        };
        if let Some(probability) = when.probability {
            if told.is_null() {
                told = json!({});
            }
            told["probability"] = json!(probability);
        }
        Ok((spark, told))
    }

    /// When it comes, where that is a time.
    pub(crate) fn due(&self) -> Option<Stamp> {
        match self {
            Spark::At(stamp) => Some(*stamp),
            Spark::Now | Spark::After(..) => None,
        }
    }
}

/// Those who make faults act where no site does by itself.
#[derive(Clone)]
pub(crate) struct Makers {
    /// Where faults wait.
    pub(crate) stage: Rc<dyn Stage>,
    /// Where they are armed.
    pub(crate) faults: Rc<Faults>,
    /// For effects on the unit; nothing where there is none.
    pub(crate) unit: Option<SharedUnit>,
    /// For effects on the cloud.
    pub(crate) cloud: Rc<MockCloud>,
    /// What was done to the unit.
    pub(crate) disturbances: Rc<Disturbances>,
}

/// A fault that was armed.
pub(crate) struct Armed {
    pub(crate) id: FaultId,
    /// What it still waits for or does, where that may be broken off: a cloud that went away must come back.
    pub(crate) fuse: Option<AbortHandle>,
}

/// An effect and who makes it.
enum Made {
    OnUnit(SharedUnit, UnitEffect),
    OnCloud(Rc<MockCloud>, CloudEffect),
}

impl Makers {
    /// Arms a fault and lays its fuse among others; what is set off at once has begun when this returns. `facts` are
    /// told when an effect on the unit is made.
    pub(crate) async fn arm(
        &self,
        spec: FaultSpec,
        spark: Spark,
        facts: Map<String, Value>,
        fuses: &mut JoinSet<()>,
    ) -> Armed {
        let effect = match &spec.effect {
            Effect::Unit(effect) => {
                let unit = self.unit.clone();
                unit.map(|unit| Made::OnUnit(unit, effect.clone()))
            }
            Effect::Cloud(effect) => Some(Made::OnCloud(self.cloud.clone(), *effect)),
            _ => None,
        };
        let now = matches!(spark, Spark::Now);
        let id = self.faults.arm(spec, now && effect.is_none());
        if now && effect.is_none() {
            return Armed { id, fuse: None };
        }
        if let Spark::After(tripwire, _) = &spark {
            self.stage.stretch(tripwire.clone());
        }
        let (begun, begins) = oneshot::channel();
        let fuse = Fuse {
            stage: self.stage.clone(),
            faults: self.faults.clone(),
            disturbances: self.disturbances.clone(),
            id,
            facts,
        };
        let breaks_off = !matches!(effect, Some(Made::OnCloud(..)));
        let fuse = fuses.spawn_local(fuse.burn(spark, effect, begun));
        if now {
            // An effect that cannot be made never begins.
            let _ = begins.await;
        }
        let fuse = breaks_off.then_some(fuse);
        Armed { id, fuse }
    }

    /// Clears a fault, once what it did to the unit is taken back; how often it acted.
    pub(crate) async fn clear(&self, id: FaultId) -> Result<Option<u32>, UnitError> {
        let undone = match &self.unit {
            Some(unit) => self.disturbances.take_back(id, unit).await?,
            None => None,
        };
        let facts = undone.map(|applied| ("undone".to_owned(), applied));
        Ok(self.faults.clear_with(id, Map::from_iter(facts)))
    }

    /// Clears at the end of an instance the faults whose effects on the unit last, the guard the others; what cannot be
    /// taken back though it should be is trouble.
    pub(crate) async fn clear_lasting(&self) {
        for id in self.disturbances.lasting() {
            if let Err(error) = self.clear(id).await {
                self.stage.record(RecordBody::Trouble {
                    blame: error.blame(),
                    text: error.to_string(),
                });
            }
        }
    }
}

/// A fault on its way to its first effect.
pub(super) struct Fuse {
    pub(super) stage: Rc<dyn Stage>,
    pub(super) faults: Rc<Faults>,
    pub(super) disturbances: Rc<Disturbances>,
    pub(super) id: FaultId,
    /// Told when it acts.
    pub(super) facts: Map<String, Value>,
}

impl Fuse {
    /// Burns down; then the fault is live, or its effect on unit or cloud is made; one on the unit each time the event
    /// comes. Tells `begun` once it has begun.
    async fn burn(self, spark: Spark, effect: Option<Made>, begun: oneshot::Sender<()>) {
        let mut begun = Some(begun);
        loop {
            self.wait(&spark).await;
            self.faults.ignite(self.id);
            match &effect {
                Some(Made::OnUnit(unit, effect)) => unit::make(&self, unit, effect, &mut begun).await,
                Some(Made::OnCloud(cloud, effect)) => {
                    return cloud::make(&self, cloud, *effect, begun.take()).await;
                }
                // Nobody has to wait for it.
                None => return drop(begun.take()),
            }
            match &spark {
                Spark::After(tripwire, _) if !tripwire.is_done() => {}
                _ => return,
            }
        }
    }

    async fn wait(&self, spark: &Spark) {
        let clock = self.stage.clock();
        match spark {
            Spark::Now => {}
            Spark::At(stamp) => clock.sleep_until(*stamp).await,
            Spark::After(tripwire, offset) => {
                let at = tripwire.tripped().await;
                if !offset.is_zero() {
                    clock.sleep_until(at + *offset).await;
                }
            }
        }
    }
}
