//! Arguments of a message: bytes, values with types, and JSON.

use serde_json::{Map, Value as Json, json};
use std::str::FromStr;
use zvariant::{
    Array, Dict, Endian, ObjectPath, Signature, Structure, StructureBuilder, Value,
    serialized::{Context, Data},
    to_bytes,
};

/// Why arguments could not be read or made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArgumentError {
    /// The signature is none.
    #[error("`{0}` is no signature")]
    Signature(String),
    /// The bytes are not what the signature says.
    #[error("the arguments are not of signature `{signature}`: {problem}")]
    Bytes {
        /// The signature.
        signature: String,
        /// What is wrong.
        problem: String,
    },
    /// There are more or fewer values than types.
    #[error("`{signature}` takes {wanted} arguments, not {given}")]
    Count {
        /// The signature.
        signature: String,
        /// How many it takes.
        wanted: usize,
        /// How many there are.
        given: usize,
    },
    /// A value has no such type.
    #[error("{value} cannot be of type `{signature}`")]
    Type {
        /// The type.
        signature: String,
        /// The value.
        value: String,
    },
    /// There are too many bytes to look at.
    #[error("{0} bytes of arguments are more than anybody looks at")]
    TooLarge(usize),
}

/// The values of a body.
///
/// # Errors
///
/// If the signature or the bytes are wrong.
pub fn decode_arguments(
    signature: &str,
    body: &[u8],
    endian: Endian,
) -> Result<Vec<Value<'static>>, ArgumentError> {
    let types = types_of(signature)?;
    if body.len() > MOST_DECODED {
        return Err(ArgumentError::TooLarge(body.len()));
    }
    let wrong = |problem: String| ArgumentError::Bytes {
        signature: signature.to_owned(),
        problem,
    };
    if types.is_empty() {
        return match body {
            [] => Ok(Vec::new()),
            _ => Err(wrong(format!("{} bytes too many", body.len()))),
        };
    }
    let data = Data::new(body, Context::new_dbus(endian, 0));
    let all = Signature::structure(types);
    let (structure, used) = data
        .deserialize_for_dynamic_signature::<_, Structure<'_>>(&all)
        .map_err(|error| wrong(error.to_string()))?;
    if used != body.len() {
        return Err(wrong(format!("{} bytes too many", body.len() - used)));
    }
    let fields = structure.into_fields().into_iter();
    let owned = fields.map(|field| field.try_into_owned().map(Value::from));
    owned
        .collect::<Result<_, _>>()
        .map_err(|error| wrong(error.to_string()))
}

/// The bytes of values, in little-endian order.
///
/// # Errors
///
/// If a value cannot be written, such as a file descriptor.
pub fn encode_arguments(arguments: &[Value<'static>]) -> Result<Vec<u8>, ArgumentError> {
    if arguments.is_empty() {
        return Ok(Vec::new());
    }
    let wrong = |error: zvariant::Error| ArgumentError::Bytes {
        signature: signature_of(arguments),
        problem: error.to_string(),
    };
    let mut builder = StructureBuilder::new();
    for argument in arguments {
        builder.push_value(argument.try_clone().map_err(wrong)?);
    }
    let structure = builder.build().map_err(wrong)?;
    let context = Context::new_dbus(Endian::Little, 0);
    Ok(to_bytes(context, &structure).map_err(wrong)?.bytes().to_vec())
}

/// The signature of values.
pub fn signature_of(arguments: &[Value<'_>]) -> String {
    arguments
        .iter()
        .map(|argument| argument.value_signature().to_string())
        .collect()
}

/// Values of JSON, one for each type of the signature. A variant takes the type of what is in it: a text, a whole number of 32
/// bits or, if it is larger, of 64, a fraction, a truth value, a list of variants, or a dictionary of variants.
///
/// # Errors
///
/// If the signature is none or a value does not fit.
pub fn from_json(signature: &str, values: &[Json]) -> Result<Vec<Value<'static>>, ArgumentError> {
    let types = types_of(signature)?;
    if types.len() != values.len() {
        return Err(ArgumentError::Count {
            signature: signature.to_owned(),
            wanted: types.len(),
            given: values.len(),
        });
    }
    types
        .iter()
        .zip(values)
        .map(|(one, value)| typed(one, value))
        .collect()
}

/// A value as JSON: variants by what is in them, dictionaries with keys that are texts as objects, others as lists of pairs.
pub fn to_json(value: &Value<'_>) -> Json {
    match value {
        Value::U8(number) => json!(number),
        Value::Bool(truth) => json!(truth),
        Value::I16(number) => json!(number),
        Value::U16(number) => json!(number),
        Value::I32(number) => json!(number),
        Value::U32(number) => json!(number),
        Value::I64(number) => json!(number),
        Value::U64(number) => json!(number),
        Value::F64(number) => json!(number),
        Value::Str(text) => json!(text.as_str()),
        Value::Signature(signature) => json!(signature.to_string_no_parens()),
        Value::ObjectPath(path) => json!(path.as_str()),
        Value::Value(inner) => to_json(inner),
        Value::Array(array) => array.iter().map(to_json).collect(),
        Value::Structure(structure) => structure.fields().iter().map(to_json).collect(),
        Value::Dict(dict) => {
            let named: Option<Map<String, Json>> = dict
                .iter()
                .map(|(key, value)| match key {
                    Value::Str(key) => Some((key.as_str().to_owned(), to_json(value))),
                    _ => None,
                })
                .collect();
            let pairs = || {
                dict.iter()
                    .map(|(key, value)| json!([to_json(key), to_json(value)]))
            };
            named.map_or_else(|| pairs().collect(), Json::Object)
        }
        _ => Json::Null,
    }
}

fn types_of(signature: &str) -> Result<Vec<Signature>, ArgumentError> {
    if signature.is_empty() {
        return Ok(Vec::new());
    }
    let wrong = || ArgumentError::Signature(signature.to_owned());
    // In parentheses any number of types is one structure.
    let all = Signature::from_str(&format!("({signature})")).map_err(|_| wrong())?;
    match all {
        Signature::Structure(fields) => Ok(fields.iter().cloned().collect()),
        _ => Err(wrong()),
    }
}

fn typed(signature: &Signature, value: &Json) -> Result<Value<'static>, ArgumentError> {
    let unfit = || ArgumentError::Type {
        signature: signature.to_string(),
        value: value.to_string(),
    };
    let whole = || value.as_i64().ok_or_else(unfit);
    let unsigned = || value.as_u64().ok_or_else(unfit);
    let text = || value.as_str().map(str::to_owned).ok_or_else(unfit);
    Ok(match signature {
        Signature::U8 => Value::U8(unsigned()?.try_into().map_err(|_| unfit())?),
        Signature::Bool => Value::Bool(value.as_bool().ok_or_else(unfit)?),
        Signature::I16 => Value::I16(whole()?.try_into().map_err(|_| unfit())?),
        Signature::U16 => Value::U16(unsigned()?.try_into().map_err(|_| unfit())?),
        Signature::I32 => Value::I32(whole()?.try_into().map_err(|_| unfit())?),
        Signature::U32 => Value::U32(unsigned()?.try_into().map_err(|_| unfit())?),
        Signature::I64 => Value::I64(whole()?),
        Signature::U64 => Value::U64(unsigned()?),
        Signature::F64 => Value::F64(value.as_f64().ok_or_else(unfit)?),
        Signature::Str => Value::from(text()?),
        Signature::ObjectPath => Value::ObjectPath(ObjectPath::try_from(text()?).map_err(|_| unfit())?),
        Signature::Signature => Value::Signature(Signature::from_str(&text()?).map_err(|_| unfit())?),
        Signature::Variant => Value::Value(Box::new(guessed(value).ok_or_else(unfit)?)),
        Signature::Array(child) => {
            let child: &Signature = child;
            let mut array = Array::new(child);
            for element in value.as_array().ok_or_else(unfit)? {
                array.append(typed(child, element)?).map_err(|_| unfit())?;
            }
            Value::Array(array)
        }
        Signature::Dict { key, value: child } => {
            let (key, child): (&Signature, &Signature) = (key, child);
            let mut dict = Dict::new(key, child);
            for (name, element) in value.as_object().ok_or_else(unfit)? {
                let name = typed(key, &json!(name))?;
                dict.append(name, typed(child, element)?).map_err(|_| unfit())?;
            }
            Value::Dict(dict)
        }
        Signature::Structure(fields) => {
            let values = value.as_array().ok_or_else(unfit)?;
            if values.len() != fields.len() {
                return Err(unfit());
            }
            let mut builder = StructureBuilder::new();
            for (field, value) in fields.iter().zip(values) {
                builder.push_value(typed(field, value)?);
            }
            Value::Structure(builder.build().map_err(|_| unfit())?)
        }
        _ => return Err(unfit()),
    })
}

/// The value a variant holds.
fn guessed(value: &Json) -> Option<Value<'static>> {
    let signature = match value {
        Json::Null => return None,
        Json::Bool(_) => Signature::Bool,
        Json::Number(number) => match number.as_i64() {
            Some(whole) if i32::try_from(whole).is_ok() => Signature::I32,
            Some(_) => Signature::I64,
            None if number.is_u64() => Signature::U64,
            None => Signature::F64,
        },
        Json::String(_) => Signature::Str,
        Json::Array(_) => Signature::array(Signature::Variant),
        Json::Object(_) => Signature::dict(Signature::Str, Signature::Variant),
    };
    typed(&signature, value).ok()
}

/// Arguments larger than this are not looked into: their values take many times the memory.
const MOST_DECODED: usize = 256 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_survive_bytes_and_json() {
        let results = json!([{"id": "u", "result_code": 7, "result_text": "no"}, {}]);
        let given = [json!("u"), results, json!(true), json!([1, -2]), json!(["/a", 3])];
        let signature = "saa{sv}bai(oy)";
        let values = from_json(signature, &given).unwrap();
        assert_eq!(signature_of(&values), signature);
        let bytes = encode_arguments(&values).unwrap();
        let read = decode_arguments(signature, &bytes, Endian::Little).unwrap();
        assert_eq!(read, values);
        assert_eq!(read.iter().map(to_json).collect::<Vec<_>>(), given);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert!(matches!(from_json("s", &[]), Err(ArgumentError::Count { .. })));
        assert!(matches!(
            from_json("q", &[json!(-1)]),
            Err(ArgumentError::Type { .. })
        ));
        assert!(matches!(
            from_json("a{", &[json!(1)]),
            Err(ArgumentError::Signature(_))
        ));
        assert!(matches!(
            from_json("h", &[json!(1)]),
            Err(ArgumentError::Type { .. })
        ));
        assert!(matches!(
            from_json("v", &[Json::Null]),
            Err(ArgumentError::Type { .. })
        ));
        let bytes = encode_arguments(&[Value::from("text")]).unwrap();
        for wrong in ["u", "ss", "", "as", "s)("] {
            assert!(
                decode_arguments(wrong, &bytes, Endian::Little).is_err(),
                "{wrong}"
            );
        }
    }
}
