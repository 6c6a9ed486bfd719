//! `hil init`.

use super::print;
use crate::{args::InitArguments, exit::Exit};
use hil_unit::unit_file::{DriverKind, init_template};

pub(crate) fn execute(arguments: InitArguments) -> Exit {
    let driver = match arguments.driver.as_str() {
        "sim" => DriverKind::Sim,
        "remote" => DriverKind::Remote,
        _ => DriverKind::Process,
    };
    print(&init_template(arguments.protocol, driver));
    Exit::Pass
}
