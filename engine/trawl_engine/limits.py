"""What a child may use until its parts are there. Post-processing is not limited: encoders need what they need."""

from __future__ import annotations

import contextlib
import resource
import signal
from collections.abc import Iterator

from .errors import EngineError

MAX_THINKING = 10  # Seconds of processor time to understand one page or manifest.
MAX_MEMORY = 700 << 20  # Private writable memory; a page or manifest that needs more is an attack.


@contextlib.contextmanager
def thinking() -> Iterator[None]:
    """Ends what computes longer than any site makes it: a list without end, an expression that explodes.
    Raises again each second, because extractors swallow exceptions."""
    def over(*_: object) -> None:
        raise EngineError('too_large', 'too_complex', f'understanding this address took more than {MAX_THINKING} s of processor time')

    before = signal.signal(signal.SIGPROF, over)
    signal.setitimer(signal.ITIMER_PROF, MAX_THINKING, 1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def limit_memory() -> None:
    _set(resource.RLIMIT_DATA, MAX_MEMORY)


def limit_files(max_bytes: int) -> None:
    """Stops a file at the limit even where the code that writes it does not count (thumbnails, ffmpeg)."""
    if max_bytes:
        _set(resource.RLIMIT_FSIZE, max_bytes)


def lift() -> None:
    for kind in (resource.RLIMIT_DATA, resource.RLIMIT_FSIZE):
        hard = resource.getrlimit(kind)[1]
        resource.setrlimit(kind, (hard, hard))


def _set(kind: int, soft: int) -> None:
    hard = resource.getrlimit(kind)[1]
    resource.setrlimit(kind, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))
