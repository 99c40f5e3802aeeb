"""The picture of a medium, as yt-dlp would choose and name it."""

from __future__ import annotations

import dataclasses
import os
from typing import Any

from yt_dlp.utils import determine_ext, replace_extension


@dataclasses.dataclass(frozen=True)
class Thumbnail:
    info: dict[str, Any]
    entry: dict[str, Any]  # Of info['thumbnails'].
    name: str
    media_name: str

    @property
    def request(self) -> dict[str, Any]:
        return {'url': self.entry['url'], 'http_headers': self.entry.get('http_headers') or {}}

    def give_up(self) -> None:
        self.entry.pop('filepath', None)
        self.info['thumbnails'].remove(self.entry)


def best(info: dict[str, Any], media_name: str, params: dict[str, Any]) -> Thumbnail | None:
    """The one yt-dlp would try first; nothing when it is to write none, or all there are."""
    found = info.get('thumbnails')
    if not found or not params.get('writethumbnail') or params.get('write_all_thumbnails'):
        return None
    entry = found[-1]
    name = replace_extension(media_name, entry.get('ext') or determine_ext(entry['url'], 'jpg'), info.get('ext'))
    return Thumbnail(info, entry, name, media_name) if os.path.basename(name) == name else None
