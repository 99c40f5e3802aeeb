"""Makes the media and pages the origin serves, once: the folder is named after this file's hash.

Everything is made by ffmpeg from its own test sources, so it is small, real and the same each time.
"""
import fcntl
import hashlib
import html
import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

DURATION = 10  # Seconds, of every medium unless said otherwise.
BENCH_BYTES = 2_000_000
AES_KEY = bytes(range(16))
NASTY_TITLE = '../../x "q" | café <b> $(id) \\ .. ' + "длинное название " * 14 + "…\u202e."

WEBVTT = """WEBVTT

00:00:00.500 --> 00:00:03.000
{first}

00:00:04.000 --> 00:00:08.000
{second}
"""


def ffmpeg(*args: str | os.PathLike, cwd: Path) -> None:
    command = ["ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "error", "-y", *map(str, args)]
    subprocess.run(command, cwd=cwd, check=True, timeout=120)


def picture(height: int, pattern: str = "testsrc2", seconds: int = DURATION) -> list[str]:
    return ["-f", "lavfi", "-i", f"{pattern}=size={height * 16 // 9 // 2 * 2}x{height}:rate=25:duration={seconds}"]


def tone(hertz: int = 440, seconds: int = DURATION) -> list[str]:
    return ["-f", "lavfi", "-i", f"sine=frequency={hertz}:sample_rate=44100:duration={seconds}"]


H264 = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "50", "-keyint_min", "50", "-sc_threshold", "0"]
AAC = ["-c:a", "aac", "-b:a", "64k"]
TAGS = ["-metadata", "title=Colour bars", "-metadata", "artist=Trawl Orchestra", "-metadata", "comment=made for tests"]


def progressive(folder: Path) -> None:
    ffmpeg(*picture(180), *tone(), *H264, *AAC, *TAGS, "-movflags", "+faststart", "small.mp4", cwd=folder)
    ffmpeg(*picture(180, "smptebars"), *tone(880), *H264, *AAC, "-movflags", "+faststart", "other.mp4", cwd=folder)
    ffmpeg(*picture(90, seconds=5), *tone(660, 5), "-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8",
           "-c:a", "libopus", "-b:a", "48k", "clip.webm", cwd=folder)
    ffmpeg(*tone(330), "-c:a", "libmp3lame", "-b:a", "96k", "-metadata", "title=Episode", "episode.mp3", cwd=folder)
    ffmpeg(*picture(180, seconds=1), "-frames:v", "1", "poster.jpg", cwd=folder)
    bench(folder)


def bench(folder: Path) -> None:
    """A playable mp4 of exactly BENCH_BYTES: the rest is a `free` box at the end."""
    ffmpeg(*picture(360), *tone(), *H264, "-b:v", "1300k", "-maxrate", "1300k", "-bufsize", "1300k", *AAC,
           "-movflags", "+faststart", "bench.mp4", cwd=folder)
    padding = BENCH_BYTES - (folder / "bench.mp4").stat().st_size
    if padding < 8:
        raise RuntimeError(f"bench.mp4 is {8 - padding} bytes too large to be padded to {BENCH_BYTES}")
    with (folder / "bench.mp4").open("ab") as file:
        file.write(padding.to_bytes(4, "big") + b"free" + bytes(padding - 8))


def subtitles(folder: Path) -> None:
    (folder / "en.vtt").write_text(WEBVTT.format(first="Hello from the first caption", second="Second caption"))
    (folder / "de.vtt").write_text(WEBVTT.format(first="Hallo aus der ersten Zeile", second="Zweite Zeile"))


def hls(folder: Path) -> None:
    def variant(name: str, height: int, *extra: str | os.PathLike) -> None:
        (folder / name).mkdir(parents=True)
        ffmpeg(*picture(height), *tone(), *H264, "-b:v", f"{height * 2}k", *AAC, "-f", "hls", "-hls_time", "2",
               "-hls_playlist_type", "vod", *extra, "index.m3u8", cwd=folder / name)

    variant("hls-ts/low", 144)
    variant("hls-ts/high", 288)
    subtitle = folder / "hls-ts/subs"
    subtitle.mkdir()
    shutil.copy(folder / "en.vtt", subtitle / "part0.vtt")
    (subtitle / "en.m3u8").write_text(
        f"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:{DURATION}\n#EXT-X-PLAYLIST-TYPE:VOD\n"
        f"#EXTINF:{DURATION}.0,\npart0.vtt\n#EXT-X-ENDLIST\n")
    (folder / "hls-ts/master.m3u8").write_text(
        "#EXTM3U\n#EXT-X-VERSION:4\n"
        '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="subs",NAME="English",LANGUAGE="en",AUTOSELECT=YES,URI="subs/en.m3u8"\n'
        '#EXT-X-STREAM-INF:BANDWIDTH=400000,RESOLUTION=256x144,CODECS="avc1.42c00c,mp4a.40.2",SUBTITLES="subs"\nlow/index.m3u8\n'
        '#EXT-X-STREAM-INF:BANDWIDTH=700000,RESOLUTION=512x288,CODECS="avc1.42c015,mp4a.40.2",SUBTITLES="subs"\nhigh/index.m3u8\n')

    variant("hls-fmp4", 144, "-hls_segment_type", "fmp4")

    (folder / "hls-aes.key").write_bytes(AES_KEY)
    (folder / "hls-aes.keyinfo").write_text(f"key.bin\n{folder / 'hls-aes.key'}\n{'0' * 31}1\n")
    variant("hls-aes", 144, "-hls_key_info_file", folder / "hls-aes.keyinfo")
    shutil.move(folder / "hls-aes.key", folder / "hls-aes/key.bin")
    (folder / "hls-aes.keyinfo").unlink()


def dash(folder: Path) -> None:
    (folder / "dash").mkdir()
    ffmpeg(*picture(360), *tone(), "-filter_complex", "[0:v]split=2[full][half];[half]scale=256:144[small]",
           "-map", "[full]", "-map", "[small]", "-map", "1:a", *H264, "-b:v:0", "500k", "-b:v:1", "120k", *AAC,
           "-f", "dash", "-seg_duration", "2", "-adaptation_sets", "id=0,streams=v id=1,streams=a", "manifest.mpd",
           cwd=folder / "dash")


def pages(folder: Path) -> None:
    def video_page(path: str, title: str, source: str, attributes: str = "", tracks: str = "") -> None:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(
            f'<!DOCTYPE html>\n<html><head><meta charset="utf-8"><title>{html.escape(title)}</title></head>\n'
            f'<body><video controls {attributes}><source src="{source}" type="video/mp4">{tracks}</video></body></html>\n',
            encoding="utf-8")

    video_page("page.html", "A page with a video", "/media/small.mp4", 'poster="/media/poster.jpg"',
               '<track kind="subtitles" srclang="en" label="English" src="/media/en.vtt">'
               '<track kind="subtitles" srclang="de" label="Deutsch" src="/media/de.vtt">')
    video_page("one/watch.html", "The same title", "/media/small.mp4")
    video_page("two/watch.html", "The same title", "/media/other.mp4")
    video_page("nasty.html", NASTY_TITLE, "/media/small.mp4")
    (folder / "three.html").write_text(
        '<!DOCTYPE html>\n<html><head><meta charset="utf-8"><title>Three videos</title></head><body>'
        + "".join(f'<video controls><source src="/media/{name}" type="video/mp4"></video>' for name in ("small.mp4", "other.mp4", "bench.mp4"))
        + "</body></html>\n", encoding="utf-8")
    (folder / "empty.html").write_text("<!DOCTYPE html><html><head><title>No media</title></head><body>words</body></html>\n")
    (folder / "feed.xml").write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0"><channel><title>A podcast</title><link>http://example.test/</link>'
        "<description>One episode</description><item><title>Episode one</title><link>@ORIGIN@/media/episode.mp3</link>"
        '<enclosure url="@ORIGIN@/media/episode.mp3" length="1" type="audio/mpeg"/></item></channel></rss>\n')


def make() -> Path:
    """The folder with all media, made if it is not there yet."""
    key = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:16]
    base = ROOT / "build" / "fixtures"
    done = base / key
    base.mkdir(parents=True, exist_ok=True)
    with (base / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            work = base / f"{key}.tmp"
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir()
            for step in (progressive, subtitles, hls, dash, pages):
                step(work)
            work.rename(done)
    return done


if __name__ == "__main__":
    print(make())
