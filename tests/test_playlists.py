"""Playlists and channels looked at before anything is downloaded."""
import pytest

from support.api import check_error
from support.feed import Feed, episodes

PREVIEW_FIELDS = {"url", "title", "uploader", "uploader_id", "description", "total_items", "items", "page", "page_size", "total_pages", "has_next",
                  "has_previous", "extractor", "playlist_id", "playlist_title", "playlist_uploader", "total_videos", "videos", "playlist_url", "thumbnail"}
ITEM_FIELDS = {"id", "title", "url", "duration", "view_count", "uploader", "upload_date", "thumbnail", "playlist_index"}
CHANNEL_FIELDS = {"url", "channel_id", "channel_name", "description", "subscriber_count", "video_count", "filtered_video_count", "videos", "page", "page_size",
                  "total_pages", "has_next", "has_previous", "filters_applied", "extractor", "channel", "total_videos"}


@pytest.fixture(scope="module")
def feed(origin):
    feed = Feed({"twelve": episodes(origin, 12)})
    yield feed
    feed.close()


def look(api, kind, url, **query):
    response = api.get(f"/api/v1/{kind}", params={"url": url, **query})
    assert response.status_code == 200, response.text
    return response.json()


def indexes(entries):
    return [entry["playlist_index"] for entry in entries]


def test_a_preview_shows_a_page_of_a_playlist_with_the_fields_of_the_first_project(api, feed):
    body = look(api, "playlist/preview", feed.url("twelve"), page=2, limit=5)
    assert PREVIEW_FIELDS <= body.keys() and ITEM_FIELDS <= body["items"][0].keys()
    assert body["title"] == body["playlist_title"] == "Feed twelve"
    assert (body["total_items"], body["page"], body["page_size"], body["total_pages"], body["has_next"], body["has_previous"]) == (12, 2, 5, 3, True, True)
    assert indexes(body["items"]) == [6, 7, 8, 9, 10] and body["items"] == body["videos"]
    first = body["items"][0]
    assert (first["title"], first["duration"], first["upload_date"]) == ("Episode 6", 360, "20240107")
    assert first["url"].endswith("?n=6")
    assert look(api, "playlist/info", feed.url("twelve"), page=2, page_size=5) == body


def test_a_page_with_several_videos_is_a_playlist_too(api, origin):
    body = look(api, "playlist/preview", origin.url("three.html"))
    assert body["total_items"] == 3 and {item["url"] for item in body["items"]} == {origin.url("three.html")}


@pytest.mark.parametrize("query, expected", [
    ({"items": "1-2,11-"}, [1, 2, 11, 12]),
    ({"start": 4, "end": 5}, [4, 5]),
    ({"min_duration": 600.0, "max_duration": 660.0}, [10, 11]),
    ({"date_after": "20240111", "date_before": "20240112"}, [10, 11]),
    ({"sort_by": "upload_date", "max_downloads": 3}, [12, 11, 10]),
    ({"sort_by": "duration", "reverse": "true", "page": 2, "page_size": 5}, [6, 7, 8, 9, 10]),
    ({"sort_by": "title", "items": "1,10,2"}, [1, 10, 2]),
    ({"reverse": "true", "page_size": 2}, [12, 11]),
])
def test_a_channel_is_filtered_sorted_and_cut_into_pages(api, feed, query, expected):
    body = look(api, "channel/info", feed.url("twelve"), **query)
    assert CHANNEL_FIELDS <= body.keys()
    assert indexes(body["videos"]) == expected
    assert body["video_count"] == 12
    assert {name: str(value).lower() for name, value in body["filters_applied"].items()} == {k: str(v) for k, v in query.items() if not k.startswith("page")}


def test_filtered_entries_are_counted_apart(api, feed):
    body = look(api, "channel/info", feed.url("twelve"), min_duration=300, page_size=2)
    assert (body["video_count"], body["filtered_video_count"], body["total_pages"], len(body["videos"])) == (12, 8, 4, 2)


@pytest.mark.parametrize("query, status", [
    ({"sort_by": "beauty"}, 400), ({"date_after": "20231301"}, 400), ({"min_views": 5, "max_views": 4}, 400), ({"min_duration": -1}, 400),
    ({"items": "3-1"}, 400), ({"url": "ftp://x/y"}, 400), ({"url": ""}, 400), ({"page_size": 101}, 422), ({"page": 0}, 422)])
def test_what_cannot_be_asked_is_refused_by_name(api, feed, query, status):
    check_error(api.get("/api/v1/channel/info", params={"url": feed.url("twelve"), **query}), status, "validation_error")


def test_a_single_medium_is_no_playlist(api, origin):
    check_error(api.get("/api/v1/playlist/preview", params={"url": origin.url("small.mp4")}), 400, "not_a_playlist")
    check_error(api.get("/api/v1/channel/info", params={"url": origin.url("small.mp4")}), 422, "not_a_playlist")


def test_what_the_site_refuses_is_told(api, origin, feed):
    check_error(api.get("/api/v1/playlist/preview", params={"url": feed.url("nothing")}), 404, "http_404")
    check_error(api.get("/api/v1/playlist/preview", params={"url": origin.url("empty.html")}), 422)


def test_a_listing_obeys_the_egress_policy(server, feed):
    strict = server(policy__allow_private_networks="false")
    before = len(feed.asked)
    check_error(strict.api.get("/api/v1/playlist/preview", params={"url": feed.url("twelve")}), 403, "address_not_allowed")
    assert len(feed.asked) == before


def test_what_is_behind_the_limit_is_not_looked_at(server, feed):
    small = server(batch__max_entries=5)
    body = look(small.api, "playlist/preview", feed.url("twelve"))
    assert (body["total_items"], indexes(body["items"])) == (5, [1, 2, 3, 4, 5])
    assert not list((small.storage / "listing").iterdir())
