//! What every value of a message can do: be read thoroughly with all its oddities, and say whether it is free
//! of them. The leaves are here; objects and enumerations come from the macros in [`super::object`].

use super::{
    report::{Context, Fault, Place, Report},
    rule::{NumberRule, Rules},
    shape,
    text::BorrowedText,
};
use crate::oddity::{OddityKind, Weight};
use serde_json::{Number, Value};

pub(crate) trait Part: Sized {
    /// Reads a value and reports everything odd. `None` if there is no such value; then at least one oddity
    /// says why.
    fn read(value: &Value, place: &Place<'_>, rules: &Rules, report: &mut Report) -> Option<Self>;

    /// True if [`Part::read`] would report nothing about the rules of this value.
    fn is_clean(&self, rules: &Rules, context: Context) -> bool;
}

/// A member as found: its spelling and its value.
pub(crate) type Slot<'v> = Option<(&'v str, &'v Value)>;

/// Finds the members of an object. `names` lists for each member its spellings, the defined one first; the
/// slots come in the same order. Other spellings, nulls and unknown members are reported.
pub(crate) fn open<'v>(
    value: &'v Value,
    place: &Place<'_>,
    names: &[&[&str]],
    report: &mut Report,
) -> Option<Vec<Slot<'v>>> {
    let Some(object) = value.as_object() else {
        report.wrong_type(place, "an object");
        return None;
    };
    let mut slots: Vec<Slot<'v>> = vec![None; names.len()];
    let mut rest: Vec<(&'v str, &'v Value)> = Vec::new();
    for (key, value) in object {
        match names
            .iter()
            .position(|spellings| spellings.first() == Some(&key.as_str()))
        {
            Some(index) => {
                if let Some(slot) = slots.get_mut(index) {
                    *slot = Some((key, value));
                }
            }
            None => rest.push((key, value)),
        }
    }
    for (key, value) in rest {
        let here = place.member(key);
        let found = names.iter().enumerate().find_map(|(index, spellings)| {
            let alias = spellings.contains(&key);
            let alike = spellings.iter().any(|name| name.eq_ignore_ascii_case(key));
            (alike && slots.get(index).is_some_and(Option::is_none)).then_some((index, alias, spellings))
        });
        let Some((index, alias, spellings)) = found else {
            report.tell(
                &here,
                Fault::tolerable(OddityKind::UnknownMember, "nobody defined this member"),
            );
            continue;
        };
        let defined = spellings.first().copied().unwrap_or_default();
        let weight = if alias || report.context.is_from_cloud() {
            Weight::Tolerable
        } else {
            Weight::Invalid
        };
        let detail = format!("another spelling of `{defined}`");
        report.tell(&here, Fault::weighing(weight, OddityKind::Dialect, detail));
        if let Some(slot) = slots.get_mut(index) {
            *slot = Some((key, value));
        }
    }
    for slot in &mut slots {
        if let Some((key, Value::Null)) = slot {
            let here = place.member(key);
            report.tell(
                &here,
                Fault::tolerable(OddityKind::WrongType, "null counts as absent"),
            );
            *slot = None;
        }
    }
    Some(slots)
}

/// A member that must be there.
pub(crate) fn read_required<T: Part>(
    slot: Slot<'_>,
    place: &Place<'_>,
    name: &str,
    rules: &Rules,
    report: &mut Report,
) -> Option<T> {
    match slot {
        Some((key, value)) => T::read(value, &place.member(key), rules, report),
        None => {
            let fault = Fault::invalid(OddityKind::MissingMember, "this member is required");
            report.tell(&place.member(name), fault);
            None
        }
    }
}

/// A member that may be left out. The outer `None` means it is there and broken.
pub(crate) fn read_optional<T: Part>(
    slot: Slot<'_>,
    place: &Place<'_>,
    _name: &str,
    rules: &Rules,
    report: &mut Report,
) -> Option<Option<T>> {
    let Some((key, value)) = slot else {
        return Some(None);
    };
    match T::read(value, &place.member(key), rules, report) {
        None if rules.unknown_name == Weight::Tolerable => Some(None),
        None => None,
        read => Some(read),
    }
}

/// A member that should be there and has a default.
pub(crate) fn read_expected<T: Part + Default>(
    slot: Slot<'_>,
    place: &Place<'_>,
    name: &str,
    rules: &Rules,
    report: &mut Report,
) -> Option<T> {
    if slot.is_none() {
        let weight = rules.missing.weight(report.context);
        let fault = Fault::weighing(weight, OddityKind::MissingMember, "this member is missing");
        report.tell(&place.member(name), fault);
        return Some(T::default());
    }
    Some(read_required(slot, place, name, rules, report).unwrap_or_default())
}

impl<T: Part> Part for Vec<T> {
    fn read(value: &Value, place: &Place<'_>, rules: &Rules, report: &mut Report) -> Option<Self> {
        let entries: &[Value] = match value {
            Value::Array(entries) => entries,
            Value::Object(_) if rules.list.single => {
                report.tell(
                    place,
                    Fault::tolerable(OddityKind::Dialect, "one object instead of a list"),
                );
                std::slice::from_ref(value)
            }
            _ => {
                report.wrong_type(place, "a list");
                return None;
            }
        };
        if let Some(fault) = rules.list.fault(entries.len(), report.context) {
            report.tell(place, fault);
        }
        let read: Vec<Option<T>> = entries
            .iter()
            .enumerate()
            .map(|(index, entry)| T::read(entry, &place.entry(index), rules, report))
            .collect();
        read.into_iter().collect()
    }

    #[inline]
    fn is_clean(&self, rules: &Rules, context: Context) -> bool {
        (rules.list.least..=rules.list.most).contains(&self.len())
            && self.iter().all(|entry| entry.is_clean(rules, context))
    }
}

impl<T: Part> Part for Box<T> {
    fn read(value: &Value, place: &Place<'_>, rules: &Rules, report: &mut Report) -> Option<Self> {
        T::read(value, place, rules, report).map(Box::new)
    }

    #[inline]
    fn is_clean(&self, rules: &Rules, context: Context) -> bool {
        T::is_clean(self, rules, context)
    }
}

macro_rules! text_part {
    ($($text:ty),*) => {$(
        impl Part for $text {
            fn read(value: &Value, place: &Place<'_>, rules: &Rules, report: &mut Report) -> Option<Self> {
                let Some(text) = value.as_str() else {
                    report.wrong_type(place, "a string");
                    return None;
                };
                if let Some(fault) = rules.text.fault(text, report.context) {
                    report.tell(place, fault);
                }
                Some(text.into())
            }

            #[inline]
            fn is_clean(&self, rules: &Rules, context: Context) -> bool {
                rules.text.fault(self.as_ref(), context).is_none()
            }
        }
    )*};
}

text_part!(String, BorrowedText<'_>);

impl Part for bool {
    fn read(value: &Value, place: &Place<'_>, _rules: &Rules, report: &mut Report) -> Option<Self> {
        if value.as_bool().is_none() {
            report.wrong_type(place, "true or false");
        }
        value.as_bool()
    }

    #[inline]
    fn is_clean(&self, _rules: &Rules, _context: Context) -> bool {
        true
    }
}

impl Part for i64 {
    fn read(value: &Value, place: &Place<'_>, rules: &Rules, report: &mut Report) -> Option<Self> {
        let number = match value {
            Value::Number(number) => match number.as_i64() {
                Some(integer) => integer,
                None => whole(number, place, report)?,
            },
            Value::String(text) => number_in_text(text, place, rules.number, report)?,
            _ => {
                report.wrong_type(place, "an integer");
                return None;
            }
        };
        if let Some(fault) = rules.number.fault(number) {
            report.tell(place, fault);
        }
        Some(number)
    }

    #[inline]
    fn is_clean(&self, rules: &Rules, _context: Context) -> bool {
        rules.number.fault(*self).is_none()
    }
}

impl Part for u64 {
    fn read(value: &Value, place: &Place<'_>, rules: &Rules, report: &mut Report) -> Option<Self> {
        if let Some(number) = value.as_u64() {
            if let Some(fault) = u64_fault(number, rules) {
                report.tell(place, fault);
            }
            return Some(number);
        }
        let signed = i64::read(value, place, &Rules::NONE, report)?;
        let number = u64::try_from(signed).ok();
        match number {
            None => report.tell(
                place,
                Fault::invalid(OddityKind::InvalidValue, "must not be negative"),
            ),
            Some(number) => {
                if let Some(fault) = u64_fault(number, rules) {
                    report.tell(place, fault);
                }
            }
        }
        number
    }

    #[inline]
    fn is_clean(&self, rules: &Rules, _context: Context) -> bool {
        u64_fault(*self, rules).is_none()
    }
}

#[inline]
fn u64_fault(number: u64, rules: &Rules) -> Option<Fault> {
    rules.number.fault(i64::try_from(number).unwrap_or(i64::MAX))
}

impl Part for Number {
    fn read(value: &Value, place: &Place<'_>, rules: &Rules, report: &mut Report) -> Option<Self> {
        match value {
            Value::Number(number) => Some(number.clone()),
            Value::String(text) if rules.number == NumberRule::Seconds => {
                match shape::duration_seconds(text) {
                    Some(seconds) => {
                        report.tell(place, Fault::tolerable(OddityKind::Dialect, "a duration as text"));
                        Some(seconds.into())
                    }
                    None => {
                        report.wrong_type(place, "a number of seconds");
                        None
                    }
                }
            }
            _ => {
                report.wrong_type(place, "a number");
                None
            }
        }
    }

    #[inline]
    fn is_clean(&self, _rules: &Rules, _context: Context) -> bool {
        true
    }
}

/// An integer written with a fraction or beyond the range.
fn whole(number: &Number, place: &Place<'_>, report: &mut Report) -> Option<i64> {
    let float = number.as_f64()?;
    // 2^53: up to there every integer has a float of its own
    if float.fract() != 0.0 || float.abs() > 9_007_199_254_740_992.0 {
        report.tell(
            place,
            Fault::invalid(OddityKind::InvalidValue, "must be an integer in range"),
        );
        return None;
    }
    report.tell(
        place,
        Fault::tolerable(OddityKind::WrongType, "an integer written as a fraction"),
    );
    #[expect(clippy::cast_possible_truncation, reason = "whole and within 2^53")]
    Some(float as i64)
}

/// Version numbers written as strings, which units convert.
fn number_in_text(text: &str, place: &Place<'_>, rule: NumberRule, report: &mut Report) -> Option<i64> {
    let lenient = match rule {
        NumberRule::SecretsVersion => true,
        NumberRule::ProtocolVersion => report.context.is_from_cloud(),
        _ => false,
    };
    match text.parse() {
        Ok(number) if lenient => {
            report.tell(
                place,
                Fault::tolerable(OddityKind::WrongType, "an integer written as a string"),
            );
            Some(number)
        }
        _ => {
            report.wrong_type(place, "an integer");
            None
        }
    }
}
