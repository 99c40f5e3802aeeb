"""A site whose pages say what a test wants: `{origin}/told/ID?info=...` is a page with that info dict.

It is a yt-dlp plugin, so everything that yt-dlp can know of a medium can be told. `@ORIGIN@` in it becomes the origin's
address; an `error` is raised, but not any more when the origin has the path `until`.
"""
import base64
import json
from pathlib import Path

SOURCE = '''
import base64, json, urllib.parse
from yt_dlp.extractor.common import InfoExtractor
from yt_dlp.utils import ExtractorError

class ToldIE(InfoExtractor):
    _VALID_URL = r"(?P<origin>http://127\\.0\\.0\\.1:\\d+)/told/(?:shorts/)?(?P<id>[\\w-]+)"

    def _real_extract(self, url):
        origin, id_ = self._match_valid_url(url).group("origin", "id")
        text = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)["info"][0]
        info = json.loads(base64.urlsafe_b64decode(text).decode().replace("@ORIGIN@", origin))
        until = info.pop("until", None)
        if "error" in info and not (until and self._request_webpage(origin + until, id_, fatal=False)):
            raise ExtractorError(info["error"], expected=info.get("expected", True))
        info.pop("error", None)
        return {"id": id_, "title": id_, **info}
'''
VIDEO = {"url": "@ORIGIN@/media/small.mp4", "ext": "mp4"}


def install(folder: Path) -> Path:
    """Writes the plugin below `folder`; what it returns goes into engine.plugin_dirs."""
    file = folder / "told/yt_dlp_plugins/extractor/told.py"
    file.parent.mkdir(parents=True)
    file.write_text(SOURCE)
    return folder


def path(name: str, **info) -> str:
    """The page's path at an origin; without formats it has the fixture's small.mp4."""
    if not {"url", "formats", "error"} & info.keys():
        info = {**VIDEO, **info}
    return f"/told/{name}?info={base64.urlsafe_b64encode(json.dumps(info).encode()).decode()}"
