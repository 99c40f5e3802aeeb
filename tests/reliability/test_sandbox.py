"""What a confined process can reach, tried by a program that wants out (src/sandbox/probe)."""
import os
import shutil
import subprocess
import threading
import time

import pytest

from support import jail as jails
from support import process

MIB = 1 << 20
# Ways out that this machine really has: where none of them is open outside, a test inside proves nothing.
OPEN_OUTSIDE = {"tcp to another port of loopback", "tcp to the proxy's port at 127.0.0.2", "tcp to the proxy's port at ::1", "tcp to ::ffff:127.0.0.1", "udp", "fast open by sendto",
                "fast open by sendmsg", "fast open by socket option", "unix socket", "abstract unix socket", "datagrams of a socket pair", "netlink",
                "new session", "listening", "address changed under the guard's eyes", "connection turned elsewhere"}
OPEN_FILES_OUTSIDE = {"reading /etc/passwd", "reading a file outside", "listing /", "writing a file outside", "symbolic link to it", "hard link to it",
                      "changing its mode", "new file in /tmp", "running a dropped file", "ptrace", "signal to another process", "named pipe"}


def variants():
    """Landlock of this kernel, and of Debian 12's own (version 2: neither ports, nor truncation, nor signals)."""
    users = [jails.SLOT, 0] if os.geteuid() == 0 else [0]
    return [pytest.param(user, landlock, id=f"{'own' if user else 'shared'}-user-landlock-{landlock or 'newest'}") for user in users for landlock in (0, 2)]


@pytest.fixture
def jail():
    made = []

    def make(uid=None, landlock=0):
        made.append(jails.Jail(uid, ("--landlock", str(landlock))))
        return made[-1]

    yield make
    for one in made:
        one.close()


def outside(jail, kind, **env):
    """The same program without a sandbox."""
    environment = {**os.environ, "PROXY": str(jail.proxy.port), "CANARY": str(jail.canary.port), "OUTSIDE": str(jail.outside),
                   "SOCKET": str(jail.base / "socket"), "ABSTRACT": f"@{jail.base.name}", "VICTIM": str(jail.victim.pid), **env}
    done = subprocess.run([jails.probe(), kind], env=environment, cwd=jail.work, capture_output=True, text=True, timeout=60)
    return {name for name, result in (line.rsplit(": ", 1) for line in done.stdout.splitlines()) if result == "THROUGH"}


def test_e5_outside_of_the_sandbox_the_ways_out_are_open(jail):
    one = jail()
    assert OPEN_OUTSIDE - outside(one, "network", RACES="20000") == set()
    assert one.strays() > 0


@pytest.mark.parametrize("user, landlock", variants())
def test_e5_no_way_leads_around_the_proxy(jail, bars, user, landlock):
    one = jail(user, landlock)
    races = bars.size(100_000, 10_000) if landlock == 0 else 1_000
    results = one.attempts("network", RACES=str(races))
    through = [name for name, result in results.items() if result != "refused"]
    assert through == []
    bars.holds("E5", "ways round the proxy tried", len(results), at_least=40)
    bars.holds("E5", "connections to anything but the proxy", one.strays(), equals=0)
    assert one.proxy.hits > 0, "the race never won a connection, so it proves nothing"


@pytest.mark.parametrize("user, landlock", variants())
def test_e5_the_proxy_and_what_a_download_needs_work(jail, user, landlock):
    results = jail(user, landlock).attempts("permitted")
    assert set(results.values()) == {"THROUGH"}, results


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be a plain user for a while")
@pytest.mark.parametrize("blind", [False, True])
def test_e5_where_the_guard_cannot_look_nothing_but_the_proxy_is_reached(blind):
    """Tier A-: as a plain user the guard may not look into a process that hides its memory."""
    one = jails.Jail(uid=0, options=("--blind",) if blind else (), prefix=jails.AS_PLAIN)
    try:
        assert one.attempts("hidden") == {"canary, unseen": "THROUGH" if blind else "refused"}
        assert one.strays() == 0 and one.proxy.hits == (1 if blind else 0)
    finally:
        one.close()


def test_e6_outside_of_the_sandbox_the_files_are_open(jail):
    one = jail()
    assert OPEN_FILES_OUTSIDE - outside(one, "files") == set()
    assert not (one.outside / "secret").exists() or (one.outside / "secret").read_text() != "secret words"


@pytest.mark.parametrize("user, landlock", variants())
def test_e6_nothing_outside_of_the_work_folder_is_read_or_written(jail, bars, user, landlock):
    one = jail(user, landlock)
    results = one.attempts("files")
    assert [name for name, result in results.items() if result != "refused"] == []
    bars.holds("E6", "ways to foreign files and processes tried", len(results), at_least=35)
    assert (one.outside / "secret").read_text() == "secret words"
    assert [path.name for path in one.outside.iterdir()] == ["secret"]
    assert one.victim.poll() is None


# --- Limits


def test_e9_memory_is_limited_and_reserving_it_is_not(jail, bars):
    one = jail()
    limit = ("--memory", str(300 * MIB))
    hog = one.run(jails.probe(), "memory", options=limit)
    used = int(hog.stdout.split()[0])
    bars.holds("E9", "memory a hog got of 300", used, at_most=300, at_least=100, unit="MiB")
    assert one.run(jails.probe(), "reserve", options=limit).returncode == 0, "256 GiB that are only reserved, as V8 does"


def test_e9_shared_memory_is_no_way_around_the_limit_and_others_go_on(jail, bars):
    hog, other = jail(), jail()
    results = {}
    beside = threading.Thread(target=lambda: results.update(other.attempts("permitted")))
    beside.start()
    done = hog.run(jails.probe(), "shared", options=("--memory", str(256 * MIB)), LIMIT="256")
    ended = time.monotonic()
    beside.join()
    assert done.returncode == 128 + 9 and "the sandbox ends this download" in done.stderr, done
    bars.holds("E9", "a hog of shared memory ended after the limit", ended - float(done.stdout), at_most=2.0, unit="s")
    assert set(results.values()) == {"THROUGH"}


@pytest.mark.parametrize("user", [0, jails.SLOT] if os.geteuid() == 0 else [0], ids=lambda user: "slot" if user else "same")
def test_e9_a_fork_bomb_stays_small_and_leaves_nothing(jail, bars, user):
    one = jail(user)
    before = process.running().keys()
    began = time.monotonic()
    done = one.run(jails.probe(), "processes", options=("--processes", "64"))
    took = time.monotonic() - began
    if user:
        assert done.returncode == 0 and int(done.stdout.split()[0]) <= 64, done
    else:  # Without a user of its own the kernel counts nothing: the guard does, twice a second.
        assert done.returncode == 128 + 9 and "processes" in done.stderr, done
    bars.holds("E9", "a fork bomb ended", took, at_most=5.0, unit="s")
    left = {pid for pid in process.running().keys() - before if "sandbox-probe" in process.command_of(pid)}
    assert left == set()


def test_e9_a_spinning_process_ends_with_its_processor_time(jail):
    done = jail().run(jails.probe(), "cpu", options=("--cpu", "1"), timeout=60)
    assert done.returncode in (128 + 24, 128 + 9)


def test_e9_a_file_stops_at_the_limit(jail):
    one = jail()
    done = one.run(jails.probe(), "file", options=("--file-size", str(16 * MIB)))
    assert done.returncode in (0, 128 + 25)
    assert (one.work / "large").stat().st_size == 16 * MIB


def test_e9_open_files_are_limited(jail):
    done = jail().run(jails.probe(), "descriptors")
    assert 200 <= int(done.stdout.split()[0]) <= 256


@pytest.mark.skipif(not shutil.which("node"), reason="there is no node")
def test_e9_a_javascript_engine_lives_inside(jail):
    done = jail().run("node", "-e", "console.log([1, 2, 3].map(x => x * x).join())", options=("--memory", str(2048 * MIB)))
    assert done.stdout.strip() == "1,4,9", done.stderr


# --- Ends


@pytest.mark.parametrize("user", [0, jails.SLOT] if os.geteuid() == 0 else [0], ids=lambda user: "slot" if user else "same")
def test_e9_a_confined_process_ends_with_its_guard(jail, user):
    """Also where it became another user, which makes the kernel forget the wish."""
    one = jail(user)
    guard = process.start([str(part) for part in (jails.engine_folder() / "trawl-sandbox", "run", "--folder", one.work, "--uid", one.uid,
                                                  "--", "/usr/bin/sleep", "998")], stderr=subprocess.PIPE)
    deadline = time.monotonic() + 20
    while not (inside := [pid for pid in process.tree(guard.pid) if process.command_of(pid) == "/usr/bin/sleep 998"]):
        assert time.monotonic() < deadline and guard.poll() is None
        time.sleep(0.01)
    guard.kill()
    guard.wait()
    guard.stderr.close()
    deadline = time.monotonic() + 3
    while set(inside) & process.running().keys():
        assert time.monotonic() < deadline, "it lives on"
        time.sleep(0.01)


# --- Media that name local files


PLAYLISTS = {
    "file.m3u8": "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:10.0,\nfile://{secret}\n#EXT-X-ENDLIST\n",
    "concat.m3u8": "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:10.0,\nconcat:head.txt|{secret}\n#EXT-X-ENDLIST\n",
    "subfile.m3u8": "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:10.0,\nsubfile,,start,0,end,64,,:{secret}\n#EXT-X-ENDLIST\n",
    "list.ffconcat": "ffconcat version 1.0\nfile '{secret}'\n",
    "canary.m3u8": "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:10.0,\nhttp://127.0.0.1:{canary}/seg.ts\n#EXT-X-ENDLIST\n",
    "subtitle.avi": None,
}


def avi_with_playlist(playlist: bytes) -> bytes:
    """An AVI whose subtitle stream (GAB2) is a playlist, as of HackerOne 242831."""
    def chunk(name, data):
        return name + len(data).to_bytes(4, "little") + data + b"\0" * (len(data) % 2)
    subtitle = b"GAB2\0" + (2).to_bytes(2, "little") + (2).to_bytes(4, "little") + b"a\0" + (4).to_bytes(2, "little") + len(playlist).to_bytes(4, "little") + playlist
    avih = b"".join(value.to_bytes(4, "little") for value in (40000, 0, 0, 0x10, 1, 0, 1, 0, 64, 64, 0, 0, 0, 0))
    strh = b"txts" + bytes(16) + (1).to_bytes(4, "little") + (25).to_bytes(4, "little") + bytes(28)
    header = chunk(b"LIST", b"hdrl" + chunk(b"avih", avih) + chunk(b"LIST", b"strl" + chunk(b"strh", strh) + chunk(b"strf", bytes(4))))
    movie = chunk(b"LIST", b"movi" + chunk(b"00tx", subtitle))
    return chunk(b"RIFF", b"AVI " + header + movie)


def convert(folder, name):
    return ["ffmpeg", "-v", "error", "-nostdin", "-y", "-protocol_whitelist", "file,concat,concatf,subfile,http,tcp,crypto,data",
            *(["-allowed_extensions", "ALL"] if name.endswith("m3u8") else ["-safe", "0"] if name.endswith("ffconcat") else []),
            "-i", folder / name, "-map", "0", "-c", "copy", "-f", "data", folder / f"{name}.out"]


@pytest.fixture
def playlists(jail):
    """A jail whose work folder has playlists of a secret, which is media so that ffmpeg takes it."""
    one = jail()
    secret = one.outside / "secret.ts"
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=duration=1", "-metadata", "service_name=SECRETWORDS", "-f", "mpegts", secret], check=True)
    secret.chmod(0o666)
    (one.work / "head.txt").write_text("")
    for name, text in PLAYLISTS.items():
        fields = {"secret": secret, "canary": one.canary.port}
        if text is None:
            (one.work / name).write_bytes(avi_with_playlist(PLAYLISTS["file.m3u8"].format(**fields).encode()))
        else:
            (one.work / name).write_text(text.format(**fields))
    return one


def disclosed(jail, name):
    """How many pieces of the secret are in what ffmpeg wrote."""
    written, secret, size = jail.work / f"{name}.out", (jail.outside / "secret.ts").read_bytes(), 24
    pieces = {secret[i:i + size] for i in range(len(secret) - size) if len(set(secret[i:i + size])) > 8}
    text = written.read_bytes() if written.exists() else b""
    return sum(text[i:i + size] in pieces for i in range(len(text)))


def test_e8_outside_of_the_sandbox_ffmpeg_discloses_what_a_playlist_names(playlists):
    subprocess.run(convert(playlists.work, "file.m3u8"), capture_output=True, timeout=60)
    assert disclosed(playlists, "file.m3u8") > 100


@pytest.mark.parametrize("name", PLAYLISTS)
def test_e8_ffmpeg_in_the_sandbox_cannot_read_what_a_playlist_names(playlists, bars, name):
    done = playlists.run(*convert(playlists.work, name), timeout=60)
    assert "trawl-sandbox:" not in done.stderr, done.stderr
    bars.holds("E8", f"pieces of a secret disclosed by {name}", disclosed(playlists, name), equals=0)
    assert playlists.strays() == 0
