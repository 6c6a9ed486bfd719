//! Stimuli that act on the hardware, whatever software runs on it.

use crate::{Hardware, Service};
use hil_link::Clock;
use hil_unit::UnitError;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// Applies a stimulus to the hardware, at a time of the bench; `None` if it is one for the agent.
pub(crate) fn apply(
    name: &str,
    arguments: &Map<String, Value>,
    hardware: &mut Hardware,
    clock: &Clock,
) -> Option<Result<Value, UnitError>> {
    let result = match name {
        "free_space" => count(arguments, "bytes").map(|bytes| {
            let free = hardware.flash.leave_free(bytes);
            json!({"bytes": free})
        }),
        "slow_service" => slow_service(arguments, hardware),
        "break_service" => service(arguments, hardware).map(|service| {
            service.broken = true;
            json!({"broken": true})
        }),
        "clock_jump" => number(arguments, "seconds").map(|seconds| {
            let jump = (seconds * 1e6) as i64;
            hardware.wall_offset_us = hardware.wall_offset_us.saturating_add(jump);
            offset(hardware)
        }),
        "clock_unset" => {
            hardware.wall_offset_us = clock.unix_us(clock.now()).saturating_neg();
            Ok(offset(hardware))
        }
        "timer_wrap" => seconds(arguments).and_then(|before| {
            let milliseconds = u32::try_from(before.as_millis());
            let milliseconds =
                milliseconds.map_err(|_| bad("seconds", "no counter of 32 bits goes so far"))?;
            hardware.counter.wrap_after(milliseconds, clock.now());
            Ok(json!({"counter_ms": hardware.counter.raw(clock.now())}))
        }),
        "cut_at_write" => cut_at_write(arguments, hardware),
        _ => return None,
    };
    Some(result)
}

/// Takes back what a stimulus did to the hardware; `None` if it is one for the agent.
pub(crate) fn undo(
    name: &str,
    arguments: &Map<String, Value>,
    hardware: &mut Hardware,
) -> Option<Result<Value, UnitError>> {
    let result = match name {
        "free_space" => Ok(json!({"bytes": hardware.flash.leave_free(u64::MAX)})),
        "slow_service" => service(arguments, hardware).map(|service| {
            service.start_time = Service::new().start_time;
            json!({"seconds": service.start_time.as_secs_f64()})
        }),
        "break_service" => service(arguments, hardware).map(|service| {
            service.broken = false;
            json!({"broken": false})
        }),
        "clock_jump" => number(arguments, "seconds").map(|seconds| {
            let jump = (seconds * 1e6) as i64;
            hardware.wall_offset_us = hardware.wall_offset_us.saturating_sub(jump);
            offset(hardware)
        }),
        "clock_unset" => {
            hardware.wall_offset_us = 0;
            Ok(offset(hardware))
        }
        _ => return None,
    };
    Some(result)
}

/// How far the wall clock is off.
fn offset(hardware: &Hardware) -> Value {
    json!({"offset_seconds": hardware.wall_offset_us as f64 / 1e6})
}

/// Answers a probe of the hardware; `None` if it is one for the agent.
pub(crate) fn probe(name: &str, hardware: &Hardware) -> Option<Value> {
    match name {
        "free_space" => Some(json!(hardware.flash.free())),
        "flash_writes" => Some(json!(hardware.flash.writes())),
        "boots" => Some(json!(hardware.boots)),
        // There is no processor; a millisecond for each input is what a frugal agent takes.
        "cpu_seconds" => Some(json!(hardware.inputs as f64 / 1000.0)),
        _ => None,
    }
}

/// Power fails at the n-th write to flash from now on, in the midst of it if `torn`; with `seconds` it comes back after
/// that time.
fn cut_at_write(arguments: &Map<String, Value>, hardware: &mut Hardware) -> Result<Value, UnitError> {
    let write = count(arguments, "write")?;
    let outage = match arguments.get("seconds") {
        None => None,
        Some(_) => Some(seconds(arguments)?),
    };
    let torn = match arguments.get("torn") {
        None => false,
        Some(torn) => torn
            .as_bool()
            .ok_or_else(|| bad("torn", "true or false is expected"))?,
    };
    hardware.flash.fail_at_write(write, torn);
    hardware.outage = outage;
    Ok(json!({"write": write, "torn": torn, "seconds": outage.map(|time| time.as_secs_f64())}))
}

fn slow_service(arguments: &Map<String, Value>, hardware: &mut Hardware) -> Result<Value, UnitError> {
    let time = seconds(arguments)?;
    service(arguments, hardware)?.start_time = time;
    Ok(json!({"seconds": time.as_secs_f64()}))
}

fn service<'h>(
    arguments: &Map<String, Value>,
    hardware: &'h mut Hardware,
) -> Result<&'h mut Service, UnitError> {
    let name = arguments
        .get("service")
        .and_then(Value::as_str)
        .ok_or_else(|| bad("service", "the name of a service is expected"))?;
    hardware
        .services
        .get_mut(name)
        .ok_or_else(|| bad("service", &format!("the unit has no service `{name}`")))
}

/// The argument `seconds`.
pub(super) fn seconds(arguments: &Map<String, Value>) -> Result<Duration, UnitError> {
    let seconds = number(arguments, "seconds")?;
    Duration::try_from_secs_f64(seconds).map_err(|_| bad("seconds", "out of range"))
}

fn number(arguments: &Map<String, Value>, name: &str) -> Result<f64, UnitError> {
    arguments
        .get(name)
        .and_then(Value::as_f64)
        .ok_or_else(|| bad(name, "a number is expected"))
}

fn count(arguments: &Map<String, Value>, name: &str) -> Result<u64, UnitError> {
    arguments
        .get(name)
        .and_then(Value::as_u64)
        .ok_or_else(|| bad(name, "a whole number of at least zero is expected"))
}

fn bad(name: &str, problem: &str) -> UnitError {
    UnitError::BadArgument {
        name: name.to_owned(),
        problem: problem.to_owned(),
    }
}
