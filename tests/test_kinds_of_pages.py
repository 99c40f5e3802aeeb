"""What a URL may lead to besides one plain video: a short, a page with several videos."""
import pytest

from support import told
from support.probe import probe
from support.server import Server, close_all


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kinds")
    server = Server(folder, {"engine.plugin_dirs": told.install(folder / "plugins")}).start()
    yield server
    close_all([server])


def kind(api, url) -> str:
    return api.post("/api/v1/urls/validate", json={"url": url}).json()["content_type"]


def test_a_short_is_known_by_its_path_and_downloaded_like_any_video(api, origin, tmp_path):
    plain = told.path("clip", webpage_url="@ORIGIN@/shorts/clip")
    short = plain.replace("/told/", "/told/shorts/")
    assert kind(api, origin.url(short)) == "shorts"
    assert kind(api, origin.url(plain)) == "video" and kind(api, origin.url(plain + "&from=/shorts/")) == "video"
    job = api.completed(origin.url(short), quality="720p")
    assert probe(api.fetch(job["file_info"], tmp_path)).video == ["h264"] and job["metadata"]["id"] == "clip"


def test_sound_without_a_picture_stays_the_file_it_is(api, origin, tmp_path):
    job = api.completed(origin.url("episode.mp3"), embed_metadata=False)
    assert job["file_info"]["format"] == "mp3" and job["artifacts"][0]["kind"] == "audio"
    assert api.fetch(job["file_info"], tmp_path).read_bytes() == origin.file("episode.mp3").read_bytes()
    tagged = api.completed(origin.url("episode.mp3"), video_format="mkv")
    assert tagged["file_info"]["format"] == "mp3" and probe(api.fetch(tagged["file_info"], tmp_path)).audio == ["mp3"]


def test_a_page_with_several_videos_is_no_single_download_and_says_so(api, origin):
    assert kind(api, origin.url("three.html")) == "playlist"
    failed = api.failed(origin.url("three.html"), max_retries=3)
    assert failed["error_code"] == "is_a_playlist" and failed["attempts"] == 1 and "batch" in failed["error"]
