//! A simulated unit as its driver hands it out, and the loop that runs it.

use super::{
    core::{Core, SharedCore},
    environment::Environment,
    keeper::Keeper,
    stimulus,
};
use crate::{Defect, Kind, Setup, defect::WRITES_IN_PLACE};
use async_trait::async_trait;
use hil_trace::UnitChange;
use hil_unit::{Surroundings, Unit, UnitError};
use rand::{SeedableRng, rngs::StdRng};
use serde_json::{Map, Value, json};
use std::{cell::RefCell, collections::BTreeSet, rc::Rc, time::Duration};
use tokio::{sync::mpsc, task::AbortHandle};

/// A simulated unit. It runs in tasks of the current `LocalSet`; dropping it cuts its power without a record.
pub struct SimUnit {
    core: SharedCore,
    task: Option<AbortHandle>,
    boot_time: Duration,
}

impl SimUnit {
    /// A unit that was provisioned to run the `current` image and has no power yet; with a state folder, the one
    /// whose state is in there, if there is one.
    pub fn new(
        kind: &'static dyn Kind,
        defects: BTreeSet<Defect>,
        surroundings: Surroundings,
    ) -> Result<Self, UnitError> {
        let setup = Setup {
            endpoints: surroundings.endpoints,
            artifacts: surroundings.artifacts,
            timing: surroundings.timing,
            ics: surroundings.ics,
            defects,
            seed: surroundings.seed,
        };
        let boot_time = setup.seconds("boot", 1.0);
        let environment = Environment {
            clock: surroundings.clock,
            network: surroundings.network,
            recorder: surroundings.recorder.clone(),
            setup: Rc::new(setup),
            faces: Rc::new(surroundings.faces),
        };
        let (keeper, hardware) = match &surroundings.state_directory {
            Some(folder) => {
                let (keeper, hardware) = Keeper::open(folder)?;
                (Some(keeper), hardware)
            }
            None => (None, None),
        };
        // A process that takes over kept hardware must not draw again what the one before it drew.
        let boots = hardware.as_ref().map_or(0, |hardware| hardware.boots);
        let rng = StdRng::seed_from_u64(surroundings.seed.wrapping_add(u64::from(boots)));
        let mut core = Core::new(kind, environment, surroundings.recorder, rng, keeper);
        match hardware {
            Some(mut hardware) => {
                hardware.flash.in_place = core.environment.setup.has(WRITES_IN_PLACE);
                core.hardware = hardware;
            }
            None => provision(&mut core, &Map::new())?,
        }
        Ok(SimUnit {
            core: Rc::new(RefCell::new(core)),
            task: None,
            boot_time,
        })
    }

    fn power_up(&mut self) {
        let (core, boot_time) = (self.core.clone(), self.boot_time);
        self.task = Some(tokio::task::spawn_local(run(core, boot_time)).abort_handle());
    }

    fn power_down(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
        }
        self.core.borrow_mut().lose_power();
    }

    fn record(&self, change: UnitChange) {
        self.core.borrow().record(change, Map::new());
    }
}

#[async_trait(?Send)]
impl Unit for SimUnit {
    async fn prepare(&mut self, state: &Map<String, Value>) -> Result<(), UnitError> {
        provision(&mut self.core.borrow_mut(), state)
    }

    async fn start(&mut self) -> Result<(), UnitError> {
        self.power_down();
        self.record(UnitChange::Started);
        self.power_up();
        Ok(())
    }

    async fn stop(&mut self) -> Result<(), UnitError> {
        self.power_down();
        let facts = Map::from_iter([
            ("status".to_owned(), 0.into()),
            ("forced".to_owned(), false.into()),
        ]);
        self.core.borrow().record(UnitChange::Stopped, facts);
        Ok(())
    }

    async fn cut_power(&mut self) -> Result<(), UnitError> {
        self.record(UnitChange::PowerCut);
        self.power_down();
        Ok(())
    }

    async fn restore_power(&mut self) -> Result<(), UnitError> {
        self.power_down();
        self.record(UnitChange::PowerRestored);
        self.power_up();
        Ok(())
    }

    async fn reboot(&mut self) -> Result<(), UnitError> {
        self.record(UnitChange::Rebooted);
        self.power_down();
        self.power_up();
        Ok(())
    }

    async fn probe(&mut self, name: &str, arguments: &Map<String, Value>) -> Result<Value, UnitError> {
        let core = self.core.borrow();
        match stimulus::probe(name, &core.hardware) {
            Some(value) => Ok(value),
            None => core.probe(name, &given(arguments)),
        }
    }

    async fn stimulate(&mut self, name: &str, arguments: &Map<String, Value>) -> Result<Value, UnitError> {
        let mut core = self.core.borrow_mut();
        let arguments = given(arguments);
        if name == BUSY {
            let span = stimulus::seconds(&arguments)?;
            core.hold(span);
            return Ok(json!({"seconds": span.as_secs_f64()}));
        }
        let clock = core.environment.clock;
        let result = match stimulus::apply(name, &arguments, &mut core.hardware, &clock) {
            Some(result) => result,
            None => core.stimulate(name, &arguments),
        };
        core.keep();
        result
    }

    async fn undo(&mut self, name: &str, arguments: &Map<String, Value>) -> Result<Value, UnitError> {
        let mut core = self.core.borrow_mut();
        let arguments = given(arguments);
        if name == BUSY {
            core.hold(Duration::ZERO);
            return Ok(json!({"seconds": 0}));
        }
        let result = match stimulus::undo(name, &arguments, &mut core.hardware) {
            Some(result) => result,
            None => core.undo(name, &arguments),
        };
        core.keep();
        result
    }
}

/// Arguments without those that are null, which were not given.
fn given(arguments: &Map<String, Value>) -> Map<String, Value> {
    let given = arguments.iter().filter(|(_, value)| !value.is_null());
    given.map(|(name, value)| (name.clone(), value.clone())).collect()
}

impl Drop for SimUnit {
    fn drop(&mut self) {
        self.power_down();
    }
}

fn provision(core: &mut Core, state: &Map<String, Value>) -> Result<(), UnitError> {
    let setup = core.environment.setup.clone();
    core.hardware = Default::default();
    core.kind.provision(state, &setup, &mut core.hardware)?;
    core.hardware.flash.in_place = setup.has(WRITES_IN_PLACE);
    core.keep();
    Ok(())
}

/// Boots, feeds the agent until power or a reboot ends it, and boots again after a reboot.
async fn run(core: SharedCore, boot_time: Duration) {
    let clock = core.borrow().environment.clock;
    loop {
        clock.sleep(boot_time).await;
        let (events, mut incoming) = mpsc::unbounded_channel();
        core.borrow_mut().events = events;
        core.borrow_mut().boot();
        while !core.borrow().reboot_due() {
            if core.borrow().hardware.flash.is_dead() {
                break;
            }
            let exit = core.borrow().exit;
            if let Some(status) = exit {
                let facts = Map::from_iter([("status".to_owned(), Value::from(status))]);
                core.borrow().record(UnitChange::Exited, facts);
                core.borrow_mut().lose_power();
                return;
            }
            let held = core.borrow().held_until();
            if let Some(until) = held {
                let released = core.borrow().released.clone();
                tokio::select! {
                    biased;
                    () = released.notified() => {}
                    () = clock.sleep_until(until) => {}
                }
                continue;
            }
            let released = core.borrow().released.clone();
            let deadline = core.borrow().next_deadline();
            tokio::select! {
                biased;
                event = incoming.recv() => match event {
                    Some(event) => core.borrow_mut().event(event),
                    None => return,
                },
                () = released.notified() => {}
                () = sleep_until(clock, deadline), if deadline.is_some() => core.borrow_mut().fire_timers(),
            }
        }
        let failed = core.borrow().hardware.flash.is_dead();
        let change = if failed {
            UnitChange::PowerCut
        } else {
            UnitChange::Rebooted
        };
        core.borrow().record(change, Map::new());
        core.borrow_mut().lose_power();
        if failed {
            let Some(outage) = core.borrow_mut().hardware.outage.take() else {
                return;
            };
            clock.sleep(outage).await;
            core.borrow().record(UnitChange::PowerRestored, Map::new());
        }
    }
}

async fn sleep_until(clock: hil_link::Clock, deadline: Option<hil_trace::Stamp>) {
    if let Some(at) = deadline {
        clock.sleep_until(at).await;
    }
}

/// The stimulus that keeps software from running.
const BUSY: &str = "busy";
