"""Fixtures of the black-box tests: a real origin, real media, the real binary."""
import json
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from support import media, process  # noqa: E402
from support.login_origin import LoginOrigin  # noqa: E402
from support.origin import Origin  # noqa: E402
from support.radosgw import ACCESS, REGION, SECRET, Radosgw  # noqa: E402
from support.s3 import S3  # noqa: E402
from support.segments import Segments  # noqa: E402
from support.server import Server, close_all  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def _adopt_orphans():
    process.adopt_orphans()


@pytest.fixture(scope="session")
def origin(tmp_path_factory):
    origin = Origin(media.make(), tmp_path_factory.mktemp("origin"))
    yield origin
    origin.stop()


@pytest.fixture(scope="session")
def page(origin):
    """What yt-dlp itself says of page.html: its title and id ("... (1)" and "page-1" in some versions)."""
    done = subprocess.run(["/usr/bin/yt-dlp", "--ignore-config", "--no-cache-dir", "-J", origin.url("page.html")], capture_output=True, check=True, timeout=60)
    info = json.loads(done.stdout)
    return info["entries"][0] if info.get("_type") == "playlist" else info


@pytest.fixture
def server(tmp_path):
    """Makes servers: `server(option=value)` gives a started one over its own folder.

    Options are written with two underscores for the dot: server(download__max_concurrent=1). Each is
    stopped when the test ends and must then exit with 0, with no sanitizer report and no process left.
    """
    made = []

    def make(start=True, env=None, program=None, **options):
        folder = tmp_path / f"server{len(made)}"
        folder.mkdir()
        made.append(Server(folder, {name.replace("__", "."): value for name, value in options.items()}, env, program))
        return made[-1].start() if start else made[-1]

    yield make
    close_all(made)


@pytest.fixture(scope="session")
def radosgw(tmp_path_factory):
    """Debian's S3 server, for all tests that want one."""
    gateway = Radosgw(tmp_path_factory.mktemp("radosgw")).start()
    yield gateway
    gateway.stop()


@pytest.fixture
def bucket(radosgw):
    """A bucket of the test's own."""
    return S3(radosgw.url, ACCESS, SECRET, REGION, f"test-{uuid.uuid4().hex[:12]}").create()


@pytest.fixture(scope="module")
def sponsorblock():
    service = Segments()
    yield service
    service.stop()


@pytest.fixture(scope="module")
def login(origin):
    """A site that gives its medium to who has the right cookie."""
    made = LoginOrigin(origin.file("small.mp4").read_bytes())
    yield made
    made.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """One server for the tests of a file that leave it as they found it."""
    server = Server(tmp_path_factory.mktemp("shared"))
    server.start()
    yield server
    close_all([server])


@pytest.fixture
def api(shared):
    assert shared.child.poll() is None, f"the server has ended: {shared.tail()}"
    return shared.api


@pytest.fixture
def stream_hash():
    """What a media file holds, whatever wrote the container: a hash of every stream's packets."""
    def hashes(file):
        done = subprocess.run(["ffmpeg", "-v", "error", "-i", file, "-map", "0", "-c", "copy", "-f", "streamhash", "-"], capture_output=True, check=True, timeout=60)
        return sorted(done.stdout.decode().splitlines())
    return hashes
