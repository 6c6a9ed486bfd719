#!/usr/bin/env python3
"""An adapter: drives the shell agent of the neighbour folder for hil, over JSON lines on standard input and output.

The protocol is described in device-drivers/adapter/README.md. What this adapter does not implement it does not name in
its introduction; asked all the same, it says so.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

AGENT = Path(__file__).resolve().parent.parent / "edge-poll-shell" / "agent.sh"
PATIENCE = 5.0


class Unit:
    """One agent with its state folder; the folder is the unit's flash, the process group its power."""

    def __init__(self):
        self.values = {}
        self.state = None
        self.process = None
        self.log_read = 0

    def provision(self, arguments):
        self.power_cut({})
        # hil has made the state folder afresh, with certificates in it.
        self.values = arguments["values"]
        self.state = Path(self.values["HIL_STATE_DIR"])
        self.log_read = 0
        return {}

    def start(self, _):
        if self.process is None or self.process.poll() is not None:
            with open(self.state / "agent.log", "ab") as log:
                # What the unit file says of the agent comes before what hil says.
                self.process = subprocess.Popen(
                    [AGENT],
                    env={**self.values, **os.environ},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            tell({"event": "booted"})
        return {}

    def stop(self, _):
        if self.process is None:
            return {}
        self.signal(signal.SIGTERM)
        forced = False
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            forced = True
        status = self.power_cut({})
        return {**status, "forced": forced}

    def reboot(self, arguments):
        self.stop(arguments)
        return self.start(arguments)

    def power_cut(self, _):
        if self.process is None:
            return {}
        self.signal(signal.SIGKILL)
        code = self.process.wait()
        self.process = None
        return {"status": code} if code >= 0 else {"signal": -code}

    def version(self, arguments):
        snap = arguments.get("snap_name") or os.environ["HIL_SNAP_NAME"]
        return (self.state / "snaps" / plain(snap) / "version").read_text().strip()

    def read_log(self, _):
        with open(self.state / "agent.log", "rb") as log:
            log.seek(self.log_read)
            text = log.read()
        self.log_read += len(text)
        return {"text": text.decode(errors="replace")}

    def probe(self, arguments):
        of = arguments["arguments"]
        if arguments["name"] == "service_starts":
            return int((self.state / "services" / plain(of["service"]) / "starts").read_text())
        if arguments["name"] == "config":
            lines = (self.state / "config").read_text().splitlines()
            pairs = dict(line.split("=", 1) for line in lines if "=" in line)
            return pairs.get(of["key"], "")
        raise NotImplementedError

    def signal(self, number):
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            pass


IMPLEMENTED = ["provision", "start", "stop", "reboot", "power_cut", "version", "read_log", "probe"]
HELLO = {
    "protocol": 1,
    "name": "edge-poll-adapter",
    "version": "1.0",
    "implements": IMPLEMENTED,
    "probes": ["service_starts", "config"],
    "notifies": ["boots"],
    "parallel": True,
}


def plain(name):
    """A name that stays inside its folder."""
    if "/" in name or name.startswith("."):
        raise ValueError(f"{name!r} is no name")
    return name


def tell(message):
    print(json.dumps(message), flush=True)


def answer(unit, request, arguments):
    if request == "hello":
        return {"result": HELLO}
    if request not in IMPLEMENTED:
        return {"not_implemented": True}
    try:
        return {"result": getattr(unit, request)(arguments)}
    except NotImplementedError:
        return {"not_implemented": True}
    except (OSError, ValueError, KeyError) as error:
        return {"error": f"{type(error).__name__}: {error}"}


def main():
    unit = Unit()
    # The end of the input is the end of the instance.
    for line in sys.stdin:
        asked = json.loads(line)
        tell({"id": asked["id"], **answer(unit, asked["request"], asked["arguments"])})
    unit.power_cut({})


if __name__ == "__main__":
    main()
