"""Live streams: where to begin, and the end that somebody asks for."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator
from typing import Any

from yt_dlp.utils import determine_protocol

from .errors import EngineError


class Recording:
    """SIGINT asks for the end of a recording, and is kept for one that is about to begin. It ends nothing else."""

    def __init__(self) -> None:
        self._asked = False
        self._running = False

    def listen(self) -> None:
        signal.signal(signal.SIGINT, self._ask)

    def _ask(self, *_: Any) -> None:
        self._asked = True
        if self._running:
            self._running = False
            raise KeyboardInterrupt

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Around a downloader of yt-dlp, which take the interruption of a live stream for its end."""
        if self._asked:
            raise nothing()
        self._running = True
        try:
            yield
        except (FileNotFoundError, KeyboardInterrupt):
            if not self._asked:
                raise
            raise nothing() from None
        finally:
            self._running = False


def nothing() -> EngineError:
    return EngineError('unavailable', 'nothing_recorded', 'the recording ended before anything came')


def is_live(info: dict[str, Any]) -> bool:
    return bool(info.get('is_live')) or info.get('live_status') == 'is_live'


class Stations:
    """Icecast, Shoutcast and their like answer with a stream as if it were a file, but say no length, and something of
    the station in headers of theirs. Those that were met are remembered by their addresses."""

    PREFIXES = ('icy-', 'ice-')

    def __init__(self) -> None:
        self._met: set[str] = set()

    def look_at(self, url: str, response: Any) -> None:
        names = [str(name).lower() for name in response.headers]
        if 'content-length' not in names and any(name.startswith(self.PREFIXES) for name in names):
            self._met.update((url, str(response.url)))

    def has(self, info: dict[str, Any]) -> bool:
        return bool(info.get('direct')) and any(one.get('url') in self._met for one in info.get('formats') or [info])


def settle_status(info: dict[str, Any], read: Callable[[dict[str, Any]], bytes], stations: Stations) -> None:
    """Says of what the generic extractor found that it is live where it did not see that itself.

    What a station sends is. And that extractor asks an HLS playlist whether it has an end, but goes on without an answer,
    so that a live stream would be taken for what its window holds just now: the question is asked again here, and has to
    be answered."""
    if info.get('extractor_key') != 'Generic' or info.get('live_status') or is_live(info) or info.get('duration'):
        return
    if stations.has(info):
        info['live_status'] = 'is_live'
        return
    playlist = next((one for one in info.get('formats') or [info] if determine_protocol(one) == 'm3u8_native'), None)
    if playlist and playlist.get('url') and b'#EXT-X-ENDLIST' not in read(playlist):
        info['live_status'] = 'is_live'


def comes_by_ffmpeg(info: dict[str, Any]) -> bool:
    """ffmpeg ends the recording of a stream without an end properly when it is told to; yt-dlp's own downloader for
    plain HTTP would leave a part that it takes for unfinished."""
    return is_live(info) and determine_protocol(info) in ('http', 'https')


def begin_at_start(info: dict[str, Any]) -> None:
    """yt-dlp knows sites that keep the whole stream. Elsewhere an HLS playlist lists what there is still, and
    ffmpeg begins with the first segment of it when it is told to."""
    formats = info.get('formats') or []
    if not is_live(info) or any(one.get('is_from_start') for one in formats):
        return
    for one in formats:
        one['is_from_start'] = True
        if str(one.get('protocol') or '').startswith('m3u8'):
            options = one.setdefault('downloader_options', {})
            options['ffmpeg_args'] = [*options.get('ffmpeg_args', ()), '-live_start_index', '0']
