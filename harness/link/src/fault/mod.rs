//! Faults on connections: a layer below TLS that lets bytes pass as they are until a fault comes, and from then on
//! moves them from one side to the other as its effects ask for. The proxy moves bytes between two sockets the same
//! way.

mod affliction;
mod end;
mod lane;
mod pacer;
mod place;
mod pump;
mod switch;
#[cfg(test)]
mod tests;

pub use place::Place;
pub(crate) use pump::{Ways, pump};
pub use switch::disturbed;
