"""Reads a firmware archive (reference section 5) as a stream, straight into a slot, checking everything on the way."""

import hashlib
import json
import os
import struct
import zlib

from slots import required_parts

LOCAL, CENTRAL = b"PK\x03\x04", b"PK\x01\x02"
LONGEST_NAME = 49
LARGEST_MANIFEST = 16384
PIECE = 16384


class BadArchive(Exception):
    """Why an archive was refused."""


def install(read, slots, slot, platform, say):
    """Writes the archive that `read(n)` yields (exactly n bytes or an exception) into `slot` and seals it."""
    if read(4) != LOCAL:
        raise BadArchive("the file is not a zip archive")
    name, size, crc = read_header(read)
    if name != "manifest.json":
        raise BadArchive("the first member is not the manifest")
    if size > LARGEST_MANIFEST:
        raise BadArchive("the manifest is too large")
    manifest_bytes = read(size)
    check_crc(crc, zlib.crc32(manifest_bytes))
    manifest = parse_manifest(manifest_bytes, platform)
    missing = {part["src"]: (key, part) for key, part in manifest["parts"].items() if "src" in part}
    say("FW: %s %s -> %s" % (manifest.get("name", "?"), platform, manifest["version"]))
    slots.erase(slot)
    while (signature := read(4)) == LOCAL:
        name, size, crc = read_header(read)
        if name in missing:
            key, part = missing.pop(name)
            write_part(read, slots, slot, key, part, size, crc)
            say("wrote %s, %d bytes" % (key, size))
        else:
            skip(read, size, crc)
    if signature != CENTRAL:
        raise BadArchive("the archive is malformed")
    if missing:
        raise BadArchive("a part is missing: " + ", ".join(sorted(missing)))
    say("Reached the end of archive")
    return manifest_bytes


def read_header(read):
    """The rest of a local header: (name without its leading folder, size, CRC)."""
    fields = struct.unpack("<HHHHHIIIHH", read(26))
    _, flags, method, _, _, crc, packed, size, name_length, extra_length = fields
    if name_length > LONGEST_NAME:
        raise BadArchive("a member name is too long")
    name = read(name_length).decode("utf-8", "replace")
    read(extra_length)
    if flags & 0x08:
        raise BadArchive("sizes must be in the local header")
    if method != 0:
        raise BadArchive("compressed members are not supported")
    if packed != size:
        raise BadArchive("the two sizes of a member differ")
    if name.startswith("/") or ".." in name.split("/") or "\\" in name:
        raise BadArchive("a member name leads outside the archive")
    return name.split("/", 1)[-1], size, crc


def parse_manifest(data, platform):
    try:
        manifest = json.loads(data)
    except (ValueError, RecursionError):
        raise BadArchive("the manifest is not JSON") from None
    if not isinstance(manifest, dict):
        raise BadArchive("the manifest is not an object")
    for field in ("platform", "version", "build_id"):
        if not isinstance(manifest.get(field), str) or not manifest[field]:
            raise BadArchive("the manifest lacks " + field)
    parts = manifest.get("parts")
    if not isinstance(parts, dict) or not parts or not all(isinstance(part, dict) for part in parts.values()):
        raise BadArchive("the manifest lacks parts")
    if manifest["platform"] != platform:
        raise BadArchive("the archive is for platform " + manifest["platform"])
    for key in required_parts(platform):
        if key not in parts:
            raise BadArchive("the manifest lacks part " + key)
    sources = [part["src"] for part in parts.values() if "src" in part]
    if not all(isinstance(source, str) for source in sources) or len(set(sources)) != len(sources):
        raise BadArchive("a part has no proper source")
    if any("src" not in parts[key] for key in required_parts(platform)):
        raise BadArchive("a required part has no source")
    return manifest


def write_part(read, slots, slot, key, part, size, crc):
    if part.get("size", size) != size:
        raise BadArchive("part %s has another size than the manifest says" % key)
    if size > slots.capacity(key):
        raise BadArchive("part %s does not fit its slot" % key)
    digests = {name: part[name] for name in ("cs_sha256", "cs_sha1") if isinstance(part.get(name), str)}
    if not digests:
        raise BadArchive("part %s has no digest" % key)
    hashes = {"cs_sha256": hashlib.sha256(), "cs_sha1": hashlib.sha1()}
    seen = 0
    try:
        file = slots.create(slot, key)
    except ValueError:
        raise BadArchive("a part name is not acceptable") from None
    with file:
        for piece in pieces(read, size):
            seen = zlib.crc32(piece, seen)
            for one in hashes.values():
                one.update(piece)
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    check_crc(crc, seen)
    for name, expected in digests.items():
        if hashes[name].hexdigest() != expected.lower():
            raise BadArchive("part %s has another digest than the manifest says" % key)


def skip(read, size, crc):
    seen = 0
    for piece in pieces(read, size):
        seen = zlib.crc32(piece, seen)
    check_crc(crc, seen)


def pieces(read, size):
    while size > 0:
        piece = read(min(size, PIECE))
        size -= len(piece)
        yield piece


def check_crc(stated, computed):
    """A stated CRC of 0 means there is none."""
    if stated and stated != computed:
        raise BadArchive("a member has a wrong CRC")
