"""The sandbox around real downloads: what the server says of it, and what an extractor in it can do."""
import ctypes
import http.server
import json
import os
import struct
import sys
import threading
import time
from pathlib import Path

import pytest

from support import process
from support.server import binary

# An extractor in the hands of a site: it does what the address says, and says what it got.
PLUGIN = '''
import ctypes, json, os, socket, subprocess
from yt_dlp.extractor.common import InfoExtractor
from yt_dlp.utils import ExtractorError

def tried(action):
    try:
        return str(action())
    except BaseException as error:
        return f'refused {type(error).__name__} {getattr(error, "errno", "")}'

class TrawlTestIE(InfoExtractor):
    _VALID_URL = r'http://127\\.0\\.0\\.1:\\d+/plugin/(?P<id>\\w+)'

    def _real_extract(self, url):
        facts = json.loads(self._download_webpage(url, 'facts'))
        raise ExtractorError('GOT ' + json.dumps(getattr(self, self._match_id(url))(facts)), expected=True)

    def escape(self, facts):
        def connect(port):
            with socket.create_connection(('127.0.0.1', port), timeout=3):
                return 'connected'
        def lone(code):
            return subprocess.run(['/usr/bin/python3', '-c', code], capture_output=True, text=True, timeout=20).stdout.strip() or 'refused'
        return {
            'origin': tried(lambda: connect(facts['origin'])),
            'server': tried(lambda: connect(facts['server'])),
            'database': tried(lambda: open(facts['database'], 'rb').read(16)),
            'write': tried(lambda: open(facts['database'], 'r+b')),
            'other': tried(lambda: os.listdir(facts['staging'])),
            'passwd': tried(lambda: open('/etc/passwd').read()[:10]),
            'environ': tried(lambda: open(f'/proc/{os.getppid()}/environ').read()[:10]),
            'kill server': tried(lambda: os.kill(facts['pid'], 0)),
            'kill host': tried(lambda: os.kill(os.getppid(), 0)),
            'udp': tried(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)),
            'grandchild': lone('import socket; socket.create_connection(("127.0.0.1", %d)); print("connected")' % facts['origin']),
            'symlink': tried(lambda: os.symlink(facts['database'], 'media.mp4')),
            'hardlink': tried(lambda: os.link(facts['database'], 'media.mp4')),
        }

    def state(self, facts):
        return {'uid': os.getuid(), 'gid': os.getgid(), 'groups': os.getgroups(), 'no_new_privs': ctypes.CDLL(None).prctl(39, 0, 0, 0, 0),
                'files': sorted(os.listdir('.')), 'environ': sorted(os.environ), 'group': os.getpgrp() == os.getpid(),
                'descriptors': [fd for fd in range(3, 64) if opened(fd)]}

def opened(fd):
    try:
        os.fstat(fd)
        return True
    except OSError:
        return False
'''


@pytest.fixture
def plugged(server, tmp_path):
    folder = tmp_path / "plugins/rude/yt_dlp_plugins/extractor"
    folder.mkdir(parents=True)
    (folder / "trawltest.py").write_text(PLUGIN)
    facts = {}

    class Site(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(facts).encode())

        def log_message(self, *_):
            pass

    site = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=site.serve_forever, daemon=True).start()
    running = server(engine__plugin_dirs=tmp_path / "plugins")
    facts.update(origin=site.server_port, server=int(running.url.rsplit(":", 1)[1]), pid=running.child.pid,
                 database=str(running.storage / "trawl.db"), staging=str(running.storage / "staging"))

    def ask(what):
        job = running.api.failed(f"http://127.0.0.1:{site.server_port}/plugin/{what}")
        text = running.api.log_text(job["id"])
        assert "GOT " in text, f"{job}\n{text}"
        return json.JSONDecoder().raw_decode(text[text.index("GOT ") + 4:])[0]

    yield ask
    site.shutdown()
    site.server_close()


def test_e6_an_extractor_reaches_nothing_but_its_folder_and_the_proxy(plugged, bars):
    got = plugged("escape")
    through = {name: result for name, result in got.items() if not result.startswith("refused")}
    assert through == {}
    bars.holds("E6", "ways out of a real job tried", len(got), at_least=13)


def test_e6_a_child_has_no_rights_and_nothing_of_the_server(plugged):
    state = plugged("state")
    assert state["no_new_privs"] == 1 and state["group"]
    assert state["environ"] == ["HOME", "LANG", "PATH", "TMPDIR"]
    assert state["descriptors"] == [3], "the channel and nothing else"
    if os.geteuid() == 0:
        assert state["uid"] == state["gid"] and state["groups"] == []
        # The first of a range of 256; other servers on this machine may have those before it.
        assert state["uid"] >= 59_000 and (state["uid"] - 59_000) % 256 == 0


def test_e6_what_the_server_says_of_the_sandbox(server):
    running = server()
    found = health(running)
    assert found["checks"]["sandbox"]["tier"] in ("A", "A-", "B") and found["checks"]["sandbox"]["status"] == "healthy"
    assert '"the sandbox of downloads"' in running.out.read_text() + running.err.read_text()


def health(running):
    deadline = time.monotonic() + 30
    while True:
        found = running.api.get("/api/v1/health").json()
        if found["checks"]["ytdlp"]["version"]:
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.05)


def test_e6_files_of_a_private_user_are_the_servers_once_stored(server, origin):
    running = server()
    running.api.completed(origin.url("page.html"), write_thumbnail=True, download_subtitles=True)
    stored = [path for path in (running.storage / "content").rglob("*") if path.is_file()]
    assert len(stored) >= 3
    assert {path.stat().st_uid for path in stored} == {os.geteuid()}


# --- Machines that cannot


def without_landlock(program: Path, folder: Path) -> Path:
    """The program on a kernel that has no Landlock: every question for it is answered with ENOSYS."""
    wrapper = folder / "old-kernel"
    wrapper.write_text(f"#!/usr/bin/python3\nimport sys\nsys.path.insert(0, {str(Path(__file__).resolve().parents[1])!r})\n"
                       f"from reliability.test_sandbox_jobs import forget_landlock\nimport os\nforget_landlock()\n"
                       f"os.execv({str(program)!r}, [{str(program)!r}, *sys.argv[1:]])\n")
    wrapper.chmod(0o755)
    return wrapper


def forget_landlock():
    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_char_p)]
    code = b"".join(struct.pack("HBBI", *part) for part in (
        (0x20, 0, 0, 0), (0x35, 0, 2, 444), (0x25, 1, 0, 446), (0x06, 0, 0, 0x00050000 | 38), (0x06, 0, 0, 0x7FFF0000)))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(38, 1, 0, 0, 0)
    if libc.prctl(22, 2, ctypes.byref(Program(5, code))) != 0:
        sys.exit("no filter")


def test_e6_without_landlock_the_server_does_not_start_and_says_why(server, tmp_path):
    folder = tmp_path / "refused"
    folder.mkdir()
    one = server(start=False, program=without_landlock(binary(), folder))
    done = process.start([str(part) for part in (one.program, "serve", *(piece for name, value in one.options.items() for piece in (f"--{name}", value)))],
                         cwd=one.folder, stdout=one.out.open("wb"), stderr=one.err.open("wb"))
    assert done.wait(60) == 2
    said = one.err.read_text()
    assert "Landlock" in said and "sandbox.required" in said, said


def test_e6_sandbox_required_off_starts_without_what_is_missing(server, origin, tmp_path):
    one = server(program=without_landlock(binary(), tmp_path), sandbox__required="false")
    found = health(one)
    assert found["checks"]["sandbox"]["tier"] == "none" and found["status"] == "degraded"
    assert one.api.completed(origin.url("small.mp4"))
