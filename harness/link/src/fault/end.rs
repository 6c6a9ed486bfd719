//! How one way of a connection, or all of it, comes to its end.

/// What follows the last byte of one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The sender ended it in order.
    Fin,
    /// A fault ends this way in order; the other goes on.
    HalfClosed,
    /// A fault ends the connection in order.
    Cut,
    /// A fault resets the connection.
    Reset,
    /// One side broke.
    Broken,
}
