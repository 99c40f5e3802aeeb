"""Live streams: a playlist that real ffmpeg makes grow behind real nginx."""
import shutil
import signal
import subprocess
import time

import pytest

from support import media, process, told
from support.api import artifacts, check_error
from support.origin import Origin
from support.probe import recorded
from support.server import Server, close_all
from support.station import Station


class Broadcast:
    """ffmpeg that sends in real time; the playlist keeps everything since the beginning."""

    def __init__(self, folder):
        self.folder = folder
        self.began = time.monotonic()
        self.child = process.start(
            ["ffmpeg", "-nostdin", "-loglevel", "error", "-re", *media.picture(90, seconds=300), "-re", *media.tone(440, 300), *media.H264, "-g", "25",
             "-keyint_min", "25", *media.AAC, "-f", "hls", "-hls_time", "1", "-hls_list_size", "0", "-hls_flags", "temp_file", "live.m3u8"],
            cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def segments(self) -> int:
        playlist = self.folder / "live.m3u8"
        return playlist.read_text().count("#EXTINF") if playlist.exists() else 0

    def until(self, segments: int) -> None:
        deadline = time.monotonic() + 60
        while self.segments() < segments:
            assert self.child.poll() is None and time.monotonic() < deadline, "the broadcast does not run"
            time.sleep(0.1)

    def end(self) -> None:
        """Off the air: the playlist gets its end."""
        self.child.send_signal(signal.SIGINT)
        self.child.wait(10)


@pytest.fixture(scope="module")
def site(origin, tmp_path_factory):
    folder = tmp_path_factory.mktemp("live")
    shutil.copy(origin.file("small.mp4"), folder)
    site = Origin(folder, tmp_path_factory.mktemp("site"))
    yield site
    site.stop()


@pytest.fixture
def air(site):
    for path in site.media.glob("live*"):
        path.unlink()
    broadcast = Broadcast(site.media)
    broadcast.until(4)
    yield broadcast
    if broadcast.child.poll() is None:
        broadcast.child.kill()
        broadcast.child.wait()


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recordings")
    server = Server(folder, {"engine.plugin_dirs": told.install(folder / "plugins"), "media.live_poll_sec": 1})
    server.start()
    yield server
    close_all([server])


def frames(file) -> int:
    done = subprocess.run(["ffprobe", "-v", "error", "-count_packets", "-select_streams", "v:0", "-show_entries", "stream=nb_read_packets", "-of", "csv=p=0", file],
                          capture_output=True, check=True, text=True, timeout=30)
    return int(done.stdout.strip().strip(","))


def stop(api, job):
    answer = api.post(f"/api/v1/downloads/{job}/stop")
    assert answer.status_code == 202, f"{answer.text}\n{api.show(job)}\n{api.log_text(job)}"
    assert answer.json()["status"] == "stopping"


def test_a_recording_is_stopped_and_kept_and_shows_progress_without_a_total(api, site, air, tmp_path):
    job = api.submit(site.url("live.m3u8"))["id"]
    running = api.until(job, lambda body: body["progress"]["downloaded_bytes"] > 0 or body["status"] in ("completed", "failed"))
    assert running["status"] == "running" and running["progress"]["total_bytes"] is None and running["progress"]["percent"] == 0
    more = api.until(job, lambda body: body["progress"]["downloaded_bytes"] > running["progress"]["downloaded_bytes"])
    assert more["progress"]["eta"] is None
    stop(api, job)
    body, file = recorded(api, job, tmp_path)
    assert body["file_info"]["filename"].endswith(".mp4") and (file.video, file.audio) == (["h264"], ["aac"])
    assert "mp4" in file.format, "it is finished, and not what was sent"
    assert 1 < file.duration < time.monotonic() - air.began, "more than from now on"
    check_error(api.post(f"/api/v1/downloads/{job}/stop"), 409, "not_recording")


def test_a_recording_from_the_start_has_what_was_before_it(api, site, air, tmp_path):
    air.until(9)
    missed = air.segments()
    job = api.submit(site.url("live.m3u8"), live_from_start=True, live_max_sec=3)["id"]
    assert recorded(api, job, tmp_path)[1].duration > missed - 1


def test_a_recording_from_now_on_leaves_out_what_was_before_it(api, site, air, tmp_path):
    air.until(9)
    job = api.submit(site.url("live.m3u8"), live_max_sec=2)["id"]
    assert recorded(api, job, tmp_path)[1].duration < 8


def test_a_broadcast_that_ends_ends_the_recording(api, site, air, tmp_path):
    job = api.submit(site.url("live.m3u8"))["id"]
    api.running(job)
    air.end()
    assert recorded(api, job, tmp_path)[1].duration > 1


def test_a_download_waits_for_a_broadcast_that_has_not_begun(api, site, air, tmp_path):
    begun = site.media / "begun.html"
    begun.unlink(missing_ok=True)
    page = told.path("soon", url="@ORIGIN@/media/live.m3u8", protocol="m3u8_native", ext="mp4", live_status="is_live",
                     error="This live event will begin in 5 minutes", until="/media/begun.html")
    job = api.submit(site.url(page), wait_for_live_sec=600, live_max_sec=2, max_retries=0)["id"]
    waiting = api.until(job, lambda body: body["attempts"] >= 3 or body["status"] in ("failed", "completed"))
    assert waiting["status"] in ("queued", "running") and waiting["retry_count"] == 0, waiting
    begun.write_text("now")
    assert recorded(api, job, tmp_path)[0]["attempts"] >= 3


def test_a_broadcast_nobody_waits_for_fails(api, site):
    page = told.path("never", url="@ORIGIN@/media/live.m3u8", error="This live event will begin in 5 minutes")
    assert api.failed(site.url(page), max_retries=0)["error_code"] == "live_not_started"


def test_only_a_recording_can_be_stopped(api, site):
    job = api.submit(site.url("/crawl/small.mp4"))["id"]
    api.running(job)
    check_error(api.post(f"/api/v1/downloads/{job}/stop"), 409, "not_recording")
    api.delete(f"/api/v1/downloads/{job}")
    assert artifacts(api.finish(job), "video") == []


# --- What a real broadcaster sends: a window of some seconds that moves on and never says that it has ended.


@pytest.fixture(scope="module")
def station(tmp_path_factory):
    station = Station(tmp_path_factory.mktemp("station"))
    yield station
    station.stop()


def test_a_moving_window_of_a_broadcaster_is_recorded_without_a_gap(api, station, tmp_path):
    station.begin("show")
    try:
        job = api.submit(station.url("show"), live_from_start=True)["id"]
        api.until(job, lambda body: body["progress"]["downloaded_bytes"] > 0 or body["status"] in ("completed", "failed"))
        oldest = min(int(path.stem.rpartition("-")[2]) for path in station.hls.glob("show-*.ts"))
        # Longer than the window: what it began with has left it by then.
        station.until_gone("show", oldest)
        stop(api, job)
        body, file = recorded(api, job, tmp_path)
    finally:
        station.end()
    assert (file.video, file.audio) == (["h264"], ["aac"]) and file.duration > 8
    assert frames(api.fetch(body["file_info"], tmp_path)) == pytest.approx(file.duration * 25, abs=30), "parts of it are missing"


def test_a_broadcaster_that_falls_silent_ends_the_recording(server, station, tmp_path):
    one = server(media__live_silence_sec=5)
    station.begin("silent")
    try:
        job = one.api.submit(station.url("silent"))["id"]
        one.api.until(job, lambda body: body["progress"]["downloaded_bytes"] > 0 or body["status"] in ("completed", "failed"))
    finally:
        station.end()
    body, file = recorded(one.api, job, tmp_path)
    assert file.duration > 1 and body["attempts"] == 1 and "as nothing comes any more" in one.api.log_text(job)
