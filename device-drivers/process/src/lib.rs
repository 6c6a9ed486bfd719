//! Drivers for units that are processes, or run somewhere else already. A process gets everything it must know as
//! environment variables, placeholders and files (see [`Values`]); what it prints and how it ends becomes records. What a
//! program is told and how it is started other drivers use too.

mod boot_mark;
mod console;
mod driver;
mod hook;
mod launch;
mod measure;
mod provision;
mod remote;
mod run;
mod stdio_face;
mod substitute;
mod supervisor;
mod unit;
mod values;

pub use boot_mark::BootMark;
pub use driver::ProcessDriver;
pub use launch::Launch;
pub use provision::{clear, configuration, name_certificates, write_certificates};
pub use remote::RemoteDriver;
pub use substitute::UnknownPlaceholder;
pub use values::Values;
