"""RPC frames and methods, whatever the transport (reference sections 1 and 3)."""

import re

from update import RESTART_DELAY, update

KNOWN = ("id", "src", "dst", "method", "params", "args", "result", "error", "tag", "auth", "v", "key")
DEFAULT_STALL = 600
SHORTEST_NOTICE = 100  # milliseconds before a restart in which calls are refused


class InvalidFrame(Exception):
    """The frame is not for this device or not a frame at all; nothing was executed."""


class Failure(Exception):
    """An error reply."""

    def __init__(self, code, message=None):
        super().__init__(message)
        self.error = {"code": code} if message is None else {"code": code, "message": message}


class Rpc:
    def __init__(self, device):
        self.device = device
        self.methods = {
            "RPC.List": (self.list, ""),
            "RPC.Describe": (self.describe, "{name: %Q}"),
            "RPC.Ping": (self.ping, ""),
            "Sys.GetInfo": (self.get_info, ""),
            "Sys.Reboot": (self.reboot, "{delay_ms: %d}"),
            "OTA.Update": (self.update, "{url: %Q, commit_timeout: %d, timeout: %d}"),
            "OTA.Commit": (self.commit, ""),
            "OTA.Revert": (self.revert, ""),
            "OTA.CreateSnapshot": (self.create_snapshot, "{set_as_revert: %B, commit_timeout: %d}"),
            "OTA.GetBootState": (self.get_boot_state, ""),
            "OTA.SetBootState": (
                self.set_boot_state,
                "{active_slot: %d, is_committed: %B, revert_slot: %d, commit_timeout: %d}",
            ),
        }

    def answer(self, frame, channel):
        """Executes a frame; the reply frame, or None when there is to be none."""
        if not isinstance(frame, dict) or not any(name in frame for name in KNOWN):
            raise InvalidFrame()
        number = frame.get("id")
        if "id" in frame and (isinstance(number, bool) or not isinstance(number, (int, float, str))):
            raise InvalidFrame()
        for name in ("src", "dst", "method", "tag"):
            if not isinstance(frame.get(name, ""), str):
                raise InvalidFrame()
        if frame.get("dst", "") not in ("", self.device.id):
            raise InvalidFrame()
        if not frame.get("method"):
            if "id" not in frame:
                raise InvalidFrame()
            return None  # a reply nobody waits for
        outcome = self.call(frame["method"], frame.get("params", frame.get("args")), channel)
        if "id" not in frame:
            return None
        reply = {"id": number, "src": frame.get("dst") or self.device.id}
        if "src" in frame:
            reply["dst"] = frame["src"]
        if "tag" in frame:
            reply["tag"] = frame["tag"]
        return {**reply, **outcome}

    def call(self, method, args, channel):
        """Executes a method: {"result": …} or {"error": …}."""
        left = self.device.milliseconds_left()
        if left is not None and left <= SHORTEST_NOTICE:
            return {"error": {"code": 418, "message": "shutting down in %d ms" % left}}
        if method not in self.methods:
            return {"error": {"code": 404, "message": "No handler for " + method}}
        try:
            return {"result": self.methods[method][0](args if isinstance(args, dict) else {}, channel)}
        except Failure as failure:
            return {"error": failure.error}

    # ------------------------------------------------------------ discovery and system

    def list(self, _args, _channel):
        return sorted(self.methods)

    def describe(self, args, _channel):
        name = args.get("name")
        if not isinstance(name, str):
            raise Failure(400, "name is required")
        if name not in self.methods:
            raise Failure(404, "No handler for " + name)
        return {"name": name, "args_fmt": self.methods[name][1]}

    def ping(self, _args, channel):
        return {"channel_info": channel}

    def get_info(self, _args, _channel):
        device, slots = self.device, self.device.slots
        return {
            "id": device.id,
            "app": device.manifest.get("name", "example"),
            "fw_version": device.manifest["version"],
            "fw_id": device.manifest["build_id"],
            "mg_version": "example",
            "mg_id": "example",
            "mac": device.mac,
            "arch": device.platform,
            "uptime": int(device.uptime()),
            "ram_size": 262144,
            "ram_free": 196608,
            "ram_min_free": 180224,
            "fs_size": slots.fs_size,
            "fs_free": slots.fs_size - slots.fs_used(device.slot),
            "wifi": {"sta_ip": "127.0.0.1", "ap_ip": "", "status": "got ip", "ssid": "example"},
        }

    def reboot(self, args, _channel):
        delay = integer(args.get("delay_ms"))
        if delay is None:
            delay = 100
        if delay < 0:
            raise Failure(400, "delay_ms must not be negative")
        self.device.plan_restart(delay / 1000)
        return None

    # ------------------------------------------------------------ OTA

    def update(self, args, _channel):
        url = args.get("url")
        if not isinstance(url, str) or not url:
            raise Failure(-1, "url is required")
        stall = integer(args.get("timeout")) or 0
        window = integer(args.get("commit_timeout")) or 0
        device = self.device
        with device.lock:
            if device.updating:
                raise Failure(-1, "another update is running")
            if not device.record.is_committed:
                raise Failure(-1, "the running firmware is not committed")
            device.updating = True
        error = update(device, url, max(0, window), stall if stall > 0 else DEFAULT_STALL)
        failure = Failure(error["code"], error["message"])
        raise failure

    def commit(self, _args, _channel):
        with self.device.lock:
            if self.device.record.is_committed:
                raise Failure(-1)
            self.device.commit()

    def revert(self, _args, _channel):
        with self.device.lock:
            if self.device.record.is_committed:
                raise Failure(-1)
            self.device.revert()
            self.device.plan_restart(RESTART_DELAY)

    def create_snapshot(self, args, _channel):
        set_as_revert = boolean(args, "set_as_revert")
        window = integer(args.get("commit_timeout"))
        device = self.device
        with device.lock:
            if not device.record.is_committed:
                raise Failure(-1, "the running firmware is not committed")
            if device.updating:
                raise Failure(-1, "an update is running")
            target = 1 - device.slot
            try:
                device.slots.copy(device.slot, target)
            except OSError as error:
                raise Failure(-1, "the copy failed: %s" % error) from None
            if set_as_revert:
                record = device.record.copy()
                record.is_committed, record.first_boot, record.revert_slot = False, True, target
                if window is not None and window >= 0:
                    record.commit_timeout = window
                self.keep(record, -3)
            return {"slot": target}

    def get_boot_state(self, _args, _channel):
        record = self.device.record
        return {
            "active_slot": record.active_slot,
            "is_committed": record.is_committed,
            "revert_slot": record.revert_slot,
            "commit_timeout": record.commit_timeout,
        }

    def set_boot_state(self, args, _channel):
        committed = boolean(args, "is_committed")
        active, revert, window = (integer(args.get(name)) for name in ("active_slot", "revert_slot", "commit_timeout"))
        if window is not None and window < 0:
            window = None
        if committed is None and active is None and revert is None and window is None:
            raise Failure(-2, "no member that can be used")
        if any(slot not in (None, 0, 1) for slot in (active, revert)):
            raise Failure(-3, "no such slot")
        with self.device.lock:
            record = self.device.record.copy()
            if active is not None:
                record.active_slot = active
            if revert is not None:
                record.revert_slot = revert
            if committed is not None:
                record.is_committed = committed
            if window is not None:
                record.commit_timeout = window
            self.keep(record, -3)

    def keep(self, record, code):
        try:
            record.store()
        except OSError as error:
            raise Failure(code, "the record could not be stored: %s" % error) from None
        self.device.record = record


def integer(value):
    """A number or its text, decimal or 0x; None for everything else, out of range included."""
    if isinstance(value, str) and re.fullmatch(r"[-+]?(0[xX][0-9a-fA-F]+|[0-9]+)", value):
        value = int(value, 16 if "x" in value.lower() else 10)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if -(2**31) <= value < 2**31 else None


def boolean(args, name):
    """True, False or None when absent; anything else is refused rather than guessed."""
    value = args.get(name)
    if name in args and not isinstance(value, bool):
        raise Failure(-2 if name == "is_committed" else -1, name + " must be true or false")
    return value
