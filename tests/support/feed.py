"""A feed whose episodes come and go: what yt-dlp takes for a playlist, as long as one likes."""
import threading
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xml.sax.saxutils import escape

DAY = 86_400
FIRST_DAY = 1_704_067_200  # 2024-01-01


@dataclass
class Episode:
    url: str
    title: str
    seconds: int | None = 10  # None: the feed does not say.
    day: int | None = 0  # After 2024-01-01.

    def xml(self) -> str:
        date = "" if self.day is None else f"<pubDate>{formatdate(FIRST_DAY + self.day * DAY)}</pubDate>"
        length = "" if self.seconds is None else f"<itunes:duration>{self.seconds}</itunes:duration>"
        return (f"<item><title>{escape(self.title)}</title><link>{escape(self.url)}</link>{date}{length}"
                f"<enclosure url=\"{escape(self.url)}\" length=\"1\" type=\"video/mp4\"/></item>")


@dataclass
class Feed:
    """Serves `/NAME.xml` for every name in `feeds`; `gate` holds answers back while it is cleared."""
    feeds: dict[str, list[Episode]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    status: int = 200
    gate: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self):
        feed = self
        self.gate.set()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                feed.answer(self)

            do_HEAD = do_GET

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        name = request.path.strip("/").removesuffix(".xml")
        if request.command == "GET":
            self.asked.append(name)
        self.gate.wait(60)
        body = self.document(name).encode() if name in self.feeds else b""
        try:
            request.send_response(self.status if body else 404)
            request.send_header("Content-Type", "text/xml; charset=utf-8")
            request.send_header("Content-Length", str(len(body)))
            request.end_headers()
            if request.command == "GET":
                request.wfile.write(body)
        except OSError:
            pass  # Whoever asked was killed.

    def document(self, name: str) -> str:
        items = "".join(episode.xml() for episode in self.feeds[name])
        return ('<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"><channel>'
                f"<title>Feed {name}</title><link>http://example.test/</link><description>Episodes</description>{items}</channel></rss>\n")

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/{name}.xml"

    def close(self) -> None:
        self.gate.set()
        self._server.shutdown()
        self._server.server_close()


def episodes(origin, count: int, path: str = "small.mp4", first: int = 1) -> list[Episode]:
    """Episode n is n minutes long, came out on day n and is the origin's file under an address of its own."""
    return [Episode(f"{origin.url(path)}?n={n}", f"Episode {n}", seconds=60 * n, day=n) for n in range(first, first + count)]
