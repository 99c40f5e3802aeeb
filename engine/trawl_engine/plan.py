"""The Plan: what resolving decided, as JSON from which a later child goes on without asking the site."""

from __future__ import annotations

from typing import Any

from . import wire
from .errors import EngineError
from .request import Request

MAX_PLAN = 8 << 20
# Needed to choose formats and subtitles, not to fetch the chosen ones. Kept only for an info file.
CHOICES = ('formats', 'subtitles', 'automatic_captions', 'heatmap')


def make(ydl: Any, info: dict[str, Any], request: Request, version: str) -> dict[str, Any]:
    plan = {
        'extractor': str(info.get('extractor_key') or info.get('extractor') or ''),
        'id': str(info.get('id') or ''),
        'title': str(info.get('title') or ''),
        'info': storable(ydl.sanitize_info(info), keep_choices=request.write_info_json),
        'transfers': transfers(info, request),
        'live': bool(info.get('is_live')),
        'engine_version': version,
    }
    size = len(wire.encode(plan))
    if size > MAX_PLAN:
        raise EngineError('too_large', 'plan_too_large', f'the description of this medium takes {size} bytes, more than {MAX_PLAN}')
    return plan


def storable(info: dict[str, Any], keep_choices: bool) -> dict[str, Any]:
    dropped = () if keep_choices else CHOICES
    return {key: value for key, value in info.items()
            if value is not None and not key.startswith('__') and key not in dropped}


def restore(ydl: Any, plan: dict[str, Any]) -> dict[str, Any]:
    """The info dict of a stored plan, its cookies back in the jar under the scope they had."""
    info = dict(plan['info'])
    for part in filter(lambda part: part.get('url'), media_parts(info)):
        if isinstance(part.get('fragments'), str):
            raise EngineError('unavailable', 'plan_not_reusable', 'the fragments of this stream cannot be stored; resolve it again')
        part['http_headers'] = ydl._calc_headers(part, load_cookies=True)
    return info


def media_parts(info: dict[str, Any]) -> list[dict[str, Any]]:
    return info.get('requested_formats') or [info]


def sizes(info: dict[str, Any]) -> dict[str, int | None]:
    return {str(part.get('format_id')): size_of(part) for part in media_parts(info)}


def exact_size(info: dict[str, Any]) -> int:
    """What the site says for certain that will be fetched."""
    return sum(int(part.get('filesize') or 0) for part in media_parts(info))


def transfers(info: dict[str, Any], request: Request) -> list[dict[str, Any]]:
    found = []
    if not request.transcript_only:
        found += [transfer('audio' if part.get('vcodec') == 'none' else 'video', part) for part in media_parts(info)]
    for language, subtitle in (info.get('requested_subtitles') or {}).items():
        found.append(transfer('subtitle', subtitle) | {'language': language})
    if (request.write_thumbnail or request.embed_thumbnail) and info.get('thumbnails'):
        found.append(transfer('thumbnail', info['thumbnails'][-1]))
    return found


def transfer(kind: str, part: dict[str, Any]) -> dict[str, Any]:
    return {'kind': kind, 'size': size_of(part),
            **{key: str(part.get(key) or '') for key in ('format_id', 'protocol', 'url', 'ext', 'language')}}


def size_of(part: dict[str, Any]) -> int | None:
    size = part.get('filesize') or part.get('filesize_approx')
    return int(size) if size else None
