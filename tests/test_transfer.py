"""Bytes moved by Trawl itself beside those moved by yt-dlp. Cuts, kills and hostile origins are in reliability/."""
import json
import subprocess
import time
from datetime import datetime

import pytest

from support.ws import watch

PLAIN = {"embed_metadata": False}


@pytest.mark.parametrize("path", ["small.mp4", "clip.webm", "hls-ts/high/index.m3u8", "hls-fmp4/index.m3u8", "hls-aes/index.m3u8", "dash/manifest.mpd"])
def test_native_and_delegated_transfers_give_the_same_media(server, origin, tmp_path, path, stream_hash):
    made = {}
    for native in ("true", "false"):
        busy = server(transfer__native=native)
        job = busy.api.submit(origin.url(path), **PLAIN)["id"]
        body = busy.api.finish(job, within=60)
        assert body["status"] == "completed", f"{body['error']}\n{busy.api.log_text(job)}"
        folder = tmp_path / native
        folder.mkdir()
        made[native] = stream_hash(busy.api.fetch(body["file_info"], folder))
    assert made["true"] == made["false"]


def described(file):
    """What a file says of itself, without what names the program that wrote it."""
    done = subprocess.run(["ffprobe", "-v", "error", "-of", "json", "-show_format", "-show_streams", "-show_chapters", file],
                          capture_output=True, check=True, timeout=60)
    found = json.loads(done.stdout)

    def tags(entry):
        return {name.lower(): value for name, value in entry.get("tags", {}).items() if name.lower() not in ("encoder", "vendor_id")}
    streams = [{**{key: stream.get(key) for key in ("codec_name", "codec_type", "codec_tag_string", "width", "height", "sample_rate", "channels",
                                                    "avg_frame_rate", "disposition")}, "tags": tags(stream)} for stream in found["streams"]]
    return {"streams": streams, "format": found["format"]["format_name"], "tags": tags(found["format"]), "chapters": found["chapters"]}, float(found["format"]["duration"])


@pytest.mark.parametrize("path", ["small.mp4", "clip.webm", "page.html", "hls-ts/master.m3u8", "hls-fmp4/index.m3u8", "hls-aes/index.m3u8", "dash/manifest.mpd"])
def test_the_result_carries_the_streams_tags_and_duration_of_yt_dlps_own(shared, origin, tmp_path, path, stream_hash):
    body = shared.api.completed(origin.url(path))
    ours = shared.api.fetch(body["file_info"], tmp_path)
    folder = tmp_path / "theirs"
    folder.mkdir()
    subprocess.run(["/usr/bin/yt-dlp", "--ignore-config", "--quiet", "--no-cache-dir", "--embed-metadata", "--merge-output-format", "mp4/mkv",
                    "--remux-video", ours.suffix[1:], "-o", "media.%(ext)s", origin.url(path)], cwd=folder, check=True, capture_output=True, timeout=120)
    (theirs,) = folder.iterdir()
    (our_description, our_duration), (their_description, their_duration) = described(ours), described(theirs)
    assert our_description == their_description
    assert abs(our_duration - their_duration) <= 0.04, "more than a frame"
    assert stream_hash(ours) == stream_hash(theirs)


def test_progress_of_a_native_transfer_never_goes_backwards(server, origin):
    busy = server()
    job = busy.api.submit(origin.url("/slow/bench.mp4"), **PLAIN)["id"]
    seen = [message["progress"]["downloaded_bytes"] for message in watch(busy.url, job).of("progress")]
    assert seen == sorted(seen) and len(seen) > 3


@pytest.mark.parametrize("path", ["/later/small.mp4", "/page-of-later.html"], ids=["asked by yt-dlp", "asked by Trawl"])
def test_a_job_waits_as_long_as_its_origin_asks_for(server, origin, path):
    busy = server()
    job = busy.api.submit(origin.url(path), **PLAIN)["id"]
    body = busy.api.until(job, lambda shown: shown["next_attempt_at"])
    assert body["error_code"] == "rate_limited", body
    wait = timestamp(body["next_attempt_at"]) - time.time()
    assert 290 < wait <= 361, "Retry-After said 300 s, and a fifth is added so that not all come back at once"


def timestamp(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
