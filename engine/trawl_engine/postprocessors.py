"""Post-processing steps that yt-dlp does not have."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from yt_dlp.postprocessor import FFmpegVideoRemuxerPP, get_postprocessor
from yt_dlp.postprocessor.common import PostProcessor
from yt_dlp.postprocessor.ffmpeg import FFmpegMetadataPP, FFmpegPostProcessor, FFmpegPostProcessorError, FFmpegSplitChaptersPP
from yt_dlp.utils import dfxp2srt

from . import nfo, transcript
from .options import sound_alone

MAX_CAPTIONS = 16 << 20  # Bytes of one track that are made into text.


class ContainerPP(FFmpegVideoRemuxerPP):
    """Copies the streams into the wanted container, and converts them when it cannot hold their codecs. A file of sound
    alone stays what it is: the container is wanted for videos."""

    def run(self, info: dict[str, Any]) -> tuple[list[str], dict[str, Any]]:
        if sound_alone(info):
            return [], info
        return super().run(info)

    def run_ffmpeg(self, path: str, out_path: str, opts: Any, **kwargs: Any) -> Any:
        try:
            return super().run_ffmpeg(path, out_path, opts, **kwargs)
        except FFmpegPostProcessorError:
            self.report_warning('this container cannot hold the streams as they are; converting them')
            return super().run_ffmpeg(path, out_path, FFmpegPostProcessor.stream_copy_opts(False), **kwargs)


class SectionPP(FFmpegPostProcessor):
    """Cuts the part out that could not be fetched alone (sections.cut)."""

    def __init__(self, downloader: Any = None, precise: bool = False) -> None:
        super().__init__(downloader)
        self._precise = precise

    def run(self, info: dict[str, Any]) -> tuple[list[str], dict[str, Any]]:
        part = info.get('cut_afterwards')
        if part:
            path, cut = info['filepath'], f'media.cut.{info["ext"]}'
            streams = self.stream_copy_opts(not self._precise, ext=info['ext'])
            length = ['-t', str(part['length'])] if 'length' in part else []
            self.real_run_ffmpeg([(path, ['-ss', str(part['start'])])], [(cut, [*streams, *length])])
            os.replace(cut, path)
        return [], info


class MetadataPP(FFmpegMetadataPP):
    """Ogg keeps its tags with the stream, where those that came with the source would win over those that are written."""

    def _get_metadata_opts(self, info: dict[str, Any]) -> Iterator[tuple[str, str]]:
        with_stream = str(info.get('filepath')).endswith(('.ogg', '.opus'))
        for option, value in super()._get_metadata_opts(info):
            yield option, value
            if with_stream and option == '-metadata':
                yield '-metadata:s:a:0', value


class TranscriptPP(FFmpegPostProcessor):
    """Writes the text of each caption track beside it; `transcripts` has the names by language."""

    def __init__(self, downloader: Any = None, paragraphs: bool = True, timestamps: bool = False) -> None:
        super().__init__(downloader)
        self._form = {'paragraphs': paragraphs, 'timestamps': timestamps}

    def run(self, info: dict[str, Any]) -> tuple[list[str], dict[str, Any]]:
        for language, track in (info.get('requested_subtitles') or {}).items():
            path = track.get('filepath')
            if path and os.path.exists(path):
                text = transcript.make(self._as_srt(path), **self._form)
                if text:
                    info.setdefault('transcripts', {})[language] = self._write(path, text)
                else:
                    self.report_warning(f'there are no words in the {language} captions')
        return [], info

    def _as_srt(self, path: str) -> str:
        if os.path.getsize(path) > MAX_CAPTIONS:
            self.report_warning(f'{os.path.basename(path)} is too long to be made into text')
            return ''
        extension = os.path.splitext(path)[1][1:].lower()
        if extension in ('dfxp', 'ttml', 'tt'):
            with open(path, 'rb') as file:
                return dfxp2srt(file.read())
        if extension == 'srt':
            return self._read(path)
        converted = f'{os.path.splitext(path)[0]}.reading.srt'
        self.run_ffmpeg(path, converted, ['-f', 'srt'])
        text = self._read(converted)
        os.remove(converted)
        return text

    @staticmethod
    def _read(path: str) -> str:
        with open(path, encoding='utf-8-sig', errors='replace') as file:
            return file.read(MAX_CAPTIONS)

    @staticmethod
    def _write(path: str, text: str) -> str:
        written = f'{os.path.splitext(path)[0]}.txt'
        with open(written, 'w', encoding='utf-8') as file:
            file.write(text)
        return written


class ChapterFilesPP(FFmpegSplitChaptersPP):
    """A file of one chapter has no chapters."""

    def real_run_ffmpeg(self, input_path_opts: Any, output_path_opts: Any, **kwargs: Any) -> Any:
        outputs = [(path, [*options, '-map_chapters', '-1']) for path, options in output_path_opts]
        return super().real_run_ffmpeg(input_path_opts, outputs, **kwargs)


class NfoPP(PostProcessor):
    def run(self, info: dict[str, Any]) -> tuple[list[str], dict[str, Any]]:
        with open('media.nfo', 'w', encoding='utf-8') as file:
            file.write(nfo.make(info))
        return [], info


OWN = {'ChapterFiles': ChapterFilesPP, 'Container': ContainerPP, 'FFmpegMetadata': MetadataPP, 'Section': SectionPP, 'Transcript': TranscriptPP, 'Nfo': NfoPP}


def make(ydl: Any, step: dict[str, Any]) -> Any:
    arguments = dict(step)
    key = arguments.pop('key')
    return (OWN.get(key) or get_postprocessor(key))(ydl, **arguments)
