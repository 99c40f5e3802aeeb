"""Several servers over one PostgreSQL: what one does, the others show and can stop."""
import secrets
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from support import sqs
from support.postgres import Postgres
from support.probe import sha256
from support.redis import Redis
from support.sse import listen
from support.ws import watch


@pytest.fixture(scope="module")
def postgres():
    with tempfile.TemporaryDirectory(prefix="trawl-postgres-") as folder:  # Not pytest's, which only its owner may enter.
        Path(folder).chmod(0o755)
        server = Postgres(Path(folder) / "server").create().start()
        yield server
        server.stop()


@pytest.fixture
def pair(server, postgres, tmp_path, request):
    """A gateway and a worker, with Redis or SQS or neither."""
    redis = Redis(tmp_path / "redis").start() if request.param == "redis" else None
    queue = sqs.Sqs() if request.param == "sqs" else None
    common = {"db__url": postgres.create_database(f"{request.param}_{secrets.token_hex(4)}"), "storage__dir": tmp_path / "shared", **({"redis__url": redis.url} if redis else {}),
              **({"broker__url": queue.url, "broker__access_key": sqs.ACCESS, "broker__secret_key": sqs.SECRET} if queue else {})}
    gateway, worker = (server(server__role=role, jobs__lease_sec=3, **common) for role in ("gateway", "worker"))
    yield gateway, worker
    for one in (worker, gateway):
        one.close()
    if redis:
        redis.stop()
    if queue:
        queue.stop()
        assert queue.numbers > 0 and queue.polls > 0 and not queue.refused, "nobody rang, or with a wrong signature"
        assert not queue.messages, f"rings that nobody heard: {queue.messages}"


@pytest.mark.parametrize("pair", ["notify", "redis", "sqs"], indirect=True)
def test_a_gateway_shows_hands_out_and_stops_what_a_worker_does(pair, origin, tmp_path):
    gateway, worker = pair
    deadline = time.monotonic() + 30
    while worker.api.get("/health").status_code != 200:  # The engine is being warmed.
        assert time.monotonic() < deadline, worker.tail()
        time.sleep(0.1)
    assert worker.api.get("/api/v1/downloads").status_code == 404

    job = gateway.api.submit(origin.url("/slow/small.mp4"), embed_metadata=False)["id"]
    seen = watch(gateway.url, job, last_seq=0)
    assert seen.close_code == 1000 and [message["status"] for message in seen.finals] == ["completed"]
    assert seen.of("progress"), "progress of the worker does not reach the gateway"
    assert seen.seqs == sorted(set(seen.seqs))
    file = gateway.api.fetch(gateway.api.show(job)["file_info"], tmp_path)
    assert sha256(file) == sha256(origin.file("small.mp4"))

    job = gateway.api.submit(origin.url("/slow/small.mp4"), embed_metadata=False)["id"]
    watch(gateway.url, job, leave_when=lambda message: message["type"] == "progress")
    began = time.monotonic()
    assert gateway.api.delete(f"/api/v1/downloads/{job}").status_code in (200, 202)
    assert gateway.api.finish(job)["status"] == "cancelled"
    assert time.monotonic() - began < 8


@pytest.mark.parametrize("pair", ["died"], indirect=True)
def test_a_job_of_a_worker_that_was_killed_is_finished_by_another(pair, server, origin, tmp_path):
    gateway, worker = pair
    job = gateway.api.submit(origin.url("/slow/small.mp4"), embed_metadata=False)["id"]
    watch(gateway.url, job, leave_when=lambda message: message["type"] == "progress")
    worker.kill()
    worker.start()  # At once: the lease of the dead one has not run out, and is not taken from the living either.
    body = gateway.api.finish(job, within=90)
    assert body["status"] == "completed", f"{body}\n{gateway.api.log_text(job)}"
    assert sha256(gateway.api.fetch(body["file_info"], tmp_path)) == sha256(origin.file("small.mp4"))


def test_a_role_needs_a_database_that_can_be_shared(server, tmp_path):
    alone = server(start=False, server__role="worker")
    done = subprocess.run([alone.program, "serve", "--server.role", "worker", "--storage.dir", tmp_path], capture_output=True, text=True, timeout=30)
    assert done.returncode == 2 and "PostgreSQL" in done.stderr


@pytest.mark.parametrize("pair", ["notify"], indirect=True)
def test_streams_of_a_gateway_tell_what_a_worker_does(pair, origin):
    gateway, worker = pair
    job = gateway.api.submit(origin.url("/slow/small.mp4"), embed_metadata=False)["id"]
    seen = listen(gateway.api, job, last_event_id=0, within=90)
    assert seen.ended and seen.of("status")[-1]["status"] == "completed" and seen.of("progress")
    assert seen.ids == sorted(set(seen.ids)) and seen.ids == watch(gateway.url, job, last_seq=0).seqs
    later = gateway.api.submit(origin.url("other.mp4"), embed_metadata=False)
    began = time.monotonic()
    while later["status"] not in ("completed", "failed"):
        assert time.monotonic() - began < 60
        later = gateway.api.get(f"/api/v1/downloads/{later['id']}", params={"wait": 30, "state": later["state"], "phase": later["phase"]}, timeout=40).json()
    assert later["status"] == "completed"
