"""An HTTP proxy as an operator has one: CONNECT with a password."""
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
