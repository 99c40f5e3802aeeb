"""A part cut out of a medium, and a server that dies after the cut: what is done again begins with what was fetched."""
import time
from pathlib import Path

import pytest

from support import process, told
from support.api import artifacts
from support.probe import chapters, decodes, pictures, probe
from support.slow_ffmpeg import slow_ffmpeg

CHAPTERS = [{"title": "Intro", "start_time": 0, "end_time": 6}, {"title": "Ende", "start_time": 6, "end_time": 10}]


@pytest.fixture
def slow_splitter():
    """An ffmpeg that takes three seconds for each file of a chapter, which is what comes after a cut."""
    with slow_ffmpeg("*media.chapter*) sleep 3 ;;") as program:
        yield program


def killed_after_the_cut(one, **request) -> str:
    job = one.api.submit(**request, split_chapters=True)["id"]
    deadline = time.monotonic() + 60
    while not any("media.chapter" in process.command_of(pid) for pid in one.processes()):
        assert time.monotonic() < deadline, one.api.log_text(job)
        time.sleep(0.02)
    one.kill()
    one.start()
    return job


def main_file(one, job, folder) -> Path:
    body = one.api.finish(job, within=90)
    assert body["status"] == "completed" and body["attempts"] == 2, f"{body}\n{one.api.log_text(job)}"
    return one.api.fetch(body["file_info"], folder)


@pytest.mark.parametrize("source", ["hls-fmp4/index.m3u8", "hls-aes/index.m3u8", "dash/manifest.mpd", "small.mp4"])
def test_a_part_of_any_medium_is_what_it_should_be(api, origin, tmp_path, source):
    job = api.completed(origin.url(source), section_start=3, section_end=7, precise_cuts=True, write_info_json=True, write_description=True)
    assert len(artifacts(job, "info")) == 1
    file = api.fetch(job["file_info"], tmp_path)
    decodes(file)
    media = probe(file)
    assert len(media.video) == len(media.audio) == 1 and media.duration == pytest.approx(4, abs=0.35)
    sound = api.completed(origin.url(source), section_start=3, section_end=7, audio_only=True)
    assert probe(api.fetch(sound["file_info"], tmp_path)).duration == pytest.approx(4, abs=0.35)


def test_a_part_that_needs_no_encoding_begins_at_a_key_frame(api, origin, tmp_path):
    job = api.completed(origin.url("hls-fmp4/index.m3u8"), section_start=5, section_end=9)
    file = api.fetch(job["file_info"], tmp_path)
    decodes(file)
    assert 4 * 25 <= pictures(file) <= 6 * 25 + 5


# yt-dlp knows a file that was cut already, but not when little was cut.
@pytest.mark.parametrize("video, seconds", [("sponsored", 2), ("briefly", 0.8)])
def test_what_sponsors_paid_for_is_cut_out_once_when_the_server_dies_after_it(server, origin, sponsorblock, slow_splitter, tmp_path, video, seconds):
    one = server(engine__plugin_dirs=told.install(tmp_path / "plugins"), media__sponsorblock_api=sponsorblock.url, ffmpeg__path=slow_splitter)
    job = killed_after_the_cut(one, url=origin.url(told.path(video, duration=10, extractor_key="Youtube", chapters=CHAPTERS)),
                               sponsorblock_remove=["sponsor"], precise_cuts=True, write_info_json=True)
    file = main_file(one, job, tmp_path)
    assert pictures(file) == pytest.approx(25 * (10 - seconds), abs=5)
    assert chapters(file) == [("Intro", 0, round(6 - seconds)), ("Ende", round(6 - seconds), round(10 - seconds))]


def test_a_part_is_cut_out_once_when_the_server_dies_after_it(server, origin, slow_splitter, tmp_path):
    one = server(engine__plugin_dirs=told.install(tmp_path / "plugins"), ffmpeg__path=slow_splitter)
    job = killed_after_the_cut(one, url=origin.url(told.path("whole", duration=10, chapters=CHAPTERS, url="@ORIGIN@/media/hls-fmp4/index.m3u8", ext="mp4", protocol="m3u8_native")), section_start=3, section_end=9, precise_cuts=True)
    assert pictures(main_file(one, job, tmp_path)) == pytest.approx(25 * 6, abs=5)
