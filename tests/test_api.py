"""The API around the main job: lists, logs, cancelling, and every way to be refused."""
import re
import time

import pytest

from support import process
from support.api import check_error

UNKNOWN = "01890a5d-ac96-774b-bcce-b302099a8057"


# --- Lists


@pytest.fixture(scope="module")
def seven(shared, origin):
    """Ids of seven jobs of which two failed, oldest first."""
    paths = ["small.mp4"] * 5 + ["nothing-here.mp4"] * 2
    jobs = [shared.api.submit(origin.url(path), embed_metadata=False)["id"] for path in paths]
    for job in jobs:
        shared.api.finish(job)
    return jobs


def test_the_list_is_paged_newest_first(api, seven):
    first = api.get("/api/v1/downloads", params={"page": 1, "per_page": 3}).json()
    second = api.get("/api/v1/downloads", params={"page": 2, "per_page": 3}).json()
    assert [job["id"] for job in first["downloads"] + second["downloads"]] == seven[::-1][:6]
    assert (first["page"], first["page_size"], first["has_next"], first["has_previous"]) == (1, 3, True, False)
    assert second["has_previous"] is True
    assert first["total"] >= 7 and first["total_pages"] == -(-first["total"] // 3)


@pytest.mark.parametrize("params", [{"skip": 2, "limit": 2}, {"offset": 2, "limit": 2}, {"page": 2, "page_size": 2}, {"page": 2, "limit": 2}])
def test_every_spelling_of_paging_is_understood(api, seven, params):
    body = api.get("/api/v1/downloads", params=params).json()
    assert [job["id"] for job in body["downloads"]] == seven[::-1][2:4]


def test_the_list_is_filtered_by_status(api, seven):
    body = api.get("/api/v1/downloads", params={"status": "failed", "per_page": 100}).json()
    assert {job["status"] for job in body["downloads"]} == {"failed"} and body["total"] == len(body["downloads"]) >= 2
    assert set(seven[5:]) <= {job["id"] for job in body["downloads"]}


@pytest.mark.parametrize("params", [{"page": 0}, {"per_page": 0}, {"per_page": 1_000_000}, {"page": "x"}, {"skip": -1}, {"status": "sleeping"}])
def test_a_wrong_paging_parameter_is_refused(api, params):
    check_error(api.get("/api/v1/downloads", params=params), 422)


# --- Logs


def test_the_log_holds_objects_and_can_be_had_as_text(api, seven):
    body = api.get(f"/api/v1/downloads/{seven[0]}/logs").json()
    assert body["request_id"] == seven[0] and body["logs"] and body["total_lines"] >= len(body["logs"]) and body["truncated"] is False
    assert all({"timestamp", "level", "message"} <= line.keys() for line in body["logs"])
    assert api.get(f"/api/v1/download/{seven[0]}/logs").json() == body
    text = api.get(f"/api/v1/downloads/{seven[0]}/logs", params={"format": "text"})
    assert text.headers["content-type"].startswith("text/plain")
    assert len(text.text.splitlines()) >= len(body["logs"])


def test_the_log_can_be_limited_to_its_end_and_to_a_level(api, seven):
    everything = api.get(f"/api/v1/downloads/{seven[5]}/logs").json()["logs"]
    tail = api.get(f"/api/v1/downloads/{seven[5]}/logs", params={"tail": 1}).json()
    assert tail["logs"] == everything[-1:] and tail["truncated"] is (len(everything) > 1)
    errors = api.get(f"/api/v1/downloads/{seven[5]}/logs", params={"level": "ERROR"}).json()["logs"]
    assert errors and {line["level"].lower() for line in errors} == {"error"}


# --- Cancelling


def test_cancelling_a_running_job_ends_its_processes_and_frees_its_slot(server, origin):
    one = server(download__max_concurrent=1)
    before = one.at_rest()
    job = one.api.submit(origin.url("/crawl/bench.mp4"))["id"]
    one.api.running(job)
    started = one.processes() - before
    began = time.monotonic()
    response = one.api.delete(f"/api/v1/downloads/{job}")
    assert response.status_code == 200, response.text
    assert response.json()["request_id"] == job and response.json()["cancelled_jobs"] == 1
    assert {"status", "message", "timestamp"} <= response.json().keys()
    assert one.api.finish(job, within=6)["status"] == "cancelled"
    assert process.left_behind(started, within=6 - (time.monotonic() - began)) == {}
    assert one.api.completed(origin.url("small.mp4"))["status"] == "completed"


def test_a_queued_job_is_cancelled_at_once(server, origin):
    one = server(download__max_concurrent=1)
    running = one.api.submit(origin.url("/crawl/bench.mp4"))["id"]
    one.api.running(running)
    queued = one.api.submit(origin.url("small.mp4"))["id"]
    assert one.api.delete(f"/api/v1/download/{queued}").json()["status"] == "cancelled"
    body = one.api.show(queued)
    assert body["status"] == "cancelled" and body["started_at"] is None
    one.api.delete(f"/api/v1/downloads/{running}")


def test_a_finished_job_cannot_be_cancelled(api, seven):
    check_error(api.delete(f"/api/v1/downloads/{seven[0]}"), 409)
    check_error(api.delete(f"/api/v1/downloads/{seven[5]}"), 409)


def test_purging_a_finished_job_removes_its_files_and_its_record(api, origin):
    job = api.completed(origin.url("small.mp4"))
    path = job["file_info"]["file_url"]
    assert api.get(path).status_code == 200
    assert api.delete(f"/api/v1/downloads/{job['id']}", params={"purge": "true"}).status_code == 200
    check_error(api.get(f"/api/v1/downloads/{job['id']}"), 404)
    check_error(api.get(path), 404)


# --- Refusals


@pytest.mark.parametrize("method, path", [
    ("GET", "/api/v1/downloads/{}"), ("GET", "/api/v1/download/{}"), ("GET", "/api/v1/downloads/{}/logs"), ("DELETE", "/api/v1/downloads/{}")])
def test_an_unknown_job_is_404_and_a_malformed_id_no_5xx(api, method, path):
    check_error(api.request(method, path.format(UNKNOWN)), 404)
    for wrong in ("x", "123", "%00", UNKNOWN + "0", "%F0%9F%92%A9"):
        response = api.request(method, path.format(wrong))
        check_error(response, response.status_code)
        assert response.status_code in (400, 404, 422)


WRONG = [
    ("url", None), ("url", ""), ("url", "small.mp4"), ("url", "ftp://example.com/x"), ("url", "file:///etc/passwd"), ("url", "http://"), ("url", 7),
    ("url", "http://example.com/" + "x" * 10_000), ("url", "-o /etc/x"),
    ("quality", "999p"), ("quality", 720), ("custom_format", ""), ("custom_format", "best; rm -rf /"), ("custom_format", "-exec"),
    ("custom_format", "a`id`"), ("custom_format", "a|b"), ("custom_format", "a&b"), ("custom_format", "a\nb"),
    ("video_format", "exe"), ("audio_only", "perhaps"), ("audio_format", "midi"), ("audio_quality", "193"), ("audio_quality", "-1"),
    ("download_subtitles", 3.5), ("subtitle_languages", "en"), ("subtitle_languages", ["english!"]), ("subtitle_languages", ["e"]),
    ("subtitle_languages", ["en"] * 21), ("subtitle_languages", [7]), ("subtitle_format", "doc"), ("embed_subtitles", []), ("auto_subtitles", {}),
    ("write_thumbnail", "x"), ("embed_thumbnail", "x"), ("thumbnail_format", "bmp"), ("embed_metadata", "x"), ("write_info_json", "x"),
    ("path_template", "../x.{ext}"), ("path_template", "/abs/{id}.{ext}"), ("path_template", "a\x00b.{ext}"), ("path_template", "a//b.{ext}"),
    ("path_template", "a/./b.{ext}"), ("path_template", "{nonsense}.{ext}"), ("path_template", "x" * 1025), ("path_template", "%(title)"),
    ("path_template", ""), ("timeout_sec", 59), ("timeout_sec", 7201), ("timeout_sec", "soon"), ("timeout_sec", 1e30),
    ("webhook_url", "javascript:x"), ("priority", 0), ("priority", 11),
]


@pytest.mark.parametrize("field, value", WRONG, ids=[f"{field}={str(value)[:20]!r}" for field, value in WRONG])
def test_a_wrong_value_is_refused_by_name(api, origin, field, value):
    for path in ("/api/v1/downloads", "/api/v1/download"):
        body = check_error(api.post(path, json={"url": origin.url("small.mp4"), field: value}), 422)
        assert [entry for entry in body["detail"] if field in map(str, entry["loc"])], body["detail"]


def test_every_wrong_field_is_named_at_once(api, origin):
    body = check_error(api.post("/api/v1/downloads", json={"quality": "x", "video_format": "y", "timeout_sec": 1}), 422)
    assert {"url", "quality", "video_format", "timeout_sec"} <= {str(part) for entry in body["detail"] for part in entry["loc"]}


RIGHT = [
    ("quality", "4k"), ("quality", "2160p"), ("custom_format", "bestvideo[height<=1080]+bestaudio/best"), ("subtitle_languages", ["pt-BR", "zh-Hans", "all"]),
    ("audio_quality", "best"), ("timeout_sec", 60), ("timeout_sec", 7200), ("cookies_id", None), ("webhook_url", None), ("path_template", None)]


@pytest.mark.parametrize("field, value", RIGHT, ids=[f"{field}={value!r}" for field, value in RIGHT])
def test_a_right_value_is_accepted(api, origin, field, value):
    api.finish(api.submit(origin.url("small.mp4"), **{"embed_metadata": False, field: value})["id"])


def test_an_unknown_field_is_refused_on_the_canonical_path_and_ignored_on_the_alias(api, origin):
    body = {"url": origin.url("small.mp4"), "dest": "x", "colour": "blue"}
    refused = check_error(api.post("/api/v1/downloads", json=body), 422)
    assert any("colour" in entry["loc"] for entry in refused["detail"])
    accepted = api.post("/api/v1/download", json=body)
    assert accepted.status_code == 201
    api.finish(accepted.json()["id"])


def test_white_space_around_the_url_is_trimmed(api, origin):
    assert api.completed(f"  {origin.url('small.mp4')}\n", embed_metadata=False)


@pytest.mark.parametrize("content", [b"", b"{", b"[1, 2", b'"text"', b"null", b"{'url': 1}", b"\xff\xfe", b'{"url": "http://a/\xff"}', b"[" * 100_000],
                         ids=["empty", "cut", "cut array", "text", "null", "single quotes", "bom", "no utf-8", "deep"])
def test_a_body_that_is_no_json_object_is_refused(api, content):
    response = api.post("/api/v1/downloads", content=content, headers={"Content-Type": "application/json"})
    assert response.status_code in (400, 422)
    check_error(response, response.status_code)


def test_a_body_beyond_the_limit_is_refused_without_being_read(api):
    response = api.post("/api/v1/downloads", content=b'{"url":"' + b"x" * (3 << 19) + b'"}', headers={"Content-Type": "application/json"})
    check_error(response, 413)


def test_an_unknown_route_and_a_wrong_method_have_the_common_error_body(api):
    check_error(api.get("/api/v1/nothing"), 404)
    check_error(api.get("/nothing/at/all"), 404)
    response = api.put("/api/v1/downloads", json={})
    check_error(response, 405)
    assert {"GET", "POST"} <= set(re.split(r",\s*", response.headers["allow"]))


def test_a_request_id_of_the_client_is_kept_when_it_is_harmless(api):
    assert api.get("/api/v1/health", headers={"X-Request-ID": "from-the-client-1"}).headers["x-request-id"] == "from-the-client-1"
    made = [api.get("/api/v1/health").headers["x-request-id"] for _ in range(3)]
    assert len(set(made)) == 3
    odd = api.get("/api/v1/health", headers={"X-Request-ID": 'a"b<script>' + "x" * 500}).headers["x-request-id"]
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,128}", odd)


@pytest.mark.parametrize("field, value, code", [("cookies_id", "mine", "unknown_cookies")])
def test_what_this_version_cannot_do_is_refused_and_leaves_no_job(api, origin, field, value, code):
    before = api.get("/api/v1/downloads").json()["total"]
    response = api.post("/api/v1/downloads", json={"url": origin.url("small.mp4"), field: value})
    assert response.status_code == 422 and response.json()["error_code"] == code and field in response.json()["message"]
    assert api.get("/api/v1/downloads").json()["total"] == before
