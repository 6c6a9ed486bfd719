//! Tests of the cloud.
