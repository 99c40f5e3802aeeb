"""A small S3 client of our own for the tests, and a proxy that spoils what a server answers."""
import datetime
import hashlib
import hmac
import re
import socket
import socketserver
import ssl
import threading
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlsplit

import httpx


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


class S3:
    """Signature Version 4, path style."""

    def __init__(self, url: str, access: str, secret: str, region: str, bucket: str):
        self.url, self.access, self.secret, self.region, self.bucket = url, access, secret, region, bucket
        self.http = httpx.Client(timeout=30, trust_env=False)

    def call(self, method: str, key: str = "", query: dict[str, str] | None = None, body: bytes = b"") -> httpx.Response:
        path = quote(f"/{self.bucket}/{key}" if key else f"/{self.bucket}/")
        pairs = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in sorted((query or {}).items()))
        now = datetime.datetime.now(datetime.timezone.utc)
        stamp, digest = now.strftime("%Y%m%dT%H%M%SZ"), hashlib.sha256(body).hexdigest()
        headers = {"host": urlsplit(self.url).netloc, "x-amz-content-sha256": digest, "x-amz-date": stamp}
        signed = ";".join(headers)
        request = "\n".join([method, path, pairs, *(f"{name}:{value}" for name, value in headers.items()), "", signed, digest])
        scope = f"{stamp[:8]}/{self.region}/s3/aws4_request"
        text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(request.encode()).hexdigest()])
        secret = b"AWS4" + self.secret.encode()
        for part in (stamp[:8], self.region, "s3", "aws4_request"):
            secret = _hmac(secret, part)
        headers["authorization"] = f"AWS4-HMAC-SHA256 Credential={self.access}/{scope}, SignedHeaders={signed}, Signature={_hmac(secret, text).hex()}"
        return self.http.request(method, f"{self.url}{path}{'?' + pairs if pairs else ''}", headers=headers, content=body)

    def create(self) -> "S3":
        assert self.call("PUT").status_code == 200
        return self

    def get(self, key: str) -> bytes:
        answer = self.call("GET", key)
        assert answer.status_code == 200, answer.text
        return answer.content

    def _list(self, query: dict[str, str], element: str, child: str) -> list[str]:
        answer = self.call("GET", query=query)
        assert answer.status_code == 200, answer.text
        root = ET.fromstring(re.sub(r' xmlns="[^"]+"', "", answer.text, count=1))
        return [item.findtext(child) for item in root.findall(element)]

    def objects(self) -> set[str]:
        return set(self._list({"max-keys": "1000"}, "Contents", "Key"))

    def uploads(self) -> list[str]:
        return self._list({"uploads": ""}, "Upload", "Key")


def operation(method: str, path: str, query: str) -> str:
    """What a request is, in one word."""
    names = dict(parse_qsl(query, keep_blank_values=True))
    if "uploads" in names:
        return "create" if method == "POST" else "list"
    if "uploadId" in names:
        return {"PUT": "part", "POST": "complete", "DELETE": "abort"}.get(method, "parts")
    return method.lower()


Fault = Callable[[str, int], str | None]  # (operation, how many of it came before) -> what goes wrong

ERROR = "<?xml version='1.0' encoding='UTF-8'?><Error><Code>{}</Code><Message>spoilt by the test</Message></Error>"


class FaultProxy:
    """Stands before an S3 server and spoils what `fault` says. The Host field is passed on, so signatures hold.

    500, SlowDown: answered in the server's place.  error200: a Complete answered by an error with status 200.
    dropped: the request is not passed on and the connection closed.  lost: passed on, then closed without an answer.
    truncated: half of the answer, then closed.  wrong_etag: the answer names another ETag.
    """

    def __init__(self, server_url: str, fault: Fault = lambda operation, count: None, certificate: Path | None = None):
        """With a certificate (its key beside it as .key) it speaks TLS to those who call."""
        self.target = (urlsplit(server_url).hostname, urlsplit(server_url).port)
        self.fault = fault
        self.lock = threading.Lock()
        self.seen: list[tuple[str, str | None]] = []
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                while outer.one(self.rfile, self.wfile):
                    pass

        class Listener(socketserver.ThreadingTCPServer):
            allow_reuse_address, daemon_threads = True, True

            def handle_error(self, request, client_address):
                pass  # Clients that were killed leave broken connections.

        self.listener = Listener(("127.0.0.1", 0), Handler)
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{self.listener.server_address[1]}"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate, certificate.with_suffix(".key"))
            self.listener.socket = context.wrap_socket(self.listener.socket, server_side=True)
        threading.Thread(target=self.listener.serve_forever, daemon=True).start()

    def count(self, operation: str, fault: str | None = None) -> int:
        with self.lock:
            return sum(1 for seen, wrong in self.seen if seen == operation and (fault is None or wrong == fault))

    def one(self, rfile, wfile) -> bool:
        """Passes one request on; False when the connection is to be closed."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = rfile.readline(65536)
            if not line:
                return False
            head += line
        method, target, _ = head.split(b"\r\n", 1)[0].decode().split(" ", 2)
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        body = rfile.read(int(length[1])) if length else b""
        path, _, query = target.partition("?")
        kind = operation(method, path, query)
        with self.lock:
            wrong = self.fault(kind, sum(1 for seen, _ in self.seen if seen == kind))
            self.seen.append((kind, wrong))
        if wrong == "dropped":
            return False
        if wrong in ("500", "SlowDown", "error200"):
            text = ERROR.format("SlowDown" if wrong == "SlowDown" else "InternalError").encode()
            status = {"500": "500 Internal Server Error", "SlowDown": "503 Slow Down", "error200": "200 OK"}[wrong]
            wfile.write(f"HTTP/1.1 {status}\r\nContent-Type: application/xml\r\nContent-Length: {len(text)}\r\n\r\n".encode() + (b"" if method == "HEAD" else text))
            return True
        answer = self.ask(head, body, method)
        if wrong == "lost":
            return False
        if wrong == "wrong_etag":
            answer = re.sub(rb'(?i)(\r\netag: *"?)([0-9a-f]{32})', rb"\g<1>" + b"0" * 32, answer)
        if wrong == "truncated":
            wfile.write(answer[:max(1, len(answer) // 2)])
            return False
        wfile.write(answer)
        return True

    def ask(self, head: bytes, body: bytes, method: str) -> bytes:
        closing = re.sub(rb"(?i)\r\nconnection: [^\r]*", b"", head)[:-2] + b"Connection: close\r\n\r\n"
        with socket.create_connection(self.target, timeout=60) as up:
            up.sendall(closing + body)
            answer = b""
            while piece := up.recv(1 << 16):
                answer += piece
        # The client's connection is kept, so an answer must say where it ends.
        first, _, rest = answer.partition(b"\r\n\r\n")
        first = re.sub(rb"(?i)\r\nconnection: [^\r]*", b"", first)
        return first + b"\r\n\r\n" + rest

    def close(self) -> None:
        self.listener.shutdown()
        self.listener.server_close()
