"""What an origin can do wrong when it is asked for a file, or for the rest of one: an answer each.

Every answer begins well and is cut after two thirds, unless the fault is in the first one already.
`RECOVERABLE` and `HOPELESS` map a name to (answer, the file that is right in the end).
"""
import asyncio
from dataclasses import replace

from support.hostile_origin import Cut, Exchange, File

DATE = "Wed, 21 Oct 2015 07:28:00 GMT"


def same(file: File) -> File:
    return file


def changed(file: File) -> File:
    return replace(file, seed=file.seed + 500_000)


def grown(file: File) -> File:
    return replace(file, seed=file.seed + 500_000, size=file.size + 50)


def two_thirds(x: Exchange) -> int:
    return x.file.size * 2 // 3


async def everything(x: Exchange, status: int = 200, **fields) -> None:
    await x.head(status, {"Content-Type": "video/mp4", "Content-Length": x.file.size, "ETag": x.file.etag, **fields})
    await x.body(0, x.file.size)


def after_a_cut(rest):
    async def answer(x: Exchange):
        return await (x.proper(cut=two_thirds(x)) if x.nth == 0 else rest(x))
    return answer


async def shifted(x: Exchange, by: int) -> None:
    """A 206 that begins elsewhere than asked."""
    if not x.asked:
        return await x.proper()
    first = max(x.asked[0] + by, 0)
    await x.head(206, {"Content-Type": "video/mp4", "ETag": x.file.etag, "Content-Length": x.file.size - first,
                       "Content-Range": f"bytes {first}-{x.file.size - 1}/{x.file.size}"})
    await x.body(first, x.file.size)


def with_range(text):
    """A 206 as it should be but for its Content-Range."""
    async def answer(x: Exchange):
        if not x.asked:
            return await x.proper()
        first, end = x.asked
        await x.head(206, {"Content-Type": "video/mp4", "ETag": x.file.etag, "Content-Length": end - first, "Content-Range": text(x, first, end)})
        await x.body(first, end)
    return answer


async def weak_etag(x: Exchange) -> None:
    await x.proper(etag='W/"v1"', cut=two_thirds(x) if x.nth == 0 else None)


async def etag_changed(x: Exchange) -> None:
    await x.proper(changed(x.file))


async def only_last_modified(x: Exchange) -> None:
    cut = two_thirds(x) if x.nth == 0 else None
    asked = x.asked if x.headers.get("if-range", DATE) == DATE else None
    first, end = asked or (0, x.file.size)
    fields = {"Content-Range": f"bytes {first}-{end - 1}/{x.file.size}"} if asked else {}
    await x.head(206 if asked else 200, {"Content-Type": "video/mp4", "Content-Length": end - first, "Last-Modified": DATE, **fields})
    await x.body(first, end, cut)


async def condition_ignored(x: Exchange) -> None:
    """The file has changed, and the rest of the new one is sent all the same."""
    x.headers.pop("if-range", None)
    await x.proper(changed(x.file))


async def not_modified(x: Exchange) -> None:
    await x.head(304, {"ETag": x.file.etag})


def unsatisfiable(total):
    async def answer(x: Exchange):
        if not x.asked:
            return await everything(x)
        await x.head(416, {"ETag": x.file.etag, "Content-Range": f"bytes */{total(x)}", "Content-Length": 0})
    return answer


async def short_body(x: Exchange) -> None:
    if x.nth:
        return await x.proper()
    await x.head(200, {"Content-Type": "video/mp4", "Content-Length": x.file.size, "ETag": x.file.etag})
    await x.body(0, x.file.size // 2)
    raise Cut


async def long_body(x: Exchange) -> None:
    await x.proper()
    if x.nth == 0:
        x.writer.write(b"and more")
        raise Cut


async def no_length(x: Exchange, version: str = "1.1") -> None:
    await x.head(200, {"Content-Type": "video/mp4", "Connection": "close"}, version)
    await x.body(0, x.file.size)
    raise Cut


async def no_length_and_a_cut(x: Exchange) -> None:
    """Nothing tells a cut from the end where the end of the connection is the end: this one is a reset."""
    await x.head(200, {"Content-Type": "video/mp4", "Connection": "close"})
    await x.body(0, x.file.size if x.nth else two_thirds(x))
    if x.nth == 0:
        x.reset()
    raise Cut


async def gzipped(x: Exchange) -> None:
    await x.proper(**{"Content-Encoding": "gzip"})


async def multipart(x: Exchange) -> None:
    first, end = x.asked or (0, x.file.size)
    if not x.asked:
        return await x.proper()
    await x.head(206, {"Content-Type": "multipart/byteranges; boundary=x", "Content-Length": end - first, "ETag": x.file.etag,
                       "Content-Range": f"bytes {first}-{end - 1}/{x.file.size}"})
    await x.body(first, end)


async def redirected(x: Exchange) -> None:
    if x.nth == 0:
        return await x.proper(cut=two_thirds(x))
    other = changed(x.file)
    await x.head(302, {"Location": f"/plain/{other.seed}/{other.size}.mp4", "Content-Length": 0})


async def limited(x: Exchange) -> None:
    if x.nth == 0:
        return await x.head(429, {"Retry-After": 1, "Content-Length": 0})
    await x.proper()


async def unavailable(x: Exchange) -> None:
    if x.nth == 0:
        return await x.head(503, {"Content-Length": 0})
    await x.proper()


async def byte_a_second(x: Exchange) -> None:
    await x.head(200, {"Content-Type": "video/mp4", "Content-Length": x.file.size, "ETag": x.file.etag})
    for at in range(x.file.size):
        await x.body(at, at + 1)
        await asyncio.sleep(1)


async def grew(x: Exchange) -> None:
    await x.proper(grown(x.file))


async def same_length_and_date(x: Exchange) -> None:
    file = x.file if x.nth == 0 else changed(x.file)
    await x.proper(file, cut=two_thirds(x) if x.nth == 0 else None, **{"Last-Modified": DATE})


RECOVERABLE = {
    "200-to-a-range": (after_a_cut(everything), same),
    "206-earlier": (after_a_cut(lambda x: shifted(x, -1000)), same),
    "206-later": (after_a_cut(lambda x: shifted(x, 1000)), same),
    "206-wrong-total": (after_a_cut(with_range(lambda x, first, end: f"bytes {first}-{end - 1}/{x.file.size + 7}")), same),
    "206-no-total": (after_a_cut(with_range(lambda x, first, end: f"bytes {first}-{end - 1}/*")), same),
    "weak-etag": (weak_etag, same),
    "etag-changed": (after_a_cut(etag_changed), changed),
    "only-last-modified": (only_last_modified, same),
    "condition-ignored": (after_a_cut(condition_ignored), changed),
    "416-of-its-length": (after_a_cut(unsatisfiable(lambda x: x.file.size)), same),
    # As far from what is there as yt-dlp lets two sizes be apart and calls the file complete.
    "416-of-another-length": (after_a_cut(unsatisfiable(lambda x: two_thirds(x) + 50)), same),
    "short-body": (short_body, same),
    "long-body": (long_body, same),
    "no-length-and-a-cut": (no_length_and_a_cut, same),
    "multipart": (after_a_cut(multipart), same),
    "redirect-to-another": (redirected, changed),
    "429": (limited, same),
    "503": (unavailable, same),
    "grew-by-50-bytes": (after_a_cut(grew), grown),
    "same-length-and-date": (same_length_and_date, changed),
    "http-1.0": (lambda x: no_length(x, "1.0"), same),
}
HOPELESS = {
    "304": (after_a_cut(not_modified), same),
    "gzip": (gzipped, same),
    "byte-a-second": (byte_a_second, same),
}
