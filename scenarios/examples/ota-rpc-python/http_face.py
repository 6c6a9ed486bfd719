"""RPC over HTTP (reference section 2.2): whole frames at /rpc, bare arguments at /rpc/<Method>."""

import json
import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, unquote_plus

from rpc import InvalidFrame

LARGEST_BODY = 65536


class HttpFace(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    allow_reuse_address = True

    def __init__(self, device, rpc, address):
        self.device = device
        self.rpc = rpc
        super().__init__(address, Handler)

    def handle_error(self, request, client_address):
        pass  # a caller that went away


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60

    def do_POST(self):
        body = self.read_body()
        if body is None:
            return
        method = self.method_of(self.path)
        if method is None:
            self.reply(404, b"")
        elif method:
            self.call(method, body)
        else:
            self.frame(body)

    def do_GET(self):
        path, _, query = self.path.partition("?")
        method = self.method_of(path)
        if not method:
            self.reply(404, b"")
            return
        pairs = [pair.partition("=") for pair in query.split("&") if pair]
        members = ["%s:%s" % (json.dumps(unquote_plus(key)), unquote_plus(value)) for key, _, value in pairs]
        self.call(method, ("{%s}" % ",".join(members)).encode() if members else b"")

    def do_OPTIONS(self):
        self.reply(200, b"")

    def method_of(self, path):
        """The method of the REST form, empty for the frame form, None for any other path."""
        path = path.partition("?")[0]
        if path in ("/rpc", "/rpc/"):
            return ""
        return unquote(path[5:]) if path.startswith("/rpc/") else None

    def read_body(self):
        length = self.headers.get("Content-Length")
        if length is None:
            body = self.rfile.read(LARGEST_BODY + 1)  # until the caller closes
        elif not length.isdigit() or int(length) > LARGEST_BODY:
            self.invalid()
            return None
        else:
            body = self.rfile.read(int(length))
            if len(body) < int(length):
                self.close_connection = True
                return None
        if len(body) > LARGEST_BODY:
            self.invalid()
            return None
        return body

    def frame(self, body):
        try:
            reply = self.execute(lambda: self.server.rpc.answer(parse(body), self.channel()))
        except (InvalidFrame, ValueError, RecursionError):
            self.invalid()
            return
        if reply is None:
            self.stay_silent()

    def call(self, method, body):
        try:
            args = parse(body) if body.strip() else None
        except (ValueError, RecursionError):
            self.invalid()
            return
        self.execute(lambda: self.server.rpc.call(method, args, self.channel()), bare=True)

    def execute(self, action, bare=False):
        """Runs a call and writes its reply; a planned restart waits for the writing."""
        device = self.server.device
        reply = None
        with device.lock:
            device.replies += 1
        try:
            reply = action()
            if reply is not None and bare:
                self.reply(*bare_answer(reply))
            elif reply is not None:
                self.reply(200, encode(reply))
        finally:
            with device.lock:
                device.replies -= 1
        return reply

    def channel(self):
        return "%s:%d" % self.client_address[:2]

    def reply(self, status, body):
        keep = self.headers.get("Connection", "").strip().lower() == "keep-alive"
        self.close_connection = not keep
        self.send_response_only(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Access-Control-Allow-Headers", "*")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "keep-alive" if keep else "close")
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def invalid(self):
        self.close_connection = True
        body = b"Invalid request\r\n"
        self.send_response_only(400, "Invalid request")
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def stay_silent(self):
        """A notification gets no response at all; the connection is left to the caller."""
        self.close_connection = True
        try:
            self.rfile.read(1)
        except (OSError, socket.timeout):
            pass

    def send_error(self, code, message=None, explain=None):
        self.headers = getattr(self, "headers", None) or {}
        if code == 400:
            self.invalid()
        else:
            self.reply(405 if code == 501 else code, b"")
            self.close_connection = True

    def log_message(self, *_):
        pass


def parse(body):
    return json.loads(body.decode("utf-8"), parse_constant=refuse)


def refuse(name):
    raise ValueError(name)


def encode(value):
    return json.dumps(value).encode() + b"\r\n"


def bare_answer(outcome):
    """Status and body of the REST form."""
    if "error" not in outcome:
        return 200, encode(outcome["result"])
    code = outcome["error"]["code"]
    return (code if code in (403, 404) else 500), encode(outcome["error"])
