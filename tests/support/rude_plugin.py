"""A yt-dlp plugin whose pages behave as the tests need: `{origin}/rude/WHAT` below any local address."""
from pathlib import Path

SOURCE = '''
import os, signal, time
from yt_dlp.extractor.common import InfoExtractor

class RudeIE(InfoExtractor):
    _VALID_URL = r"(?P<origin>http://127\\.0\\.0\\.1:\\d+)/rude/(?P<id>\\w+)"

    def _real_extract(self, url):
        origin, what = self._match_valid_url(url).group("origin", "id")
        name, _, number = what.partition("_")
        getattr(self, name)(number)
        return {"id": what, "title": what, "url": f"{origin}/media/small.mp4", "ext": "mp4"}

    def fine(self, number):
        pass

    def sleep(self, number):
        """Works for so many milliseconds."""
        time.sleep(int(number) / 1000)

    def crash(self, number):
        os.kill(os.getpid(), signal.SIGSEGV)

    def hog(self, number):
        bytearray(8 << 30)

    def busy(self, number):
        self.raise_no_formats("HTTP Error 429: Too Many Requests")

    def wait(self, number):
        while True:
            time.sleep(1000)

    def stubborn(self, number):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        self.to_screen("deaf now")
        while True:
            time.sleep(1000)
'''


def install(folder: Path) -> Path:
    """Writes the plugin below `folder`; what it returns goes into engine.plugin_dirs."""
    file = folder / "rude/yt_dlp_plugins/extractor/rude.py"
    file.parent.mkdir(parents=True)
    file.write_text(SOURCE)
    return folder
