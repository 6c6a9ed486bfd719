//! An enumeration value as JSON: its name and its data, in either dialect (reference section 1.1).

use super::{
    dialect::Dialect,
    members::{Context, Read},
};
use crate::oddity::OddityKind;
use serde_json::{Map, Value, json};

/// A variant taken apart. Each field has the path it stands at.
pub(super) struct Variant<'v> {
    pub(super) name: &'v str,
    fields: Vec<(&'v Value, String)>,
}

impl<'v> Variant<'v> {
    /// Takes `value` apart in the dialect of `context`. `arity` tells how many fields a name has; a name
    /// it does not know is noted as such.
    pub(super) fn split(
        value: &'v Value,
        arity: impl Fn(&str) -> Option<usize>,
        context: &mut Context,
    ) -> Option<Variant<'v>> {
        if let Value::String(name) = value {
            let count = known(name, "", &arity, context)?;
            if count > 0 {
                let path = match context.dialect {
                    Dialect::Rustc => "/fields",
                    Dialect::Serde => "",
                };
                let detail = format!("`{name}` needs {count} field(s)");
                context.invalid(OddityKind::MissingMember, path, detail);
                return None;
            }
            return Some(Variant {
                name,
                fields: Vec::new(),
            });
        }
        let Value::Object(members) = value else {
            context.invalid(OddityKind::WrongType, "", "must be a string or an object");
            return None;
        };
        match context.dialect {
            Dialect::Rustc => split_rustc(members, &arity, context),
            Dialect::Serde => split_serde(members, &arity, context),
        }
    }

    /// Reads one field; it is there, as `split` has counted.
    pub(super) fn field<T: Read>(&self, index: usize, context: &mut Context) -> Option<T> {
        let (value, path) = self.fields.get(index)?;
        T::read(value, path, context)
    }

    /// A field and its path.
    pub(super) fn raw(&self, index: usize) -> Option<(&'v Value, &str)> {
        self.fields
            .get(index)
            .map(|(value, path)| (*value, path.as_str()))
    }

    /// Reads one field as the id of an update.
    pub(super) fn update_id(&self, index: usize, context: &mut Context) -> Option<String> {
        let id: String = self.field(index, context)?;
        check_update_id(&id, &self.fields[index].1, context);
        Some(id)
    }
}

/// Notes an id that the dialect does not allow: serde clients read UUIDs only.
pub(super) fn check_update_id(id: &str, path: &str, context: &mut Context) {
    if context.dialect == Dialect::Serde && uuid::Uuid::try_parse(id).is_err() {
        context.invalid(
            OddityKind::InvalidValue,
            path,
            "the serde dialect reads UUIDs only",
        );
    }
}

/// Writes a variant.
pub(super) fn join(name: &str, mut fields: Vec<Value>, dialect: Dialect) -> Value {
    match (fields.len(), dialect) {
        (0, _) => name.into(),
        (_, Dialect::Rustc) => json!({"variant": name, "fields": fields}),
        (1, Dialect::Serde) => json!({name: fields.swap_remove(0)}),
        (_, Dialect::Serde) => json!({name: fields}),
    }
}

fn split_rustc<'v>(
    members: &'v Map<String, Value>,
    arity: &impl Fn(&str) -> Option<usize>,
    context: &mut Context,
) -> Option<Variant<'v>> {
    let Some(name) = members.get("variant") else {
        context.invalid(OddityKind::MissingMember, "/variant", "required member is absent");
        return None;
    };
    let Some(name) = name.as_str() else {
        context.invalid(OddityKind::WrongType, "/variant", "must be a string");
        return None;
    };
    let count = known(name, "/variant", arity, context)?;
    let Some(fields) = members.get("fields") else {
        context.invalid(OddityKind::MissingMember, "/fields", "required member is absent");
        return None;
    };
    let Some(fields) = fields.as_array() else {
        context.invalid(OddityKind::WrongType, "/fields", "must be an array");
        return None;
    };
    for name in members.keys().filter(|key| *key != "variant" && *key != "fields") {
        let path = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
        context.tolerable(
            OddityKind::UnknownMember,
            &path,
            "not a member this protocol defines",
        );
    }
    if fields.len() < count {
        let detail = format!("`{name}` needs {count} field(s), {} are there", fields.len());
        context.invalid(
            OddityKind::MissingMember,
            &format!("/fields/{}", fields.len()),
            detail,
        );
        return None;
    }
    if fields.len() > count {
        let detail = format!("`{name}` has {count} field(s), {} are there", fields.len());
        context.tolerable(OddityKind::Surplus, &format!("/fields/{count}"), detail);
    }
    if count == 0 {
        context.tolerable(OddityKind::Dialect, "", "written long, though it has no data");
    }
    let fields = fields
        .iter()
        .take(count)
        .enumerate()
        .map(|(index, field)| (field, format!("/fields/{index}")))
        .collect();
    Some(Variant { name, fields })
}

fn split_serde<'v>(
    members: &'v Map<String, Value>,
    arity: &impl Fn(&str) -> Option<usize>,
    context: &mut Context,
) -> Option<Variant<'v>> {
    let mut pairs = members.iter();
    let (Some((name, payload)), None) = (pairs.next(), pairs.next()) else {
        let detail = format!("one member names the variant, {} are there", members.len());
        context.invalid(OddityKind::MissingMember, "", detail);
        return None;
    };
    let path = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
    let count = known(name, &path, arity, context)?;
    let fields = match count {
        0 => {
            if !payload.is_null() {
                context.invalid(OddityKind::Surplus, &path, format!("`{name}` has no data"));
                return None;
            }
            context.tolerable(OddityKind::Dialect, &path, "written long, though it has no data");
            Vec::new()
        }
        1 => vec![(payload, path)],
        _ => {
            let fields: Vec<_> = payload
                .as_array()
                .into_iter()
                .flatten()
                .enumerate()
                .map(|(index, field)| (field, format!("{path}/{index}")))
                .collect();
            if fields.len() != count {
                let detail = format!("must be an array of {count}");
                context.invalid(OddityKind::WrongType, &path, detail);
                return None;
            }
            fields
        }
    };
    Some(Variant { name, fields })
}

fn known(
    name: &str,
    path: &str,
    arity: &impl Fn(&str) -> Option<usize>,
    context: &mut Context,
) -> Option<usize> {
    let count = arity(name);
    if count.is_none() {
        context.invalid(OddityKind::UnknownName, path, format!("`{name}` is unknown"));
    }
    count
}
