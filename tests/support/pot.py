"""A provider of PO tokens, and a site that gives its medium only to who brings one.

The plugin asks as bgutil-ytdlp-pot-provider does: at the address that yt-dlp's extractor arguments name, and round any proxy."""
import http.server
import json
import threading
from pathlib import Path

PLUGIN = '''
import json
from yt_dlp.extractor.common import InfoExtractor
from yt_dlp.networking import Request
from yt_dlp.utils import ExtractorError

class GuardedIE(InfoExtractor):
    _VALID_URL = r"(?P<origin>http://127\\.0\\.0\\.1:\\d+)/guarded/(?P<id>[\\w-]+)"

    def _real_extract(self, url):
        origin, id_ = self._match_valid_url(url).group("origin", "id")
        old = self._configuration_arg("getpot_bgutil_baseurl", [None], ie_key="Youtube", casesense=True)[0]
        new = self._configuration_arg("base_url", [None], ie_key="youtubepot-bgutilhttp", casesense=True)[0]
        if not old or old != new:
            raise ExtractorError(f"no provider is known: {old}, {new}", expected=True)
        asked = Request(f"{old}/get_pot", data=json.dumps({"content_binding": id_}).encode(), headers={"Content-Type": "application/json"},
                        proxies={"all": None})
        token = json.loads(self._request_webpage(asked, id_).read())["poToken"]
        return {"id": id_, "title": f"{id_} {token}", "url": f"{origin}/media/small.mp4?pot={token}", "ext": "mp4"}
'''


def install(folder: Path) -> Path:
    """Writes the plugin below `folder`; what it returns goes into engine.plugin_dirs."""
    file = folder / "guarded/yt_dlp_plugins/extractor/guarded.py"
    file.parent.mkdir(parents=True)
    file.write_text(PLUGIN)
    return folder


class Provider:
    def __init__(self):
        self.asked: list[tuple[str, str, str]] = []  # Method and path, Host, body.
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.answer({"server_uptime": 1, "version": "1.0.0"} if self.path == "/ping" else {})

            def do_POST(self):
                self.answer({"poToken": "tOkEn-1"})

            def answer(self, body):
                length = int(self.headers.get("Content-Length") or 0)
                provider.asked.append((f"{self.command} {self.path}", self.headers["Host"], self.rfile.read(length).decode()))
                text = json.dumps(body).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def tokens(self) -> list[tuple[str, str, str]]:
        return [one for one in self.asked if one[0].startswith("POST")]

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
