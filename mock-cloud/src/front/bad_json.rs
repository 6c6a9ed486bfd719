//! Makes JSON answers wrong, or unusual.

use hil_fault::BadJson;
use hil_wire::http::Response;
use serde_json::{Map, Value, json};

/// Makes the body of an answer what `bad` says; its status becomes 200 where it is a page of somebody else.
pub(super) fn spoil(response: &mut Response, bad: BadJson) {
    let body = std::mem::take(&mut response.body);
    let value: Option<Value> = serde_json::from_slice(&body).ok();
    response.body = match bad {
        BadJson::Truncated => body[..body.len() / 2].to_vec(),
        BadJson::Html => {
            super::answer::without(&mut response.headers, "Content-Type");
            response.headers.push("Content-Type", "text/html; charset=utf-8");
            response.status = 200;
            b"<!DOCTYPE html><html><body><h1>Maintenance</h1></body></html>".to_vec()
        }
        BadJson::OtherShape => match value {
            Some(Value::Array(items)) => json!({ "items": items }),
            Some(other) => json!([other]),
            None => json!([]),
        }
        .to_string()
        .into_bytes(),
        BadJson::Null => b"null".to_vec(),
        BadJson::Empty => Vec::new(),
        BadJson::NotUtf8 => [b"{\"text\": \"\xff\xfe\"", body.as_slice()].concat(),
        BadJson::Trailing => [body.as_slice(), b"} trailing {\"a\": 1}"].concat(),
        BadJson::Deep(levels) => [vec![b'['; levels], vec![b']'; levels]].concat(),
        BadJson::Huge(bytes) => huge(value, bytes).to_string().into_bytes(),
        BadJson::UnknownMembers => match value {
            Some(mut value) => {
                add_members(&mut value);
                value.to_string().into_bytes()
            }
            None => body,
        },
    };
}

/// Each item of a list twice, one after the other; false if there is no list.
pub(super) fn twice(response: &mut Response) -> bool {
    with_list(response, |items| {
        let doubled = items.drain(..).flat_map(|item| [item.clone(), item]).collect();
        *items = doubled;
    })
}

/// A list in reverse order; false if there is none.
pub(super) fn reversed(response: &mut Response) -> bool {
    with_list(response, |items| items.reverse())
}

/// Changes the list of an answer: the answer itself, or the first list in it.
fn with_list(response: &mut Response, change: impl FnOnce(&mut Vec<Value>)) -> bool {
    let Ok(mut value) = serde_json::from_slice::<Value>(&response.body) else {
        return false;
    };
    let list = match &mut value {
        Value::Array(items) => Some(items),
        Value::Object(members) => members.values_mut().find_map(Value::as_array_mut),
        _ => None,
    };
    let Some(list) = list else {
        return false;
    };
    change(list);
    response.body = value.to_string().into_bytes();
    true
}

fn huge(value: Option<Value>, bytes: usize) -> Value {
    let filler = Value::String("x".repeat(bytes));
    match value {
        Some(Value::Object(mut members)) => {
            members.insert(UNKNOWN.to_owned(), filler);
            Value::Object(members)
        }
        Some(Value::Array(mut items)) => {
            items.push(json!({ UNKNOWN: filler }));
            Value::Array(items)
        }
        _ => json!({ UNKNOWN: filler }),
    }
}

fn add_members(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.values_mut().for_each(add_members);
            let unknown = json!({"nested": [1, "two", null], "text": "é"});
            members.insert(UNKNOWN.to_owned(), unknown);
            // First in order, too, for who reads only the first member.
            let mut first = Map::from_iter([("aaaUnknown".to_owned(), json!(17))]);
            first.append(members);
            *members = first;
        }
        Value::Array(items) => items.iter_mut().for_each(add_members),
        _ => {}
    }
}

const UNKNOWN: &str = "unknownMember";

#[cfg(test)]
mod tests {
    use super::*;

    fn body(bad: BadJson, value: &Value) -> Vec<u8> {
        let mut response = Response::json(200, value);
        spoil(&mut response, bad);
        response.body
    }

    #[test]
    fn unknown_members_leave_the_known_ones() {
        let right = json!({"commands": [{"id": "a"}]});
        let body = body(BadJson::UnknownMembers, &right);
        let value: Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(value["commands"][0]["id"], json!("a"));
        assert!(value["commands"][0][UNKNOWN].is_object() && value[UNKNOWN].is_object());
    }

    #[test]
    fn each_kind_is_what_it_says() {
        let right = json!([{"id": "a"}]);
        let shape: Value = serde_json::from_slice(&body(BadJson::OtherShape, &right)).expect("JSON");
        assert!(shape.is_object());
        assert_eq!(body(BadJson::Deep(3), &right), b"[[[]]]");
        assert!(body(BadJson::Huge(1000), &right).len() > 1000);
        assert!(std::str::from_utf8(&body(BadJson::NotUtf8, &right)).is_err());
        for broken in [BadJson::Truncated, BadJson::Empty, BadJson::Trailing] {
            assert!(
                serde_json::from_slice::<Value>(&body(broken, &right)).is_err(),
                "{broken:?}"
            );
        }
    }

    #[test]
    fn lists_are_found_in_an_object_too() {
        let mut response = Response::json(200, &json!({"a": 1, "commands": [1, 2]}));
        assert!(twice(&mut response) && reversed(&mut response));
        let value: Value = serde_json::from_slice(&response.body).expect("JSON");
        assert_eq!(value["commands"], json!([2, 2, 1, 1]));
        assert!(!twice(&mut Response::json(200, &json!("no list"))));
    }
}
