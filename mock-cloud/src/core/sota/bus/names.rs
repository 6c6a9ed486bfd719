//! Well-known names: who owns each and who waits for it.

use super::Seat;
use std::collections::BTreeMap;

/// Owners by name, the first of each list; the others wait in turn.
#[derive(Debug, Default)]
pub(super) struct Names {
    seats: BTreeMap<String, Vec<Claim>>,
}

#[derive(Clone, Copy, Debug)]
struct Claim {
    seat: Seat,
    replaceable: bool,
}

/// What came of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Requested {
    /// It owns the name now; who owned it before.
    Owner(Option<Seat>),
    /// It waits.
    Queued,
    /// It does not get it.
    Refused,
    /// It had it already.
    Already,
}

impl Names {
    pub(super) fn owner(&self, name: &str) -> Option<Seat> {
        Some(self.seats.get(name)?.first()?.seat)
    }

    /// Everybody who owns it or waits for it.
    pub(super) fn queue(&self, name: &str) -> impl Iterator<Item = Seat> {
        let claims = self.seats.get(name).into_iter().flatten();
        claims.map(|claim| claim.seat)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &str> {
        self.seats.keys().map(String::as_str)
    }

    /// How many names somebody has or waits for.
    pub(super) fn count(&self, seat: Seat) -> usize {
        let claims = self.seats.values().flatten();
        claims.filter(|claim| claim.seat == seat).count()
    }

    /// Asks for a name with the flags of `RequestName`.
    pub(super) fn request(&mut self, name: &str, seat: Seat, flags: u32) -> Requested {
        let claims = self.seats.entry(name.to_owned()).or_default();
        let claim = Claim {
            seat,
            replaceable: flags & ALLOW_REPLACEMENT != 0,
        };
        let Some(first) = claims.first_mut() else {
            claims.push(claim);
            return Requested::Owner(None);
        };
        if first.seat == seat {
            *first = claim;
            return Requested::Already;
        }
        let before = *first;
        claims.retain(|other| other.seat != seat);
        if before.replaceable && flags & REPLACE_EXISTING != 0 {
            claims.insert(0, claim);
            return Requested::Owner(Some(before.seat));
        }
        if flags & DO_NOT_QUEUE != 0 {
            return Requested::Refused;
        }
        claims.push(claim);
        Requested::Queued
    }

    /// Gives a name up; the owner before and after, or `None` if the seat had nothing to do with it.
    pub(super) fn release(&mut self, name: &str, seat: Seat) -> Option<(Option<Seat>, Option<Seat>)> {
        let claims = self.seats.get_mut(name)?;
        let position = claims.iter().position(|claim| claim.seat == seat)?;
        let before = claims.first().map(|claim| claim.seat);
        claims.remove(position);
        let after = claims.first().map(|claim| claim.seat);
        if claims.is_empty() {
            self.seats.remove(name);
        }
        Some((before, after))
    }

    /// Gives up everything; the names it owned, with who owns them now.
    pub(super) fn leave(&mut self, seat: Seat) -> Vec<(String, Option<Seat>)> {
        let names: Vec<String> = self.seats.keys().cloned().collect();
        let mut left = Vec::new();
        for name in names {
            if let Some((before, after)) = self.release(&name, seat)
                && before == Some(seat)
            {
                left.push((name, after));
            }
        }
        left
    }
}

const ALLOW_REPLACEMENT: u32 = 1;
const REPLACE_EXISTING: u32 = 2;
const DO_NOT_QUEUE: u32 = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_goes_to_the_next_in_the_queue() {
        let (one, two) = (Seat::Connection(1), Seat::Connection(2));
        let mut names = Names::default();
        assert_eq!(names.request("a.b", one, 0), Requested::Owner(None));
        assert_eq!(names.request("a.b", one, ALLOW_REPLACEMENT), Requested::Already);
        assert_eq!(names.request("a.b", two, DO_NOT_QUEUE), Requested::Refused);
        assert_eq!(
            names.request("a.b", two, REPLACE_EXISTING),
            Requested::Owner(Some(one))
        );
        assert_eq!(names.request("a.b", one, REPLACE_EXISTING), Requested::Queued);
        assert_eq!(names.leave(two), [("a.b".to_owned(), Some(one))]);
        assert_eq!(names.release("a.b", two), None);
        assert_eq!(names.release("a.b", one), Some((Some(one), None)));
        assert_eq!(names.owner("a.b"), None);
    }
}
