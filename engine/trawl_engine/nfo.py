"""What media servers (Kodi, Jellyfin, Emby) read beside a file: an .nfo with what is known of the medium."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from typing import Any

MAX_TEXT = 20_000
MAX_LIST = 50
FORBIDDEN = re.compile('[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]')  # By XML 1.0.


def make(info: dict[str, Any]) -> str:
    """A `movie`, or the `episodedetails` of what belongs to a series or has a place in a playlist."""
    episode = info.get('episode_number') or info.get('playlist_index')
    root = ElementTree.Element('episodedetails' if episode else 'movie')
    date = iso_date(info.get('release_date') or info.get('upload_date'))
    fields: list[tuple[str, Any]] = [
        ('title', info.get('episode') or info.get('title')),
        ('originaltitle', info.get('title')),
        ('showtitle', (info.get('series') or info.get('playlist')) if episode else None),
        ('season', (info.get('season_number') or 1) if episode else None),
        ('episode', episode),
        ('plot', info.get('description')),
        ('runtime', round(info['duration'] / 60) if isinstance(info.get('duration'), (int, float)) else None),
        ('premiered', date),
        ('aired', date if episode else None),
        ('year', date[:4] if date else None),
        ('studio', info.get('channel') or info.get('uploader')),
        ('director', info.get('uploader')),
    ]
    fields += [('genre', text) for text in listed(info.get('categories'))] + [('tag', text) for text in listed(info.get('tags'))]
    for name, value in fields:
        if value not in (None, ''):
            ElementTree.SubElement(root, name).text = safe(value)
    if info.get('id'):
        unique = ElementTree.SubElement(root, 'uniqueid', {'type': safe(info.get('extractor') or 'unknown'), 'default': 'true'})
        unique.text = safe(info['id'])
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n' + ElementTree.tostring(root, encoding='unicode') + '\n'


def iso_date(value: Any) -> str | None:
    match = re.fullmatch(r'(\d{4})(\d\d)(\d\d)', str(value or ''))
    return '-'.join(match.groups()) if match else None


def listed(value: Any) -> list[str]:
    return [str(item) for item in value[:MAX_LIST]] if isinstance(value, list) else []


def safe(value: Any) -> str:
    return FORBIDDEN.sub('', str(value))[:MAX_TEXT]
