"""What the download bars share: a job's bytes held against those of its origin."""
import hashlib
import stat
import threading
import time
from pathlib import Path

from support import process

PLAIN = {"embed_metadata": False}


def sha256_of(server, body) -> str:
    (video,) = [artifact for artifact in body["artifacts"] if artifact["kind"] == "video"]
    digest = hashlib.sha256()
    with server.api.stream("GET", video["file_url"]) as answer:
        for piece in answer.iter_bytes(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def completed_right(server, job, file, within=180) -> bool:
    body = server.api.finish(job, within)
    if body["status"] != "completed":
        print(f"{file}: {body['error']}\n{server.api.log_text(job)}")
    return body["status"] == "completed" and sha256_of(server, body) == file.sha256()


def disk_usage(folder: Path) -> int:
    """Bytes that files take, without their folders, which may come and go meanwhile; space that is only reserved counts."""
    total = 0
    for path in folder.rglob("*"):
        try:
            info = path.lstat()
            if not stat.S_ISREG(info.st_mode):
                continue
            # A last block is rarely full, which is not what is meant.
            total += info.st_size if abs(info.st_blocks * 512 - info.st_size) < 65536 else max(info.st_blocks * 512, info.st_size)
        except FileNotFoundError:
            pass
    return total


def rss(pid: int) -> int:
    try:
        return next(int(line.split()[1]) << 10 for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    except (OSError, StopIteration):
        return 0


class Peaks:
    """The most that a server, one of its children and its work folders took while this was open."""

    def __init__(self, server):
        self.server = server
        self.pid = server.child.pid
        self.before = rss(self.pid)
        self.server_rss = self.child_rss = self.disk = 0
        self.end = threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Peaks":
        self.thread.start()
        return self

    def __exit__(self, *_) -> None:
        self.end.set()
        self.thread.join(10)

    @property
    def growth(self) -> int:
        return self.server_rss - self.before

    def _watch(self) -> None:
        while not self.end.is_set():
            self.server_rss = max(self.server_rss, rss(self.pid))
            self.child_rss = max([self.child_rss, *(rss(pid) for pid in process.tree(self.pid) - {self.pid})])
            self.disk = max(self.disk, disk_usage(self.server.storage / "staging"))
            time.sleep(0.03)
