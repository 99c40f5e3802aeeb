"""What the bars share: their size, their seed, and the table of figures against what is required.

In `./test` each bar runs at quarter size. `tests/reliability/run` runs them at full size and prints
the table. A figure is recorded by the test that measured it and asserted in the same breath, so the
table cannot say anything the test did not hold.
"""
import json
import os
import random
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

from support.hostile_origin import HostileOrigin
from support.radosgw import ACCESS, REGION, SECRET
from support.s3 import FaultProxy
from support.stored import PART

FULL = os.environ.get("TRAWL_BARS") == "full"


@dataclass
class Figure:
    bar: str
    what: str
    figure: str
    required: str
    held: bool


class Bars:
    def __init__(self):
        self.figures: list[Figure] = []

    def size(self, full: int, quarter: int | None = None) -> int:
        """How many of something: `full` in a full run, else a quarter of it (or `quarter`)."""
        return full if FULL else quarter if quarter is not None else max(1, full // 4)

    def holds(self, bar: str, what: str, figure: float, *, at_most: float | None = None, at_least: float | None = None, equals: object = None, unit: str = ""):
        """Records `figure` and fails the test unless it is within what is required."""
        limits = [("<=", at_most, lambda: figure <= at_most), (">=", at_least, lambda: figure >= at_least), ("==", equals, lambda: figure == equals)]
        given = [(sign, limit, check) for sign, limit, check in limits if limit is not None]
        assert given, f"{bar}: {what} is held against nothing"
        held = all(check() for _, _, check in given)
        required = " and ".join(f"{sign} {shown(limit, unit)}" for sign, limit, _ in given)
        self.figures.append(Figure(bar, what, shown(figure, unit), required, held))
        assert held, f"{bar}: {what}: {shown(figure, unit)}, required {required}"


def shown(value: object, unit: str) -> str:
    text = f"{value:.3g}" if isinstance(value, float) else str(value)
    return f"{text} {unit}".rstrip()


_bars = Bars()


@pytest.fixture(scope="session")
def bars() -> Bars:
    return _bars


@pytest.fixture
def seeded(request) -> random.Random:
    """Random numbers that a failed test can be repeated with: TRAWL_SEED=… names the seed it printed."""
    seed = int(os.environ.get("TRAWL_SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"seed: TRAWL_SEED={seed} ({request.node.name})")
    return random.Random(seed)


@pytest.fixture
def hostile():
    """`hostile({name: answer})` starts a HostileOrigin."""
    made = []

    def make(answers, **options):
        made.append(HostileOrigin(answers, **options).start())
        return made[-1]

    yield make
    for origin in made:
        origin.stop()


@pytest.fixture
def stored(server, bucket, radosgw):
    """`stored(fault, ...)` starts a server over a bucket behind a proxy; gives both."""
    proxies = []

    def make(fault=lambda operation, count: None, **options):
        proxies.append(FaultProxy(radosgw.url, fault))
        settings = {"backend": "s3", "s3__bucket": bucket.bucket, "s3__region": REGION, "s3__endpoint": proxies[-1].url,
                    "s3__access_key": ACCESS, "s3__secret_key": SECRET, "s3__part_bytes": PART}
        return server(**{f"storage__{name}": value for name, value in settings.items()} | options), proxies[-1]

    yield make
    for proxy in proxies:
        proxy.close()


def pytest_sessionfinish(session):
    """With several processes (pytest-xdist) the table is printed by the one that started the others."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["figures"] = [asdict(figure) for figure in _bars.figures]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    _bars.figures += [Figure(**figure) for figure in getattr(node, "workeroutput", {}).get("figures", [])]


def pytest_terminal_summary(terminalreporter):
    figures = _bars.figures
    if not figures:
        return
    terminalreporter.section(f"bars ({'full' if FULL else 'quarter'} size)")
    rows = [("bar", "what", "figure", "required", "")] + [(f.bar, f.what, f.figure, f.required, "ok" if f.held else "MISSED") for f in figures]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    for row in rows:
        terminalreporter.write_line("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
    if target := os.environ.get("TRAWL_BARS_FILE"):
        Path(target).write_text(json.dumps([asdict(f) for f in figures], indent=1))
