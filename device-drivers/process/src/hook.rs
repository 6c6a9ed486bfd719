//! Runs a command of the user that reads a fact or does something, and reads the value it prints.

use crate::launch::Launch;
use hil_unit::{
    UnitError,
    unit_file::{Hook, HookFormat},
};
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    time::timeout,
};

/// Runs a hook; `what` names it in errors, such as "probe `version`".
pub(crate) async fn run(what: &str, hook: &Hook, launch: &Launch) -> Result<Value, UnitError> {
    let mut child = launch.command().spawn().map_err(|error| launch.failed(&error))?;
    let group = Group(child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)));
    let (out, errors) = (child.stdout.take(), child.stderr.take());
    let work = async {
        let (out, errors, status) = tokio::join!(read(out), read(errors), child.wait());
        (out, errors, status)
    };
    let seconds = hook.timeout.as_secs_f64();
    let (out, errors, status) = timeout(hook.timeout, work).await.map_err(|_| {
        UnitError::Lab(format!(
            "{what} took longer than {seconds} s; `timeout` beside its command gives it more"
        ))
    })?;
    drop(group);
    let status = status.map_err(|error| launch.failed(&error))?;
    if !status.success() {
        let errors = String::from_utf8_lossy(&errors);
        let text = format!("{what} failed ({status}): {}", errors.trim());
        return Err(UnitError::Lab(text));
    }
    value(hook.format, &out).ok_or_else(|| {
        let shown: String = String::from_utf8_lossy(&out).chars().take(200).collect();
        UnitError::Lab(format!("{what} printed no JSON: {}", shown.trim()))
    })
}

/// Kills what a hook left behind.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// The first part of a stream; the rest is read and dropped.
async fn read(input: Option<impl AsyncRead + Unpin>) -> Vec<u8> {
    let mut kept = Vec::new();
    let Some(mut input) = input else { return kept };
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(count @ 1..) = input.read(&mut buffer).await {
        let room = OUTPUT_LIMIT - kept.len();
        kept.extend_from_slice(&buffer[..count.min(room)]);
    }
    kept
}

fn value(format: HookFormat, bytes: &[u8]) -> Option<Value> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_end();
    let json = serde_json::from_str::<Value>(text.trim_start()).ok();
    match format {
        HookFormat::Json => json,
        HookFormat::Text => Some(text.into()),
        // Text such as `2.0` is more often a version than a number.
        HookFormat::Auto if text.is_empty() => Some(Value::Null),
        HookFormat::Auto => Some(
            json.filter(|value| !value.is_f64())
                .unwrap_or_else(|| text.into()),
        ),
    }
}

const OUTPUT_LIMIT: usize = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn output_becomes_a_value() {
        let auto = |text: &str| value(HookFormat::Auto, text.as_bytes());
        for (text, expected) in [
            ("1.2.0\n", json!("1.2.0")),
            ("2.0\n", json!("2.0")),
            ("7\n", json!(7)),
            ("007", json!("007")),
            ("", json!(null)),
            ("true\n", json!(true)),
            ("{\"a\": [1.5]}\n", json!({"a": [1.5]})),
            ("\"quoted\"", json!("quoted")),
            ("two words\n", json!("two words")),
        ] {
            assert_eq!(auto(text), Some(expected), "{text:?}");
        }
        assert_eq!(value(HookFormat::Text, b"7\n"), Some(json!("7")));
        assert_eq!(value(HookFormat::Json, b"1.5\n"), Some(json!(1.5)));
        assert_eq!(value(HookFormat::Json, b"1.5.0\n"), None);
    }
}
