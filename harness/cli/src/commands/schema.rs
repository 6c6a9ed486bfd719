//! `hil schema`.

use super::{fail, print};
use crate::{
    args::{SchemaArguments, SchemaOf},
    exit::Exit,
    library::Library,
};

pub(crate) fn execute(arguments: SchemaArguments) -> Exit {
    let schema = match arguments.of {
        SchemaOf::Scenario => match Library::open() {
            Ok(library) => hil_scenario::schema(&library.vocabulary),
            Err(error) => return fail(error, Exit::Invalid),
        },
        SchemaOf::Unit => hil_unit::unit_file::schema(),
        SchemaOf::Waivers => hil_scenario::waivers_schema(),
        SchemaOf::Requirements => {
            print(hil_reports::REQUIREMENTS_SCHEMA_TEXT);
            return Exit::Pass;
        }
        SchemaOf::Report => {
            print(hil_reports::SCHEMA_TEXT);
            return Exit::Pass;
        }
    };
    match serde_json::to_string_pretty(&schema) {
        Ok(text) => {
            print(&text);
            Exit::Pass
        }
        Err(error) => fail(error, Exit::Unexpected),
    }
}
