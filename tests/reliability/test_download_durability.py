"""What is on disk when: the order of a publish, the journal of a part, and disks that fail, seen from the system calls."""
import re
import time

import pytest

from support.download_bars import PLAIN, completed_right, sha256_of
from support.hostile_origin import File
from support.strace import Strace

DURABLE = "pwrite64,write,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat"


@pytest.fixture
def traced(tmp_path):
    """`traced(server, calls, *options)` attaches; what is still attached at the end is let go."""
    made = []

    def attach(server, calls, *options):
        made.append(Strace(server.child.pid, tmp_path / f"strace.{len(made)}", calls, *options))
        return made[-1]

    yield attach
    for trace in made:
        if trace.child.poll() is None:
            trace.detach()


# Mutant: published_folder_unsynced.
def test_d4_a_publish_is_durable_before_anybody_can_see_it(server, hostile, traced, bars):
    origin = hostile({"plain": lambda x: x.proper()})
    busy = server()
    files = [File(n, 200_000) for n in range(bars.size(100))]
    # The row that makes a file visible names its location, so that is what the write-ahead log is searched for.
    trace = traced(busy, DURABLE, "-s", "4200")
    jobs = [busy.api.submit(origin.url("plain", file), **PLAIN)["id"] for file in files]
    right = sum(completed_right(busy, job, file) for job, file in zip(jobs, files))
    calls = trace.detach()
    bars.holds("D4", "publishes with the right sha256", right, equals=len(jobs))
    wrong = [problem for job in jobs if (problem := out_of_order(calls, job))]
    for problem in wrong[:3]:
        print(problem)
    bars.holds("D4", "write < fsync(file) < rename < fsync(folder) < commit", len(jobs) - len(wrong), equals=len(jobs))


def out_of_order(calls, job: str) -> str | None:
    """What is wrong with how one job was published, or None."""
    staged, content = f"staging/{job}.1", f"content/{job}/1"
    published = [call for call in calls if call.name.startswith("rename") and staged in call.arguments and content in call.arguments]
    commits = [call for call in calls if call.name == "pwrite64" and call.path.endswith("-wal") and content in call.arguments]
    if len(published) != 1 or not commits:
        return f"{job}: {len(published)} renames, {len(commits)} commits"
    rename, commit = published[0], commits[0]
    name = rename.texts[-1]
    writes = [call for call in calls if call.name == "pwrite64" and staged in call.path]
    synced = [call for call in calls if call.name == "fsync" and call.path.endswith(f"{staged}/{name}") and call.result == 0]
    if not writes or not any(max(writes, key=lambda call: call.ended).before(sync) and sync.before(rename) for sync in synced):
        return f"{job}: {name} is not synced between its last write and its rename"
    for folder in (content, f"content/{job}", "content"):
        if not any(call.name == "fsync" and call.path.endswith(f"/{folder}") and rename.before(call) and call.before(commit) for call in calls):
            return f"{job}: the folder {folder} is not synced between the rename and the commit"
    if not any(call.name == "fdatasync" and call.path == commit.path and commit.before(call) for call in calls):
        return f"{job}: the commit is not synced"
    return None


# Mutant: checkpoint_before_sync.
def test_d3_a_journal_never_says_more_than_is_on_disk(server, hostile, traced, bars):
    origin = hostile({"plain": lambda x: x.proper()})
    busy = server()
    file = File(1, bars.size(256 << 20))
    trace = traced(busy, DURABLE, "-s", "64")
    job = busy.api.submit(origin.url("plain", file), **PLAIN)["id"]
    assert completed_right(busy, job, file)
    calls = trace.detach()
    journals = [call for call in calls if call.name == "rename" and call.arguments.endswith('.journal"')]
    ahead, last = 0, -1
    for journal in journals:
        syncs = [call for call in calls if call.name == "fdatasync" and call.path.endswith(".trawl") and call.result == 0]
        ahead += not any(last < sync.began and sync.before(journal) for sync in syncs)
        last = journal.ended
    bars.holds("D3", "checkpoints", len(journals), at_least=file.size // (16 << 20))
    bars.holds("D3", "checkpoints written before their bytes were synced", ahead, equals=0)


# System call, error, and which calls of a thread fail. `~`: the paths that count for it.
FAULTS = [("pwrite64", "ENOSPC"), ("pwrite64", "EIO"), ("fdatasync", "EIO"), ("fsync", "EIO"), ("rename,renameat", "EDQUOT"), ("rename,renameat", "EIO"), ("openat,open", "EMFILE")]


# Mutant: synced_again.
def test_d5_system_calls_that_fail_cost_time_and_nothing_else(server, hostile, traced, bars, seeded):
    origin = hostile({"plain": lambda x: x.proper()})
    busy = server(server__io_threads=1, download__max_retries=10, jobs__lease_sec=3)
    everything = bars.size(4) == 4
    cases, failed, own, again = [], set(), set(), []
    for call, error in FAULTS:
        # Which call fails. Some are the database's, and some do not come so often: another one is tried then.
        for nth in range(1, 6) if everything else seeded.sample(range(1, 6), 3):
            file = File(len(cases), 24 << 20)
            trace = traced(busy, f"{DURABLE},openat,open", "-s", "0", "-e", f"inject={call}:error={error}:when={nth}")
            job = submit_all_the_same(busy, origin.url("plain", file))
            await_outcome(busy, job)
            calls = trace.detach()
            cases.append(((call, error, nth), job, file))
            injected = [call for call in calls if call.injected]
            failed |= {(call, error)} if injected else set()
            own |= {(call, error)} if any("trawl.db" not in one.path + one.arguments for one in injected) else set()
            again += synced_again(calls)
            assert busy.child.poll() is None, f"{call} {error} {nth}: {busy.tail()}"
            if (call, error) in own and not everything:
                break
    bars.holds("D5", f"faults that were met, of {len(FAULTS)}", len(failed), at_least=len(FAULTS) - 1)
    bars.holds("D5", "faults that met the download's own files", len(own), at_least=len(FAULTS) - 2)
    bars.holds("D5", "files synced again after fsync failed", len(again), equals=0)
    completed = wrong = 0
    for case, job, file in cases:
        body = busy.api.finish(job, within=120)
        completed += body["status"] == "completed"
        if body["status"] != "completed":
            print(case, body["error_code"], busy.api.log_text(job), sep="\n")
        wrong += body["status"] == "completed" and sha256_of(busy, body) != file.sha256()
    bars.holds("D5", f"completed with wrong bytes, of {completed}", wrong, equals=0)
    bars.holds("D5", "ended well in the end", completed / len(cases), at_least=1.0)
    bars.holds("D5", "crashes of the server", busy.starts - 1, equals=0)


def submit_all_the_same(server, url: str) -> str:
    """The database's calls fail as well: then the answer is a refusal that passes, a full disk's once it has been looked at again."""
    deadline = time.monotonic() + 60
    while (response := server.api.post("/api/v1/downloads", json={"url": url, **PLAIN})).status_code != 202:
        assert response.status_code in (503, 507) and "Retry-After" in response.headers, response.text
        assert time.monotonic() < deadline, f"never accepted: {response.text}"
        time.sleep(0.05)
    return response.json()["id"]


def await_outcome(server, job: str) -> None:
    """Until the first attempt is over, however it ended."""
    deadline = time.monotonic() + 60
    while True:
        body = server.api.get(f"/api/v1/downloads/{job}").json()
        if body.get("status") in ("completed", "failed") or body.get("retry_count") or body.get("error"):
            return
        assert time.monotonic() < deadline, f"{body}\n{server.api.log_text(job)}"
        time.sleep(0.02)


def synced_again(calls) -> list[str]:
    """Files that were synced after a sync of theirs had failed, while they were not removed."""
    failed, found = set(), []
    for call in sorted(calls, key=lambda call: call.ended):
        if call.name in ("fsync", "fdatasync"):
            if "trawl.db" in call.path:
                continue  # SQLite's own business.
            if call.path in failed:
                found.append(call.path)
            if call.injected:
                failed.add(call.path)
        elif call.name.startswith("unlink"):
            failed = {path for path in failed if not re.search(rf'(^|/){re.escape(path.rsplit("/", 1)[-1])}"', call.arguments)}
    return found
