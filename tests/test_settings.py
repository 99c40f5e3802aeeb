"""Settings that change what a server does, by the names that the services Trawl replaces gave them."""
import json

import httpx
import pytest

from support import rude_plugin
from support.keys import ADMIN_KEY
from support.postgres import free_port


def test_the_sound_alone_can_be_what_requests_get_that_say_nothing(server, origin):
    api = server(env={"YTD_AUDIO_ONLY": "true"}).api
    kinds = {said: api.completed(origin.url("small.mp4"), embed_metadata=False, **json.loads(said))["artifacts"][0]["kind"]
             for said in ('{}', '{"quality": "720p"}', '{"audio_only": false}')}
    assert kinds == {'{}': "audio", '{"quality": "720p"}': "video", '{"audio_only": false}': "video"}


def test_a_format_can_be_what_requests_get_that_say_nothing(server, origin):
    api = server(env={"YTDLP_FORMAT": "worst[height=1]", "YTD_SPONSORBLOCK": "true"}).api
    (default,) = api.get("/api/v1/presets").json()["presets"]
    assert (default["name"], default["configured"]) == ("default", True)
    assert default["options"] == {"custom_format": "worst[height=1]", "sponsorblock_remove": ["sponsor"]}
    job = api.submit(origin.url("hls-ts/master.m3u8"), max_retries=0)["id"]
    assert "format" in api.finish(job)["error"].lower()  # There is none of that height.
    assert api.completed(origin.url("small.mp4"), quality="best", section_end=1, embed_metadata=False)


def test_a_format_that_cannot_be_one_is_refused_at_the_start(server):
    said = server(start=False, download__format="best; rm").refused()
    assert "download.format" in said


def test_the_log_is_also_kept_in_files_of_a_bounded_size(server, tmp_path):
    one = server(env={"LOG_DIR": str(tmp_path / "logs"), "LOG_FILE_MAX_BYTES": "65536", "LOG_FILE_BACKUP_COUNT": "2"})
    with httpx.Client() as client:
        for number in range(1500):
            client.get(f"{one.url}/api/v1/version", headers={"X-Request-ID": f"request-{number}"})
    one.stop()
    files = sorted((tmp_path / "logs").iterdir())
    assert [file.name for file in files] == ["trawl.1.log", "trawl.2.log", "trawl.log"]
    assert all(0 < file.stat().st_size <= 65536 for file in files)
    lines = [json.loads(line) for file in (files[1], files[0], files[2]) for line in file.read_text().splitlines()]
    asked = [line["request_id"] for line in lines if line.get("path") == "/api/v1/version"]
    assert asked == [f"request-{number}" for number in range(1500 - len(asked), 1500)] and len(asked) > 300
    assert lines[-1]["message"] == "stopped" and '"message":"stopped"' in one.err.read_text()


def test_a_log_that_cannot_be_kept_is_refused_at_the_start(server, tmp_path):
    (tmp_path / "file").write_text("")
    assert "log.dir: " in server(start=False, log__dir=tmp_path / "file").refused()


def test_health_and_the_log_name_the_environment(server):
    one = server(env={"ENVIRONMENT": "staging"})
    assert one.api.get("/api/v1/health").json()["environment"] == "staging"
    assert '"environment":"staging"' in one.err.read_text()
    assert server().api.get("/health").json()["environment"] == "production"


def test_metrics_can_have_a_port_of_their_own(server):
    port = free_port()
    one = server(env={"METRICS_PORT": str(port)}, auth__mode="required", auth__api_key=ADMIN_KEY)
    there = f"http://127.0.0.1:{port}/metrics"
    assert httpx.get(there).status_code == 401
    assert "trawl_" in httpx.get(there, headers={"X-API-Key": ADMIN_KEY}).text
    assert httpx.get(f"{one.url}/metrics", headers={"X-API-Key": ADMIN_KEY}).status_code == 404
    for path in ("/", "/api/v1/downloads", "/api/v1/health", "/files/x"):
        assert httpx.get(f"http://127.0.0.1:{port}{path}", headers={"X-API-Key": ADMIN_KEY}).status_code == 404, path
    assert str(port) in server(start=False, metrics__port=port).refused()


@pytest.mark.parametrize("seconds", [3, 300])
def test_a_host_that_fails_is_left_alone_as_the_settings_say(server, origin, seconds):
    one = server(breaker__failures=2, breaker__open_sec=seconds, download__max_concurrent=1)
    for number in range(2):
        assert one.api.finish(one.api.submit(origin.url(f"/broken/{number}.mp4"), max_retries=0)["id"])["status"] == "failed"
    (breaker,) = one.api.get("/api/v1/admin/breakers").json()["breakers"]
    assert (breaker["state"], breaker["failures"]) == ("open", 2)
    waits = one.api.submit(origin.url("small.mp4"), embed_metadata=False)["id"]
    if seconds == 3:
        assert one.api.finish(waits, within=30)["status"] == "completed"
    else:
        assert one.api.show(waits)["state"] == "queued"


def test_a_host_that_often_fails_is_left_alone_as_the_settings_say(server, origin):
    one = server(breaker__failures=1000, breaker__min_calls=4, breaker__failed_percent=60, download__max_concurrent=1)
    states = []
    for path in ("/broken/1.mp4", "small.mp4", "/broken/2.mp4", "/broken/3.mp4"):
        one.api.finish(one.api.submit(origin.url(path), max_retries=0, embed_metadata=False)["id"])
        (breaker,) = one.api.get("/api/v1/admin/breakers").json()["breakers"]
        states.append((breaker["state"], breaker["recent_calls"], breaker["recent_failures"]))
    assert states == [("closed", 1, 1), ("closed", 2, 1), ("closed", 3, 2), ("open", 0, 0)], states


def test_a_download_that_crashes_becomes_a_dead_letter_as_soon_as_the_settings_say(server, origin, tmp_path):
    one = server(engine__plugin_dirs=rude_plugin.install(tmp_path / "plugins"), dlq__max_crashes=1)
    assert one.api.finish(one.api.submit(origin.url("/rude/crash"))["id"], within=60)["state"] == "dead"
    (letter,) = one.api.get("/api/v1/admin/dlq").json()["dead_letters"]
    assert letter["crashes"] == 1
