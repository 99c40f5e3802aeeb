"""Every path of the API that others were promised is there, under each of its names, and answers as it should.

What a row does is tested elsewhere; here nothing may be forgotten. A row is (method, path, request, status).
`{job}`, `{done}`, `{batch}`, `{file}` stand for a download that waits, one that has completed, a batch and a stored file.
"""
import pytest

from support.api import check_error

LATER = {"scheduled_at": "2090-01-01T00:00:00Z"}


def both(path):
    return [f"/api/v1{path}", path]


JOBS = ["/api/v1/downloads", "/api/v1/download", "/downloads", "/jobs"]
BATCHES = ["/api/v1/batches", "/api/v1/batch"]

ROWS = [
    # 1 create
    ("POST", "/api/v1/downloads", {"json": {"url": "{url}", **LATER}}, 202), ("POST", "/api/v1/download", {"json": {"url": "{url}", **LATER}}, 201),
    ("POST", "/downloads", {"json": {"url": "{url}", **LATER}}, 202), ("POST", "/jobs", {"json": {"url": "{url}", **LATER}}, 202),
    ("POST", "/downloads", {"json": {"urls": ["{url}"], "audio_only": False, "max_workers": 3}}, 202),
    ("POST", "/downloads", {"json": {"urls": ["{url}", "{url}?2"], "max_workers": 3}}, 202), ("POST", "/downloads", {"json": ["{url}", "{url}?3"]}, 202),
    ("POST", "/api/v1/downloads", {"json": {"urls": ["{url}", "{url}?4"]}}, 202), ("POST", "/downloads", {"json": {"urls": []}}, 422),
    # 2 list
    *[("GET", path, {}, 200) for path in ("/api/v1/downloads", "/downloads", "/api/v1/jobs")],
    *[("GET", "/api/v1/downloads", {"params": params}, 200) for params in
      ({"status": "queued"}, {"batch_id": "{batch}"}, {"page": 1, "per_page": 5}, {"skip": 0, "limit": 5}, {"offset": 1}, {"cursor": "{job}"})],
    ("GET", "/api/v1/downloads", {"params": {"cursor": "x"}}, 422),
    # 3 status
    *[("GET", path + "/{job}", {}, 200) for path in [*JOBS, "/api/v1/status"]],
    ("GET", "/api/v1/downloads/{job}", {"params": {"wait": 0}}, 200),
    # 5 logs, 7 files
    *[("GET", f"{path}/{{job}}/{name}", {}, 200) for path in JOBS for name in ("logs", "files", "results")],
    # 8 retention
    *[(method, path + "/{done}/retention", body, 200) for path in JOBS[:2] for method, body in (("PUT", {"json": {"hours": 5}}), ("DELETE", {}))],
    # 6 pause, resume, retry
    *[("POST", f"{path}/{{job}}/{verb}", {}, 200) for path in JOBS for verb in ("pause", "resume")],
    *[("POST", f"{path}/{{job}}/retry", {}, 409 if path.startswith("/api") else 400) for path in JOBS], ("POST", "/api/v1/retry/{job}", {}, 400),
    # 4 cancel
    *[("DELETE", path + "/{done}", {}, 409 if path.startswith("/api") else 400) for path in JOBS],
    # 9, 10 looks
    *[("GET", f"/api/v1/{path}", {"params": {"url": "{url}"}}, 200) for path in ("formats", "metadata", "metadata/formats", "metadata/metadata", "info")],
    *[("GET", f"/api/v1/playlist/{path}", {"params": {"url": "{list}"}}, 200) for path in ("preview", "info")],
    ("GET", "/api/v1/channel/info", {"params": {"url": "{list}"}}, 200),
    # 11, 12 batches
    ("POST", "/api/v1/batches", {"json": {"urls": ["{url}?5", "{url}?6"]}}, 202), ("POST", "/api/v1/batch/download", {"json": {"urls": ["{url}?7"]}}, 202),
    ("POST", "/api/v1/playlist/download", {"json": {"url": "{list}", "max_downloads": 1}}, 201),
    ("POST", "/api/v1/channel/download", {"json": {"url": "{list}", "max_downloads": 1}}, 201),
    ("GET", "/api/v1/batches", {}, 200), *[("GET", path + "/{batch}", {}, 200) for path in BATCHES],
    *[("POST", f"{path}/{{batch}}/{verb}", {}, {200, 409}) for path in BATCHES for verb in ("pause", "resume", "retry")],
    *[("DELETE", path + "/{batch}", {}, {200, 409}) for path in BATCHES],
    # 13 cookies: without an encryption key they are refused by name
    *[("POST", path, {"json": {}}, 422) for path in ("/api/v1/auth/cookies", "/api/v1/cookies")],
    *[("GET", path, {}, 200) for path in ("/api/v1/auth/cookies", "/api/v1/cookies")],
    *[(method, path + "/01890000-0000-7000-8000-000000000000", {}, 404) for path in ("/api/v1/auth/cookies", "/api/v1/cookies") for method in ("GET", "DELETE")],
    # 14 files
    *[("GET", path, {}, 200) for path in both("/files")], ("GET", "/files", {"params": {"path": "/"}}, 200),
    *[(method, path + "/{file}", {}, 200) for path in both("/files") for method in ("GET", "HEAD")],
    *[("GET", path + "/info/{file}", {}, 200) for path in both("/files")], ("GET", "/files/download", {"params": {"filename": "{file}"}}, 200),
    *[("POST", path, {"files": {"file": ("row.srt", b"1\n00:00:00,000 --> 00:00:01,000\nHello\n", "text/plain")}}, 201)
      for path in [*both("/files"), *both("/files/upload")]],
    *[("DELETE", path + "/nothing.mp4", {}, 404) for path in both("/files")],
    # 15 storage
    *[("GET", path, {}, 200) for path in both("/storage/stats")],
    *[("POST", path, {"params": {"days": 30}}, 200) for path in [*both("/storage/cleanup"), "/cleanup", "/maintenance/cleanup"]],
    # 16 analytics
    *[("GET", path, {}, {200, 501}) for name in ("metrics", "trends", "popular", "performance", "reports/summary", "reports/performance", "reports/usage", "reports/downloads")
      for path in both(f"/analytics/{name}")],
    # 17 keys
    ("GET", "/api/v1/admin/api-keys", {}, 200), ("POST", "/api/v1/admin/api-keys", {"json": {"name": "row"}}, 201),
    *[("GET", "/api/v1/admin/stats", {}, 200), ("GET", "/api/v1/bootstrap/status", {}, 200), ("POST", "/api/v1/bootstrap/admin-key", {}, {401, 409})],
    *[(method, "/api/v1/admin/api-keys/nobody00", body, {404, 422}) for method, body in (("GET", {}), ("PUT", {"json": {"name": "x"}}), ("DELETE", {}))],
    # 18 operations
    *[("GET", path, {}, 200) for path in ("/api/v1/admin/queue", "/queue/status", "/api/v1/admin/workers", "/active-downloads", "/api/v1/admin/dlq",
                                          "/api/v1/admin/breakers", "/api/v1/admin/config", "/config", "/services", "/status")],
    *[("PUT", path, {"json": {"log.level": "debug"}}, 200) for path in ("/api/v1/admin/config", "/config")],
    ("PUT", "/api/v1/admin/config", {"json": {"auth.api_key": "x"}}, 422),
    ("POST", "/api/v1/admin/dlq/{done}/replay", {}, 409), ("DELETE", "/api/v1/admin/dlq/{done}", {}, 409),
    # 19 validation
    ("POST", "/api/v1/urls/validate", {"json": {"url": "{url}", "inspect": False}}, 200), ("POST", "/validate-url", {"params": {"url": "{url}"}}, 200),
    # 20 health
    *[("GET", path, {}, 200) for path in ("/api/v1/health", "/health", "/api/v1/health/detailed", "/health/detailed", "/api/v1/health/live", "/healthz",
                                          "/api/v1/health/ready", "/readyz", "/api/v1/readyz")],
    # 22 statistics
    *[("GET", path, {}, 200) for path in ("/api/v1/stats", "/api/v1/health/stats", "/stats", "/api/v1/version", "/version")],
    # 23 WebSockets say so to those who do not speak it
    *[("GET", path, {}, 426) for path in ("/api/v1/ws", "/ws", "/api/v1/ws/downloads/{job}", "/ws/downloads/{job}", "/ws/progress/{job}",
                                          "/api/v1/ws/batches/{batch}", "/ws/batches/{batch}")],
    *[("HEAD", path + "/{job}/events", {}, 200) for path in JOBS],
]


@pytest.fixture(scope="module")
def known(shared, origin):
    """What the placeholders stand for."""
    api = shared.api
    done = api.completed(origin.url("small.mp4"), embed_metadata=False, path_template="rows/{title}.{ext}")
    return {"{url}": origin.url("other.mp4"), "{list}": origin.url("three.html"), "{done}": done["id"], "{file}": done["file_info"]["file_path"],
            "{job}": api.submit(origin.url("other.mp4"), **LATER)["id"],
            "{batch}": api.post("/api/v1/batches", json={"urls": [origin.url("other.mp4?8")]}).json()["batch_id"]}


def fill(value, known):
    if isinstance(value, str):
        for name, text in known.items():
            value = value.replace(name, text)
        return value
    if isinstance(value, dict):
        return {name: fill(inner, known) for name, inner in value.items()}
    return [fill(inner, known) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize("row", range(len(ROWS)), ids=[f"{method}-{path}-{number}" for number, (method, path, *_) in enumerate(ROWS)])
def test_row(api, known, row):
    method, path, request, status = ROWS[row]
    response = api.request(method, fill(path, known), **fill(request, known))
    allowed = status if isinstance(status, set) else {status}
    assert response.status_code in allowed, f"{response.status_code} {response.text[:500]}"
    if response.status_code >= 400 and method != "HEAD":
        check_error(response, response.status_code)
