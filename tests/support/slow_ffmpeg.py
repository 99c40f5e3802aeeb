"""An ffmpeg that takes its time, so that a test meets it at work."""
import tempfile
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def slow_ffmpeg(cases: str):
    """`cases`: what it does before it begins, by its arguments, in the words of the shell's `case`."""
    with tempfile.TemporaryDirectory(prefix="trawl-ffmpeg-") as folder:  # Not pytest's, which only root may enter.
        Path(folder).chmod(0o755)
        program = Path(folder) / "ffmpeg"
        program.write_text(f'#!/bin/sh\ncase "$*" in {cases} esac\nexec /usr/bin/ffmpeg "$@"\n')
        program.chmod(0o755)
        (Path(folder) / "ffprobe").symlink_to("/usr/bin/ffprobe")
        yield program
