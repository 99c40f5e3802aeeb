"""A part of a medium, and its chapters in it; a file for media servers."""
import xml.etree.ElementTree as ElementTree

import pytest
from trawl_engine import nfo, sections
from trawl_engine.errors import EngineError
from trawl_engine.request import Request

CHAPTERS = [{'title': 'Intro', 'start_time': 0, 'end_time': 10}, {'title': 'The middle', 'start_time': 10, 'end_time': 40},
            {'title': 'The end', 'start_time': 40, 'end_time': 60}]


def request(**fields):
    return Request.parse({'url': 'https://example.org/watch', 'work_dir': '/srv/job', **fields})


def no_manifest(_):
    raise AssertionError('it is no playlist')


def cut(**fields):
    info = {'duration': 60, 'chapters': CHAPTERS}
    sections.cut(info, request(**fields), no_manifest)
    return info.get('section_start'), info.get('section_end'), [(c['title'], c['start_time'], c['end_time']) for c in info['chapters']]


@pytest.mark.parametrize(('fields', 'expected'), [
    ({'section_start': 5, 'section_end': 15}, (5, 15, [('Intro', 0, 5), ('The middle', 5, 10)])),
    ({'section_end': 15}, (0, 15, [('Intro', 0, 10), ('The middle', 10, 15)])),
    ({'section_start': 30}, (30, 60, [('The middle', 0, 10), ('The end', 10, 30)])),
    ({'section_start': 50, 'section_end': 100}, (50, 60, [('The end', 0, 10)])),
    ({'section_chapter': 'MIDDLE'}, (10, 40, [('The middle', 0, 30)])),
    ({'section_start': 0}, (None, None, [(c['title'], c['start_time'], c['end_time']) for c in CHAPTERS])),
])
def test_a_part_begins_at_zero_and_keeps_its_chapters(fields, expected):
    assert cut(**fields) == expected


@pytest.mark.parametrize(('formats', 'afterwards'), [
    ([('m3u8_native', '#EXT-X-MAP:URI="init.mp4"')], True), ([('m3u8_native', '#EXTINF:2,')], False), ([('https', '#EXT-X-MAP')], False),
    ([('https', ''), ('m3u8_native', '#EXT-X-MAP:URI="init.mp4"')], True)])
def test_hls_with_an_initialisation_section_is_cut_afterwards(formats, afterwards):
    info = {'duration': 60, 'requested_formats': [{'protocol': protocol, 'text': text} for protocol, text in formats]}
    sections.cut(info, request(section_start=5, section_end=15), lambda chosen: chosen['text'])
    assert info.get('cut_afterwards') == ({'start': 5, 'length': 10} if afterwards else None)
    assert (info.get('section_start'), info['duration']) == (None if afterwards else 5, 10)


@pytest.mark.parametrize(('fields', 'reason'), [
    ({'section_start': 60}, 'bad_section'), ({'section_chapter': 'nowhere'}, 'chapter_not_found'),
    ({'section_start': 5, 'section_end': 5}, 'bad_request'), ({'section_start': -1}, 'bad_request'), ({'section_end': 1e9}, 'bad_request')])
def test_a_part_that_is_not_there_is_refused(fields, reason):
    with pytest.raises(EngineError) as refused:
        cut(**fields)
    assert refused.value.reason == reason


def test_an_nfo_says_what_is_known_whatever_the_site_wrote():
    text = nfo.make({'title': 'A <b>&\x00\x1b title', 'description': ']]>\n<script>', 'duration': 125, 'upload_date': '20240229', 'channel': 'C',
                     'uploader': 'U', 'categories': ['Music'], 'tags': ['a', 'b'], 'id': 'x1', 'extractor': 'generic'})
    root = ElementTree.fromstring(text)
    assert root.tag == 'movie'
    assert {child.tag: child.text for child in root} == {
        'title': 'A <b>& title', 'originaltitle': 'A <b>& title', 'plot': ']]>\n<script>', 'runtime': '2', 'premiered': '2024-02-29',
        'year': '2024', 'studio': 'C', 'director': 'U', 'genre': 'Music', 'tag': 'b', 'uniqueid': 'x1'}
    assert root.find('uniqueid').attrib == {'type': 'generic', 'default': 'true'}


def test_an_entry_of_a_playlist_is_an_episode():
    root = ElementTree.fromstring(nfo.make({'title': 'T', 'playlist': 'List', 'playlist_index': 3}))
    assert (root.tag, root.findtext('showtitle'), root.findtext('season'), root.findtext('episode')) == ('episodedetails', 'List', '1', '3')
