"""Units to call, written from the reference without looking at the Rust side.

`peer.py serial [ALGORITHM]`   a unit on a pseudo terminal; prints its path
`peer.py http ALGORITHM`       a unit over HTTP that demands digest credentials; prints its port
`peer.py websocket`            a unit over WebSocket; prints its port
User `bench`, password `s3:cret`.
"""

import base64
import hashlib
import json
import os
import re
import socket
import struct
import sys
import time
import tty
import zlib

USER, PASSWORD, REALM = "bench", "s3:cret", "RPC"


def digest(algorithm, *parts):
    return hashlib.new(algorithm.replace("-", "").lower(), ":".join(parts).encode()).hexdigest()


def expected(algorithm, nonce, nc, cnonce, method, uri):
    user = digest(algorithm, USER, REALM, PASSWORD)
    return digest(algorithm, user, nonce, nc, cnonce, "auth", digest(algorithm, method, uri))


def reply(frame, algorithm=None):
    """The reply to a frame."""
    head = {"id": frame["id"], "src": "peer", "dst": frame["src"]}
    if algorithm:
        auth = frame.get("auth")
        if auth is None or expected(
            algorithm, str(auth["nonce"]), "1", str(auth["cnonce"]), "dummy_method", "dummy_uri"
        ) != auth["response"]:
            challenge = {"auth_type": "digest", "nonce": int(time.time()), "nc": 1, "realm": REALM}
            challenge["algorithm"] = algorithm
            return {**head, "error": {"code": 401, "message": json.dumps(challenge)}}
    if frame["method"] == "Peer.Echo":
        return {**head, "result": {"echo": frame.get("params")}}
    return {**head, "error": {"code": 404, "message": "No handler for " + frame["method"]}}


def serial(algorithm):
    primary, secondary = os.openpty()
    tty.setraw(secondary)
    print(os.ttyname(secondary), flush=True)
    quotes, buffer, checksums = b'"""', b"", False
    while True:
        buffer += os.read(primary, 4096)
        os.write(primary, b"console line {not a frame}\r\n")
        while (end := re.search(b'"""|\n', buffer)) is not None:
            piece, buffer = buffer[: end.start()].strip(), buffer[end.end() :]
            if piece == b"\x04":
                os.write(primary, b"\n" + quotes + b"\x04" + quotes + b"\n\n")
            elif piece.startswith(b"{"):
                cut = piece.rindex(b"}") + 1
                if int(piece[cut:], 16) != zlib.crc32(piece[:cut]):
                    continue
                answer = json.dumps(reply(json.loads(piece[:cut]), algorithm)).encode()
                # Damaged first: it must not be taken for the reply.
                os.write(primary, b"\n" + quotes + answer + b"00000000" + quotes + b"\n")
                os.write(primary, b"\x13\x11" + quotes + answer + b"%08x" % zlib.crc32(answer) + quotes + b"\n")


def listen():
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    while True:
        yield listener.accept()[0].makefile("rwb")


def read_head(stream):
    first = stream.readline().decode()
    headers = {}
    while (line := stream.readline().decode().strip()) != "":
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return first, headers


def http(algorithm):
    for stream in listen():
        first, headers = read_head(stream)
        method, uri, _ = first.split(" ")
        frame = json.loads(stream.read(int(headers["content-length"])))
        given = dict(re.findall(r'(\w+)="?([^",]+)"?', headers.get("authorization", "")))
        good = "response" in given and given["response"] == expected(
            algorithm, given["nonce"], given["nc"], given["cnonce"], method, uri
        )
        if good and given["uri"] == uri and given["username"] == USER:
            body = json.dumps(reply(frame)).encode() + b"\r\n"
            head = "HTTP/1.1 200 OK\r\nContent-Type: application/json"
        else:
            body = b""
            demand = 'Digest qop="auth", realm="%s", nonce="%x", algorithm=%s' % (REALM, int(time.time()), algorithm)
            head = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: " + demand
        stream.write(("%s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % (head, len(body))).encode() + body)
        stream.close()


def websocket():
    for stream in listen():
        first, headers = read_head(stream)
        assert first.startswith("GET /rpc "), first
        key = headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
        head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade"
        stream.write(("%s\r\nSec-WebSocket-Accept: %s\r\n\r\n" % (head, accept)).encode())
        stream.flush()
        while True:
            start = stream.read(2)
            if len(start) < 2:
                break
            opcode, length = start[0] & 15, start[1] & 127
            if length == 126:
                length = struct.unpack(">H", stream.read(2))[0]
            mask = stream.read(4)
            payload = bytes(byte ^ mask[i % 4] for i, byte in enumerate(stream.read(length)))
            if opcode == 8:
                stream.write(b"\x88" + bytes([len(payload)]) + payload)
                stream.flush()
                break
            frame = json.loads(payload)
            answer = json.dumps(reply(frame)).encode()
            other = json.dumps({"method": "Peer.Hello", "src": "peer"}).encode()
            for text in (other, answer):
                stream.write(b"\x81" + (bytes([len(text)]) if len(text) < 126 else b"\x7e" + struct.pack(">H", len(text))) + text)
            stream.flush()
        stream.close()


if __name__ == "__main__":
    kind, *rest = sys.argv[1:]
    {"serial": lambda: serial(rest[0] if rest else None), "http": lambda: http(rest[0]), "websocket": websocket}[kind]()
