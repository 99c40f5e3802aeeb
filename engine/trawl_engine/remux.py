"""Does what yt-dlp asks of ffmpeg with the helper `trawl-remux`, where no stream is decoded.

yt-dlp's steps call ffmpeg in one method. What they ask for there is read as a request for the helper if
every option of it is known; everything else, and all that the helper refuses, goes to ffmpeg as before.
So the streams, tags and chapters are those that yt-dlp chose, and a damaged file costs one small process.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Callable, Iterable
from typing import Any

from yt_dlp.postprocessor.ffmpeg import FFmpegPostProcessor

CONTAINERS = frozenset(('mp4', 'm4a', 'mov', 'mkv', 'webm'))
# The helper adds what ADTS needs by itself; an ID3 tag is no matter of these containers.
HARMLESS = frozenset((('-c', 'copy'), ('-acodec', 'copy'), ('-c:s', 'mov_text'), ('-write_id3v1', '1')))
TYPES = {'a': 'audio', 'v': 'video'}
PROBE_LIMIT = 30


class NeedsFfmpeg(Exception):
    """Why the helper cannot do this."""


def request_of(inputs: list[tuple[str, list[str]]], outputs: list[tuple[str, list[str]]]) -> dict[str, Any]:
    """Raises NeedsFfmpeg unless the helper can do exactly what these arguments ask of ffmpeg."""
    inputs = [(path, list(options)) for path, options in inputs if path]
    if len(outputs) != 1 or any(options for _, options in inputs):
        raise NeedsFfmpeg('options of an input, or several outputs')
    output, options = outputs[0]
    if not output:
        raise NeedsFfmpeg('nothing is to be written')
    request: dict[str, Any] = {'inputs': [_input(path) for path, _ in inputs], 'output': output, 'container': _extension(output),
                               'map': [], 'tags': [], 'faststart': True}
    reader = iter(options)
    given: set[tuple[str, str]] = set()
    for option in reader:
        if option == '-dn':
            request['drop_unknown'] = True
        elif option == '-ignore_unknown':
            pass
        elif option == '-vn':
            request['drop_video'] = True
        else:
            value = next(reader, '')
            given.add((option, value))
            _take(request, option, value)
    if ('-c', 'copy') not in given and not (('-acodec', 'copy') in given and request.get('drop_video')):
        raise NeedsFfmpeg('streams are to be converted')
    if request['container'] not in CONTAINERS:
        raise NeedsFfmpeg(f'the container is {request["container"]!r}')
    return request


def _take(request: dict[str, Any], option: str, value: str) -> None:
    name, _, specifier = option.partition(':')
    if option == '-map':
        request['map'].append(_selection(value))
    elif option == '-f' and value == 'mp4':
        request['container'] = value
    elif option == '-map_metadata' and value.isdecimal():
        request['tags_from'] = int(value)
    elif name == '-metadata':
        key, _, text = value.partition('=')
        request['tags'].append({'stream': _stream(specifier), 'key': key, 'value': text})
    elif name == '-bsf' and value == 'aac_adtstoasc' or (option, value) in HARMLESS:
        pass
    else:
        raise NeedsFfmpeg(f'the option {option} {value}')


def _input(path: str) -> dict[str, str]:
    return {'path': path, 'format': 'ffmetadata' if _extension(path) == 'meta' else ''}


def _extension(path: str) -> str:
    return os.path.splitext(path)[1][1:].lower()


def _selection(value: str) -> dict[str, Any]:
    number, *rest = value.split(':')
    if not number.isdecimal() or (rest and (len(rest) != 2 or rest[0] not in TYPES or not rest[1].isdecimal())):
        raise NeedsFfmpeg(f'the option -map {value}')
    return {'input': int(number), 'type': TYPES[rest[0]] if rest else '', 'index': int(rest[1]) if rest else -1}


def _stream(specifier: str) -> int:
    if not specifier:
        return -1
    kind, _, number = specifier.partition(':')
    if kind != 's' or not number.isdecimal():
        raise NeedsFfmpeg(f'the option -metadata:{specifier}')
    return int(number)


class Helper:
    def __init__(self, program: str) -> None:
        self._program = program

    def copy(self, request: dict[str, Any]) -> dict[str, Any]:
        return self._run({'copy': request}, None)

    def probe(self, path: str) -> dict[str, Any]:
        return self._run({'probe': {'path': path}}, PROBE_LIMIT)

    def _run(self, request: dict[str, Any], limit: float | None) -> dict[str, Any]:
        try:
            done = subprocess.run([self._program], input=json.dumps(request).encode(), stdout=subprocess.PIPE, timeout=limit, check=False)
            answer = json.loads(done.stdout) if done.stdout else {}
        except (OSError, ValueError, subprocess.TimeoutExpired) as error:
            raise NeedsFfmpeg(f'the helper: {error}') from None
        if not answer.get('ok'):
            raise NeedsFfmpeg(answer['error']['message'] if 'error' in answer else f'the helper ended with status {done.returncode}')
        return answer


def take_over(program: str) -> None:
    """Puts the helper in front of ffmpeg and ffprobe in every step of yt-dlp that is made from now on."""
    helper = Helper(program)
    for name, replacement in (('real_run_ffmpeg', _copying), ('get_metadata_object', _probing), ('get_audio_codec', _naming)):
        original = getattr(FFmpegPostProcessor, name)
        setattr(FFmpegPostProcessor, name, replacement(helper, getattr(original, 'of_ytdlp', original)))


def _copying(helper: Helper, with_ffmpeg: Callable[..., Any]) -> Callable[..., Any]:
    def real_run_ffmpeg(self: Any, input_path_opts: Iterable[Any], output_path_opts: Iterable[Any], **kwargs: Any) -> Any:
        inputs = [(path, list(options)) for path, options in input_path_opts]
        outputs = [(path, list(options)) for path, options in output_path_opts]
        try:
            request = request_of(inputs, outputs)
            oldest = min(os.stat(entry['path']).st_mtime for entry in request['inputs'])
            helper.copy(request)
        except NeedsFfmpeg as reason:
            _say(self, f'ffmpeg takes over: {reason}')
            return with_ffmpeg(self, inputs, outputs, **kwargs)
        self.try_utime(request['output'], oldest, oldest)
        return ''
    return _replacing(real_run_ffmpeg, with_ffmpeg)


def _say(step: Any, text: str) -> None:
    if step._downloader:
        step._downloader.to_screen(f'[debug] {step.pp_key()}: {text}')


def _probing(helper: Helper, with_ffprobe: Callable[..., Any]) -> Callable[..., Any]:
    def get_metadata_object(self: Any, path: str, opts: Any = ()) -> Any:
        with contextlib.suppress(NeedsFfmpeg):
            if not opts:
                return helper.probe(path)
        return with_ffprobe(self, path, list(opts))
    return _replacing(get_metadata_object, with_ffprobe)


def _naming(helper: Helper, with_ffprobe: Callable[..., Any]) -> Callable[..., Any]:
    def get_audio_codec(self: Any, path: str) -> Any:
        with contextlib.suppress(NeedsFfmpeg):
            return next((stream['codec_name'] for stream in helper.probe(path)['streams'] if stream['codec_type'] == 'audio'), None)
        return with_ffprobe(self, path)
    return _replacing(get_audio_codec, with_ffprobe)


def _replacing(function: Any, original: Any) -> Any:
    function.of_ytdlp = original
    return function
