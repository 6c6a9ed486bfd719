//! The macros that state the objects and enumerations of the protocol once. From one statement come the type,
//! both serde implementations, the thorough reader, the check for cleanliness and the generator for tests.
//!
//! `Deserialize` of these types is strict: an unknown member, a null, a duplicate or an unknown name is an
//! error, which sends the decoder from the fast path to the thorough one.

use serde::ser::SerializeMap;
use std::marker::PhantomData;

/// Carries the visitor of an object.
pub(crate) struct Reader<T>(pub(crate) PhantomData<T>);

/// Writes the members of an object into a map that somebody else opened.
pub(crate) trait Entries {
    fn entries<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error>;
}

/// States one JSON object:
///
/// ```text
/// object! {
///     /// Doc.
///     pub struct Name<S> {
///         /// Doc.
///         "jsonName" | "other spelling" => required field: Type = RULES;
///     }
///     cross function_over_several_members;
///     settle function_that_makes_a_generated_value_valid;
/// }
/// ```
///
/// Modes: `required` (missing is invalid), `optional` (the type is an `Option`), `expected` (missing is reported with the
/// weight of the rules, and the default stands in).
macro_rules! object {
    (
        $(#[$meta:meta])*
        pub struct $name:ident $(<$s:ident>)? {
            $(
                $(#[$field_meta:meta])*
                $json:literal $(| $alias:literal)* => $mode:ident $field:ident : $ty:ty $(= $rules:expr)? ;
            )*
        }
        $(cross $cross:path;)?
        $(settle $settle:path;)?
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name $(<$s = String>)? {
            $(
                $(#[$field_meta])*
                pub $field: $ty,
            )*
        }

        impl $(<$s: $crate::aos::text::Text>)? $crate::aos::object::Entries for $name $(<$s>)? {
            fn entries<M: serde::ser::SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
                $( object!(@put $mode map $json self.$field); )*
                Ok(())
            }
        }

        impl $(<$s: $crate::aos::text::Text>)? serde::Serialize for $name $(<$s>)? {
            fn serialize<Z: serde::Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
                use serde::ser::SerializeMap;
                let mut map = serializer.serialize_map(None)?;
                $crate::aos::object::Entries::entries(self, &mut map)?;
                map.end()
            }
        }

        impl<'de $(, $s: $crate::aos::text::Text + serde::Deserialize<'de>)?> serde::Deserialize<'de>
            for $name $(<$s>)?
        {
            #[inline]
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_map($crate::aos::object::Reader::<Self>(std::marker::PhantomData))
            }
        }

        impl<'de $(, $s: $crate::aos::text::Text + serde::Deserialize<'de>)?> serde::de::Visitor<'de>
            for $crate::aos::object::Reader<$name $(<$s>)?>
        {
            type Value = $name $(<$s>)?;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!("an object of type ", stringify!($name)))
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                $( let mut $field = None; )*
                while let Some(key) = map.next_key::<$crate::aos::text::BorrowedText<'de>>()? {
                    match &*key {
                        $(
                            $json => {
                                if $field.is_some() {
                                    return Err(serde::de::Error::duplicate_field($json));
                                }
                                $field = Some(map.next_value()?);
                            }
                        )*
                        other => return Err(serde::de::Error::unknown_field(other, &[])),
                    }
                }
                Ok($name { $( $field: object!(@fill $mode $field $json), )* })
            }
        }

        impl $(<$s: $crate::aos::text::Text + $crate::aos::part::Part>)? $crate::aos::part::Part
            for $name $(<$s>)?
        {
            fn read(
                value: &serde_json::Value,
                place: &$crate::aos::report::Place<'_>,
                rules: &$crate::aos::rule::Rules,
                report: &mut $crate::aos::report::Report,
            ) -> Option<Self> {
                let _ = rules;
                let names: &[&[&str]] = &[$( &[$json $(, $alias)*] ),*];
                let mut slots = $crate::aos::part::open(value, place, names, report)?.into_iter();
                $(
                    let $field = object!(@reader $mode)(
                        slots.next().flatten(), place, $json, object!(@rules $($rules)?), report,
                    );
                )*
                let whole = $name { $( $field: $field?, )* };
                $(
                    let context = report.context;
                    $cross(&whole, rules, context, &mut |name: &'static str, fault| {
                        if name.is_empty() {
                            report.tell(place, fault);
                        } else {
                            report.tell(&place.member(name), fault);
                        }
                    });
                )?
                Some(whole)
            }

            #[inline]
            fn is_clean(
                &self,
                rules: &$crate::aos::rule::Rules,
                context: $crate::aos::report::Context,
            ) -> bool {
                let _ = rules;
                $( object!(@clean $mode self.$field, object!(@rules $($rules)?), context) && )*
                object!(@crossed self, rules, context, $($cross)?)
            }
        }

        #[cfg(any(test, feature = "strategies"))]
        impl $(<$s: $crate::aos::text::Text + $crate::aos::draw::Draw>)? $crate::aos::draw::Draw
            for $name $(<$s>)?
        {
            fn draw(
                tape: &mut $crate::aos::draw::Tape<'_>,
                rules: &$crate::aos::rule::Rules,
                context: $crate::aos::report::Context,
            ) -> Self {
                let _ = rules;
                #[allow(unused_mut)]
                let mut whole = $name {
                    $( $field: object!(@draw $mode tape, object!(@rules $($rules)?), context), )*
                };
                $( $settle(&mut whole, rules, context, tape); )?
                whole
            }
        }
    };

    (@put optional $map:ident $json:literal $self:ident.$field:ident) => {
        if let Some(value) = &$self.$field {
            $map.serialize_entry($json, value)?;
        }
    };
    (@put $mode:ident $map:ident $json:literal $self:ident.$field:ident) => {
        $map.serialize_entry($json, &$self.$field)?;
    };

    (@fill optional $field:ident $json:literal) => { $field };
    (@fill $mode:ident $field:ident $json:literal) => {
        match $field {
            Some(value) => value,
            None => return Err(serde::de::Error::missing_field($json)),
        }
    };

    (@reader required) => { $crate::aos::part::read_required };
    (@reader optional) => { $crate::aos::part::read_optional };
    (@reader expected) => { $crate::aos::part::read_expected };

    (@rules) => { &$crate::aos::rule::Rules::NONE };
    (@rules $rules:expr) => {{
        const RULES: &$crate::aos::rule::Rules = &$rules;
        RULES
    }};

    (@clean optional $self:ident.$field:ident, $rules:expr, $context:ident) => {
        match &$self.$field {
            Some(value) => $crate::aos::part::Part::is_clean(value, $rules, $context),
            None => true,
        }
    };
    (@clean $mode:ident $self:ident.$field:ident, $rules:expr, $context:ident) => {
        $crate::aos::part::Part::is_clean(&$self.$field, $rules, $context)
    };

    (@crossed $self:ident, $rules:ident, $context:ident,) => { true };
    (@crossed $self:ident, $rules:ident, $context:ident, $cross:path) => {{
        let mut clean = true;
        $cross($self, $rules, $context, &mut |_: &'static str, _| clean = false);
        clean
    }};

    (@draw optional $tape:ident, $rules:expr, $context:ident) => {
        if $tape.flip() {
            Some($crate::aos::draw::Draw::draw($tape, $rules, $context))
        } else {
            None
        }
    };
    (@draw $mode:ident $tape:ident, $rules:expr, $context:ident) => {
        $crate::aos::draw::Draw::draw($tape, $rules, $context)
    };
}

/// States one enumeration of names. `publisher` variants and `older` spellings are read with an oddity.
///
/// ```text
/// names! {
///     /// Doc.
///     pub enum Name { /// Doc.
///         Variant = "spelling", }
///     publisher { /// Doc.
///         Other = "spelling", }
///     spelled { "another" => Variant, }
/// }
/// ```
macro_rules! names {
    (
        $(#[$meta:meta])*
        pub enum $name:ident { $( $(#[$doc:meta])* $variant:ident = $text:literal, )* }
        $(publisher { $( $(#[$other_doc:meta])* $other:ident = $other_text:literal, )* })?
        $(spelled { $( $alias:literal => $target:ident, )* })?
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $( $(#[$doc])* $variant, )*
            $( $( $(#[$other_doc])* $other, )* )?
        }

        impl $name {
            /// Every value that all sources define.
            pub const ALL: &'static [$name] = &[$( $name::$variant, )*];

            /// The name on the wire.
            pub fn name(self) -> &'static str {
                match self {
                    $( $name::$variant => $text, )*
                    $( $( $name::$other => $other_text, )* )?
                }
            }

            /// The value of that exact name.
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $( $text => Some($name::$variant), )*
                    _ => None,
                }
            }

            fn from_other_name(name: &str) -> Option<Self> {
                match name {
                    $( $( $other_text => Some($name::$other), )* )?
                    $( $( $alias => Some($name::$target), )* )?
                    _ => None,
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<Z: serde::Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
                serializer.serialize_str(self.name())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            #[inline]
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Name;
                impl serde::de::Visitor<'_> for Name {
                    type Value = $name;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str(concat!("a name of ", stringify!($name)))
                    }

                    #[inline]
                    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<$name, E> {
                        $name::from_name(name).ok_or_else(|| E::unknown_variant(name, &[$( $text, )*]))
                    }
                }
                deserializer.deserialize_str(Name)
            }
        }

        impl $crate::aos::part::Part for $name {
            fn read(
                value: &serde_json::Value,
                place: &$crate::aos::report::Place<'_>,
                rules: &$crate::aos::rule::Rules,
                report: &mut $crate::aos::report::Report,
            ) -> Option<Self> {
                use $crate::{aos::report::Fault, oddity::OddityKind};
                let Some(name) = value.as_str() else {
                    report.wrong_type(place, "a string");
                    return None;
                };
                if let Some(known) = $name::from_name(name) {
                    return Some(known);
                }
                if let Some(other) = $name::from_other_name(name) {
                    let detail = format!("`{name}` is a name of another source");
                    report.tell(place, Fault::tolerable(OddityKind::Dialect, detail));
                    return Some(other);
                }
                let known: Vec<&str> = $name::ALL.iter().map(|known| known.name()).collect();
                let detail = format!("unknown name `{name}`; one of {}", known.join(", "));
                report.tell(place, Fault::weighing(rules.unknown_name, OddityKind::UnknownName, detail));
                None
            }

            #[inline]
            fn is_clean(
                &self,
                _rules: &$crate::aos::rule::Rules,
                _context: $crate::aos::report::Context,
            ) -> bool {
                true
            }
        }

        #[cfg(any(test, feature = "strategies"))]
        impl $crate::aos::draw::Draw for $name {
            fn draw(
                tape: &mut $crate::aos::draw::Tape<'_>,
                _rules: &$crate::aos::rule::Rules,
                _context: $crate::aos::report::Context,
            ) -> Self {
                *tape.pick($name::ALL)
            }
        }
    };
}

pub(crate) use {names, object};
