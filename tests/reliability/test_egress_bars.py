"""E1 to E4: no submitted URL, and nothing a page makes of it, reaches an address of the server's own networks."""
import ipaddress
import itertools
import random
import re
import ssl
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest

from support import certificates, internet, media, server as servers, spellings
from support.api import FINAL
from support.internet import OTHER, PUBLIC, Dns, Internet, Site
from support.media import ROOT
from support.server import Server

pytestmark = pytest.mark.skipif(not internet.available(), reason="needs root, for network namespaces")

# Written down from the IANA registries again, as networks; the product's own table is not looked at.
V4 = ["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24",
      "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"]
V6 = ["2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20"]  # Of 2000::/3; the rest but NAT64 is closed anyway.
V6_CLOSED = ["::/128", "::1/128", "::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64", "2001::/32", "5f00::/16",
             "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8", "4000::/2", "1000::/4", "8000::/1"]
V4_NETWORKS = [(int(n.network_address), int(n.broadcast_address)) for n in map(ipaddress.ip_network, V4)]
V6_NETWORKS = [(int(n.network_address), int(n.broadcast_address)) for n in map(ipaddress.ip_network, V6)]
NAT64 = int(ipaddress.IPv6Address("64:ff9b::")) >> 32


def v4_is_public(number: int) -> bool:
    return not any(first <= number <= last for first, last in V4_NETWORKS)


def v6_is_public(number: int) -> bool:
    if number >> 32 == NAT64:
        return v4_is_public(number & 0xffffffff)
    if number >> 125 != 1 or any(first <= number <= last for first, last in V6_NETWORKS):
        return False
    interface = number >> 32 & 0xffffffff
    return v4_is_public(number & 0xffffffff) if interface & 0xfcffffff == 0x5efe else True


def is_public(address) -> bool:
    return v4_is_public(int(address)) if address.version == 4 else v6_is_public(int(address))


def edges(networks) -> list:
    out = []
    for network in map(ipaddress.ip_network, networks):
        first, last, kind = int(network.network_address), int(network.broadcast_address), type(network.network_address)
        out += [kind(number) for number in (first - 1, first, (first + last) // 2, last, last + 1) if 0 <= number < 1 << network.max_prefixlen]
    return out


def embeddings(number: int) -> list[ipaddress.IPv6Address]:
    low = [0, 0xffff << 32, 0xffff << 48, NAT64 << 32, 0x0064ff9b0001 << 80, 0x2606470000000000 << 64 | 0x5efe << 32, 0x2606470000000000 << 64 | 0x02005efe << 32,
           0x2606470000000000 << 64 | 0x03005efe << 32, 0xfe80 << 112 | 0x5efe << 32]
    return [ipaddress.IPv6Address(form | number) for form in low] + [
        ipaddress.IPv6Address(0x2002 << 112 | number << 80 | 1), ipaddress.IPv6Address(0x20010000 << 96 | number << 64),
        ipaddress.IPv6Address(0x20010000 << 96 | 0x08080808 << 64 | number ^ 0xffffffff)]


def anywhere(chance: random.Random) -> object:
    kind = chance.randrange(6)
    if kind <= 1:
        return ipaddress.IPv4Address(chance.getrandbits(32))
    if kind == 2:
        return ipaddress.IPv6Address(chance.getrandbits(128))
    if kind == 3:
        return ipaddress.IPv6Address(1 << 125 | chance.getrandbits(125))
    if kind == 4:
        return chance.choice(embeddings(chance.getrandbits(32)))
    first, last = chance.choice(V6_NETWORKS)
    return ipaddress.IPv6Address(chance.randint(first, last))


def verdicts(addresses: list, *flags: str) -> list[bool]:
    done = subprocess.run([str(servers.binary()), "policy", *flags, "-"], input="\n".join(map(str, addresses)) + "\n", capture_output=True, text=True, timeout=600,
                          env=servers.environment(Path("/")))
    assert done.returncode in (0, 1), done.stderr
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    assert [line[1] for line in lines] == [str(address) for address in addresses]
    assert {line[0] for line in lines} <= {"allowed", "address_not_allowed"}
    return [line[0] == "allowed" for line in lines]


def differences(addresses: list, expected: list[bool], *flags: str) -> list:
    return [(str(address), want) for address, want, found in zip(addresses, expected, verdicts(addresses, *flags)) if want != found]


def test_e1_the_judge_agrees_with_the_registries(bars):
    rows = edges(V4) + edges(V6 + V6_CLOSED) + [form for address in edges(V4) for form in embeddings(int(address))]
    found = differences(rows, [is_public(address) for address in rows])
    bars.holds("E1", "rows of the table", len(set(rows)), at_least=400)
    bars.holds("E1", "differences in the table", len(found), equals=0), found[:20]


def test_e1_the_judge_agrees_with_an_independent_one_about_random_addresses(bars, seeded):
    addresses = [anywhere(seeded) for _ in range(bars.size(1_000_000, 100_000))]
    expected = [is_public(address) for address in addresses]
    found = differences(addresses, expected)
    bars.holds("E1", "random addresses", len(addresses), at_least=bars.size(1_000_000, 100_000))
    assert 0.2 < sum(expected) / len(expected) < 0.9, "one verdict would be right for nearly all"
    bars.holds("E1", "differences about random addresses", len(found), equals=0), found[:20]


def test_e1_exceptions_open_their_networks_and_nothing_else(bars, seeded):
    opened = ["10.64.0.0/10:443", "198.18.0.0/15", "127.0.0.0/8:8000-8100", "[fd12:3456::/32]:443"]
    networks = [ipaddress.ip_network(n) for n in ("10.64.0.0/10", "198.18.0.0/15", "fd12:3456::/32")]  # On port 443.
    near = [ipaddress.IPv4Address(10 << 24 | seeded.getrandbits(24)) for _ in range(2000)] + [ipaddress.IPv4Address(198 << 24 | seeded.getrandbits(24)) for _ in range(2000)]
    near += [ipaddress.IPv6Address(0xfd123450 << 96 | seeded.getrandbits(100)) for _ in range(2000)] + edges(V4)

    def wanted(address) -> bool:
        carried = ipaddress.IPv4Address(int(address) & 0xffffffff) if address.version == 6 and int(address) >> 32 == NAT64 else address
        return is_public(address) or any(carried in network for network in networks if network.version == carried.version)
    near += [ipaddress.IPv6Address(NAT64 << 32 | int(address)) for address in near if address.version == 4]
    found = differences(near, [wanted(address) for address in near], "--policy.allow_addresses", ",".join(opened))
    bars.holds("E1", "differences with exceptions", len(found), equals=0), found[:20]


MODES = {  # What a name server that lies answers to the n-th question for an address of a name.
    "alternate": lambda n: [PUBLIC] if n % 2 == 0 else ["10.0.0.5"],
    "reverse": lambda n: ["127.0.0.1"] if n % 2 == 0 else [PUBLIC],
    "late": lambda n: [PUBLIC] if n < 2 else ["169.254.169.254"],
    "mixed": lambda n: [PUBLIC, "10.0.0.5"],
    "swapped": lambda n: ["127.0.0.1", PUBLIC],
    "cname": lambda n: ["harmless.test.", "10.0.0.5"] if n % 2 else ["harmless.test.", PUBLIC],
}
NAMES = {"origin.test": [PUBLIC], "other.test": [OTHER], "inside.test": ["127.0.0.1"], "ten.test": ["10.0.0.5"], "metadata.test": ["169.254.169.254"],
         "both.test": [PUBLIC], "alias.test": ["harmless.test.", "10.0.0.5"]}
NAMES6 = {"six.test": ["fd00::1"], "both.test": ["fd00::1"]}


class World:
    """The little Internet with a site, a name server and two servers: one that moves bytes itself, one where yt-dlp does."""

    def __init__(self, net: Internet, folder: Path):
        self.net = net
        self.asked = Counter()
        self.dns = Dns(self.net.inside, self.resolve)
        self.site = Site(self.net.outside, 80, self.answer)
        ca, certificate = folder / "ca.pem", folder / "site.pem"
        certificates.authority(ca)
        certificates.issue(ca, certificate, "DNS:*.test,DNS:origin.test,DNS:other.test")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, certificate.with_suffix(".key"))
        self.secure = Site(self.net.outside, 443, self.answer, context)
        self.spellings: list[str] = []
        self.answers = {}
        self.seen = Counter()
        self.video = (media.make() / "small.mp4").read_bytes()
        program = self.net.program(servers.binary())
        cookies = folder / "cookies.txt"
        cookies.write_text("# Netscape HTTP Cookie File\norigin.test\tFALSE\t/\tFALSE\t0\toperator\tSECRET-COOKIE\n")
        cookies.chmod(0o600)
        self.servers = {}
        for engine, native in (("native", "true"), ("delegated", "false")):
            (folder / engine).mkdir()
            options = {"policy.allow_private_networks": "false", "transfer.native": native, "download.max_retries": 0, "download.max_concurrent": 24,
                       "download.queue_max": 10_000, "webhook.attempts": 1, "transfer.ca_file": ca, "download.cookies_file": cookies, "log.level": "info"}
            self.servers[engine] = Server(folder / engine, options, program=program).start()

    def resolve(self, name: str, kind: str) -> list[str]:
        if kind == "AAAA":
            return ["fd00::1"] if name.endswith(".six-only.test") else NAMES6.get(name, [])
        mode = MODES.get(name.removesuffix(".test").rpartition(".")[2])
        if mode is None:
            return [PUBLIC] if name.endswith((".steady.test", ".six-only.test")) else NAMES.get(name, [])
        self.asked[name] += 1
        return mode(self.asked[name] - 1)

    def answer(self, request: dict):
        path = request["path"].partition("?")[0]
        self.seen[path] += 1
        kind, _, rest = path.strip("/").partition("/")
        if kind == "ok.mp4":
            return 200, {"Content-Type": "video/mp4"}, self.video
        if path in self.answers:
            return self.answers[path](request)
        number = rest.partition(".")[0].rpartition("/")[2]
        if not number.isdigit() or int(number) >= len(self.spellings):
            return 404, {}, b""
        return self.page(kind, self.spellings[int(number)], path)

    def page(self, kind: str, spelling: str, path: str):
        if kind == "redirect":
            return 302, {"Location": header(spelling)}, b""
        if kind == "moved":  # The page is a video; where it comes from has moved when it is fetched.
            return (200, {"Content-Type": "video/mp4"}, self.video) if self.seen[path] == 1 else (307, {"Location": header(spelling)}, b"")
        if kind == "hls":
            text = f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXT-X-PLAYLIST-TYPE:VOD\n#EXTINF:5,\n{line(spelling)}\n#EXT-X-ENDLIST\n"
            return 200, {"Content-Type": "application/vnd.apple.mpegurl"}, text.encode()
        if kind == "dash":
            text = f"""<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT2S"><Period duration="PT2S">
<AdaptationSet mimeType="video/mp4"><Representation id="v" bandwidth="1000" width="16" height="16" codecs="avc1.42c00a"><SegmentList duration="2">
<SegmentURL media="{escaped(spelling)}"/></SegmentList></Representation></AdaptationSet></Period></MPD>"""
            return 200, {"Content-Type": "application/dash+xml"}, text.encode()
        text = f"""<html><head><title>Page</title></head><body><video poster="{escaped(spelling)}"><source src="/ok.mp4" type="video/mp4">
<track kind="subtitles" src="{escaped(spelling)}" srclang="en" label="English"></video></body></html>"""
        return 200, {"Content-Type": "text/html; charset=utf-8"}, text.encode()

    def finish(self, engine: str, jobs: list[str], within: float = 300) -> list[dict]:
        api = self.servers[engine].api
        return [api.until(job, lambda body: body["status"] in FINAL, within) for job in jobs]

    def hits(self) -> list:
        """Connections that should not have been: to the server's own networks, or outside to what is no public address."""
        return [*self.net.canary.visits, *(text for site in (self.site, self.secure) for text in site.reached if not is_public(ipaddress.ip_address(text)))]

    def close(self) -> None:
        problems = []
        for server in self.servers.values():
            try:
                server.close()
            except AssertionError as problem:
                problems.append(str(problem))
        self.site.close()
        self.secure.close()
        self.dns.close()
        assert not problems, "\n".join(problems)


def header(text: str) -> str:
    return text.strip("\r\n").replace("\r", "").replace("\n", "\t")


def line(text: str) -> str:
    return text.replace("\r", "").replace("\n", "\t")


def escaped(text: str) -> str:
    clean = text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    return "".join(ch if ord(ch) >= 32 or ch in "\t\r\n" else "" for ch in clean)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    net = Internet(folder)
    try:
        with net.inside.entered():  # The tests too are inside, to speak with the servers.
            made = World(net, folder)
            yield made
            made.close()
    finally:
        net.close()


ENGINES = ("native", "delegated")
# What a job may end with when a spelling in its page was refused, or led nowhere at all.
REFUSED = {"address_not_allowed", "port_not_allowed", "domain_not_allowed", "scheme_not_allowed", "invalid_url", "redirect_not_allowed", "unsupported_url"}

# Those that every reader takes for an internal address; others may be a name, or a path on the site itself.
PLAIN = {f"http://{host}/video.mp4" for address in ("127.0.0.1", "10.0.0.5", "169.254.169.254") for host in spellings.of_v4(address)[:15]} | {
    "http://[::1]/video.mp4", "http://[fd00::1]/video.mp4", "http://inside.test/video.mp4", "http://six.test/video.mp4", "http://both.test/video.mp4"}

# And what comes of those that are a path on the site itself, or that no reader takes for a URL: any reason that the page on
# reasons names, but that for a fault of our own.
REASONS = (ROOT / "docs/engine-protocol.md").read_text().partition("## Reasons")[2].splitlines()
ELSEWHERE = {None, "not_found"} | {reason for row in REASONS for reason in re.findall(r"`(\w+)`", row.partition(" | ")[0])} - {"engine_error"}


def test_e2_the_pages_themselves_can_be_downloaded(world):
    """Without this, everything below could hold because nothing works."""
    for engine in ENGINES:
        body = world.servers[engine].api.completed("http://origin.test/ok.mp4", embed_metadata=False)
        assert body["file_info"]["size_bytes"] > 0
        assert body["network"]["proxy_received_bytes"] > 0 and body["network"]["proxy_connections"] > 0
        assert (body["network"]["native_bytes"] == len(world.video)) == (engine == "native")
    assert PUBLIC in world.site.reached


def test_e2_no_spelling_is_accepted_at_submission(world, bars):
    chosen = spellings.all_of_them()
    for engine in ENGINES:
        for spelling in chosen:
            response = world.servers[engine].api.post("/api/v1/downloads", json={"url": spelling})
            body = response.json()
            if "origin.test/" in spelling and response.status_code == 202:
                continue  # It names the public host after all.
            assert response.status_code in (403, 422), (spelling, body)
            assert body["error_code"] in REFUSED | {"validation_error", "invalid_request", "invalid"}, (spelling, body["error_code"])
    bars.holds("E2", "spellings", len(chosen), at_least=150)
    bars.holds("E2", "canary connections after submissions", len(world.hits()), equals=0), world.hits()


@pytest.mark.parametrize("engine", ENGINES)
def test_e2_no_spelling_gets_in_by_what_a_page_says(world, bars, seeded, engine):
    world.spellings = spellings.all_of_them()
    count = bars.size(len(world.spellings))
    jobs = {}
    api = world.servers[engine].api
    for way, ending, options in (("redirect", "", {}), ("moved", ".mp4", {}), ("hls", ".m3u8", {}), ("dash", ".mpd", {}),
                                 ("watch", ".html", {"write_thumbnail": True, "download_subtitles": True})):
        # A manifest of either kind for each spelling is enough.
        numbers = sorted(seeded.sample(range(len(world.spellings)), count))
        numbers = [n for n in numbers if way not in ("hls", "dash") or n % 2 == (way == "dash")]
        for n in numbers:
            jobs[way, n] = api.submit(f"http://origin.test/{way}/{engine}/{n}{ending}", embed_metadata=False, **options)["job_id"]
    ended = dict(zip(jobs, world.finish(engine, list(jobs.values()))))
    codes = Counter()
    for (way, n), body in ended.items():
        spelling = world.spellings[n]
        codes[way, body["error_code"]] += 1
        assert body["error_code"] in REFUSED | ELSEWHERE, (way, spelling, body["error_code"], body["error"])
        if way == "watch":  # The video is there; what was refused is left out, and in the log.
            assert not any(artifact["kind"] in ("thumbnail", "subtitle") for artifact in body["artifacts"]), (spelling, body["artifacts"])
        elif spelling in PLAIN:
            assert body["error_code"] in REFUSED, (way, spelling, body["status"], body["error_code"], body["error"])
    print(engine, dict(codes))
    # Which spellings are drawn decides how many of them lead nowhere at all: about a sixth, with a wide spread.
    assert sum(n for (_, code), n in codes.items() if code in REFUSED) > 0.7 * len(ended)
    bars.holds("E2", f"checks by pages, {engine}", len(ended), at_least=bars.size(700))
    bars.holds("E2", f"canary connections by pages, {engine}", len(world.hits()), equals=0), world.hits()


def test_e2_a_refused_thumbnail_is_in_the_log_with_its_code(world):
    world.spellings = ["http://10.0.0.5/x.jpg"]
    body = world.servers["delegated"].api.completed("http://origin.test/watch/log/0.html", embed_metadata=False, write_thumbnail=True)
    assert "refused (address_not_allowed)" in world.servers["delegated"].api.log_text(body["job_id"])


def test_e2_no_spelling_gets_in_as_the_address_of_a_webhook(world, bars):
    api = world.servers["native"].api

    def post(url: str):
        return api.post("/api/v1/webhooks/test", json={"url": url})

    assert post("http://origin.test/hook/works").status_code == 202
    accepted = 0
    chosen = spellings.all_of_them()
    for spelling in chosen:
        response = post(spelling)
        assert response.status_code in (202, 400, 403, 422), (spelling, response.text)
        assert response.status_code == 202 or response.json()["error_code"], spelling
        accepted += response.status_code == 202
    deadline = time.monotonic() + 120
    while api.get("/api/v1/webhooks/deliveries", params={"status": "pending"}).json()["total"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert any(request["path"] == "/hook/works" and request["method"] == "POST" for request in world.site.requests), "no webhook was ever sent"
    print(f"{accepted} of {len(chosen)} were judged when they were to be sent")
    bars.holds("E2", "spellings as webhooks", len(chosen), at_least=150)
    bars.holds("E2", "canary connections of webhooks", len(world.hits()), equals=0), world.hits()


@pytest.mark.parametrize("engine", ENGINES)
def test_e4_over_tls_the_same_is_judged(world, bars, engine):
    api = world.servers[engine].api
    assert api.completed("https://origin.test/ok.mp4", embed_metadata=False)["file_info"]["size_bytes"] == len(world.video)
    assert world.secure.requests
    targets = {"inside": "https://10.0.0.5/x.mp4", "name": "https://inside.test/x.mp4", "plain": "http://169.254.169.254/x.mp4", "six": "https://[fd00::1]/x.mp4"}
    jobs = {}
    for name, target in targets.items():
        path = f"/tls/{engine}/{name}.mp4"
        world.answers[path] = lambda request, target=target: (302, {"Location": target}, b"")
        jobs[name] = api.submit(f"https://origin.test{path}", embed_metadata=False)["job_id"]
    wrong = {name: (body["status"], body["error_code"]) for name, job in jobs.items() for body in world.finish(engine, [job]) if body["error_code"] not in REFUSED}
    assert not wrong, wrong
    # Whose name is not in the certificate is not believed, though its address is a public one.
    (body,) = world.finish(engine, [api.submit("https://both-are.steady.test/ok.mp4", embed_metadata=False)["job_id"]])
    assert body["status"] == "failed" and body["error_code"] in ("certificate_invalid", "tls_error"), body
    bars.holds("E4", f"canary connections over TLS, {engine}", len(world.hits()), equals=0), world.hits()


def test_e3_a_name_that_changes_its_mind_reaches_nothing_inside(world, bars, seeded):
    modes = [*MODES, "six-only"]
    api = world.servers["native"].api
    accepted, refused = {}, Counter()
    for n in range(bars.size(1000, 120)):
        mode = modes[n % len(modes)]
        response = api.post("/api/v1/downloads", json={"url": f"http://n{n}.{seeded.getrandbits(24)}.{mode}.test/ok.mp4", "embed_metadata": False})
        if response.status_code == 202:
            accepted[mode, n] = response.json()["job_id"]
        else:
            assert (response.status_code, response.json()["error_code"]) == (403, "address_not_allowed"), response.text
            refused[mode] += 1
    ended = dict(zip(accepted, world.finish("native", list(accepted.values()))))
    for (mode, _), body in ended.items():
        assert body["status"] == "failed" and body["error_code"] == "address_not_allowed", (mode, body["status"], body["error_code"])
    assert not any(mode in ("mixed", "swapped", "reverse", "six-only") for mode, _ in ended), "a mixed answer was accepted"
    assert len(ended) >= 30 and sum(refused.values()) >= 30
    world.servers["native"].api.completed("http://a.steady.test/ok.mp4", embed_metadata=False)
    bars.holds("E3", "fetches", len(ended) + sum(refused.values()), at_least=bars.size(1000, 120))
    bars.holds("E3", "canary connections", len(world.hits()), equals=0), world.hits()


SECRETS = ("SECRET-COOKIE", "SECRET-SESSION", "SECRET-PASSWORD", "U0VDUkVU", "dXNlcjpTRUNSRVQtUEFTU1dPUkQ=")


def test_e4_redirects_are_judged_at_every_hop_and_take_no_credentials_along(world, bars):
    targets = {"file": "file:///etc/passwd", "gopher": "gopher://10.0.0.5:80/_x", "data": "data:video/mp4;base64,AAAA", "ftp": "ftp://10.0.0.5:80/x.mp4",
               "internal": "http://10.0.0.5/x.mp4", "metadata": "http://169.254.169.254/", "name": "http://inside.test/", "other": "http://other.test/theirs.mp4"}
    statuses = (301, 302, 303, 307, 308)
    cases = list(itertools.product(statuses, targets, ("page", "media"), ENGINES))
    if bars.size(4) == 1:
        cases = [case for n, case in enumerate(cases) if n % 4 == (n // 16) % 4]
    world.answers["/theirs.mp4"] = lambda request: (200, {"Content-Type": "video/mp4"}, world.video)
    world.answers["/protected.mp4"] = lambda request: (302, {"Location": "http://other.test/theirs.mp4", "Set-Cookie": "session=SECRET-SESSION"}, b"")
    jobs = {}
    for status, name, level, engine in cases:
        path = f"/hop/{engine}/{level}/{status}/{name}.mp4"
        first = (200, {"Content-Type": "video/mp4", "Set-Cookie": "session=SECRET-SESSION"}, world.video)
        moved = (status, {"Location": targets[name], "Set-Cookie": "session=SECRET-SESSION"}, b"")
        world.answers[path] = lambda request, p=path, first=first, moved=moved, level=level: first if level == "media" and world.seen[p] == 1 else moved
        jobs[status, name, level, engine] = world.servers[engine].api.submit(f"http://origin.test{path}", embed_metadata=False)["job_id"]
    for engine in ENGINES:
        for length in (9, 12):
            for hop in range(length):
                path = f"/long/{engine}/{length}/{hop}.mp4"
                after = f"/long/{engine}/{length}/{hop + 1}.mp4" if hop + 1 < length else "/ok.mp4"
                world.answers[path] = lambda request, after=after: (302, {"Location": after}, b"")
            jobs[302, f"{length} hops", "page", engine] = world.servers[engine].api.submit(f"http://origin.test/long/{engine}/{length}/0.mp4", embed_metadata=False)["job_id"]
        # A page that names a password for its own media, which then move to another origin.
        world.answers[f"/login/{engine}.html"] = lambda request: (200, {"Content-Type": "text/html"}, b"""<html><head><title>P</title></head><body>
<video><source src="http://user:SECRET-PASSWORD@origin.test/protected.mp4" type="video/mp4"></video></body></html>""")
        jobs[302, "login", "page", engine] = world.servers[engine].api.submit(f"http://origin.test/login/{engine}.html", embed_metadata=False)["job_id"]

    wrong = []
    for (status, name, level, engine), job in jobs.items():
        (body,) = world.finish(engine, [job])
        went = name in ("other", "login", "9 hops")
        if (body["status"] == "completed") != went:
            wrong.append((status, name, level, engine, body["status"], body["error_code"], body["error"]))
        elif not went and not (name in ("data", "12 hops") or body["error_code"] in REFUSED):
            wrong.append((status, name, level, engine, body["error_code"], body["error"]))
    assert not wrong, wrong
    at_other = [request for request in world.site.requests[:] if request["host"].startswith("other.test")]
    assert at_other
    leaked = [request for request in at_other if any(secret in str(request["headers"]) for secret in SECRETS) or "Authorization" in request["headers"]]
    at_origin = [request for request in world.site.requests if request["host"].startswith("origin.test") and "SECRET-COOKIE" in str(request["headers"])]
    assert at_origin, "the operator's cookie was never sent, so its absence elsewhere says nothing"
    assert any(request["path"].startswith("/protected") and "Authorization" in request["headers"] for request in world.site.requests)
    bars.holds("E4", "redirects", len(jobs), at_least=bars.size(160, 40))
    bars.holds("E4", "requests to another origin with credentials", len(leaked), equals=0), leaked[:3]
    bars.holds("E4", "canary connections", len(world.hits()), equals=0), world.hits()
