"""How many downloads a key may create: also those that a batch makes."""
import time

import pytest

from support.api import check_error
from support.feed import Feed, episodes
from support.keys import holder


@pytest.fixture(scope="module")
def feed(origin):
    feed = Feed({"twelve": episodes(origin, 12)})
    yield feed
    feed.close()


def used(api):
    usage = api.get("/api/v1/usage").json()
    return usage["day"]["jobs"], usage["month"]["jobs"]


def test_a_batch_of_urls_counts_each_of_them_and_is_made_whole_or_not(guarded, origin):
    mine = holder(guarded, jobs_per_day=3)
    urls = [origin.url(f"other.mp4?{number}") for number in range(4)]
    check_error(mine.post("/api/v1/batches", json={"urls": urls}), 429, "quota_exceeded")
    assert used(mine) == (0, 0) and mine.get("/api/v1/downloads").json()["total"] == 0
    assert mine.post("/api/v1/batches", json={"urls": urls[:2]}).status_code == 202
    assert used(mine) == (2, 2)
    check_error(mine.post("/downloads", json=urls[:2]), 429, "quota_exceeded")
    assert mine.post("/api/v1/downloads", json={"url": urls[0]}).status_code == 202
    check_error(mine.post("/api/v1/downloads", json={"url": urls[1]}), 429, "quota_exceeded")
    assert used(mine) == (3, 3)


@pytest.mark.parametrize("order", [{}, {"sort_by": "title", "reverse": True}])
def test_a_playlist_is_taken_as_far_as_the_quota_goes_and_says_so(guarded, feed, order):
    mine = holder(guarded, jobs_per_month=5)
    made = mine.post("/api/v1/batches", json={"source": "playlist", "url": feed.url("twelve"), **order})
    assert made.status_code == 202, made.text
    deadline = time.monotonic() + 90
    while (body := mine.get(f"/api/v1/batches/{made.json()['id']}").json())["status"] not in ("completed", "failed", "partial"):
        assert time.monotonic() < deadline, body
        time.sleep(0.1)
    assert body["total_jobs"] == body["completed_jobs"] == 5 and body["error_code"] == "quota_exceeded", body
    assert used(mine) == (5, 5)
    check_error(mine.post("/api/v1/playlist/download", json={"url": feed.url("twelve")}), 429, "quota_exceeded")
    assert used(mine) == (5, 5)
