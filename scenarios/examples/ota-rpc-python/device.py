#!/usr/bin/env python3
"""An OTA RPC device over HTTP, standard library only: boot loader, initialisation and restart.

Neighbours: boot_record.py and slots.py (what survives a power cut), rpc.py (calls), http_face.py (HTTP), update.py,
archive.py and download.py (OTA.Update). A restart replaces the process image, so all memory is lost as on a board.
"""

import os
import signal
import sys
import threading
import time

sys.dont_write_bytecode = True  # leave nothing beside the sources

from boot_record import BootRecord
from http_face import HttpFace
from rpc import Rpc
from slots import Slots
from wall_clock import WallClock

STARTED = time.monotonic()


def setting(name, default):
    return os.environ.get("HIL_" + name, "") or default


class Device:
    """The running firmware: which slot it came from, its boot record, its commit timer and its planned restart."""

    def __init__(self):
        self.wall_clock = WallClock()
        self.state_dir = setting("STATE_DIR", "state")
        self.platform = setting("PLATFORM", "esp32")
        self.id = setting("DEVICE_ID", self.platform + "_0A1B2C")
        self.mac = "A0B1C20A1B2C"
        self.ca_file = setting("CA_FILE", "")
        self.lock = threading.RLock()  # around every change of the boot record
        self.updating = False
        self.restart_at = None
        self.replies = 0
        os.makedirs(self.state_dir, exist_ok=True)
        self.slots = Slots(
            self.state_dir,
            app_size=int(setting("SLOT_SIZE", "1048576")),
            fs_size=int(setting("FS_SIZE", "262144")),
        )
        self.slots.make_factory(self.platform, setting("FACTORY_VERSION", "1.0"))
        self.record = BootRecord.load(self.state_dir)
        self.slot, self.first_boot = self.choose_slot()
        self.manifest = self.slots.manifest(self.slot)

    def say(self, text):
        """One line on the console."""
        print(self.wall_clock.stamp(), text, flush=True)

    # ------------------------------------------------------------ boot loader

    def choose_slot(self):
        """The slot to run. An uncommitted firmware gets one attempt, counted on disk before it runs."""
        record = self.record
        if not record.is_committed and not record.first_boot:
            self.say("Uncommitted firmware restarted, reverting to slot %d" % record.revert_slot)
            record.fall_back()
        if self.slots.manifest(record.active_slot) is None:
            other = 1 - record.active_slot
            self.say("Slot %d holds no firmware, using slot %d" % (record.active_slot, other))
            record.active_slot, record.is_committed, record.commit_timeout = other, True, 0
        first = not record.is_committed and record.first_boot
        record.first_boot = False
        record.store()
        return record.active_slot, first

    def boot(self):
        self.say("%s %s %s (slot %d)" % (self.manifest.get("name", "?"), self.platform, self.manifest["version"], self.slot))
        time.sleep(float(setting("BOOT_DELAY", "0.2")))
        self.run_firmware()
        face = HttpFace(self, Rpc(self), (setting("LISTEN_HOST", "127.0.0.1"), int(setting("LISTEN_PORT", "8000"))))
        self.say("Init done, RPC at %s:%d" % face.server_address[:2])
        if self.first_boot:
            self.start_commit_window()
        threading.Thread(target=face.serve_forever, daemon=True).start()
        while True:
            time.sleep(3600)

    def run_firmware(self):
        """An app part whose first line is crash or fail does not initialise; hang and mute wait for the watchdog."""
        nature = self.slots.first_line(self.slot)
        if nature in (b"crash", b"fail"):
            self.say("Initialisation failed")
            time.sleep(0.2)
            self.restart()
        if nature in (b"hang", b"mute"):
            time.sleep(float(setting("WATCHDOG", "5")))
            self.say("Watchdog reset")
            self.restart()

    # ------------------------------------------------------------ commit window

    def start_commit_window(self):
        with self.lock:
            seconds = self.record.commit_timeout
            if seconds <= 0:
                self.commit()
                return
        self.say("Arming commit watchdog for %d seconds" % seconds)
        deadline = time.monotonic() + seconds
        threading.Thread(target=self.wait_for_commit, args=(deadline,), daemon=True).start()

    def wait_for_commit(self, deadline):
        while (left := deadline - time.monotonic()) > 0:
            time.sleep(left)
        with self.lock:
            if self.record.is_committed:
                return
            self.say("Update commit timeout expired")
            self.revert()
            self.restart()

    def commit(self):
        """Makes the running firmware permanent; on disk before it returns."""
        with self.lock:
            record = self.record.copy()
            record.is_committed, record.first_boot, record.commit_timeout = True, False, 0
            record.store()
            self.record = record
            self.say("Committed slot %d" % record.active_slot)

    def revert(self):
        with self.lock:
            self.say("Reverting to slot %d" % self.record.revert_slot)
            record = self.record.copy()
            record.fall_back()
            record.store()
            self.record = record

    # ------------------------------------------------------------ restart

    def plan_restart(self, delay):
        """Restarts after `delay` seconds; an earlier plan stays."""
        with self.lock:
            at = time.monotonic() + delay
            if self.restart_at is not None and self.restart_at <= at:
                return
            self.restart_at = at
        self.say("Rebooting in %d ms" % (delay * 1000))
        threading.Thread(target=self.restart_later, args=(at,), daemon=True).start()

    def restart_later(self, at):
        while (left := at - time.monotonic()) > 0:
            time.sleep(left)
        patience = time.monotonic() + 0.5
        while self.replies and time.monotonic() < patience:
            time.sleep(0.005)
        with self.lock:
            if self.restart_at == at:
                self.restart()

    def milliseconds_left(self):
        """Time to a planned restart, or None."""
        at = self.restart_at
        return None if at is None else max(0, int((at - time.monotonic()) * 1000))

    def restart(self):
        self.say("Restarting")
        os.execv(sys.executable, [sys.executable, os.path.abspath(__file__)])

    def uptime(self):
        return time.monotonic() - STARTED


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    signal.signal(signal.SIGINT, lambda *_: os._exit(0))
    Device().boot()
