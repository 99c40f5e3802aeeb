"""Without leave of the operator no submitted URL reaches an address of his own networks."""
import socket
import threading

import pytest

from support.api import check_error
from support.server import Server


class Canary:
    """Listens on every loopback address and counts who comes."""

    def __init__(self):
        self._listener = (socket.create_server(("", 0), family=socket.AF_INET6, dualstack_ipv6=True)
                          if socket.has_dualstack_ipv6() else socket.create_server(("0.0.0.0", 0)))
        self.port = self._listener.getsockname()[1]
        self.visits: list = []
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        while True:
            try:
                visitor, address = self._listener.accept()
            except OSError:
                return
            self.visits.append(address)
            visitor.close()

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.fixture(scope="module")
def canary():
    canary = Canary()
    yield canary
    assert canary.visits == []
    canary.close()


@pytest.fixture(scope="module")
def strict(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("strict"), {"policy.allow_private_networks": "false"})
    yield server.start()
    server.close()


LOOPBACK = [
    "127.0.0.1", "127.1", "127.0.1", "127.255.255.254", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "017700000001", "0", "0.0.0.0",
    "localhost", "LOCALHOST", "localhost.", "a.localhost", "127.0.0.1.", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]",
    "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "127。0。0。1", "①②⑦.⓪.⓪.①", "%31%32%37.0.0.1", "user:secret@127.0.0.1", "example.com@127.0.0.1",
]
INTERNAL = ["10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "169.254.43518", "100.64.0.1", "198.18.0.1", "240.0.0.1", "224.0.0.1",
            "255.255.255.255", "192.0.2.1", "[fe80::1]", "[fd00::1]", "[ff02::1]", "[fec0::1]", "0300.0250.1.1"]


@pytest.mark.parametrize("host", LOOPBACK)
def test_no_spelling_of_loopback_gets_in(strict, canary, host):
    for path in ("/api/v1/downloads", "/api/v1/download"):
        response = strict.api.post(path, json={"url": f"http://{host}:{canary.port}/video.mp4"})
        # A spelling that is no URL at all may be refused as such.
        if response.status_code == 422:
            check_error(response, 422)
        else:
            check_error(response, 403, "address_not_allowed")
    assert canary.visits == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f000001", "0177.0.0.1", "[::ffff:127.0.0.1]", "[::1]"])
def test_loopback_is_refused_by_its_own_error_code(strict, canary, host):
    check_error(strict.api.post("/api/v1/downloads", json={"url": f"http://{host}:{canary.port}/video.mp4"}), 403, "address_not_allowed")


@pytest.mark.parametrize("host", INTERNAL)
def test_internal_networks_are_refused(strict, host):
    check_error(strict.api.post("/api/v1/downloads", json={"url": f"http://{host}/video.mp4"}), 403, "address_not_allowed")


def test_a_refused_submission_leaves_no_job_and_no_request_at_the_origin(strict, origin):
    before = origin.requests()
    check_error(strict.api.post("/api/v1/downloads", json={"url": origin.url("small.mp4")}), 403, "address_not_allowed")
    assert strict.api.get("/api/v1/downloads").json()["total"] == 0
    assert origin.requests() == before


def test_a_domain_that_is_not_allowed_is_refused(server):
    fussy = server(policy__allowed_domains="example.com")
    check_error(fussy.api.post("/api/v1/downloads", json={"url": "http://127.0.0.1:1/x.mp4"}), 403)
    check_error(fussy.api.post("/api/v1/downloads", json={"url": "http://notexample.com/x.mp4"}), 403, "domain_not_allowed")
