"""A broadcaster: nginx-rtmp takes what ffmpeg sends in real time and offers it as HLS, with a window that moves on."""
import contextlib
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

from support import media, process

CONFIG = """
load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;
{user}
daemon off;
worker_processes 1;
pid {prefix}/nginx.pid;
error_log {prefix}/error.log warn;
events {{ worker_connections 256; }}
rtmp {{
  server {{
    listen 127.0.0.1:{rtmp_port};
    application air {{
      live on;
      hls on;
      hls_path {prefix}/hls;
      hls_fragment 1s;
      hls_playlist_length 8s;
    }}
  }}
}}
http {{
  access_log {prefix}/access.log;
  client_body_temp_path {prefix}/body;
  proxy_temp_path {prefix}/proxy;
  fastcgi_temp_path {prefix}/fastcgi;
  uwsgi_temp_path {prefix}/uwsgi;
  scgi_temp_path {prefix}/scgi;
  types {{ application/vnd.apple.mpegurl m3u8; video/mp2t ts; }}
  server {{
    listen 127.0.0.1:{port};
    location /hls/ {{ alias {prefix}/hls/; add_header Cache-Control no-cache; }}
  }}
}}
"""


class Station:
    def __init__(self, prefix: Path):
        self.hls = prefix / "hls"
        self.hls.mkdir()
        self._sender = None
        with contextlib.ExitStack() as bound:
            listeners = [bound.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(2)]
            for listener in listeners:
                listener.setblocking(False)
            self.port, self.rtmp_port = (listener.getsockname()[1] for listener in listeners)
            (prefix / "nginx.conf").write_text(CONFIG.format(
                user="user root;" if os.geteuid() == 0 else "", prefix=prefix, port=self.port, rtmp_port=self.rtmp_port))
            self._nginx = process.start(
                ["/usr/sbin/nginx", "-e", str(prefix / "error.log"), "-p", str(prefix), "-c", str(prefix / "nginx.conf")],
                end_signal=signal.SIGTERM, env={**os.environ, "NGINX": "".join(f"{listener.fileno()};" for listener in listeners)},
                pass_fds=[listener.fileno() for listener in listeners], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            self._until(lambda: (prefix / "nginx.pid").exists(), "nginx-rtmp does not start")

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.port}/hls/{name}.m3u8"

    def _playlist(self, name: str) -> str:
        file = self.hls / f"{name}.m3u8"
        return file.read_text() if file.exists() else ""

    def _until(self, there, otherwise: str) -> None:
        deadline = time.monotonic() + 60
        while not there():
            assert self._nginx.poll() is None and time.monotonic() < deadline, otherwise
            time.sleep(0.05)

    def begin(self, name: str) -> None:
        """On the air, until the window has moved on for the first time."""
        self._sender = process.start(
            ["ffmpeg", "-nostdin", "-loglevel", "error", "-re", *media.picture(90, seconds=300), "-re", *media.tone(440, 300), *media.H264, "-g", "25",
             "-keyint_min", "25", *media.AAC, "-f", "flv", f"rtmp://127.0.0.1:{self.rtmp_port}/air/{name}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._until(lambda: "#EXTINF" in (text := self._playlist(name)) and "MEDIA-SEQUENCE:0" not in text, "nothing is on the air")

    def until_gone(self, name: str, segment: int) -> None:
        """Until this segment is not even on the disk any more."""
        self._until(lambda: not (self.hls / f"{name}-{segment}.ts").exists(), "the window does not move on")

    def end(self) -> None:
        """Off the air. The playlist stays as it is and never says that it has ended."""
        if self._sender and self._sender.poll() is None:
            self._sender.kill()
            self._sender.wait(10)

    def stop(self) -> None:
        self.end()
        self._nginx.send_signal(signal.SIGTERM)
        self._nginx.wait(10)
