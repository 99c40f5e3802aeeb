"""Files that people bring, and what can be done with files that are there."""
import hashlib
import http.client
import os
import time
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import pytest

from support.api import check_error
from support.keys import ADMIN_KEY, holder


def bring(api, data, name="mine.mp4", path="/api/v1/files", status=201, **query):
    answer = api.post(path, content=data, params={"filename": name, **query}, headers={"Content-Type": "application/octet-stream"})
    assert answer.status_code == status, f"{answer.status_code} {answer.text}"
    return answer.json()


def leftovers(server):
    return [file for name in ("staging", "content") for file in (server.storage / name).rglob("*") if file.is_file()]


@pytest.mark.parametrize("path", ["/api/v1/files", "/files", "/files/upload", "/api/v1/files/upload"])
def test_a_file_of_a_form_is_stored_and_served(api, origin, path):
    data = origin.file("small.mp4").read_bytes()
    answer = api.post(path, files={"job_id": (None, "x"), "file": ("../../a b.mp4", data, "video/mp4")})
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert body["path"].startswith("uploads/a b") and body["path"].endswith(".mp4") and body["size"] == len(data)
    assert body["sha256"] == hashlib.sha256(data).hexdigest() and body["mime_type"] == "video/mp4" and body["kind"] == "video"
    assert api.get(answer.headers["location"]).content == data
    assert api.get(f"/files/info/{body['path']}").json() == body
    assert api.get("/files/download", params={"filename": body["path"]}).content == data
    assert body["id"] in {file["id"] for file in api.get("/files", params={"path": "/uploads", "limit": 100}).json()["files"]}


def test_a_body_is_a_file_and_two_of_one_name_are_two_files(api, origin):
    data = origin.file("clip.webm").read_bytes()
    bodies = [bring(api, data, "same.webm"), bring(api, data, "same.webm")]
    assert len({body["path"] for body in bodies}) == 2
    assert bring(api, data, path="/api/v1/files?path=shows/one/e1.webm")["path"] == "shows/one/e1.webm"
    # The content says what it is; the name follows.
    assert bring(api, data, "lies.mp4")["path"].endswith(".webm")
    for wrong in ("../x.webm", "/x.webm", "a//b.webm"):
        check_error(api.post("/api/v1/files", content=data, params={"path": wrong}), 422, "validation_error")
    check_error(api.post("/api/v1/files", content=data), 422, "validation_error")


@pytest.mark.parametrize("name, data, code", [
    ("x.mp4", b"MZ" + b"\0" * 400, "unsafe_content"), ("x.sh", b"#!/bin/sh\nrm -rf /\n", "unsupported_type"), ("x.mp4", b"<html><script>x</script></html>", "unsafe_content"),
    ("x.zip", b"PK\3\4" + b"\0" * 100, "unsupported_type"), ("x.srt", b"#!/bin/sh\necho\n", "unsafe_content"), ("x.mp4", b"", "unsafe_content")])
def test_what_is_no_medium_is_not_stored(server, name, data, code):
    served = server()
    check_error(served.api.post("/api/v1/files", content=data, params={"filename": name}), 415, code)
    assert served.api.get("/files").json()["total"] == 0 and not leftovers(served)


def test_a_file_that_is_too_large_or_breaks_off_leaves_nothing(server, origin):
    served = server(storage__max_upload_bytes=100_000)
    data = origin.file("bench.mp4").read_bytes()
    check_error(served.api.post("/api/v1/files", content=data, params={"filename": "x.mp4"}), 413, "too_large")
    check_error(served.api.post("/api/v1/files", content=(data[at:at + 30_000] for at in range(0, 300_000, 30_000)), params={"filename": "x.mp4"}), 413, "too_large")
    parts = urlsplit(served.url)
    broken = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
    broken.putrequest("POST", "/api/v1/files?filename=x.mp4")
    broken.putheader("Content-Length", "90000")
    broken.endheaders(data[:50_000])
    broken.close()
    deadline = time.monotonic() + 10
    while leftovers(served) or any((served.storage / "staging").iterdir()):
        assert time.monotonic() < deadline, leftovers(served)
        time.sleep(0.05)
    assert served.api.get("/files").json()["total"] == 0


def test_an_upload_is_never_in_memory_as_a_whole(server):
    # A sanitizer keeps freed memory for a while, up to 256 MiB unless it is told: more than what is looked for.
    asan = ":".join(filter(None, [os.environ.get("ASAN_OPTIONS"), "quarantine_size_mb=4", "thread_local_quarantine_size_kb=64"]))
    served = server(storage__max_upload_bytes="1GiB", env={"ASAN_OPTIONS": asan})
    head = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"
    block = b"\0" * (1 << 20)
    size = 256 << 20

    def peak():
        return int(next(line.split()[1] for line in open(f"/proc/{served.child.pid}/status") if line.startswith("VmHWM"))) << 10

    def pieces(size):
        yield head
        for _ in range(size >> 20):
            yield block

    bring(served.api, pieces(8 << 20), "first.mp4")
    before = peak()
    assert bring(served.api, pieces(size), "big.mp4")["size"] == size + len(head)
    assert peak() - before < size // 4, f"{(peak() - before) >> 20} MiB more"


def test_an_upload_that_a_crash_cut_is_swept_and_one_that_was_answered_is_there(server, origin):
    served = server()
    data = origin.file("small.mp4").read_bytes()
    kept = bring(served.api, data)
    served.api.until_ready()
    served.kill()
    served.start()
    assert served.api.get("/files/" + kept["path"]).content == data
    assert served.api.post("/api/v1/storage/cleanup").status_code == 200
    assert served.api.get("/files/" + kept["path"]).content == data


def test_an_upload_has_the_retention_of_downloads(server, origin):
    served = server(storage__retention_hours=0.5)
    made = bring(served.api, origin.file("small.mp4").read_bytes())
    kept_for = datetime.fromisoformat(made["expires_at"]) - datetime.fromisoformat(made["created"])
    assert abs(kept_for - timedelta(minutes=30)) < timedelta(seconds=5)
    assert bring(server(storage__retention_hours=0).api, origin.file("small.mp4").read_bytes())["expires_at"] is None


def test_files_belong_to_who_brought_them(guarded, origin):
    mine, theirs = holder(guarded), holder(guarded)
    reader = holder(guarded, permission_level="read_only")
    data = origin.file("small.mp4").read_bytes()
    path = bring(mine, data)["path"]
    for other in (theirs, reader):
        check_error(other.get("/files/" + path), 404)
        check_error(other.get("/files/info/" + path), 404)
        assert other.get("/files").json()["total"] == 0
    check_error(theirs.delete("/files/" + path), 404)
    check_error(reader.post("/api/v1/files", content=data, params={"filename": "x.mp4"}), 403)
    assert guarded.api.get("/files").json()["total"] == mine.get("/files").json()["total"] == 1
    deleted = mine.delete("/files/" + path)
    assert deleted.status_code == 200 and deleted.json()["status"] == "deleted"
    check_error(mine.get("/files/" + path), 404)
    assert not [file for file in leftovers(guarded) if file.stat().st_size == len(data)]


def test_uploads_count_against_the_byte_quota(guarded, origin):
    data = origin.file("small.mp4").read_bytes()
    mine = holder(guarded, bytes_per_day=len(data) + 10)
    bring(mine, data)
    check_error(mine.post("/api/v1/files", content=data, params={"filename": "more.mp4"}), 429, "quota_exceeded")
    assert mine.get("/api/v1/usage").json()["day"]["bytes"] == len(data)


def test_a_deleted_file_of_a_download_is_gone_and_its_job_stays(api, origin):
    job = api.completed(origin.url("small.mp4"), embed_metadata=False)
    path = job["file_info"]["file_path"]
    files = api.get(f"/api/v1/downloads/{job['id']}/files").json()
    assert files["total"] == 1 and files["files"] == files["results"] == job["artifacts"]
    assert api.delete("/api/v1/files/" + path).status_code == 200
    check_error(api.get("/files/" + path), 404)
    assert api.show(job["id"])["status"] == "completed" and api.get(f"/downloads/{job['id']}/results").json()["total"] == 0


def test_the_storage_is_counted_and_cleaned_by_who_may(guarded, origin):
    mine = holder(guarded)
    data = origin.file("small.mp4").read_bytes()
    before = guarded.api.get("/api/v1/storage/stats").json()
    path = bring(mine, data)["path"]
    after = guarded.api.get("/storage/stats").json()
    assert (after["total_files"] - before["total_files"], after["total_size_bytes"] - before["total_size_bytes"]) == (1, len(data))
    assert after["free_space"] > 0
    check_error(mine.get("/api/v1/storage/stats"), 403)
    check_error(mine.post("/api/v1/storage/cleanup"), 403)
    assert guarded.api.post("/cleanup", params={"days": 1}).json()["deleted_files"] == 0
    assert mine.head("/files/" + path).status_code == 200
    check_error(guarded.api.post("/cleanup", params={"days": "x"}), 422)
    stats = mine.get("/api/v1/stats").json()
    assert stats["total_bytes_downloaded"] >= len(data) and stats["active_files"] >= 1 and stats["requests_per_minute"] > 5


def test_settings_are_shown_without_secrets_and_few_can_be_changed(guarded):
    shown = guarded.api.get("/api/v1/admin/config")
    assert shown.status_code == 200 and ADMIN_KEY not in shown.text and '"level"' in shown.text or "log.level" in shown.text
    changed = guarded.api.put("/api/v1/admin/config", json={"log.level": "warn"})
    assert changed.status_code == 200, changed.text
    check_error(guarded.api.put("/api/v1/admin/config", json={"log.level": "warn", "storage.dir": "/"}), 422, "not_changeable")
    check_error(guarded.api.put("/api/v1/admin/config", json={"log.level": "loud"}), 422)
    check_error(holder(guarded).get("/api/v1/admin/config"), 403)
    assert guarded.api.put("/config", json={"log.level": "debug"}).status_code == 200


def test_a_clean_up_leaves_alone_what_is_arriving(server, origin):
    served = server()
    data = origin.file("small.mp4").read_bytes()

    def slowly():
        yield data[:20_000]
        for _ in range(2):
            assert served.as_key(None).post("/api/v1/storage/cleanup").status_code == 200
        yield data[20_000:]
    answer = served.api.post("/api/v1/files", content=slowly(), params={"filename": "slow.mp4"})
    assert answer.status_code == 201, answer.text
    assert served.api.get("/files/" + answer.json()["path"]).content == data
