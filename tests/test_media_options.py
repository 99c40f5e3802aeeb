"""What else a job makes of a medium: parts, chapters, SponsorBlock, sound, pictures, and files about it."""
import contextlib
import json
import os
import shutil
import threading
import time
import xml.etree.ElementTree as ElementTree
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from support import media, told
from support.api import artifacts, check_error
from support.origin import Origin
from support.probe import chapters, decodes, pictures, probe
from support.server import Server, close_all

CHAPTERS = [{"title": "Intro", "start_time": 0, "end_time": 4}, {"title": "The middle / part", "start_time": 4, "end_time": 8},
            {"title": "Ende", "start_time": 8, "end_time": 10}]


@pytest.fixture(scope="module")
def site(origin, tmp_path_factory):
    folder = tmp_path_factory.mktemp("media")
    for name in ("small.mp4", "clip.webm", "poster.jpg"):
        shutil.copy(origin.file(name), folder)
    for width in (64, 32):
        media.ffmpeg("-i", "poster.jpg", "-vf", f"scale={width}:-1", f"poster{width}.jpg", cwd=folder)
    site = Origin(folder, tmp_path_factory.mktemp("site"))
    yield site
    site.stop()


@pytest.fixture(scope="module")
def shared(tmp_path_factory, sponsorblock):
    folder = tmp_path_factory.mktemp("options")
    server = Server(folder, {"engine.plugin_dirs": told.install(folder / "plugins"), "media.sponsorblock_api": sponsorblock.url})
    server.start()
    yield server
    close_all([server])


# --- Parts


@pytest.mark.parametrize("options, seconds", [({"section_start": 2, "section_end": 6}, 4), ({"section_end": 3}, 3), ({"section_start": 8}, 2)])
def test_only_a_part_is_fetched(api, site, tmp_path, options, seconds):
    job = api.completed(site.url(told.path("part", duration=10)), precise_cuts=True, **options)
    file = api.fetch(job["file_info"], tmp_path)
    assert probe(file).duration == pytest.approx(seconds, abs=0.35)
    decodes(file)


def test_a_part_begins_at_the_key_frame_before_when_it_may_and_is_not_encoded_again(api, site, tmp_path):
    job = api.completed(site.url(told.path("rough", duration=10)), section_start=5, section_end=9)  # Key frames are two seconds apart.
    file = api.fetch(job["file_info"], tmp_path)
    decodes(file)
    assert pictures(file) == pytest.approx(5 * 25, abs=3), "from the fourth second to the ninth"


def test_a_part_can_be_a_chapter_and_begins_with_it(api, site, tmp_path):
    job = api.completed(site.url(told.path("chapter", duration=10, chapters=CHAPTERS)), section_chapter="middle", precise_cuts=True)
    file = api.fetch(job["file_info"], tmp_path)
    assert probe(file).duration == pytest.approx(4, abs=0.35)
    assert chapters(file) == [("The middle / part", 0, 4)]


def test_a_part_that_cannot_be_is_refused(api, site):
    check_error(api.post("/api/v1/downloads", json={"url": site.url("small.mp4"), "section_start": 5, "section_end": 5}), 422)
    assert api.failed(site.url(told.path("short", duration=10)), section_start=60)["error_code"] == "bad_section"
    assert api.failed(site.url(told.path("short", duration=10)), section_chapter="nowhere")["error_code"] == "chapter_not_found"


# --- Chapters and SponsorBlock


def test_chapters_are_embedded_and_split_into_files(api, site, tmp_path):
    job = api.completed(site.url(told.path("split", duration=10, chapters=CHAPTERS)), split_chapters=True, precise_cuts=True)
    assert chapters(api.fetch(job["file_info"], tmp_path)) == [("Intro", 0, 4), ("The middle / part", 4, 8), ("Ende", 8, 10)]
    parts = artifacts(job, "chapter")
    assert [part["filename"].partition(" - ")[2] for part in parts] == ["001 Intro.mp4", "002 The middle _ part.mp4", "003 Ende.mp4"]
    for part, seconds in zip(parts, (4, 4, 2)):
        file = api.fetch(part, tmp_path)
        assert probe(file).duration == pytest.approx(seconds, abs=0.5) and probe(file).audio == ["aac"]


def test_chapters_are_left_out_when_they_are_not_wanted(api, site, tmp_path):
    job = api.completed(site.url(told.path("bare", duration=10, chapters=CHAPTERS)), embed_chapters=False)
    assert chapters(api.fetch(job["file_info"], tmp_path)) == []


def test_sponsors_are_marked(api, site, sponsorblock, tmp_path):
    job = api.completed(site.url(told.path("sponsored", duration=10, extractor_key="Youtube")), sponsorblock_mark=["sponsor"])
    assert ("[SponsorBlock]: Sponsor", 2, 4) in chapters(api.fetch(job["file_info"], tmp_path))
    asked = sponsorblock.asked[-1]
    assert asked["path"].startswith("/api/skipSegments/") and len(asked["path"].rpartition("/")[2]) == 4, "the service learns which video it is"
    assert json.loads(asked["categories"][0]) == ["sponsor"]


def test_sponsors_are_cut_out(api, site, tmp_path):
    job = api.completed(site.url(told.path("sponsored", duration=10, extractor_key="Youtube")), sponsorblock_remove=["sponsor"], precise_cuts=True)
    file = api.fetch(job["file_info"], tmp_path)
    assert probe(file).duration == pytest.approx(8, abs=0.5) and probe(file).video == ["h264"]


def test_a_service_that_does_not_answer_costs_the_marks_alone(api, site, sponsorblock, tmp_path):
    sponsorblock.working = False
    try:
        job = api.completed(site.url(told.path("sponsored", duration=10, extractor_key="Youtube")), sponsorblock_mark=["sponsor", "intro"])
    finally:
        sponsorblock.working = True
    assert chapters(api.fetch(job["file_info"], tmp_path)) == [] and "SponsorBlock does not answer" in api.log_text(job["id"])


# --- Sound


@pytest.mark.parametrize("wanted", ["96", "128", "192", "256", "320", "best"])
def test_sound_has_the_bitrate_asked_for_with_tags_and_cover(api, site, tmp_path, wanted):
    page = told.path("song", title="A song", artist="The Band", album="Tunes", track="A song", thumbnail="@ORIGIN@/media/poster.jpg")
    job = api.completed(site.url(page), audio_only=True, audio_format="mp3", audio_quality=wanted, embed_thumbnail=True)
    heard = probe(api.fetch(job["file_info"], tmp_path))
    assert heard.audio == ["mp3"] and heard.has_cover
    assert (heard.tags["title"], heard.tags["artist"], heard.tags["album"]) == ("A song", "The Band", "Tunes")
    (sound,) = [stream for stream in heard.streams if stream["codec_type"] == "audio"]
    if wanted != "best":  # Which has no fixed rate.
        assert int(sound["bit_rate"]) == int(wanted) * 1000


@pytest.mark.parametrize("wanted, holds_pictures", [("m4a", True), ("flac", True), ("opus", True), ("vorbis", True), ("aac", True), ("wav", False)])
def test_every_kind_of_sound_has_tags_and_its_cover_where_it_can(api, site, tmp_path, wanted, holds_pictures):
    page = told.path("tune", title="A tune", artist="The Band", album="Tunes", track="A tune", thumbnail="@ORIGIN@/media/poster.jpg")
    job = api.completed(site.url(page), audio_only=True, audio_format=wanted, embed_thumbnail=True)
    heard = probe(api.fetch(job["file_info"], tmp_path))
    assert heard.has_cover == holds_pictures and artifacts(job, "thumbnail") == [], api.log_text(job["id"])
    assert (heard.tags["title"], heard.tags["artist"], heard.tags["album"]) == ("A tune", "The Band", "Tunes")


@pytest.mark.parametrize("container, name", [("mp4", "mov"), ("mkv", "matroska"), ("webm", "matroska"), ("avi", "avi"), ("mov", "mov"), ("flv", "flv")])
def test_every_container_is_made_and_streams_that_fit_are_copied(api, site, tmp_path, container, name, stream_hash):
    job = api.completed(site.url("small.mp4"), video_format=container, embed_metadata=False)
    file = api.fetch(job["file_info"], tmp_path)
    assert file.suffix == f".{container}" and name in probe(file).format
    decodes(file)
    if container in ("mp4", "mkv", "mov"):
        assert probe(file).video == ["h264"] and stream_hash(file) == stream_hash(site.file("small.mp4")), "it was encoded again"


# --- Pictures, and files about the medium


@pytest.mark.parametrize("wanted, sign", [("jpg", b"\xff\xd8"), ("png", b"\x89PNG"), ("webp", b"RIFF")])
def test_every_size_of_the_thumbnail_is_kept_and_converted(api, site, tmp_path, wanted, sign):
    sizes = [{"url": f"@ORIGIN@/media/{name}.jpg", "id": name, "width": width} for name, width in (("poster32", 32), ("poster64", 64), ("poster", 320))]
    job = api.completed(site.url(told.path("pictures", thumbnails=sizes)), all_thumbnails=True, thumbnail_format=wanted)
    pictures = artifacts(job, "thumbnail")
    assert sorted(picture["filename"].split(".")[-2] for picture in pictures) == ["poster", "poster32", "poster64"]
    files = [api.fetch(picture, tmp_path) for picture in pictures]
    assert all(file.suffix == f".{wanted}" and file.read_bytes().startswith(sign) for file in files)
    assert sorted(probe(file).streams[0]["width"] for file in files) == [32, 64, 320]


def test_description_and_nfo_are_kept(api, site, tmp_path):
    page = told.path("about", title="About <it>", description="First line\nSecond & last", upload_date="20240229", uploader="Somebody", duration=10, tags=["a"])
    job = api.completed(site.url(page), write_description=True, write_nfo=True)
    (description,), (nfo,) = artifacts(job, "description"), artifacts(job, "nfo")
    assert api.fetch(description, tmp_path).read_text() == "First line\nSecond & last" and description["filename"].endswith(".description")
    root = ElementTree.fromstring(api.fetch(nfo, tmp_path).read_text())
    assert (root.tag, root.findtext("title"), root.findtext("premiered"), root.findtext("uniqueid")) == ("movie", "About <it>", "2024-02-29", "about")
    assert nfo["filename"] == job["file_info"]["filename"].rpartition(".")[0] + ".nfo"


# --- How a site is asked


class Asked(BaseHTTPRequestHandler):
    """A site that keeps what it was asked."""

    def do_GET(self):
        self.server.forwarded.append(self.headers.get("X-Forwarded-For"))
        self.send_response(200)
        self.send_header("Content-Type", "video/mp4")
        self.send_header("Content-Length", str(len(self.server.medium)))
        self.end_headers()
        with contextlib.suppress(ConnectionError):  # Whoever looks reads only the beginning.
            self.wfile.write(self.server.medium)

    def log_message(self, *_):
        pass


@pytest.fixture
def asked(site):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Asked)
    server.forwarded, server.medium = [], site.file("small.mp4").read_bytes()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("options, told_to_site", [({"geo_bypass_country": "ch"}, True), ({}, False), ({"geo_bypass_country": "CH", "geo_bypass": False}, False)])
def test_a_site_is_told_an_address_of_another_country_if_that_is_asked_for(api, asked, options, told_to_site):
    api.completed(f"http://127.0.0.1:{asked.server_port}/clip.mp4", embed_metadata=False, single_flight=False, **options)
    assert bool(asked.forwarded[0]) == told_to_site, asked.forwarded


@pytest.mark.parametrize("options", [{"geo_bypass_country": "CHE"}, {"geo_bypass_country": ""}, {"geo_bypass": "x"}, {"sleep_interval": 61}, {"sleep_interval": -1}])
def test_what_no_site_can_be_asked_is_refused(api, site, options):
    check_error(api.post("/api/v1/downloads", json={"url": site.url("small.mp4"), **options}), 422)


def test_requests_that_find_out_what_there_is_can_be_apart(api, site):
    # Where it leads to is a second request.
    job = api.completed(site.url("/redirect/small.mp4"), embed_metadata=False, sleep_interval=1.5)
    assert job["duration_sec"] >= 1.5


# --- What a caller can act on


@pytest.mark.parametrize("says, code", [
    ("Sign in to confirm your age. This video may be inappropriate for some users.", "age_restricted"),
    ("This video is only available for registered users", "login_required"),
    ("The uploader has not made this video available in your country", "geo_blocked"),
    ("Private video. Sign in if you've been granted access to this video", "private"),
    ("This video has been removed by the uploader", "removed"),
    ("This video is DRM protected", "drm"),
])
def test_what_will_not_pass_fails_at_once_with_a_code(api, site, says, code):
    job = api.failed(site.url(told.path("refused", error=says)), max_retries=3)
    assert job["error_code"] == code and job["attempts"] == 1


@pytest.mark.parametrize("says, code", [("This live event will begin in 3 hours.", "live_not_started"), ("HTTP Error 429: Too Many Requests", "rate_limited")])
def test_what_may_pass_is_tried_again(api, site, says, code):
    job = api.submit(site.url(told.path("later", error=says)), max_retries=1)
    waiting = api.until(job["id"], lambda body: body["retry_count"] == 1 or body["status"] == "failed")
    assert waiting["status"] == "queued" and waiting["error_code"] == code
    api.delete(f"/api/v1/downloads/{job['id']}")


def test_an_extractor_that_does_not_understand_its_page_is_broken(api, site):
    assert api.failed(site.url(told.path("broken", error="Unable to extract title", expected=False)))["error_code"] == "extractor_broken"


def test_how_well_each_extractor_works_is_counted(api, site):
    page = told.path("counted", error="Unable to extract title", expected=False)
    api.failed(site.url(page))
    api.completed(site.url(told.path("counted")))
    (told_record,) = [one for one in api.get("/api/v1/admin/extractors").json()["extractors"] if one["extractor"] == "told"]
    assert told_record["outcomes"]["extractor_broken"] >= 1 and told_record["completed"] >= 1 and told_record["version"]
    judged = told_record["completed"] + told_record["failed"]
    assert told_record["success_rate"] == pytest.approx(told_record["completed"] / judged) and judged < sum(told_record["outcomes"].values())
    told_figures = [line for line in api.get("/metrics").text.splitlines() if 'extractor="told"' in line and line.startswith("trawl_extractor_attempts_total")]
    assert {line.partition('result="')[2].partition('"')[0] for line in told_figures} == {"completed", "failed", "excused"}


def test_health_tells_which_javascript_runtimes_there_are(server, tmp_path):
    folder = tmp_path / "bin"
    folder.mkdir()
    for program, says in (("deno", "deno 2.4.1 (stable)"), ("bun", "0.9")):  # The second is too old.
        (folder / program).write_text(f"#!/bin/sh\necho '{says}'\n")
        (folder / program).chmod(0o755)
    one = server(env={"PATH": f"{folder}:{os.environ['PATH']}"})
    deadline = time.monotonic() + 30
    while not (engine := one.api.get("/health").json()["checks"]["ytdlp"])["version"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert [name for name in engine["js_runtimes"] if name in ("deno", "bun")] == ["deno"] and engine["pot_providers"] == []
