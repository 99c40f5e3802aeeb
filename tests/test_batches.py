"""Batches of URLs, playlists and channels: many downloads under one name."""
import json
import random
import sqlite3
import time
from collections import Counter
from pathlib import Path

import pytest

from support.api import check_error
from support.feed import Episode, Feed, episodes
from support.media import ROOT
from support.probe import sha256
from support.ws import watch

BATCH_FIELDS = {"batch_id", "status", "total_jobs", "completed_jobs", "failed_jobs", "running_jobs", "queued_jobs", "jobs", "created_at", "started_at",
                "completed_at", "duration_sec", "error", "total_urls", "completed", "failed", "running", "queued", "progress_percent", "cancelled_jobs",
                "estimated_time_remaining", "last_updated"}
JOB_FIELDS = {"job_id", "url", "status", "title", "progress", "file_info", "error", "created_at", "completed_at", "request_id", "file_url"}
FINAL = {"completed", "failed", "cancelled"}


@pytest.fixture(scope="module")
def feed(origin):
    feed = Feed()
    yield feed
    feed.close()


def make(api, path="batches", status=202, **body):
    response = api.post(f"/api/v1/{path}", json=body)
    assert response.status_code == status, f"{response.status_code} {response.text}"
    return response.json()


def show(api, batch, **query):
    response = api.get(f"/api/v1/batches/{batch}", params=query)
    assert response.status_code == 200, response.text
    return response.json()


def until(api, batch, done, within=60, pause=0.03):
    deadline = time.monotonic() + within
    while not done(body := show(api, batch)):
        assert time.monotonic() < deadline, f"still after {within} s: {json.dumps(body)[:3000]}"
        time.sleep(pause)
    return body


def finish(api, batch, within=60):
    body = until(api, batch, lambda body: body["status"] in FINAL, within)
    check_counts(body)
    return body


def check_counts(body):
    """The numbers of a batch are those of its children, all of which it shows here."""
    counts = Counter(job["status"] for job in body["jobs"] if job["error_code"] not in ("filtered_out", "already_downloaded"))
    shown = {status: body[f"{status}_jobs"] for status in ("queued", "running", "paused", "completed", "failed", "cancelled") if body[f"{status}_jobs"]}
    assert shown == dict(counts), body
    assert body["total_jobs"] == len(body["jobs"])


def titles(body):
    return [job["title"] for job in body["jobs"]]


def rows(server, sql):
    with sqlite3.connect(f"file:{server.storage / 'trawl.db'}?mode=ro", uri=True) as database:
        return database.execute(sql).fetchall()


def test_a_batch_of_urls_downloads_each_of_them(api, origin, tmp_path):
    urls = [origin.url("small.mp4"), origin.url("other.mp4"), origin.url("page.html")]
    response = api.post("/api/v1/batch/download", json={"urls": urls, "concurrent_limit": 2, "embed_metadata": False, "what_is_this": 1})
    assert response.status_code == 202
    body = response.json()
    assert BATCH_FIELDS <= body.keys() and JOB_FIELDS <= body["jobs"][0].keys()
    assert body["batch_id"].startswith("batch_") and response.headers["location"].endswith(f"/api/v1/batches/{body['batch_id']}")
    assert [job["url"] for job in body["jobs"]] == urls and body["total_jobs"] == 3 and body["concurrency"] == 2

    done = finish(api, body["batch_id"])
    assert (done["status"], done["completed_jobs"], done["progress_percent"]) == ("completed", 3, 100)
    assert api.get(f"/api/v1/batch/{body['batch_id']}").json()["status"] == "completed"
    for job, name in zip(done["jobs"], ("small.mp4", "other.mp4")):
        assert job["file_info"]["file_path"].startswith(f"batch/{body['batch_id']}/")
        assert sha256(api.fetch(job["file_info"], tmp_path)) == sha256(origin.file(name))
        assert api.show(job["job_id"])["batch_id"] == body["batch_id"]
    listed = api.get("/api/v1/batches").json()
    assert body["batch_id"] in [batch["id"] for batch in listed["batches"]] and listed["total"] >= 1


@pytest.mark.parametrize("path, body, status", [
    ("batches", {"urls": [f"http://127.0.0.1/{n}" for n in range(101)]}, 413),
    ("batch/download", {"urls": [f"http://127.0.0.1/{n}" for n in range(101)]}, 413),
    ("batch/download", {"urls": []}, 422),
    ("batch/download", {"urls": ["http://127.0.0.1/1", "http://127.0.0.1/1"]}, 422),
    ("batch/download", {"urls": ["ftp://127.0.0.1/1"]}, 422),
    ("batch/download", {"urls": ["http://127.0.0.1/1"], "concurrent_limit": 11}, 422),
    ("batches", {"urls": ["http://127.0.0.1/1"], "bogus": 1}, 422),
    ("playlist/download", {}, 422),
    ("playlist/download", {"url": "http://127.0.0.1/", "items": "3-1"}, 422),
    ("playlist/download", {"url": "http://127.0.0.1/", "start": 3, "end": 1}, 422),
    ("channel/download", {"url": "http://127.0.0.1/", "max_downloads": 1001}, 422),
    ("channel/download", {"url": "http://127.0.0.1/", "date_after": "20239999"}, 422)])
def test_what_no_batch_can_be_made_of_is_refused(api, path, body, status):
    refused = check_error(api.post(f"/api/v1/{path}", json=body), status)
    if status == 413:
        assert "exceeds maximum" in refused["detail"]


def test_unknown_batches_are_not_found(api):
    for response in (api.get("/api/v1/batches/batch_0"), api.delete("/api/v1/batches/x"), api.post("/api/v1/batches/x/pause")):
        check_error(response, 404, "not_found")


def test_a_playlist_becomes_a_download_for_each_entry(api, origin, feed, tmp_path):
    feed.feeds["list"] = episodes(origin, 5)
    body = make(api, "playlist/download", 201, url=feed.url("list"), items="2-3,5", reverse_playlist=True, embed_metadata=False)
    assert titles(body) == ["Episode 5", "Episode 3", "Episode 2"] and body["title"] == "Feed list"
    done = finish(api, body["batch_id"])
    assert (done["status"], done["completed_jobs"], done["listed"]) == ("completed", 3, 5)
    paths = {job["playlist_index"]: job["file_info"]["file_path"] for job in done["jobs"]}
    assert paths == {n: f"playlists/Feed list/{n:03d}-Episode {n}.mp4" for n in (2, 3, 5)}
    started = {job["playlist_index"]: api.show(job["job_id"])["started_at"] for job in done["jobs"]}
    assert started[5] <= started[3] <= started[2]
    assert sha256(api.fetch(done["jobs"][0]["file_info"], tmp_path)) == sha256(origin.file("small.mp4"))


def test_entries_without_an_address_of_their_own_are_told_apart(api, origin, tmp_path):
    body = make(api, "playlist/download", 201, url=origin.url("three.html"), embed_metadata=False)
    done = finish(api, body["batch_id"])
    fetched = [sha256(api.fetch(job["file_info"], tmp_path)) for job in done["jobs"]]
    assert fetched == [sha256(origin.file(name)) for name in ("small.mp4", "other.mp4", "bench.mp4")]


def test_a_channel_is_taken_by_filters_and_in_order(api, origin, feed):
    feed.feeds["channel"] = episodes(origin, 9)
    body = make(api, "channel/download", 201, url=feed.url("channel"), date_after="20240103", max_duration=480, sort_by="upload_date", max_downloads=2,
                embed_metadata=False, skip_downloaded=False)
    done = finish(api, body["batch_id"])
    assert titles(done) == ["Episode 8", "Episode 7"] and done["listed"] == 9
    assert [job["file_info"]["file_path"] for job in done["jobs"]] == ["channels/Feed channel/20240109-Episode 8.mp4", "channels/Feed channel/20240108-Episode 7.mp4"]
    refused = check_error(api.post("/api/v1/channel/download", json={"url": feed.url("channel"), "min_duration": 99999}), 400)
    assert "No videos match" in refused["detail"]
    check_error(api.post("/api/v1/playlist/download", json={"url": origin.url("small.mp4")}), 400, "not_a_playlist")
    check_error(api.post("/api/v1/channel/download", json={"url": feed.url("missing")}), 422, "http_404")


def test_what_only_the_medium_itself_tells_is_filtered_then(api, origin, feed):
    feed.feeds["silent"] = [Episode(origin.url("small.mp4") + "?silent", "Silent", seconds=None, day=None)]
    done = finish(api, make(api, url=feed.url("silent"), date_before="20200101", source="channel", stop_on_error=True)["batch_id"])
    assert (done["status"], done["skipped_jobs"], done["failed_jobs"]) == ("completed", 1, 0)
    assert done["jobs"][0]["error_code"] == "filtered_out" and "20200101" in done["jobs"][0]["error"]


def test_what_was_downloaded_before_is_skipped_unless_it_is_made_into_something_else(api, origin, feed):
    feed.feeds["again"] = episodes(origin, 3, "other.mp4")
    first = finish(api, make(api, url=feed.url("again"), items="1-2", embed_metadata=False)["batch_id"])
    assert (first["completed_jobs"], first["skipped_jobs"]) == (2, 0)
    second = finish(api, make(api, url=feed.url("again"), embed_metadata=False)["batch_id"])
    assert (titles(second), second["skipped_jobs"]) == (["Episode 3"], 2)
    other = make(api, url=feed.url("again"), embed_metadata=False, write_info_json=True)
    assert until(api, other["id"], lambda body: body["phase"] != "listing")["total_jobs"] == 3
    repeated = make(api, url=feed.url("again"), embed_metadata=False, skip_downloaded=False)
    assert until(api, repeated["id"], lambda body: body["phase"] != "listing")["total_jobs"] == 3
    for batch in (other, repeated):
        finish(api, batch["id"])


# Mutant: batch_concurrency_ignored.
def test_no_more_children_run_at_once_than_asked_for(shared, api, origin):
    batch = make(api, urls=[origin.url(f"/slow/small.mp4?c={n}") for n in range(6)], concurrency=2, embed_metadata=False)
    seen = []
    until(api, batch["id"], lambda body: seen.append(body["running_jobs"]) or body["status"] in FINAL)
    assert max(seen) == 2
    spans = rows(shared, f"SELECT started_at, completed_at FROM jobs WHERE batch_id = '{batch['id']}'")
    assert len(spans) == 6 and max(sum(a <= start < b for a, b in spans) for start, _ in spans) == 2


# Mutant: stop_on_error_late.
def test_the_first_error_stops_a_batch_that_asks_for_it(shared, api, origin):
    urls = [origin.url("/media/missing.mp4"), *(origin.url(f"/slow/small.mp4?e={n}") for n in range(4))]
    for how in ({"stop_on_error": True}, {"ignore_errors": False}):
        done = finish(api, make(api, urls=urls, concurrency=1, embed_metadata=False, **how)["id"])
        assert (done["status"], done["failed_jobs"], done["cancelled_jobs"]) == ("failed", 1, 4)
        assert rows(shared, f"SELECT COUNT(*) FROM jobs WHERE batch_id = '{done['id']}' AND started_at IS NOT NULL") == [(1,)]


def test_errors_are_ignored_by_default(api, origin):
    done = finish(api, make(api, urls=[origin.url("/media/missing.mp4"), origin.url("small.mp4")], embed_metadata=False)["id"])
    assert (done["status"], done["failed_jobs"], done["completed_jobs"]) == ("completed", 1, 1)
    assert next(job for job in done["jobs"] if job["status"] == "failed")["error_code"] == "http_404"


def test_a_batch_is_paused_resumed_cancelled_and_retried(api, origin):
    batch = make(api, urls=[origin.url(f"/slow/bench.mp4?p={n}") for n in range(4)], concurrency=2, embed_metadata=False)["id"]
    until(api, batch, lambda body: any(job["progress"]["downloaded_bytes"] for job in body["jobs"]))
    assert api.post(f"/api/v1/batches/{batch}/pause").status_code == 200
    paused = until(api, batch, lambda body: body["status"] == "paused")
    assert paused["running_jobs"] == 0 and paused["paused_jobs"] + paused["queued_jobs"] == 4
    api.completed(origin.url("small.mp4?between"), embed_metadata=False)  # Workers take other jobs meanwhile.
    assert show(api, batch)["running_jobs"] == 0

    assert api.post(f"/api/v1/batches/{batch}/resume").status_code == 200
    check_error(api.post(f"/api/v1/batches/{batch}/resume"), 409, "not_paused")
    until(api, batch, lambda body: body["running_jobs"] == 2)
    cancelled = api.delete(f"/api/v1/batch/{batch}").json()
    assert cancelled["cancelled_jobs"] == 4 and cancelled["request_id"] == batch
    assert finish(api, batch)["status"] == "cancelled"
    check_error(api.delete(f"/api/v1/batches/{batch}"), 409, "already_final")
    check_error(api.post(f"/api/v1/batches/{batch}/pause"), 409, "already_final")

    assert api.post(f"/api/v1/batches/{batch}/retry").status_code == 200
    until(api, batch, lambda body: body["running_jobs"] == 2)
    assert api.delete(f"/api/v1/batches/{batch}").status_code == 200
    finish(api, batch)
    assert finish(api, make(api, urls=[origin.url("small.mp4")])["id"])["status"] == "completed"


def test_a_paused_batch_does_not_list_its_playlist(api, origin, feed):
    feed.feeds["gated"] = episodes(origin, 3)
    feed.gate.clear()
    try:
        batch = make(api, url=feed.url("gated"), embed_metadata=False)["id"]
        assert api.post(f"/api/v1/batches/{batch}/pause").json()["status"] == "paused"
    finally:
        feed.gate.set()
    feed.feeds["other"] = episodes(origin, 1, "/media/missing.mp4")
    finish(api, make(api, url=feed.url("other"))["id"])  # Listings go on meanwhile.
    assert show(api, batch)["total_jobs"] == 0
    assert api.post(f"/api/v1/batches/{batch}/resume").status_code == 200
    assert finish(api, batch)["completed_jobs"] + show(api, batch)["skipped_jobs"] == 3


def test_a_watcher_sees_every_step_of_every_child_and_the_end(shared, api, origin):
    batch = make(api, urls=[origin.url(f"small.mp4?w={n}") for n in range(3)], concurrency=1, embed_metadata=False)["id"]
    seen = watch(shared.url, batch, path="/api/v1/ws/batches/{}", last_seq=0, say=[{"type": "ping"}])
    assert seen.close_code == 1000
    assert [message["type"] for message in seen.messages if message["type"] != "pong"][:2] == ["connected", "snapshot"]
    assert seen.of("pong") and seen.messages[-1]["status"] == "completed" and seen.messages[-1]["final"]
    steps = [message for message in seen.of("status") if "job_id" in message]
    ended = Counter(step["job_id"] for step in steps if step["job_final"])
    assert len(ended) == 3 and set(ended.values()) == {1}
    seqs = [step["seq"] for step in steps]
    assert seqs == sorted(set(seqs))
    assert seen.of("progress")[-1]["completed_jobs"] == 3
    again = watch(shared.url, batch, path="/ws/batches/{}", last_seq=seqs[-2])
    assert [message["seq"] for message in again.of("status") if "seq" in message] == seqs[-1:]


# Mutant: expansion_repeats_entries.
def test_kill_9_in_the_middle_of_a_listing_neither_loses_nor_repeats_an_entry(server, origin, feed):
    """One long playlist; the server is killed whenever some of its children are there."""
    count = 1200
    feed.feeds["long"] = episodes(origin, count, "/crawl/bench.mp4")
    mortal = server(download__max_concurrent=1)
    batch = make(mortal.api, url=feed.url("long"), concurrency=1, embed_metadata=False)["id"]
    killed = []
    for _ in range(2):
        wanted = random.randrange(1, count)
        body = until(mortal.api, batch, lambda body: body["phase"] != "listing" or body["total_jobs"] >= wanted, pause=0.005)
        if body["phase"] != "listing":
            break
        killed.append(body["total_jobs"])
        mortal.kill()
        mortal.start()
    assert killed, "the listing was never met in its middle"
    done = until(mortal.api, batch, lambda body: body["phase"] != "listing")
    assert done["total_jobs"] == count and done["status"] in ("queued", "running")
    urls = [url for url, in rows(mortal, f"SELECT json_extract(request, '$.url') FROM jobs WHERE batch_id = '{batch}' ORDER BY batch_rank")]
    assert urls == [episode.url for episode in feed.feeds["long"]]
    assert mortal.api.delete(f"/api/v1/batches/{batch}").json()["cancelled_jobs"] == count
    assert until(mortal.api, batch, lambda body: body["status"] in FINAL)["cancelled_jobs"] == count


def test_what_a_listing_found_before_it_failed_for_good_is_downloaded(server, origin, feed):
    """Its order is known only at the end, so none of them has run by then."""
    feed.feeds["cut"] = episodes(origin, 1200, "/crawl/bench.mp4")
    mortal = server(download__max_concurrent=1)
    batch = make(mortal.api, url=feed.url("cut"), reverse_playlist=True, concurrency=1, embed_metadata=False)["id"]
    found = until(mortal.api, batch, lambda body: body["total_jobs"] > 0, pause=0.005)
    assert found["phase"] == "listing", "the listing was never met in its middle"
    mortal.kill()
    del feed.feeds["cut"]
    mortal.start()
    running = until(mortal.api, batch, lambda body: body["running_jobs"] > 0)
    assert running["total_jobs"] < 1200 and running["error"]
    first_run, last_found = (rows(mortal, f"SELECT id FROM jobs WHERE batch_id = '{batch}' AND {which} LIMIT 1") for which in
                             ("started_at IS NOT NULL ORDER BY started_at", "1 ORDER BY batch_rank DESC"))
    assert first_run == last_found
    mortal.api.delete(f"/api/v1/batches/{batch}")


def test_kill_9_in_the_middle_of_a_batch_leaves_its_status_true(server, origin):
    mortal = server(download__max_concurrent=3)
    batch = make(mortal.api, urls=[origin.url(f"small.mp4?k={n}") for n in range(8)] + [origin.url("/media/missing.mp4")], concurrency=3,
                 embed_metadata=False)["id"]
    for wanted in (2, 5):
        until(mortal.api, batch, lambda body: body["completed_jobs"] >= wanted or body["status"] in FINAL)
        mortal.kill()
        mortal.start()
        check_counts(show(mortal.api, batch))
    done = finish(mortal.api, batch, within=90)
    assert (done["status"], done["completed_jobs"], done["failed_jobs"]) == ("completed", 8, 1)
    assert rows(mortal, "SELECT COUNT(*), COUNT(DISTINCT job_id) FROM artifacts WHERE kind = 'video'") == [(8, 8)]
    deadline = time.monotonic() + 10
    while rows(mortal, "SELECT settled FROM batches") != [(1,)]:
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("bare", [True, False])
def test_a_list_of_urls_where_downloads_are_created_makes_a_batch(api, origin, bare):
    urls = [origin.url("small.mp4?list=1"), origin.url("small.mp4?list=2")]
    response = api.post("/downloads", json=urls if bare else {"urls": urls, "max_workers": 1})
    assert response.status_code == 202, response.text
    batch = finish(api, response.json()["batch_id"])
    assert [job["url"] for job in batch["jobs"]] == urls and batch["status"] == "completed"
    assert batch["concurrency"] == (3 if bare else 1)


def test_a_list_of_one_url_makes_a_download(api, origin):
    response = api.post("/downloads", json={"urls": [origin.url("small.mp4")], "max_workers": 3, "audio_only": False})
    assert response.status_code == 202, response.text
    assert api.finish(response.json()["id"])["status"] == "completed"
    assert api.post("/downloads", json={"urls": []}).status_code == 422


def test_downloads_are_listed_by_batch_and_page_by_page_with_a_cursor(api, origin):
    api.completed(origin.url("small.mp4"), single_flight=False)
    batch = finish(api, make(api, urls=[origin.url(f"small.mp4?cursor={index}") for index in range(5)])["id"])
    children = {job["id"] for job in batch["jobs"]}
    seen, cursor = [], ""
    while cursor is not None:
        page = api.get("/api/v1/downloads", params={"batch_id": batch["id"], "limit": 2, "cursor": cursor}).json()
        assert page["total"] == 5 and len(page["downloads"]) <= 2
        seen += [download["id"] for download in page["downloads"]]
        cursor = page["next_cursor"]
    assert seen == sorted(children, reverse=True)
    check_error(api.get("/api/v1/downloads", params={"cursor": "nonsense"}), 422, "validation_error")


def test_a_playlist_of_5000_entries_is_taken_without_holding_it_in_memory(server, origin, feed):
    def peak():
        return next(int(line.split()[1]) * 1024 for line in Path(f"/proc/{served.child.pid}/status").read_text().splitlines() if line.startswith("VmHWM"))

    def take(name, count):
        feed.feeds[name] = episodes(origin, count, "/crawl/bench.mp4")
        batch = make(served.api, url=feed.url(name), concurrency=1, skip_downloaded=False)["id"]
        body = until(served.api, batch, lambda body: body["phase"] != "listing", within=120, pause=0.2)
        assert body["total_jobs"] == count
        assert served.api.delete(f"/api/v1/batches/{batch}").status_code == 200
        until(served.api, batch, lambda body: body["cancelled_jobs"] == count, within=60, pause=0.2)

    # The release: a sanitizer keeps what was freed.
    served = server(program=ROOT / "build/release/src/server/trawl", download__max_concurrent=1)
    take("short", 250)
    before = peak()
    take("long", 5000)
    assert peak() - before < 24 << 20, f"{(peak() - before) / 1e6:.0f} MB more for 5000 entries"
