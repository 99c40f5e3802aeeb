"""Native transfer: which downloads the server makes itself, and what it is told about them."""

from __future__ import annotations

import re
import struct
import urllib.parse
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from yt_dlp.downloader import external
from yt_dlp.networking import Request
from yt_dlp.utils import determine_protocol, sanitize_url

from .errors import EngineError

NAME = 'trawl'
DIRECT = frozenset(('http', 'https'))
HLS = frozenset(('m3u8', 'm3u8_native'))
DASH = 'http_dash_segments'

# Options that the transfer of the server does not have.
UNMAPPED = ('impersonate', 'test', 'nocheckcertificate', 'legacyserverconnect', 'client_certificate', 'source_address',
            'external_downloader')
# The ffmpeg ones are for yt-dlp's ffmpeg downloader alone, which nothing native would have used.
DOWNLOADER_OPTIONS = frozenset(('http_chunk_size', 'ffmpeg_args', 'ffmpeg_args_out'))
# What the connection decides, and cookies, which go with their scope.
CONNECTION_HEADERS = frozenset(('cookie', 'host', 'connection', 'content-length', 'transfer-encoding', 'accept-encoding', 'te',
                                'upgrade', 'expect'))

MAX_SIZE = 1 << 53
MAX_SEGMENTS = 100_000  # Of one part.
TOO_MANY_SEGMENTS = 500_000  # Neither we nor yt-dlp should try: eleven days of two seconds each.
MAX_URL = 32 << 10
MAX_PART = 32 << 20
MESSAGE = 4 << 20  # Where a part is cut into several messages; they may be larger by what escapes take.


class Unmappable(Exception):
    """What yt-dlp found in the manifest has no place in a promise; yt-dlp downloads it itself."""


def obstacle(info: dict[str, Any], params: dict[str, Any], subtitle: bool = False) -> str:
    """Why yt-dlp has to download this itself; empty when the server can."""
    protocol = determine_protocol(info)
    if info.get('is_live') or info.get('is_from_start'):
        return 'it is live'
    if info.get('section_start') or info.get('section_end'):
        return 'only a section is asked for'
    if info.get('has_drm'):
        return 'it is marked as DRM protected'
    if info.get('impersonate') is not None:
        return 'it asks for the impersonation of a browser'
    if option := next((name for name in UNMAPPED if params.get(name)), None):
        return f'the option {option} is set'
    if info.get('request_data') is not None:
        return 'it is fetched with POST'
    options = info.get('downloader_options') or {}
    if unknown := next((name for name in options if name not in DOWNLOADER_OPTIONS), None):
        return f'it has the downloader option {unknown}'
    if not 0 <= whole(options.get('http_chunk_size') or 0, -1) <= MAX_SIZE:
        return 'its chunk size is no number of bytes'
    return _headers_obstacle(info.get('http_headers') or {}) or _protocol_obstacle(protocol, info, params, subtitle)


def _headers_obstacle(headers: dict[str, Any]) -> str:
    for name, value in headers.items():
        if name.lower() == 'range' or name.lower().startswith('ytdl-'):
            return f'it has the header {name}'
        if not re.fullmatch(r"[\w!#$%&'*+.^`|~-]+", name, re.ASCII) or re.search(r'[\x00-\x1f\x7f]', str(value)):
            return 'it has a header that is not valid'
    return ''


def _protocol_obstacle(protocol: str, info: dict[str, Any], params: dict[str, Any], subtitle: bool) -> str:
    if protocol in DIRECT:
        return _url_obstacle(info['url'])
    if protocol not in HLS and protocol != DASH:
        return f'its protocol is {protocol}'
    if subtitle or info.get('ext') == 'vtt':
        return 'subtitles in segments have to be joined'
    if protocol == 'm3u8' and not params.get('hls_prefer_native'):
        return 'ffmpeg is to download it'
    if protocol == DASH and not isinstance(info.get('fragments'), list):
        return 'its fragments come one by one'
    return ''


def _url_obstacle(url: str) -> str:
    try:
        parts = urllib.parse.urlsplit(url)
    except ValueError:
        return 'its URL is not valid'
    if parts.scheme.lower() not in DIRECT:
        return f'its URL begins with {parts.scheme}:'
    if '@' in parts.netloc:
        return 'its URL has a password'
    return 'its URL is too long' if len(url) > MAX_URL else ''


class PromiseFD(external.ExternalFD):
    """Stands where yt-dlp would start an external downloader. HlsFD and DashSegmentsFD hand it their lists."""

    SUPPORTED_PROTOCOLS = ('http', 'https', 'm3u8_frag_urls', 'dash_frag_urls')

    @classmethod
    def get_basename(cls) -> str:
        return NAME

    @classmethod
    def available(cls, path: str | None = None) -> bool:
        return True

    @classmethod
    def supports(cls, info_dict: dict[str, Any]) -> bool:
        """HlsFD has applied hls_aes and the extra parameters to its list already; the original refuses them."""
        return info_dict['protocol'] in cls.SUPPORTED_PROTOCOLS

    @staticmethod
    def supports_manifest(manifest: str) -> bool:
        return True

    def real_download(self, filename: str, info_dict: dict[str, Any]) -> bool:
        self.ydl.promise(filename, info_dict)
        return True


external._BY_NAME[NAME] = PromiseFD


def make(name: str, info: dict[str, Any], params: dict[str, Any], cookiejar: Any, fetch: Callable[[str], bytes], optional: bool = False,
         final: bool = False) -> dict[str, Any]:
    """The part: media::Part of the server. `info` is what the downloader was given, with its fragments."""
    part = {
        'name': name,
        'format_id': str(info.get('format_id') or ''),
        'headers': {key: str(value) for key, value in (info.get('http_headers') or {}).items() if key.lower() not in CONNECTION_HEADERS},
        'cookies': [],
        'url': '',
        'size': size if 0 < (size := whole(info.get('filesize'), 0)) <= MAX_SIZE else None,
        'chunk_size': 0,
        'segments': [],
        'small': not info.get('format_id'),  # Subtitles and pictures are no formats.
        'optional': optional,
        'digest': final,
    }
    if determine_protocol(info) in DIRECT:
        part['url'] = address(info['url'])
        part['chunk_size'] = whole(params.get('http_chunk_size') or (info.get('downloader_options') or {}).get('http_chunk_size'), 0)
    else:
        part['segments'] = segments(info['fragments'], (info.get('hls_aes') or {}).get('uri') or '', fetch)
    part['cookies'] = cookies(cookiejar, hosts(part))
    return part


def whole(number: Any, otherwise: int) -> int:
    try:
        return int(number)
    except (TypeError, ValueError, OverflowError):
        return otherwise


def segments(fragments: list[dict[str, Any]], key_url: str, fetch: Callable[[str], bytes]) -> list[dict[str, Any]]:
    if len(fragments) > TOO_MANY_SEGMENTS:
        raise EngineError('too_large', 'too_many_segments', f'it has {len(fragments)} segments')
    if not 0 < len(fragments) <= MAX_SEGMENTS:
        raise Unmappable(f'it has {len(fragments)} segments')
    keys: dict[str, str] = {}

    def key_of(url: str) -> dict[str, str]:
        if url.lower().startswith('data:'):
            if url not in keys:
                keys[url] = hexadecimal(fetch(url), 'key')
            return {'key': keys[url]}
        return {'key_url': address(url)}

    found = []
    size = 0
    for fragment in fragments:
        segment = {'url': address(fragment['url']), **byte_range(fragment.get('byte_range'))}
        encryption = fragment.get('decrypt_info') or {'METHOD': 'NONE'}
        if encryption['METHOD'] == 'AES-128':
            given = encryption.get('KEY')
            segment |= {'key': hexadecimal(given, 'key')} if given else key_of(key_url or encryption['URI'])
            segment['iv'] = hexadecimal(encryption.get('IV') or struct.pack('>8xq', fragment['media_sequence']), 'IV')
        elif encryption['METHOD'] != 'NONE':
            raise Unmappable(f'it is encrypted with {encryption["METHOD"]}')
        size += weight(segment)
        if size > MAX_PART:
            raise Unmappable('its list of segments is too long')
        found.append(segment)
    return found


def address(url: str) -> str:
    """The URL as yt-dlp would ask for it."""
    if reason := _url_obstacle(url):
        raise Unmappable(reason)
    return Request(sanitize_url(url)).url


def byte_range(given: dict[str, int] | None) -> dict[str, Any]:
    if not given:
        return {}
    if not 0 <= given['start'] < given['end']:
        raise Unmappable('it has an empty byte range')
    return {'range': {'first': given['start'], 'last': given['end'] - 1}}


def hexadecimal(value: bytes, what: str) -> str:
    if len(value) != 16:
        raise Unmappable(f'it has an {what} of {len(value)} bytes')
    return value.hex()


def weight(segment: dict[str, Any]) -> int:
    return len(segment['url']) + len(segment.get('key_url', '')) + 160


def hosts(part: dict[str, Any]) -> set[str]:
    urls = {part['url']} if part['url'] else {url for segment in part['segments'] for url in (segment['url'], segment.get('key_url')) if url}
    return {urllib.parse.urlsplit(url).hostname or '' for url in urls}


def cookies(cookiejar: Iterable[Any], wanted: set[str]) -> list[dict[str, Any]]:
    """The cookies that could go to one of the hosts, with the scope they were set for."""
    found = []
    for cookie in cookiejar:
        domain = cookie.domain.lower().removeprefix('.')
        host_only = not cookie.domain.startswith('.') or is_address(domain)
        # The jar keeps those of a host without a dot under "<host>.local".
        plain = domain.removesuffix('.local')
        if '.' not in plain and plain in wanted:
            domain, host_only = plain, True
        elif not any(host == domain or (not host_only and host.endswith(f'.{domain}')) for host in wanted):
            continue
        if not cookie.is_expired() and not cookie.port_specified:
            found.append({'name': cookie.name, 'value': cookie.value or '', 'domain': domain, 'host_only': host_only,
                          'path': cookie.path or '/', 'secure': bool(cookie.secure)})
    return found


def is_address(host: str) -> bool:
    return ':' in host or re.fullmatch(r'\d+(\.\d+){3}', host) is not None


def messages(part: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The part as messages; those after the first carry only more segments."""
    batch: list[dict[str, Any]] = []
    size = 0
    head = part
    for segment in part['segments']:
        if size > MESSAGE:
            yield {'event': 'promise', 'part': {**head, 'segments': batch}, 'more': True}
            head, batch, size = {'name': part['name']}, [], 0
        batch.append(segment)
        size += weight(segment)
    yield {'event': 'promise', 'part': {**head, 'segments': batch}, 'more': False}
