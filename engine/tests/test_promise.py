import http.cookiejar
import time

import pytest

from trawl_engine import promise
from trawl_engine.promise import Unmappable
from trawl_engine.wire import MAX_MESSAGE, encode

DIRECT = {'url': 'https://site.test/v.mp4', 'ext': 'mp4'}
HLS = {'url': 'https://site.test/list.m3u8', 'ext': 'mp4', 'protocol': 'm3u8_native'}
DASH = {'url': 'https://site.test/media.mpd', 'ext': 'mp4', 'protocol': 'http_dash_segments', 'fragments': [{'url': 'https://site.test/1'}]}
PARAMS = {'hls_prefer_native': True}

NATIVE = [
    DIRECT,
    {**DIRECT, 'url': 'http://site.test/v.mp4'},
    {**DIRECT, 'protocol': 'https', 'http_headers': {'Referer': 'https://site.test/', 'User-Agent': 'x', 'Cookie': 'a=b'}},
    {**DIRECT, 'downloader_options': {'http_chunk_size': 10 << 20}},
    {**DIRECT, 'downloader_options': {'ffmpeg_args': ['-seekable', '0']}},
    {**DIRECT, 'is_live': False, 'has_drm': False, 'impersonate': None},
    HLS,
    {**HLS, 'protocol': 'm3u8'},
    {**HLS, 'protocol': None},
    {**HLS, 'hls_aes': {'key': '0x' + 32 * '0'}, 'extra_param_to_segment_url': 'a=b'},
    DASH,
]

DELEGATED = [
    ({**DIRECT, 'is_live': True}, 'live'),
    ({**HLS, 'is_live': True}, 'live'),
    ({**DASH, 'is_live': True}, 'live'),
    ({**DASH, 'is_from_start': True}, 'live'),
    ({**DASH, 'protocol': 'http_dash_segments_generator'}, 'protocol'),
    ({**DASH, 'fragments': iter(())}, 'one by one'),
    ({**DASH, 'fragments': lambda ctx: ()}, 'one by one'),
    ({**DASH, 'fragments': None}, 'one by one'),
    ({**DIRECT, 'section_start': 1}, 'section'),
    ({**HLS, 'section_end': 1}, 'section'),
    ({**DIRECT, 'has_drm': True}, 'DRM'),
    ({**DIRECT, 'has_drm': 'maybe'}, 'DRM'),
    ({**DIRECT, 'impersonate': 'chrome'}, 'impersonation'),
    ({**DIRECT, 'impersonate': True}, 'impersonation'),
    ({**DIRECT, 'request_data': b''}, 'POST'),
    ({**DIRECT, 'downloader_options': {'cookies': 'x'}}, 'downloader option'),
    ({**DIRECT, 'downloader_options': {'http_chunk_size': '10M'}}, 'chunk size'),
    ({**DIRECT, 'downloader_options': {'http_chunk_size': -1}}, 'chunk size'),
    ({**DIRECT, 'downloader_options': {'http_chunk_size': float('inf')}}, 'chunk size'),
    ({**DIRECT, 'http_headers': {'range': 'bytes=0-1'}}, 'header'),
    ({**DIRECT, 'http_headers': {'Ytdl-request-proxy': 'http://x'}}, 'header'),
    ({**DIRECT, 'http_headers': {'A': 'b\r\nc: d'}}, 'header'),
    ({**DIRECT, 'http_headers': {'A b': 'c'}}, 'header'),
    ({**DIRECT, 'url': 'data:video/mp4;base64,AAAA'}, 'protocol'),
    ({**DIRECT, 'url': 'data:video/mp4;base64,AAAA', 'protocol': 'https'}, 'URL begins'),
    ({**DIRECT, 'url': 'ftp://site.test/v.mp4'}, 'protocol'),
    ({**DIRECT, 'url': 'https://me:secret@site.test/v.mp4'}, 'password'),
    ({**DIRECT, 'url': 'https://[x/v.mp4', 'protocol': 'https'}, 'not valid'),
    ({**DIRECT, 'url': 'https://site.test/' + 'x' * promise.MAX_URL}, 'too long'),
    ({**HLS, 'ext': 'vtt'}, 'subtitles'),
    ({**DIRECT, 'protocol': 'https+https'}, 'protocol'),
    *(({**DIRECT, 'protocol': name}, 'protocol') for name in (
        'rtmp', 'rtmpe', 'rtmp_ffmpeg', 'mms', 'rtsp', 'f4m', 'ism', 'mhtml', 'websocket_frag', 'fc2_live', 'niconico_live',
        'youtube_live_chat', 'bunnycdn', 'soopvod', 'm3u8_ffmpeg', 'anything')),
]


@pytest.mark.parametrize('info', NATIVE)
def test_the_server_downloads(info):
    assert promise.obstacle(info, PARAMS) == ''


@pytest.mark.parametrize(('info', 'reason'), DELEGATED)
def test_yt_dlp_downloads(info, reason):
    assert reason in promise.obstacle(info, PARAMS)


@pytest.mark.parametrize('option', promise.UNMAPPED)
def test_yt_dlp_downloads_with_options_the_server_lacks(option):
    assert option in promise.obstacle(DIRECT, {**PARAMS, option: 'x'})


def test_subtitles_are_native_in_one_piece_only():
    words = {'url': 'https://site.test/words.vtt', 'ext': 'vtt'}
    assert promise.obstacle(words, PARAMS, subtitle=True) == ''
    assert promise.obstacle({**words, 'protocol': 'm3u8_native'}, PARAMS, subtitle=True)
    assert promise.obstacle({**DASH, 'ext': 'ttml'}, PARAMS, subtitle=True)


def test_m3u8_is_native_only_where_yt_dlp_would_not_use_ffmpeg():
    assert promise.obstacle({**HLS, 'protocol': 'm3u8'}, {})


def make(info, jar=(), params=PARAMS, fetch=None):
    return promise.make('media.mp4', info, params, jar, fetch)


def test_a_direct_part():
    part = make({**DIRECT, 'url': 'https://site.test/a/../ö?q=ä', 'format_id': '22', 'filesize': 7.0,
                 'http_headers': {'Referer': 'r', 'cookie': 'no', 'Host': 'no', 'Accept-Encoding': 'gzip'},
                 'downloader_options': {'http_chunk_size': 1000}})
    assert part == {'name': 'media.mp4', 'format_id': '22', 'headers': {'Referer': 'r'}, 'cookies': [],
                    'url': 'https://site.test/%C3%B6?q=%C3%A4', 'size': 7, 'chunk_size': 1000, 'segments': [], 'small': False,
                    'optional': False, 'digest': False}


@pytest.mark.parametrize('size', [None, 0, -1, 'x', float('inf'), float('nan'), 1 << 60, []])
def test_a_size_that_is_none_is_left_out(size):
    assert make({**DIRECT, 'filesize': size})['size'] is None


def fragment(**more):
    return {'url': 'https://site.test/1', 'media_sequence': 258, **more}


def test_segments_with_ranges_and_keys():
    found = promise.segments([
        fragment(byte_range={'start': 10, 'end': 20}, decrypt_info={'METHOD': 'NONE'}),
        fragment(decrypt_info={'METHOD': 'AES-128', 'URI': 'https://keys.test/k'}),
        fragment(decrypt_info={'METHOD': 'AES-128', 'URI': 'https://keys.test/k', 'IV': bytes(15) + b'\x07', 'KEY': b'0123456789abcdef'}),
        fragment(decrypt_info={'METHOD': 'AES-128', 'URI': 'data:;base64,x'}),
        fragment(decrypt_info={'METHOD': 'AES-128', 'URI': 'data:;base64,x'}),
    ], '', lambda url, once=iter([b'fedcba9876543210']): next(once))
    url = 'https://site.test/1'
    derived = '00000000000000000000000000000102'
    assert found == [
        {'url': url, 'range': {'first': 10, 'last': 19}},
        {'url': url, 'key_url': 'https://keys.test/k', 'iv': derived},
        {'url': url, 'key': b'0123456789abcdef'.hex(), 'iv': '0' * 31 + '7'},
        {'url': url, 'key': b'fedcba9876543210'.hex(), 'iv': derived},
        {'url': url, 'key': b'fedcba9876543210'.hex(), 'iv': derived},
    ]


def test_the_site_may_name_another_key():
    found = promise.segments([fragment(decrypt_info={'METHOD': 'AES-128', 'URI': 'skd://x'})], 'https://keys.test/real', None)
    assert found[0]['key_url'] == 'https://keys.test/real'


@pytest.mark.parametrize('fragments', [
    [],
    [fragment(decrypt_info={'METHOD': 'SAMPLE-AES'})],
    [fragment(decrypt_info={'METHOD': 'AES-128-CTR'})],
    [fragment(decrypt_info={'METHOD': 'AES-128', 'URI': 'skd://x'})],
    [fragment(decrypt_info={'METHOD': 'AES-128', 'KEY': bytes(24)})],
    [fragment(decrypt_info={'METHOD': 'AES-128', 'KEY': bytes(16), 'IV': bytes(17)})],
    [fragment(byte_range={'start': 5, 'end': 5})],
    [fragment(byte_range={'start': -5, 'end': 5})],
    [fragment(url='data:video/mp2t;base64,AAAA')],
    [fragment(url='file:///etc/passwd')],
    [fragment()] * (promise.MAX_SEGMENTS + 1),
    [fragment(url='https://site.test/' + 'x' * 30_000)] * 1200,
])
def test_what_has_no_place_in_a_promise_is_left_to_yt_dlp(fragments):
    with pytest.raises(Unmappable):
        promise.segments(fragments, '', None)


def cookie(domain, name='n', **more):
    fields = {'path': '/', 'secure': False, 'expires': None, **more}
    return http.cookiejar.Cookie(0, name, 'v', None, False, domain, True, domain.startswith('.'), fields['path'], True,
                                 fields['secure'], fields['expires'], False, None, None, {})


def test_cookies_go_along_with_their_scope_and_only_where_they_may():
    jar = [cookie('.site.test', 'all'), cookie('cdn.site.test', 'one', path='/p', secure=True), cookie('site.test', 'parent'),
           cookie('.other.test'), cookie('.test.', 'odd'), cookie('.dn.site.test', 'suffix'),
           cookie('.site.test', 'old', expires=time.time() - 10), cookie('localhost.local', 'plain')]
    part = make({**HLS, 'fragments': [fragment(url='https://cdn.site.test/1'), fragment(url='http://localhost/2')]}, jar)
    assert part['cookies'] == [
        {'name': 'all', 'value': 'v', 'domain': 'site.test', 'host_only': False, 'path': '/', 'secure': False},
        {'name': 'one', 'value': 'v', 'domain': 'cdn.site.test', 'host_only': True, 'path': '/p', 'secure': True},
        {'name': 'plain', 'value': 'v', 'domain': 'localhost', 'host_only': True, 'path': '/', 'secure': False},
    ]


def test_an_address_has_no_subdomains():
    part = make({**DIRECT, 'url': 'http://127.0.0.1/v.mp4'}, [cookie('.127.0.0.1')])
    assert part['cookies'][0]['host_only']


def test_the_host_of_the_key_gets_its_cookies():
    part = make({**HLS, 'fragments': [fragment(decrypt_info={'METHOD': 'AES-128', 'URI': 'https://keys.test/k'})]}, [cookie('keys.test')])
    assert len(part['cookies']) == 1


def test_a_long_list_goes_in_several_messages():
    part = make({**HLS, 'fragments': [fragment(url=f'https://site.test/{"x" * 20_000}/{n}') for n in range(1000)]})
    sent = list(promise.messages(part))
    assert len(sent) > 2
    assert [message['more'] for message in sent] == [True] * (len(sent) - 1) + [False]
    assert all(len(encode(message)) < MAX_MESSAGE / 2 for message in sent)
    assert [segment for message in sent for segment in message['part']['segments']] == part['segments']
    assert sent[0]['part']['headers'] == part['headers']
    assert sent[1]['part'].keys() == {'name', 'segments'}


def test_a_direct_part_goes_in_one_message():
    assert list(promise.messages(make(DIRECT))) == [{'event': 'promise', 'part': make(DIRECT), 'more': False}]
