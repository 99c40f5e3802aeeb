"""A webhook receiver that verifies what it gets and answers as a test tells it to."""
import base64
import hashlib
import hmac
import json
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Message:
    path: str
    headers: dict[str, str]  # Names in lower case.
    body: bytes
    at: float

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def document(self) -> dict:
        return json.loads(self.body)


def verify(secret: str, message: Message, tolerance: float = 300, now: float | None = None) -> None:
    """The verification of Standard Webhooks 1.0.0, as its reference libraries do it."""
    key = base64.b64decode(secret.removeprefix("whsec_")) if secret.startswith("whsec_") else secret.encode()
    timestamp = message.headers["webhook-timestamp"]
    assert abs((now or time.time()) - int(timestamp)) <= tolerance, "the timestamp is too old or too new"
    signed = f"{message.id}.{timestamp}.".encode() + message.body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    given = [part.split(",", 1) for part in message.headers["webhook-signature"].split(" ")]
    assert any(version == "v1" and hmac.compare_digest(value, expected) for version, value in given), "no signature matches"


class Receiver:
    """`answer(message, seen)` returns (status, headers) or None to drop the connection; `seen` counts
    earlier messages with the same id. Messages are kept in the order they came."""

    def __init__(self, answer=lambda message, seen: (200, {})):
        self.answer = answer
        self.messages: list[Message] = []
        self.changed = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                message = Message(self.path, {name.lower(): value for name, value in self.headers.items()}, body, time.monotonic())
                with receiver.changed:
                    seen = sum(other.headers.get("webhook-id") == message.headers.get("webhook-id") for other in receiver.messages)
                    receiver.messages.append(message)
                    receiver.changed.notify_all()
                reply = receiver.answer(message, seen)
                if reply is None:
                    self.close_connection = True
                    return
                status, headers = reply
                self.send_response(status)
                for name, value in {"Content-Length": "0", **headers}.items():
                    self.send_header(name, value)
                self.end_headers()

            def do_GET(self):
                with receiver.changed:
                    receiver.messages.append(Message("GET " + self.path, {}, b"", time.monotonic()))
                self.send_error(500)

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, request, client_address):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, path: str = "/hook") -> str:
        return f"http://127.0.0.1:{self.server.server_port}{path}"

    def until(self, done, within: float = 60) -> list[Message]:
        """Waits until `done(messages)`."""
        deadline = time.monotonic() + within
        with self.changed:
            while not done(self.messages):
                assert self.changed.wait(deadline - time.monotonic()), f"still after {within} s: {[(m.path, m.headers.get('webhook-id')) for m in self.messages]}"
            return list(self.messages)

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
