"""Pause, resume, retry, dead letters and Idempotency-Key, over HTTP against real origins."""
import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from support import rude_plugin
from support.api import check_error
from support.invariants import Invariants
from support.probe import sha256
from support.ws import watch


def ask(served, job, verb, status=200):
    response = served.api.post(f"/api/v1/downloads/{job}/{verb}")
    assert response.status_code == status, f"{verb}: {response.status_code} {response.text}"
    return response.json()


def paused(served, job):
    response = served.api.post(f"/api/v1/downloads/{job}/pause")
    assert response.status_code in (200, 202), response.text
    return served.api.until(job, lambda body: body["status"] == "paused", within=20)


def bytes_asked_for(origin, path):
    """How much of `path` GET requests asked nginx for, by their ranges."""
    ranges = [re.search(r'"bytes=(\d+)-(\d*)"', line) for line in origin.requests() if f"GET {path} " in line]
    return [(int(found[1]), found[2]) for found in ranges if found]


@pytest.mark.parametrize("native", ["true", "false"])
def test_a_pause_stops_the_work_and_a_resume_goes_on_with_what_is_there(server, origin, tmp_path, native):
    served = server(transfer__native=native, transfer__connections=1)
    idle = served.at_rest()
    job = served.api.submit(origin.url("/slow/bench.mp4"), embed_metadata=False)["id"]
    served.api.until(job, lambda body: body["progress"]["downloaded_bytes"] > 300_000)
    body = paused(served, job)
    assert body["state"] == "paused" and body["retry_count"] == 0 and body["can_retry"] is False
    deadline = time.monotonic() + 6
    while served.processes() - idle:
        assert time.monotonic() < deadline, "the child goes on"
        time.sleep(0.02)
    requests = len(origin.requests())
    kept = sum(file.stat().st_size for file in (served.storage / "staging").rglob("*") if file.is_file() and "media" in file.name)
    assert kept > 200_000, f"only {kept} bytes were kept"
    # It also is paused after a restart, and does not go on by itself.
    served.stop()
    served.start()
    assert served.api.show(job)["status"] == "paused" and len(origin.requests()) == requests

    assert ask(served, job, "resume")["status"] == "queued"
    done = served.api.finish(job)
    assert done["status"] == "completed", served.api.log_text(job)
    assert sha256(served.api.fetch(done["file_info"], tmp_path)) == sha256(origin.file("bench.mp4"))
    assert max(start for start, _ in bytes_asked_for(origin, "/slow/bench.mp4")) > 200_000, "it began anew"
    check_error(served.api.post(f"/api/v1/downloads/{job}/pause"), 409, "already_final")
    check_error(served.api.post(f"/api/v1/downloads/{job}/resume"), 409, "not_paused")
    check_error(served.api.post(f"/api/v1/retry/{job}"), 400, "not_retryable")
    Invariants(served).check([job])


def test_what_waits_is_paused_resumed_and_cancelled_at_once(server, origin):
    served = server(download__max_concurrent=1)
    busy = served.api.submit(origin.url("/crawl/bench.mp4"))["id"]
    served.api.until(busy, lambda body: body["status"] == "running")
    queued = served.api.submit(origin.url("small.mp4"), embed_metadata=False)["id"]
    later = served.api.submit(origin.url("small.mp4"), scheduled_at="2090-01-01T00:00:00Z")
    assert later["state"] == "scheduled" and later["status"] == "queued"
    for job in (queued, later["id"]):
        assert ask(served, job, "pause")["status"] == "paused"
    assert served.api.get("/api/v1/downloads", params={"status": "paused"}).json()["total"] == 2
    assert ask(served, later["id"], "resume")["state"] == "scheduled"
    assert served.api.delete(f"/api/v1/downloads/{later['id']}").json()["status"] == "cancelled"
    assert served.api.delete(f"/api/v1/downloads/{busy}").status_code == 200
    assert served.api.post(f"/jobs/{queued}/resume").status_code == 200
    assert served.api.finish(queued)["status"] == "completed"
    Invariants(served).check([busy, queued, later["id"]])


def test_a_deadline_ends_what_runs_and_what_waits(server, origin):
    served = server(download__max_concurrent=1)
    soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 4))
    running = served.api.submit(origin.url("/crawl/bench.mp4"), deadline=soon)["id"]
    served.api.running(running)
    waiting = served.api.submit(origin.url("/crawl/bench.mp4"), deadline=soon)["id"]
    for job in (running, waiting):
        body = served.api.finish(job, within=30)
        assert (body["status"], body["state"], body["error_code"]) == ("failed", "expired", "deadline_passed"), body
    Invariants(served).check([running, waiting])


def test_a_dead_letter_tells_its_history_and_lives_again(server, origin, tmp_path):
    served = server(engine__plugin_dirs=rude_plugin.install(tmp_path / "plugins"))
    job = served.api.submit(origin.url("/rude/crash"))["id"]
    assert served.api.finish(job, within=60)["state"] == "dead"
    letters = served.api.get("/api/v1/admin/dlq").json()
    assert letters["total"] == 1 and letters["dead_letters"][0]["job_id"] == job
    letter = letters["dead_letters"][0]
    assert letter["reason"] == "engine_crashed" and letter["crashes"] == 3 and letter["replay_count"] == 0
    assert [attempt["state"] for attempt in letter["history"]] == ["retry_wait", "retry_wait", "dead"]
    assert letter["first_failed_at"] < letter["last_failed_at"]

    assert served.api.post(f"/api/v1/admin/dlq/{job}/replay").json()["status"] == "queued"
    again = served.api.finish(job, within=60)
    assert again["state"] == "dead" and again["replay_count"] == 1 and again["attempts"] == 6
    finals = watch(served.url, job, last_seq=0).finals
    assert len(finals) == 2
    Invariants(served).check([job])
    assert served.api.delete(f"/api/v1/admin/dlq/{job}").json()["deleted"] == 1
    assert served.api.get("/api/v1/admin/dlq").json()["total"] == 0
    check_error(served.api.post(f"/api/v1/admin/dlq/{job}/replay"), 404)


def test_the_queue_is_shown_to_those_who_run_it(server, origin):
    served = server(download__max_concurrent=1)
    job = served.api.submit(origin.url("/crawl/bench.mp4"))["id"]
    served.api.running(job)
    served.api.submit(origin.url("small.mp4"))
    queue = served.api.get("/api/v1/admin/queue").json()
    assert (queue["queue_length"], queue["active_jobs"], queue["total_jobs"]) == (1, 1, 2)
    assert queue["owners"] == [{"owner": "", "queued": 1, "running": 1, "paused": 0, "oldest": queue["owners"][0]["oldest"]}]
    workers = served.api.get("/api/v1/admin/workers").json()["workers"]
    assert len(workers) == 1 and workers[0]["here"] and workers[0]["slots"] == 1
    assert [run["job_id"] for run in workers[0]["running"]] == [job] and workers[0]["running"][0]["host"] == "127.0.0.1"
    assert served.api.get("/api/v1/admin/breakers").json() == {"breakers": []}


def test_an_idempotency_key_makes_one_job_of_many_requests(server, origin):
    served = server()
    body = {"url": origin.url("small.mp4"), "scheduled_at": "2090-01-01T00:00:00Z"}

    def post(key, changed=None):
        return served.api.post("/api/v1/downloads", json=changed or body, headers={"Idempotency-Key": key})

    first = post("k-1")
    assert first.status_code == 202
    again = post("k-1")
    assert (again.status_code, again.content, again.headers["location"]) == (202, first.content, first.headers["location"])
    check_error(post("k-1", {**body, "priority": 7}), 422, "idempotency_key_reused")
    check_error(post("x" * 256), 400, "invalid_idempotency_key")
    # Refusals are not stored.
    check_error(post("k-2", {"url": "ftp://a/b"}), 422)
    assert post("k-2").status_code == 202

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: post("k-3"), range(24)))
    assert {answer.status_code for answer in answers} <= {202, 409}
    assert all(answer.headers["retry-after"] for answer in answers if answer.status_code == 409)
    assert len({answer.content for answer in answers if answer.status_code == 202}) == 1
    # An engine host that is still starting would outlive the kill for a moment.
    served.api.until_ready()
    served.kill()
    served.start()
    assert post("k-1").content == first.content
    assert served.api.get("/api/v1/downloads").json()["total"] == 3


@pytest.mark.parametrize("path, body", [
    ("/api/v1/downloads", lambda address: [address("small.mp4"), address("other.mp4")]),
    ("/api/v1/downloads", lambda address: {"urls": [address("small.mp4"), address("other.mp4")]}),
    ("/api/v1/batches", lambda address: {"urls": [address("small.mp4"), address("other.mp4")]}),
    ("/api/v1/playlist/download", lambda address: {"url": address("/nowhere.xml")})])
def test_an_idempotency_key_makes_one_batch_of_many_requests(server, origin, path, body):
    served = server(download__max_concurrent=1)
    request = body(origin.url)

    def post(changed=None):
        return served.api.post(path, json=changed or request, headers={"Idempotency-Key": "b-1"})

    first = post()
    assert first.status_code in (201, 202), first.text
    again = post()
    assert (again.status_code, again.content, again.headers["location"]) == (first.status_code, first.content, first.headers["location"])
    assert again.headers["idempotent-replayed"] == "true"
    check_error(post({"url": origin.url("/elsewhere.xml")} if "playlist" in path else {"urls": [origin.url("small.mp4"), origin.url("long.mp4")]}), 422, "idempotency_key_reused")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: post(), range(16)))
    assert {answer.status_code for answer in answers} <= {first.status_code, 409}
    served.kill()
    served.start()
    assert post().content == first.content
    assert served.api.get("/api/v1/batches").json()["total"] == 1


def test_an_owner_that_has_enough_waiting_is_told_when_to_come_back(server, origin):
    served = server(jobs__max_queued_per_owner=2)
    later = {"url": origin.url("small.mp4"), "scheduled_at": "2090-01-01T00:00:00Z"}
    assert [served.api.post("/api/v1/downloads", json=later).status_code for _ in range(2)] == [202, 202]
    refused = served.api.post("/api/v1/downloads", json=later)
    check_error(refused, 429, "too_many_queued")
    assert int(refused.headers["retry-after"]) >= 1
