"""The wall clock, set over SNTP (RFC 4330) where HIL_TIME_SERVER says so. Nothing that is waited for goes by it."""

import os
import socket
import struct
import threading
import time

SINCE_1900 = 2208988800
EVERY = 1.0


class WallClock:
    """The time of day, as far as this device knows it."""

    def __init__(self):
        self.offset = 0.0
        server = os.environ.get("HIL_TIME_SERVER", "")
        if server:
            host, _, port = server.rpartition(":")
            threading.Thread(target=self.follow, args=((host, int(port)),), daemon=True).start()

    def now(self):
        return time.time() + self.offset

    def stamp(self):
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.now()))

    def follow(self, server):
        while True:
            try:
                self.offset = ask(server) - time.time()
            except OSError:
                pass
            time.sleep(EVERY)


def ask(server):
    """Seconds since 1970, as the server tells them."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.settimeout(EVERY)
        line.sendto(b"\x23" + bytes(47), server)
        answer = line.recv(512)
    if len(answer) < 48:
        raise OSError("no time in the answer")
    seconds, fraction = struct.unpack("!II", answer[40:48])
    return seconds - SINCE_1900 + fraction / 2**32
