"""Which part of a medium is wanted: a range of time, or a chapter."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from .errors import EngineError
from .request import Request


def cut(info: dict[str, Any], request: Request, read: Callable[[dict[str, Any]], str]) -> None:
    """Marks `info` so that yt-dlp fetches only the part, and moves its chapters to where they are in it. What cannot be
    fetched in parts is marked to be cut afterwards. `read` gives the text behind the URL of a format."""
    start, end = bounds(info, request)
    if start <= 0 and math.isinf(end):
        return
    duration = info.get('duration')
    if isinstance(duration, (int, float)) and start >= duration:
        raise EngineError('invalid', 'bad_section', f'the part begins at {start:g} s, but the medium ends at {duration:g} s')
    if isinstance(duration, (int, float)):
        end = min(end, duration)
    if any(has_map(chosen, read) for chosen in info.get('requested_formats') or [info]):
        info['cut_afterwards'] = {'start': start, **({} if math.isinf(end) else {'length': end - start})}
    else:
        info['section_start'] = start
        if not math.isinf(end):
            info['section_end'] = end
    if not math.isinf(end):
        info['duration'] = round(end - start, 3)
    info['chapters'] = moved(info.get('chapters') or [], start, end)


def has_map(chosen: dict[str, Any], read: Callable[[dict[str, Any]], str]) -> bool:
    """Whether it is HLS whose segments need an initialisation section (RFC 8216, 4.3.2.5): ffmpeg 5 loses that as it
    seeks, and makes a file with nothing in it."""
    return str(chosen.get('protocol')).startswith('m3u8') and '#EXT-X-MAP' in read(chosen)


def bounds(info: dict[str, Any], request: Request) -> tuple[float, float]:
    if not request.section_chapter:
        return request.section_start or 0.0, math.inf if request.section_end is None else request.section_end
    wanted = request.section_chapter.casefold()
    for chapter in info.get('chapters') or []:
        if wanted in str(chapter.get('title') or '').casefold():
            return float(chapter.get('start_time') or 0), float(chapter.get('end_time') or math.inf)
    raise EngineError('not_found', 'chapter_not_found', f'no chapter is called {request.section_chapter!r}')


def moved(chapters: list[dict[str, Any]], start: float, end: float) -> list[dict[str, Any]]:
    found = []
    for chapter in chapters:
        first, last = max(float(chapter.get('start_time') or 0), start), min(float(chapter.get('end_time') or math.inf), end)
        if first < last and not math.isinf(last):
            found.append({**chapter, 'start_time': first - start, 'end_time': last - start})
    return found
