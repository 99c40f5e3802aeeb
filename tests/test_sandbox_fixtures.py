"""The real yt-dlp over everything the origin has, inside the sandbox and outside: the same files come out."""
import os
import subprocess
from pathlib import Path

import pytest

from support import jail
from support.probe import sha256

DIRECT = ("media/small.mp4", "media/bench.mp4", "media/clip.webm", "media/hls-ts/master.m3u8", "media/hls-fmp4/index.m3u8", "media/hls-aes/index.m3u8",
          "media/dash/manifest.mpd", "media/page.html", "media/nasty.html", "redirect/small.mp4", "feed.xml")
RUNS = {
    "as it comes": (DIRECT, []),
    "merged": (("media/dash/manifest.mpd",), ["-f", "bestvideo[height<=144]+bestaudio", "--merge-output-format", "mkv"]),
    "subtitles, thumbnails, tags": (("media/page.html", "media/hls-ts/master.m3u8"), [
        "--write-subs", "--sub-langs", "en,de", "--convert-subs", "srt", "--write-thumbnail", "--convert-thumbnails", "png", "--embed-metadata"]),
    "audio": (("media/small.mp4", "media/clip.webm"), ["-x", "--audio-format", "mp3"]),
}
CONTAINERS = {".mp4", ".webm", ".mkv", ".mp3", ".m4a"}  # With times and names of their writer in them.


def yt_dlp(folder: Path, prefix: list[str], urls: list[str], options: list[str]) -> None:
    done = subprocess.run([*prefix, "/usr/bin/yt-dlp", "--ignore-config", "--no-cache-dir", "--no-plugin-dirs", "--quiet", "--no-mtime",
                           "-o", "%(autonumber)s-%(id).40B.%(ext)s", *options, *urls], cwd=folder, capture_output=True, text=True, timeout=240,
                          env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": str(folder), "TMPDIR": str(folder)})
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize("name", RUNS)
def test_yt_dlp_makes_the_same_files_inside_and_outside(origin, tmp_path, stream_hash, name):
    paths, options = RUNS[name]
    urls = [origin.url(f"/{path}") for path in paths]
    places = {place: tmp_path / place for place in ("inside", "outside")}
    for place in places.values():
        place.mkdir(mode=0o700)
    tmp_path.chmod(0o755)
    uid = jail.SLOT if os.geteuid() == 0 else 0
    # The origin stands where the proxy is otherwise: the one address that may be connected to.
    inside = [jail.engine_folder() / "trawl-sandbox", "run", "--folder", places["inside"], "--port", origin.port, "--uid", uid, "--"]
    yt_dlp(places["inside"], [str(part) for part in inside], urls, options)
    yt_dlp(places["outside"], [], urls, options)

    def made(place: Path) -> dict:
        return {file.name: stream_hash(file) if file.suffix in CONTAINERS else sha256(file) for file in place.iterdir()}

    assert made(places["inside"]) == made(places["outside"])
    assert len(made(places["inside"])) >= len(paths)
    if uid:
        assert {file.stat().st_uid for file in places["inside"].iterdir()} == {uid}, "it was not confined at all"
