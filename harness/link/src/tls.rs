//! TLS on both sides, on the bench's clock.
