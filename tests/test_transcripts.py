"""Captions as text: rolling duplicates, languages, translations, and jobs that want nothing else."""
import shutil

import pytest

from support import told
from support.api import artifacts
from support.origin import Origin
from support.probe import probe
from support.server import Server, close_all

# As YouTube serves what it recognised: every line comes word by word, is shown alone for 10 ms, and then stands above the next.
ROLLING = """WEBVTT
Kind: captions
Language: en

00:00:00.080 --> 00:00:02.630 align:start position:0%
 
hello<00:00:00.400><c> and</c><00:00:00.720><c> welcome</c><00:00:01.040><c> to</c><00:00:01.520><c> the</c>

00:00:02.630 --> 00:00:02.640 align:start position:0%
hello and welcome to the
 

00:00:02.640 --> 00:00:05.270 align:start position:0%
hello and welcome to the
show<00:00:03.000><c> today</c><00:00:03.400><c> Tom</c><00:00:03.900><c> &amp;</c><00:00:04.100><c> Jerry</c>

00:00:05.270 --> 00:00:05.280 align:start position:0%
show today Tom &amp; Jerry
 

00:00:05.280 --> 00:00:07.000 align:start position:0%
show today Tom &amp; Jerry
talk<00:00:05.500><c> about</c><00:00:06.000><c> boats</c>

00:00:07.000 --> 00:00:07.010 align:start position:0%
talk about boats
 

00:00:10.500 --> 00:00:12.000 align:start position:0%
talk about boats
[Music]
"""
READ = "hello and welcome to the show today Tom & Jerry talk about boats\n\n[Music]\n"
PLAIN = "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\n{}\n\n00:00:02.500 --> 00:00:04.000\n- {} again\n"


def track(name, **query):
    asked = "&".join(f"{key}={value}" for key, value in query.items())
    return [{"url": f"@ORIGIN@/media/{name}" + (f"?{asked}" if asked else ""), "ext": "vtt"}]


@pytest.fixture(scope="module")
def site(origin, tmp_path_factory):
    media = tmp_path_factory.mktemp("captions")
    shutil.copy(origin.file("small.mp4"), media)
    (media / "rolling.vtt").write_text(ROLLING)
    for language, word in (("en", "Hello"), ("pt", "Olá"), ("de", "Hallo")):
        (media / f"{language}.vtt").write_text(PLAIN.format(word, word))
    site = Origin(media, tmp_path_factory.mktemp("site"))
    yield site
    site.stop()


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("transcripts")
    server = Server(folder, {"engine.plugin_dirs": told.install(folder / "plugins")})
    server.start()
    yield server
    close_all([server])


SPOKEN = {"subtitles": {"pt": track("pt.vtt")},
          "automatic_captions": {"en-orig": track("rolling.vtt"), "en": track("rolling.vtt"), "de": track("de.vtt", tlang="de")}}


def texts(api, job, folder, kind="transcript"):
    return {artifact["language"]: api.fetch(artifact, folder).read_text() for artifact in artifacts(job, kind)}


def test_a_job_for_a_transcript_alone_downloads_no_video(api, site, tmp_path):
    job = api.completed(site.url(told.path("alone", **SPOKEN)), transcript_only=True)
    assert [artifact["kind"] for artifact in job["artifacts"]] == ["transcript"]
    assert texts(api, job, tmp_path) == {"en": READ}
    assert job["file_info"]["file_path"].endswith(".en.txt") and job["file_info"]["mime_type"].startswith("text/plain")
    assert not [line for line in site.requests() if "small.mp4" in line]


def test_a_medium_without_any_format_still_has_its_transcript(api, site, tmp_path):
    job = api.completed(site.url(told.path("nothing", formats=[], **SPOKEN)), transcript_only=True, download_subtitles=True, subtitle_format="srt")
    assert sorted(artifact["kind"] for artifact in job["artifacts"]) == ["subtitle", "transcript"]
    assert "00:00:02,640 --> " in texts(api, job, tmp_path, "subtitle")["en"]


def test_languages_are_matched_and_people_come_before_machines(api, site, tmp_path):
    info = {"subtitles": {"en-US": track("en.vtt"), "pt": track("pt.vtt")}, "automatic_captions": {"en": track("rolling.vtt")}}
    job = api.completed(site.url(told.path("languages", **info)), transcript=True, transcript_only=True, subtitle_languages=["en", "pt-BR", "fr"])
    assert texts(api, job, tmp_path) == {"en-US": "Hello\n\n- Hello again\n", "pt": "Olá\n\n- Olá again\n"}


def test_a_translation_is_taken_only_when_it_is_asked_for(api, site, tmp_path):
    page = site.url(told.path("translated", **SPOKEN))
    refused = api.failed(page, transcript_only=True, subtitle_languages=["de"])
    assert refused["error_code"] == "no_subtitles" and "de, en, en-orig, pt" in refused["error"]
    job = api.completed(page, transcript_only=True, subtitle_languages=["de"], translated_subtitles=True)
    assert texts(api, job, tmp_path) == {"de": "Hallo\n\n- Hallo again\n"}


def test_all_languages_leave_translations_out(api, site):
    job = api.completed(site.url(told.path("all", **SPOKEN)), transcript_only=True, subtitle_languages=["all"])
    assert {artifact["language"] for artifact in artifacts(job, "transcript")} == {"pt", "en"}


def test_times_and_lines_are_for_choosing(api, site, tmp_path):
    page = site.url(told.path("times", **SPOKEN))
    timed = api.completed(page, transcript_only=True, transcript_timestamps=True)
    assert texts(api, timed, tmp_path)["en"].startswith("[00:00:00] hello and welcome to the show") and "\n\n[00:00:10] [Music]" in texts(api, timed, tmp_path)["en"]
    lines = api.completed(page, transcript_only=True, transcript_paragraphs=False)
    assert texts(api, lines, tmp_path)["en"].splitlines() == ["hello and welcome to the", "show today Tom & Jerry", "talk about boats", "[Music]"]


def test_a_video_comes_with_its_transcript_and_its_captions_inside(api, site, tmp_path):
    job = api.completed(site.url(told.path("with", **SPOKEN)), transcript=True, embed_subtitles=True)
    assert texts(api, job, tmp_path) == {"en": READ} and artifacts(job, "subtitle") == []
    assert probe(api.fetch(job["file_info"], tmp_path)).subtitles == ["mov_text"]


def test_txt_is_a_format_of_subtitles(api, site, tmp_path):
    job = api.completed(site.url(told.path("txt", **SPOKEN)), download_subtitles=True, auto_subtitles=True, subtitle_format="txt")
    assert sorted(artifact["kind"] for artifact in job["artifacts"]) == ["transcript", "video"]
    assert texts(api, job, tmp_path) == {"en": READ}


def test_subtitles_by_machine_are_left_out_unless_asked_for(api, site):
    page = site.url(told.path("machine", **SPOKEN))
    assert artifacts(api.completed(page, download_subtitles=True), "subtitle") == []
    assert [one["language"] for one in artifacts(api.completed(page, download_subtitles=True, auto_subtitles=True), "subtitle")] == ["en"]


def test_the_older_body_asks_for_a_transcription(api, site, tmp_path):
    answer = api.post("/api/v1/download", json={"url": site.url(told.path("older", **SPOKEN)), "include_transcription": True, "output_format": "mkv"})
    assert answer.status_code == 201, answer.text
    job = api.finish(answer.json()["job_id"])
    assert job["status"] == "completed" and job["file_info"]["filename"].endswith(".mkv")
    assert texts(api, job, tmp_path) == {"en": READ} and len(artifacts(job, "subtitle")) == 1
    status = api.get(f"/api/v1/status/{job['id']}").json()
    assert status["transcription_path"].endswith(".en.txt") and status["transcription_url"]
    sound = api.post("/api/v1/download", json={"url": site.url("small.mp4"), "output_format": "m4a"}).json()
    assert api.finish(sound["job_id"])["file_info"]["filename"].endswith(".m4a")


def test_captions_cannot_be_text_and_embedded(api, site):
    answer = api.post("/api/v1/downloads", json={"url": site.url("small.mp4"), "embed_subtitles": True, "subtitle_format": "txt"})
    assert answer.status_code == 422 and "embed_subtitles" in answer.json()["error"]
