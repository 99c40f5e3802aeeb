"""A worker that is frozen in the middle of a real download and wakes up too late: the second half of bar Q6.

Two servers share a PostgreSQL and a storage folder. One stops itself at a chosen step; when its lease has run
out the other one finishes the download; then the first goes on, with everything it had in its hands.
"""
import signal
import tempfile
import time
from pathlib import Path

import pytest

from support import queue_node
from support.media import ROOT
from support.postgres import Postgres
from support.probe import sha256

LEASE = 2

# In the order of the pipeline. Inside `complete` its transaction is open, with the row of the job in its hands.
PHASES = ["pipeline.staged", "pipeline.resolved", "pipeline.plan_stored", "pipeline.transferred", "pipeline.finished", "publish.before_file_sync",
          "publish.before_rename", "publish.after_rename", "pipeline.published", "complete.after_artifacts"]


@pytest.fixture
def postgres():
    with tempfile.TemporaryDirectory(prefix="trawl-postgres-") as folder:  # Not pytest's, which only its owner may enter.
        Path(folder).chmod(0o755)
        server = Postgres(Path(folder) / "server").create().start()
        yield server
        server.stop()


def until(done, within, complaint):
    deadline = time.monotonic() + within
    while not done():
        assert time.monotonic() < deadline, complaint()
        time.sleep(0.02)


def is_stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def epoch_of(postgres, job: str) -> int:
    """Which run of it is the newest. Not always the second: two seconds are a short lease on a busy machine."""
    return int(postgres.sql(f"SELECT epoch FROM jobs WHERE id = '{job}'", "q6")[0][0])


def files_of(postgres, shared: Path, job: str) -> dict[str, tuple]:
    """What each file of a download is: which one, when it was written, and what is in it."""
    found = {}
    for location, digest in postgres.sql(f"SELECT location, sha256 FROM artifacts WHERE job_id = '{job}'", "q6"):
        file = shared / location
        assert sha256(file) == digest, f"{location} is not what was recorded"
        found[location] = (file.stat().st_ino, file.stat().st_mtime_ns, digest)
    return found


def test_q6_a_server_that_was_frozen_in_any_phase_of_a_download_changes_nothing(server, postgres, origin, bars, seeded, tmp_path):
    # Always the one after which the first thing a zombie does is to put its file where the result is.
    phases = ["publish.before_rename", *seeded.sample([phase for phase in PHASES if phase != "publish.before_rename"], bars.size(len(PHASES) - 1, 2))] * bars.size(3, 1)
    shared = tmp_path / "shared"
    common = {"program": ROOT / "build/dev/src/server/trawl", "db__url": postgres.create_database("q6"), "storage__dir": shared, "jobs__lease_sec": LEASE}
    heir = server(**common)
    zombie = server(start=False, **common)
    jobs, replaced, idle, inherited = [], 0, 0, 0
    for phase in phases:
        zombie.env = {"FAILPOINT": f"{phase}@1:stop"}
        zombie.start()
        zombie.api.until_ready()
        heir.child.send_signal(signal.SIGSTOP)  # So that the other one takes the job.
        job = zombie.api.submit(origin.url("other.mp4"), embed_metadata=False, single_flight=False)["id"]
        jobs.append(job)
        until(lambda: is_stopped(zombie.child.pid), 30, lambda: f"does not come by {phase}")
        frozen = epoch_of(postgres, job)
        heir.child.send_signal(signal.SIGCONT)
        done = heir.api.finish(job, within=60)
        assert done["status"] == "completed", f"{phase}: {heir.api.log_text(job)}"
        before = files_of(postgres, shared, job)
        assert [digest for _, _, digest in before.values()] == [sha256(origin.file("other.mp4"))]

        zombie.child.send_signal(signal.SIGCONT)
        until(lambda: lets_go(zombie), 20, lambda: f"{phase}: the zombie goes on: {zombie.tail()}")
        idle += 1
        replaced += files_of(postgres, shared, job) != before
        inherited += epoch_of(postgres, job) > frozen
        zombie.stop()
    found = queue_node.outcome(postgres, "q6", jobs)
    bars.holds("Q6", "servers frozen in a phase of a download that let go of it", idle, equals=len(phases))
    bars.holds("Q6", "downloads lost or with other than one completion", found["lost"] + found["unfinished"] + found["repeated"], equals=0)
    bars.holds("Q6", "downloads whose files a zombie touched", replaced, equals=0)
    bars.holds("Q6", "downloads that the other server finished", inherited, equals=len(phases))


def lets_go(server) -> bool:
    """It says that its lease is over, or has been told so by the database, which may also have ended the transaction it was frozen in."""
    said = server.out.read_text(errors="replace") + server.err.read_text(errors="replace")
    return any(words in said for words in ("a lease could not be renewed in time; its run is stopped", "a result came too late",
                                          "a job could not be settled; it will run again"))
