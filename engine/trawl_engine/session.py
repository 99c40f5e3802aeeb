"""One child: reads its request, goes from stage to stage as it is told, and ends."""

from __future__ import annotations

import os
import tempfile
import traceback
from typing import Any

from . import errors, plan
from .downloader import Downloader
from .listing import Listing
from .request import Request
from .warm import Warm
from .wire import Channel

# The folder the process runs in, by a name that needs no way to it: the folders above belong to the
# server, and the child may have become a user who cannot pass them.
WORK = '/proc/self/cwd'
_utime = os.utime


def run(channel: Channel, warmed: Warm) -> None:
    """Raises wire.Suspended when the other side goes away, which it may do at any barrier."""
    begin = channel.receive()
    try:
        begin['request'] = in_place(begin['request'])
        files = _work(channel, warmed, begin)
        if files is not None:
            channel.send({'event': 'finished', 'files': files})
    except Exception as error:
        failure = errors.classify(error, WORK)
        if failure.reason == 'engine_error':
            traceback.print_exc()
        channel.send({'event': 'failed', 'error': {**failure.fields(), 'extractor': errors.extractor_of(error)}})


def _work(channel: Channel, warmed: Warm, begin: dict[str, Any]) -> list[dict[str, str]] | None:
    """The files that resulted; nothing when only a listing was asked for."""
    request = Request.parse(begin['request'])
    settle_in(warmed.search_path)

    def keep() -> None:
        channel.send({'event': 'promised'})
        expect(channel, 'kept')

    def barrier() -> None:
        channel.send({'event': 'transferred'})
        expect(channel, 'finish')

    downloader = Downloader(request, warmed.template, warmed.ffmpeg, channel.send, keep, barrier)
    downloader.recording.listen()
    if begin.get('plan'):
        info = plan.restore(downloader, begin['plan'])
    else:
        first = channel.receive()
        if first.get('command') == 'list':
            return _list(channel, downloader, request.url, first)
        check(first, 'resolve')
        info = downloader.resolve()
        channel.send({'event': 'resolved', 'plan': plan.make(downloader, info, request, warmed.versions['ytdlp'])})
    transferred = bool(begin.get('transferred'))
    command = expect(channel, 'finish' if transferred else 'transfer')
    return downloader.fetch_and_finish(info, transferred, native=bool(command.get('native')))


def _list(channel: Channel, downloader: Downloader, url: str, command: dict[str, Any]) -> None:
    downloader.params['noplaylist'] = False
    listing = Listing(downloader, url)
    last = False
    while not last:
        entries, last = listing.next_page(int(command.get('most') or 0))
        channel.send({'event': 'listed', 'playlist': listing.playlist, 'entries': entries, 'last': last})
        if not last:
            command = expect(channel, 'list')


def expect(channel: Channel, command: str) -> dict[str, Any]:
    return check(channel.receive(), command)


def check(message: dict[str, Any], command: str) -> dict[str, Any]:
    if message.get('command') != command:
        raise errors.EngineError('internal', 'engine_error', f'got the command {message.get("command")!r} instead of {command!r}')
    return message


def in_place(request: dict[str, Any]) -> dict[str, Any]:
    """The request with the names that the work folder's files have for this process."""
    inside = os.path.join(str(request.get('work_dir') or ''), '')
    cookies = str(request.get('cookies_file') or '')
    if cookies.startswith(inside):
        cookies = os.path.join(WORK, cookies.removeprefix(inside))
    return {**request, 'work_dir': WORK, 'cookies_file': cookies}


def settle_in(search_path: str) -> None:
    os.umask(0o077)
    os.environ.clear()
    os.environ.update(PATH=search_path, LANG='C.UTF-8', HOME=WORK, TMPDIR=WORK)
    tempfile.tempdir = None
    os.getcwd = lambda: WORK
    os.utime = utime


def utime(path: Any, times: Any = None, **options: Any) -> None:
    """By descriptor: by its path a file outside of the work folder could be meant, so the sandbox refuses that."""
    file = path if isinstance(path, int) else os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if times is not None or 'ns' not in options:
            _utime(file, times)
        else:
            _utime(file, ns=options['ns'])
    finally:
        if file is not path:
            os.close(file)
