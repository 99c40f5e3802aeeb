"""What may leave a child, and which way: through the server's proxy, as http or https, as a browser that there is."""

from __future__ import annotations

import urllib.parse
from typing import Any

from yt_dlp.networking import Request
from yt_dlp.networking.impersonate import ImpersonateTarget
from yt_dlp.utils import determine_protocol

from .errors import EngineError

# A header by which yt-dlp's request handlers take a proxy for one request. Extractors set it from page data.
PROXY_HEADER = 'Ytdl-request-proxy'
# Downloaders of these open connections of their own, which no HTTP proxy sees.
DIRECT_PROTOCOLS = ('rtmp', 'rtsp', 'mms', 'ftp', 'websocket')
SCHEMES = frozenset(('http', 'https', 'data', ''))
# The answer of the host has to fit into one packet.
MAX_TARGETS = 100
MAX_TARGET_BYTES = 2500


def keep_credentials_at_their_origin() -> None:
    """yt-dlp's redirect handler takes a cookie header off, but leaves Authorization on for whoever comes next."""
    from yt_dlp.networking import _urllib
    original = getattr(_urllib.RedirectHandler, 'redirect_request', None)
    if original is None or getattr(original, 'of_trawl', False):
        return

    def redirect_request(self: Any, req: Any, *args: Any, **kwargs: Any) -> Any:
        following = original(self, req, *args, **kwargs)
        if following is not None and origin(following.full_url) != origin(req.full_url):
            following.headers.pop('Authorization', None)
        return following
    redirect_request.of_trawl = True  # type: ignore[attr-defined]
    _urllib.RedirectHandler.redirect_request = redirect_request


def origin(url: str) -> tuple[str, str]:
    parts = urllib.parse.urlsplit(url)
    return parts.scheme.lower(), parts.netloc.rpartition('@')[2].lower()


def through_the_proxy(req: Any) -> Any:
    """The request without a proxy of its own, so that the handlers use that of the job."""
    if isinstance(req, str):
        req = Request(req)
    if isinstance(req, Request):
        req.proxies = {}
        req.headers.pop(PROXY_HEADER, None)
    return req


def check_protocol(info: dict[str, Any]) -> None:
    protocol = determine_protocol(info)
    scheme = urllib.parse.urlsplit(str(info.get('url') or '')).scheme.lower()
    if protocol.startswith(DIRECT_PROTOCOLS) or scheme not in SCHEMES:
        raise EngineError('forbidden', 'scheme_not_allowed', f'media that come by {scheme or protocol} are not downloaded')


def targets(ydl: Any) -> list[str]:
    """What requests can look like, best first."""
    found: list[str] = []
    for target, _ in ydl._get_available_impersonate_targets():
        if str(target) not in found and sum(map(len, found)) + len(str(target)) < MAX_TARGET_BYTES:
            found.append(str(target))
    return found[:MAX_TARGETS]


def target(wanted: str, ydl: Any) -> ImpersonateTarget | None:
    if not wanted:
        return None
    try:
        found = ImpersonateTarget.from_str(wanted)
    except ValueError:
        raise EngineError('invalid', 'bad_request', f'{wanted!r} is not a browser such as chrome-124:windows-10') from None
    if not ydl._impersonate_target_available(found):
        raise EngineError('unsupported', 'impersonation_unavailable',
                          f'the engine cannot look like {wanted}: this needs the Python package curl_cffi, in a version that can')
    return found
