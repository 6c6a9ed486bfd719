//! The test authority of a run, and the certificates it issues.
