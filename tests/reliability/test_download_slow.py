"""Origins that have all the time in the world take nobody else's."""
import asyncio
from datetime import datetime

import pytest

from support.download_bars import PLAIN
from support.hostile_origin import File


async def slow_head(x):
    for byte in b"HTTP/1.1 200 Slow\r\nContent-Type: video/mp4\r\nX-Padding: " + bytes(4096):
        x.writer.write(bytes([byte]))
        await x.writer.drain()
        await asyncio.sleep(1)


async def slow_body(x):
    await x.head(200, {"Content-Type": "text/html" if x.look else "video/mp4", "Content-Length": x.file.size, "ETag": x.file.etag})
    for at in range(x.file.size):
        await x.body(at, at + 1)
        await asyncio.sleep(1)


async def silent(x):
    await asyncio.sleep(600)


SLOW = {"head": slow_head, "body": slow_body, "silent": silent}


# Mutant: no_low_speed_rule.
@pytest.mark.alone
def test_d9_slow_origins_free_their_slots_and_slow_nobody_down(server, hostile, bars):
    each, good = bars.size(100), 10
    # Every other one is slow to yt-dlp already, which asks first.
    answers = {f"{name}{when}": answer for name, answer in SLOW.items() for when in ("", "-at-once")}
    slow = hostile({**answers, "plain": lambda x: x.proper()}, hosts=3 * each + 1, looks_too=frozenset(name for name in answers if name.endswith("-at-once")))
    busy = server(download__max_concurrent=3 * each + good, download__max_retries=0, transfer__quiet_timeout_sec=bars.size(30, 8))

    def batch(seed: int) -> list[float]:
        jobs = [busy.api.submit(slow.url("plain", File(seed + n, 2 << 20)), **PLAIN)["id"] for n in range(good)]
        return [seconds(busy.api.finish(job), since="created_at") for job in jobs]

    batch(0)
    alone = batch(100) + batch(200)
    names = [f"{name}{'-at-once' if n % 2 else ''}" for n in range(each) for name in SLOW]
    files = [File(1000 + n, 1 << 20) for n in range(len(names))]
    jobs = [busy.api.submit(slow.url(name, file, host=n + 1), **PLAIN)["id"] for n, (name, file) in enumerate(zip(names, files))]
    # Under way are those whose origin has them waiting: before that they wait for a processor, as all do.
    for job, name, file in zip(jobs, names, files):
        waiting = slow.looked if name in slow.looks_too else slow.asked
        busy.api.until(job, lambda body: waiting[slow.path(name, file)] > 0)
    beside = batch(300) + batch(400)
    still = [job for job in jobs if busy.api.show(job)["status"] == "running"]
    ended = [busy.api.finish(job, within=120) for job in jobs]
    assert {body["status"] for body in ended} == {"failed"}
    for name in sorted(set(names)):
        print(name, max((seconds(body), body["error_code"]) for body, own in zip(ended, names) if own == name))
    print("good ones alone", sorted(alone), "beside", sorted(beside))
    bars.holds("D9", f"slow downloads under way beside the good ones, of {len(jobs)}", len(still), at_least=len(jobs) // 2)
    bars.holds("D9", "a slow download holds its slot for at most", max(map(seconds, ended)), at_most=60.0, unit="s")
    bars.holds("D9", "p95 of the good ones, beside slow ones and alone", p95(beside) / p95(alone), at_most=2.0, unit="x")


def seconds(body: dict, since: str = "started_at") -> float:
    began, ended = (datetime.fromisoformat(body[name].replace("Z", "+00:00")) for name in (since, "completed_at"))
    return (ended - began).total_seconds()


def p95(values: list[float]) -> float:
    return sorted(values)[round(0.95 * (len(values) - 1))]
