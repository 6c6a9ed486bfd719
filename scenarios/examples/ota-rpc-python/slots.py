"""Two firmware slots, each a folder with one file per part and the manifest that makes it bootable."""

import json
import os
import shutil

from boot_record import write_whole

REQUIRED_PARTS = {"esp32": ("app", "fs"), "esp8266": ("fw", "fs")}


def required_parts(platform):
    return REQUIRED_PARTS.get(platform, ("app",))


class Slots:
    def __init__(self, state_dir, app_size, fs_size):
        self.root = os.path.join(state_dir, "slots")
        self.app_size = app_size
        self.fs_size = fs_size

    def folder(self, slot):
        return os.path.join(self.root, str(slot))

    def capacity(self, part):
        return self.fs_size if part == "fs" else self.app_size

    def make_factory(self, platform, version):
        """Fills slot 0 once; the root folder appears as a whole."""
        if os.path.isdir(self.root):
            return
        fresh = self.root + ".new"
        shutil.rmtree(fresh, ignore_errors=True)
        os.makedirs(os.path.join(fresh, "0"))
        os.makedirs(os.path.join(fresh, "1"))
        for part in required_parts(platform):
            with open(os.path.join(fresh, "0", part), "wb") as file:
                file.write(b"factory " + part.encode() + b"\n")
        manifest = {"name": "example", "platform": platform, "version": version, "build_id": "factory", "parts": {}}
        with open(os.path.join(fresh, "0", "manifest.json"), "w", encoding="utf-8") as file:
            json.dump(manifest, file)
        os.replace(fresh, self.root)

    def manifest(self, slot):
        """The manifest of a bootable slot, else None."""
        try:
            with open(os.path.join(self.folder(slot), "manifest.json"), encoding="utf-8") as file:
                return json.load(file)
        except (OSError, ValueError):
            return None

    def erase(self, slot):
        """The manifest goes first, so a slot that is being written is not bootable."""
        folder = self.folder(slot)
        os.makedirs(folder, exist_ok=True)
        for name in sorted(os.listdir(folder), key=lambda name: name != "manifest.json"):
            os.remove(os.path.join(folder, name))

    def create(self, slot, part):
        """A part's file, open for writing. Part names come from an archive: only plain words are used as file names."""
        if not part.replace("_", "").replace("-", "").isalnum() or len(part) > 32:
            raise ValueError("part name")
        return open(os.path.join(self.folder(slot), "part_" + part if part == "manifest" else part), "wb")

    def seal(self, slot, manifest_bytes):
        """Makes a completely written slot bootable."""
        write_whole(os.path.join(self.folder(slot), "manifest.json"), manifest_bytes)

    def copy(self, source, target):
        """Copies a slot, for a snapshot."""
        self.erase(target)
        for name in os.listdir(self.folder(source)):
            if name != "manifest.json":
                with open(os.path.join(self.folder(source), name), "rb") as file:
                    write_whole(os.path.join(self.folder(target), name), file.read())
        with open(os.path.join(self.folder(source), "manifest.json"), "rb") as file:
            self.seal(target, file.read())

    def first_line(self, slot):
        for part in ("app", "fw"):
            try:
                with open(os.path.join(self.folder(slot), part), "rb") as file:
                    return file.read(64).split(b"\n")[0].strip()
            except OSError:
                continue
        return b""

    def fs_used(self, slot):
        try:
            return os.path.getsize(os.path.join(self.folder(slot), "fs"))
        except OSError:
            return 0
