"""Pause, resume, cancel and retry at every stage of a download; its time, its host's breaker."""
import time
from datetime import datetime, timedelta, timezone

import pytest

from support import rude_plugin
from support.invariants import Invariants
from support.probe import sha256
from support.slow_ffmpeg import slow_ffmpeg as slowed

STAGES = ["scheduled", "queued", "extracting", "downloading", "post_processing", "retry_wait"]


@pytest.fixture
def slow_ffmpeg():
    """Takes two seconds longer over a file."""
    with slowed("*-version*|*-bsfs*) ;; *) sleep 2 ;;") as program:
        yield program


@pytest.fixture
def staged(server, origin, tmp_path, slow_ffmpeg):
    """`staged(stage)`: a server, and a function that submits a download which it returns once it is in that stage."""
    def make(stage):
        served = server(engine__plugin_dirs=rude_plugin.install(tmp_path / "plugins"), download__max_concurrent=2, ffmpeg__path=slow_ffmpeg)
        options = {
            "scheduled": {"url": origin.url("small.mp4"), "scheduled_at": (datetime.now(timezone.utc) + timedelta(seconds=3600)).isoformat()},
            "queued": {"url": origin.url("small.mp4")},
            "extracting": {"url": origin.url("/rude/sleep_2000")},
            "downloading": {"url": origin.url("/slow/small.mp4")},
            "post_processing": {"url": origin.url("small.mp4"), "quality": "audio", "audio_format": "flac"},
            "retry_wait": {"url": origin.url("/busy/small.mp4")}}[stage]

        def submit():
            if stage == "queued":
                for _ in range(2):
                    served.api.running(served.api.submit(origin.url("/crawl/bench.mp4"), single_flight=False, priority=10)["id"])
            job = served.api.submit(**options, embed_metadata=False, single_flight=False)["id"]
            where = "state" if stage in ("scheduled", "queued", "retry_wait") else "phase"
            served.api.until(job, lambda body: in_stage(served, job, where, stage))
            return job
        return served, submit
    return make


def in_stage(served, job, where, stage):
    [found] = Invariants(served).rows(f"SELECT {where} FROM jobs WHERE id = '{job}'")
    return found[0] == stage


def ask(served, job, verb):
    response = served.api.post(f"/api/v1/downloads/{job}/{verb}")
    assert response.status_code in (200, 202), f"{verb}: {response.status_code} {response.text}"
    return response.json()


def idle(served, children):
    deadline = time.monotonic() + 6
    while served.processes() - children:
        assert time.monotonic() < deadline, "a child goes on"
        time.sleep(0.02)


@pytest.mark.parametrize("stage", STAGES)
def test_a_download_is_paused_resumed_cancelled_and_retried_at_every_stage(staged, origin, tmp_path, stage):
    served, submit = staged(stage)
    children = served.at_rest()
    job = submit()
    ask(served, job, "pause")
    served.api.until(job, lambda body: body["status"] == "paused", within=20)
    if stage != "queued":
        idle(served, children)
    assert ask(served, job, "resume")["status"] == "queued"

    if stage in ("extracting", "downloading", "post_processing"):
        done = served.api.finish(job)
        assert done["status"] == "completed", served.api.log_text(job)
        if stage != "post_processing":
            assert sha256(served.api.fetch(done["file_info"], tmp_path)) == sha256(origin.file("small.mp4"))
        job = submit()
    answer = served.api.delete(f"/api/v1/downloads/{job}")
    assert answer.status_code == 200, answer.text
    assert served.api.finish(job, within=10)["status"] == "cancelled"
    if stage == "queued":
        for other in served.api.get("/api/v1/downloads", params={"status": "running"}).json()["downloads"]:
            served.api.delete(f"/api/v1/downloads/{other['id']}")
    idle(served, children)

    again = ask(served, job, "retry")
    assert again["status"] == "queued", again
    if stage == "retry_wait":
        served.api.until(job, lambda body: body["state"] == "retry_wait")
        served.api.delete(f"/api/v1/downloads/{job}")
    else:
        assert served.api.finish(job)["status"] == "completed", served.api.log_text(job)
    Invariants(served).check([body["id"] for body in served.api.get("/api/v1/downloads").json()["downloads"]], files=False)


def test_a_scheduled_download_starts_at_its_time_also_when_the_server_was_down_then(server, origin):
    served = server()
    at = datetime.now(timezone.utc) + timedelta(seconds=3)
    early = served.api.submit(origin.url("small.mp4"), scheduled_at=at.isoformat(), embed_metadata=False)["id"]
    missed = served.api.submit(origin.url("other.mp4"), scheduled_at=(at - timedelta(seconds=2)).isoformat(), embed_metadata=False)["id"]
    assert served.api.show(early)["state"] == "scheduled"
    served.kill()
    served.start()
    for job in (missed, early):
        assert served.api.finish(job, within=20)["status"] == "completed"
    started = datetime.fromisoformat(served.api.show(early)["started_at"].replace("Z", "+00:00"))
    assert started >= at - timedelta(milliseconds=1), f"{at - started} too early"
    Invariants(served).check([early, missed])


def test_a_host_that_fails_five_times_in_a_row_is_left_alone(server, origin):
    served = server(download__max_concurrent=1)
    failed = [served.api.submit(origin.url(f"/broken/{n}.mp4"), max_retries=0)["id"] for n in range(5)]
    for job in failed:
        assert served.api.finish(job)["status"] == "failed"
    [breaker] = served.api.get("/api/v1/admin/breakers").json()["breakers"]
    assert (breaker["host"], breaker["state"], breaker["failures"]) == ("127.0.0.1", "open", 5), breaker
    asked = len(origin.requests())
    waits = served.api.submit(origin.url("small.mp4"), embed_metadata=False)["id"]
    elsewhere = served.api.submit(origin.url("other.mp4").replace("127.0.0.1", "localhost"), embed_metadata=False)["id"]
    assert served.api.finish(elsewhere)["status"] == "completed", served.api.log_text(elsewhere)
    assert served.api.show(waits)["state"] == "queued"
    assert not [line for line in origin.requests()[asked:] if "small.mp4" in line], "it was asked while it is left alone"
    # The first one after half a minute tries it, and closes the breaker.
    assert served.api.finish(waits, within=60)["status"] == "completed"
    assert served.api.get("/api/v1/admin/breakers").json()["breakers"] == []
    Invariants(served).check([*failed, waits, elsewhere], files=False)
