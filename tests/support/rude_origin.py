"""An origin that misbehaves on purpose: it cuts connections, ignores ranges, changes what it serves."""
import random
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def content(seed: int, size: int) -> bytes:
    return random.Random(seed).randbytes(size)


class RudeOrigin:
    """Serves /<seed>/<size>.mp4. `cuts` connections of each file are reset at a random byte; with
    `ignore_ranges` every answer is a 200 with everything; `pause_at` holds answers back at that offset
    until `go_on` is set."""

    def __init__(self, seed: int, cuts: int = 0, ignore_ranges: bool = False, pause_at: int | None = None):
        self.chance = random.Random(seed)
        self.cuts = cuts
        self.ignore_ranges = ignore_ranges
        self.pause_at = pause_at
        self.go_on = threading.Event()
        self.paused = threading.Event()
        self.left: dict[str, int] = {}
        self.sent: dict[str, int] = {}
        self.lock = threading.Lock()
        origin = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

            def do_HEAD(self):
                origin.answer(self, body=False)

            def do_GET(self):
                origin.answer(self, body=True)

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                pass  # Clients that leave are the point.

        self.server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, seed: int, size: int) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/{seed}/{size}.mp4"

    def stop(self) -> None:
        self.go_on.set()
        self.server.shutdown()
        self.server.server_close()

    def answer(self, request: BaseHTTPRequestHandler, body: bool) -> None:
        seed, size = map(int, re.fullmatch(r"/(\d+)/(\d+)\.mp4", request.path).groups())
        data = content(seed, size)
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("Range", ""))
        first, last = 0, size - 1
        if asked and not self.ignore_ranges:
            first, last = int(asked[1]), min(int(asked[2] or size - 1), size - 1)
            request.send_response(206)
            request.send_header("Content-Range", f"bytes {first}-{last}/{size}")
        else:
            request.send_response(200)
        request.send_header("Content-Type", "video/mp4")
        request.send_header("Content-Length", str(last - first + 1))
        request.send_header("ETag", f'"{seed}-{size}"')
        request.end_headers()
        if body:
            self.send(request, data, first, last + 1)

    def send(self, request: BaseHTTPRequestHandler, data: bytes, first: int, end: int) -> None:
        # The first to ask is yt-dlp, which looks at the start and leaves: neither cut, held nor counted.
        with self.lock:
            look = request.path not in self.sent
            self.sent.setdefault(request.path, 0)
        if look:
            request.wfile.write(data[first:end])
            return
        cut = self.cut_of(request.path, first, end)
        at = first
        while at < min(end, cut):
            if self.pause_at is not None and at >= self.pause_at and not self.go_on.is_set():
                self.paused.set()
                self.go_on.wait(60)
            block = data[at:min(at + 16384, end, cut)]
            request.wfile.write(block)
            at += len(block)
            with self.lock:
                self.sent[request.path] = self.sent.get(request.path, 0) + len(block)
        if cut < end:
            request.close_connection = True

    def cut_of(self, path: str, first: int, end: int) -> int:
        """Where this answer ends too early, as long as the file has cuts left. Small answers (a look at
        the start of the file) are left whole."""
        with self.lock:
            left = self.left.setdefault(path, self.cuts)
            if left == 0 or end - first < 65536:
                return end
            self.left[path] = left - 1
            return self.chance.randrange(first + 1, end)
