//! The unit's access list: who may call which method on which channel (reference section 2.5).

use serde_json::Value;

/// An access list; the first entry that fits decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessList {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    method: Option<String>,
    channel: Option<String>,
    acl: String,
}

/// Why an access list cannot be read; a unit that has such a list answers nothing at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an access list is a JSON array of objects with `acl` and, if need be, `method` and `ch_type`")]
pub struct AccessListError;

/// What the list says about a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Go ahead.
    Allowed,
    /// The entry names users and the caller is nobody yet: answer 401.
    CredentialsNeeded,
    /// Answer 403.
    Denied,
}

impl AccessList {
    /// Reads the JSON text of `rpc.acl`.
    pub fn parse(text: &str) -> Result<AccessList, AccessListError> {
        let Ok(Value::Array(items)) = serde_json::from_str(text) else {
            return Err(AccessListError);
        };
        let entries = items.iter().map(Entry::read).collect::<Option<Vec<_>>>();
        entries
            .map(|entries| AccessList { entries })
            .ok_or(AccessListError)
    }

    /// Decides about a call. `channel` is a type name such as `UART` or `HTTP`; `user` the user whose
    /// credentials have been checked.
    pub fn decide(&self, method: &str, channel: &str, user: Option<&str>) -> Access {
        let entry = self.entries.iter().find(|entry| {
            let fits = |pattern: &Option<String>, text: &str| {
                pattern.as_deref().is_none_or(|p| pattern_fits(p, text))
            };
            fits(&entry.method, method) && fits(&entry.channel, channel)
        });
        entry.map_or(Access::Denied, |entry| entry.decide(user))
    }
}

impl Entry {
    fn read(item: &Value) -> Option<Entry> {
        let text = |name: &str| item.get(name).and_then(Value::as_str).map(str::to_owned);
        Some(Entry {
            method: text("method"),
            channel: text("ch_type"),
            acl: text("acl")?,
        })
    }

    fn decide(&self, user: Option<&str>) -> Access {
        let mut names_users = false;
        for item in self.acl.split(',').map(str::trim) {
            let (verdict, who) = match item.strip_prefix('-') {
                Some(who) => (Access::Denied, who),
                None => (Access::Allowed, item.strip_prefix('+').unwrap_or(item)),
            };
            if who == "*" {
                return match user {
                    None if names_users => Access::CredentialsNeeded,
                    _ => verdict,
                };
            }
            names_users |= !who.is_empty();
            if user == Some(who) {
                return verdict;
            }
        }
        match user {
            None if names_users => Access::CredentialsNeeded,
            _ => Access::Denied,
        }
    }
}

/// `*` stands for any run of characters.
fn pattern_fits(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, tail)) => text.strip_prefix(head).is_some_and(|rest| {
            (0..=rest.len())
                .filter(|&at| rest.is_char_boundary(at))
                .any(|at| pattern_fits(tail, &rest[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_fitting_entry_decides() {
        let list = AccessList::parse(
            r#"[{"method":"OTA.*","ch_type":"UART","acl":"+admin,-bob"},
                {"method":"OTA.*","acl":"-*"},{"method":"RPC.*","acl":"*"}]"#,
        )
        .unwrap();
        let cases = [
            ("OTA.Commit", "UART", None, Access::CredentialsNeeded),
            ("OTA.Commit", "UART", Some("admin"), Access::Allowed),
            ("OTA.Commit", "UART", Some("bob"), Access::Denied),
            ("OTA.Commit", "UART", Some("eve"), Access::Denied),
            ("OTA.Commit", "HTTP", Some("admin"), Access::Denied),
            ("RPC.List", "HTTP", None, Access::Allowed),
            ("Sys.Reboot", "HTTP", None, Access::Denied),
        ];
        for (method, channel, user, expected) in cases {
            assert_eq!(list.decide(method, channel, user), expected, "{method} {user:?}");
        }
        assert_eq!(AccessList::parse("{}"), Err(AccessListError));
        assert_eq!(AccessList::parse(r#"[{"method":"*"}]"#), Err(AccessListError));
    }
}
