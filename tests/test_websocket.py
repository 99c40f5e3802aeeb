"""The WebSocket of a job: nothing that is not progress is ever missed."""
import asyncio
import contextlib
import concurrent.futures

import pytest
import websockets

from support.ws import watch

PATHS = ["/api/v1/ws/downloads/{}", "/ws/progress/{}"]


@pytest.mark.parametrize("path", PATHS)
def test_it_greets_shows_the_job_follows_it_and_closes_after_the_final_status(shared, api, origin, path):
    job = api.submit(origin.url("/slow/small.mp4"), embed_metadata=False)["id"]
    seen = watch(shared.url, job, path=path)
    assert [message["type"] for message in seen.messages[:2]] == ["connected", "snapshot"]
    connected, snapshot = seen.messages[:2]
    assert connected["job_id"] == job and connected["message"] and connected["timestamp"]
    assert snapshot["job"]["id"] == job and snapshot["last_seq"] >= 0
    assert {message["type"] for message in seen.messages[2:]} <= {"progress", "status", "log"}
    assert seen.of("progress") and seen.of("status") and seen.of("log")
    assert seen.messages[-1]["final"] and seen.messages[-1]["status"] == "completed" and len(seen.finals) == 1
    assert seen.close_code == 1000
    assert all({"seq", "job_id", "status", "phase", "message", "final", "timestamp"} <= message.keys() for message in seen.of("status"))
    assert all({"seq", "job_id", "level", "message", "timestamp"} <= message.keys() for message in seen.of("log"))
    assert seen.seqs == sorted(set(seen.seqs)) and min(seen.seqs) > snapshot["last_seq"]


def test_progress_is_complete_monotonic_and_at_most_four_a_second(shared, api, origin):
    job = api.submit(origin.url("/slow/small.mp4"), embed_metadata=False)["id"]
    seen = watch(shared.url, job)
    updates = seen.of("progress")
    for update in updates:
        assert update["job_id"] == job and update["timestamp"]
        progress = update["progress"]
        assert {"percent", "downloaded_bytes", "total_bytes", "speed", "eta", "status", "current", "total"} <= progress.keys()
        assert 0 <= progress["percent"] <= 100 and progress["total"] == 100 and progress["current"] == pytest.approx(progress["percent"], abs=1)
    downloading = [update["progress"]["downloaded_bytes"] for update in updates if update["progress"]["status"] == "downloading"]
    assert downloading == sorted(downloading) and len(set(downloading)) >= 3
    arrivals = [at for at, message in zip(seen.arrivals, seen.messages) if message["type"] == "progress"]
    assert len(arrivals) <= 4 * (arrivals[-1] - arrivals[0]) + 2


def test_a_watcher_who_comes_back_misses_nothing_that_is_not_progress(shared, api, origin):
    job = api.submit(origin.url("/slow/small.mp4"), embed_metadata=False)["id"]
    first = watch(shared.url, job, last_seq=0, leave_when=lambda message: message["type"] == "progress")
    api.finish(job)
    rest = watch(shared.url, job, last_seq=max(first.seqs))
    everything = watch(shared.url, job, last_seq=0)
    assert first.seqs + rest.seqs == everything.seqs == sorted(set(everything.seqs))
    assert len(everything.finals) == 1 and everything.messages[-1] == rest.messages[-1]
    assert rest.close_code == everything.close_code == 1000


def test_a_finished_job_is_shown_and_the_connection_closed(shared, api, origin):
    job = api.completed(origin.url("small.mp4"), embed_metadata=False)["id"]
    seen = watch(shared.url, job, within=10)
    assert seen.messages[1]["job"]["status"] == "completed" and seen.close_code == 1000


def test_many_watchers_of_one_job_see_the_same(shared, api, origin):
    job = api.submit(origin.url("/slow/small.mp4"), embed_metadata=False)["id"]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(lambda _: watch(shared.url, job, last_seq=0), range(8)))
    assert len({tuple(one.seqs) for one in seen}) == 1 and all(len(one.finals) == 1 for one in seen)


def test_cancelling_ends_with_one_final_status(shared, api, origin):
    job = api.submit(origin.url("/crawl/bench.mp4"))["id"]
    api.running(job)
    api.delete(f"/api/v1/downloads/{job}")
    seen = watch(shared.url, job, last_seq=0, within=15)
    assert [message["status"] for message in seen.finals] == ["cancelled"] and seen.close_code == 1000


def test_a_ping_of_the_client_is_answered(shared, api, origin):
    job = api.submit(origin.url("/slow/small.mp4"))["id"]
    seen = watch(shared.url, job, say=[{"type": "ping"}], leave_when=lambda message: message["type"] == "pong", within=10)
    assert seen.messages[-1]["type"] == "pong"
    api.delete(f"/api/v1/downloads/{job}")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("job", ["01890a5d-ac96-774b-bcce-b302099a8057", "x"])
def test_an_unknown_job_is_refused(shared, api, path, job):
    try:
        seen = watch(shared.url, job, path=path, within=10)
    except websockets.InvalidStatusCode as refused:
        assert refused.status_code == 404
    else:
        assert seen.close_code == 4004 and seen.messages == []


@pytest.mark.parametrize("text", ["{", "[]", "x" * 200_000, '{"type": "nonsense"}'], ids=["cut", "array", "long", "unknown"])
def test_nonsense_from_a_client_harms_only_itself(shared, api, origin, text):
    job = api.submit(origin.url("/slow/small.mp4"), embed_metadata=False)["id"]

    async def talk():
        async with websockets.connect(f"{shared.url.replace('http', 'ws', 1)}/ws/progress/{job}") as socket:
            await socket.send(text)

    # What is too long is not read to its end, so the reset may overtake the close frame.
    with contextlib.suppress(websockets.ConnectionClosed):
        asyncio.run(talk())
    assert api.finish(job)["status"] == "completed"
