"""Which of a medium's caption tracks are meant by a list of languages."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Iterable
from typing import Any

from yt_dlp.utils import ISO639Utils

Tracks = dict[str, list[dict[str, Any]]]  # By the site's name for the language, as in yt-dlp's info dict.

MAX_TRACKS = 100
# Sites name Chinese by country or by script, and mean the same.
SAME = {'zh-cn': 'zh-hans', 'zh-sg': 'zh-hans', 'zh-tw': 'zh-hant', 'zh-hk': 'zh-hant', 'iw': 'he', 'in': 'id', 'ji': 'yi'}
ORIGINAL = '-orig'  # YouTube lists the track in the language that is spoken twice, once with this.


def choose(wanted: Iterable[str], manual: Tracks, automatic: Tracks, translated: bool = False) -> tuple[Tracks, Tracks]:
    """The tracks to fetch: for each language one, made by people rather than by a machine, and by a machine
    that listened rather than one that translated (only with `translated`). `all` means all but the
    translations, unless they are asked for as well. A track is taken once, however often it is asked for."""
    manual, automatic = without_chat(manual), without_chat(automatic)
    heard = {key: formats for key, formats in automatic.items() if not is_translation(formats)}
    pools: list[tuple[Tracks, bool]] = [(manual, True), (heard, False)]
    if translated:
        pools.append(({key: formats for key, formats in automatic.items() if key not in heard}, False))
    chosen: tuple[Tracks, Tracks] = ({}, {})
    for language in wanted:
        for pool, by_people in pools:
            if language == 'all':
                found = [key for key in pool if not (key.endswith(ORIGINAL) and key.removesuffix(ORIGINAL) in pool)]
            else:
                found = [key] if (key := match(language, pool)) else []
            for key in found:
                if key not in chosen[0] and sum(map(len, chosen)) < MAX_TRACKS:
                    chosen[0 if by_people else 1].setdefault(key, pool[key])
            if found and language != 'all':
                break
    return chosen


def match(wanted: str, keys: Iterable[str]) -> str | None:
    """The key that names the language best: the same; the same spelled otherwise; a variant of it (`en` takes
    `en-US`); the language it is a variant of (`pt-BR` takes `pt`, and never `pt-PT`)."""
    keys = list(keys)
    by_name = {key.lower(): key for key in reversed(keys)}
    if wanted.lower() in by_name:
        return by_name[wanted.lower()]
    range_ = normal(wanted)
    known = {normal(key): key for key in reversed(keys)}
    if range_ in known:
        return known[range_]
    variants = sorted((key for key in keys if normal(key).startswith(f'{range_}-')), key=lambda key: len(normal(key)))
    if variants:
        return variants[0]
    while '-' in range_:
        range_ = range_.rpartition('-')[0]
        if range_ in known:
            return known[range_]
    return None


def normal(name: str) -> str:
    name = name.replace('_', '-').lower().removesuffix(ORIGINAL)
    language, hyphen, rest = name.partition('-')
    language = (ISO639Utils.long2short(language) or language) if len(language) == 3 else language
    name = f'{language}{hyphen}{rest}'
    return SAME.get(name, name)


def is_translation(formats: list[dict[str, Any]]) -> bool:
    """Sites that translate on request say so in the address."""
    return any(re.search(r'(^|&)tlang=', urllib.parse.urlsplit(str(one.get('url') or '')).query) for one in formats[:1])


def without_chat(tracks: Tracks | None) -> Tracks:
    return {key: formats for key, formats in (tracks or {}).items() if key != 'live_chat' and formats}


def none_of(wanted: Iterable[str], info: dict[str, Any]) -> str:
    found = sorted({*without_chat(info.get('subtitles')), *without_chat(info.get('automatic_captions'))})
    offered = ', '.join(found[:20]) + (', ...' if len(found) > 20 else '')
    return f'there are no captions in {", ".join(wanted)}' + (f'; there are some in {offered}' if found else ', and none in another language')
