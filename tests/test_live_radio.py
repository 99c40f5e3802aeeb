"""Live from icecast2: one answer over HTTP that has no length and no end."""
import pytest

from support.api import check_error
from support.icecast import Icecast
from support.probe import recorded

# Without the reservoir every frame can be understood by itself, so that a beginning in the middle is no error.
MP3 = ("-c:a", "libmp3lame", "-b:a", "64k", "-reservoir", "0", "-f", "mp3")
VORBIS = ("-c:a", "libvorbis", "-f", "ogg")
WEBM = ("-c:v", "libvpx", "-deadline", "realtime", "-b:v", "100k", "-g", "25", "-c:a", "libvorbis", "-f", "webm")


@pytest.fixture(scope="module")
def radio(tmp_path_factory):
    radio = Icecast(tmp_path_factory.mktemp("icecast"))
    yield radio
    radio.stop()


def recording(api, url, **options) -> dict:
    """A job of which something is there."""
    job = api.submit(url, **options)["id"]
    body = api.until(job, lambda body: body["progress"]["downloaded_bytes"] > 0 or body["status"] in ("completed", "failed"))
    assert body["status"] == "running", f"{body}\n{api.log_text(job)}"
    return body


@pytest.mark.parametrize("name, encoding, mime_type, options, video, audio", [
    ("air.mp3", MP3, "audio/mpeg", {"audio_only": True, "audio_format": "mp3"}, [], ["mp3"]),
    ("air.ogg", VORBIS, "application/ogg", {"audio_only": True, "audio_format": "vorbis"}, [], ["vorbis"]),
    ("air.webm", WEBM, "video/webm", {"video_format": "webm"}, ["vp8"], ["vorbis"])])
def test_a_station_is_recorded_until_somebody_stops_it(api, radio, tmp_path, name, encoding, mime_type, options, video, audio):
    radio.begin(name, *encoding, mime_type=mime_type)
    try:
        running = recording(api, radio.url(name), **options)
        job = running["id"]
        assert running["progress"]["total_bytes"] is None and running["progress"]["percent"] == 0 and running["progress"]["eta"] is None
        api.until(job, lambda body: body["progress"]["downloaded_bytes"] > running["progress"]["downloaded_bytes"] + 3000)
        answer = api.post(f"/api/v1/downloads/{job}/stop")
        assert answer.status_code == 202, answer.text
        body, file = recorded(api, job, tmp_path)
    finally:
        radio.end()
    assert (file.video, file.audio) == (video, audio) and file.duration > 1 and body["attempts"] == 1
    check_error(api.post(f"/api/v1/downloads/{job}/stop"), 409, "not_recording")


def test_a_station_that_goes_off_the_air_ends_the_recording(api, radio, tmp_path):
    radio.begin("brief.ogg", *VORBIS, mime_type="application/ogg")  # A reader of Ogg leaves out the page that is cut off.
    try:
        job = recording(api, radio.url("brief.ogg"), audio_only=True, audio_format="vorbis")["id"]
    finally:
        radio.end()
    assert recorded(api, job, tmp_path)[1].duration > 1
