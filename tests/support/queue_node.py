"""Nodes of the queue whose jobs do nothing (tests/queue_node): several processes over one database."""
import os
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

from support import process
from support.media import ROOT
from support.server import SANITIZER


def binary() -> Path:
    path = Path(os.environ.get("TRAWL_QUEUE_NODE", ROOT / "build/release/tests/queue_node/queue_node"))
    assert path.is_file(), f"there is no {path}: scripts/build release queue_node"
    return path.resolve()


class Node:
    """One process. Its standard error is kept over restarts in `log`."""

    def __init__(self, folder: Path, label: str, db: str, redis: str = "", *, env: dict[str, str] | None = None, **options):
        self.log = folder / f"{label}.log"
        flags = [part for key, value in options.items() for part in (f"--{key.replace('_', '-')}", str(value))]
        self.command = [str(binary()), "work", "--db", db, *(("--redis", redis) if redis else ()), *flags]
        self.env = {**os.environ, **(env or {})}
        self.child: subprocess.Popen | None = None

    def start(self) -> "Node":
        with self.log.open("ab") as log:
            self.child = process.start(self.command, stdout=log, stderr=log, env=self.env)
        return self

    def kill(self) -> None:
        self.child.kill()
        self.child.wait()

    def stop(self) -> None:
        """SIGTERM; whatever it does, it must end, and without a report of a sanitizer."""
        if self.child and self.child.poll() is None:
            self.child.send_signal(signal.SIGCONT)
            self.child.terminate()
            try:
                self.child.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()
                raise AssertionError(f"a node does not end: {self.text()[-2000:]}") from None
        found = SANITIZER.search(self.text())
        assert not found, self.text()[found.start():found.start() + 6000]

    def text(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def count(self, message: str) -> int:
        return self.text().count(f'"message":"{message}"')


def start_submitting(db: str, jobs: int, redis: str = "", into=subprocess.PIPE, **options) -> subprocess.Popen:
    """Prints the ids of jobs that are on disk, into a file where nobody reads meanwhile."""
    flags = [part for key, value in options.items() for part in (f"--{key.replace('_', '-')}", str(value))]
    return process.start([str(binary()), "submit", "--db", db, "--jobs", str(jobs), *(("--redis", redis) if redis else ()), *flags],
                         stdout=into, stderr=subprocess.DEVNULL)


def submit(db: str, jobs: int, within: float = 300, **options) -> list[str]:
    feeder = start_submitting(db, jobs, **options)
    ids = feeder.communicate(timeout=within)[0].decode().split()
    assert feeder.returncode == 0 and len(ids) == jobs, f"{len(ids)} of {jobs} were accepted"
    return ids


def left(postgres, database: str) -> int:
    """How many jobs have not ended; -1 while the database does not answer."""
    try:
        return int(postgres.sql("SELECT COUNT(*) FROM jobs WHERE state NOT IN ('completed', 'failed', 'dead', 'cancelled', 'expired')", database)[0][0])
    except subprocess.SubprocessError:
        return -1


def wait_until_done(postgres, database: str, within: float, meanwhile=lambda: None) -> float:
    """Seconds until no job waits or runs. `meanwhile` is called all the time."""
    began = time.monotonic()
    while left(postgres, database) != 0:
        assert time.monotonic() - began < within, f"{left(postgres, database)} jobs have not ended after {within} s"
        meanwhile()
        time.sleep(0.1)
    return time.monotonic() - began


def outcome(postgres, database: str, ids: list[str]) -> dict[str, int]:
    """What became of them, from the rows: lost, not completed, and completed more than once."""
    rows = dict(postgres.sql("SELECT id, state FROM jobs", database))
    finals = Counter(row[0] for row in postgres.sql("SELECT job_id FROM events WHERE type = 'status' AND data LIKE '%\"state\":\"completed\"%'", database))
    return {"lost": sum(id not in rows for id in ids),
            "unfinished": sum(rows.get(id) != "completed" for id in ids),
            "repeated": sum(finals[id] != 1 for id in ids)}
