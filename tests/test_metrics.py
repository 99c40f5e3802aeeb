"""GET /metrics: that it tells what happened, and nothing that it must not."""
import re

import pytest

from support.keys import ADMIN_KEY, make_key

LINE = re.compile(r'^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$')


def figures(api) -> dict[tuple[str, frozenset], float]:
    """{(name, labels): value}; fails for a line that is not of Prometheus' text format."""
    answer = api.get("/metrics")
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    found = {}
    for text in answer.text.splitlines():
        if not text or text.startswith(("# HELP ", "# TYPE ")):
            continue
        line = LINE.match(text)
        assert line, text
        found[line[1], frozenset(re.findall(r'(\w+)="([^"]*)"', line[2] or ""))] = float(line[3])
    return found


def value(found, name: str, **labels: str) -> float:
    return found.get((name, frozenset(labels.items())), 0.0)


def warm(running):
    running.api.until_ready()
    return running


def test_the_figures_are_those_of_what_happened(server, origin):
    running = warm(server(download__max_retries=0))
    api = running.api
    done = [api.completed(origin.url("small.mp4"), embed_metadata=False, single_flight=False) for _ in range(3)]
    api.failed(origin.url("nothing.mp4"))
    api.failed("http://127.0.0.1:1/")  # Nobody is there.
    assert api.post("/api/v1/downloads", json={"url": "ftp://127.0.0.1/x"}).status_code in (400, 403, 422)
    found = figures(api)
    assert value(found, "jobs_total", status="completed") == 3 and value(found, "jobs_total", status="failed") + value(found, "jobs_total", status="dead") == 2
    assert value(found, "trawl_jobs", state="completed") == 3 and value(found, "trawl_jobs", state="running") == 0
    assert value(found, "jobs_duration_seconds_count") == 5 and value(found, "jobs_in_flight") == value(found, "queue_size") == 0
    assert value(found, "trawl_queue_wait_seconds_count") == 5 and value(found, "trawl_queue_wait_seconds_sum") < 60
    assert value(found, "trawl_engine_child_start_seconds_count") == 5
    stored = sum(one["file_info"]["size_bytes"] for one in done)
    assert stored <= value(found, "bytes_transferred_total", way="native") <= 1.1 * stored
    assert value(found, "bytes_transferred_total", way="proxy_received") > 0 and value(found, "trawl_proxy_connections_total") >= 5
    assert value(found, "trawl_extractor_attempts_total", extractor="generic", result="completed") == 3
    assert value(found, "trawl_extractor_attempts_total", extractor="generic", result="excused") == 2
    assert value(found, "http_requests_total", method="POST", route="/api/v1/downloads", status="202") == 5
    assert value(found, "storage_bytes_used") >= stored


def test_the_engine_and_its_sandbox_are_told(server):
    running = warm(server())
    health, found = running.api.get("/health").json()["checks"], figures(running.api)
    sandbox = [dict(labels) for name, labels in found if name == "trawl_sandbox_info"]
    assert sandbox == [{"tier": health["sandbox"]["tier"], **{name: str(health["sandbox"][name]).lower()
                                                             for name in ("private_users", "network_namespace", "cgroups")}}]
    engine = [dict(labels) for name, labels in found if name == "trawl_engine_info"]
    assert [one["ytdlp"] for one in engine] == [health["ytdlp"]["version"]] and value(found, "trawl_engine_up") == 1
    assert value(found, "process_resident_memory_bytes") > 1 << 20


def test_who_asks_for_json_gets_the_statistics_and_prometheus_its_text(server, origin):
    api = warm(server()).api
    api.completed(origin.url("small.mp4"), embed_metadata=False)
    answer = api.get("/metrics", headers={"Accept": "application/json"})
    assert answer.headers["content-type"].startswith("application/json") and "Accept" in answer.headers["vary"]
    assert answer.json()["total_downloads"] == answer.json()["completed_downloads"] == 1
    prometheus = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
    for accept in ("*/*", "", prometheus, "text/plain, application/json"):
        assert api.get("/metrics", headers={"Accept": accept}).headers["content-type"].startswith("text/plain"), accept


def test_refusals_are_counted_by_reason_and_say_nothing_of_the_address(server):
    running = warm(server(policy__allow_private_networks="false", policy__denied_domains="denied.example"))
    for url in ("http://127.0.0.1/secret-path", "http://169.254.169.254/", "https://denied.example/", "https://93.184.216.34:6379/"):
        assert running.api.post("/api/v1/downloads", json={"url": url}).status_code == 403
    found = figures(running.api)
    assert value(found, "trawl_egress_refusals_total", reason="address_not_allowed") == 2
    assert value(found, "trawl_egress_refusals_total", reason="domain_not_allowed") == 1
    assert value(found, "trawl_egress_refusals_total", reason="port_not_allowed") == 1
    text = running.api.get("/metrics").text
    assert not any(word in text for word in ("secret-path", "169.254", "denied.example"))


def test_paths_nobody_serves_make_one_figure_whatever_they_are(server):
    running = server()
    for number in range(20):
        running.api.get(f"/nothing/{number}")
    running.api.delete("/nothing")
    found = figures(running.api)
    assert value(found, "http_requests_total", method="any", route="none", status="404") == 21
    assert not any("nothing" in dict(labels).get("route", "") for _, labels in found)


def test_only_administrators_are_told_unless_it_is_open(server):
    closed = server(auth__mode="required", auth__api_key=ADMIN_KEY)
    assert closed.as_key(None).get("/metrics").status_code == 401 and closed.as_key(ADMIN_KEY).get("/metrics").status_code == 200
    weak, _ = make_key(closed.as_key(ADMIN_KEY), permission_level="download")
    assert closed.as_key(weak).get("/metrics").status_code == 403
    opened = server(auth__mode="required", auth__api_key=ADMIN_KEY, metrics__open="true")
    assert opened.as_key(None).get("/metrics").status_code == 200
    assert server(metrics__enabled="false").api.get("/metrics").status_code == 404


@pytest.mark.parametrize("path", ["/api/v1/metrics"])
def test_the_same_under_the_api(server, path):
    assert "process_open_fds" in server().api.get(path).text
