"""A playlist or channel as a row of short entries, read no further than asked and never held as a whole."""

from __future__ import annotations

import datetime
import itertools
import re
from collections.abc import Iterator
from typing import Any

from yt_dlp.utils import unsmuggle_url

from .errors import EngineError

PLAYLISTS = frozenset(('playlist', 'multi_video', 'compat_list'))
REFERENCES = frozenset(('url', 'url_transparent'))
MAX_DEPTH = 3  # A channel of tabs of sections; deeper is a site that goes in circles.
SLICE = 50
MAX_PAGE = 500
MAX_TEXT = 1000

PLAYLIST_TEXTS = ('id', 'title', 'description', 'uploader', 'uploader_id', 'uploader_url', 'channel', 'channel_id', 'channel_url', 'webpage_url')
PLAYLIST_COUNTS = ('playlist_count', 'channel_follower_count')
# What the page that lists an entry says better than the entry's own address (yt-dlp's url_transparent).
OUTER_FIELDS = ('title', 'description', 'timestamp', 'upload_date', 'uploader', 'duration', 'thumbnail', 'series', 'season_number',
                'episode', 'episode_number', 'age_limit')


class Listing:
    """The first page is asked of the site when this is made; the others when next_page() needs them."""

    def __init__(self, ydl: Any, url: str) -> None:
        self._ydl = ydl
        self._seen = {url}
        result = self._extract(url, None)
        if result.get('_type', 'video') not in PLAYLISTS:
            raise EngineError('unsupported', 'not_a_playlist', 'this URL is a single medium, not a playlist or channel')
        self.playlist = describe_playlist(result, url)
        self._entries = self._walk(result, url, 1)
        self._index = 0

    def next_page(self, size: int) -> tuple[list[dict[str, Any]], bool]:
        """Up to `size` entries, and whether there are no more."""
        size = max(1, min(size, MAX_PAGE))
        page = list(itertools.islice(self._entries, size))
        return page, len(page) < size

    def _extract(self, url: str, ie_key: str | None) -> dict[str, Any]:
        for _ in range(5):  # A page may refer to another one.
            result = self._ydl.extract_info(url, download=False, process=False, ie_key=known(self._ydl, ie_key))
            if not result:
                raise EngineError('unsupported', 'no_media_found', 'there is no media at this URL')
            if result.get('_type', 'video') not in REFERENCES:
                return result
            url, ie_key = result['url'], result.get('ie_key')
        raise EngineError('unsupported', 'extractor_broken', 'this URL refers to another one, again and again')

    def _walk(self, playlist: dict[str, Any], page: str, depth: int) -> Iterator[dict[str, Any]]:
        for position, entry in enumerate(slices(playlist.get('entries')), 1):
            if not entry:
                self._index += 1
            elif entry.get('_type', 'video') in PLAYLISTS and depth < MAX_DEPTH:
                yield from self._walk(entry, entry.get('webpage_url') or page, depth + 1)
            elif self._is_section(playlist, entry) and depth < MAX_DEPTH:
                yield from self._open_section(entry, depth + 1)
            else:
                self._index += 1
                yield describe_entry(self._ydl, entry, page, position, self._index)

    def _open_section(self, entry: dict[str, Any], depth: int) -> Iterator[dict[str, Any]]:
        url = entry['url']
        if url in self._seen:
            return
        self._seen.add(url)
        result = self._extract(url, entry.get('ie_key'))
        if result.get('_type', 'video') in PLAYLISTS:
            yield from self._walk(result, url, depth)
        else:
            self._index += 1
            yield describe_entry(self._ydl, result, url, 0, self._index)

    def _is_section(self, playlist: dict[str, Any], entry: dict[str, Any]) -> bool:
        """Whether an entry is a list of its own, such as a tab of a channel, as far as that can be told without asking the site."""
        key = known(self._ydl, entry.get('ie_key'))
        if entry.get('_type') not in REFERENCES or not key or entry.get('duration'):
            return False
        single = self._ydl.get_info_extractor(key).is_single_video(entry['url'])
        return single is False or (single is None and key != 'Generic' and key == playlist.get('extractor_key'))


def slices(entries: Any) -> Iterator[dict[str, Any] | None]:
    """The entries one after the other. Paged lists are asked for slices: iterating them would read everything first."""
    if not hasattr(entries, 'getslice'):
        yield from entries or ()
        return
    for start in itertools.count(0, SLICE):
        part = entries.getslice(start, start + SLICE)
        yield from part
        if len(part) < SLICE:
            return


def known(ydl: Any, ie_key: str | None) -> str | None:
    return ie_key if ie_key in ydl._ies else None


def describe_playlist(result: dict[str, Any], url: str) -> dict[str, Any]:
    return {**{name: text(result.get(name)) for name in PLAYLIST_TEXTS},
            **{name: whole(result.get(name)) for name in PLAYLIST_COUNTS},
            'thumbnail': thumbnail(result),
            'webpage_url': text(result.get('webpage_url')) or url,
            'extractor': text(result.get('extractor_key') or result.get('extractor'))}


def describe_entry(ydl: Any, entry: dict[str, Any], page: str, position: int, index: int) -> dict[str, Any]:
    kind = entry.get('_type', 'video')
    target: dict[str, Any] = {}
    if kind in REFERENCES:
        raw = entry['url']
        url = unsmuggle_url(raw)[0]
        if raw != url:
            target['url'] = raw
        if key := known(ydl, entry.get('ie_key')):
            target['ie_key'] = key
        if kind == 'url_transparent':
            target['fields'] = {name: short(entry[name]) for name in OUTER_FIELDS if entry.get(name) is not None}
    else:  # It has no address of its own: the page is asked again, and this entry of it taken.
        url = page
        if position:
            target['item'] = position
            target['item_id'] = text(entry.get('id'))
    return {'id': entry_id(ydl, entry, url), 'url': url, 'title': text(entry.get('title')), 'index': index,
            'duration': number(entry.get('duration')), 'view_count': whole(entry.get('view_count')),
            'uploader': text(entry.get('uploader') or entry.get('channel')), 'upload_date': upload_date(entry),
            'thumbnail': thumbnail(entry), 'extractor': text(entry.get('ie_key') or entry.get('extractor_key') or 'Generic'),
            'target': target}


def entry_id(ydl: Any, entry: dict[str, Any], url: str) -> str:
    if entry.get('id'):
        return text(entry['id'])
    key = known(ydl, entry.get('ie_key'))
    guessed = ydl.get_info_extractor(key).get_temp_id(url) if key and key != 'Generic' else None
    return text(guessed)


def upload_date(entry: dict[str, Any]) -> str:
    """YYYYMMDD, or nothing when the listing does not say."""
    if re.fullmatch(r'\d{8}', str(entry.get('upload_date') or '')):
        return str(entry['upload_date'])
    seconds = number(entry.get('timestamp'))
    if seconds is None:
        return ''
    try:
        return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime('%Y%m%d')
    except (ValueError, OverflowError, OSError):
        return ''


def thumbnail(entry: dict[str, Any]) -> str:
    if entry.get('thumbnail'):
        return text(entry['thumbnail'])
    listed = entry.get('thumbnails')
    return text(listed[-1].get('url')) if isinstance(listed, list) and listed and isinstance(listed[-1], dict) else ''


def text(value: Any) -> str:
    return '' if value is None else str(value)[:MAX_TEXT]


def short(value: Any) -> Any:
    return value if isinstance(value, (bool, int, float)) else str(value)[:MAX_TEXT]


def number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def whole(value: Any) -> int | None:
    found = number(value)
    return None if found is None or abs(found) > 1 << 53 else int(found)
