"""OTA.Update: download, check and write to the slot not in use, then change the boot record and restart."""

from archive import BadArchive, install
from download import Download, DownloadFailed, NotModified

RESTART_DELAY = 0.1


def update(device, url, commit_timeout, stall):
    """Runs to the end and returns the error object of the reply: code 0 is success. The caller has claimed
    `device.updating`; until the record is written nothing but the inactive slot changes."""
    target = 1 - device.slot
    device.say("Update URL: %s" % url)
    download = None
    try:
        download = Download(url, request_headers(device), stall, device.ca_file)
        manifest = install(download.read, device.slots, target, device.platform, device.say)
        download.drain()
        device.slots.seal(target, manifest)
        with device.lock:
            record = device.record.copy()
            record.active_slot, record.revert_slot = target, device.slot
            record.is_committed, record.first_boot, record.commit_timeout = False, True, commit_timeout
            record.store()
            device.record = record
            device.plan_restart(RESTART_DELAY)
        return {"code": 0, "message": "update applied, restarting"}
    except NotModified:
        return {"code": 0, "message": "not modified"}
    except (DownloadFailed, BadArchive, OSError) as error:
        device.say("Update failed: %s" % error)
        return {"code": -1, "message": "update failed: %s" % error}
    finally:
        if download is not None:
            download.close()
        device.updating = False


def request_headers(device):
    manifest = device.manifest
    version = "%s %s %s" % (device.platform, manifest["version"], manifest["build_id"])
    agent = "%s/%s (example; %s)" % (manifest.get("name", "example"), manifest["version"], device.platform)
    lines = ["X-MGOS-Device-ID: %s %s" % (device.id, device.mac), "X-MGOS-FW-Version: " + version, "User-Agent: " + agent]
    return ["".join(char for char in line if 32 <= ord(char) < 127) for line in lines]
