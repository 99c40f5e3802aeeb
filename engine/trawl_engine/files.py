"""Looks at the files of a download: what came in, and what goes out."""

from __future__ import annotations

import os
import re
import shutil
from typing import Any

from .errors import EngineError
from .request import Request

AUDIO = frozenset(('aac', 'ac3', 'aif', 'aiff', 'alac', 'ape', 'dts', 'f4a', 'flac', 'm4a', 'm4b', 'mka', 'mp2', 'mp3', 'mpga',
                   'oga', 'ogg', 'opus', 'spx', 'vorbis', 'wav', 'weba', 'wma'))
VIDEO = frozenset(('3g2', '3gp', 'asf', 'avi', 'divx', 'f4v', 'flv', 'm2ts', 'm4v', 'mk3d', 'mkv', 'mov', 'mp4', 'mpeg', 'mpg',
                   'ogv', 'ts', 'webm', 'wmv', 'gif'))
SUBTITLE = frozenset(('ass', 'dfxp', 'json', 'json3', 'lrc', 'sami', 'sbv', 'scc', 'srt', 'srv1', 'srv2', 'srv3', 'ssa', 'tt', 'ttml',
                      'txt', 'vtt', 'xml'))
IMAGE = frozenset(('avif', 'bmp', 'gif', 'heic', 'jfif', 'jpeg', 'jpg', 'jxl', 'png', 'tif', 'tiff', 'webp'))
ALLOWED = {'video': VIDEO | AUDIO, 'audio': VIDEO | AUDIO, 'subtitle': SUBTITLE, 'thumbnail': IMAGE, 'info': frozenset(('json',)),
           'chapter': VIDEO | AUDIO, 'transcript': frozenset(('txt',)), 'description': frozenset(('description',)), 'nfo': frozenset(('nfo',))}

FETCHED = 'fetched.'


def extension(name: str) -> str:
    return os.path.splitext(name)[1][1:].lower()


def check_media(path: str) -> None:
    """Refuses a file that ffmpeg would read as a list of other files: those names come from the site."""
    with open(path, 'rb') as file:
        head = file.read(4096).lstrip(b'\xef\xbb\xbf \t\r\n')
    if head.startswith((b'#EXTM3U', b'ffconcat', b'[playlist]', b'[reference]', b'v=0')) or b'<MPD' in head or b'<smil' in head.lower():
        raise EngineError('forbidden', 'unsafe_content', 'the file is a list of other files, not media')


def keep_fetched() -> None:
    """Copies what came in. A file that is cut would otherwise be cut again when the steps are repeated after a crash; every
    other step may be done twice. A second name would cost less, but nothing that has one is published."""
    for name in os.listdir():
        if name.startswith('media.') and not name.endswith('.journal'):
            shutil.copyfile(name, FETCHED + name)


def bring_back_fetched() -> None:
    """Undoes what an earlier attempt made of them, if they were kept."""
    kept = [name for name in os.listdir() if name.startswith(FETCHED)]
    if not kept:
        return
    for name in os.listdir():
        if name.startswith('media.'):
            os.remove(name)
    for name in kept:
        shutil.copyfile(name, name.removeprefix(FETCHED))


def produced(info: dict[str, Any], request: Request) -> list[dict[str, str]]:
    """The files to keep, and the check that each may be served under its extension. The rest is left-overs."""
    found: list[tuple[str, str | None, str]] = []  # Kind, path, language.
    main = None if request.transcript_only else info['filepath']
    if main:
        found.append(('audio' if is_audio(info, request) else 'video', main, ''))
    if request.split_chapters:
        found += [('chapter', titled(number, chapter), '') for number, chapter in enumerate(info.get('chapters') or [], 1)]
    for language, track in (info.get('requested_subtitles') or {}).items():
        if request.write_subtitles:
            found.append(('subtitle', track.get('filepath'), language))
    found += [('transcript', path, language) for language, path in (info.get('transcripts') or {}).items()]
    if request.write_thumbnail or request.all_thumbnails:
        found += [('thumbnail', thumbnail.get('filepath'), '') for thumbnail in info.get('thumbnails') or []]
    if request.write_info_json:
        found.append(('info', info.get('infojson_filename') or 'media.info.json', ''))
    if request.write_description:
        found.append(('description', 'media.description', ''))
    if request.write_nfo:
        found.append(('nfo', 'media.nfo', ''))
    return [{'kind': kind, 'name': checked(kind, path), 'language': language}
            for kind, path, language in found if path and (path == main or os.path.exists(path))]


def titled(number: int, chapter: dict[str, Any]) -> str | None:
    """The file of a chapter, under a name that has its title: names of stored files come from it."""
    path = chapter.get('filepath')
    if not path or not os.path.exists(path):
        return None
    title = re.sub(r'[/\x00-\x1f\x7f]', '_', str(chapter.get('title') or '')).encode('utf-8', 'replace')[:120].decode('utf-8', 'ignore')
    name = f'media.{number:03} {title}'.rstrip(' .') + f'.{extension(path)}'
    os.rename(path, name)
    return name


def is_audio(info: dict[str, Any], request: Request) -> bool:
    return bool(request.audio_format) or info.get('vcodec') == 'none' or extension(info['filepath']) in AUDIO


def checked(kind: str, path: str) -> str:
    name = os.path.basename(path)
    if not os.path.isfile(path) or os.path.islink(path):
        raise EngineError('internal', 'file_missing', f'{name} was not made')
    if extension(name) not in ALLOWED[kind]:
        raise EngineError('forbidden', 'unsafe_extension', f'a file ending in .{extension(name)} is not kept')
    return name
