from types import SimpleNamespace

import pytest

from trawl_engine import live

GENERIC = {'extractor_key': 'Generic', 'formats': [{'url': 'https://site.test/list.m3u8', 'protocol': 'm3u8_native', 'ext': 'mp4'}]}
OPEN, CLOSED = b'#EXTM3U\n#EXTINF:1,\n1.ts\n', b'#EXTM3U\n#EXTINF:1,\n1.ts\n#EXT-X-ENDLIST\n'


@pytest.mark.parametrize('playlist, is_live', [(OPEN, True), (CLOSED, False)])
def test_a_playlist_that_was_not_asked_is_asked_again(playlist, is_live):
    info, asked = {**GENERIC}, []
    live.settle_status(info, lambda one: asked.append(one['url']) or playlist, live.Stations())
    assert asked == ['https://site.test/list.m3u8'] and live.is_live(info) is is_live


@pytest.mark.parametrize('known', [{'live_status': 'is_live'}, {'is_live': True}, {'duration': 10}, {'extractor_key': 'Youtube'},
                                   {'formats': [{'url': 'https://site.test/v.mp4', 'protocol': 'https'}]}])
def test_what_is_known_is_not_asked_again(known):
    info = {**GENERIC, **known}
    live.settle_status(info, lambda one: pytest.fail('asked'), live.Stations())
    assert info == {**GENERIC, **known}


def test_without_an_answer_nothing_is_guessed():
    def fail(one):
        raise OSError('no answer')
    with pytest.raises(OSError, match='no answer'):
        live.settle_status({**GENERIC}, fail, live.Stations())


@pytest.mark.parametrize('headers, is_live', [
    ({'Content-Type': 'audio/mpeg', 'icy-name': 'Station'}, True),
    ({'Content-Type': 'application/ogg', 'Ice-Audio-Info': 'bitrate=64'}, True),
    ({'Content-Type': 'audio/mpeg', 'icy-name': 'Station', 'Content-Length': '1000'}, False),
    ({'Content-Type': 'audio/mpeg', 'Transfer-Encoding': 'chunked'}, False)])
def test_a_station_is_known_by_its_headers(headers, is_live):
    url, stations = 'http://site.test/air.mp3', live.Stations()
    stations.look_at(url, SimpleNamespace(url=url, headers=headers))
    info = {'extractor_key': 'Generic', 'direct': True, 'formats': [{'url': url, 'ext': 'mp3'}]}
    live.settle_status(info, lambda one: pytest.fail('asked'), stations)
    assert live.is_live(info) is is_live


def test_a_file_of_another_address_is_no_station():
    stations = live.Stations()
    stations.look_at('http://site.test/air.mp3', SimpleNamespace(url='http://site.test/air.mp3', headers={'icy-name': 'Station'}))
    info = {'extractor_key': 'Generic', 'direct': True, 'formats': [{'url': 'http://site.test/file.mp3', 'ext': 'mp3'}]}
    live.settle_status(info, lambda one: pytest.fail('asked'), stations)
    assert not live.is_live(info)
