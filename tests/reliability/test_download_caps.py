"""What has no end: streams, bombs, lists. And origins that have all the time in the world."""
import asyncio
import os
import zlib

import pytest

from support.download_bars import PLAIN, Peaks
from support.hostile_origin import Cut, File

MIB = 1 << 20
CAP = 64 * MIB
# The sanitizer keeps freed memory for a while, which is not what is measured here.
ENVIRONMENT = {"ASAN_OPTIONS": ":".join(filter(None, [os.environ.get("ASAN_OPTIONS"), "quarantine_size_mb=1", "thread_local_quarantine_size_kb=64"]))}

PLUGIN = """
from yt_dlp.extractor.common import InfoExtractor

class HugeIE(InfoExtractor):
    _VALID_URL = r'http://127\\.0\\.0\\.1:\\d+/huge/.*'

    def _real_extract(self, url):
        return {'id': 'huge', 'title': 'huge', 'url': url.replace('/huge/', '/plain/'), 'ext': 'mp4', 'description': 'x' * (200 << 20)}
"""


async def endless(x):
    await x.head(200, {"Content-Type": "video/mp4", "Connection": "close"})
    for at in range(0, 10 << 30, 65536):
        await x.body(at % (4 * MIB), at % (4 * MIB) + 65536)
        # No faster than it is taken, so that what was sent is what was received but for a buffer.
        if at % MIB == 0:
            await asyncio.sleep(0.005)
    raise Cut


def bomb(size: int) -> bytes:
    """Zeros as gzip, a thousandth of their size."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(bytes(16 * MIB)) + packer.flush(zlib.Z_FULL_FLUSH)
    return b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + block * (size // (16 * MIB)) + b"\x03\0" + bytes(8)


def document(content_type: str, pieces, **fields):
    """An answer made of pieces of text."""
    async def answer(x):
        await x.head(200, {"Content-Type": content_type, "Connection": "close", **fields})
        for piece in pieces():
            x.writer.write(piece)
            await x.writer.drain()
        raise Cut
    return answer


def feed(entries: int):
    yield b'<?xml version="1.0"?><rss version="2.0"><channel><title>long</title>'
    for first in range(0, entries, 10_000):
        yield b"".join(b"<item><title>%d</title><link>http://127.0.0.1:9/%d.mp4</link></item>" % (n, n) for n in range(first, first + 10_000))
    yield b"</channel></rss>"


def segments(count: int):
    yield b"#EXTM3U\n#EXT-X-TARGETDURATION:2\n"
    for first in range(0, count, 10_000):
        yield b"".join(b"#EXTINF:2,\nsegment%d.ts\n" % n for n in range(first, first + 10_000))
    yield b"#EXT-X-ENDLIST\n"


@pytest.fixture
def plugin(tmp_path):
    folder = tmp_path / "plugins/huge/yt_dlp_plugins/extractor"
    folder.mkdir(parents=True)
    (folder / "huge.py").write_text(PLUGIN)
    return tmp_path / "plugins"


# Mutant: announced_length_only.
@pytest.mark.parametrize("native", ["true", "false"])
def test_d8_a_stream_without_end_is_stopped_at_the_limit(server, hostile, bars, native):
    origin = hostile({"endless": endless}, looks_too=frozenset(["endless"]))
    busy = server(env=ENVIRONMENT, download__max_bytes=CAP, transfer__native=native, download__max_retries=0)
    file = File(1, 1)
    with Peaks(busy) as peaks:
        body = stopped(busy, origin.url("endless", file), bars, f"stream without length, native {native}")
    assert body["error_code"] == "too_large", body
    sent = origin.sent[origin.path("endless", file)]
    if native == "true":
        bars.holds("D8", "beyond the limit when it was stopped", (sent - CAP) / MIB, at_most=1.0 + buffers(), unit="MiB")
    hold_peaks(bars, f"stream, native {native}", peaks)


def buffers() -> float:
    """MiB that a connection may hold underway in the kernel, on both sides."""
    return 8.0


DOCUMENTS = {
    "gzip bomb": document("text/html", lambda: [bomb(10 << 30)], **{"Content-Encoding": "gzip"}),
    "feed of a million": document("text/xml", lambda: feed(1_000_000)),
    "manifest of a million": document("application/vnd.apple.mpegurl", lambda: segments(1_000_000)),
}


# In a quarter of the time those that need little of the processor. Mutant: bomb_fits.
@pytest.mark.parametrize("name", [*DOCUMENTS, "info of 200 MB"] if os.environ.get("TRAWL_BARS") == "full" else ["gzip bomb", "info of 200 MB"])
def test_d8_a_document_without_end_is_stopped_in_time(server, hostile, plugin, bars, name):
    path = {"info of 200 MB": "huge"}.get(name, "document")
    origin = hostile({"document": DOCUMENTS.get(name), "huge": lambda x: x.proper()}, looks_too=frozenset(["document"]))
    busy = server(env=ENVIRONMENT, download__max_bytes=CAP, download__max_retries=0, engine__plugin_dirs=plugin)
    with Peaks(busy) as peaks:
        stopped(busy, origin.url(path, File(1, 1)), bars, name)
    hold_peaks(bars, name, peaks)


def stopped(server, url: str, bars, what: str) -> dict:
    job = server.api.submit(url, **PLAIN)["id"]
    body = server.api.finish(job, within=60)
    assert body["status"] == "failed", f"{body}\n{server.api.log_text(job)}"
    print(what, body["error_code"], body["error"])
    took = server.api.show(job)
    seconds = timestamp(took["completed_at"]) - timestamp(took["started_at"])
    bars.holds("D8", f"{what}: ended after", seconds, at_most=20.0, unit="s")
    return body


def timestamp(text: str) -> float:
    from datetime import datetime
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def hold_peaks(bars, what: str, peaks: Peaks) -> None:
    bars.holds("D8", f"{what}: disk at most", peaks.disk / MIB, at_most=CAP / MIB, unit="MiB")
    bars.holds("D8", f"{what}: RSS of a child", peaks.child_rss / MIB, at_most=768.0, unit="MiB")
    bars.holds("D8", f"{what}: growth of the server's RSS", peaks.growth / MIB, at_most=64.0, unit="MiB")
