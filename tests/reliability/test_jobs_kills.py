"""Kills and crashes under real downloads: bars Q2 and Q4."""
import os
import random
import re
import signal
import time
import uuid
from collections import Counter
from pathlib import Path

import httpx
import pytest

from support import process
from support.invariants import Invariants
from support.media import ROOT
from support.origin import Origin
from support.probe import sha256

MEDIUM = 4 << 20
FAILPOINT_STATUS = 86  # base/failpoint.h


@pytest.fixture(scope="module")
def media(tmp_path_factory, origin):
    """A few media of 4 MiB, served at full speed: a real mp4 with a `free` box behind it."""
    folder = tmp_path_factory.mktemp("kills")
    whole = origin.file("bench.mp4").read_bytes()
    for index in range(4):
        pad = MEDIUM - len(whole)
        (folder / f"m{index}.mp4").write_bytes(whole + pad.to_bytes(4, "big") + b"free" + random.Random(index).randbytes(pad - 8))
    served = Origin(folder, tmp_path_factory.mktemp("kills-origin"))
    yield served
    served.stop()


class Engine:
    """Ends processes of a server's engine: children, and now and then the host they are forked from or the guard
    that is its parent, of which either takes all children with it.

    No download is hit more than twice: a third crash of its own would bury it, and rightly (bar Q8).
    """

    def __init__(self, server, random):
        self.server = server
        self.random = random
        self.hits = Counter()
        self.kills = 0

    def _processes(self) -> tuple[list[int], dict[int, str]]:
        """Guard and host, and of each child the download it works on."""
        engine = sorted(pid for pid in self.server.processes() if "host.py" in process.command_of(pid))
        parents = process.running()
        guards = [pid for pid in engine if parents.get(pid) == self.server.child.pid]
        hosts = [pid for pid in engine if parents.get(pid) in guards]
        return guards + hosts, {pid: job_of(pid) for pid in engine if pid not in guards + hosts}

    def kill_one(self) -> None:
        above, children = self._processes()
        all_of_them = self.kills % 8 == 7 and children and all(job and not self.hits[job] for job in children.values())
        choice = above if all_of_them else sorted(pid for pid, job in children.items() if job and self.hits[job] < 2)
        if not choice:
            return
        victim = self.random.choice(choice)
        try:
            os.kill(victim, signal.SIGKILL)
        except ProcessLookupError:
            return
        self.hits.update(children.values() if all_of_them else [children[victim]])
        self.kills += 1


def job_of(child: int) -> str:
    """The download whose work folder a child is in; empty before it is."""
    try:
        folder = Path(os.readlink(f"/proc/{child}/cwd"))
    except OSError:
        return ""
    return folder.name.split(".")[0] if folder.parent.name == "staging" else ""


@pytest.mark.parametrize("native", ["true", "false"])
def test_q2_kills_of_server_and_children_lose_nothing(server, media, bars, seeded, native):
    count, most_kills = bars.size(150, 20), bars.size(20, 3)
    # Two seconds a download, so that most kills meet some.
    victim = server(download__max_concurrent=6, jobs__lease_sec=5, transfer__native=native, download__rate_limit_bytes=MEDIUM // 2)
    sources, kills = {}, 0
    for index in range(count):
        name = f"m{index % 4}.mp4"
        sources[victim.api.submit(media.url(name), embed_metadata=False, single_flight=False)["id"]] = sha256(media.file(name))

    def open_jobs():
        return count - victim.api.get("/api/v1/downloads", params={"status": "completed", "limit": 1}).json()["total"]

    engine = Engine(victim, seeded)
    deadline = time.monotonic() + bars.size(400, 150)
    next_kill, next_child = time.monotonic() + 2, time.monotonic() + 1
    while open_jobs():
        assert time.monotonic() < deadline, f"{open_jobs()} of {count} are left after {kills} kills"
        if time.monotonic() >= next_child:
            failed = victim.api.get("/api/v1/downloads", params={"status": "failed", "limit": 1}).json()
            assert failed["total"] == 0, "\n".join(f"{job['error_code']}: {job['error']}\n{victim.api.log_text(job['id'])}" for job in failed["downloads"])
            engine.kill_one()
            next_child = time.monotonic() + 1
        if time.monotonic() >= next_kill and kills < most_kills:
            victim.kill(within=2)
            kills += 1
            victim.start()
            victim.api.until_ready()  # Where an engine takes as long to start as a download, none would ever get on.
            next_kill = time.monotonic() + 2
        time.sleep(0.05)
    bars.holds("Q2", f"downloads completed (native={native})", count - open_jobs(), equals=count)
    bars.holds("Q2", f"kills of the server (native={native})", kills, equals=most_kills)
    bars.holds("Q2", f"kills of the engine (native={native})", engine.kills, at_least=bars.size(20, 3))
    Invariants(victim).check(sources, sources)
    bars.holds("Q2", f"unfinished files left (native={native})", len(list(victim.storage.rglob("*.part"))), equals=0)


def failpoints():
    """Every place the program can be made to die at, as its source names them."""
    named = set()
    for file in sorted((ROOT / "src").rglob("*.cpp")):
        named |= set(re.findall(r'failpoint\("([a-z_.]+)"\)', file.read_text()))
    return sorted(named)


def test_q4_dying_at_any_step_breaks_nothing(server, origin, bars, seeded):
    # Those of uploads to a bucket are met by bar D7.
    every = [name for name in failpoints() if not name.startswith(("s3.", "objects."))]
    bars.holds("Q4", "named places to die at", len(every), at_least=30)
    chosen = seeded.sample(every, bars.size(len(every), 6))
    if "complete.after_artifacts" not in chosen:  # Where what a job stored and its end have to stay together.
        chosen.append("complete.after_artifacts")
    # A release has no such places.
    victim = server(start=False, program=ROOT / "build/dev/src/server/trawl", download__max_concurrent=2, jobs__lease_sec=5)
    acked, missed = {}, []
    for name in chosen:
        # Later times too: the first of some is met while nothing has been submitted.
        if not any(die_once(victim, origin, acked, f"{name}@{time}") for time in seeded.choice([[1], [2, 1]])):
            missed.append(name)
        victim.env = {}
        victim.start()
        for job, path in acked.items():
            assert victim.api.finish(job, within=60)["status"] == ("failed" if path == FORBIDDEN else "completed"), f"{name}: {victim.api.log_text(job)}"
        sources = {job: sha256(origin.file(path)) for job, path in acked.items() if path in ("small.mp4", "other.mp4")}
        Invariants(victim).check(acked, sources, only=False, files=False)
        victim.stop()
    victim.start()
    Invariants(victim).check(acked, sources, only=False)
    print("it did not die at", missed)
    bars.holds("Q4", "places it did not die at", len(missed), equals=0)


FORBIDDEN = "/forbidden/x.mp4"

# What a server is given that is to die: it comes by every place with these, and by journal.* with SLOW, which is written once in five seconds.
WORK = [{"url": "small.mp4"}, {"url": "other.mp4"}, {"url": "small.mp4"}, {"url": "hls-ts/high/index.m3u8"}, {"url": FORBIDDEN, "max_retries": 0}]
SLOW = {"url": "/slow/bench.mp4"}


def die_once(victim, origin, acked, failpoint):
    """Submits work to a server that is to die; adds what it accepted. True when it did die."""
    victim.env = {"FAILPOINT": failpoint}
    try:
        victim.start()
    except AssertionError:
        return ended(victim)  # On its way up.
    given = []
    for work in [*WORK, *([SLOW] if failpoint.startswith("journal.") else [])]:
        try:
            answer = victim.api.post("/api/v1/downloads", json={**work, "url": origin.url(work["url"]), "embed_metadata": False},
                                     headers={"Idempotency-Key": str(uuid.uuid4())})
        except httpx.TransportError:
            break  # Nothing was promised.
        assert answer.status_code == 202, answer.text
        given.append(answer.json()["id"])
        acked[given[-1]] = work["url"]
    deadline = time.monotonic() + 30
    while victim.child.poll() is None and time.monotonic() < deadline:
        try:
            if given and all(victim.api.show(job)["status"] in ("completed", "failed") for job in given):
                break  # It came by there less often than asked for, or is about to.
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    return ended(victim)


def ended(victim):
    """Whether the server died where it was asked to; else it is ended."""
    if victim.child.poll() is None:
        victim.child.terminate()
    code = victim.child.wait(40)
    victim.child = None
    assert code in (0, FAILPOINT_STATUS), f"exit code {code}: {victim.tail()}"
    victim.check_sanitizers()
    return code == FAILPOINT_STATUS
