"""Events of downloads over plain HTTP and over one WebSocket for all of them, and answers that wait."""
import asyncio
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import websockets

from support.api import check_error
from support.keys import ADMIN_KEY, make
from support.sse import listen
from support.ws import watch

LATER = "2090-01-01T00:00:00Z"


# --- Server-sent events


@pytest.mark.parametrize("path", ["/api/v1/downloads/{}/events", "/api/v1/download/{}/events", "/downloads/{}/events", "/jobs/{}/events"])
def test_a_stream_follows_a_download_to_its_end_and_ends(shared, api, origin, path):
    job = api.submit(origin.url("/slow/small.mp4" if path.startswith("/api/v1/downloads") else "small.mp4"), embed_metadata=False)["id"]
    seen = listen(api, job, last_event_id=0, path=path)
    assert seen.ended and [event for _, event, _ in seen.events[:2]] == ["connected", "snapshot"]
    assert seen.of("snapshot")[0]["job"]["id"] == job
    final = seen.events[-1]
    assert final[1] == "status" and final[2]["final"] and final[2]["status"] == "completed"
    assert seen.ids == sorted(set(seen.ids)) and all(int(number) == data["seq"] for number, event, data in seen.events if event in ("status", "log"))
    assert all(number is None for number, event, _ in seen.events if event in ("connected", "progress"))
    # It is what the WebSocket tells.
    socket = watch(shared.url, job, last_seq=0)
    assert seen.of("status", "log") == socket.of("status", "log")
    if "/slow/" in api.show(job)["url"]:
        assert seen.of("progress")


def test_a_stream_goes_on_where_another_one_broke_off(api, origin):
    job = api.submit(origin.url("/slow/small.mp4"), embed_metadata=False)["id"]
    first = listen(api, job, last_event_id=0, leave_when=lambda seen: len(seen.ids) >= 3)
    assert not first.ended
    rest = listen(api, job, last_event_id=first.ids[-1])
    assert rest.ended and rest.of("status")[-1]["final"]
    whole = listen(api, job, last_seq=0)
    assert first.ids + rest.ids == whole.ids
    # The snapshot has an id too, so that who saw only that misses nothing either.
    again = listen(api, job, last_event_id=next(int(number) for number, event, _ in first.events if event == "snapshot"))
    assert again.ids[-1] == whole.ids[-1]


def test_who_has_seen_the_end_is_told_not_to_come_back(api, origin):
    job = api.completed(origin.url("small.mp4"), embed_metadata=False)["id"]
    seen = listen(api, job)
    assert seen.ended and seen.of("status")[-1]["final"] and len(seen.ids) == 1
    assert listen(api, job, last_event_id=seen.ids[-1]).status == 204
    for wrong in ("x", "-1", "1e3"):
        check_error(api.get(f"/api/v1/downloads/{job}/events", headers={"Last-Event-ID": wrong}), 422, "validation_error")
    check_error(api.get("/api/v1/downloads/01890000-0000-7000-8000-000000000000/events"), 404)
    head = api.head(f"/api/v1/downloads/{job}/events")
    assert head.status_code == 200 and head.headers["content-type"].startswith("text/event-stream")


def test_silence_is_kept_alive_and_a_stopping_server_ends_streams_whole_and_answers_who_waits(server, origin):
    served = server(server__keep_alive_sec=1, server__shutdown_grace_sec=10)
    job = served.api.submit(origin.url("small.mp4"), scheduled_at=LATER)["id"]
    with ThreadPoolExecutor(2) as pool:
        told = threading.Event()
        stream = pool.submit(lambda: listen(served.as_key(None), job, leave_when=lambda seen: len(seen.comments) >= 2 and told.set()))
        poll = pool.submit(lambda: served.as_key(None).get(f"/api/v1/downloads/{job}", params={"wait": 60}, timeout=70))
        assert told.wait(20), "no comment came"
        took = served.stop()
        seen, waited = stream.result(20), poll.result(20)
    assert seen.ended and not seen.of("status")
    assert waited.status_code == 200 and waited.json()["status"] == "queued"
    assert took < 8


def test_a_stream_shows_nothing_of_others_and_ends_when_its_key_is_revoked(guarded, origin):
    mine, key, key_id = make(guarded)
    theirs, *_ = make(guarded)
    job = mine.submit(origin.url("/crawl/bench.mp4"), embed_metadata=False)["id"]
    check_error(theirs.get(f"/api/v1/downloads/{job}/events"), 404)
    assert listen(guarded.api, job, leave_when=lambda seen: seen.of("snapshot")).status == 200
    with ThreadPoolExecutor(1) as pool:
        begun = threading.Event()
        stream = pool.submit(lambda: listen(mine, job, leave_when=lambda seen: seen.of("progress") and begun.set()))
        assert begun.wait(30)
        assert guarded.api.delete(f"/api/v1/admin/api-keys/{key_id}").status_code == 200
        revoked = time.monotonic()
        seen = stream.result(20)
    assert seen.ended and not seen.of("status")[-1:] or not seen.of("status")[-1]["final"]
    assert time.monotonic() - revoked < 5
    assert guarded.api.delete(f"/api/v1/downloads/{job}").status_code == 200


# --- One WebSocket for everything


class Firehose:
    """Collects what `/ws` says, in a thread of its own, until it is closed."""

    def __init__(self, base_url: str, key: str, path: str = "/api/v1/ws", query: str = ""):
        self.messages: list[dict] = []
        self.closed: int | None = None
        self._url = base_url.replace("http://", "ws://") + f"{path}?api_key={key}{query}"
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self._thread.start()
        assert self._ready.wait(10)

    async def _run(self):
        self._loop = asyncio.get_running_loop()
        async with websockets.connect(self._url, open_timeout=10) as self._socket:
            try:
                while True:
                    self.messages.append(json.loads(await self._socket.recv()))
                    self._ready.set()
            except websockets.ConnectionClosed as closed:
                self.closed = closed.rcvd.code if closed.rcvd else 1006

    def until(self, done, within=30):
        deadline = time.monotonic() + within
        while not done(self):
            assert time.monotonic() < deadline, self.messages[-5:]
            time.sleep(0.02)

    def jobs(self):
        return {message["job_id"] for message in self.messages if "job_id" in message}

    def finals(self):
        return {message["job_id"] for message in self.messages if message["type"] == "status" and message["final"]}

    def close(self):
        if self.closed is None:
            asyncio.run_coroutine_threadsafe(self._socket.close(), self._loop)
        self._thread.join(10)


def test_one_socket_tells_of_all_of_ones_downloads_and_of_nobody_elses(guarded, origin):
    mine, my_key, my_id = make(guarded)
    theirs, their_key, _ = make(guarded)
    sockets = [Firehose(guarded.url, my_key), Firehose(guarded.url, their_key, "/ws"), Firehose(guarded.url, ADMIN_KEY),
               Firehose(guarded.url, my_key, query="&types=status")]
    my, their, everybody, states = sockets
    my_jobs = {mine.submit(origin.url("/slow/small.mp4"), embed_metadata=False)["id"], mine.submit(origin.url("other.mp4"), embed_metadata=False)["id"]}
    their_jobs = {theirs.submit(origin.url("clip.webm"), embed_metadata=False)["id"]}
    my.until(lambda socket: socket.finals() == my_jobs)
    their.until(lambda socket: socket.finals() == their_jobs)
    everybody.until(lambda socket: socket.finals() >= my_jobs | their_jobs)
    assert my.messages[0]["type"] == "connected" and my.jobs() == my_jobs and their.jobs() == their_jobs
    assert {message["type"] for message in my.messages} == {"connected", "status", "progress", "log"}
    assert {message["type"] for message in states.messages} == {"connected", "status"}
    for job in my_jobs:
        told = [message["seq"] for message in my.messages if message.get("job_id") == job and message["type"] == "status"]
        assert told == [message["seq"] for message in watch(guarded.url, job + "?api_key=" + my_key + "&last_seq=0").of("status")]
    # A key that is revoked hears nothing any more.
    assert guarded.api.delete(f"/api/v1/admin/api-keys/{my_id}").status_code == 200
    theirs.completed(origin.url("small.mp4"), embed_metadata=False)
    my.until(lambda socket: socket.closed is not None)
    assert my.closed == 4001 and my.jobs() == my_jobs
    for socket in sockets:
        socket.close()
    check_error(guarded.as_key(their_key).get("/ws"), 426)


# --- Answers that wait


def test_a_question_is_answered_when_there_is_something_new(api, origin):
    job = api.submit(origin.url("/slow/small.mp4"), embed_metadata=False, scheduled_at=LATER)["id"]
    began = time.monotonic()
    same = api.get(f"/api/v1/downloads/{job}", params={"wait": 1})
    assert same.json()["state"] == "scheduled" and 0.9 < time.monotonic() - began < 10
    # Who knows of another state is told at once.
    began = time.monotonic()
    assert api.get(f"/api/v1/downloads/{job}", params={"wait": 60, "state": "running"}).json()["state"] == "scheduled"
    assert time.monotonic() - began < 5
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(lambda: api.get(f"/api/v1/downloads/{job}", params={"wait": 60, "state": "scheduled"}, timeout=70))
        time.sleep(0.2)
        assert api.delete(f"/api/v1/downloads/{job}").status_code == 200
        assert waiting.result(10).json()["status"] == "cancelled"
    began = time.monotonic()
    assert api.get(f"/api/v1/downloads/{job}", params={"wait": 60}).json()["status"] == "cancelled"
    assert time.monotonic() - began < 5
    for wrong in ("61", "-1", "x"):
        check_error(api.get(f"/api/v1/downloads/{job}", params={"wait": wrong}), 422, "validation_error")
    check_error(api.get("/api/v1/downloads/01890000-0000-7000-8000-000000000000", params={"wait": 60}), 404)


@pytest.mark.parametrize("path", ["/api/v1/downloads/{}", "/api/v1/download/{}", "/api/v1/status/{}", "/downloads/{}", "/jobs/{}"])
def test_asking_again_and_again_sees_every_step_once(api, origin, path):
    job = api.submit(origin.url("small.mp4"), embed_metadata=False)["id"]
    seen = [api.show(job)]
    deadline = time.monotonic() + 60
    while seen[-1]["status"] not in ("completed", "failed"):
        assert time.monotonic() < deadline
        seen.append(api.get(path.format(job), params={"wait": 30, "state": seen[-1]["state"], "phase": seen[-1]["phase"]}, timeout=40).json())
    steps = [(body["state"], body["phase"]) for body in seen]
    assert steps[-1] == ("completed", "finished") and len(set(steps)) == len(steps)
