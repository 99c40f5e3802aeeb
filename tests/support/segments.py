"""What SponsorBlock knows."""
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


KNOWN = {"sponsored": [2, 4], "briefly": [2, 2.8]}  # The ids of videos, and from when to when sponsors are named in them.


class Segments:
    """Stands in for SponsorBlock."""

    def __init__(self):
        self.asked: list[dict] = []
        self.working = True
        service = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *args):
                pass

            def do_GET(self):
                service.asked.append({"path": urlsplit(self.path).path, **parse_qs(urlsplit(self.path).query)})
                known = [{"videoID": video, "segments": [{"segment": segment, "category": "sponsor", "actionType": "skip", "videoDuration": 10,
                                                          "description": "", "UUID": "1"}]} for video, segment in KNOWN.items()]
                body = json.dumps(known).encode() if service.working else b"<html>"
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
