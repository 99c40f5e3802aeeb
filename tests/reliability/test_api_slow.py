"""A7: clients that send or read as slowly as they can cost the others nothing, and are let go."""
import http.client
import os
import socket
import statistics
import threading
import time
from urllib.parse import urlsplit

import pytest

LIMIT = 30  # Seconds a slow client may stay.


class Slow:
    """One client that keeps its connection for as long as it can. `ended`: when it was let go."""

    def __init__(self, address, kind, path):
        self.socket = socket.socket()
        if kind == "read":
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.connect(address)
        self.port = self.socket.getsockname()[1]
        self.kind, self.ended = kind, None
        begin = {"head": b"GET /api/v1/version HTTP/1.1\r\nHost: x\r\n",
                 "body": b"POST /api/v1/downloads HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{",
                 "upload": b"POST /api/v1/files?filename=x.mp4 HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\n{",
                 "read": f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()}[kind]
        self.socket.sendall(begin)
        self.socket.setblocking(False)

    def step(self):
        """A little more of what it sends or reads."""
        try:
            if self.kind == "read":
                self.socket.recv(64)
            else:
                self.socket.send(b"X-a: b\r\n" if self.kind == "head" else b" ")
        except OSError:
            pass


def held(port):
    """The ports of the clients whose connections the server on `port` has not ended. Its own end tells: a client that reads nothing would hear of
    it only behind all that it has not read."""
    found = set()
    with open("/proc/net/tcp") as table:
        for line in list(table)[1:]:
            local, remote, state = line.split()[1:4]
            if int(local.split(":")[1], 16) == port and state == "01":
                found.add(int(remote.split(":")[1], 16))
    return found


@pytest.mark.alone
def test_a7_slow_clients_are_let_go_and_cost_the_others_nothing(server, origin, bars):
    one = server(limits__enabled="false", log__level="warn")
    job = one.api.completed(origin.url("small.mp4"), embed_metadata=False)
    # More than the buffers of sockets take.
    large = one.api.post("/api/v1/files", content=origin.file("bench.mp4").read_bytes() + bytes(30 << 20), params={"filename": "large.mp4"})
    path = urlsplit(large.headers["location"]).path
    parts = urlsplit(one.url)
    address = (parts.hostname, parts.port)

    def descriptors():
        return len(os.listdir(f"/proc/{one.child.pid}/fd"))

    before = descriptors()
    kinds = ["head", "body", "upload", "read"]
    count = bars.size(500, 80)
    opened = time.monotonic()
    slow = [Slow(address, kinds[number % len(kinds)], path) for number in range(count)]
    took, failures = [], []
    finished = threading.Event()

    def good():
        connection = http.client.HTTPConnection(*address, timeout=30)
        while not finished.is_set():
            begin = time.monotonic()
            connection.request("GET", "/api/v1/downloads/" + job["id"])
            answer = connection.getresponse()
            answer.read()
            took.append(time.monotonic() - begin)
            if answer.status != 200:
                failures.append(answer.status)
            finished.wait(0.5)
        connection.close()

    workers = [threading.Thread(target=good) for _ in range(bars.size(50, 12))]
    for worker in workers:
        worker.start()
    most = 0
    while any(client.ended is None for client in slow) and time.monotonic() - opened < LIMIT + 15:
        there = held(address[1])
        for client in slow:
            if client.ended is None and client.port not in there:
                client.ended = time.monotonic()
                client.socket.close()
            elif client.ended is None:
                client.step()
        most = max(most, descriptors())
        time.sleep(1)
    finished.set()
    for worker in workers:
        worker.join(30)
    for kind in kinds:
        stayed = [(client.ended or float("inf")) - opened for client in slow if client.kind == kind]
        bars.holds("A7", f"slow to {kind}: the last one let go after", max(stayed), at_most=float(LIMIT), unit="s")
    assert not failures
    bars.holds("A7", "good requests beside them", len(took), at_least=len(workers) * 20)
    bars.holds("A7", "p99 of good requests", statistics.quantiles(took, n=100)[98] * 1000, at_most=250.0, unit="ms")
    bars.holds("A7", "descriptors beyond those of connections and their files", most - before - count - len(workers) - count // 2, at_most=10)
    deadline = time.monotonic() + 10
    while descriptors() > before + 5:
        assert time.monotonic() < deadline, (before, descriptors())
        time.sleep(0.1)
