"""A site that offers releases of yt-dlp: real ones, made from the installed one, under other versions and with faults."""
import hashlib
import json
import re
import sys
import zipfile
from pathlib import Path

from support.origin import Origin

INSTALLED = Path("/usr/lib/python3/dist-packages/yt_dlp")
# Put at the end of the generic extractor: it works for pages whose address has `fine`, and no others.
BROKEN_LATER = """

_original = GenericIE._real_extract
def _real_extract(self, url):
    if 'fine' not in url and '/media/' in url:
        raise ExtractorError('Unable to extract title')
    return _original(self, url)
GenericIE._real_extract = _real_extract
"""


def program(version: str, fault: str = "") -> bytes:
    """The zip file that Python runs. Faults: `syntax` does not start, `later` fails for most pages."""
    path = Path(f"/tmp/trawl-release-{hashlib.sha256((version + fault).encode()).hexdigest()[:16]}.zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("__main__.py", "import yt_dlp\nyt_dlp.main()\n")
        for file in sorted(INSTALLED.rglob("*.py")):
            name = file.relative_to(INSTALLED).as_posix()
            compiled = file.parent / "__pycache__" / f"{file.stem}.{sys.implementation.cache_tag}.pyc"
            if name not in ("version.py", "extractor/generic.py") and compiled.exists():
                archive.writestr(f"yt_dlp/{name}c", compiled.read_bytes())  # Compiling 1500 extractors takes half a minute.
                continue
            text = file.read_text()
            if name == "version.py":
                text = re.sub(r"__version__ = '[^']*'", f"__version__ = '{version}'", text)
            if name == "extractor/generic.py" and fault == "later":
                text += BROKEN_LATER
            if name == "extractor/generic.py" and fault == "syntax":
                text += "\n)\n"
            archive.writestr(f"yt_dlp/{name}", text)
    data = path.read_bytes()
    path.unlink()
    return data


class Releases:
    """Behind nginx; `offer` makes a release the newest one."""

    def __init__(self, media: Path, prefix: Path):
        self.media = media
        self.origin = Origin(media, prefix)

    @property
    def index(self) -> str:
        return self.origin.url("latest.json")

    def offer(self, version: str, fault: str = "") -> None:
        folder = self.media / version
        folder.mkdir(exist_ok=True)
        data = program(version, "" if fault == "checksum" else fault)
        (folder / "yt-dlp").write_bytes(data)
        digest = hashlib.sha256(data + (b"x" if fault == "checksum" else b"")).hexdigest()
        (folder / "SHA2-256SUMS").write_text(f"{'0' * 64}  yt-dlp.exe\n{digest}  yt-dlp\n")
        assets = [{"name": name, "browser_download_url": self.origin.url(f"{version}/{name}")} for name in ("yt-dlp", "SHA2-256SUMS")]
        (self.media / "latest.json").write_text(json.dumps({"tag_name": version, "assets": assets}))

    def stop(self) -> None:
        self.origin.stop()
