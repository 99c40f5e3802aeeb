"""Run inside a container by tests/reliability/test_sandbox_container.py: what the sandbox holds there, as JSON.

Arguments: a folder to work in, and the folder with the media.
"""
import functools
import http.server
import json
import os
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support import jail as jails  # noqa: E402
from support.server import Server  # noqa: E402


def attempts() -> dict:
    one = jails.Jail()
    try:
        return {"network": one.attempts("network", RACES="2000"), "files": one.attempts("files"), "permitted": one.attempts("permitted"),
                "strays": one.strays(), "secret": (one.outside / "secret").read_text()}
    finally:
        one.close()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def download(folder: Path, media: Path) -> dict:
    site = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=media))
    threading.Thread(target=site.serve_forever, daemon=True).start()
    server = Server(folder).start()
    try:
        job = server.api.completed(f"http://127.0.0.1:{site.server_port}/small.mp4", embed_metadata=False)
        merged = server.api.completed(f"http://127.0.0.1:{site.server_port}/dash/manifest.mpd")
        deadline = time.monotonic() + 20
        while not (health := server.api.get("/health").json())["checks"]["ytdlp"]["version"] and time.monotonic() < deadline:
            time.sleep(0.05)
        return {"sandbox": health["checks"]["sandbox"], "size": server.api.fetch(job["file_info"], folder).stat().st_size, "merged": merged["status"]}
    finally:
        server.stop()


def main() -> None:
    folder, media = Path(sys.argv[1]), Path(sys.argv[2])
    tempfile.tempdir = str(folder)
    (folder / "server").mkdir()
    print(json.dumps({"uid": os.getuid(), **attempts(), **download(folder / "server", media)}))


if __name__ == "__main__":
    main()
