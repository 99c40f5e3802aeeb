"""Proxies as an operator has them: HTTP's CONNECT, and SOCKS5, each with a password."""
import base64
import contextlib
import socket
import socketserver
import threading


class Upstream(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """Notes every target. With `answer`, it plays the origin itself instead of connecting to it."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, user: str = "", password: str = "", answer: bytes = b""):
        super().__init__(("127.0.0.1", 0), Tunnel)
        self.credentials = base64.b64encode(f"{user}:{password}".encode()).decode() if user else ""
        self.answer = answer
        self.targets: list[str] = []
        self.strangers = 0
        self.place = f"127.0.0.1:{self.server_address[1]}"
        self.url = f"http://{user}:{password}@{self.place}" if user else f"http://{self.place}"
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()

    def close(self) -> None:
        self.shutdown()
        self.server_close()


class Tunnel(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        self.request.settimeout(30)
        head = read_head(self.request)
        method, target, _ = head.split("\r\n")[0].split(" ")
        if method != "CONNECT" or (self.server.credentials and f"Basic {self.server.credentials}" not in head):
            self.server.strangers += 1
            self.request.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
            return
        self.server.targets.append(target)
        if self.server.answer:
            self.request.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            read_head(self.request)
            self.request.sendall(self.server.answer)
            return
        host, _, port = target.rpartition(":")
        with socket.create_connection((host, int(port)), 10) as origin:
            self.request.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            back = threading.Thread(target=pass_on, args=(origin, self.request), daemon=True)
            back.start()
            pass_on(self.request, origin)
            back.join()


def read_head(sock: socket.socket) -> str:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = sock.recv(1)
        if not byte:
            break
        head += byte
    return head.decode("latin-1") or "? ? ?"


def pass_on(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


class Socks(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """SOCKS5 (RFC 1928, 1929). Notes every target and whether it was asked for by name."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, user: str, password: str, scheme: str = "socks5"):
        super().__init__(("127.0.0.1", 0), SocksTunnel)
        self.credentials = (user, password)
        self.targets: list[str] = []
        self.by_name = self.strangers = 0
        self.place = f"127.0.0.1:{self.server_address[1]}"
        self.scheme = scheme
        self.url = f"{scheme}://{user}:{password}@{self.place}"
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()

    def close(self) -> None:
        self.shutdown()
        self.server_close()


class SocksTunnel(socketserver.BaseRequestHandler):
    def exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size and (more := self.request.recv(size - len(data))):
            data += more
        return data

    def handle(self) -> None:
        self.request.settimeout(30)
        _, count = self.exactly(2)
        if 2 not in self.exactly(count):  # User name and password.
            self.server.strangers += 1
            return self.request.sendall(b"\x05\xff")
        self.request.sendall(b"\x05\x02")
        user = self.exactly(self.exactly(2)[1]).decode()
        password = self.exactly(self.exactly(1)[0]).decode()
        if (user, password) != self.server.credentials:
            self.server.strangers += 1
            return self.request.sendall(b"\x01\x01")
        self.request.sendall(b"\x01\x00")
        kind = self.exactly(4)[3]
        host = self.exactly(self.exactly(1)[0]).decode() if kind == 3 else socket.inet_ntop(*((socket.AF_INET, self.exactly(4)) if kind == 1 else (socket.AF_INET6, self.exactly(16))))
        port = int.from_bytes(self.exactly(2))
        self.server.by_name += kind == 3
        self.server.targets.append(f"{host}:{port}")
        with socket.create_connection((host, port), 10) as origin:
            self.request.sendall(b"\x05\x00\x00\x01" + bytes(6))
            back = threading.Thread(target=pass_on, args=(origin, self.request), daemon=True)
            back.start()
            pass_on(self.request, origin)
            back.join()
