"""Bytes moved by trawl itself: exact over cuts, kills and rude origins, and re-fetched as little as possible."""
import hashlib
import os
import random

import pytest

from support.rude_origin import RudeOrigin, content
from support.ws import watch

SEED = int(os.environ.get("TRAWL_TEST_SEED", str(random.SystemRandom().randrange(1 << 32))))
FILES = int(os.environ.get("TRAWL_TEST_FILES", "50"))  # The full bar is 200 files of up to 16 MiB.
LARGEST = int(os.environ.get("TRAWL_TEST_LARGEST", str(4 << 20)))
PLAIN = {"embed_metadata": False}


@pytest.fixture
def rude():
    made = []

    def make(**options):
        made.append(RudeOrigin(SEED, **options))
        return made[-1]

    yield make
    for origin in made:
        origin.stop()


def sha256_of(server, body):
    (video,) = [artifact for artifact in body["artifacts"] if artifact["kind"] == "video"]
    return hashlib.sha256(server.api.get(video["file_url"]).content).hexdigest()


def expected(seed, size):
    return hashlib.sha256(content(seed, size)).hexdigest()


# Mutant: resume_without_validator (its unit test).
def test_bytes_are_exact_over_cuts_and_little_is_fetched_twice(server, rude):
    print(f"seed {SEED}")
    origin = rude(cuts=5)
    busy = server(download__max_concurrent=8, download__max_retries=5)
    sizes = [random.Random(SEED + n).randrange(1 << 20, LARGEST) for n in range(FILES)]
    jobs = [busy.api.submit(origin.url(n, size), **PLAIN)["id"] for n, size in enumerate(sizes)]
    for n, (job, size) in enumerate(zip(jobs, sizes)):
        body = busy.api.finish(job, within=120)
        assert body["status"] == "completed", f"{body['error']}\n{busy.api.log_text(job)}"
        assert sha256_of(busy, body) == expected(n, size)
    assert sum(origin.sent.values()) <= sum(sizes) * 1.10


def test_an_origin_that_ignores_ranges_never_gives_a_spliced_file(server, rude):
    origin = rude(cuts=2, ignore_ranges=True)
    busy = server(download__max_retries=5)
    job = busy.api.submit(origin.url(7, 3 << 20), **PLAIN)["id"]
    body = busy.api.finish(job, within=90)
    assert body["status"] == "completed", f"{body['error']}\n{busy.api.log_text(job)}"
    assert sha256_of(busy, body) == expected(7, 3 << 20)


# Mutants: unbounded_loss, journal_ignored.
def test_a_killed_server_goes_on_from_its_journal(server, rude):
    size, held = 48 << 20, 40 << 20
    origin = rude(pause_at=held)
    busy = server(jobs__lease_sec=3, transfer__connections=1)
    job = busy.api.submit(origin.url(9, size), **PLAIN)["id"]
    assert origin.paused.wait(60)
    busy.kill()
    origin.go_on.set()
    busy.start()
    body = busy.api.finish(job, within=90)
    assert body["status"] == "completed", f"{body['error']}\n{busy.api.log_text(job)}"
    assert sha256_of(busy, body) == expected(9, size)
    again = sum(origin.sent.values()) - size
    assert again <= 16 << 20, f"{again >> 20} MiB were fetched twice"


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
