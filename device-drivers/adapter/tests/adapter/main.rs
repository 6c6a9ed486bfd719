//! Adapters made of shell and Python scripts, good ones and bad ones, in real time.

mod bad;
mod bench;
mod good;
mod readme;
