"""A little Internet in two network namespaces: the server's own machine and networks, and everything else.

Inside, every address of the private ranges belongs to this machine, so whatever connects there meets a
canary. Outside, every address belongs to the origin, which notes where each connection was meant to go.
Both are real sockets in real namespaces; nothing leaves the machine. Needs root.
"""
import contextlib
import ctypes
import http.server
import ipaddress
import os
import socket
import socketserver
import ssl
import struct
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

from support import process

_libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000

PUBLIC = "93.184.216.34"
PUBLIC6 = "2606:2800:220:1::1"
OTHER = "151.101.1.69"  # Another public origin.
PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10", "198.18.0.0/15", "192.0.2.0/24", "240.0.0.0/4")
PRIVATE6 = ("fd00::/8", "fec0::/10", "2001:db8::/32", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16")
CANARY_PORTS = (22, 80, 443, 6379, 8000, 8080, 65535)
DNS = "127.0.0.53"


def available() -> bool:
    return os.geteuid() == 0 and subprocess.run(["unshare", "--net", "true"], capture_output=True).returncode == 0


def _enter(fd: int) -> None:
    if _libc.setns(fd, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


class Namespace:
    def __init__(self):
        self._holder = process.start(["unshare", "--net", "sleep", "3600"])
        self._path = Path(f"/proc/{self._holder.pid}/ns/net")
        own = os.readlink("/proc/self/ns/net")
        while os.readlink(self._path) == own:
            assert self._holder.poll() is None, "unshare --net has failed"
        self.fd = os.open(self._path, os.O_RDONLY)
        self.pid = self._holder.pid

    @contextlib.contextmanager
    def entered(self):
        """The calling thread is inside; sockets it makes stay there, and threads and programs it starts."""
        before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        _enter(self.fd)
        try:
            yield self
        finally:
            _enter(before)
            os.close(before)

    def run(self, *commands: str) -> None:
        with self.entered():
            for command in commands:
                subprocess.run(command.split(), check=True, capture_output=True)

    def close(self) -> None:
        self._holder.kill()
        self._holder.wait()
        os.close(self.fd)


class Canary:
    """Listens on every address of a namespace and counts who comes."""

    def __init__(self, namespace: Namespace):
        self.visits: list[tuple] = []
        with namespace.entered():
            self._listeners = [_listener(port) for port in CANARY_PORTS]
        for listener in self._listeners:
            threading.Thread(target=self._listen, args=(listener,), daemon=True).start()

    def _listen(self, listener: socket.socket) -> None:
        while True:
            try:
                visitor, _ = listener.accept()
            except OSError:
                return
            self.visits.append(visitor.getsockname()[:2])
            visitor.close()

    def close(self) -> None:
        for listener in self._listeners:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()


def _listener(port: int) -> socket.socket:
    return socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=256)


class Site(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """An HTTP server outside, over TLS with `tls`. `answer(request)` gives (status, headers, body); it notes every address it was reached under."""

    daemon_threads = True

    def __init__(self, namespace: Namespace, port: int, answer: Callable, tls: ssl.SSLContext | None = None):
        super().__init__(("", port), Handler, bind_and_activate=False)
        self.socket.close()
        with namespace.entered():
            self.socket = _listener(port)
        self.answer, self.tls = answer, tls
        self.reached: set[str] = set()
        self.requests: list[dict] = []
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()

    def finish_request(self, request, client_address) -> None:
        if not self.tls:
            return super().finish_request(request, client_address)
        with contextlib.suppress(OSError), self.tls.wrap_socket(request, server_side=True) as secure:
            super().finish_request(secure, client_address)

    def close(self) -> None:
        self.shutdown()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_GET(self) -> None:
        local = ipaddress.ip_address(self.connection.getsockname()[0])
        self.server.reached.add(str(getattr(local, "ipv4_mapped", None) or local))
        request = {"method": self.command, "path": self.path, "host": self.headers.get("Host", ""), "headers": dict(self.headers.items())}
        self.server.requests.append(request)
        status, headers, body = self.server.answer(request)
        lines = [f"HTTP/1.1 {status} X"] + [f"{name}: {value}" for name, value in headers.items()]
        lines += [f"Content-Length: {len(body)}", "Connection: close", "", ""]
        head = "\r\n".join(lines).encode("utf-8", "surrogateescape")
        with contextlib.suppress(ConnectionError):
            self.wfile.write(head + (b"" if self.command == "HEAD" else body))
        self.close_connection = True

    do_HEAD = do_POST = do_GET

    def log_message(self, *args) -> None:
        pass


class Dns:
    """A name server on 127.0.0.53. `answer(name, kind)` gives addresses of that kind ("A", "AAAA"), or a name for a CNAME."""

    def __init__(self, namespace: Namespace, answer: Callable[[str, str], list[str]]):
        self.answer = answer
        self.queries = 0
        with namespace.entered():
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self._socket.bind((DNS, 53))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                query, client = self._socket.recvfrom(4096)
            except OSError:
                return
            self.queries += 1
            with contextlib.suppress(OSError, ValueError, IndexError):
                self._socket.sendto(self._reply(query), client)

    def _reply(self, query: bytes) -> bytes:
        end = query.index(b"\0", 12) + 5
        question, labels, at = query[12:end], [], 12
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode("latin-1"))
            at += 1 + query[at]
        kind = {1: "A", 28: "AAAA"}.get(struct.unpack(">H", question[-4:-2])[0], "")
        records = self._records(".".join(labels).lower(), kind) if kind else []
        return query[:2] + struct.pack(">HHHHH", 0x8180, 1, len(records), 0, 0) + question + b"".join(records)

    def _records(self, name: str, kind: str) -> list[bytes]:
        records, owner = [], b"\xc0\x0c"
        for value in self.answer(name, kind):
            if value.endswith("."):  # A CNAME; what follows belongs to it.
                encoded = b"".join(bytes([len(label)]) + label.encode() for label in value.rstrip(".").split(".")) + b"\0"
                records.append(owner + struct.pack(">HHIH", 5, 1, 0, len(encoded)) + encoded)
                owner = encoded
            else:
                packed = ipaddress.ip_address(value).packed
                records.append(owner + struct.pack(">HHIH", {"A": 1, "AAAA": 28}[kind], 1, 0, len(packed)) + packed)
        return records

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


class Internet:
    """Both namespaces, a canary inside, and the way to start programs inside."""

    def __init__(self, folder: Path):
        self.inside, self.outside = Namespace(), Namespace()
        self.inside.run(f"ip link add cable type veth peer name cable netns {self.outside.pid}")
        self.inside.run("ip link set lo up", "ip link set cable up", "ip addr add 11.0.0.1/24 dev cable", "ip addr add 2a00:1::1/64 dev cable nodad")
        self.outside.run("ip link set lo up", "ip link set cable up", "ip addr add 11.0.0.2/24 dev cable", "ip addr add 2a00:1::2/64 dev cable nodad",
                         "ip route add 11.0.0.1/32 dev cable table local", "ip -6 route add 2a00:1::1/128 dev cable table local",
                         "ip route add local 0.0.0.0/0 dev lo", "ip -6 route add local 2000::/3 dev lo")
        self.inside.run("ip route add default via 11.0.0.2", "ip -6 route add default via 2a00:1::2",
                        *[f"ip route add local {network} dev lo" for network in PRIVATE],
                        *[f"ip -6 route add local {network} dev lo" for network in PRIVATE6])
        self.canary = Canary(self.inside)
        self.program_folder = folder

    def program(self, trawl: Path) -> Path:
        """The server's program, asking our name server."""
        resolv, script = self.program_folder / "resolv.conf", self.program_folder / "trawl-inside"
        resolv.write_text(f"nameserver {DNS}\noptions timeout:2 attempts:2\n")
        script.write_text(f'#!/bin/sh\nexec /usr/bin/unshare --mount /bin/sh -c \'/usr/bin/mount --bind "{resolv}" /etc/resolv.conf && exec "{trawl}" "$@"\' trawl "$@"\n')
        script.chmod(0o755)
        return script

    def close(self) -> None:
        self.canary.close()
        self.inside.close()
        self.outside.close()
