"""Kills and crashes under real downloads: bars Q2 and Q4."""
import os
import random
import re
import signal
import time
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
    acked, died = {}, 0
    for name in chosen:
        # Later times too: the first of some is met while nothing has been submitted.
        victim.env = {"FAILPOINT": f"{name}@{seeded.choice([1, 1, 2])}"}
        died += die_once(victim, origin, acked)
        victim.env = {}
        victim.start()
        for job in acked:
            assert victim.api.finish(job, within=60)["status"] == "completed", f"{name}: {victim.api.log_text(job)}"
        Invariants(victim).check(acked, acked, only=False, files=False)
        victim.stop()
    victim.start()
    Invariants(victim).check(acked, acked, only=False)
    bars.holds("Q4", "places it did die at", died, at_least=0.7 * len(chosen))


def die_once(victim, origin, acked):
    """Submits three jobs to a server that is to die; adds what it accepted. True when it did die."""
    try:
        victim.start()
    except AssertionError:
        return ended(victim)  # On its way up.
    for name in ("small.mp4", "other.mp4", "small.mp4"):
        try:
            answer = victim.api.post("/api/v1/downloads", json={"url": origin.url(name), "embed_metadata": False})
        except httpx.TransportError:
            break  # Nothing was promised.
        assert answer.status_code == 202, answer.text
        acked[answer.json()["id"]] = sha256(origin.file(name))
    deadline = time.monotonic() + 30
    while victim.child.poll() is None and time.monotonic() < deadline:
        try:
            if all(victim.api.show(job)["status"] == "completed" for job in acked):
                victim.stop()
                return False  # It came by there less often than asked for.
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    return ended(victim)


def ended(victim):
    """Takes the end of the server by itself for what it is here: what was asked for."""
    child, victim.child = victim.child, None
    assert child is not None
    assert child.wait(10) == FAILPOINT_STATUS, f"exit code {child.returncode}: {victim.tail()}"
    victim.check_sanitizers()
    return True
