"""Bytes moved by Trawl itself beside those moved by yt-dlp. Cuts, kills and hostile origins are in reliability/."""
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


def test_progress_of_a_native_transfer_never_goes_backwards(server, origin):
    busy = server()
    job = busy.api.submit(origin.url("/slow/bench.mp4"), **PLAIN)["id"]
    seen = [message["progress"]["downloaded_bytes"] for message in watch(busy.url, job).of("progress")]
    assert seen == sorted(seen) and len(seen) > 3
