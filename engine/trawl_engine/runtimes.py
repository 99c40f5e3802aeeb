"""What YouTube's pages need besides yt-dlp: a JavaScript runtime and a provider of PO tokens, where there are any."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from typing import Any

# By yt-dlp's name for it, best first, with the program and the oldest version that does.
RUNTIMES = (('deno', 'deno', (2, 3)), ('node', 'node', (22,)), ('quickjs', 'qjs', (2023,)), ('bun', 'bun', (1,)))
PROVIDERS = 'yt_dlp.extractor.youtube.pot._registry'
PATIENCE = 5  # Seconds for a program to say its version.


def find() -> list[dict[str, str]]:
    """All that are new enough, best first: {name, path, version}."""
    found = []
    for name, program, oldest in RUNTIMES:
        path = shutil.which(program)
        version = version_of(path, name) if path else None
        if path and version and version >= oldest:
            found.append({'name': name, 'path': path, 'version': '.'.join(map(str, version))})
    return found


def version_of(path: str, name: str) -> tuple[int, ...] | None:
    try:
        said = subprocess.run([path, '--help' if name == 'quickjs' else '--version'], capture_output=True, text=True, timeout=PATIENCE,
                              stdin=subprocess.DEVNULL, check=False)
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r'\d+(?:[.-]\d+)*', said.stdout)
    return tuple(int(part) for part in re.split(r'[.-]', match.group())) if match else None


def parameters(found: list[dict[str, str]]) -> dict[str, Any]:
    """For YoutubeDL: those it may start, and where they are. Versions that know no runtimes ignore it."""
    return {'js_runtimes': {one['name']: {'path': one['path']} for one in found}}


def provider_arguments(url: str) -> dict[str, dict[str, list[str]]]:
    """How plugins that ask a server for PO tokens are told where it is (bgutil-ytdlp-pot-provider): those of yt-dlp's own
    framework, and those from before it. Nothing else reads these."""
    return {'youtubepot-bgutilhttp': {'base_url': [url]}, 'youtube': {'getpot_bgutil_baseurl': [url]}} if url else {}


def providers() -> list[str]:
    """PO-token providers that plugins have registered, in a yt-dlp that knows them."""
    registry = sys.modules.get(PROVIDERS)
    known = getattr(getattr(registry, '_pot_providers', None), 'value', None) or {}
    return sorted(str(name) for name in known)[:20]
