"""Options together, as people may well ask for them: drawn by chance, but always the same ones.

TRAWL_COMBINATIONS=500 and TRAWL_SEED=7 draw more and others.
"""
import os
import random

import pytest

from support.api import artifacts

SOURCES = ["page.html", "small.mp4", "clip.webm", "episode.mp3", "hls-ts/master.m3u8", "hls-fmp4/index.m3u8", "hls-aes/index.m3u8", "dash/manifest.mpd"]
SOUND = ["mp3", "m4a", "opus", "flac", "wav", "aac", "vorbis"]
SUBTITLES = [{}, *({"download_subtitles": True, "auto_subtitles": True, "subtitle_languages": ["en", "de"], "subtitle_format": wanted} for wanted in ("srt", "vtt", "ass", "lrc", "txt")),
             {"embed_subtitles": True, "subtitle_languages": ["en", "de"]}]
CHOICES = {
    "video_format": ["mp4", "mkv", "webm", "avi", "mov", "flv"], "quality": ["best", "worst", "360p", "audio"], "thumbnail_format": ["keep", "jpg", "png", "webp"],
    **{flag: [False, True] for flag in ("embed_metadata", "embed_thumbnail", "write_thumbnail", "transcript", "split_chapters", "precise_cuts", "write_info_json", "write_nfo",
                                        "write_description")}}


def draw(dice: random.Random) -> tuple[str, dict]:
    options = {name: dice.choice(values) for name, values in CHOICES.items()}
    options |= dice.choice([{}, {"audio_only": True, "audio_format": dice.choice(SOUND)}])
    options |= dice.choice(SUBTITLES)
    options |= dice.choice([{}, {"section_start": 1, "section_end": 3}, {"sponsorblock_mark": ["sponsor"]}, {"sponsorblock_remove": ["sponsor"]}])
    if options.get("embed_subtitles") and options.get("subtitle_format") == "txt":
        del options["embed_subtitles"]
    return dice.choice(SOURCES), options


@pytest.mark.parametrize("part", range(4))
def test_options_go_together(api, origin, part):
    dice = random.Random(int(os.environ.get("TRAWL_SEED", 4711)) * 4 + part)
    drawn = [draw(dice) for _ in range(int(os.environ.get("TRAWL_COMBINATIONS", 80)) // 4)]
    jobs = [api.submit(origin.url(source), **options, max_retries=0, single_flight=False)["id"] for source, options in drawn]
    wrong = []
    for job, (source, options) in zip(jobs, drawn):
        body = api.finish(job, within=120)
        sound = options.get("audio_only") or options["quality"] == "audio" or source == "episode.mp3"
        as_asked = body["status"] == "completed" and len(artifacts(body, "audio" if sound else "video")) == 1
        as_asked = as_asked and (sound or body["file_info"]["format"] == options["video_format"])
        as_asked = as_asked and len(artifacts(body, "info")) == options["write_info_json"] and len(artifacts(body, "nfo")) == options["write_nfo"]
        if not as_asked:
            wrong.append(f"{source} {options}: {body['status']} {body['error']} {[file['filename'] for file in body['artifacts']]}")
    assert not wrong, "\n".join(wrong)
