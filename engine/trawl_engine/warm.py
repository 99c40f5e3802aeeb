"""Loads yt-dlp and runs it once, so that a forked child finds everything imported, compiled and cached."""

from __future__ import annotations

import _strptime
import dataclasses
import functools
import http.server
import os
import platform
import re
import ssl
import sys
import tempfile
import threading
import traceback
from typing import Any

OLDEST = '2025.04.30'


class Unusable(Exception):
    """yt-dlp cannot be used; the message says what to do."""


@dataclasses.dataclass(frozen=True)
class Warm:
    template: Any  # A YoutubeDL with every extractor.
    versions: dict[str, Any]
    ffmpeg: str
    search_path: str


def warm_up(config: dict[str, Any]) -> Warm:
    widen_caches()
    template = load(config)
    from . import outward, remux  # They import yt-dlp, so not before it is known which.
    outward.keep_credentials_at_their_origin()
    share_ssl_contexts(config.get('ca_file') or '')
    if config['remux']:
        remux.take_over(config['remux'])
    warmed = Warm(template=template, versions=versions(template), ffmpeg=config['ffmpeg'], search_path=os.environ.get('PATH', ''))
    for extractor in template._ies.values():
        extractor.suitable('http://127.0.0.1/media.mp4')  # Compiles its pattern.
    try:
        rehearse(warmed)
    except Exception:  # Children are slower then, and right all the same.
        print('the rehearsal failed:', file=sys.stderr)
        traceback.print_exc()
    return warmed


def widen_caches() -> None:
    """Dates are tried in 51 formats and the interpreter remembers five: 28 ms for each job, spent on compiling again."""
    for module, name in ((_strptime, '_CACHE_MAX_SIZE'), (re, '_MAXCACHE')):
        if hasattr(module, name):
            setattr(module, name, 4096)


def share_ssl_contexts(ca_file: str) -> None:
    """Reading the certificate authorities takes 20 ms and 4 MB: once, here, instead of in every child.
    `ca_file` has those that are trusted besides."""
    from yt_dlp.networking import common
    make = getattr(common, 'make_ssl_context', None)
    if make is None:
        if ca_file:
            raise Unusable('this yt-dlp cannot be told about transfer.ca_file')
        return

    def make_ssl_context(**options: Any) -> ssl.SSLContext:
        context = make(**options)
        if ca_file:
            context.load_verify_locations(ca_file)
        return context
    if ca_file:
        try:
            make_ssl_context()
        except OSError as error:
            raise Unusable(f'{ca_file} has no certificates that can be read (transfer.ca_file): {error}') from error
    common.make_ssl_context = functools.lru_cache(make_ssl_context)


def load(config: dict[str, Any]) -> Any:
    try:
        import yt_dlp
        from yt_dlp import globals as ytdlp_globals, plugins
    except ImportError as error:
        raise Unusable(f'yt-dlp cannot be loaded ({error}); install yt-dlp {OLDEST} or newer, or set engine.ytdlp_path') from error
    path = config['ytdlp_path']
    if path and not os.path.abspath(yt_dlp.__file__).startswith(os.path.join(os.path.abspath(path), '')):
        raise Unusable(f'there is no yt-dlp in {path}; engine.ytdlp_path must be a folder with yt_dlp in it, or its zip file')
    if yt_dlp.version.__version__ < OLDEST:
        raise Unusable(f'yt-dlp {yt_dlp.version.__version__} is too old; {OLDEST} or newer is needed')
    ytdlp_globals.plugin_dirs.value = list(config['plugin_dirs'])
    try:
        plugins.load_all_plugins()
    except ValueError as error:
        raise Unusable(str(error)) from error
    if config['ffmpeg']:
        from yt_dlp.postprocessor import FFmpegPostProcessor
        FFmpegPostProcessor._ffmpeg_location.set(config['ffmpeg'])
    from . import options, runtimes
    options.RUNTIMES.update(runtimes.parameters(runtimes.find()))
    params: dict[str, Any] = {**options.NEVER, **options.RUNTIMES, 'quiet': True, 'color': 'no_color'}
    if config['ffmpeg']:
        params['ffmpeg_location'] = config['ffmpeg']
    template = yt_dlp.YoutubeDL(params)
    if path and not open_to_others(path):
        load_everything(template)
    return template


def open_to_others(path: str) -> bool:
    """Whether a child, which may be a user of its own, can come to the file."""
    path = os.path.realpath(path)
    above = [path[:end] or '/' for end, letter in enumerate(path) if letter == '/']
    return bool(os.stat(path).st_mode & 0o004) and all(os.stat(folder).st_mode & 0o001 for folder in above)


def load_everything(template: Any) -> None:
    """What extractors are made of, which a child would read when it needs it."""
    for extractor in template._ies.values():
        getattr(extractor, 'real_class', None)


def versions(template: Any) -> dict[str, Any]:
    import yt_dlp
    from . import options, outward, runtimes
    from yt_dlp.postprocessor import FFmpegPostProcessor
    found, features = FFmpegPostProcessor.get_versions_and_features(template)  # Runs ffmpeg and ffprobe, and remembers what they said.
    # A step takes for granted that it has asked ffmpeg itself, which it has not where `trawl-remux` answered for ffprobe.
    FFmpegPostProcessor._features = features
    return {'ytdlp': yt_dlp.version.__version__, 'python': platform.python_version(), 'ffmpeg': str(found.get('ffmpeg') or ''),
            'impersonate': outward.targets(template), 'js_runtimes': list(options.RUNTIMES.get('js_runtimes', ())),
            'pot_providers': runtimes.providers()}


MEDIA = b'\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom' + bytes(4096)
PAGES = {
    '/media.mp4': ('video/mp4', MEDIA),
    '/page.html': ('text/html', b'<html><head><title>Page</title></head><body><video src="media.mp4"></video></body></html>'),
    '/media.m3u8': ('application/vnd.apple.mpegurl',
                    b'#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=100000,CODECS="avc1.42c00a,mp4a.40.2"\nlist.m3u8\n'),
    '/list.m3u8': ('application/vnd.apple.mpegurl',
                   b'#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nmedia.mp4\n#EXTINF:1,\nmedia.mp4\n#EXT-X-ENDLIST\n'),
    '/media.mpd': ('application/dash+xml', b'''<?xml version="1.0"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT2S"><Period duration="PT2S">
<AdaptationSet mimeType="video/mp4"><Representation id="v" bandwidth="1000" width="16" height="16" codecs="avc1.42c00a">
<SegmentTemplate timescale="1" duration="1" startNumber="1" initialization="media.mp4?i" media="media.mp4?$Number$"/></Representation>
</AdaptationSet><AdaptationSet mimeType="audio/mp4"><Representation id="a" bandwidth="1000" codecs="mp4a.40.2">
<SegmentTemplate timescale="1" duration="1" startNumber="1" initialization="media.mp4?i" media="media.mp4?$Number$"/></Representation>
</AdaptationSet></Period></MPD>'''),
}


class Site(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    timeout = 5

    def do_GET(self) -> None:
        kind, body = PAGES.get(self.path.partition('?')[0], ('text/plain', b''))
        self.send_response(200)
        self.send_header('Content-Type', kind)
        self.send_header('Content-Length', str(len(body)))
        self.send_header('Last-Modified', 'Thu, 01 Jan 2026 00:00:00 GMT')
        self.send_header('Connection', 'close')
        self.end_headers()
        if self.command == 'GET':
            self.wfile.write(body)
        self.close_connection = True

    do_HEAD = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        pass


def rehearse(warmed: Warm) -> None:
    """Downloads one of each kind from a site on loopback. Its thread has ended before anything forks."""
    site = http.server.HTTPServer(('127.0.0.1', 0), Site)
    thread = threading.Thread(target=site.serve_forever, kwargs={'poll_interval': 0.01})
    thread.start()
    back = os.getcwd()
    try:
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            try:
                for page in PAGES:
                    if page == '/list.m3u8':
                        continue
                    for native in (False, True):
                        rehearse_one(warmed, f'http://127.0.0.1:{site.server_port}{page}', folder, native)
            finally:
                os.chdir(back)
    finally:
        site.shutdown()
        thread.join()
        site.server_close()


def rehearse_one(warmed: Warm, url: str, folder: str, native: bool) -> None:
    from . import plan, wire
    from .downloader import Downloader
    from .request import Request
    for name in os.listdir(folder):
        os.unlink(os.path.join(folder, name))

    def barrier() -> None:
        raise wire.Suspended

    request = Request(url=url, work_dir=folder, retries=0)
    downloader = Downloader(request, warmed.template, warmed.ffmpeg, wire.encode, barrier, barrier)
    info = downloader.resolve()
    wire.encode(plan.make(downloader, info, request, warmed.versions['ytdlp']))
    try:
        downloader.fetch_and_finish(info, transferred=False, native=native)
    except wire.Suspended:
        pass
