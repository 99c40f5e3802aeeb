"""What is at a URL: formats, metadata, previews, remembered for a while and shared only by those who may share it."""
import csv
import io
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.api import check_error
from support.feed import Feed, episodes
from support.keys import guarded_server
from support.login_origin import MARK, netscape

KEY = "a1" * 32
FORMATS_FIELDS = {"url", "title", "duration", "thumbnail", "uploader", "formats", "best_video_format", "best_audio_format", "recommended_format", "extractor"}
FORMAT_FIELDS = {"format_id", "ext", "resolution", "fps", "vcodec", "acodec", "filesize", "filesize_approx", "tbr", "vbr", "abr", "width", "height",
                 "format_note", "quality"}
METADATA_FIELDS = {"url", "metadata", "formats_available", "is_playlist", "playlist_count", "subtitles_available", "extractor", "extracted_at", "id",
                   "uploader_url", "channel_id", "channel_url", "formats", "subtitles", "automatic_captions"}


@pytest.fixture(scope="module")
def feed(origin):
    feed = Feed({"twelve": episodes(origin, 12), "other": episodes(origin, 2)})
    yield feed
    feed.close()


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    with guarded_server(tmp_path_factory.mktemp("looks"), cookies__key=KEY) as server:
        yield server


def look(api, path, url, **query):
    response = api.get(path, params={"url": url, **query})
    assert response.status_code == 200, response.text
    return response.json()


@pytest.mark.parametrize("path", ["/api/v1/formats", "/api/v1/metadata/formats"])
def test_formats_are_told_apart_by_what_they_hold(api, origin, path):
    body = look(api, path, origin.url("hls-ts/master.m3u8") if "/metadata" not in path else origin.url("small.mp4"))
    assert FORMATS_FIELDS <= body.keys() and set(body["formats"]) == {"combined", "video_only", "audio_only"}
    formats = [one for group in body["formats"].values() for one in group]
    assert formats and all(FORMAT_FIELDS <= one.keys() for one in formats)
    assert "url" not in formats[0] and body["recommended_format"] and body["best_video_format"] in {one["format_id"] for one in formats}


@pytest.mark.parametrize("path", ["/api/v1/metadata", "/api/v1/metadata/metadata"])
def test_metadata_of_a_medium_as_json_and_csv(api, origin, page, path):
    body = look(api, path, origin.url("page.html"))
    assert METADATA_FIELDS <= body.keys() and not body["is_playlist"] and body["formats_available"] == len(body["formats"]) > 0
    assert body["metadata"]["title"] == body["title"] == page["title"]
    answer = api.get(path, params={"url": origin.url("page.html"), "format": "csv"})
    assert answer.headers["content-type"].startswith("text/csv") and "attachment" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == 1 and rows[0]["title"] == page["title"] and rows[0]["id"] == body["id"]


def test_metadata_of_a_playlist_is_filtered_sorted_and_cut_into_pages(api, feed):
    body = look(api, "/api/v1/metadata", feed.url("twelve"), min_duration=300, sort_by="upload_date", page=2, page_size=3)
    assert body["is_playlist"] and (body["playlist_count"], body["matching_count"], body["total_pages"]) == (12, 8, 3)
    assert [entry["playlist_index"] for entry in body["entries"]] == [9, 8, 7]
    rows = list(csv.DictReader(io.StringIO(api.get("/api/v1/metadata", params={"url": feed.url("twelve"), "items": "2-3", "format": "csv"}).text)))
    assert [row["title"] for row in rows] == ["Episode 2", "Episode 3"]


def test_info_has_the_shape_of_the_second_project(api, origin):
    body = look(api, "/api/v1/info", origin.url("small.mp4"))
    assert {"url", "metadata", "available_formats", "recommended_quality"} <= body.keys() and body["recommended_quality"]


def test_what_cannot_be_looked_at_is_told(api, origin, feed):
    for path in ("formats", "metadata", "info"):
        check_error(api.get(f"/api/v1/{path}"), 400)
        check_error(api.get(f"/api/v1/{path}", params={"url": "ftp://x/y"}), 400)
        check_error(api.get(f"/api/v1/{path}", params={"url": origin.url("empty.html")}), 422)
    check_error(api.get("/api/v1/formats", params={"url": feed.url("twelve")}), 422, "is_a_playlist")
    check_error(api.get("/api/v1/metadata", params={"url": origin.url("small.mp4"), "format": "xml"}), 422)
    check_error(api.get("/api/v1/metadata", params={"url": origin.url("small.mp4"), "cookies_id": "01890000-0000-7000-8000-000000000000"}), 422, "unknown_cookies")


@pytest.mark.parametrize("ask", [lambda api, **body: api.post("/api/v1/urls/validate", json=body),
                                 lambda api, **body: api.post("/validate-url", params=body), lambda api, **body: api.get("/validate-url", params=body)])
def test_a_url_is_judged_without_being_downloaded(api, origin, feed, ask):
    for url, kind in ((origin.url("small.mp4"), "video"), (feed.url("twelve"), "playlist")):
        body = ask(api, url=url)
        assert body.status_code == 200 and body.json()["valid"] and body.json()["content_type"] == kind, body.text
    for url, code in (("ftp://x/y", "invalid_url"), (origin.url("empty.html"), "no_media_found")):
        body = ask(api, url=url).json()
        assert not body["valid"] and body["error"] and body["content_type"] is None and (code == body["error_code"] or url.startswith("http"))


def test_a_forbidden_address_is_not_valid_and_not_asked(server, feed):
    strict = server(policy__allow_private_networks="false")
    before = len(feed.asked)
    body = strict.api.post("/api/v1/urls/validate", json={"url": feed.url("twelve")}).json()
    assert not body["valid"] and body["error_code"] == "address_not_allowed"
    check_error(strict.api.get("/api/v1/metadata", params={"url": feed.url("twelve")}), 403, "address_not_allowed")
    assert len(feed.asked) == before


def test_many_who_ask_at_once_ask_the_site_once_and_the_answer_is_remembered(server, feed):
    served = server()
    look(served.api, "/api/v1/playlist/preview", feed.url("other"))  # The engine is warm.
    once = len(feed.asked)
    look(served.api, "/api/v1/playlist/preview", feed.url("other"))
    assert len(feed.asked) == once
    feed.gate.clear()
    try:
        before = feed.asked.count("twelve")
        with ThreadPoolExecutor(8) as pool:
            answers = [pool.submit(look, served.as_key(None), "/api/v1/channel/info", feed.url("twelve"), page_size=2) for _ in range(8)]
            deadline = time.monotonic() + 30
            while feed.asked.count("twelve") == before:
                assert time.monotonic() < deadline
                time.sleep(0.05)
            feed.gate.set()
            assert len({str(answer.result(60)["videos"]) for answer in answers}) == 1
    finally:
        feed.gate.set()
    asked = feed.asked.count("twelve") - before
    look(served.api, "/api/v1/channel/info", feed.url("twelve"), page_size=2)
    assert feed.asked.count("twelve") - before == asked
    look(served.api, "/api/v1/channel/info", feed.url("twelve"), page_size=3)
    assert feed.asked.count("twelve") - before == 2 * asked  # As often for another question as for one.
    assert not list((served.storage / "listing").iterdir())


def test_an_answer_to_somebodys_cookies_is_given_to_nobody_else(guarded, login):
    def holder(name):
        made = guarded.api.post("/api/v1/admin/api-keys", json={"name": name})
        assert made.status_code == 201
        return guarded.as_key(made.json()["api_key"])

    mine, theirs = holder("mine"), holder("theirs")
    cookies = mine.post("/api/v1/auth/cookies", json={"cookies": netscape()}).json()["cookie_id"]
    url = login.url("/private.mp4")
    assert look(mine, "/api/v1/formats", url, cookies_id=cookies)["formats"]
    asked = len(login.seen)
    assert look(mine, "/api/v1/formats", url, cookies=cookies)["formats"] and len(login.seen) == asked
    for other in (theirs, guarded.api):
        check_error(other.get("/api/v1/formats", params={"url": url, "cookies_id": cookies}), 422, "unknown_cookies")
    assert theirs.get("/api/v1/formats", params={"url": url}).status_code != 200
    assert mine.get("/api/v1/formats", params={"url": url}).status_code != 200
    assert all(MARK not in cookie for path, cookie in login.seen[asked:])
    assert mine.delete(f"/api/v1/auth/cookies/{cookies}").status_code == 200
    check_error(mine.get("/api/v1/formats", params={"url": url, "cookies_id": cookies}), 422, "unknown_cookies")


def test_info_may_be_public_and_is_then_limited(server, origin):
    served = server(auth__mode="required", metadata__public_info="true")
    strangers = served.as_key(None)
    assert strangers.get("/api/v1/info", params={"url": origin.url("small.mp4")}).status_code == 200
    check_error(strangers.get("/api/v1/metadata", params={"url": origin.url("small.mp4")}), 401)
    answers = [strangers.get("/api/v1/info", params={"url": origin.url("small.mp4")}) for _ in range(8)]
    assert 429 in {answer.status_code for answer in answers}
    closed = server(auth__mode="required")
    check_error(closed.as_key(None).get("/api/v1/info", params={"url": origin.url("small.mp4")}), 401)
