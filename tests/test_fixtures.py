"""The origin's own test: the real yt-dlp command line resolves and downloads everything it serves."""
import subprocess

import pytest

from support import media
from support.probe import decodes, probe, sha256


def yt_dlp(folder, *args):
    done = subprocess.run(["/usr/bin/yt-dlp", "--ignore-config", "--no-cache-dir", "--no-plugin-dirs", "--quiet", "-o", "%(title).80s-%(id)s.%(ext)s",
                           *args], cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return sorted(folder.iterdir())


MEDIA = [
    ("/media/small.mp4", [], ["h264"], ["aac"]),
    ("/media/bench.mp4", [], ["h264"], ["aac"]),
    ("/media/clip.webm", [], ["vp9"], ["opus"]),
    ("/media/hls-ts/master.m3u8", [], ["h264"], ["aac"]),
    ("/media/hls-fmp4/index.m3u8", [], ["h264"], ["aac"]),
    ("/media/hls-aes/index.m3u8", [], ["h264"], ["aac"]),
    ("/media/dash/manifest.mpd", [], ["h264"], ["aac"]),
    ("/media/page.html", [], ["h264"], ["aac"]),
    ("/media/nasty.html", [], ["h264"], ["aac"]),
    ("/redirect/small.mp4", [], ["h264"], ["aac"]),
    ("/feed.xml", [], [], ["mp3"]),
]


@pytest.mark.parametrize("path, args, video, audio", MEDIA, ids=[row[0] for row in MEDIA])
def test_yt_dlp_downloads_it_with_the_expected_streams(origin, tmp_path, path, args, video, audio):
    (file,) = yt_dlp(tmp_path, *args, origin.url(path))
    found = probe(file)
    assert (found.video, found.audio) == (video, audio)
    assert found.duration == pytest.approx(5 if path.endswith(".webm") else media.DURATION, abs=0.5)
    decodes(file)


def test_a_progressive_file_arrives_byte_for_byte(origin, tmp_path):
    (file,) = yt_dlp(tmp_path, origin.url("bench.mp4"))
    assert file.stat().st_size == media.BENCH_BYTES
    assert sha256(file) == sha256(origin.file("bench.mp4"))


@pytest.mark.parametrize("limit, height", [(144, 144), (360, 360)])
def test_the_dash_manifest_offers_two_heights(origin, tmp_path, limit, height):
    selector = f"bestvideo[height<={limit}]+bestaudio"
    (file,) = yt_dlp(tmp_path, "-f", selector, "--merge-output-format", "mp4", origin.url("dash/manifest.mpd"))
    assert probe(file).height == height


def test_the_page_offers_subtitles_in_two_languages_and_a_poster(origin, tmp_path):
    files = yt_dlp(tmp_path, "--write-subs", "--sub-langs", "en,de", "--write-thumbnail", origin.url("page.html"))
    assert sorted(file.suffixes[-2:] for file in files if file.suffix == ".vtt") == [[".de", ".vtt"], [".en", ".vtt"]]
    assert [file.suffix for file in files if file.suffix in (".jpg", ".mp4")] == [".jpg", ".mp4"]


def test_the_hls_master_offers_a_subtitle_rendition(origin, tmp_path):
    files = yt_dlp(tmp_path, "--write-subs", "--sub-langs", "en", origin.url("hls-ts/master.m3u8"))
    (subtitle,) = [file for file in files if file.suffix == ".vtt"]
    assert "Hello from the first caption" in subtitle.read_text()
