//! The one place that knows which core serves which protocol, and on which faces.

use crate::{
    CloudSettings,
    core::{
        Core,
        aos::{self, AosCloud},
        device_command::{self, DeviceCommandCloud},
        edge_poll::{self, EdgePollCloud},
        ota_rpc::{self, OtaRpcCloud},
        sota::{self, SotaCloud},
    },
};
use hil_link::{Address, pki::Authority};
use hil_wire::Protocol;
use std::{collections::BTreeMap, rc::Rc};

/// What a core may be told of the cloud it is part of.
pub(crate) struct CoreSurroundings<'a> {
    /// The address of a face as units are told; empty before the face is open.
    pub(crate) url: &'a dyn Fn(&str) -> String,
    /// Who issues certificates.
    pub(crate) authority: &'a Rc<Authority>,
    /// Where the unit is the server, by face.
    pub(crate) unit_faces: &'a BTreeMap<String, Address>,
    /// How often the cloud has served before.
    pub(crate) starts: u64,
}

/// The core of the settings' protocol.
pub(crate) fn make_core(settings: CloudSettings, surroundings: &CoreSurroundings<'_>) -> Box<dyn Core> {
    let url = surroundings.url;
    // After a restart nothing must bear an id of before: units take what bears a known one for a repetition.
    let again = || CloudSettings {
        seed: settings.seed.wrapping_add(surroundings.starts),
        ..settings.clone()
    };
    match settings.protocol {
        Protocol::EdgePoll => {
            let urls = edge_poll::Urls {
                api: url(edge_poll::API),
                blob_origin: url(edge_poll::BLOB_ORIGIN),
                plain_origin: url(edge_poll::PLAIN_ORIGIN),
            };
            Box::new(EdgePollCloud::new(settings, urls))
        }
        Protocol::DeviceCommand => {
            let origins = device_command::Origins {
                firmware: url(device_command::FIRMWARE_HOST),
                diagnostics: [
                    url(device_command::DIAGNOSTICS_HOST),
                    url(device_command::SECOND_DIAGNOSTICS_HOST),
                ],
            };
            Box::new(DeviceCommandCloud::new(settings, origins))
        }
        Protocol::AosV7 => {
            let urls = aos::Urls {
                discovery: url(aos::DISCOVERY),
                websocket: url(aos::WEBSOCKET),
                blobs: url(aos::BLOBS),
            };
            Box::new(AosCloud::new(again(), urls, surroundings.authority.clone()))
        }
        Protocol::Sota => Box::new(SotaCloud::new(again(), url(sota::CORE), url(sota::SECOND_ORIGIN))),
        Protocol::OtaRpc => {
            let faces: Vec<String> = surroundings.unit_faces.keys().cloned().collect();
            Box::new(OtaRpcCloud::new(again(), url(ota_rpc::FIRMWARE), &faces))
        }
    }
}

/// The faces of a cloud, in no particular order.
pub fn cloud_faces(protocol: Protocol) -> Vec<&'static str> {
    match protocol {
        Protocol::EdgePoll => edge_poll::FACES.to_vec(),
        Protocol::DeviceCommand => device_command::FACES.to_vec(),
        Protocol::AosV7 => aos::FACES.to_vec(),
        Protocol::Sota => [sota::FACES, &[sota::EVENTS, sota::BUS]].concat(),
        Protocol::OtaRpc => [ota_rpc::FACES, &[ota_rpc::BROKER]].concat(),
    }
}
