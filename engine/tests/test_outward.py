import pytest
from yt_dlp.networking import Request

from trawl_engine import outward
from trawl_engine.errors import EngineError


def test_a_request_cannot_bring_a_proxy_of_its_own():
    asked = Request('http://example.org/', headers={'Ytdl-Request-Proxy': 'http://10.0.0.5:80', 'Referer': 'x'}, proxies={'all': 'http://10.0.0.5'})
    sent = outward.through_the_proxy(asked)
    assert sent.proxies == {} and dict(sent.headers) == {'Referer': 'x'}
    assert outward.through_the_proxy('http://example.org/a').url == 'http://example.org/a'


@pytest.mark.parametrize('info', [
    {'url': 'rtmp://example.org/live'}, {'url': 'rtmpe://example.org/live'}, {'url': 'rtsp://example.org/'}, {'url': 'mms://example.org/'},
    {'url': 'ftp://example.org/a.mp4'}, {'url': 'file:///etc/passwd'}, {'url': 'http://example.org/', 'protocol': 'rtmp_ffmpeg'},
    {'url': 'wss://example.org/', 'protocol': 'websocket_frag'}, {'url': 'gopher://example.org/', 'protocol': 'http'},
    {'url': 'file:///etc/passwd', 'protocol': 'm3u8_native'}, {'url': 'concat:/etc/passwd', 'protocol': 'm3u8'},
])
def test_what_would_go_round_the_proxy_is_refused(info):
    with pytest.raises(EngineError) as refused:
        outward.check_protocol(info)
    assert (refused.value.code, refused.value.reason) == ('forbidden', 'scheme_not_allowed')


@pytest.mark.parametrize('info', [
    {'url': 'http://example.org/a.mp4'}, {'url': 'HTTPS://example.org/a.mp4'}, {'url': 'https://example.org/a.m3u8', 'protocol': 'm3u8_native'},
    {'url': 'https://example.org/', 'protocol': 'http_dash_segments'}, {'url': 'data:text/vtt,x', 'protocol': 'http'},
    {'fragments': [], 'protocol': 'http_dash_segments'}, {'url': 'https://example.org/', 'protocol': 'ism'},
])
def test_the_web_is_not(info):
    outward.check_protocol(info)


class Handlers:
    def __init__(self, targets):
        self._targets = targets

    def _get_available_impersonate_targets(self):
        return [(target, 'x') for target in self._targets]

    def _impersonate_target_available(self, target):
        return any(str(target) == name for name in self._targets)


def test_targets_are_listed_once_and_fit_into_a_packet():
    assert outward.targets(Handlers(['chrome-124', 'chrome-124', 'safari'])) == ['chrome-124', 'safari']
    assert sum(map(len, outward.targets(Handlers([f'browser-{n}' * 20 for n in range(500)])))) < 2500


def test_a_browser_that_is_not_there_is_a_clear_error():
    assert outward.target('', Handlers([])) is None
    assert str(outward.target('chrome', Handlers(['chrome']))) == 'chrome'
    with pytest.raises(EngineError) as refused:
        outward.target('chrome', Handlers([]))
    assert refused.value.reason == 'impersonation_unavailable' and 'curl_cffi' in refused.value.message
    with pytest.raises(EngineError) as refused:
        outward.target('a:b:c:d', Handlers([]))
    assert refused.value.reason == 'bad_request'


@pytest.mark.parametrize(('to', 'kept'), [('http://example.org/b', True), ('https://example.org/b', False), ('http://example.org:81/b', False),
                                          ('http://other.example/b', False)])
def test_a_redirect_to_another_origin_loses_the_authorization(to, kept):
    import io
    import urllib.request
    from yt_dlp.networking import _urllib
    outward.keep_credentials_at_their_origin()
    outward.keep_credentials_at_their_origin()
    asked = urllib.request.Request('http://example.org/a', headers={'Authorization': 'Basic x', 'Cookie': 'a=b', 'X-Mine': 'y'})
    following = _urllib.RedirectHandler().redirect_request(asked, io.BytesIO(), 302, 'Found', {}, to)
    assert ('Authorization' in following.headers) == kept
    assert 'Cookie' not in following.headers and following.headers['X-mine'] == 'y'
