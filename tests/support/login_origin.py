"""A site that one has to be logged in to: it wants a cookie."""
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MARK = "PLANTED-cookie-value-7f3a"


def netscape(domain="127.0.0.1", value=MARK, name="sid", expires=1999999999):
    return f"# Netscape HTTP Cookie File\n{domain}\tFALSE\t/\tFALSE\t{expires}\t{name}\t{value}\n"


class LoginOrigin:
    """Serves a medium to who has the cookie, 403 to everybody else; remembers who asked with which."""

    def __init__(self, data: bytes):
        self.seen: list[tuple[str, str]] = []
        origin = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

            def do_HEAD(self):
                self.do_GET()

            def do_GET(self):
                cookie = self.headers.get("Cookie", "")
                origin.seen.append((self.path, cookie))
                if self.path == "/elsewhere.mp4":
                    self.send_response(302)
                    self.send_header("Location", f"http://localhost:{origin.port}/open.mp4")
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                allowed = f"sid={MARK}" in cookie or self.path == "/open.mp4"
                body = data if allowed else b""
                self.send_response(200 if allowed else 403)
                self.send_header("Content-Type", "video/mp4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command == "GET":
                    for at in range(0, len(body), 8192):
                        self.wfile.write(body[at:at + 8192])
                        if origin.slow and at > 65536:
                            time.sleep(0.02)

        self.slow = False
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()
