"""The ways out that an operator can choose: exceptions, upstream proxies, impersonation."""
import http.server
import subprocess
import threading
import time
from pathlib import Path

import pytest

from support import server as servers
from support.api import check_error
from support.probe import sha256
from support.upstream import Socks, Upstream

PLUGINS = Path(__file__).resolve().parent / "support/plugins"
PASSWORD = "UPSTREAM-PASSWORD"


@pytest.fixture
def upstream():
    made = []

    def make(*args, **kwargs) -> Upstream:
        made.append(Upstream(*args, **kwargs))
        return made[-1]
    yield make
    for proxy in made:
        proxy.close()


def targets(api) -> set[str]:
    """What requests can look like, once the engine is warm."""
    deadline = time.monotonic() + 60
    while not (answer := api.get("/api/v1/admin/engine").json())["healthy"]:
        assert time.monotonic() < deadline, answer
        time.sleep(0.05)
    return set(answer["impersonate_targets"])


def said(server) -> str:
    return server.out.read_text(errors="replace") + server.err.read_text(errors="replace")


@pytest.mark.parametrize("native", ["true", "false"])
def test_everything_goes_through_the_operators_proxy(server, origin, upstream, native, tmp_path):
    proxy = upstream("operator", PASSWORD)
    here = server(upstream__proxies=proxy.url, transfer__native=native)
    before = len(origin.requests())
    job = here.api.completed(origin.url("small.mp4"), embed_metadata=False)
    assert sha256(here.api.fetch(job["file_info"], tmp_path)) == sha256(origin.file("small.mp4"))
    asked = len(origin.requests()) - before
    assert set(proxy.targets) == {f"127.0.0.1:{origin.port}"} and asked >= 2
    assert proxy.strangers == 0
    assert job["network"]["upstream"] == f"http://{proxy.place}"
    # The native transfer takes the proxy too, under the token of its job: what it moved is counted there.
    assert job["network"]["proxy_received_bytes"] > origin.file("small.mp4").stat().st_size
    assert PASSWORD not in said(here) + here.api.log_text(job["job_id"])
    assert "downloads go out through a proxy" in said(here)


@pytest.mark.parametrize("native", ["true", "false"])
@pytest.mark.parametrize("scheme, by_name", [("socks5", False), ("socks5h", True)])
def test_everything_goes_through_the_operators_socks_proxy(server, origin, scheme, by_name, native, tmp_path):
    proxy = Socks("operator", PASSWORD, scheme)
    try:
        here = server(upstream__proxies=proxy.url, transfer__native=native)
        before = len(origin.requests())
        job = here.api.completed(origin.url("small.mp4").replace("127.0.0.1", "localhost"), embed_metadata=False)
        assert sha256(here.api.fetch(job["file_info"], tmp_path)) == sha256(origin.file("small.mp4"))
        assert len(origin.requests()) - before >= 2 and proxy.strangers == 0
        # socks5 is given the address that was judged here, socks5h the name.
        assert set(proxy.targets) == {f"{'localhost' if by_name else '127.0.0.1'}:{origin.port}"} and bool(proxy.by_name) == by_name
        assert job["network"]["upstream"] == f"{scheme}://{proxy.place}"
        assert PASSWORD not in said(here) + here.api.log_text(job["job_id"])
    finally:
        proxy.close()


def test_a_site_that_turns_the_proxy_away_is_asked_through_another(server, origin, upstream):
    blocked = upstream(answer=b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    welcome = upstream()
    here = server(upstream__proxies=f"{blocked.url},{welcome.url}", download__max_retries=2)
    first = here.api.completed(origin.url("small.mp4"), embed_metadata=False)
    assert first["network"]["upstream"] == f"http://{welcome.place}"
    assert blocked.targets and first["attempts"] >= 2
    turned_away = len(blocked.targets)
    here.api.completed(origin.url("other.mp4"), embed_metadata=False)
    assert len(blocked.targets) == turned_away, "the proxy that was turned away was asked again"


def test_a_site_can_have_a_way_of_its_own(server, origin, upstream):
    proxy = upstream()
    here = server(upstream__proxies=f"{proxy.url},127.0.0.1=direct")
    assert here.api.completed(origin.url("small.mp4"), embed_metadata=False)["network"]["upstream"] is None
    assert proxy.targets == []


def test_a_proxy_that_fails_is_named_without_its_password(server, origin, upstream):
    proxy = upstream("operator", PASSWORD)
    here = server(upstream__proxies=f"http://operator:wrong-{PASSWORD}@{proxy.place}", download__max_retries=0)
    job = here.api.failed(origin.url("small.mp4"))
    assert job["error_code"] == "upstream_failed" and proxy.place in job["error"]
    assert PASSWORD not in said(here) + here.api.log_text(job["job_id"]) + job["error"]


def test_an_exception_is_logged_and_opens_its_port_alone(server, origin):
    here = server(policy__allow_private_networks="false", policy__allow_addresses=f"127.0.0.0/8:{origin.port}")
    assert f"127.0.0.0/8:{origin.port}" in said(here)
    here.api.completed(origin.url("small.mp4"), embed_metadata=False)
    check_error(here.api.post("/api/v1/downloads", json={"url": "http://127.0.0.1:8000/x.mp4"}), 403, "address_not_allowed")


def test_the_server_never_downloads_from_itself(server):
    here = server()
    own = here.url.rpartition(":")[2]
    for host in ("127.0.0.1", "localhost", "2130706433", "127.9.9.9"):
        check_error(here.api.post("/api/v1/downloads", json={"url": f"http://{host}:{own}/health"}), 403, "address_not_allowed")


@pytest.fixture
def redirecting(origin):
    """The port of a site that sends everybody to the origin."""
    class Away(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(302)
            self.send_header("Location", origin.url("small.mp4"))
            self.send_header("Content-Length", "0")
            self.end_headers()
        do_HEAD = do_GET

        def log_message(self, *args):
            pass
    site = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Away)
    threading.Thread(target=site.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
    yield site.server_port
    site.shutdown()
    site.server_close()


def test_an_open_redirect_does_not_lead_out_of_the_allowed_domains(server, origin, redirecting):
    before = len(origin.requests())
    strict = server(policy__allowed_domains="localhost", download__max_retries=0)
    job = strict.api.failed(f"http://localhost:{redirecting}/x.mp4")
    assert job["error_code"] == "domain_not_allowed" and "policy.media_domains" in job["error"]
    assert len(origin.requests()) == before
    wide = server(policy__allowed_domains="localhost", policy__media_domains="127.0.0.1", download__max_retries=0)
    wide.api.completed(f"http://localhost:{redirecting}/x.mp4", embed_metadata=False)
    check_error(wide.api.post("/api/v1/downloads", json={"url": origin.url("small.mp4")}), 403, "domain_not_allowed")


@pytest.mark.parametrize("text", ["10.0.0.5/8", "10.0.0.0/8:0", "example.com", "10.0.0.0/8:443:80"])
def test_an_exception_that_opens_something_else_than_it_says_stops_the_start(tmp_path, text):
    done = subprocess.run([str(servers.binary()), "serve", "--policy.allow_addresses", text], cwd=tmp_path, env=servers.environment(tmp_path),
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "policy.allow_addresses" in done.stderr


def test_policy_says_what_the_rules_make_of_an_address(tmp_path):
    def ask(*arguments):
        done = subprocess.run([str(servers.binary()), "policy", *arguments], cwd=tmp_path, env=servers.environment(tmp_path), capture_output=True, text=True, timeout=60)
        return done.returncode, [line.split("\t")[0] for line in done.stdout.splitlines()]
    assert ask("https://example.com/", "8.8.8.8", "[2606:4700::1]:8443") == (0, ["allowed"] * 3)
    assert ask("http://10.0.0.5/", "ftp://example.com/", "example.com:25", "0x7f.1") == (1, ["address_not_allowed", "invalid_url", "port_not_allowed", "address_not_allowed"])
    assert ask("--policy.allow_addresses", "10.0.0.0/8:443", "10.0.0.5", "http://10.0.0.5/") == (1, ["allowed", "address_not_allowed"])


def test_without_curl_cffi_impersonation_is_a_clear_error(api, origin):
    assert targets(api) == set()
    body = check_error(api.post("/api/v1/downloads", json={"url": origin.url("small.mp4"), "impersonate": "chrome"}), 422, "impersonation_unavailable")
    assert "curl_cffi" in body["error"]
    check_error(api.post("/api/v1/downloads", json={"url": origin.url("small.mp4"), "impersonate": "chrome; id"}), 422)


def test_impersonated_requests_leave_through_the_proxy_alone(server, origin):
    here = server(engine__plugin_dirs=PLUGINS, policy__denied_domains="localhost", download__max_retries=0)
    assert targets(here.api) == {"safari-17.0:ios", "chrome-124:windows-10"}
    before = len(origin.requests())
    job = here.api.completed(origin.url("small.mp4"), impersonate="chrome", embed_metadata=False)
    mine = origin.requests()[before:]
    assert mine and all("FakeBrowser chrome-124:windows-10" in line for line in mine), mine
    assert job["network"]["proxy_received_bytes"] > origin.file("small.mp4").stat().st_size and job["network"]["native_bytes"] == 0
    refused = here.api.post("/api/v1/downloads", json={"url": origin.url("small.mp4"), "impersonate": "firefox"})
    check_error(refused, 422, "impersonation_unavailable")
