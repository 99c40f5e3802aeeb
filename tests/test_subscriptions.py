"""Subscriptions: a feed is looked at again and again, and what is new is downloaded once."""
import json
import sqlite3
import time
from datetime import datetime, timedelta, timezone

import pytest

from support.api import check_error
from support.feed import Feed, episodes

FINAL = {"completed", "failed", "cancelled"}


@pytest.fixture(scope="module")
def feed(origin):
    feed = Feed()
    yield feed
    feed.close()


def subscribe(api, **body):
    response = api.post("/api/v1/subscriptions", json={"embed_metadata": False, **body})
    assert response.status_code == 201, f"{response.status_code} {response.text}"
    assert response.headers["location"].endswith(response.json()["id"])
    return response.json()


def show(api, subscription):
    response = api.get(f"/api/v1/subscriptions/{subscription}")
    assert response.status_code == 200, response.text
    return response.json()


def runs(api, subscription):
    """Its batches, oldest first."""
    response = api.get(f"/api/v1/subscriptions/{subscription}/runs", params={"page_size": 100})
    assert response.status_code == 200, response.text
    return response.json()["runs"][::-1]


def await_runs(api, subscription, count, within=60):
    """Waits until `count` runs have ended with everything they submitted."""
    deadline = time.monotonic() + within
    while True:
        found = runs(api, subscription)
        if len(found) >= count and all(run["status"] in FINAL for run in found):
            return found
        assert time.monotonic() < deadline, json.dumps(found)[:3000]
        time.sleep(0.05)


def run_now(api, subscription):
    response = api.post(f"/api/v1/subscriptions/{subscription}/run")
    assert response.status_code == 202, response.text
    return response.json()["id"]


def moment(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def children(server):
    with sqlite3.connect(f"file:{server.storage / 'trawl.db'}?mode=ro", uri=True) as database:
        return [url for url, in database.execute("SELECT json_extract(request, '$.url') FROM jobs ORDER BY id")]


# Mutant: subscription_forgets_entries.
def test_what_is_new_is_downloaded_and_what_was_met_is_not(api, origin, feed):
    feed.feeds["show"] = episodes(origin, 2)
    made = subscribe(api, url=feed.url("show"), interval_sec=86400, skip_downloaded=False)  # So that nothing else remembers them.
    assert made["status"] == "active" and made["interval_sec"] == 86400
    first, = await_runs(api, made["id"], 1)
    assert (first["status"], first["completed_jobs"], first["subscription_id"]) == ("completed", 2, made["id"])

    run_now(api, made["id"])
    assert await_runs(api, made["id"], 2)[1]["total_jobs"] == 0
    feed.feeds["show"] = episodes(origin, 3)[::-1]
    run_now(api, made["id"])
    third = await_runs(api, made["id"], 3)[2]
    assert third["total_jobs"] == 1
    batch = api.get(f"/api/v1/batches/{third['id']}").json()
    assert [job["title"] for job in batch["jobs"]] == ["Episode 3"]
    body = show(api, made["id"])
    assert (body["runs"], body["entries"], body["last_run"]) == (3, 3, third["id"])
    assert 86300 < (moment(body["next_run_at"]) - moment(made["created_at"])).total_seconds() < 86500


def test_only_what_appears_after_the_first_look_is_taken_when_asked_so(api, origin, feed):
    feed.feeds["old"] = episodes(origin, 3, "other.mp4")
    made = subscribe(api, url=feed.url("old"), skip_existing=True, interval_sec=86400)
    first, = await_runs(api, made["id"], 1)
    assert (first["total_jobs"], show(api, made["id"])["entries"]) == (0, 3)
    feed.feeds["old"] = episodes(origin, 4, "other.mp4")
    run_now(api, made["id"])
    assert await_runs(api, made["id"], 2)[1]["completed_jobs"] == 1


def test_limits_and_filters_hold_for_every_run(api, origin, feed):
    feed.feeds["much"] = episodes(origin, 7, "other.mp4", first=100)
    made = subscribe(api, url=feed.url("much"), max_downloads=2, min_duration=60 * 103, interval_sec=86400)
    assert await_runs(api, made["id"], 1)[0]["completed_jobs"] == 2
    run_now(api, made["id"])
    assert await_runs(api, made["id"], 2)[1]["completed_jobs"] == 2
    run_now(api, made["id"])
    assert await_runs(api, made["id"], 3)[2]["total_jobs"] == 0


def test_it_is_changed_paused_resumed_and_deleted(api, origin, feed):
    feed.feeds["paused"] = episodes(origin, 1)
    made = subscribe(api, url=feed.url("paused"), paused=True, name="Mine", cron="0 4 * * *")
    assert (made["status"], made["next_run_at"], made["runs"]) == ("paused", None, 0)
    assert made["id"] in [entry["id"] for entry in api.get("/api/v1/subscriptions").json()["subscriptions"]]

    changed = api.patch(f"/api/v1/subscriptions/{made['id']}", json={"interval_sec": 600, "quality": "720p"}).json()
    assert (changed["interval_sec"], changed["cron"], changed["name"], changed["request"]["quality"]) == (600, None, "Mine", "720p")
    check_error(api.patch(f"/api/v1/subscriptions/{made['id']}", json={"cron": "61 * * * *"}), 422)
    check_error(api.patch(f"/api/v1/subscriptions/{made['id']}", json={"what": 1}), 422)
    replaced = api.put(f"/api/v1/subscriptions/{made['id']}", json={"url": feed.url("paused"), "cron": "30 3 * * 1", "paused": True}).json()
    assert (replaced["cron"], replaced["interval_sec"], replaced["name"]) == ("30 3 * * 1", None, "")

    resumed = api.post(f"/api/v1/subscriptions/{made['id']}/resume").json()
    assert resumed["status"] == "active"
    await_runs(api, made["id"], 1)
    after = moment(show(api, made["id"])["next_run_at"])
    assert (after.weekday(), after.hour, after.minute) == (0, 3, 30) and after > datetime.now(timezone.utc)
    assert api.post(f"/api/v1/subscriptions/{made['id']}/pause").json()["next_run_at"] is None

    batch = run_now(api, made["id"])
    await_runs(api, made["id"], 2)
    assert api.delete(f"/api/v1/subscriptions/{made['id']}").json()["status"] == "deleted"
    check_error(api.get(f"/api/v1/subscriptions/{made['id']}"), 404, "not_found")
    assert api.get(f"/api/v1/batches/{batch}").status_code == 200


@pytest.mark.parametrize("body", [
    {}, {"url": "ftp://x"}, {"urls": ["http://127.0.0.1/1"]}, {"url": "http://127.0.0.1/", "interval_sec": 59}, {"url": "http://127.0.0.1/", "cron": "* * *"},
    {"url": "http://127.0.0.1/", "cron": "0 0 30 2 *"}, {"url": "http://127.0.0.1/", "cron": "@daily", "interval_sec": 60},
    {"url": "http://127.0.0.1/", "bogus": 1}, {"url": "http://127.0.0.1/", "min_views": 2, "max_views": 1}])
def test_what_cannot_be_subscribed_to_is_refused(api, body):
    check_error(api.post("/api/v1/subscriptions", json=body), 422)


def test_a_look_that_fails_is_told_and_the_next_one_comes(api, origin, feed):
    made = subscribe(api, url=feed.url("later"), interval_sec=86400)
    failed, = await_runs(api, made["id"], 1)
    assert (failed["status"], failed["error_code"]) == ("failed", "http_404")
    feed.feeds["later"] = episodes(origin, 1, "other.mp4", first=300)
    run_now(api, made["id"])
    assert await_runs(api, made["id"], 2)[1]["completed_jobs"] == 1


def test_a_run_that_is_under_way_is_not_begun_again(api, origin, feed):
    feed.feeds["busy"] = episodes(origin, 1, "other.mp4", first=400)
    feed.gate.clear()
    try:
        made = subscribe(api, url=feed.url("busy"), interval_sec=86400)
        deadline = time.monotonic() + 30
        while not runs(api, made["id"]):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        check_error(api.post(f"/api/v1/subscriptions/{made['id']}/run"), 409, "already_running")
    finally:
        feed.gate.set()
    assert await_runs(api, made["id"], 1)[0]["completed_jobs"] == 1


def test_kill_9_in_the_middle_of_a_run_submits_nothing_twice_and_loses_nothing(server, origin, feed):
    count = 800
    feed.feeds["long"] = episodes(origin, count, "/crawl/bench.mp4")
    mortal = server(download__max_concurrent=1)
    made = subscribe(mortal.api, url=feed.url("long"), interval_sec=86400, concurrency=1)
    killed = 0
    for wanted in (1, 400):
        deadline = time.monotonic() + 60
        while not (found := runs(mortal.api, made["id"])) or (found[0]["phase"] == "listing" and found[0]["total_jobs"] < wanted):
            assert time.monotonic() < deadline
        killed += found[0]["phase"] == "listing"
        mortal.kill()
        mortal.start()
    assert killed, "the run was never met in its middle"
    run, = runs(mortal.api, made["id"])
    deadline = time.monotonic() + 60
    while (run := runs(mortal.api, made["id"])[0])["phase"] == "listing":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert (run["total_jobs"], show(mortal.api, made["id"])["entries"]) == (count, count)
    feed.feeds["long"] = episodes(origin, count + 1, "/crawl/bench.mp4")
    again = run_now(mortal.api, made["id"])
    while (second := mortal.api.get(f"/api/v1/batches/{again}").json())["phase"] == "listing":
        assert time.monotonic() < deadline + 60
        time.sleep(0.02)
    assert second["total_jobs"] == 1
    assert sorted(children(mortal)) == sorted(episode.url for episode in feed.feeds["long"])
    for run in runs(mortal.api, made["id"]):
        mortal.api.delete(f"/api/v1/batches/{run['id']}")


def test_a_missed_run_comes_once_after_a_restart(server, origin, feed):
    feed.feeds["missed"] = episodes(origin, 1, "other.mp4", first=500)
    sleeper = server()
    made = subscribe(sleeper.api, url=feed.url("missed"), cron="* * * * *")
    await_runs(sleeper.api, made["id"], 1)
    sleeper.kill()
    with sqlite3.connect(sleeper.storage / "trawl.db") as database:  # As if it had been down for a day.
        database.execute("UPDATE subscriptions SET next_run_at = next_run_at - 86400000")
    feed.feeds["missed"] = episodes(origin, 2, "other.mp4", first=500)
    sleeper.start()
    found = await_runs(sleeper.api, made["id"], 2)
    assert [run["total_jobs"] for run in found[:2]] == [1, 1]
    body = show(sleeper.api, made["id"])
    assert moment(body["next_run_at"]) <= datetime.now(timezone.utc) + timedelta(seconds=61)
    assert len(found) <= 3 and body["runs"] == len(found)


def test_an_idempotency_key_makes_one_subscription_of_many_requests(server, feed):
    served = server()

    def post(**changed):
        body = {"url": feed.url("once"), "interval_sec": 86400, "paused": True, **changed}
        return served.api.post("/api/v1/subscriptions", json=body, headers={"Idempotency-Key": "s-1"})

    first = post()
    assert first.status_code == 201, first.text
    served.kill()
    served.start()
    again = post()
    assert (again.status_code, again.content, again.headers["location"]) == (201, first.content, first.headers["location"])
    assert again.headers["idempotent-replayed"] == "true"
    check_error(post(interval_sec=7200), 422, "idempotency_key_reused")
    assert served.api.get("/api/v1/subscriptions").json()["total"] == 1
