//! Drivers for units that are processes, or run somewhere else already. A process gets everything it must know as
//! environment variables, placeholders and files (see [`Values`]); what it prints and how it ends becomes records.

mod boot_mark;
mod console;
mod driver;
mod hook;
mod launch;
mod provision;
mod remote;
mod run;
mod stdio_face;
mod substitute;
mod supervisor;
mod unit;
mod values;

pub use driver::ProcessDriver;
pub use remote::RemoteDriver;
pub use substitute::UnknownPlaceholder;
pub use values::Values;
