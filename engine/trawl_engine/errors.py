"""Turns what yt-dlp raises into {code, reason, message}: the code says what a caller can do."""

from __future__ import annotations

import datetime
import email.utils
import errno
import math
import os
import re
from collections.abc import Iterator

MAX_MESSAGE = 500


class EngineError(Exception):
    def __init__(self, code: str, reason: str, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.code, self.reason, self.message = code, reason, message
        self.retry_after = retry_after  # Seconds for which the site asks to be left alone.

    def fields(self) -> dict[str, str | int | None]:
        return {'code': self.code, 'reason': self.reason, 'message': clean(self.message), 'retry_after': self.retry_after}


# First match wins, so the particular stands before the general. Codes are those of trawl::Errc.
MESSAGES: tuple[tuple[str, str, str], ...] = (
    (r'no space left on device|disk quota exceeded', 'no_space', 'no_space'),
    (r'larger than max-filesize|file too large', 'too_large', 'too_large'),
    (r'invalid format specification', 'invalid', 'bad_format_selector'),
    (r'requested format is not available', 'not_found', 'format_not_available'),
    (r'unusual and will be skipped for safety', 'forbidden', 'unsafe_extension'),
    (r'ffmpeg(-location \S+)? (not found|is not installed|could not be found|does not exist)|ffprobe (and ffmpeg )?not found',
     'internal', 'ffmpeg_missing'),
    (r"invalid ipv6 url|cannot be in brackets|ipvfuture address|does not appear to be an ipv4 or ipv6|contains invalid characters"
     r"|'idna' codec|can't contain control characters|invalid header value|no host given|nonnumeric port"
     r'|port (could not be cast|out of range)', 'invalid', 'invalid_url'),
    (r'unsupported url|is not a valid url|no suitable extractor|unsupported url scheme', 'unsupported', 'unsupported_url'),
    (r'drm[ -]protected|use[sd]? drm|protected by drm', 'unsupported', 'drm'),
    (r'(from|in|to) your (country|location|region|area)\b|geo.?(restrict|block)', 'forbidden', 'geo_blocked'),
    (r'private video|(video|post|account|profile|playlist|channel|media) is private|is a private', 'forbidden', 'private'),
    (r'event will begin|(premieres?|premiere will begin) in |not currently live|is offline|has not (yet )?started|not started yet'
     r'|is not live yet', 'unavailable', 'live_not_started'),
    (r'too many requests|rate.?limit', 'rate_limited', 'rate_limited'),
    (r'age.?(restrict|limit|gate|verif)|(confirm|verify) your age|inappropriate for some users|adults? only|mature (content|audience)',
     'unauthorized', 'age_restricted'),
    (r'live (event|stream|broadcast|video) has ended|stream (is|has) (over|ended)', 'not_found', 'live_ended'),
    (r'registered users|log ?in\b|sign ?in\b|--cookies|authenticat|credentials|members.only|join this channel|subscribers',
     'unauthorized', 'login_required'),
    (r'(been|was) (removed|deleted|terminated|taken down)|removed by|no longer (available|exists)|account (associated|terminated)'
     r'|video (is )?unavailable|(video|post|page|media|clip|content) (does not|doesn\'t) exist', 'not_found', 'removed'),
    (r'no video formats found|no media found|no video could be found|there(\'s| is) no video|unable to find video'
     r'|only images are available', 'unsupported', 'no_media_found'),
    (r'tunnel connection failed: 403', 'forbidden', 'address_not_allowed'),
)

STATUSES: dict[int, tuple[str, str]] = {
    # A redirect that was not followed: it leads to no http or https address.
    **dict.fromkeys((301, 302, 303, 307, 308), ('forbidden', 'redirect_not_allowed')),
    401: ('unauthorized', 'login_required'),
    403: ('unavailable', 'origin_forbidden'),
    404: ('not_found', 'http_404'),
    410: ('not_found', 'http_404'),
    416: ('unavailable', 'network_error'),
    429: ('rate_limited', 'rate_limited'),
    451: ('forbidden', 'geo_blocked'),
}

TIMEOUT = re.compile(r'timed out|timeout', re.IGNORECASE)
NETWORK = re.compile(
    r'connection (refused|reset|aborted)|unable to connect|name resolution|name or service not known|getaddrinfo|remote end closed'
    r'|network is unreachable|no route to host|content too short|bytes read|eof occurred', re.IGNORECASE)
STATUS_TEXT = re.compile(r'HTTP Error (\d{3})')


def classify(error: BaseException, work_dir: str = '') -> EngineError:
    chain = list(causes(error))
    for link in chain:
        if isinstance(link, EngineError):
            return link
    message = clean(str(error) or type(error).__name__, work_dir)
    code, reason = _by_type(chain) or _by_message(chain) or _by_status(chain) or _by_network(chain) or _by_stage(chain)
    return EngineError(code, reason, message, _retry_after(chain))


def extractor_of(error: BaseException) -> str:
    """The name of the extractor that failed; nothing when none did."""
    return next((str(name)[:64] for link in causes(error) if (name := getattr(link, 'ie', None))), '')


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """The exception and all it came from. yt-dlp hides originals in `exc_info` and `cause`."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        link = waiting.pop(0)
        if not isinstance(link, BaseException) or id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        waiting += [(getattr(link, 'exc_info', None) or (None, None))[1], getattr(link, 'cause', None),
                    *getattr(link, 'unexpected_errors', ()), link.__cause__, link.__context__]


def _names(link: BaseException) -> set[str]:
    return {kind.__name__ for kind in type(link).__mro__}


def _by_type(chain: list[BaseException]) -> tuple[str, str] | None:
    for link in chain:
        if isinstance(link, OSError) and link.errno in (errno.ENOSPC, errno.EDQUOT):
            return 'no_space', 'no_space'
        if isinstance(link, OSError) and link.errno == errno.EFBIG:
            return 'too_large', 'too_large'
        if isinstance(link, MemoryError):
            return 'too_large', 'out_of_memory'
    for name, verdict in (('UnsupportedError', ('unsupported', 'unsupported_url')),
                          ('GeoRestrictedError', ('forbidden', 'geo_blocked')),
                          ('UserNotLive', ('unavailable', 'live_not_started')),
                          ('CookieLoadError', ('invalid', 'bad_cookies')),
                          ('_UnsafeExtensionError', ('forbidden', 'unsafe_extension'))):
        if any(name in _names(link) for link in chain):
            return verdict
    return None


def _by_message(chain: list[BaseException]) -> tuple[str, str] | None:
    texts = [str(link) for link in chain]
    for pattern, code, reason in MESSAGES:
        if any(re.search(pattern, text, re.IGNORECASE) for text in texts):
            return code, reason
    return None


def _by_status(chain: list[BaseException]) -> tuple[str, str] | None:
    for link in chain:
        if getattr(link, 'redirect_loop', False):
            return 'unavailable', 'too_many_redirects'
        status = getattr(link, 'status', None) if 'HTTPError' in _names(link) else None
        if status is None and (found := STATUS_TEXT.search(str(link))):
            status = int(found.group(1))
        if status is not None:
            return STATUSES.get(status, ('unavailable', 'origin_error'))
    return None


def _retry_after(chain: list[BaseException]) -> int | None:
    """What the answer that was no success says of it: a number of seconds, or a date."""
    for link in chain:
        headers = getattr(getattr(link, 'response', None), 'headers', None) if 'HTTPError' in _names(link) else None
        text = str(headers.get('Retry-After') or '').strip() if headers else ''
        if text.isascii() and text.isdigit():
            return min(int(text[:10]), 1 << 30)
        if text:
            try:
                then = email.utils.parsedate_to_datetime(text)
            except ValueError:
                continue
            if then.tzinfo is None:
                then = then.replace(tzinfo=datetime.timezone.utc)
            return max(0, math.ceil((then - datetime.datetime.now(datetime.timezone.utc)).total_seconds()))
    return None


def _by_network(chain: list[BaseException]) -> tuple[str, str] | None:
    if any(isinstance(link, TimeoutError) for link in chain):
        return 'timeout', 'origin_timeout'
    names = set().union(*map(_names, chain))
    network = names & {'TransportError', 'ContentTooShortError'} or any(
        isinstance(link, ConnectionError) or NETWORK.search(str(link)) for link in chain)
    if (network or 'UnavailableVideoError' in names) and any(TIMEOUT.search(str(link)) for link in chain):
        return 'timeout', 'origin_timeout'
    if 'CertificateVerifyError' in names:
        return 'forbidden', 'certificate_invalid'
    if 'SSLError' in names:
        return 'unavailable', 'tls_error'
    return ('unavailable', 'network_error') if network else None


def _by_stage(chain: list[BaseException]) -> tuple[str, str]:
    names = set().union(*map(_names, chain))
    if 'PostProcessingError' in names:
        return 'internal', 'ffmpeg_failed'
    if 'ExtractorError' in names:
        expected = any(getattr(link, 'expected', False) for link in chain)
        return ('not_found', 'media_unavailable') if expected else ('unsupported', 'extractor_broken')
    if 'DownloadError' in names or 'UnavailableVideoError' in names:
        return 'unavailable', 'download_failed'
    return 'internal', 'engine_error'


ANSI = re.compile(r'\x1b\[[0-9;?]*[A-Za-z]')
BOILERPLATE = re.compile(
    r'[;.,:]?\s*(please report this issue on\b|confirm you are on the latest version|\(caused by |Use --|See  ?https://github\.com/yt-dlp'
    r'|Consider adding --|You might want to use a VPN).*', re.IGNORECASE | re.DOTALL)
LOCAL_PATH = re.compile(r'(?<![\w:/.%?=&-])/(?:[\w.+@~-]+/)+([\w.+@~-]*)')


def clean(message: str, work_dir: str = '') -> str:
    """One line for people: no colours, no advice for yt-dlp's own command line, no paths of this machine."""
    message = ANSI.sub('', message)
    message = re.sub(r'^\s*(ERROR:\s*)+', '', message)
    message = BOILERPLATE.sub('', message)
    if work_dir:
        message = message.replace(os.path.join(work_dir, ''), '').replace(work_dir, '.')
    message = LOCAL_PATH.sub(r'\1', message)
    message = re.sub(r'\s+', ' ', message).strip()
    return (message if len(message) <= MAX_MESSAGE else message[:MAX_MESSAGE - 1] + '…') or 'unknown error'
