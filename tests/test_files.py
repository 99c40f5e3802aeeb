"""GET /files: what browsers, players and attackers do with a link."""
import http.client
import sqlite3
import time
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import pytest

from support.api import check_error


@pytest.fixture(scope="module")
def stored(shared, origin):
    """The path of a stored file and its bytes."""
    job = shared.api.completed(origin.url("small.mp4"), embed_metadata=False, path_template="files/{title}.{ext}")
    return urlsplit(job["file_info"]["file_url"]).path, origin.file("small.mp4").read_bytes()


@pytest.fixture(scope="module")
def titled(shared, origin):
    """The path of a file whose name is not ASCII, and that name."""
    job = shared.api.completed(origin.url("nasty.html"), path_template="files/{title}.{ext}")
    return urlsplit(job["file_info"]["file_url"]).path, job["file_info"]["filename"]


def test_a_file_is_served_with_everything_a_browser_wants_to_know(api, stored):
    path, data = stored
    response = api.get(path)
    assert response.status_code == 200 and response.content == data
    headers = response.headers
    assert headers["content-type"] == "video/mp4" and headers["content-length"] == str(len(data))
    assert headers["accept-ranges"] == "bytes" and headers["etag"].startswith('"') and headers["etag"].endswith('"')
    assert parsedate_to_datetime(headers["last-modified"])
    assert 'filename="small.mp4"' in headers["content-disposition"] or "filename=small.mp4" in headers["content-disposition"]
    assert headers["x-content-type-options"] == "nosniff"


def test_head_answers_as_get_without_a_body(api, stored):
    path, data = stored
    head, get = api.head(path), api.get(path)
    assert head.status_code == 200 and head.content == b"" and head.headers["content-length"] == str(len(data))
    for name in ("etag", "last-modified", "content-type", "accept-ranges", "content-disposition"):
        assert head.headers[name] == get.headers[name]


@pytest.mark.parametrize("asked, first, last", [("0-0", 0, 0), ("100-199", 100, 199), ("500-", 500, None), ("-100", -100, None), ("0-999999999999", 0, None)])
def test_a_range_gives_exactly_those_bytes(api, stored, asked, first, last):
    path, data = stored
    response = api.get(path, headers={"Range": f"bytes={asked}"})
    begin = first if first >= 0 else len(data) + first
    end = len(data) - 1 if last is None else last
    assert response.status_code == 206 and response.content == data[begin:end + 1]
    assert response.headers["content-range"] == f"bytes {begin}-{end}/{len(data)}"
    assert response.headers["content-length"] == str(end - begin + 1)


@pytest.mark.parametrize("asked", ["999999999-", "899999999999999999999-", "-0"])
def test_a_range_behind_the_end_is_416(api, stored, asked):
    path, data = stored
    response = api.get(path, headers={"Range": f"bytes={asked}"})
    assert response.status_code == 416 and response.headers["content-range"] == f"bytes */{len(data)}"


@pytest.mark.parametrize("asked", ["bytes=5-2", "bytes=a-b", "lines=1-2", "bytes=--5", "bytes", "bytes=0x1-2"])
def test_a_range_that_cannot_be_read_is_ignored(api, stored, asked):
    path, data = stored
    response = api.get(path, headers={"Range": asked})
    assert response.status_code == 200 and response.content == data


def test_if_range_gives_the_part_only_of_the_same_version(api, stored):
    path, data = stored
    headers = api.head(path).headers
    for validator in (headers["etag"], headers["last-modified"]):
        same = api.get(path, headers={"Range": "bytes=10-19", "If-Range": validator})
        assert same.status_code == 206 and same.content == data[10:20]
    for other in ('"another"', f'W/{headers["etag"]}', "Mon, 01 Jan 2001 00:00:00 GMT"):
        whole = api.get(path, headers={"Range": "bytes=10-19", "If-Range": other})
        assert whole.status_code == 200 and whole.content == data


def test_a_known_version_is_not_sent_again(api, stored):
    path, _ = stored
    headers = api.head(path).headers
    for condition in ({"If-None-Match": headers["etag"]}, {"If-None-Match": f'"x", W/{headers["etag"]}'}, {"If-None-Match": "*"},
                      {"If-Modified-Since": headers["last-modified"]}):
        response = api.get(path, headers=condition)
        assert response.status_code == 304 and response.content == b"" and response.headers["etag"] == headers["etag"]
    assert api.get(path, headers={"If-None-Match": '"other"', "If-Modified-Since": headers["last-modified"]}).status_code == 200


def test_a_name_that_is_not_ascii_travels_in_both_forms(api, titled):
    path, name = titled
    disposition = api.head(path).headers["content-disposition"]
    assert "filename*=UTF-8''" in disposition and "caf%C3%A9" in disposition
    plain = disposition.partition('filename="')[2].partition('"')[0]
    assert plain and plain.isascii() and "/" not in plain and "\\" not in plain
    assert name.endswith(".mp4")


SECRET = "this must never be served"
TRICKS = [
    "/files/../secret.txt", "/files/%2e%2e/secret.txt", "/files/%2e%2e%2fsecret.txt", "/files/..%2fsecret.txt", "/files/..%5csecret.txt",
    "/files/%252e%252e%252fsecret.txt", "/files/....//secret.txt", "/files/./../secret.txt", "/files//etc/passwd", "/files/%2fetc%2fpasswd",
    "/files/etc/passwd", "/files/C:/secret.txt", "/files/%00", "/files/files/small.mp4%00.txt", "/files/files%2f..%2f..%2fsecret.txt",
    "/files/..;/secret.txt", "/files/%c0%ae%c0%ae/secret.txt", "/files/%ff", "/files/trawl.db", "/files/data/trawl.db", "/files/../trawl.db",
    "/files/content", "/files/staging", "/files/content/../trawl.db", "/files/", "/files/files/", "/files/files", "/files/secret.txt", "/files/link",
]


def raw_get(server, target):
    """httpx would normalise the path."""
    parts = urlsplit(server.url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
    try:
        connection.putrequest("GET", target, skip_accept_encoding=True)
        connection.endheaders()
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


@pytest.mark.parametrize("target", TRICKS)
def test_no_path_leaves_the_published_files(shared, stored, target):
    for folder in (shared.folder, shared.storage):
        (folder / "secret.txt").write_text(SECRET)
    if not (shared.storage / "link").is_symlink():
        (shared.storage / "link").symlink_to("/etc/passwd")
    status, body = raw_get(shared, target)
    assert 300 <= status < 500, body[:200]
    assert SECRET.encode() not in body and b"root:" not in body and b"SQLite format" not in body


def test_a_file_that_does_not_exist_is_404_with_the_common_error_body(api):
    check_error(api.get("/files/videos/nothing.mp4"), 404)


def test_a_slow_reader_does_not_hold_up_others(shared, stored):
    path, data = stored
    parts = urlsplit(shared.url)
    idle = []
    try:
        for _ in range(20):
            connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
            connection.request("GET", path)
            idle.append(connection)  # Never read.
        assert shared.api.get(path).content == data
    finally:
        for connection in idle:
            connection.close()


def test_what_ended_long_ago_and_has_no_file_left_is_forgotten(server, origin):
    one = server(storage__retention_hours=0)
    gone = one.api.failed(origin.url("nothing-here.mp4"))["job_id"]
    kept = one.api.completed(origin.url("small.mp4"), embed_metadata=False)["job_id"]
    one.stop()
    with sqlite3.connect(one.storage / "trawl.db") as database:  # 169 hours later.
        database.execute("UPDATE jobs SET completed_at = completed_at - 169 * 3600000")
    one.start()
    deadline = time.monotonic() + 30
    while one.api.get(f"/api/v1/downloads/{gone}").status_code != 404:
        assert time.monotonic() < deadline, "it is still known"
        time.sleep(0.05)
    assert one.api.show(kept)["status"] == "completed"
