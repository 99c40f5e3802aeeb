"""A2, A3, A4, A11, A12: who may call what, how keys are kept, how exactly limits count, what links open,
and what every answer says to browsers."""
import http.client
import re
import socket
import sqlite3
import statistics
import sys
import threading
import time
import zlib
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support import process  # noqa: E402
from support.keys import ADMIN_KEY, guarded_server, make_key  # noqa: E402
from test_files import SECRET, TRICKS  # noqa: E402
from test_links import make_link  # noqa: E402

UPGRADE = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
# The highest level that lacks a scope.
LACKING = {"downloads:write": "read_only", "files:write": "read_only", "cookies:manage": "read_only", "webhooks:manage": "read_only",
           "keys:manage": "download", "metrics:read": "download", "system:read": "download", "everyone": "download", "system:manage": "admin"}

# Routes whose name is for the caller to choose: another tenant's thing of that name is not in question.
MAKES_OWN = {("PUT", "/api/v1/presets/{name}")}


class Victim:
    """What belongs to one key, and must not exist for another."""

    def __init__(self, server, origin):
        self.text, self.key = make_key(server.api, name="victim")
        with server.as_key(self.text) as api:
            job = api.completed(origin.url("small.mp4"), embed_metadata=False, path_template="victim/{title}.{ext}")
            self.job, self.path = job["id"], job["file_info"]["file_path"]
            self.cookies = api.post("/api/v1/cookies", json={"cookies": "example.com\tFALSE\t/\tFALSE\t0\tn\tv\n"}).json()["cookie_id"]
            self.link = make_link(api, self.path)["id"]
        self.ids = (self.job, self.path, self.cookies, self.link, self.key["id"])

    def fill(self, route: str) -> str:
        named = self.cookies if "cookies" in route else self.link if "/links/" in route else self.key["id"] if "api-keys" in route else self.job
        return re.sub(r"\{\w+\}", named, re.sub(r"\{\w+\.\.\.\}", self.path, route))


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    with guarded_server(tmp_path_factory.mktemp("guarded"), cookies__key="a1" * 32, cors__origins="https://app.example",
                        cors__credentials="true", server__hsts_seconds=31536000) as server:
        yield server


@pytest.fixture(scope="module")
def victim(guarded, origin):
    return Victim(guarded, origin)


@pytest.fixture(scope="module")
def routes(guarded):
    found = guarded.api.get("/api/v1/admin/routes").json()["routes"]
    assert len(found) > 30
    return found


def ask(server, route, path, key=None, **more):
    """(status, headers, body) of a request as it is, upgrades included."""
    parts = urlsplit(server.url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    headers = {**({"X-API-Key": key} if key else {}), **(UPGRADE if route["websocket"] else {}), **more}
    body = None if route["method"] in ("GET", "HEAD") else b"{}"
    try:
        connection.request(route["method"], path, body=body, headers={**headers, **({"Content-Type": "application/json"} if body else {})})
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, b"" if answer.status == 101 else answer.read()
    finally:
        connection.close()


# --- A2


def test_a2_every_route_refuses_everybody_it_should(guarded, victim, routes, bars):
    expired, info = make_key(guarded.api, permission_level="full_access")
    guarded.api.put(f"/api/v1/admin/api-keys/{info['id']}", json={"expires_at": "2001-01-01T00:00:00Z"})
    revoked, info = make_key(guarded.api, permission_level="full_access")
    guarded.api.delete(f"/api/v1/admin/api-keys/{info['id']}")
    levels = {level: make_key(guarded.api, permission_level=level)[0] for level in ("read_only", "download", "admin")}
    wrong = {"none": None, "bad": "nonsense", "bad checksum": victim.text[:-1] + ("0" if victim.text[-1] != "0" else "1"),
             "another secret": make_other_secret(victim.text), "expired": expired, "revoked": revoked}
    asked, let_through, leaks = 0, [], []

    def expect(route, key, who, allowed):
        nonlocal asked
        asked += 1
        status, _, body = ask(guarded, route, victim.fill(route["path"]), key)
        if status not in allowed:
            let_through.append((route["method"], route["path"], who, status))
        return body

    for route in routes:
        if route["scope"] == "public":
            continue
        for who, key in wrong.items():
            expect(route, key, who, {401})
        if route["scope"] in LACKING:
            expect(route, levels[LACKING[route["scope"]]], "wrong scope", {403})
        if (route["method"], route["path"]) in MAKES_OWN:
            continue
        if "{" in route["path"] and route["scope"] not in ("keys:manage", "system:read", "system:manage"):
            expect(route, levels["download"], "other tenant", {404})
        elif route["method"] == "GET" and not route["websocket"]:
            body = ask(guarded, route, route["path"], levels["download"])[2].decode()
            asked += 1
            leaks += [(route["path"], one) for one in victim.ids if one in body]
    public = {(route["method"], route["path"]) for route in routes if route["scope"] == "public"}
    assert all(re.search(r"health|ready|version|bootstrap|live|docs|redoc|openapi|^/$|^/ui/", path) for _, path in public), public
    assert let_through == []
    assert leaks == []
    bars.holds("A2", "routes asked", len(routes), at_least=30)
    bars.holds("A2", "requests", asked, at_least=len(routes) * 5)
    bars.holds("A2", "let through", len(let_through), equals=0)
    bars.holds("A2", "ids of another tenant told", len(leaks), equals=0)
    # The victim still has everything.
    with guarded.as_key(victim.text) as api:
        assert api.show(victim.job)["status"] == "completed" and api.get(f"/files/{victim.path}").status_code == 200
        assert api.get("/api/v1/cookies").json()["total"] == 1 and len(api.get("/api/v1/links").json()["links"]) == 1


BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def make_other_secret(text):
    """A well-formed key of the same id, checksum included."""
    return with_checksum(text[:15] + ("A" if text[15] != "A" else "B") + text[16:58])


def with_checksum(body):
    crc, digits = zlib.crc32(body.encode()), ""
    for _ in range(6):
        crc, digit = divmod(crc, 62)
        digits = BASE62[digit] + digits
    return body + digits


# --- A3


def test_a3_no_key_is_found_where_keys_are_kept(guarded, bars):
    texts = [make_key(guarded.api, name=f"k{i}")[0] for i in range(bars.size(1000, 200))]
    with sqlite3.connect(f"file:{guarded.storage / 'trawl.db'}?mode=ro", uri=True) as database:
        dump = "\n".join(database.iterdump())
    kept = dump + "".join(path.read_bytes().decode("latin-1") for path in guarded.storage.rglob("*") if path.is_file())
    kept += guarded.out.read_text() + guarded.err.read_text()
    secrets = {text[15:58] for text in texts}
    found = sum(secret in kept for secret in secrets)
    bars.holds("A3", "keys issued", len(secrets), equals=len(texts))
    bars.holds("A3", "keys found in database, files and log", found, equals=0)


def welch_t(a, b):
    """How unlike two samples are in their means, in standard errors; the slowest tenth of both is left out, which is the scheduler's."""
    cut = statistics.quantiles(a + b, n=10)[-1]
    a, b = [x for x in a if x <= cut], [x for x in b if x <= cut]
    return (statistics.fmean(a) - statistics.fmean(b)) / (statistics.variance(a) / len(a) + statistics.variance(b) / len(b)) ** 0.5


def test_a3_the_time_of_a_refusal_does_not_tell_whether_the_prefix_exists(guarded, seeded, bars):
    """Refused keys, each well-formed: of ids that exist, and of ids that do not. One of each in every pair, in random order."""
    digits = "".join(seeded.choice(BASE62) for _ in range(43))
    known = [with_checksum(make_key(guarded.api, name=f"t{i}")[0][:15] + digits) for i in range(8)]
    unknown = [with_checksum("trawl_" + "".join(seeded.choice(BASE62) for _ in range(8)) + "_" + digits) for _ in range(8)]
    parts = urlsplit(guarded.url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    times = {True: [], False: []}

    def refused(exists):
        headers = {"X-API-Key": seeded.choice(known if exists else unknown)}
        begin = time.perf_counter_ns()
        connection.request("GET", "/api/v1/downloads", headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        times[exists].append(time.perf_counter_ns() - begin)
        assert answer.status == 401 and b'"key_invalid"' in body

    for _ in range(200):  # Statements are prepared, caches are warm.
        refused(True), refused(False)
    times = {True: [], False: []}
    for _ in range(bars.size(20_000, 4000)):
        first = seeded.random() < 0.5
        refused(first), refused(not first)
    connection.close()
    half = times[True][::2], times[True][1::2]
    print(f"the same against itself: t = {welch_t(*half):.2f}; medians {statistics.median(times[True]):.0f} and {statistics.median(times[False]):.0f} ns")
    bars.holds("A3", "Welch t of refusals, prefix known against unknown", round(abs(welch_t(times[True], times[False])), 2), at_most=4.5)


# --- A4


def hammer(targets, seconds, threads=6):
    """How many of the requests to `targets` (url, headers) passed, and for how long they were sent."""
    passed, end = [0] * threads, time.monotonic() + seconds
    begin = time.monotonic()

    def run(index):
        url, headers = targets[index % len(targets)]
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
        while time.monotonic() < end:
            connection.request("GET", parts.path, headers=headers)
            answer = connection.getresponse()
            answer.read()
            passed[index] += answer.status == 200
        connection.close()

    workers = [threading.Thread(target=run, args=(index,)) for index in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sum(passed), time.monotonic() - begin


def test_a4_one_node_admits_exactly_its_rate(server, bars):
    one = server(auth__mode="required", auth__api_key=ADMIN_KEY, log__level="warn", limits__level_full_access=0)
    one.key = ADMIN_KEY
    with one.as_key(ADMIN_KEY) as admin:
        text, _ = make_key(admin, permission_level="read_only", custom_rate_limit=300)
        passed, took = hammer([(one.url + "/api/v1/downloads", {"X-API-Key": text})], bars.size(10, 4))
        expected = 300 + 5 * took
        bars.holds("A4", "one node: admitted beside 300 + 5/s", passed / expected, at_least=0.98, at_most=1.02)

        right = []

        def wait_and_ask(key):
            with one.as_key(key) as holder:
                for _ in range(100):
                    answer = holder.get("/api/v1/downloads")
                    if answer.status_code == 429:
                        break
                limit = int(answer.headers["ratelimit-limit"])
                assert limit == 30 == int(answer.headers["x-ratelimit-limit"]) and answer.headers["ratelimit-remaining"] == "0"
                time.sleep(int(answer.headers["retry-after"]))
                right.append(holder.get("/api/v1/downloads").status_code == 200)

        keys = [make_key(admin, custom_rate_limit=30)[0] for _ in range(bars.size(100, 12))]
        for start in range(0, len(keys), 12):
            workers = [threading.Thread(target=wait_and_ask, args=(key,)) for key in keys[start:start + 12]]
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
        bars.holds("A4", "requests that pass after Retry-After", sum(right) / len(keys), at_least=0.99)


@pytest.fixture
def redis(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    child = process.start(["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", str(tmp_path), "--logfile", str(tmp_path / "redis.log")])
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            break
        except OSError:
            assert time.monotonic() < deadline and child.poll() is None, "redis-server does not start"
            time.sleep(0.02)
    yield f"redis://127.0.0.1:{port}/0"
    child.kill()
    child.wait()


def test_a4_two_nodes_admit_what_one_would(server, redis, bars):
    nodes = [server(auth__mode="optional", redis__url=redis, log__level="warn", limits__ip_per_minute=0, limits__ip_per_hour=0,
                    limits__level_anonymous=300) for _ in range(2)]
    passed, took = hammer([(node.url + "/api/v1/downloads", {}) for node in nodes], bars.size(10, 4))
    expected = 300 + 5 * took
    bars.holds("A4", "two nodes: admitted beside 300 + 5/s", passed / expected, at_least=0.95, at_most=1.05)


# --- A11


def test_a11_links_open_their_file_and_nothing_else(guarded, victim, seeded, bars, origin):
    data = origin.file("small.mp4").read_bytes()
    with guarded.as_key(victim.text) as api, guarded.as_key(None) as stranger:
        url = make_link(api, victim.path)["url"]
        parts = urlsplit(url)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        refused = tried = 0
        for name, value in query.items():
            for _ in range(bars.size(20, 5)):
                at = seeded.randrange(len(value))
                other = value[:at] + seeded.choice([c for c in "0123456789abcdef" if c != value[at]]) + value[at + 1:]
                tried += 1
                refused += stranger.get(parts._replace(query=urlencode({**query, name: other})).geturl()).status_code == 403
            tried += 1
            refused += stranger.get(parts._replace(query=urlencode({n: v for n, v in query.items() if n != name})).geturl()).status_code in (401, 403)
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            tried += 1
            refused += stranger.request(method, url).status_code in (401, 403, 405)
        gone = make_link(api, victim.path)
        api.delete(f"/api/v1/links/{gone['id']}")
        tried += 1
        refused += stranger.get(gone["url"]).status_code == 403
        for trick in TRICKS:
            for folder in (guarded.folder, guarded.storage):
                (folder / "secret.txt").write_text(SECRET)
            status, _, body = ask(guarded, {"method": "GET", "websocket": False}, f"{trick}?{parts.query}")
            tried += 1
            refused += 400 <= status < 500 and SECRET.encode() not in body
        bars.holds("A11", "wrong links, methods and paths refused", refused / tried, equals=1.0)

        right = cases = 0
        for _ in range(bars.size(50, 50)):
            first = seeded.choice([0, 1, len(data) - 1, seeded.randrange(len(data)), len(data), len(data) + 5])
            last = seeded.choice(["", str(first), str(first + seeded.randrange(5000)), str(len(data) * 2)])
            kind = seeded.choice(["from", "suffix"])
            suffix = seeded.choice([1, 7, len(data), len(data) * 3])
            asked = f"bytes={first}-{last}" if kind == "from" else f"bytes=-{suffix}"
            answer = stranger.get(url, headers={"Range": asked})
            cases += 1
            if kind == "suffix":
                right += answer.status_code == 206 and answer.content == data[-suffix:]
            elif first >= len(data):
                right += answer.status_code == 416 and answer.headers["content-range"] == f"bytes */{len(data)}"
            else:
                right += answer.status_code == 206 and answer.content == data[first:int(last) + 1 if last else None]
        bars.holds("A11", "ranges answered by RFC 9110", right / cases, equals=1.0)


# --- A12


SECURITY = {"x-content-type-options": "nosniff", "x-frame-options": "DENY", "referrer-policy": "strict-origin-when-cross-origin",
            "strict-transport-security": "max-age=31536000; includeSubDomains"}


def faults_of(headers, origin):
    found = [name for name, value in SECURITY.items() if headers.get(name) != value]
    found += [name for name in ("content-security-policy", "permissions-policy") if not headers.get(name)]
    found += [name for name in ("server", "x-powered-by") if name in headers]
    allowed = headers.get("access-control-allow-origin")
    if allowed != ("https://app.example" if origin == "https://app.example" else None) or "origin" not in headers.get("vary", "").lower():
        found.append(f"cors: {allowed}")
    if "access-control-allow-credentials" in headers and allowed != "https://app.example":
        found.append("credentials for everybody")
    return found


def test_a12_every_answer_tells_browsers_what_it_must(guarded, victim, routes, bars):
    faulty, answers = [], 0
    for route in routes:
        if route["method"] not in ("GET", "HEAD"):
            keys = (None,)  # Refused: the answer counts, not what it would do.
        else:
            keys = (None, ADMIN_KEY)
        for key in keys:
            for origin in ("https://app.example", "https://app.example.evil", "null"):
                status, headers, _ = ask(guarded, route, victim.fill(route["path"]), key, Origin=origin)
                if status == 101:
                    continue
                answers += 1
                if found := faults_of(headers, origin):
                    faulty.append((route["method"], route["path"], status, found))
    for method, path in (("GET", "/nothing"), ("PATCH", "/api/v1/downloads"), ("OPTIONS", "/api/v1/downloads"), ("GET", "/files/../x")):
        _, headers, _ = ask(guarded, {"method": method, "websocket": False}, path, Origin="https://evil.example")
        answers += 1
        if found := faults_of(headers, "https://evil.example"):
            faulty.append((method, path, found))
    with guarded.as_key(None) as page:
        preflight = page.options("/api/v1/downloads", headers={"Origin": "https://app.example", "Access-Control-Request-Method": "POST"})
        assert preflight.status_code == 204 and "POST" in preflight.headers["access-control-allow-methods"]
        assert "X-API-Key" in preflight.headers["access-control-allow-headers"]
        refused = page.options("/api/v1/downloads", headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"})
        assert "access-control-allow-methods" not in refused.headers
    file = ask(guarded, {"method": "GET", "websocket": False}, f"/files/{victim.path}", ADMIN_KEY)[1]
    assert file["content-disposition"].startswith("attachment") and "sandbox" in file["content-security-policy"]
    assert faulty == []
    bars.holds("A12", "answers looked at", answers, at_least=len(routes) * 3)
    bars.holds("A12", "answers with a fault", len(faulty), equals=0)
