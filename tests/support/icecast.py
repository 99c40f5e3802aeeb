"""A radio station: icecast2 takes what ffmpeg sends in real time and passes it on as one answer without an end."""
import os
import signal
import subprocess
import time
from pathlib import Path

import httpx

from support import media, process
from support.postgres import free_port

CONFIG = """\
<icecast>
  <limits><clients>20</clients><sources>4</sources><source-timeout>10</source-timeout><burst-size>16384</burst-size></limits>
  <authentication><source-password>{password}</source-password><admin-user>admin</admin-user><admin-password>{password}</admin-password></authentication>
  <hostname>127.0.0.1</hostname>
  <listen-socket><port>{port}</port><bind-address>127.0.0.1</bind-address></listen-socket>
  <paths>
    <basedir>/usr/share/icecast2</basedir><webroot>/usr/share/icecast2/web</webroot><adminroot>/usr/share/icecast2/admin</adminroot>
    <logdir>{folder}</logdir>
  </paths>
  <logging><accesslog>-</accesslog><errorlog>-</errorlog><loglevel>2</loglevel></logging>
  {security}
</icecast>
"""
# It does not work as root.
AS_NOBODY = "<security><changeowner><user>nobody</user><group>nogroup</group></changeowner></security>"
PASSWORD = "of-the-test"


class Icecast:
    def __init__(self, folder: Path):
        self.port = free_port()
        self._sender = None
        config = folder / "icecast.xml"
        config.write_text(CONFIG.format(port=self.port, folder=folder, password=PASSWORD, security=AS_NOBODY if os.geteuid() == 0 else ""))
        with (folder / "output").open("wb") as output:
            self._server = process.start(["/usr/bin/icecast2", "-c", str(config)], end_signal=signal.SIGTERM, stdout=output, stderr=output)
        self._until(lambda: self._status("status-json.xsl") == 200, f"icecast2 does not start: {folder}/output")

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.port}/{name}"

    def _status(self, name: str) -> int:
        try:
            with httpx.stream("GET", self.url(name), timeout=5, trust_env=False) as answer:
                return answer.status_code
        except httpx.HTTPError:
            return 0

    def _until(self, there, otherwise: str) -> None:
        deadline = time.monotonic() + 30
        while not there():
            assert self._server.poll() is None and time.monotonic() < deadline, otherwise
            time.sleep(0.05)

    def begin(self, name: str, *encoding: str, mime_type: str) -> None:
        """On the air, until listeners are let in."""
        self._sender = process.start(
            ["ffmpeg", "-nostdin", "-loglevel", "error", *(part for source in self._sources(encoding) for part in ("-re", *source)), *encoding,
             "-content_type", mime_type, "-ice_name", "Test FM", f"icecast://source:{PASSWORD}@127.0.0.1:{self.port}/{name}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._until(lambda: self._status(name) == 200, "nothing is on the air")

    @staticmethod
    def _sources(encoding) -> list[list[str]]:
        sound = media.tone(440, 300)
        return [media.picture(90, seconds=300), sound] if "-c:v" in encoding else [sound]

    def end(self) -> None:
        """Off the air: listeners get the end of their answer."""
        if self._sender and self._sender.poll() is None:
            self._sender.terminate()
            self._sender.wait(10)

    def stop(self) -> None:
        self.end()
        self._server.send_signal(signal.SIGTERM)
        self._server.wait(10)
