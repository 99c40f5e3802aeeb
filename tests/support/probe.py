"""What a media file holds, as ffprobe sees it."""
import hashlib
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Media:
    format: str
    duration: float
    tags: dict[str, str]
    streams: list[dict]

    def codecs(self, kind: str) -> list[str]:
        return [stream["codec_name"] for stream in self.streams if stream["codec_type"] == kind and not self._is_cover(stream)]

    @property
    def video(self) -> list[str]:
        return self.codecs("video")

    @property
    def audio(self) -> list[str]:
        return self.codecs("audio")

    @property
    def subtitles(self) -> list[str]:
        return self.codecs("subtitle")

    @property
    def height(self) -> int:
        return next(stream["height"] for stream in self.streams if stream["codec_type"] == "video" and not self._is_cover(stream))

    @property
    def has_cover(self) -> bool:
        return any(self._is_cover(stream) for stream in self.streams)

    @staticmethod
    def _is_cover(stream: dict) -> bool:
        return bool(stream.get("disposition", {}).get("attached_pic"))


def probe(path: Path) -> Media:
    done = subprocess.run(["ffprobe", "-v", "error", "-show_format", "-show_streams", "-of", "json", str(path)],
                          capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, f"ffprobe refuses {path}: {done.stderr.strip()}"
    facts = json.loads(done.stdout)
    streams = facts["streams"]
    # Ogg keeps its tags on the stream.
    tags = {key.lower(): value for source in (*streams, facts["format"]) for key, value in source.get("tags", {}).items()}
    return Media(facts["format"]["format_name"], float(facts["format"].get("duration", 0)), tags, streams)


def decodes(path: Path) -> None:
    """Fails unless ffmpeg decodes the whole file without one complaint."""
    done = subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-i", str(path), "-f", "null", "-"],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and not done.stderr.strip(), f"{path} does not decode: {done.stderr.strip()[:500]}"


def pictures(file: Path) -> int:
    """How many there are in the video stream."""
    done = subprocess.run(["ffprobe", "-v", "error", "-count_packets", "-select_streams", "v:0", "-show_entries", "stream=nb_read_packets", "-of", "csv=p=0", file],
                          capture_output=True, check=True, text=True, timeout=30)
    return int(done.stdout.strip().strip(","))


def chapters(file: Path) -> list[tuple[str, int, int]]:
    """Title, first and last second of each."""
    done = subprocess.run(["ffprobe", "-v", "error", "-show_chapters", "-of", "json", file], capture_output=True, check=True, timeout=30)
    return [(chapter["tags"].get("title", ""), round(float(chapter["start_time"])), round(float(chapter["end_time"]))) for chapter in json.loads(done.stdout)["chapters"]]


def recorded(api, job: str, folder: Path) -> tuple[dict, Media]:
    """How a job completed, and its file, which is sound."""
    body = api.finish(job)
    assert body["status"] == "completed", f"{body}\n{api.log_text(job)}"
    file = api.fetch(body["file_info"], folder)
    decodes(file)
    return body, probe(file)


def sha256(data: Path | bytes) -> str:
    return hashlib.sha256(data.read_bytes() if isinstance(data, Path) else data).hexdigest()
