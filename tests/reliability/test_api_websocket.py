"""A8: watchers who do not read cost the server and the other watchers nothing, and nonsense ends only its own connection."""
import asyncio
import base64
import json
import os
import select
import socket
import statistics
import struct
import threading
import time
from datetime import datetime
from urllib.parse import urlsplit

import httpx
import pytest
import websockets

from support.ws import watch

ADMIN = "the-key-of-the-configuration"
LATER = "2090-01-01T00:00:00Z"


def upgrade(url, path="/api/v1/ws", key=ADMIN, **headers):
    """(socket, status) of a handshake by hand. The socket takes little and reads nothing by itself."""
    parts = urlsplit(url)
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    made.connect((parts.hostname, parts.port))
    fields = {"Host": parts.netloc, "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
              "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(), **({"X-API-Key": key} if key else {}), **headers}
    made.sendall(f"GET {path} HTTP/1.1\r\n".encode() + b"".join(f"{name}: {value}\r\n".encode() for name, value in fields.items()) + b"\r\n")
    made.settimeout(10)
    head = b""
    while b"\r\n\r\n" not in head:
        head += made.recv(1)
    return made, int(head.split(b" ", 2)[1])


def frame(payload, opcode=1):
    size = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + struct.pack(">H", len(payload)) if len(payload) < 1 << 16 else b"\xff" + struct.pack(">Q", len(payload))
    return bytes([0x80 | opcode]) + size + bytes(4) + payload


def close_code(made):
    """What the server ends the connection with; None when it only ends it."""
    made.settimeout(15)
    seen = b""
    try:
        while part := made.recv(65536):
            seen += part
    except OSError:
        pass
    at = 0
    while at + 2 <= len(seen):
        length, opcode, at = seen[at + 1] & 127, seen[at] & 15, at + 2
        if length == 126:
            length, at = struct.unpack(">H", seen[at:at + 2])[0], at + 2
        if opcode == 8:
            return struct.unpack(">H", seen[at:at + 2])[0] if length >= 2 else None
        at += length
    return None


class Stalled(threading.Thread):
    """Asks for answers (pongs) and takes none. `took`: how long the server let it stand once nothing moved."""

    def __init__(self, url):
        super().__init__(daemon=True)
        self.socket, status = upgrade(url)
        assert status == 101
        self.took = None
        self.start()

    def run(self):
        ping = frame(b'{"type":"ping"}') * 100
        self.socket.setblocking(False)
        stood = None
        try:
            while True:
                if select.select([], [self.socket], [], 0.05)[1]:
                    self.socket.send(ping)
                    stood = None
                else:
                    stood = stood or time.monotonic()
        except OSError:
            self.took = time.monotonic() - (stood or time.monotonic())
        self.socket.close()


class Readers(threading.Thread):
    """Watchers who read all that comes; every eighth says how late it is."""

    def __init__(self, url, count):
        super().__init__(daemon=True)
        self.url, self.count = url.replace("http://", "ws://") + "/api/v1/ws?types=status", count
        self.late, self.messages, self.ready, self.over = [], [0] * count, threading.Event(), threading.Event()
        self.start()
        assert self.ready.wait(30)

    def run(self):
        asyncio.run(self.all())

    async def all(self):
        sockets = [await websockets.connect(self.url, extra_headers={"X-API-Key": ADMIN}, max_queue=None) for _ in range(self.count)]
        self.ready.set()
        readers = [asyncio.ensure_future(self.read(index, one)) for index, one in enumerate(sockets)]
        while not self.over.is_set():
            await asyncio.sleep(0.1)
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
        for one in sockets:
            await one.close()

    async def read(self, index, one):
        async for text in one:
            self.messages[index] += 1
            if index % 8 == 0 and '"status"' in text:
                at = datetime.fromisoformat(json.loads(text)["timestamp"].replace("Z", "+00:00")).timestamp()
                self.late.append(time.time() - at)


def resident(pid):
    return int(next(line.split()[1] for line in open(f"/proc/{pid}/status") if line.startswith("VmRSS"))) << 10


@pytest.mark.alone
def test_a8_watchers_who_do_not_read_cost_the_others_nothing(server, origin, bars):
    # A sanitizer keeps what was freed for a while; that is not what is looked for.
    asan = ":".join(filter(None, [os.environ.get("ASAN_OPTIONS"), "quarantine_size_mb=4", "thread_local_quarantine_size_kb=64"]))
    one = server(auth__mode="required", auth__api_key=ADMIN, limits__enabled="false", log__level="warn", env={"ASAN_OPTIONS": asan})
    one.key = ADMIN
    api = one.as_key(ADMIN)
    jobs = [api.submit(origin.url(f"small.mp4?{number}"), scheduled_at=LATER)["id"] for number in range(12)]
    watched = api.submit(origin.url("small.mp4"), scheduled_at=LATER)["id"]
    begun = watch(one.url, f"{watched}?api_key={ADMIN}&last_seq=0", leave_when=lambda message: message["type"] == "status")
    stalling, count = bars.size(20, 5), bars.size(180, 20)
    readers = Readers(one.url, count)
    before = resident(one.child.pid)
    stalled = [Stalled(one.url) for _ in range(stalling)]
    most, changes, end = 0, 0, time.monotonic() + bars.size(20, 12)
    with httpx.Client(base_url=one.url, headers={"X-API-Key": ADMIN}, trust_env=False, timeout=30) as client:
        while time.monotonic() < end or any(client_.took is None for client_ in stalled) and time.monotonic() < end + 20:
            for verb in ("pause", "resume"):
                for job in jobs:
                    changes += client.post(f"/api/v1/downloads/{job}/{verb}").status_code == 200
            most = max(most, resident(one.child.pid) - before)
    deadline = time.monotonic() + 10
    while min(readers.messages) < changes and time.monotonic() < deadline:
        time.sleep(0.05)
    readers.over.set()
    readers.join(30)
    print(f"{changes} changes of state, {sum(readers.messages)} messages read, {most >> 20} MiB more")
    bars.holds("A8", "watchers who do not read: let go at the latest after", max(client.took or float("inf") for client in stalled), at_most=10.0, unit="s")
    bars.holds("A8", "memory beside that before", most >> 20, at_most=64, unit="MiB")
    bars.holds("A8", "changes of state told to every reader", min(readers.messages) / changes, at_least=1.0)
    bars.holds("A8", "p99 of how late readers are told", statistics.quantiles(readers.late, n=100)[98] * 1000, at_most=250.0, unit="ms")

    # Who comes back with what was seen last misses nothing of what is recorded, its end least of all.
    assert api.delete(f"/api/v1/downloads/{watched}").status_code == 200
    rest = watch(one.url, f"{watched}?api_key={ADMIN}&last_seq={begun.seqs[-1]}")
    whole = watch(one.url, f"{watched}?api_key={ADMIN}&last_seq=0")
    bars.holds("A8", "recorded messages lost over a reconnect", len(set(whole.seqs) - set(begun.seqs) - set(rest.seqs)), equals=0)
    assert rest.finals and rest.close_code == 1000


# Mutant: tickets_last.
def test_a8_bad_handshakes_and_frames_are_refused(server, bars):
    one = server(auth__mode="required", auth__api_key=ADMIN, limits__enabled="false")
    one.key = ADMIN
    for what, wanted, asked in [("no key", 401, {"key": None}), ("a wrong key", 401, {"key": "nonsense"}),
                                ("no nonce", 400, {"Sec-WebSocket-Key": "x"}), ("another version", 426, {"Sec-WebSocket-Version": "8"})]:
        made, status = upgrade(one.url, **asked)
        made.close()
        bars.holds("A8", f"a handshake with {what}", status, equals=wanted)
    ticket = one.as_key(ADMIN).post("/api/v1/ws/tickets").json()["ticket"]
    for what, wanted, path in [("a ticket", 101, f"/api/v1/ws?ticket={ticket}"), ("a ticket that was used", 401, f"/api/v1/ws?ticket={ticket}"),
                               ("a ticket of nobody", 401, "/api/v1/ws?ticket=ticket_x")]:
        made, status = upgrade(one.url, path, key=None)
        made.close()
        bars.holds("A8", f"a handshake with {what}", status, equals=wanted)
    assert ticket not in one.out.read_text() + one.err.read_text()
    assert one.as_key(None).post("/api/v1/ws/tickets").status_code == 401
    for what, wanted, sent in [("1 MiB in a frame", 1009, frame(b"x" * (1 << 20))), ("bad UTF-8", 1007, frame(b'{"type": "\xc3\x28"}')),
                               ("bytes", 1003, frame(b"x", opcode=2)), ("an unmasked frame", 1002, b"\x81\x02hi")]:
        made, status = upgrade(one.url)
        assert status == 101
        try:
            made.sendall(sent)
        except OSError:
            pass
        bars.holds("A8", f"the end after {what}", close_code(made), equals=wanted)
        made.close()
    assert one.as_key(ADMIN).get("/api/v1/health/live").status_code == 200
