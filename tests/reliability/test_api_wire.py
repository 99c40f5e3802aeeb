"""A6: no request can be hidden in another, whether clients come by themselves or through nginx."""
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support import process  # noqa: E402
from support.smuggling import HIDDEN, ambiguous  # noqa: E402

NGINX = """
{user} daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; events {{ }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  upstream trawl {{ server 127.0.0.1:{behind}; keepalive 2; }}
  server {{
    listen 127.0.0.1:{port}; ignore_invalid_headers off; underscores_in_headers on;
    location / {{ proxy_pass http://trawl; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_request_buffering off; }}
  }}
}}
"""


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    from support.server import Server
    server = Server(tmp_path_factory.mktemp("plain"), {"limits.enabled": "false", "log.level": "error"})
    yield server.start()
    server.close()


@pytest.fixture(scope="module")
def in_front(plain, tmp_path_factory):
    """The port of an nginx that keeps connections to the server."""
    folder = tmp_path_factory.mktemp("in_front")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (folder / "nginx.conf").write_text(NGINX.format(user="user root;" if os.geteuid() == 0 else "", folder=folder, port=port, behind=urlsplit(plain.url).port))
    child = process.start(["/usr/sbin/nginx", "-e", str(folder / "error.log"), "-p", str(folder), "-c", str(folder / "nginx.conf")], end_signal=signal.SIGTERM, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 10
    while not (folder / "nginx.pid").exists():
        assert child.poll() is None and time.monotonic() < deadline, (folder / "error.log").read_text()
        time.sleep(0.02)
    yield port
    child.terminate()
    child.wait(10)


def converse(port: int, text: bytes, within: float = 2, half_close: bool = True) -> tuple[bytes, bool]:
    """(what came back, whether the peer closed) of a connection that says `text` and no more.

    To nginx a client that closes its half has left: it drops the request."""
    said = b""
    with socket.create_connection(("127.0.0.1", port), timeout=within) as connection:
        try:
            connection.sendall(text)
            if half_close:
                connection.shutdown(socket.SHUT_WR)
            while piece := connection.recv(65536):
                said += piece
        except TimeoutError:
            return said, False
        except ConnectionError:
            pass
    return said, True


def ids(said: bytes) -> list[bytes]:
    return re.findall(rb"(?im)^X-Request-ID: *(\S+)", said)


def test_a6_an_ambiguous_request_is_refused_and_nothing_behind_it_is_read(plain, bars):
    port, cases = urlsplit(plain.url).port, ambiguous()
    wrong = []
    for name, text in cases.items():
        said, closed = converse(port, text)
        statuses = re.findall(rb"(?m)^HTTP/1\.1 (\d+)", said)
        if b"hidden" in ids(said) or statuses[:1] not in ([b"400"], [b"505"]) or len(statuses) > 1 or not closed or b"connection: close" not in said.lower():
            wrong.append((name, statuses, said[:200]))
    assert wrong == []
    bars.holds("A6", "ambiguous requests sent to the server", len(cases), at_least=80)
    bars.holds("A6", "of them refused with 400 and the connection closed", len(cases) - len(wrong), equals=len(cases))


def test_a6_behind_nginx_no_request_is_answered_that_was_not_sent(plain, in_front, bars):
    crossed, cases = [], ambiguous()
    for number, (name, text) in enumerate(cases.items()):
        # nginx may take what is hidden for a second request of this client: then both agree, and nobody else sees it.
        converse(in_front, text)
        # The next client is given the same connection to the server.
        mark = f"marker-{number}".encode()
        said, _ = converse(in_front, b"GET /api/v1/version HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Request-ID: " + mark + b"\r\n\r\n", half_close=False)
        if ids(said) != [mark] or not said.startswith(b"HTTP/1.1 200") or b'"name":"trawl"' not in said:
            crossed.append((f"after {name}", said[:300]))
    assert crossed == []
    bars.holds("A6", "ambiguous requests sent through nginx", len(cases), at_least=80)
    bars.holds("A6", "answers that another client got or nobody asked for", len(crossed), equals=0)


def test_a6_a_request_that_is_clear_is_served_and_the_next_one_too(plain, bars):
    """The same way of asking finds nothing wrong where nothing is."""
    said, _ = converse(urlsplit(plain.url).port, b"GET /api/v1/version HTTP/1.1\r\nHost: x\r\nX-Request-ID: first\r\n\r\n" + HIDDEN)
    assert ids(said) == [b"first", b"hidden"]
