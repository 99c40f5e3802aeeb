import datetime
import errno
import io
import sys

import pytest
from yt_dlp.networking import Response
from yt_dlp.networking.exceptions import CertificateVerifyError, HTTPError, IncompleteRead, NoSupportingHandlers, ProxyError, SSLError, TransportError
from yt_dlp.postprocessor.ffmpeg import FFmpegPostProcessorError
from yt_dlp.utils import (
    DownloadError, ExtractorError, GeoRestrictedError, PostProcessingError, UnavailableVideoError, UnsupportedError, UserNotLive)

from trawl_engine.errors import EngineError, classify, clean


def reported(error):
    """As YoutubeDL.trouble() does: a DownloadError around what an extractor raised."""
    try:
        try:
            raise error
        except Exception:
            raise DownloadError(f'ERROR: {error}', sys.exc_info())
    except DownloadError as wrapped:
        return wrapped


def caused(outer, inner):
    outer.__cause__ = inner
    return outer


@pytest.mark.parametrize(('text', 'reason'), [
    ('This video is DRM protected', 'drm'),
    ('The requested site is known to use DRM protection. It will NOT be supported.', 'drm'),
    ("Private video. Sign in if you've been granted access to this video", 'private'),
    ('This video is private', 'private'),
    ('Sign in to confirm your age. This video may be inappropriate for some users.', 'age_restricted'),
    ('This video is age-restricted; some formats may be missing without authentication', 'age_restricted'),
    ('Age verification required to view this post', 'age_restricted'),
    ('This live event has ended.', 'live_ended'),
    ('This account is private', 'private'),
    ('This clip is no longer available due to a copyright claim', 'removed'),
    ('Video unavailable. This video contains content from X, who has blocked it in your country on copyright grounds', 'geo_blocked'),
    ('The channel is not currently live', 'live_not_started'),
    ('This content requires a subscription. Log in with --username', 'login_required'),
    ("Sign in to confirm you're not a bot. Use --cookies-from-browser or --cookies for the authentication", 'login_required'),
    ('This video is only available for registered users. Use --cookies, --username and --password', 'login_required'),
    ('Join this channel to get access to members-only content', 'login_required'),
    ('The uploader has not made this video available in your country', 'geo_blocked'),
    ('This video has been removed by the uploader', 'removed'),
    ('Video unavailable. This video is no longer available', 'removed'),
    ('This live event will begin in 3 hours.', 'live_not_started'),
    ('Premieres in 2 days', 'live_not_started'),
    ('Requested format is not available. Use --list-formats for a list of available formats', 'format_not_available'),
    ('No video formats found!', 'no_media_found'),
    ('Unable to download webpage: HTTP Error 404: Not Found', 'http_404'),
    ('Unable to download webpage: HTTP Error 403: Forbidden', 'origin_forbidden'),
    ('Unable to download webpage: HTTP Error 429: Too Many Requests', 'rate_limited'),
    ('Unable to download webpage: HTTP Error 503: Service Unavailable', 'origin_error'),
    ('Unable to download webpage: HTTP Error 401: Unauthorized', 'login_required'),
    ('Something the site says', 'media_unavailable'),
])
def test_what_an_extractor_says_has_a_stable_reason(text, reason):
    assert classify(reported(ExtractorError(text, expected=True))).reason == reason


@pytest.mark.parametrize(('error', 'code', 'reason'), [
    (UnsupportedError('https://example.org/'), 'unsupported', 'unsupported_url'),
    (GeoRestrictedError('Not here', countries=['DE']), 'forbidden', 'geo_blocked'),
    (UserNotLive(), 'unavailable', 'live_not_started'),
    (ExtractorError('Unable to extract title'), 'unsupported', 'extractor_broken'),
    (TransportError('Connection refused'), 'unavailable', 'network_error'),
    (TransportError('The read operation timed out', cause=TimeoutError()), 'timeout', 'origin_timeout'),
    (IncompleteRead(10, 20), 'unavailable', 'network_error'),
    (CertificateVerifyError('certificate has expired'), 'forbidden', 'certificate_invalid'),
    (SSLError('handshake failure'), 'unavailable', 'tls_error'),
    (ProxyError('Tunnel connection failed: 403 Forbidden'), 'forbidden', 'address_not_allowed'),
    (OSError(errno.ENOSPC, 'No space left on device'), 'no_space', 'no_space'),
    (UnavailableVideoError(OSError(errno.ENOSPC, 'No space left on device')), 'no_space', 'no_space'),
    (OSError(errno.EFBIG, 'File too large'), 'too_large', 'too_large'),
    (FFmpegPostProcessorError('Conversion failed!'), 'internal', 'ffmpeg_failed'),
    (PostProcessingError('ffmpeg not found. Please install or provide the path using --ffmpeg-location'), 'internal', 'ffmpeg_missing'),
    (FFmpegPostProcessorError('av_interleaved_write_frame(): No space left on device'), 'no_space', 'no_space'),
    (MemoryError(), 'too_large', 'out_of_memory'),
    (NoSupportingHandlers([], [MemoryError()]), 'too_large', 'out_of_memory'),
    (KeyError('title'), 'internal', 'engine_error'),
])
def test_an_exception_has_a_stable_code_and_reason(error, code, reason):
    for raised in (error, reported(error)):
        if reason == 'engine_error' and raised is not error:
            continue
        found = classify(raised)
        assert (found.code, found.reason) == (code, reason)


def refused(status, **headers):
    return HTTPError(Response(io.BytesIO(), 'https://site.test/', {name.replace('_', '-'): value for name, value in headers.items()}, status))


@pytest.mark.parametrize(('header', 'seconds'), [
    ({'Retry_After': '120'}, 120), ({'retry_after': ' 7 '}, 7), ({'Retry_After': '9' * 40}, 1 << 30), ({}, None), ({'Retry_After': 'soon'}, None), ({'Retry_After': '-5'}, None),
    ({'Retry_After': 'Wed, 21 Oct 2015 07:28:00 GMT'}, 0),
])
@pytest.mark.parametrize('status', [429, 503])
def test_what_a_site_says_of_the_next_time_is_passed_on(status, header, seconds):
    found = classify(reported(caused(ExtractorError('Unable to download webpage'), refused(status, **header))))
    assert found.fields()['retry_after'] == seconds
    assert found.reason == {429: 'rate_limited', 503: 'origin_error'}[status]


def test_a_date_counts_from_now():
    then = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=90)
    found = classify(refused(429, Retry_After=then.strftime('%a, %d %b %Y %H:%M:%S GMT')))
    assert 88 <= found.retry_after <= 91


def test_our_own_error_comes_through_whatever_wraps_it():
    ours = EngineError('too_large', 'too_large', 'too much')
    assert classify(reported(caused(ExtractorError('outer'), ours))) is ours


@pytest.mark.parametrize(('raw', 'cleaned'), [
    ('\x1b[0;31mERROR:\x1b[0m [site] 1: Gone', '[site] 1: Gone'),
    ('Unable to extract title; please report this issue on  https://github.com/yt-dlp/yt-dlp/issues?q= , filling out', 'Unable to extract title'),
    ('No such format. Use --list-formats for a list', 'No such format'),
    ('Unable to download webpage: HTTP Error 404: Not Found (caused by <HTTPError 404: Not Found>)',
     'Unable to download webpage: HTTP Error 404: Not Found'),
    ("[Errno 2] No such file or directory: '/srv/job/media.mp4'", "[Errno 2] No such file or directory: 'media.mp4'"),
    ("cannot open '/usr/lib/python3/x.py'", "cannot open 'x.py'"),
    ('Unsupported URL: https://example.org/a/b?c=/d/e/f', 'Unsupported URL: https://example.org/a/b?c=/d/e/f'),
    ('two\n  lines', 'two lines'),
    ('', 'unknown error'),
])
def test_messages_are_for_people(raw, cleaned):
    assert clean(raw, '/srv/job') == cleaned


def test_messages_are_bounded():
    assert len(clean('x' * 10_000)) == 500
