"""Bytes moved by Trawl itself: exact over cuts, hostile origins and kills, and fetched again as little as possible."""
import asyncio
import threading

from support import rude_answers
from support.download_bars import PLAIN, completed_right, sha256_of
from support.hostile_origin import File, Spans


# Mutant: append_on_200.
def test_d1_bytes_are_exact_over_cuts_and_little_is_fetched_twice(server, hostile, bars, seeded):
    cuts = {}

    async def cutting(x):
        """Ends five connections of each file at a random byte, every other one of which ignores the range."""
        first, end = x.asked or (0, x.file.size)
        left = cuts.setdefault(x.path, 5)
        if left == 0:
            return await x.proper()
        cuts[x.path] -= 1
        return await x.proper(cut=seeded.randrange(first + 1, end + 1))

    count = bars.size(200)
    origin = hostile({"cut": cutting, "whole": ignoring_ranges})
    busy = server(download__max_concurrent=16)
    files = [File(n, seeded.randrange(1 << 20, 16 << 20)) for n in range(count)]
    jobs = [busy.api.submit(origin.url("cut", file), **PLAIN)["id"] for file in files]
    # Beside them origins that answer a range with everything, where appending would splice.
    spliced = [File(count + n, 3 << 20) for n in range(bars.size(20))]
    others = [busy.api.submit(origin.url("whole", file), **PLAIN)["id"] for file in spliced]
    right = sum(completed_right(busy, job, file) for job, file in zip(jobs + others, files + spliced))
    bars.holds("D1", "files with the right sha256", right, equals=len(files) + len(spliced))
    bars.holds("D1", "cuts per file", sum(5 - left for left in cuts.values()) / count, at_least=4.0)
    size = sum(file.size for file in files)
    again = sum(origin.sent[origin.path("cut", file)] for file in files) - size
    bars.holds("D1", "bytes fetched again", 100 * again / size, at_most=10, unit="%")


async def ignoring_ranges(x):
    cut = x.file.size * 2 // 3 if x.nth == 0 else None
    await x.head(200, {"Content-Type": "video/mp4", "Content-Length": x.file.size, "ETag": x.file.etag})
    await x.body(0, x.file.size, cut)


# Mutant: about_the_same_size.
def test_d2_no_hostile_origin_gives_a_wrong_file(server, hostile, bars):
    known = {**rude_answers.RECOVERABLE, **rude_answers.HOPELESS}
    origin = hostile({**{name: answer for name, (answer, _) in known.items()}, "plain": lambda x: x.proper()}, hosts=len(known))
    busy = server(download__max_concurrent=50, download__queue_max=2000, download__max_retries=0, transfer__quiet_timeout_sec=2)
    asked = [(number, name, File(1000 * number + nth, 400_000 + nth)) for nth in range(bars.size(50, 6)) for number, name in enumerate(known)]
    jobs = [busy.api.submit(origin.url(name, file, number), **PLAIN)["id"] for number, name, file in asked]
    wrong, recovered = [], {name: 0 for name in rude_answers.RECOVERABLE}
    for (_, name, file), job in zip(asked, jobs):
        if name in rude_answers.HOPELESS and busy.api.show(job)["status"] == "queued":
            continue  # Its origin has failed so often by now that it is left alone for a while.
        body = busy.api.finish(job, within=180)
        if body["status"] != "completed":
            continue
        if sha256_of(busy, body) != known[name][1](file).sha256():
            wrong.append(name)
        elif name in recovered:
            recovered[name] += 1
    bars.holds("D2", f"wrong files completed, of {len(asked)}", len(wrong), equals=0)
    always = [name for name, times in recovered.items() if times == bars.size(50, 6)]
    print("not always recovered:", {name: times for name, times in recovered.items() if name not in always})
    bars.holds("D2", "behaviours that always end right", len(always), at_least=18)
    bars.holds("D2", "of the recoverable ones", len(always) / len(recovered), at_least=1.0)


class Leash:
    """Lets an origin send so many different bytes of a file, holds it there, and counts what it sent before."""

    def __init__(self):
        self.sent = Spans()
        self.again = 0
        self.limit = 0
        self.held = threading.Event()
        self.free = asyncio.Event()

    async def before(self, first: int, end: int) -> None:
        while self.sent.bytes() >= self.limit:
            self.held.set()
            self.free.clear()
            await self.free.wait()
        self.again += self.sent.add(first, end)

    def let_go(self, limit: int) -> None:
        self.held.clear()
        self.limit = limit
        self.free.set()


# Mutants: unbounded_loss, journal_ignored.
def test_d3_a_killed_server_fetches_little_again(server, hostile, bars, seeded):
    """A job that has lost ten workers counts as poison, so no file is killed more than seven times."""
    leashes = {}
    origin = hostile({"leash": lambda x: x.proper(before=leashes[x.file].before)})
    busy = server(jobs__lease_sec=3, start=False)
    left, lost, right = bars.size(20), [], []
    while left > 0:
        file = File(len(right), bars.size(256 << 20))
        leashes[file] = Leash()
        offsets = sorted(seeded.randrange(1 << 20, file.size - (1 << 20)) for _ in range(min(left, 7)))
        left -= len(offsets)
        right.append(survives(busy, origin, file, leashes[file], offsets, lost))
    bars.holds("D3", f"files with the right sha256 after {len(lost)} x kill -9", right.count(True), equals=len(right))
    bars.holds("D3", "fetched again after a kill, at most", max(lost) / (1 << 20), at_most=16.0, unit="MiB")


def survives(server, origin, file, leash, offsets, lost) -> bool:
    """Kills the server when so many bytes were sent; notes what each kill cost."""
    job = None
    for offset in [*offsets, None]:
        before = leash.again
        origin.call(leash.let_go, file.size + 1 if offset is None else offset)
        server.start()
        job = job or server.api.submit(origin.url("leash", file), **PLAIN)["id"]
        if offset is None:
            right = completed_right(server, job, file)
            server.stop()
        else:
            assert leash.held.wait(60), f"{server.api.show(job)} {server.tail()}"
            server.kill()
        if offset != offsets[0]:
            lost.append(leash.again - before)
    return right
