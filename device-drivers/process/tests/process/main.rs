//! Processes made of shell scripts, in real time.

mod bench;
mod life;
mod told;
