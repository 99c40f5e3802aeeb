"""Presets: named sets of options, of one's own and of the configuration."""
import json
import time

import pytest

from support.api import check_error
from support.server import Server, close_all


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("presets")
    (folder / "presets.json").write_text(json.dumps({
        "music": {"description": "Sound only", "audio_only": True, "audio_format": "opus"}, "plain": {"embed_metadata": False}}))
    server = Server(folder, {"media.presets": folder / "presets.json"})
    server.start()
    yield server
    close_all([server])


def test_a_preset_is_made_read_changed_and_deleted(api):
    made = api.post("/api/v1/presets", json={"name": "archive", "description": "Everything", "options": {"video_format": "mkv", "write_nfo": True}})
    assert made.status_code == 201 and made.headers["location"] == "/api/v1/presets/archive", made.text
    check_error(api.post("/api/v1/presets", json={"name": "archive", "options": {}}), 409, "preset_exists")
    assert api.get("/api/v1/presets/archive").json()["options"] == {"video_format": "mkv", "write_nfo": True}
    changed = api.put("/api/v1/presets/archive", json={"options": {"video_format": "webm"}}).json()
    assert changed["options"] == {"video_format": "webm"} and changed["created_at"] == made.json()["created_at"]
    listed = api.get("/api/v1/presets").json()
    assert [(preset["name"], preset["configured"]) for preset in listed["presets"]] == [("archive", False), ("music", True), ("plain", True)]
    assert api.delete("/api/v1/presets/archive").json()["status"] == "deleted"
    check_error(api.get("/api/v1/presets/archive"), 404)
    check_error(api.delete("/api/v1/presets/archive"), 404)


@pytest.mark.parametrize("body, where", [
    ({"name": "a b", "options": {}}, ["body", "name"]), ({"name": "x", "options": {"quality": "9p"}}, ["body", "options", "quality"]),
    ({"name": "x", "options": {"exec": "id"}}, ["body", "options", "exec"]), ({"name": "x"}, ["body", "options"])])
def test_what_no_download_could_have_is_no_preset(api, body, where):
    assert [problem["loc"] for problem in check_error(api.post("/api/v1/presets", json=body), 422)["detail"]] == [where]


def test_a_download_takes_what_it_leaves_open_from_its_preset(api, origin):
    assert api.completed(origin.url("small.mp4"), preset="music")["file_info"]["filename"].endswith(".opus")
    assert api.completed(origin.url("small.mp4"), preset="music", audio_format="flac")["file_info"]["filename"].endswith(".flac")
    assert api.completed(origin.url("small.mp4"), preset="music", audio_only=False)["file_info"]["filename"].endswith(".mp4")


def test_an_unknown_preset_is_refused(api, origin):
    for name in ("nothing", 7):
        problems = check_error(api.post("/api/v1/downloads", json={"url": origin.url("small.mp4"), "preset": name}), 422)["detail"]
        assert problems[0]["loc"] == ["body", "preset"]


def test_the_preset_called_default_is_meant_by_whoever_names_none(api, origin):
    api.put("/api/v1/presets/default", json={"options": {"video_format": "mkv"}})
    try:
        assert api.completed(origin.url("small.mp4"))["file_info"]["filename"].endswith(".mkv")
        assert api.completed(origin.url("small.mp4"), preset="plain")["file_info"]["filename"].endswith(".mp4")
    finally:
        api.delete("/api/v1/presets/default")


def test_a_batch_takes_a_preset(api, origin):
    batch = api.post("/api/v1/batches", json={"source": "urls", "urls": [origin.url("small.mp4")], "preset": "music"})
    assert batch.status_code == 202, batch.text
    path, deadline = f"/api/v1/batches/{batch.json()['batch_id']}", time.monotonic() + 30
    while not (jobs := api.get(path).json()["jobs"]):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert api.finish(jobs[0]["job_id"])["file_info"]["filename"].endswith(".opus")


def test_presets_belong_to_the_key_that_made_them(server, origin):
    one = server(auth__mode="required", auth__api_key="the-key-of-the-configuration", limits__enabled="false")
    admin = one.as_key("the-key-of-the-configuration")
    keys = [admin.post("/api/v1/admin/api-keys", json={"name": name, "permission_level": "download"}).json()["api_key"] for name in ("a", "b")]
    mine, other = map(one.as_key, keys)
    assert mine.post("/api/v1/presets", json={"name": "mine", "options": {}}).status_code == 201
    check_error(other.get("/api/v1/presets/mine"), 404)
    check_error(other.post("/api/v1/downloads", json={"url": origin.url("small.mp4"), "preset": "mine"}), 422)
    assert other.get("/api/v1/presets").json()["total"] == 0


def test_a_file_of_presets_that_is_wrong_stops_the_start(server, tmp_path):
    (tmp_path / "wrong.json").write_text('{"x": {"exec": "id"}}')
    assert "preset x: exec" in server(start=False, media__presets=tmp_path / "wrong.json").refused()
