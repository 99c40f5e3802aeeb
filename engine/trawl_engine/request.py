"""What a child is asked to do: the fields of engine::Request, checked."""

from __future__ import annotations

import dataclasses
import os
import re
import urllib.parse
from typing import Any

from .errors import EngineError

CONTAINERS = frozenset(('mp4', 'mkv', 'webm', 'mov', 'avi', 'flv', 'm4a', 'mka', 'ogg'))
AUDIO_FORMATS = frozenset(('best', 'mp3', 'aac', 'm4a', 'opus', 'vorbis', 'flac', 'alac', 'wav'))
SUBTITLE_FORMATS = frozenset(('srt', 'vtt', 'ass', 'lrc'))
SPONSORBLOCK = frozenset(('sponsor', 'intro', 'outro', 'selfpromo', 'preview', 'filler', 'interaction', 'music_offtopic'))
SPONSORBLOCK_MARKS = SPONSORBLOCK | {'poi_highlight', 'chapter'}
THUMBNAIL_FORMATS = frozenset(('jpg', 'png', 'webp'))
LANGUAGE = re.compile(r'all|[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*')

# yt-dlp's extractors pass each other headers and more behind this; nobody else may.
SMUGGLED = '__youtubedl_smuggle'


@dataclasses.dataclass(frozen=True)
class Request:
    url: str
    work_dir: str
    format: str = ''
    container: str = ''
    audio_format: str = ''
    audio_quality: str = ''
    subtitle_languages: tuple[str, ...] = ()
    automatic_subtitles: bool = False
    manual_subtitles: bool = True
    subtitle_format: str = ''
    embed_subtitles: bool = False
    write_subtitles: bool = False
    translated_subtitles: bool = False
    transcript: bool = False
    transcript_only: bool = False
    transcript_paragraphs: bool = True
    transcript_timestamps: bool = False
    write_thumbnail: bool = False
    all_thumbnails: bool = False
    thumbnail_format: str = ''
    embed_thumbnail: bool = False
    embed_metadata: bool = False
    embed_chapters: bool = False
    split_chapters: bool = False
    write_info_json: bool = False
    write_description: bool = False
    write_nfo: bool = False
    sponsorblock_mark: tuple[str, ...] = ()
    sponsorblock_remove: tuple[str, ...] = ()
    sponsorblock_api: str = ''
    section_start: float | None = None
    section_end: float | None = None
    section_chapter: str = ''
    precise_cuts: bool = False
    live_from_start: bool = False
    cookies_file: str = ''
    proxy: str = ''
    max_bytes: int = 0
    rate_limit: int = 0
    retries: int = 3
    entry: dict[str, Any] = dataclasses.field(default_factory=dict)  # Of a playlist: {target, playlist}, from a listing.
    impersonate: str = ''
    geo_bypass: bool = True
    geo_bypass_country: str = ''
    sleep_interval: float = 0
    pot_provider: str = ''

    @classmethod
    def parse(cls, fields: dict[str, Any]) -> Request:
        known = {field.name for field in dataclasses.fields(cls)}
        values = {name: value for name, value in fields.items() if name in known}
        for name in ('subtitle_languages', 'sponsorblock_mark', 'sponsorblock_remove'):
            values[name] = tuple(values.get(name) or ())
        request = cls(**values)
        request._check()
        return request

    def _check(self) -> None:
        if not self.url.lower().startswith(('http://', 'https://')):
            raise bad('the URL must begin with http:// or https://')
        if SMUGGLED in urllib.parse.unquote(self.url):
            raise bad('the URL carries instructions for yt-dlp')
        if not os.path.isabs(self.work_dir):
            raise bad('work_dir must be absolute')
        inside = os.path.join(os.path.realpath(self.work_dir), '')
        if self.cookies_file and not os.path.realpath(self.cookies_file).startswith(inside):
            raise bad('the cookie file must lie in the work folder')
        one_of('container', self.container, CONTAINERS)
        one_of('audio_format', self.audio_format, AUDIO_FORMATS)
        one_of('subtitle_format', self.subtitle_format, SUBTITLE_FORMATS)
        one_of('thumbnail_format', self.thumbnail_format, THUMBNAIL_FORMATS)
        if self.audio_quality and not re.fullmatch(r'\d{1,3}', self.audio_quality):
            raise bad('audio_quality must be a number of kbit/s, or 0 to 10')
        for language in self.subtitle_languages:
            if not LANGUAGE.fullmatch(language):
                raise bad(f'{language!r} is not a language code')
        for category in self.sponsorblock_mark:
            one_of('sponsorblock_mark', category, SPONSORBLOCK_MARKS)
        for category in self.sponsorblock_remove:
            one_of('sponsorblock_remove', category, SPONSORBLOCK)
        if self.sponsorblock_api and not self.sponsorblock_api.startswith(('http://', 'https://')):
            raise bad('sponsorblock_api must begin with http:// or https://')
        if self.geo_bypass_country and not re.fullmatch(r'[A-Za-z]{2}', self.geo_bypass_country):
            raise bad('geo_bypass_country must have two letters')
        if not 0 <= self.sleep_interval <= 60:
            raise bad('sleep_interval must be 0 to 60 seconds')
        if self.pot_provider and not self.pot_provider.startswith('http://'):
            raise bad('pot_provider must begin with http://')
        for time in (self.section_start, self.section_end):
            if time is not None and not 0 <= time < 1e7:
                raise bad('a section is given in seconds')
        if self.section_end is not None and self.section_end <= (self.section_start or 0):
            raise bad('a section must end after it begins')

    @property
    def has_section(self) -> bool:
        return self.section_start is not None or self.section_end is not None or bool(self.section_chapter)


def one_of(name: str, value: str, allowed: frozenset[str]) -> None:
    if value and value not in allowed:
        raise bad(f'{name} must be one of {", ".join(sorted(allowed))}')


def bad(message: str) -> EngineError:
    return EngineError('invalid', 'bad_request', message)
