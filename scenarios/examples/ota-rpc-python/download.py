"""One HTTP GET with redirects whose only time limit is the stall limit: it starts anew with every byte of the body."""

import socket
import ssl
import time
from urllib.parse import urljoin, urlsplit

MOST_REDIRECTS = 5
LARGEST_HEAD = 16384


class DownloadFailed(Exception):
    """Why there is no (complete) body."""


class NotModified(Exception):
    """The server answered 304."""


class Download:
    """An open download: `length` bytes, to be taken with `read`."""

    def __init__(self, url, headers, stall, ca_file):
        self.headers = headers
        self.stall = stall
        self.ca_file = ca_file
        self.touch()
        self.buffer = b""
        self.connection = None
        try:
            self.length = self.left = self.open(url)
        except BaseException:
            self.close()
            raise

    def open(self, url):
        """Follows redirects to the body; its length."""
        seen = []
        while True:
            seen.append(url)
            status, head = self.request(url)
            if status == 200:
                break
            self.close()
            if status == 304:
                raise NotModified()
            if status not in (301, 302, 303, 307, 308) or "location" not in head:
                raise DownloadFailed("the server answered %d" % status)
            target = urljoin(url, head["location"])
            if len(seen) > MOST_REDIRECTS or target in seen:
                raise DownloadFailed("too many redirects")
            if url.startswith("https:") and not target.startswith("https:"):
                raise DownloadFailed("redirected away from https")
            url = target
        length = head.get("content-length", "")
        if "transfer-encoding" in head or not length.isdigit():
            raise DownloadFailed("the server did not state the length")
        return int(length)

    def touch(self):
        self.deadline = time.monotonic() + self.stall

    def request(self, url):
        try:
            parts = urlsplit(url)
            port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
        except ValueError:
            raise DownloadFailed("the URL is malformed") from None
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise DownloadFailed("the URL has no scheme this device knows")
        path = (parts.path or "/") + ("?" + parts.query if parts.query else "")
        lines = ["GET %s HTTP/1.1" % path, "Host: " + parts.netloc.rpartition("@")[2], "Connection: close", *self.headers]
        if any(ord(char) <= 32 or ord(char) > 126 for char in path + parts.netloc):
            raise DownloadFailed("the URL has characters that are not allowed")
        try:
            self.connection = socket.create_connection((parts.hostname, port), timeout=self.time_left())
            if parts.scheme == "https":
                context = ssl.create_default_context(cafile=self.ca_file or None)
                context.minimum_version = ssl.TLSVersion.TLSv1_2
                self.connection = context.wrap_socket(self.connection, server_hostname=parts.hostname)
            self.connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        except (OSError, ValueError) as error:
            self.close()
            raise DownloadFailed("the server cannot be reached: %s" % error) from None
        return self.read_head()

    def read_head(self):
        self.buffer = b""
        while b"\r\n\r\n" not in self.buffer:
            if len(self.buffer) > LARGEST_HEAD:
                raise DownloadFailed("the answer's head is too large")
            self.buffer += self.receive()
        text, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        first, *lines = text.decode("latin-1").split("\r\n")
        words = first.split(" ", 2)
        if len(words) < 2 or not words[0].startswith("HTTP/1.") or not words[1].isdigit():
            raise DownloadFailed("the answer is not HTTP")
        head = {}
        for line in lines:
            name, _, value = line.partition(":")
            head[name.strip().lower()] = value.strip()
        return int(words[1]), head

    def time_left(self):
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise DownloadFailed("the server stalled")
        return left

    def receive(self):
        try:
            self.connection.settimeout(self.time_left())
            data = self.connection.recv(65536)
        except TimeoutError:
            raise DownloadFailed("the server stalled") from None
        except OSError as error:
            raise DownloadFailed("the connection broke: %s" % error) from None
        if not data:
            raise DownloadFailed("the connection was closed early")
        return data

    def read(self, count):
        """Exactly `count` bytes of the body."""
        if count > self.left:
            raise DownloadFailed("the body is too short")
        while len(self.buffer) < count:
            self.buffer += self.receive()
            self.touch()
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        self.left -= count
        return data

    def drain(self):
        """Takes the rest, so that a body cut short at its very end is noticed."""
        while self.left:
            self.read(min(self.left, 65536))

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None
