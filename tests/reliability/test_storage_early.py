"""Bar D7 for uploads that begin while the file is still on its way: what arrived is stored in parts, and nothing of it is
believed that turns out otherwise. The origin gives no more than the test allows, so each moment is known."""
import asyncio
import sqlite3
import time
from dataclasses import dataclass

import pytest

from support.hostile_origin import Cut, File
from support.media import ROOT
from support.stored import PART, PLAIN, cleared, keys_of, later_whole, whole

SIZE = 6 * PART + 1000
PARTS = 7
FAULTS = {
    "create": ["500", "SlowDown", "dropped", "lost", "truncated"],
    "part": ["500", "SlowDown", "dropped", "lost", "truncated", "wrong_etag"],
    "complete": ["500", "SlowDown", "dropped", "lost", "truncated", "error200"],
    "head": ["500", "dropped"],
    "abort": ["500", "lost"],
    "list": ["500", "truncated"],
}
STEPS = ["s3.upload_begun", "kill -9", "s3.before_part@3", "objects.growing_noted", "s3.before_part"]


class Gate:
    """An origin that sends the bytes before `limit` of every file, and waits."""

    def __init__(self, hostile, limit: int = int(4.5 * PART)):
        self.limit = limit
        self.cut = False  # Ends the next connection that waits.
        self.origin = hostile({"gated": self.answer})

    async def wait(self, first: int, end: int) -> None:
        while end > self.limit:
            if self.cut:
                self.cut = False
                raise Cut
            await asyncio.sleep(0.01)

    async def answer(self, asked):
        await asked.proper(before=self.wait)

    def open(self) -> None:
        self.limit = 1 << 60

    def url(self, file: File) -> str:
        return self.origin.url("gated", file)


def reached(count, wanted: int, within: float = 40) -> None:
    deadline = time.monotonic() + within
    while count() < wanted:
        assert time.monotonic() < deadline, f"{count()} of {wanted}"
        time.sleep(0.02)


@pytest.fixture
def begun(stored, hostile):
    """A server, its proxy, an origin that waits, and a job of which four parts are stored."""
    def make(seed: int, program=None, size: int = SIZE, **options):
        one, proxy = stored(**options, **({"program": program} if program else {}))
        gate, file = Gate(hostile), File(seed, size)
        job = one.api.submit(gate.url(file), **PLAIN)["id"]
        reached(lambda: proxy.count("part"), 4)
        return one, proxy, gate, file, job
    return make


def ledger(one) -> list[tuple]:
    with sqlite3.connect(f"file:{one.storage / 'trawl.db'}?mode=ro", uri=True) as database:
        return database.execute("SELECT job_id, upload_id FROM object_writes").fetchall()


# Mutant: early_parts_wait.
def test_d7_parts_are_stored_while_the_rest_is_still_coming(begun, bucket, bars):
    one, proxy, gate, file, job = begun(200)
    assert one.api.show(job)["status"] == "running"
    assert bucket.objects() == set() and len(bucket.uploads()) == 1
    assert [(owner, bool(upload)) for owner, upload in ledger(one)] == [(job, True)]
    bars.holds("D7", "parts stored before the last byte had come, of seven", proxy.count("part"), equals=4)
    gate.open()
    done = one.api.finish(job)
    assert whole(bucket, done, file) and bucket.uploads() == []
    assert done["artifacts"][0]["sha256"] == file.sha256()
    bars.holds("D7", "uploads and parts made for a file that was sent early", (proxy.count("create"), proxy.count("part"), proxy.count("complete")),
               equals=(1, PARTS, 1))


def test_d7_what_is_going_to_be_changed_is_not_sent_early(stored, hostile, bucket):
    one, proxy = stored()
    gate, file = Gate(hostile), File(201, SIZE)
    job = one.api.submit(gate.url(file), embed_metadata=True)["id"]
    one.api.until(job, lambda body: body["progress"]["downloaded_bytes"] >= 4 * PART)
    assert proxy.count("create") == 0
    one.api.delete(f"/api/v1/downloads/{job}")


def test_d7_early_parts_can_be_switched_off(stored, hostile, bucket):
    one, proxy = stored(storage__s3__early_parts="false")
    gate, file = Gate(hostile), File(202, SIZE)
    job = one.api.submit(gate.url(file), **PLAIN)["id"]
    one.api.until(job, lambda body: body["progress"]["downloaded_bytes"] >= 4 * PART)
    assert proxy.count("create") == 0
    gate.open()
    assert whole(bucket, one.api.finish(job), file) and proxy.count("part") == PARTS


# Mutant: early_parts_of_an_older_file.
def test_d7_an_origin_that_changes_in_the_middle_leaves_nothing_of_the_old_file(stored, hostile, bucket, bars):
    old, new = File(210, SIZE), File(211, SIZE)
    one, proxy = stored(transfer__connections=1)
    gate = Gate(hostile)

    async def answer(asked):
        if asked.nth == 0:
            await asked.proper(before=gate.wait)
        await asked.proper(file=new, etag='"new"')

    gate.origin.answers["gated"] = answer
    job = one.api.submit(gate.url(old), **PLAIN)["id"]
    reached(lambda: proxy.count("part"), 4)
    gate.cut = True
    reached(lambda: int(not gate.cut), 1)
    gate.open()
    done = one.api.finish(job)
    assert proxy.count("create") == 2 and proxy.count("abort") >= 1
    bars.holds("D7", "the new file alone is stored after the origin changed it", whole(bucket, done, new), equals=True)
    assert done["artifacts"][0]["sha256"] == new.sha256() and bucket.uploads() == []


@dataclass(frozen=True)
class Mislabelled(File):
    """A WebM that goes by the name of an MP4, so that it is published under another name than it came by."""
    head = bytes.fromhex("1a45dfa39f4286810142f7810142f2810442f381084282847765626d4287810442858102")

    def piece(self, first: int, end: int) -> memoryview:
        taken = bytearray(super().piece(first, end))
        taken[:max(0, len(self.head) - first)] = self.head[first:end]
        return memoryview(taken)


def test_d7_a_file_that_is_published_otherwise_than_it_came_is_sent_as_a_whole(stored, hostile, bucket):
    one, proxy = stored()
    gate, file = Gate(hostile), Mislabelled(220, SIZE)

    async def answer(asked):
        await asked.proper(file=file, before=gate.wait)

    gate.origin.answers["gated"] = answer
    job = one.api.submit(gate.url(file), **PLAIN)["id"]
    reached(lambda: proxy.count("part"), 4)
    gate.open()
    done = one.api.finish(job)
    assert whole(bucket, done, file) and keys_of(bucket, done)[0].endswith(".webm")
    assert proxy.count("create") == 2 and bucket.uploads() == []


def test_d7_a_file_whose_parts_the_storage_denies_is_sent_as_a_whole(begun, bucket):
    one, proxy, gate, file, job = begun(221, fault=lambda operation, count: "wrong_etag" if operation == "part" and count == 1 else None)
    gate.open()
    assert whole(bucket, one.api.finish(job), file)
    assert proxy.count("create") == 2 and bucket.uploads() == []


def test_d7_a_lost_answer_to_complete_does_not_send_early_parts_again(begun, bucket, bars):
    one, proxy, gate, file, job = begun(222, fault=lambda operation, count: "lost" if operation == "complete" and count == 0 else None)
    gate.open()
    done = one.api.finish(job)
    assert proxy.count("complete", "lost") == 1 and whole(bucket, done, file)
    bars.holds("D7", "early uploads made for a Complete whose answer was lost", proxy.count("create"), equals=1)


# Mutant: early_parts_stay.
@pytest.mark.parametrize("order", ["cancel", "pause"])
def test_d7_an_order_in_the_middle_ends_the_upload(begun, bucket, bars, order):
    one, proxy, gate, file, job = begun(230)
    answer = one.api.delete(f"/api/v1/downloads/{job}") if order == "cancel" else one.api.post(f"/api/v1/downloads/{job}/pause")
    assert answer.status_code < 300, answer.text
    bars.holds("D7", f"until no upload is open after a {order}", cleared(bucket, [], 20), at_most=5.0, unit="s")
    if order == "pause":
        one.api.until(job, lambda body: body["status"] == "paused")
        gate.open()
        assert one.api.post(f"/api/v1/downloads/{job}/resume").status_code < 300
        assert whole(bucket, one.api.finish(job), file)
        path = gate.origin.path("gated", file)
        bars.holds("D7", "bytes fetched again after a pause", gate.origin.sent[path] / file.size - 1, at_most=0.15)


def test_d7_an_upload_goes_on_through_the_end_of_a_connection(begun, bucket):
    """The transfer goes on where it was, and so does the upload."""
    one, proxy, gate, file, job = begun(231, transfer__connections=1)
    gate.cut = True
    reached(lambda: int(not gate.cut), 1)
    gate.open()
    assert whole(bucket, one.api.finish(job), file)
    assert (proxy.count("create"), proxy.count("part")) == (1, PARTS)


# Mutant: early_upload_unnoted.
def test_d7_a_server_killed_in_the_middle_of_an_early_upload_leaves_nothing_behind(stored, bucket, hostile, bars):
    one, proxy = stored(program=ROOT / "build/dev/src/server/trawl")  # A release has no such places.
    one.stop()
    done, deaths = [], 0
    gate = Gate(hostile)
    for n, step in enumerate((STEPS * 4)[:bars.size(20, 3)]):
        gate.limit, before = int(4.5 * PART), proxy.count("part")
        one.env = {} if step == "kill -9" else {"FAILPOINT": step}
        one.start()
        file = File(240 + n, SIZE + n)
        job = one.api.submit(gate.url(file), **PLAIN)["id"]
        if step == "kill -9":
            reached(lambda: proxy.count("part"), before + 3)
            one.kill()
            deaths += 1
        else:
            deaths += one.died()
        one.start()
        gate.open()
        done.append(one.api.finish(job, 90))
        assert later_whole(bucket, done[-1], file), f"after {step}"
        one.stop()
    one.start()
    bars.holds("D7", "steps of an early upload the server died at", deaths, equals=len(done))
    bars.holds("D7", "until no early upload is open and no object is unreferenced, after kills", cleared(bucket, done), at_most=60.0, unit="s")


def test_d7_early_uploads_survive_what_a_storage_answers(stored, bucket, hostile, bars, seeded):
    def fault(operation, _):
        return seeded.choice(FAULTS[operation]) if operation in FAULTS and seeded.random() < 0.3 else None

    one, proxy = stored()
    proxy.fault = fault
    gate = Gate(hostile, 2 * PART)
    files = [File(260 + n, [SIZE, 3 * PART, 2 * PART + 7][n % 3] + n) for n in range(bars.size(24, 6))]
    jobs = [one.api.submit(gate.url(file), **PLAIN)["id"] for file in files]
    reached(lambda: proxy.count("part"), len(files))
    gate.open()
    done = [one.api.finish(job, 150) for job in jobs]
    bars.holds("D7", "faults met by early uploads", sum(1 for _, wrong in proxy.seen if wrong), at_least=len(files) // 2)
    bars.holds("D7", "objects with the right sha256 of early uploads", sum(whole(bucket, job, file) for job, file in zip(done, files)), equals=len(files))
    proxy.fault = lambda operation, count: None
    bars.holds("D7", "until no early upload is open and no object is unreferenced", cleared(bucket, done), at_most=60.0, unit="s")
