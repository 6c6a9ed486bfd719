//! Names of the methods this protocol speaks of.

/// `OTA.Update`: fetch an archive and restart into it.
pub const UPDATE: &str = "OTA.Update";
/// `OTA.Commit`: make the running firmware permanent.
pub const COMMIT: &str = "OTA.Commit";
/// `OTA.Revert`: go back to the previous firmware.
pub const REVERT: &str = "OTA.Revert";
/// `OTA.CreateSnapshot`: copy the running firmware to the other slot.
pub const CREATE_SNAPSHOT: &str = "OTA.CreateSnapshot";
/// `OTA.GetBootState`.
pub const GET_BOOT_STATE: &str = "OTA.GetBootState";
/// `OTA.SetBootState`.
pub const SET_BOOT_STATE: &str = "OTA.SetBootState";
/// `OTA.Status` of the push methods.
pub const STATUS: &str = "OTA.Status";
/// `OTA.Begin` of the push methods.
pub const BEGIN: &str = "OTA.Begin";
/// `OTA.Write` of the push methods.
pub const WRITE: &str = "OTA.Write";
/// `OTA.End` of the push methods.
pub const END: &str = "OTA.End";
/// `FS.Put`: write a user file.
pub const PUT_FILE: &str = "FS.Put";
/// `FS.Get`: read a user file.
pub const GET_FILE: &str = "FS.Get";
/// `RPC.List`: names of all methods.
pub const LIST: &str = "RPC.List";
/// `RPC.Describe`.
pub const DESCRIBE: &str = "RPC.Describe";
/// `RPC.Ping`.
pub const PING: &str = "RPC.Ping";
/// `Sys.GetInfo`.
pub const GET_INFO: &str = "Sys.GetInfo";
/// `Sys.Reboot`.
pub const REBOOT: &str = "Sys.Reboot";

/// The six methods the service is documented with; every unit lists them (requirement OTA-RPC-008).
pub const DOCUMENTED: [&str; 6] = [
    UPDATE,
    COMMIT,
    REVERT,
    CREATE_SNAPSHOT,
    GET_BOOT_STATE,
    SET_BOOT_STATE,
];

/// The push methods of the `mos` tool; a unit may lack them.
pub const PUSH: [&str; 4] = [STATUS, BEGIN, WRITE, END];

/// Discovery and system methods every unit has.
pub const CORE: [&str; 5] = [LIST, DESCRIBE, PING, GET_INFO, REBOOT];
