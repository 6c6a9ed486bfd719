//! The HTTP API of SOTA Core and of the authentication server (reference section 4).

mod authorization;
mod call;
mod headers;
mod provisioning;
mod token;
mod update_list;
mod uploads;

pub use authorization::{basic, bearer, read_basic};
pub use call::{Call, RouteError, Scope};
pub use headers::{GRANT_BODY, check_request};
pub use provisioning::{ClientRegistration, DeviceRegistration};
pub use token::TokenAnswer;
pub use update_list::{ListedUpdate, decode_update_list, encode_update_list};
pub use uploads::{
    CoreError, decode_packages, decode_queued_package, decode_results, encode_packages, encode_results,
    results_are_success,
};
