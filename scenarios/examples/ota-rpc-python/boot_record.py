"""The boot record: which slot boots, which one to go back to, committed or not. Replaced on disk as a whole."""

import json
import os


class BootRecord:
    """`first_boot` says that the uncommitted active slot has not been tried yet."""

    FIELDS = ("active_slot", "revert_slot", "is_committed", "first_boot", "commit_timeout")

    def __init__(self, folder, active_slot=0, revert_slot=0, is_committed=True, first_boot=False, commit_timeout=0):
        self.folder = folder
        self.active_slot = active_slot
        self.revert_slot = revert_slot
        self.is_committed = is_committed
        self.first_boot = first_boot
        self.commit_timeout = commit_timeout

    @classmethod
    def load(cls, folder):
        try:
            with open(os.path.join(folder, "boot.json"), encoding="utf-8") as file:
                stored = json.load(file)
            return cls(folder, **{name: stored[name] for name in cls.FIELDS})
        except (OSError, ValueError, KeyError):
            return cls(folder)  # fresh from the factory

    def copy(self):
        return BootRecord(self.folder, **{name: getattr(self, name) for name in self.FIELDS})

    def fall_back(self):
        """Back to the revert slot, committed; the request for a commit window is forgotten with it."""
        self.active_slot = self.revert_slot
        self.is_committed, self.first_boot, self.commit_timeout = True, False, 0

    def store(self):
        text = json.dumps({name: getattr(self, name) for name in self.FIELDS})
        write_whole(os.path.join(self.folder, "boot.json"), text.encode())


def write_whole(path, data):
    """Replaces a file so that after a power cut it holds the old bytes or the new ones."""
    fresh = path + ".new"
    with open(fresh, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(fresh, path)
    folder = os.open(os.path.dirname(path) or ".", os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
