//! The free attributes of a node: an object from string to string that keeps its order.

use super::{
    part::Part,
    report::{Context, Place, Report},
    rule::Rules,
    text::Text,
};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, MapAccess, Visitor},
};
use serde_json::Value;
use std::{fmt, marker::PhantomData};

/// Attributes in wire order; names are unique.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes<S = String>(pub Vec<(S, S)>);

impl<S: Text> Attributes<S> {
    /// The value of an attribute.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| key.as_ref() == name);
        found.map(|(_, value)| value.as_ref())
    }
}

impl<S: Text> Serialize for Attributes<S> {
    fn serialize<Z: Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl<'de, S: Text + Deserialize<'de>> Deserialize<'de> for Attributes<S> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Pairs(PhantomData))
    }
}

struct Pairs<S>(PhantomData<S>);

impl<'de, S: Text + Deserialize<'de>> Visitor<'de> for Pairs<S> {
    type Value = Attributes<S>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of strings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut pairs: Vec<(S, S)> = Vec::new();
        while let Some((name, value)) = map.next_entry::<S, S>()? {
            if pairs.iter().any(|(known, _)| *known == name) {
                return Err(de::Error::custom("an attribute occurs twice"));
            }
            pairs.push((name, value));
        }
        Ok(Attributes(pairs))
    }
}

impl<S: Text + Part> Part for Attributes<S> {
    fn read(value: &Value, place: &Place<'_>, rules: &Rules, report: &mut Report) -> Option<Self> {
        let Some(object) = value.as_object() else {
            report.wrong_type(place, "an object of strings");
            return None;
        };
        let read: Vec<Option<(S, S)>> = object
            .iter()
            .map(|(name, value)| {
                let value = S::read(value, &place.member(name), rules, report)?;
                Some((S::from(name), value))
            })
            .collect();
        read.into_iter().collect::<Option<_>>().map(Attributes)
    }

    fn is_clean(&self, rules: &Rules, context: Context) -> bool {
        self.0.iter().all(|(_, value)| value.is_clean(rules, context))
    }
}
