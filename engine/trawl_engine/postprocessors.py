"""Post-processing steps that yt-dlp does not have."""

from __future__ import annotations

from typing import Any

from yt_dlp.postprocessor import FFmpegVideoRemuxerPP, get_postprocessor
from yt_dlp.postprocessor.ffmpeg import FFmpegPostProcessor, FFmpegPostProcessorError


class ContainerPP(FFmpegVideoRemuxerPP):
    """Copies the streams into the wanted container, and converts them when it cannot hold their codecs."""

    def run_ffmpeg(self, path: str, out_path: str, opts: Any, **kwargs: Any) -> Any:
        try:
            return super().run_ffmpeg(path, out_path, opts, **kwargs)
        except FFmpegPostProcessorError:
            self.report_warning('this container cannot hold the streams as they are; converting them')
            return super().run_ffmpeg(path, out_path, FFmpegPostProcessor.stream_copy_opts(False), **kwargs)


def make(ydl: Any, step: dict[str, Any]) -> Any:
    arguments = dict(step)
    key = arguments.pop('key')
    return (ContainerPP if key == 'Container' else get_postprocessor(key))(ydl, **arguments)
