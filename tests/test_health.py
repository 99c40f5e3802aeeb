"""What monitors and load balancers ask."""
import json
import re

import httpx
import pytest

from support.media import ROOT

VERSION = (ROOT / "VERSION").read_text().strip()


@pytest.fixture(autouse=True)
def warm(api):
    api.until_ready()


@pytest.mark.parametrize("path", ["/api/v1/health", "/health"])
def test_health_says_how_every_part_is(api, path):
    response = api.get(path)
    assert response.status_code == 200
    body = response.json()
    assert body["status"] == "healthy" and body["version"] == VERSION and body["uptime_seconds"] >= 0 and body["timestamp"].endswith("Z")
    assert {"storage", "queue", "ytdlp"} <= body["checks"].keys()
    assert body["checks"]["ytdlp"]["version"] and body["checks"]["queue"]["max_workers"] >= 1
    assert all(check["status"] == "healthy" for check in body["checks"].values())


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/api/v1/readyz", "/api/v1/health/live", "/api/v1/health/ready"])
def test_the_probes_answer_200_while_the_server_is_well(api, path):
    assert api.get(path).status_code == 200


@pytest.mark.parametrize("path", ["/api/v1/version", "/version"])
def test_the_version_names_the_program_and_its_yt_dlp(api, path):
    body = api.get(path).json()
    assert body["version"] == VERSION
    assert re.match(r"\d{4}\.\d{2}\.\d{2}", body["ytdlp_version"])


def test_every_answer_has_a_request_id_and_the_basic_security_headers(api):
    for path in ("/api/v1/health", "/nothing"):
        headers = api.get(path).headers
        assert headers["x-request-id"] and headers["x-content-type-options"] == "nosniff" and headers["x-frame-options"] == "DENY"


def test_the_log_is_one_json_object_per_line(api, shared, origin):
    api.completed(origin.url("small.mp4"), embed_metadata=False)
    lines = [line for path in (shared.out, shared.err) for line in path.read_text().splitlines() if line and not line.startswith("listening on ")]
    entries = [json.loads(line) for line in lines]
    assert entries and all({"timestamp", "level", "message"} <= entry.keys() for entry in entries)
    requests = [entry for entry in entries if entry.get("path") == "/api/v1/downloads"]
    assert requests and all(entry["request_id"] and entry["status_code"] == 202 for entry in requests if entry.get("method") == "POST")


def test_the_root_says_what_this_is_and_where_to_look_on(api):
    body = api.get("/").json()
    assert (body["name"], body["version"]) == ("trawl", VERSION)
    for link in (body["docs"], body["description"], body["health"]):
        assert api.get(link).status_code == 200


def test_a_server_that_does_not_describe_itself_has_no_docs(server):
    closed = server(env={"DISABLE_DOCS": "true"}).url  # Which leaves nothing to hold its answers against.
    assert httpx.get(closed + "/").json()["docs"] == ""
    for path in ("/api/docs", "/docs", "/redoc", "/api/openapi.json"):
        assert httpx.get(closed + path).status_code == 404
