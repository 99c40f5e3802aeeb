"""Disks that are full: of the files, and of the database."""
import json
import os
import stat
import subprocess
import threading
import time
from pathlib import Path

import pytest

from support.download_bars import PLAIN, sha256_of
from support.hostile_origin import File
from support.server import binary

MIB = 1 << 20
STORE, DATABASE, MARK = 64 * MIB, 8 * MIB, 8 * MIB


@pytest.fixture
def confined(server, tmp_path):
    """A server whose files and whose database lie on small file systems of a mount namespace of its own."""
    store, database, script = tmp_path / "store", tmp_path / "db", tmp_path / "confined"
    store.mkdir()
    database.mkdir()
    script.write_text(f"""#!/bin/sh
exec unshare {'-m' if os.geteuid() == 0 else '-rm'} sh -ec '
  mount -t tmpfs -o size={STORE} tmpfs {store}
  mount -t tmpfs -o size={DATABASE} tmpfs {database}
  exec {binary()} "$@"' trawl "$@"
""")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return server(program=script, storage__dir=store, db__url=f"sqlite:///{database}/trawl.db", storage__low_disk_bytes=MARK, download__max_concurrent=8)


class Gate:
    """Holds answers back until it is opened: before their head, or after their first bytes."""

    def __init__(self, head: bool = False):
        self.head = head
        self.waiting = 0
        self.opened = threading.Event()

    async def answer(self, x):
        self.waiting += 1
        while self.head and not self.opened.is_set():
            await x.pause()

        async def before(first, end):
            while first >= 65536 and not self.opened.is_set():
                await x.pause()
        await x.proper(before=before)


class Inside:
    """The file systems as the server sees them."""

    def __init__(self, server):
        self.pid = server.child.pid
        self.file = server.options["db.url"].removeprefix("sqlite:///")
        root = Path(f"/proc/{self.pid}/root")
        self.database = root / str(Path(self.file).parent).lstrip("/")
        self.store = root / str(server.options["storage.dir"]).lstrip("/")
        self.ballast = self.database / "ballast"

    def jobs(self) -> dict[str, tuple[str, str | None, int]]:
        """State, error and failures of every job, as they are on disk. SQLite resolves the link that
        leads into another mount namespace, so it is asked in there."""
        program = ("import json, sqlite3, sys; "
                   "print(json.dumps(sqlite3.connect(f'file:{sys.argv[1]}?mode=ro', uri=True).execute("
                   "'SELECT id, state, error_code, failures FROM jobs').fetchall()))")
        return {row[0]: tuple(row[1:]) for row in json.loads(self.run(program))}

    def run(self, program: str) -> bytes:
        inside = ["nsenter", "-t", str(self.pid), "-m", *([] if os.geteuid() == 0 else ["-U", "--preserve-credentials"])]
        return subprocess.run([*inside, "/usr/bin/python3", "-c", program, self.file], check=True, capture_output=True, timeout=30).stdout

    def available(self) -> int:
        disk = os.statvfs(self.store)
        return disk.f_bavail * disk.f_frsize

    def fill(self) -> None:
        """To the last byte, with a write-ahead log that has none to use again."""
        program = "import sqlite3, sys; print(sqlite3.connect(sys.argv[1], timeout=10).execute('PRAGMA wal_checkpoint(TRUNCATE)').fetchone()[0])"
        until(lambda: self.run(program).strip() == b"0", "the log is empty")
        with self.ballast.open("wb", buffering=0) as file:
            try:
                while file.write(bytes(4096)):
                    pass
            except OSError:
                pass


# Mutants: no_reserve, full_disk_is_a_failure.
def test_d6_a_full_disk_costs_nothing_but_waiting(confined, hostile, bars):
    api, inside, held, large = confined.api, Inside(confined), Gate(), Gate(head=True)
    origin = hostile({"held": held.answer, "large": large.answer, "plain": lambda x: x.proper()})
    wanted = [("held", File(n, 4 * MIB)) for n in range(2)] + [("large", File(9, 24 * MIB))]
    wanted += [("plain", File(100 + n, 4 * MIB)) for n in range(bars.size(40, 24) - len(wanted))]
    jobs = {}
    for name, file in wanted:
        jobs[api.submit(origin.url(name, file), **PLAIN)["id"]] = file
    running = list(jobs)[:2]  # They have their space, and a large one is about to ask for it,
    until(lambda: held.waiting == 2 and large.waiting == 1, "the first ones are under way")
    until(lambda: inside.available() < MARK and states(inside)["running"] == 3, "the others have filled the disk")
    large.opened.set()
    until(lambda: states(inside).get("retry_wait"), "the large one has found no space")
    met = {row[1:] for row in inside.jobs().values() if row[0] == "retry_wait"}
    bars.holds("D6", "why jobs wait that have met the full disk, and with how many failures", met, equals={("disk_full", 0)})

    refused = api.post("/api/v1/downloads", json={"url": origin.url("plain", File(900, MIB))})
    bars.holds("D6", "a submission to a full disk is answered", refused.status_code, equals=507)
    assert int(refused.headers["Retry-After"]) > 0 and refused.json()["error_code"] == "disk_full", refused.text
    assert not origin.asked[origin.path("plain", File(900, MIB))]

    inside.fill()
    cancelled = next(job for job, row in inside.jobs().items() if row[0] == "queued")
    del jobs[cancelled]
    answer = api.delete(f"/api/v1/downloads/{cancelled}")
    bars.holds("D6", "a cancellation with the database's disk full is answered", answer.status_code, equals=200)
    refused = api.post("/api/v1/downloads", json={"url": origin.url("plain", File(901, MIB))})
    assert refused.status_code in (503, 507) and int(refused.headers["Retry-After"]) > 0, refused.text
    held.opened.set()
    settled = [api.finish(job, within=30)["status"] for job in running]
    bars.holds("D6", "running jobs settled with both disks full", settled.count("completed"), equals=len(running))

    waiting = len(inside.jobs()) - states(inside)["completed"]
    inside.ballast.unlink()
    finished = take_out(confined, jobs)
    freed = time.monotonic()
    until(lambda: len(inside.jobs()) - states(inside).get("completed", 0) < waiting, "work resumes")
    bars.holds("D6", "work resumes after space is free", time.monotonic() - freed, at_most=10.0, unit="s")
    until(lambda: finished.extend(take_out(confined, jobs)) or not jobs, "all are done", within=120)
    bars.holds("D6", f"jobs done with the right sha256, of {len(wanted) - 1}", finished.count(True), equals=len(wanted) - 1)


def take_out(server, jobs) -> list[bool]:
    """Fetches and deletes what is completed: whether the bytes were right, and no failure was counted."""
    found = []
    for job in list(jobs):
        body = server.api.show(job)
        if body["status"] != "completed":
            assert body["status"] != "failed", f"{body}\n{server.api.log_text(job)}"
            continue
        found.append(sha256_of(server, body) == jobs.pop(job).sha256() and body["retry_count"] == 0)
        assert server.api.delete(f"/api/v1/downloads/{job}", params={"purge": "true"}).status_code == 200
    return found


def states(inside) -> dict[str, int]:
    found: dict[str, int] = {}
    for state, *_ in inside.jobs().values():
        found[state] = found.get(state, 0) + 1
    return found


def until(done, what: str, within: float = 60) -> None:
    deadline = time.monotonic() + within
    while not done():
        assert time.monotonic() < deadline, f"not within {within} s: {what}"
        time.sleep(0.05)
