"""Bar D7: an object storage that fails in every way it knows, and a server that dies at every step of an upload."""
import functools

import pytest

from support.hostile_origin import File
from support.media import ROOT
from support.stored import PART, PLAIN, cleared, later_whole, whole

FAULTS = {
    "create": ["500", "SlowDown", "dropped", "lost", "truncated"],
    "part": ["500", "SlowDown", "dropped", "lost", "truncated", "wrong_etag"],
    "complete": ["500", "SlowDown", "dropped", "lost", "truncated", "error200"],
    "put": ["500", "SlowDown", "dropped", "lost", "truncated"],
    "head": ["500", "dropped"],
    "abort": ["500", "lost"],
    "delete": ["500", "lost"],
    "list": ["500", "truncated"],
}
STEPS = ["objects.noted", "s3.upload_begun", "s3.before_part", "s3.before_part@2", "s3.before_part@3", "s3.before_complete", "s3.upload_completed"]


@pytest.fixture
def stored(stored):
    """A file is sent when it is whole; test_storage_early.py has the uploads that begin before."""
    return functools.partial(stored, storage__s3__early_parts="false")


def test_d7_uploads_survive_what_a_storage_answers(stored, bucket, hostile, bars, seeded):
    origin = hostile({"plain": lambda asked: asked.proper()})

    def fault(operation, _):
        return seeded.choice(FAULTS[operation]) if operation in FAULTS and seeded.random() < 0.3 else None

    one, proxy = stored()
    proxy.fault = fault
    files = [File(n, size) for n, size in enumerate([3 * PART + 1000, 2 * PART, 100_000][n % 3] + n for n in range(bars.size(30, 8)))]
    jobs = [one.api.submit(origin.url("plain", file), **PLAIN)["id"] for file in files]
    done = [one.api.finish(job, 120) for job in jobs]
    spoilt = sum(1 for _, wrong in proxy.seen if wrong)
    for job, file in zip(done, files):
        if job["status"] != "completed":
            print(file, job["error"], one.api.log_text(job["id"]))
    bars.holds("D7", "faults met", spoilt, at_least=len(files) // 2)
    bars.holds("D7", "objects with the right sha256", sum(whole(bucket, job, file) for job, file in zip(done, files)), equals=len(files))
    proxy.fault = lambda operation, count: None
    bars.holds("D7", "until no upload is open and no object is unreferenced", cleared(bucket, done), at_most=60.0, unit="s")


def test_d7_a_lost_answer_to_complete_is_found_out_and_not_uploaded_again(stored, bucket, hostile, bars):
    origin = hostile({"plain": lambda asked: asked.proper()})
    one, proxy = stored(lambda operation, count: "lost" if operation == "complete" and count == 0 else None)
    file = File(90, 2 * PART + 5)
    job = one.api.completed(origin.url("plain", file), **PLAIN)
    assert proxy.count("complete", "lost") == 1
    bars.holds("D7", "uploads made for a Complete whose answer was lost", proxy.count("create"), equals=1)
    assert whole(bucket, job, file)


# Mutant: s3_answer_believed.
def test_d7_an_error_in_a_200_is_an_error(stored, bucket, hostile, bars):
    origin = hostile({"plain": lambda asked: asked.proper()})
    one, proxy = stored(lambda operation, count: "error200" if operation == "complete" and count == 0 else None)
    file = File(93, 2 * PART + 5)
    job = one.api.completed(origin.url("plain", file), **PLAIN)
    assert proxy.count("complete", "error200") == 1
    bars.holds("D7", "objects after a Complete that failed with status 200", whole(bucket, job, file), equals=True)


# Mutant: s3_lost_upload_left.
def test_d7_an_upload_whose_id_was_lost_is_aborted(stored, bucket, hostile, bars):
    origin = hostile({"plain": lambda asked: asked.proper()})
    one, proxy = stored(lambda operation, count: "lost" if operation == "create" and count == 0 else None)
    file = File(94, 2 * PART + 5)
    job = one.api.completed(origin.url("plain", file), **PLAIN)
    assert proxy.count("create", "lost") == 1 and whole(bucket, job, file)
    bars.holds("D7", "open uploads after one whose id was lost", len(bucket.uploads()), equals=0)


def test_d7_another_etag_than_the_servers_begins_the_upload_anew(stored, bucket, hostile, bars):
    origin = hostile({"plain": lambda asked: asked.proper()})
    one, proxy = stored(lambda operation, count: "wrong_etag" if operation == "part" and count == 0 else None)
    file = File(91, 2 * PART + 5)
    job = one.api.completed(origin.url("plain", file), **PLAIN)
    bars.holds("D7", "uploads made for a part whose ETag was changed", proxy.count("create"), equals=2)
    assert whole(bucket, job, file) and bucket.uploads() == []


# Mutant: s3_upload_unnoted.
def test_d7_a_server_killed_at_every_step_of_an_upload_leaves_nothing_behind(stored, bucket, hostile, bars):
    origin = hostile({"plain": lambda asked: asked.proper()})
    one, _ = stored(program=ROOT / "build/dev/src/server/trawl")  # A release has no such places.
    one.stop()
    done, deaths = [], 0
    for n, step in enumerate(STEPS * bars.size(4, 1)):
        one.env = {"FAILPOINT": step}
        one.start()
        file = File(100 + n, 3 * PART + n)
        job = one.api.submit(origin.url("plain", file), **PLAIN)["id"]
        deaths += one.died()
        one.start()
        done.append(one.api.finish(job, 90))
        assert later_whole(bucket, done[-1], file), f"after {step}"
        one.stop()
    one.start()
    bars.holds("D7", "steps the server died at", deaths, equals=len(done))
    bars.holds("D7", "until no upload is open and no object is unreferenced, after kills", cleared(bucket, done), at_most=60.0, unit="s")


# Mutant: s3_without_abort.
def test_d7_an_upload_that_cannot_be_finished_is_aborted(stored, bucket, hostile, bars):
    origin = hostile({"plain": lambda asked: asked.proper()})
    one, proxy = stored(lambda operation, count: "dropped" if operation == "part" and count > 0 else None, download__max_retries=0)
    job = one.api.finish(one.api.submit(origin.url("plain", File(92, 3 * PART)), **PLAIN)["id"], 120)
    assert job["status"] == "failed" and job["error_code"] == "storage_unavailable", job
    assert proxy.count("create") == 1
    bars.holds("D7", "open uploads after one that was given up", len(bucket.uploads()), equals=0)
