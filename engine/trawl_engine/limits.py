"""What a child may use until its parts are there. Post-processing is not limited: encoders need what they need."""

from __future__ import annotations

import resource

MAX_MEMORY = 700 << 20  # Private writable memory; a page or manifest that needs more is an attack.


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
