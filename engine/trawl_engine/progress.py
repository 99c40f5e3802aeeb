"""Adds up what yt-dlp reports per file into the progress of the whole download."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from .errors import EngineError

INTERVAL = 0.2


class Progress:
    """Called from the downloading threads. `emit` gets at most five messages a second, and the last one."""

    def __init__(self, parts: dict[str, int | None], max_bytes: int, emit: Callable[[dict[str, Any]], None],
                 clock: Callable[[], float] = time.monotonic) -> None:
        self._totals = dict(parts)  # By format id.
        self._done: dict[str, int] = dict.fromkeys(parts, 0)
        self._max_bytes = max_bytes
        self._emit = emit
        self._clock = clock
        self._sent_at = -INTERVAL
        self._downloaded = 0
        self._left_out: set[str] = set()
        self._lock = threading.Lock()

    def leave_out(self, part: str) -> None:
        """The server moves this part and counts it itself."""
        with self._lock:
            self._left_out.add(part)
            self._totals.pop(part, None)
            self._done.pop(part, None)

    def hook(self, status: dict[str, Any]) -> None:
        """A progress hook of yt-dlp. Subtitles have no format id: they only show that something moves."""
        part = (status.get('info_dict') or {}).get('format_id')
        finished = status.get('status') == 'finished'
        if part in self._left_out:
            return
        done = status.get('downloaded_bytes')
        total = status.get('total_bytes') or status.get('total_bytes_estimate')
        with self._lock:
            if part:
                self._update(part, done if done is not None else total if finished else None, total, finished)
            self._report(status.get('speed'), force=finished and bool(part))

    def file_size(self, part: str, size: int) -> None:
        """For downloaders that have no hooks (ffmpeg): the size of the growing file."""
        with self._lock:
            self._update(part, size, None, False)
            self._report(None, force=False)

    def _update(self, part: str, done: int | None, total: float | None, finished: bool) -> None:
        if part not in self._totals:  # One file for several formats, as ffmpeg makes it.
            self._totals, self._done = {part: None}, {part: 0}
        if done is not None:
            self._done[part] = max(self._done[part], int(done))
        if finished:
            self._totals[part] = self._done[part]
        elif total:
            self._totals[part] = int(total)
        self._downloaded = max(self._downloaded, sum(self._done.values()))
        if self._max_bytes and self._downloaded > self._max_bytes:
            raise too_large(self._max_bytes)

    def _report(self, speed: float | None, force: bool) -> None:
        now = self._clock()
        if not force and now - self._sent_at < INTERVAL:
            return
        self._sent_at = now
        total = self._total()
        remaining = total - self._downloaded if total is not None else None
        self._emit({'event': 'progress', 'progress': {
            'downloaded_bytes': self._downloaded, 'total_bytes': total, 'speed': speed,
            'eta': remaining / speed if remaining is not None and speed else None}})

    def _total(self) -> int | None:
        if not self._totals or any(total is None for total in self._totals.values()):
            return None
        return max(self._downloaded, sum(filter(None, self._totals.values())))


def too_large(max_bytes: int) -> EngineError:
    return EngineError('too_large', 'too_large', f'the download is larger than the limit of {max_bytes} bytes')
