"""What must be true of a server's jobs from the outside, whatever was done to it meanwhile.

The promise: an accepted job is on disk, ends in exactly one visible result, and leaves nothing behind.
Looks at the HTTP API, the folder of the storage and the rows of the database, never at the program.
"""
import json
import sqlite3
import time
from collections import Counter
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Callable, Iterable, Mapping

from support.probe import sha256

FINAL = ("completed", "failed", "dead", "cancelled", "expired")
HELD = ("running", "cancelling")
# Housekeeping comes by every 60 s.
SWEEP_SEC = 75


class SqliteRows:
    """Reads the server's database beside it, as it is at the moment of each SELECT."""

    def __init__(self, database: Path):
        self._connect = lambda: closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30))

    def __call__(self, sql: str) -> list[tuple]:
        with self._connect() as connection:
            return connection.execute(sql).fetchall()

    @contextmanager
    def at_one_moment(self):
        """The same, as everything was at the moment of the first SELECT."""
        with self._connect() as connection:
            connection.execute("BEGIN")
            yield lambda sql: connection.execute(sql).fetchall()


class Invariants:
    """`rows(sql)` answers a SELECT; it defaults to the SQLite file of `server`."""

    def __init__(self, server, rows: Callable[[str], list[tuple]] | None = None):
        self.server = server
        self.rows = rows or SqliteRows(server.storage / "trawl.db")

    def check(self, acked: Iterable[str], sources: Mapping[str, str] | None = None, *, only: bool = True, settled: bool = True, files: bool = True):
        """Holds the whole list.

        acked    ids of jobs whose submission was answered with a 2xx
        sources  sha256 of what a completed job must have stored as its first artifact, for the jobs it names
        only     there are no other jobs
        settled  all have ended
        files    nothing is on disk that no artifact refers to, at the latest after one sweep
        """
        acked = set(acked)
        self.jobs_are(acked, only)
        self.states_add_up()
        with self._at_one_moment():
            self.ends_once()
            self.events_are_ordered()
            self.leases_have_owners(none=settled)
            if settled:
                self.all_ended()
            self.artifacts_are_whole(sources or {})
        if files:
            self.nothing_left_on_disk()

    @contextmanager
    def _at_one_moment(self):
        """Rows that are read one after another agree, though the queue goes on (where the database can be asked so)."""
        live = self.rows
        if not isinstance(live, SqliteRows):
            yield
            return
        with live.at_one_moment() as self.rows:
            yield
        self.rows = live

    def jobs_are(self, acked: set[str], only: bool) -> None:
        known = {row[0] for row in self.rows("SELECT id FROM jobs")}
        assert not acked - known, f"lost: {sorted(acked - known)}"
        assert not only or not known - acked, f"nobody was told of: {sorted(known - acked)}"

    def states_add_up(self) -> None:
        """Every way of counting gives the same number."""
        by_state = dict(self.rows("SELECT state, COUNT(*) FROM jobs GROUP BY state"))
        total = self.rows("SELECT COUNT(*) FROM jobs")[0][0]
        assert sum(by_state.values()) == total
        if self.server.api:
            counted = [self.server.api.get("/api/v1/downloads", params={"status": status, "limit": 1}).json()["total"]
                       for status in ("queued", "running", "paused", "completed", "failed", "cancelled")]
            listed = self.server.api.get("/api/v1/downloads", params={"limit": 1}).json()["total"]
            assert sum(counted) == listed or self._moving(), f"{counted} are not {listed}"

    def _moving(self) -> bool:
        """Numbers of a queue at work are read one after another and need not agree."""
        return bool(self.rows("SELECT 1 FROM jobs WHERE state NOT IN ('completed', 'failed', 'dead', 'cancelled', 'expired') LIMIT 1"))

    def _statuses(self) -> dict[str, list[dict]]:
        told: dict[str, list[dict]] = {}
        for job, data in self.rows("SELECT job_id, data FROM events WHERE type = 'status' ORDER BY seq"):
            told.setdefault(job, []).append(json.loads(data))
        return told

    def ends_once(self) -> None:
        """One final event for each round of a job: the first, and one more each time a person asked for it again."""
        told = self._statuses()
        for job, state, replays in self.rows("SELECT id, state, replays FROM jobs"):
            finals = [event["state"] for event in told.get(job, []) if event["final"]]
            assert len(finals) == replays + (state in FINAL), f"{job} is {state} after {replays} replays, told {finals}"
            assert state not in FINAL or finals[-1] == state, f"{job} is {state}, told {finals}"
            assert finals.count("completed") == (state == "completed"), f"{job}: {finals}"
            assert told[job][-1]["state"] == state, f"{job} is {state}, last told {told[job][-1]}"

    def events_are_ordered(self) -> None:
        """No job is heard of after its end unless a person asked for it, and its epochs only grow."""
        for job, events in self._statuses().items():
            for before, after in zip(events, events[1:]):
                assert not before["final"] or after.get("replayed"), f"{job}: {before['state']}, then {after['state']}"
                assert before["epoch"] <= after["epoch"], f"{job}: epoch {before['epoch']}, then {after['epoch']}"

    def leases_have_owners(self, none: bool) -> None:
        held = self.rows("SELECT id, state, owner, lease_until FROM jobs WHERE owner IS NOT NULL OR lease_until IS NOT NULL")
        wrong = [row for row in held if row[1] not in HELD or row[2] is None or row[3] is None]
        assert not wrong, f"leases of nobody: {wrong}"
        silent = [row for row in held if row[3] < (time.time() - 60) * 1000]
        assert not silent, f"leases that ran out a minute ago: {silent}"
        assert not none or not held, f"still held: {held}"

    def all_ended(self) -> None:
        left = Counter(state for _, state in self.rows("SELECT id, state FROM jobs") if state not in FINAL)
        assert not left, f"not ended: {dict(left)}"

    def artifacts_are_whole(self, sources: Mapping[str, str]) -> None:
        """Every artifact is a completed job's and a file with the size and hash of its row; what a job fetched is what its source has."""
        first: dict[str, str] = {}
        leases: dict[str, set[str]] = {}
        state_of = dict(self.rows("SELECT id, state FROM jobs"))
        for job, location, size, digest in self.rows("SELECT job_id, location, size, sha256 FROM artifacts ORDER BY id"):
            assert state_of[job] == "completed", f"{job} is {state_of[job]} and has {location}"
            file = self.server.storage / location
            assert file.is_file() and file.stat().st_size == size, f"{job}: {location} is not there, or not {size} bytes"
            assert sha256(file) == digest, f"{job}: {location} is not what was recorded"
            first.setdefault(job, digest)
            leases.setdefault(job, set()).add(location.split("/")[2])
        mixed = {job: epochs for job, epochs in leases.items() if len(epochs) > 1}
        assert not mixed, f"artifacts of several attempts: {mixed}"
        for job, digest in sources.items():
            if state_of[job] == "completed":
                assert first.get(job) == digest, f"{job} has {first.get(job)}, its source {digest}"

    def nothing_left_on_disk(self, within: float = SWEEP_SEC) -> None:
        deadline = time.monotonic() + within
        while left := self._unreferenced():
            assert time.monotonic() < deadline, f"on disk and nobody's after {within} s: {sorted(left)[:20]}"
            time.sleep(0.2)

    def _unreferenced(self) -> set[str]:
        root = self.server.storage
        known = {row[0] for row in self.rows("SELECT location FROM artifacts")}
        held = {f"{job}.{epoch}" for job, epoch in self.rows(f"SELECT id, epoch FROM jobs WHERE state IN {HELD}")}
        alive = {row[0] for row in self.rows(f"SELECT id FROM jobs WHERE state NOT IN {FINAL}")}
        content = {str(path.relative_to(root)) for path in (root / "content").rglob("*") if path.is_file()}
        content = {name for name in content - known if ".".join(name.split("/")[1:3]) not in held}
        staging = {f"staging/{path.name}" for path in (root / "staging").iterdir() if path.name.split(".")[0] not in alive}
        return content | staging
