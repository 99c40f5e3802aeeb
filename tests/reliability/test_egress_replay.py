"""E7: what has gone wrong in yt-dlp before, played again by a site that means harm."""
import json
import os
import stat
from pathlib import Path
from urllib.parse import quote, unquote

import pytest

from support import internet, media, server as servers
from support.api import FINAL
from support.internet import OTHER, PUBLIC, Dns, Internet, Site
from support.server import Server

pytestmark = pytest.mark.skipif(not internet.available(), reason="needs root, for network namespaces")

HARMLESS = {"mp4", "m4a", "webm", "mkv", "mov", "mp3", "jpg", "jpeg", "png", "webp", "gif", "vtt", "srt", "ass", "lrc", "json"}
# Programs that some option of yt-dlp would start. On the server's PATH they are traps.
TRAPS = ("aria2c", "curl", "wget", "axel", "httpie", "mplayer", "mpv", "rtmpdump", "phantomjs", "sh", "bash", "id", "touch", "xdg-open")
TITLES = ["../../x", "/etc/cron.d/x", "$(touch effect)", "`touch effect`", "; touch effect #", "a\nb\n--exec touch effect", "%(title)s %(id)s %()s", "-o effect", "--exec=touch effect",
          "é" * 150 + "\U0001f600" * 30, "CON", ".", "..", "a\u0000b".replace("\u0000", "&#0;"), "x.desktop", "\u202egpj.exe", "<script>alert(1)</script>", "%2e%2e%2fx", "\\..\\..\\x", "~root"]
EXTENSIONS = ["exe", "sh", "desktop", "url", "webloc", "lnk", "bat", "cmd", "ps1", "scf", "py", "html", "hta", "jar", "dll", "so", "php", "mp4.exe", "EXE", "mp4%00.sh", "conf"]
PAYLOADS = {"script": b"#!/bin/sh\ntouch effect\n", "program": b"MZ" + bytes(4096), "elf": b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00\x3e\x00\x01" + bytes(4096),
            "shortcut": b"[Desktop Entry]\nType=Application\nExec=touch effect\n", "internet-shortcut": b"[InternetShortcut]\r\nURL=file:///etc/passwd\r\n",
            "page": b"<!DOCTYPE html><html><script>alert(1)</script></html>", "archive": b"PK\x03\x04" + bytes(4096)}
SMUGGLED = "#__youtubedl_smuggle=" + quote(json.dumps({"http_headers": {"Ytdl-request-proxy": "http://10.0.0.5:80"}, "to_generic": True}))
NO_URLS = ["-o", "--exec", "--exec=touch effect", "--exec touch effect http://origin.test/", "-", "--", "--config-locations=/etc/passwd", "ytsearch:x", "-U", "--netrc-cmd=touch effect",
           "file:///etc/passwd", "@/etc/passwd", "http://origin.test/" + SMUGGLED, "http://origin.test/ok.mp4#%5F%5Fyoutubedl_smuggle=%7B%7D", "http://origin.test/\n--exec touch effect"]


class HarmfulSite:
    def __init__(self):
        self.video = (media.make() / "small.mp4").read_bytes()
        self.subtitle = b"WEBVTT\n\n00:00.000 --> 00:01.000\nHello\n"
        self.pages: dict[str, bytes] = {}

    def answer(self, request: dict):
        path = unquote(request["path"].partition("?")[0])
        if path in self.pages:
            return 200, {"Content-Type": "text/html; charset=utf-8", "Set-Cookie": "session=SECRET-SESSION"}, self.pages[path]
        if path.startswith("/away"):
            return 302, {"Location": "http://other.test/ok.mp4", "Set-Cookie": "session=SECRET-SESSION"}, b""
        kind, _, rest = path.strip("/").partition("/")
        if kind == "payload":
            return 200, {"Content-Type": "video/mp4"}, PAYLOADS[rest.partition(".")[0]]
        if kind == "hls":  # Segments whose addresses would be options, or lines of an input file, for a downloader.
            names = ["ok.mp4\n out=effect", "ok.mp4%0a  out=../../effect", "-o effect", "http://origin.test/ok.mp4\tout=effect"]
            return 200, {"Content-Type": "application/vnd.apple.mpegurl"}, ("#EXTM3U\n#EXT-X-TARGETDURATION:5\n" + "".join(
                f"#EXTINF:5,\n{name}\n" for name in names) + "#EXT-X-ENDLIST\n").encode()
        if path.endswith((".vtt", ".sh", ".srt", ".desktop")) and kind == "subtitle":
            return 200, {"Content-Type": "text/vtt"}, self.subtitle
        return 200, {"Content-Type": "video/mp4"}, self.video

    def page(self, name: str, title: str = "Page", source: str = "/ok.mp4", poster: str = "", track: str = "") -> str:
        poster, track = poster and f'poster="{poster}"', track and f'<track kind="subtitles" src="{track}" srclang="en">'
        self.pages[f"/page/{name}.html"] = f"""<html><head><title>{title}</title><meta property="og:title" content="{title}"></head>
<body><video {poster}><source src="{source}" type="video/mp4">{track}</video></body></html>""".encode()
        return f"http://origin.test/page/{name}.html"


class Replay:
    def __init__(self, net: Internet, folder: Path):
        self.net, self.folder, self.harm = net, folder, HarmfulSite()
        names = {"origin.test": [PUBLIC], "other.test": [OTHER]}
        self.dns = Dns(net.inside, lambda name, kind: names.get(name, []) if kind == "A" else [])
        self.site = Site(net.outside, 80, self.harm.answer)
        self.effects = folder / "effects"
        self.effects.mkdir()
        traps = folder / "traps"
        traps.mkdir()
        for name in TRAPS:
            trap = traps / name
            trap.write_text(f'#!/usr/bin/env -S /usr/bin/python3\nopen("{self.effects}/{name}", "w").close()\n')
            trap.chmod(0o755)
        os.chmod(self.effects, 0o777)
        self.servers = {}
        for engine, native in (("native", "true"), ("delegated", "false")):
            home = folder / engine
            home.mkdir()
            netrc = home / ".netrc"
            netrc.write_text("default login operator password SECRET-NETRC\n")
            netrc.chmod(0o600)
            (home / "yt-dlp.conf").write_text(f"--exec 'touch {self.effects}/config'\n")
            options = {"policy.allow_private_networks": "false", "transfer.native": native, "download.max_retries": 0, "download.max_concurrent": 16, "log.level": "info"}
            self.servers[engine] = Server(home, options, program=net.program(servers.binary()),
                                          env={"PATH": f"{traps}:{os.environ['PATH']}", "HOME": str(home)}).start()
        self.before = self.listing()

    def listing(self) -> set[str]:
        """Every file but the ones that belong to the servers' own work."""
        own = {engine: self.servers[engine].storage for engine in self.servers}
        found = set()
        for root, folders, names in os.walk(self.folder):
            folders[:] = [name for name in folders if Path(root, name) not in own.values()]
            found |= {str(Path(root, name)) for name in names if not name.startswith(("out.", "err."))}
        return found

    def stored(self) -> list[Path]:
        return [path for server in self.servers.values() for path in (server.storage / "content").rglob("*") if path.is_file()]

    def close(self) -> None:
        problems = []
        for server in self.servers.values():
            try:
                server.close()
            except AssertionError as problem:
                problems.append(str(problem))
        self.site.close()
        self.dns.close()
        assert not problems, "\n".join(problems)


@pytest.fixture(scope="module")
def replay(tmp_path_factory):
    folder = tmp_path_factory.mktemp("replay")
    (folder / "net").mkdir()
    net = Internet(folder / "net")
    try:
        with net.inside.entered():
            made = Replay(net, folder)
            yield made
            made.close()
    finally:
        net.close()


def test_e7_what_is_no_address_is_never_taken_for_an_option(replay, bars):
    for server in replay.servers.values():
        for text in NO_URLS:
            response = server.api.post("/api/v1/downloads", json={"url": text})
            assert response.status_code in (403, 422), (text, response.text)
            assert response.json()["error_code"], text
        for field in ("exec", "params", "ytdlp_options", "external_downloader", "netrc", "netrc_cmd", "cookiesfrombrowser", "outtmpl", "plugin_dirs", "writelink"):
            response = server.api.post("/api/v1/downloads", json={"url": "http://origin.test/ok.mp4", field: "touch effect"})
            assert response.status_code == 422, (field, response.text)
        for selector in ("--exec touch effect", "-f best", "best;touch effect", "best`touch effect`", "best|touch"):
            response = server.api.post("/api/v1/downloads", json={"url": "http://origin.test/ok.mp4", "custom_format": selector})
            assert response.status_code == 422, (selector, response.text)
    bars.holds("E7", "addresses taken for options", len(list(replay.effects.iterdir())), equals=0)


def harmful_pages(harm: HarmfulSite) -> dict[str, str]:
    urls = {f"title {n}": harm.page(f"title{n}", title=title.replace('"', "&quot;")) for n, title in enumerate(TITLES)}
    urls |= {f"extension {n}": f"http://origin.test/media/{n}.{extension}" for n, extension in enumerate(EXTENSIONS)}
    urls |= {f"source {n}": harm.page(f"source{n}", source=f"/media/{n}.{extension}") for n, extension in enumerate(EXTENSIONS)}
    urls |= {f"poster and track {n}": harm.page(f"both{n}", poster=f"/media/p.{extension}", track=f"/subtitle/t.{extension}") for n, extension in enumerate(EXTENSIONS)}
    urls |= {f"payload {name}": f"http://origin.test/payload/{name}.mp4" for name in PAYLOADS}
    urls |= {f"poster payload {name}": harm.page(f"poster-{name}", poster=f"/payload/{name}.jpg", track=f"/payload/{name}.vtt") for name in PAYLOADS}
    urls["smuggled source"] = harm.page("smuggled", source=f"http://origin.test/ok.mp4{SMUGGLED}")
    urls["smuggled frame"] = "http://origin.test/page/frame.html"
    harm.pages["/page/frame.html"] = f'<html><head><title>F</title></head><body><iframe src="http://origin.test/page/title0.html{SMUGGLED}"></iframe></body></html>'.encode()
    urls["away"] = "http://origin.test/away.mp4"
    urls["hls"] = "http://origin.test/hls/list.m3u8"
    for scheme in ("rtmp", "rtsp", "mms", "ftp", "file"):
        urls[f"scheme {scheme}"] = harm.page(f"scheme-{scheme}", source=f"{scheme}://10.0.0.5:80/x.mp4")
    return urls


def test_e7_nothing_a_site_says_has_an_effect_outside_the_job(replay, bars, seeded):
    urls = harmful_pages(replay.harm)
    some = sorted(name for name in urls if not name.startswith("payload"))
    picked = seeded.sample(some, len(urls) // 4)
    chosen = urls if bars.size(4) == 4 else {name: url for name, url in urls.items() if name in picked or name not in some}
    options = {"write_thumbnail": True, "download_subtitles": True, "write_info_json": True, "path_template": "{uploader}/{title}-{id}.{ext}"}
    jobs = {(name, engine): server.api.submit(url, **options)["job_id"] for name, url in chosen.items() for engine, server in replay.servers.items()}
    completed = 0
    for (name, engine), job in jobs.items():
        body = replay.servers[engine].api.until(job, lambda body: body["status"] in FINAL, 240)
        completed += body["status"] == "completed"
        assert body["status"] == "completed" or body["error_code"], (name, body)
        assert name.partition(" ")[0] != "payload" or body["status"] == "failed", (name, engine, body["artifacts"])
        assert not name.startswith("scheme") or body["error_code"] not in (None, "engine_error"), (name, body)
        for artifact in body["artifacts"]:
            extension = artifact["filename"].rpartition(".")[2]
            assert extension in HARMLESS, (name, engine, artifact["filename"])
            assert ".." not in artifact["file_path"].split("/") and not artifact["file_path"].startswith("/"), (name, artifact)
            assert len(artifact["filename"].encode()) <= 255 and artifact["filename"].isprintable(), (name, artifact)
    files = replay.stored()
    assert files and completed, "nothing was downloaded at all"
    odd = [path for path in files if path.suffix[1:] not in HARMLESS or path.stat().st_mode & (stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH) or path.is_symlink()]
    programs = [path for path in files if path.read_bytes()[:4] in (b"MZ\0\0", b"\x7fELF", b"PK\x03\x04", b"#!/b", b"[Des", b"[Int")]
    leaked = [request for request in replay.site.requests if "SECRET-NETRC" in str(request) or (request["host"].startswith("other.test") and "SECRET" in str(request))]
    effects = sorted(path.name for path in replay.effects.iterdir())
    strays = sorted(replay.listing() - replay.before)
    bars.holds("E7", "pages played", len(jobs), at_least=bars.size(150))
    bars.holds("E7", "effects outside the job's folder", len(effects) + len(strays), equals=0), (effects, strays)
    bars.holds("E7", "files with another extension, a program's mode or a program inside", len(odd) + len(programs), equals=0), (odd, programs)
    bars.holds("E7", "credentials sent elsewhere", len(leaked), equals=0), leaked
    bars.holds("E7", "canary connections", len(replay.net.canary.visits), equals=0), replay.net.canary.visits
