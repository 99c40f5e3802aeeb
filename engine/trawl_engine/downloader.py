"""yt-dlp cut into stages: choose, fetch, stop at the barrier, post-process."""

from __future__ import annotations

import contextlib
import itertools
import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

import yt_dlp
from yt_dlp.downloader import get_suitable_downloader
from yt_dlp.downloader.external import FFmpegFD
from yt_dlp.networking import Request as WebRequest
from yt_dlp.networking.exceptions import HTTPError, RequestError, TransportError
from yt_dlp.utils import PostProcessingError

from . import captions, files, limits, live, options, outward, plan, postprocessors, progress, promise, sections, sponsorblock, thumbnails
from .errors import EngineError
from .listing import PLAYLISTS
from .request import Request
from .thumbnails import Thumbnail

# Steps whose failure costs a decoration, not the download.
DECORATIONS = frozenset(('EmbedThumbnail', 'ThumbnailsConvertor'))
WATCH_INTERVAL = 1.0
MAX_MANIFEST = 4 << 20


class Downloader(yt_dlp.YoutubeDL):
    """One request. `barrier` is called when every part is there and before any is changed; `keep`
    before that, when parts were promised, and returns when the server has brought them."""

    def __init__(self, request: Request, template: yt_dlp.YoutubeDL, ffmpeg: str, emit: Callable[[dict[str, Any]], None],
                 keep: Callable[[], None], barrier: Callable[[], None]) -> None:
        self._request = request
        self._emit = emit
        self._keep = keep
        self._barrier = barrier
        self._native = False
        self._promised: list[tuple[str, dict[str, Any]]] = []
        self._thumbnail: Thumbnail | None = None
        self._single = False
        self.recording = live.Recording()
        self._stations = live.Stations()
        self._transferred = False
        self._progress: progress.Progress | None = None
        outward_params = {'impersonate': outward.target(request.impersonate, template)}
        try:
            super().__init__({**options.parameters(request, ffmpeg), **outward_params, 'logger': Logger(emit)}, auto_init=False)
        except SyntaxError as error:
            raise EngineError('invalid', 'bad_format_selector', f'the format selector is not valid: {error.msg}') from None
        self._ies = dict(template._ies)
        for step in options.postprocessors(request):
            self.add_post_processor(postprocessors.make(self, step))
        self.add_progress_hook(lambda status: self._progress and self._progress.hook(status))

    def resolve(self) -> dict[str, Any]:
        with limits.thinking():
            info = self._choose()
        if not info:
            raise EngineError('unsupported', 'no_media_found', 'there is no media at this URL')
        if self._request.transcript_only and not info.get('requested_subtitles'):
            raise EngineError('not_found', 'no_subtitles', captions.none_of(self._request.subtitle_languages, info))
        if self._request.has_section:
            sections.cut(info, self._request, self._text_of)
        if self._request.sponsorblock_mark or self._request.sponsorblock_remove:
            sponsorblock.look_up(self, info, self._request)
        if not self._request.transcript_only and self._request.max_bytes and plan.exact_size(info) > self._request.max_bytes:
            raise progress.too_large(self._request.max_bytes)
        return info

    def _text_of(self, chosen: dict[str, Any]) -> str:
        """What is behind the URL of a format; empty when it cannot be read, which the transfer will tell better."""
        try:
            return self.urlopen(WebRequest(chosen['url'], headers=chosen.get('http_headers') or {})).read(MAX_MANIFEST).decode(errors='replace')
        except RequestError:
            return ''

    def _choose(self) -> dict[str, Any] | None:
        """The medium of the request. An entry of a playlist takes with it what its listing said (listing.describe_entry)."""
        target, playlist = self._request.entry.get('target') or {}, self._request.entry.get('playlist') or {}
        url = str(target.get('url') or self._request.url)
        ie_key = target.get('ie_key') if target.get('ie_key') in self._ies else None
        if not target.get('fields'):
            return self.extract_info(url, download=False, ie_key=ie_key, extra_info=playlist)
        outer = {**target['fields'], '_type': 'url_transparent', 'url': url, 'ie_key': ie_key}
        return self.process_ie_result(outer, download=False, extra_info=playlist)

    def fetch_and_finish(self, info: dict[str, Any], transferred: bool, native: bool) -> list[dict[str, str]]:
        """Goes through yt-dlp's own path for a chosen download; the barrier lies in the middle of it."""
        self._transferred = transferred
        self._native = native
        self._single = not info.get('requested_formats')
        if transferred:
            self.params['overwrites'] = False
            files.bring_back_fetched()
        self._progress = progress.Progress(plan.sizes(info), self._request.max_bytes, self._emit)
        limits.limit_files(self._request.max_bytes)
        self.process_info(info)
        if self._request.transcript_only:
            self._finish_without_media(info)
        self._raise_pending_errors(info)
        if not self._transferred or not (info.get('filepath') or self._request.transcript_only):
            raise EngineError('unavailable', 'download_failed', 'yt-dlp ended without a file')
        return files.produced(info, self._request)

    def process_ie_result(self, ie_result: dict[str, Any], download: bool = True, extra_info: dict[str, Any] | None = None) -> Any:
        if ie_result.get('_type', 'video') not in PLAYLISTS:
            return super().process_ie_result(ie_result, download, extra_info)
        target = self._request.entry.get('target') or {}
        entries = ie_result.get('entries')
        entry = numbered_entry(entries, target['item'], target.get('item_id')) if target.get('item') else only_entry(entries)
        page = {key: ie_result[key] for key in ('extractor', 'extractor_key', 'webpage_url', 'original_url', 'webpage_url_basename',
                                                'webpage_url_domain') if ie_result.get(key)}
        return self.process_ie_result(dict(entry), download, {**page, **(extra_info or {})})

    def _select_formats(self, formats: Any, selector: Any) -> Any:
        chosen = super()._select_formats(formats, selector)
        if len(chosen) > 1:
            raise EngineError('invalid', 'bad_format_selector',
                              f'the format selector asks for {len(chosen)} files; join them with + or give alternatives with /')
        return chosen

    def _finish_without_media(self, info: dict[str, Any]) -> None:
        """yt-dlp ends where there is nothing to download; what came with it is still to be made ready."""
        info.update(self.post_process('', info, info.get('__files_to_move')))

    def process_video_result(self, info_dict: dict[str, Any], download: bool = True) -> Any:
        live.settle_status(info_dict, lambda one: self.urlopen(WebRequest(one['url'], headers=one.get('http_headers') or {})).read(),
                           self._stations)
        if self._request.live_from_start:
            live.begin_at_start(info_dict)
        return super().process_video_result(info_dict, download)

    def process_subtitles(self, video_id: str, normal_subtitles: Any, automatic_captions: Any) -> Any:
        languages = self._request.subtitle_languages
        if not languages:
            return None
        manual, automatic = captions.choose(languages, normal_subtitles if self.params['writesubtitles'] else {},
                                            automatic_captions if self.params['writeautomaticsub'] else {},
                                            self._request.translated_subtitles)
        return super().process_subtitles(video_id, manual, automatic)

    def _forceprint(self, key: str, info_dict: dict[str, Any]) -> dict[str, Any]:
        """Nothing is printed here; without this every step renders all formats as a table first."""
        return dict(info_dict)

    def _write_info_json(self, label: str, ie_result: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Without cookies: the file is published, and who may read it need not be who may log in."""
        return super()._write_info_json(label, without_cookies(ie_result), *args, **kwargs)

    def dl(self, name: str, info: dict[str, Any], subtitle: bool = False, test: bool = False) -> tuple[bool, bool]:
        """The second value says that the file is fresh, which is what makes yt-dlp's fix-ups look at it."""
        if test:
            return super().dl(name, info, subtitle, test)
        outward.check_protocol(info)
        if self._transferred:
            if not os.path.isfile(name):
                raise EngineError('unavailable', 'parts_missing', f'{name} is not there any more; transfer again')
            return True, True
        if self._native and self._dl_natively(name, info, subtitle):
            return True, True
        recorded = live.is_live(info) and not subtitle
        with self._by_ffmpeg(recorded and live.comes_by_ffmpeg(info)), self._watching(name, info), \
                self.recording.running() if recorded else contextlib.nullcontext():
            success, _ = self._dl_from_where_it_was(name, info, subtitle)
        if not success and not subtitle:
            raise self._why_not(name)
        return success, True

    def _dl_from_where_it_was(self, name: str, info: dict[str, Any], subtitle: bool) -> tuple[bool, bool]:
        """A process that was killed when the last byte had come leaves nothing to resume. yt-dlp means to ask for the
        whole file then, but sends the refused range along (its requests share their headers)."""
        try:
            return super().dl(name, info, subtitle)
        except HTTPError as error:
            part = f'{name}.part'
            if error.status != 416 or not os.path.isfile(part):
                raise
            os.remove(part)
            self.to_screen(f'[download] {name} cannot be resumed and begins anew')
            return super().dl(name, info, subtitle)

    def promise(self, name: str, info: dict[str, Any]) -> None:
        """Called by the downloader that stands for the server. yt-dlp goes on as if the file were there."""
        final = self._single and options.is_final(self._request, info)
        part = promise.make(name, info, self.params, self.cookiejar, lambda url: self.urlopen(url).read(), final=final)
        self._send_promise(part)
        self._promised.append((name, info))
        if self._progress:
            self._progress.leave_out(part['format_id'])

    def _send_promise(self, part: dict[str, Any]) -> None:
        for message in promise.messages(part):
            self._emit(message)

    def _dl_natively(self, name: str, info: dict[str, Any], subtitle: bool) -> bool:
        """False when yt-dlp has to download it itself after all."""
        reason = promise.obstacle(info, self.params, subtitle) or ('' if os.path.basename(name) == name else 'its name is no file name')
        params = self.params
        if not reason:
            self.params = {**params, 'external_downloader': promise.NAME}
            try:
                with limits.thinking():
                    if super().dl(name, info, subtitle)[0]:
                        return True
                reason = 'its manifest cannot be used'
            except promise.Unmappable as error:
                reason = str(error)
            finally:
                self.params = params
        self.to_screen(f'[download] {name} is downloaded by yt-dlp itself: {reason}')
        return False

    def _settle(self) -> None:
        """Waits until the promises are kept, and tells yt-dlp's hooks."""
        if not self._promised and not self._thumbnail:
            return
        self._keep()
        for name, info in self._promised:
            if not os.path.isfile(name):
                raise EngineError('unavailable', 'parts_missing', f'{name} was promised and is not there')
            size = os.path.getsize(name)
            for hook in self._progress_hooks:
                hook({'status': 'finished', 'filename': name, 'downloaded_bytes': size, 'total_bytes': size, 'info_dict': info})

    def _write_thumbnails(self, label: str, info_dict: dict[str, Any], filename: str, thumb_filename_base: str | None = None) -> Any:
        found = thumbnails.best(info_dict, filename, self.params) if self._native and not self._transferred else None
        if found is None or self.existing_file([found.name]) or promise.obstacle(found.request, self.params):
            return super()._write_thumbnails(label, info_dict, filename, thumb_filename_base)
        self._send_promise(promise.make(found.name, {**found.request, 'http_headers': self._calc_headers(dict(found.request))}, self.params,
                                        self.cookiejar, bytes, optional=True))
        self._thumbnail = found
        found.entry['filepath'] = found.name
        return [(found.name, found.name)]

    def _settle_thumbnail(self, files_to_move: dict[str, str]) -> None:
        """The server may have found that there is none: then yt-dlp tries the others."""
        found, self._thumbnail = self._thumbnail, None
        if found is None or os.path.isfile(found.name):
            return
        self.report_warning('the thumbnail could not be fetched; trying another')
        files_to_move.pop(found.name, None)
        found.give_up()
        files_to_move.update(super()._write_thumbnails('video', found.info, found.media_name) or ())

    def urlopen(self, req: Any) -> Any:
        if self._transferred:
            raise TransportError('nothing is fetched after the transfer')
        response = super().urlopen(outward.through_the_proxy(req))
        self._stations.look_at(req if isinstance(req, str) else req.url, response)
        return response

    def post_process(self, filename: str, info: dict[str, Any], files_to_move: dict[str, str] | None = None) -> dict[str, Any]:
        files_to_move = {} if files_to_move is None else files_to_move
        self._settle()
        self._settle_thumbnail(files_to_move)
        for part in info.get('__files_to_merge') or filter(None, [filename]):
            files.check_media(part)
        if not self._transferred:
            self._transferred = True
            if info.get('cut_afterwards') or self._request.sponsorblock_remove:
                files.keep_fetched()
            self._barrier()
        limits.lift()
        return super().post_process(filename, info, files_to_move)

    def run_pp(self, pp: Any, infodict: dict[str, Any]) -> dict[str, Any]:
        self._emit({'event': 'step', 'name': pp.pp_key()})
        try:
            return super().run_pp(pp, infodict)
        except PostProcessingError as error:
            if pp.pp_key() not in DECORATIONS:
                raise
            self.report_warning(f'{pp.pp_key()}: {error}')
            return infodict

    def _why_not(self, name: str) -> EngineError:
        limit = self._request.max_bytes
        grown = max((os.path.getsize(path) for path in (name, f'{name}.part') if os.path.exists(path)), default=0)
        if limit and (grown >= limit or self.params['logger'].said('larger than max-filesize')):
            return progress.too_large(limit)
        return EngineError('unavailable', 'download_failed', self.params['logger'].last_error or 'the download failed')

    @contextlib.contextmanager
    def _by_ffmpeg(self, wanted: bool) -> Iterator[None]:
        params = self.params
        if wanted:
            # Written as it comes: some stations take a minute to fill a buffer.
            self.params = {**params, 'external_downloader': 'ffmpeg',
                           'external_downloader_args': {**params['external_downloader_args'], 'ffmpeg_o': ['-flush_packets', '1']}}
        try:
            yield
        finally:
            self.params = params

    @contextlib.contextmanager
    def _watching(self, name: str, info: dict[str, Any]) -> Iterator[None]:
        """ffmpeg as a downloader has no progress hooks: watch its file grow."""
        tracker, part = self._progress, info.get('format_id')
        if tracker is None or not part or get_suitable_downloader(dict(info), self.params) is not FFmpegFD:
            yield
            return
        done = threading.Event()

        def watch() -> None:
            size = 0
            while not done.wait(WATCH_INTERVAL):
                with contextlib.suppress(OSError, EngineError):
                    grown = os.path.getsize(f'{name}.part')
                    if grown > size:
                        size = grown
                        tracker.file_size(part, size)
        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            done.set()
            watcher.join()


def without_cookies(value: Any) -> Any:
    """The same info dict without what formats and headers hold of cookies."""
    if isinstance(value, dict):
        return {key: without_cookies(one) for key, one in value.items() if str(key).lower() not in ('cookies', 'cookie')}
    return [without_cookies(one) for one in value] if isinstance(value, list) else value


class Logger:
    """yt-dlp's logger: debug() also gets what it would print."""

    def __init__(self, emit: Callable[[dict[str, Any]], None]) -> None:
        self._emit = emit
        self._recent = ''
        self.last_error = ''

    def debug(self, message: str) -> None:
        self._log('debug' if message.startswith('[debug]') else 'info', message)

    def info(self, message: str) -> None:
        self._log('info', message)

    def warning(self, message: str) -> None:
        self._log('warn', message)

    def error(self, message: str) -> None:
        if message.strip():
            self.last_error = message
            self._log('error', message)

    def said(self, text: str) -> bool:
        return text in self._recent

    def _log(self, level: str, message: str) -> None:
        self._recent = (self._recent + message)[-4096:]
        self._emit({'event': 'log', 'level': level, 'message': message.strip()[:2000]})


def only_entry(entries: Any) -> dict[str, Any]:
    """The entry of a page with one medium. Looks at no more than it must: channels page through thousands."""
    found = entries.getslice(0, 2) if hasattr(entries, 'getslice') else entries or []
    first = [entry for entry in itertools.islice(found, 2) if entry]
    if not first:
        raise EngineError('unsupported', 'no_media_found', 'there is no media at this URL')
    if len(first) > 1:
        raise EngineError('unsupported', 'is_a_playlist', 'this URL is a playlist; ask for it as a batch, or for one of its entries')
    return first[0]


def numbered_entry(entries: Any, number: int, wanted_id: str | None) -> dict[str, Any]:
    """The entry of that id, which may have moved since the page was listed; without ids the one at that place."""
    at_place = None
    for position, entry in enumerate(entries or (), 1):
        if entry and wanted_id and str(entry.get('id')) == wanted_id:
            return entry
        if position == number:
            at_place = entry
    if not at_place or (wanted_id and at_place.get('id')):
        raise EngineError('not_found', 'entry_gone', 'the page does not list this entry any more')
    return at_place
