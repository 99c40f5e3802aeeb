"""The main job: a URL goes in, a correctly named, playable file comes out."""
import json
import re
from datetime import datetime
from pathlib import PurePosixPath
from urllib.parse import urlsplit

import pytest

from support.api import artifacts
from support.media import DURATION
from support.probe import decodes, probe, sha256

UUID7 = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")


def stored_names(shared):
    return {path.name for path in shared.storage.rglob("*")}


# --- Creating and reading a job


def test_the_seed_path_answers_201_with_the_whole_job(api, origin):
    response = api.post("/api/v1/download", json={"url": origin.url("small.mp4"), "priority": 7})
    assert response.status_code == 201, response.text
    body = response.json()
    assert UUID7.match(body["job_id"]) and body["job_id"] == body["request_id"] == body["id"]
    assert body["status"] in ("queued", "running")
    assert {"percent", "downloaded_bytes", "total_bytes", "speed", "eta", "status"} <= body["progress"].keys()
    assert 0 <= body["progress"]["percent"] <= 100
    assert body["priority"] == 7
    assert {"file_info", "metadata", "error", "error_code", "started_at", "completed_at", "artifacts", "attempts",
            "retry_count", "max_retries", "phase"} <= body.keys()
    assert datetime.fromisoformat(body["created_at"]).utcoffset().total_seconds() == 0
    assert body["logs_url"].endswith(f"/download/{body['id']}/logs") or body["logs_url"].endswith(f"/downloads/{body['id']}/logs")
    assert body["websocket_url"].endswith(f"/ws/downloads/{body['id']}")
    assert api.finish(body["id"])["status"] == "completed"


def test_the_canonical_path_answers_202_and_says_where_the_job_is(api, origin):
    response = api.post("/api/v1/downloads", json={"url": origin.url("small.mp4")})
    assert response.status_code == 202
    location = response.headers["location"]
    assert urlsplit(location).path == f"/api/v1/downloads/{response.json()['id']}"
    assert api.get(urlsplit(location).path).json()["id"] == response.json()["id"]
    api.finish(response.json()["id"])


def test_both_paths_show_the_same_finished_job(api, origin):
    job = api.completed(origin.url("small.mp4"))
    assert api.get(f"/api/v1/download/{job['id']}").json() == api.show(job["id"])
    assert job["progress"]["percent"] == 100 and job["progress"]["status"] == "finished"
    assert job["created_at"] <= job["started_at"] <= job["completed_at"] and job["duration_sec"] > 0
    assert job["error"] is None and job["error_code"] is None
    assert job["metadata"]["title"] == "small" and job["metadata"]["extractor"] == "generic"


# --- The default request


def test_the_default_request_gives_a_correctly_named_playable_file_with_its_title(api, origin, page, tmp_path):
    job = api.completed(origin.url("page.html"))
    info = job["file_info"]
    assert re.fullmatch(rf"videos/A_page_with_a_video\w*-{page['id']}(-[\w-]+)?\.mp4", info["file_path"])
    assert info["filename"] == PurePosixPath(info["file_path"]).name
    assert info["mime_type"] == "video/mp4" and info["format"] == "mp4"
    file = api.fetch(info, tmp_path)
    assert info["size_bytes"] == file.stat().st_size
    media = probe(file)
    assert (media.video, media.audio) == (["h264"], ["aac"])
    assert media.duration == pytest.approx(DURATION, abs=0.5)
    assert media.tags["title"] == page["title"]
    decodes(file)


def test_without_metadata_the_bytes_are_those_of_the_origin(api, origin, tmp_path):
    job = api.completed(origin.url("small.mp4"), embed_metadata=False)
    assert sha256(api.fetch(job["file_info"], tmp_path)) == sha256(origin.file("small.mp4"))
    (video,) = artifacts(job, "video")
    assert video["sha256"] == sha256(origin.file("small.mp4"))


def test_a_redirect_is_followed(api, origin, tmp_path):
    job = api.completed(origin.url("/redirect/small.mp4"), embed_metadata=False)
    assert sha256(api.fetch(job["file_info"], tmp_path)) == sha256(origin.file("small.mp4"))


# --- Every kind of source


@pytest.mark.parametrize("source", ["hls-ts/master.m3u8", "hls-fmp4/index.m3u8", "hls-aes/index.m3u8", "dash/manifest.mpd"])
def test_a_segmented_source_becomes_one_whole_mp4(api, origin, tmp_path, source):
    job = api.completed(origin.url(source))
    assert job["file_info"]["file_path"].endswith(".mp4")
    file = api.fetch(job["file_info"], tmp_path)
    media = probe(file)
    assert (media.video, media.audio) == (["h264"], ["aac"])
    assert media.duration == pytest.approx(DURATION, abs=0.5)
    decodes(file)


def test_the_only_enclosure_of_a_feed_is_downloaded(api, origin, tmp_path):
    job = api.completed(origin.url("/feed.xml"))
    assert probe(api.fetch(job["file_info"], tmp_path)).audio == ["mp3"]


@pytest.mark.parametrize("quality, height", [("best", 360), ("360p", 360), ("240p", 144), ("144p", 144), ("worst", 144)])
def test_the_quality_chooses_the_picture(api, origin, tmp_path, quality, height):
    job = api.completed(origin.url("dash/manifest.mpd"), quality=quality)
    media = probe(api.fetch(job["file_info"], tmp_path))
    assert media.height == height and media.audio == ["aac"]


def test_a_custom_format_overrides_the_quality(api, origin, tmp_path):
    job = api.completed(origin.url("dash/manifest.mpd"), quality="best", custom_format="bestvideo[height<=200]+bestaudio")
    assert probe(api.fetch(job["file_info"], tmp_path)).height == 144


@pytest.mark.parametrize("source, container, name", [
    ("clip.webm", "mp4", "mov,mp4,m4a,3gp,3g2,mj2"), ("small.mp4", "mkv", "matroska,webm"), ("clip.webm", "webm", "matroska,webm")])
def test_the_container_is_the_one_asked_for(api, origin, tmp_path, source, container, name):
    job = api.completed(origin.url(source), video_format=container)
    assert job["file_info"]["file_path"].endswith("." + container)
    file = api.fetch(job["file_info"], tmp_path)
    media = probe(file)
    assert media.format == name and len(media.video) == 1 and len(media.audio) == 1
    decodes(file)


# --- Sound only


@pytest.mark.parametrize("wanted, codec, extensions", [
    ("mp3", "mp3", {"mp3"}), ("m4a", "aac", {"m4a"}), ("flac", "flac", {"flac"}), ("wav", "pcm_s16le", {"wav"}),
    ("opus", "opus", {"opus"}), ("aac", "aac", {"aac", "m4a"}), ("vorbis", "vorbis", {"ogg"})])
def test_sound_is_extracted_to_the_format_asked_for(api, origin, tmp_path, wanted, codec, extensions):
    job = api.completed(origin.url("small.mp4"), audio_only=True, audio_format=wanted)
    assert job["file_info"]["file_path"].rpartition(".")[2] in extensions
    assert len(artifacts(job, "audio")) == 1 and artifacts(job, "video") == []
    media = probe(api.fetch(job["file_info"], tmp_path))
    assert (media.video, media.audio) == ([], [codec])
    assert media.duration == pytest.approx(DURATION, abs=0.5)


@pytest.mark.parametrize("wanted, codec", [("m4a", "aac"), ("aac", "aac"), ("opus", "opus"), ("vorbis", "vorbis"), ("flac", "flac"), ("mp3", "mp3")])
def test_sound_of_another_codec_is_converted(api, origin, tmp_path, wanted, codec):
    job = api.completed(origin.url("episode.mp3"), audio_only=True, audio_format=wanted)
    media = probe(api.fetch(job["file_info"], tmp_path))
    assert (media.video, media.audio) == ([], [codec]) and media.duration == pytest.approx(DURATION, abs=0.5)


def test_quality_audio_means_sound_only(api, origin, tmp_path):
    job = api.completed(origin.url("small.mp4"), quality="audio")
    assert probe(api.fetch(job["file_info"], tmp_path)).audio == ["mp3"]


# --- What accompanies the medium


@pytest.mark.parametrize("wanted, sign", [("srt", "00:00:00,500 --> 00:00:03,000"), ("vtt", "WEBVTT"), ("ass", "[Script Info]"), ("lrc", "[00:00.5")])
def test_subtitles_are_kept_in_the_format_asked_for(api, origin, tmp_path, wanted, sign):
    job = api.completed(origin.url("page.html"), download_subtitles=True, subtitle_languages=["en"], subtitle_format=wanted)
    (subtitle,) = artifacts(job, "subtitle")
    assert subtitle["language"] == "en" and subtitle["filename"].endswith(f".en.{wanted}")
    text = api.fetch(subtitle, tmp_path).read_text()
    assert sign in text and "Hello from the first caption" in text


def test_every_language_asked_for_is_kept_and_no_other(api, origin):
    job = api.completed(origin.url("page.html"), download_subtitles=True, subtitle_languages=["de", "fr"])
    assert [subtitle["language"] for subtitle in artifacts(job, "subtitle")] == ["de"]


def test_subtitles_of_an_hls_rendition_are_kept(api, origin, tmp_path):
    job = api.completed(origin.url("hls-ts/master.m3u8"), download_subtitles=True)
    (subtitle,) = artifacts(job, "subtitle")
    assert "Hello from the first caption" in api.fetch(subtitle, tmp_path).read_text()


def test_subtitles_are_embedded(api, origin, tmp_path):
    job = api.completed(origin.url("page.html"), embed_subtitles=True, subtitle_languages=["en", "de"])
    assert probe(api.fetch(job["file_info"], tmp_path)).subtitles == ["mov_text", "mov_text"]
    assert artifacts(job, "subtitle") == []


def test_the_thumbnail_is_kept_and_converted(api, origin, tmp_path):
    kept = api.completed(origin.url("page.html"), write_thumbnail=True)
    (thumbnail,) = artifacts(kept, "thumbnail")
    assert sha256(api.fetch(thumbnail, tmp_path)) == sha256(origin.file("poster.jpg"))

    converted = api.completed(origin.url("page.html"), write_thumbnail=True, thumbnail_format="png")
    (thumbnail,) = artifacts(converted, "thumbnail")
    assert thumbnail["mime_type"] == "image/png" and api.fetch(thumbnail, tmp_path).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("options", [{}, {"audio_only": True, "audio_format": "mp3"}, {"audio_only": True, "audio_format": "m4a"}])
def test_the_thumbnail_is_embedded_as_cover(api, origin, tmp_path, options):
    job = api.completed(origin.url("page.html"), embed_thumbnail=True, **options)
    assert probe(api.fetch(job["file_info"], tmp_path)).has_cover
    assert artifacts(job, "thumbnail") == []


def test_what_yt_dlp_knows_is_kept_as_json(api, origin, page, tmp_path):
    job = api.completed(origin.url("page.html"), write_info_json=True)
    (info,) = artifacts(job, "info")
    assert info["filename"].endswith(".info.json") and info["mime_type"] == "application/json"
    text = api.fetch(info, tmp_path).read_text()
    assert json.loads(text)["title"] == page["title"]
    assert "/staging/" not in text, "an absolute path of the server's disk is shown to users"


# --- Names


def test_lists_name_what_is_still_running_and_what_was_given_up(api, origin):
    job = api.submit(origin.url("/slow/bench.mp4"))["id"]
    api.running(job)
    listed = lambda: next(one for one in api.get("/api/v1/downloads", params={"limit": 100}).json()["downloads"] if one["id"] == job)  # noqa: E731
    assert (listed()["status"], listed()["title"]) == ("running", "bench")
    api.delete(f"/api/v1/downloads/{job}")
    api.finish(job)
    assert (listed()["status"], listed()["title"]) == ("cancelled", "bench")


def test_two_pages_with_the_same_title_and_id_do_not_overwrite_each_other(api, origin, tmp_path):
    first = api.completed(origin.url("one/watch.html"), embed_metadata=False)
    second = api.completed(origin.url("two/watch.html"), embed_metadata=False)
    assert first["file_info"]["file_path"] != second["file_info"]["file_path"]
    assert sha256(api.fetch(first["file_info"], tmp_path)) == sha256(origin.file("small.mp4"))
    assert sha256(api.fetch(second["file_info"], tmp_path)) == sha256(origin.file("other.mp4"))


def test_a_nasty_title_gives_a_safe_name_inside_the_storage(api, origin, shared, tmp_path):
    outside = {path for path in shared.folder.rglob("*") if shared.storage not in path.parents}
    for template in ("videos/{safe_title}-{id}.{ext}", "{title}/{title}.{ext}", "%(title)s.%(ext)s"):
        job = api.completed(origin.url("nasty.html"), path_template=template)
        path = job["file_info"]["file_path"]
        assert not path.startswith("/") and path.count("/") == template.count("/")
        for segment in path.split("/"):
            assert segment not in ("", ".", "..") and not segment.startswith((".", "-")) and len(segment.encode()) <= 255
            assert not re.search(r'[\x00-\x1f\x7f\\:*?"<>|]|\u202e', segment), segment
        assert "café" in path
        decodes(api.fetch(job["file_info"], tmp_path))
    assert {path for path in shared.folder.rglob("*") if shared.storage not in path.parents} == outside


@pytest.mark.parametrize("template, path", [
    ("plain/{id}.{ext}", r"plain/ID\.mp4"),
    ("deep/{title}/{id}.{ext}", r"deep/TITLE/ID\.mp4"),
    ("yt/%(title)s [%(id)s].%(ext)s", r"yt/TITLE \[ID\]\.mp4"),
    ("facts/{uploader}-{date}-{id}.{ext}", r"facts/[^/]+-[^/]+-ID\.mp4"),
    ("random/{random}.{ext}", r"random/[0-9A-Za-z_-]{6,}\.mp4"),
    ("only-{id}", r"only-ID\.mp4"),
])
def test_a_path_template_names_the_file(api, origin, page, template, path):
    job = api.completed(origin.url("page.html"), path_template=template)
    expected = path.replace("ID", re.escape(page["id"])).replace("TITLE", re.escape(page["title"]))
    assert re.fullmatch(expected, job["file_info"]["file_path"])


# --- Failures


@pytest.mark.parametrize("path", ["/media/nothing-here.mp4", "/media/empty.html"])
def test_a_source_without_media_fails_the_job_with_a_reason(api, origin, path):
    job = api.failed(origin.url(path))
    assert job["error"] and re.fullmatch(r"[a-z0-9_]+", job["error_code"])
    assert job["artifacts"] == [] and job["file_info"] is None
    assert job["completed_at"]


def test_a_failed_job_says_in_its_log_what_yt_dlp_said(api, origin):
    job = api.failed(origin.url("/media/nothing-here.mp4"))
    assert "404" in api.log_text(job["id"])


def test_a_source_in_trouble_is_asked_again_later_until_the_retries_are_used_up(server, origin):
    patient = server(download__max_retries=1)
    job = patient.api.submit(origin.url("/busy/x.mp4"))["id"]
    waiting = patient.api.until(job, lambda body: body["retry_count"] == 1 or body["status"] == "failed")
    assert waiting["status"] == "queued" and waiting["completed_at"] is None, patient.api.log_text(job)
    ended = patient.api.finish(job)
    assert ended["status"] == "failed" and ended["attempts"] == 2 and "503" in patient.api.log_text(job)


def test_a_finished_job_leaves_no_work_files_behind(api, origin, shared):
    api.completed(origin.url("hls-ts/master.m3u8"))
    api.failed(origin.url("/media/nothing-here.mp4"))
    leftovers = [path for path in shared.storage.rglob("*") if path.suffix in (".part", ".ytdl") or ".part-Frag" in path.name]
    assert leftovers == []
