"""nginx as the origin: real HTTP with ranges, redirects, slow answers and errors."""
import contextlib
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

from support import certificates, process

CONFIG = """
{user}
daemon off;
worker_processes 1;
pid {prefix}/nginx.pid;
error_log {prefix}/error.log warn;
events {{ worker_connections 4096; }}
http {{
  log_format line '$request_method $request_uri $status "$http_range" "$http_user_agent" $server_protocol $connection';
  access_log {prefix}/access.log line;
  client_body_temp_path {prefix}/body;
  proxy_temp_path {prefix}/proxy;
  fastcgi_temp_path {prefix}/fastcgi;
  uwsgi_temp_path {prefix}/uwsgi;
  scgi_temp_path {prefix}/scgi;
  types {{
    text/html html; text/xml xml; text/vtt vtt; image/jpeg jpg;
    video/mp4 mp4 m4s; video/webm webm; audio/mpeg mp3; video/mp2t ts;
    application/vnd.apple.mpegurl m3u8; application/dash+xml mpd;
  }}
  default_type application/octet-stream;
  charset utf-8;
  server {{
    listen 127.0.0.1:{port};
    listen 127.0.0.1:{tls_port} ssl http2;
    ssl_certificate {prefix}/origin.pem;
    ssl_certificate_key {prefix}/origin.key;
    location /media/ {{ alias {media}/; }}
    # About 10 s and 100 s for bench.mp4: long enough to meet it while it runs.
    location /slow/ {{ alias {media}/; limit_rate 200k; }}
    location /crawl/ {{ alias {media}/; limit_rate 20k; }}
    # Media that only benchmarks need, at full speed and limited for each connection.
    location /large/ {{ alias {large}/; }}
    location /throttled/ {{ alias {large}/; limit_rate 2m; }}
    location /paced/ {{ alias {large}/; limit_rate 95m; }}
    # A medium of any name.
    location /named/ {{ rewrite ^ /media/small.mp4 last; }}
    location /redirect/ {{ rewrite ^/redirect/(.*)$ $scheme://$http_host/media/$1 redirect; }}
    location /to_plain/ {{ rewrite ^/to_plain/(.*)$ http://127.0.0.1:{port}/media/$1 redirect; }}
    location /loop/ {{ return 302 $request_uri; }}
    location /forbidden/ {{ return 403; }}
    location /broken/ {{ return 500; }}
    location /busy/ {{ add_header Retry-After 1 always; return 503; }}
    location /later/ {{ add_header Retry-After 300 always; return 429; }}
    location = /page-of-later.html {{
      default_type text/html;
      return 200 '<html><title>A page</title><video src="/later/small.mp4"></video></html>';
    }}
    # Pages whose video is where the certificate is for another name.
    location = /misnamed.html {{
      default_type text/html;
      return 200 '<html><title>A page</title><video src="https://127.0.0.1:{misnamed_port}/media/small.mp4"></video></html>';
    }}
    location = /pictureless.html {{
      default_type text/html;
      return 200 '<html><title>A page</title><video src="/media/small.mp4" poster="/media/missing.jpg"></video></html>';
    }}
    location = /untrusted.html {{
      default_type text/html;
      return 200 '<html><title>A page</title><video src="https://127.0.0.1:{tls_port}/media/small.mp4"></video></html>';
    }}
    location = /misnamed-behind-a-redirect.html {{
      default_type text/html;
      return 200 '<html><title>A page</title><video src="/to_misnamed/small.mp4"></video></html>';
    }}
    location /to_misnamed/ {{ rewrite ^/to_misnamed/(.*)$ https://127.0.0.1:{misnamed_port}/media/$1 redirect; }}
    location = /feed.xml {{
      alias {media}/feed.xml;
      sub_filter_types text/xml; sub_filter_once off; sub_filter '@ORIGIN@' '$scheme://$http_host';
    }}
  }}
  # A certificate for another name.
  server {{
    listen 127.0.0.1:{misnamed_port} ssl;
    ssl_certificate {prefix}/misnamed.pem;
    ssl_certificate_key {prefix}/misnamed.key;
    location /media/ {{ alias {media}/; }}
  }}
}}
"""


class Origin:
    def __init__(self, media: Path, prefix: Path, large: Path | None = None):
        self.media = media
        self.prefix = prefix
        self.ca_file = prefix / "ca.pem"
        certificates.authority(self.ca_file)
        certificates.issue(self.ca_file, prefix / "origin.pem", "IP:127.0.0.1,DNS:localhost")
        certificates.issue(self.ca_file, prefix / "misnamed.pem", "DNS:elsewhere.test")
        with contextlib.ExitStack() as bound:
            # nginx takes over sockets that are already bound, as in its own binary upgrade: no race for the ports.
            listeners = [bound.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(3)]
            for listener in listeners:
                listener.setblocking(False)
            self.port, self.tls_port, self.misnamed_port = (listener.getsockname()[1] for listener in listeners)
            (prefix / "nginx.conf").write_text(CONFIG.format(
                user="user root;" if os.geteuid() == 0 else "", prefix=prefix, port=self.port, tls_port=self.tls_port,
                misnamed_port=self.misnamed_port, media=media, large=large or media))
            self._nginx = process.start(
                ["/usr/sbin/nginx", "-e", str(prefix / "error.log"), "-p", str(prefix), "-c", str(prefix / "nginx.conf")],
                end_signal=signal.SIGTERM,  # To the master, which then ends its worker.
                env={**os.environ, "NGINX": "".join(f"{listener.fileno()};" for listener in listeners)},
                pass_fds=[listener.fileno() for listener in listeners],
                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            self._await_pid_file()

    def _await_pid_file(self) -> None:
        deadline = time.monotonic() + 10
        while not (self.prefix / "nginx.pid").exists():
            if self._nginx.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"nginx does not start: {self._nginx.stderr.read().decode() if self._nginx.poll() is not None else 'no pid file'}")
            time.sleep(0.01)

    def url(self, path: str) -> str:
        """`small.mp4` is a medium; a path with a leading slash is taken as it is (`/slow/bench.mp4`)."""
        return f"http://127.0.0.1:{self.port}{path if path.startswith('/') else '/media/' + path}"

    def tls_url(self, path: str, misnamed: bool = False) -> str:
        """The same over TLS, with a certificate of `ca_file`; of another name with `misnamed`."""
        return self.url(path).replace(f"http://127.0.0.1:{self.port}/", f"https://127.0.0.1:{self.misnamed_port if misnamed else self.tls_port}/")

    def file(self, name: str) -> Path:
        return self.media / name

    def requests(self) -> list[str]:
        return (self.prefix / "access.log").read_text().splitlines()

    def stop(self) -> None:
        self._nginx.send_signal(signal.SIGTERM)
        self._nginx.wait(10)
        self._nginx.stderr.close()
