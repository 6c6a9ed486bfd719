//! The texts of `details` in status reports: fixed ones, those with figures, and how to read the figures back
//! (reference section 4.1).

/// `bcgmcu_reset`, failed.
pub const NO_RESPONSE_AFTER_RESET: &str = "BCGMCU did not respond after reset";
/// `bcgmcu_reset` with manual restart, completed.
pub const AWAITING_MANUAL_RESTART: &str = "Awaiting manual restart";
/// `system_restart`, failed.
pub const CONFIGURATION_NOT_SAVED: &str = "Could not save configuration";
/// `firmware_update`, executing.
pub const DOWNLOADING_FIRMWARE: &str = "Downloading firmware...";
/// `firmware_update`, executing.
pub const VERIFYING_FIRMWARE: &str = "Verifying firmware";
/// `firmware_update`, executing.
pub const INSTALLING_FIRMWARE: &str = "Installing firmware";
/// `firmware_update`, failed: the answer was not 200.
pub const DOWNLOAD_FAILED: &str = "Failed to download firmware";
/// `firmware_update`, failed: the image does not fit.
pub const NOT_ENOUGH_SPACE: &str = "Not enough space for update";
/// `firmware_update`, failed: the image was refused at its end.
pub const UPDATE_WRITE_FAILED: &str = "Update write failed";
/// `firmware_update`, failed: the image was short.
pub const UPDATE_INCOMPLETE: &str = "Update incomplete";
/// `firmware_update`, failed.
pub const CHECKSUM_MISMATCH: &str = "Checksum mismatch";
/// `firmware_update`, failed.
pub const INVALID_CHECKSUM_FORMAT: &str = "Invalid checksum format";
/// `firmware_update`, failed.
pub const VERSION_NOT_NEWER: &str = "Version not newer";
/// `firmware_update`, failed.
pub const INSECURE_FIRMWARE_URL: &str = "Insecure firmware URL";
/// `firmware_update`, failed: within the hour.
pub const RATE_LIMITED: &str = "Firmware update rate limited";
/// `data_export`, executing.
pub const EXPORTING: &str = "Exporting data...";
/// `data_export`, failed.
pub const EXPORT_FILE_FAILED: &str = "Could not create export file";
/// `data_export`, failed.
pub const EXPORT_UPLOAD_FAILED: &str = "Export upload failed";
/// `data_export`, failed.
pub const INVALID_TIME_RANGE: &str = "Invalid time range";
/// `network_diagnostics`, executing.
pub const RUNNING_DIAGNOSTICS: &str = "Running network diagnostics...";
/// `network_diagnostics`, failed.
pub const DIAGNOSTICS_ABORTED: &str = "Diagnostics aborted";
/// `network_diagnostics`, failed.
pub const TRACEROUTE_NOT_SUPPORTED: &str = "Traceroute not supported";
/// `storage_cleanup`, executing.
pub const CLEANING: &str = "Cleaning up storage...";
/// `storage_cleanup`, failed: ages cannot be known.
pub const CLOCK_NOT_SET: &str = "Clock not set";
/// Any type, failed: none of the six.
pub const UNSUPPORTED_COMMAND_TYPE: &str = "Unsupported command type";
/// Any type, failed: past its `expires_at`.
pub const EXPIRED: &str = "Expired";
/// Any type, failed: power or process was lost.
pub const INTERRUPTED: &str = "Interrupted by restart";
/// Any type, failed: missing where required, or wrong.
pub const SIGNATURE_INVALID: &str = "Signature invalid";

/// `system_restart`, completed: seconds until the restart.
pub fn restarting_in(seconds: u64) -> String {
    format!("Restarting in {seconds} seconds")
}

/// The seconds of [`restarting_in`].
pub fn read_restarting_in(details: &str) -> Option<u64> {
    figure(details.strip_prefix("Restarting in ")?.strip_suffix(" seconds")?)
}

/// `firmware_update`, completed.
pub fn firmware_updated_to(version: &str) -> String {
    format!("Firmware updated to {version}")
}

/// The version of [`firmware_updated_to`].
pub fn read_firmware_updated_to(details: &str) -> Option<&str> {
    details.strip_prefix("Firmware updated to ")
}

/// `firmware_update`, failed: the new image did not confirm itself.
pub fn rolled_back_to(version: &str) -> String {
    format!("Rolled back to {version}")
}

/// The version of [`rolled_back_to`].
pub fn read_rolled_back_to(details: &str) -> Option<&str> {
    details.strip_prefix("Rolled back to ")
}

/// `data_export`, completed: number of records.
pub fn exported(records: u64) -> String {
    format!("Exported {records} records")
}

/// The number of [`exported`].
pub fn read_exported(details: &str) -> Option<u64> {
    figure(details.strip_prefix("Exported ")?.strip_suffix(" records")?)
}

/// `storage_cleanup`, completed: files removed and bytes freed.
pub fn cleaned(files: u64, bytes: u64) -> String {
    format!("Cleaned {files} files, freed {bytes} bytes")
}

/// Files and bytes of [`cleaned`].
pub fn read_cleaned(details: &str) -> Option<(u64, u64)> {
    let figures = details.strip_prefix("Cleaned ")?.strip_suffix(" bytes")?;
    let (files, bytes) = figures.split_once(" files, freed ")?;
    Some((figure(files)?, figure(bytes)?))
}

/// `storage_cleanup`, failed: which directory.
pub fn cleanup_failed(directory: &str) -> String {
    format!("Cleanup failed: {directory}")
}

/// Any type, failed: which parameter.
pub fn invalid_parameter(name: &str) -> String {
    format!("Invalid parameter: {name}")
}

/// The name of [`invalid_parameter`].
pub fn read_invalid_parameter(details: &str) -> Option<&str> {
    details.strip_prefix("Invalid parameter: ")
}

fn figure(text: &str) -> Option<u64> {
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_figures_it_writes() {
        assert_eq!(read_restarting_in(&restarting_in(5)), Some(5));
        assert_eq!(read_exported(&exported(1440)), Some(1440));
        assert_eq!(read_cleaned(&cleaned(12, 1 << 40)), Some((12, 1 << 40)));
        assert_eq!(
            read_firmware_updated_to(&firmware_updated_to("1.1.0")),
            Some("1.1.0")
        );
        assert_eq!(read_rolled_back_to(&rolled_back_to("1.0.0")), Some("1.0.0"));
        assert_eq!(read_invalid_parameter(&invalid_parameter("x")), Some("x"));
        assert_eq!(read_cleaned("Cleaned -1 files, freed +2 bytes"), None);
        assert_eq!(read_exported("Exported  records"), None);
    }
}
