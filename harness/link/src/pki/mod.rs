//! The test authority of a run and the certificates it issues. Keys are random; names and serial numbers follow
//! from the seed, so a trace names the same certificates on every run. Used by the mock cloud, by drivers, and by
//! simulated units.

mod authority;
mod identity;
mod request;
mod serial;
mod store;
mod subject;
mod validity;

pub use authority::{Authority, PkiError, self_signed};
pub use identity::{Identity, certificate_facts};
pub use request::{CertificateRequest, CsrError, IssuedCertificate, SubjectPolicy};
pub use serial::Serial;
pub use store::{StoreError, write_private};
pub use subject::Subject;
pub use validity::Validity;
