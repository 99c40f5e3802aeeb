"""What yt-dlp makes of manifests: a list of fragments, or one URL. A manifest as such never reaches a promise."""
import xml.etree.ElementTree as etree

import pytest
import yt_dlp

from trawl_engine import promise

SEGMENTS = {
    'numbers': '<SegmentTemplate timescale="1" duration="1" startNumber="1" initialization="i.mp4" media="$Number$.m4s"/>',
    'a timeline': '<SegmentTemplate timescale="1" initialization="i.mp4" media="$Time$.m4s"><SegmentTimeline><S t="0" d="1" r="1"/>'
                  '</SegmentTimeline></SegmentTemplate>',
    'a list': '<SegmentList duration="1"><Initialization sourceURL="i.mp4"/><SegmentURL media="1.m4s"/><SegmentURL media="2.m4s"/></SegmentList>',
}
WHOLE = {
    'a base URL': '<BaseURL>all.mp4</BaseURL>',
    'an index in the file': '<BaseURL>all.mp4</BaseURL><SegmentBase indexRange="0-99"><Initialization range="0-9"/></SegmentBase>',
}


def formats(segments, kind='static'):
    manifest = f'''<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="{kind}" mediaPresentationDuration="PT2S"><Period duration="PT2S">
        <AdaptationSet mimeType="video/mp4"><Representation id="v" bandwidth="1" codecs="avc1.42c00a">{segments}</Representation></AdaptationSet>
        </Period></MPD>'''
    extractor = yt_dlp.YoutubeDL({'quiet': True}).get_info_extractor('Generic')
    found, _ = extractor._parse_mpd_formats_and_subtitles(etree.fromstring(manifest), mpd_base_url='https://site.test/', mpd_url='https://site.test/a.mpd')
    return found


@pytest.mark.parametrize('segments', SEGMENTS.values(), ids=SEGMENTS)
def test_a_dash_manifest_becomes_a_list_of_fragments(segments):
    (found,) = formats(segments)
    fragments = [{**fragment, 'url': fragment.get('url') or 'https://site.test/' + fragment['path']} for fragment in found['fragments']]
    assert isinstance(found['fragments'], list) and promise.obstacle(found, {}) == ''
    assert [segment['url'].rsplit('/', 1)[1] for segment in promise.segments(fragments, '', bytes)][0] == 'i.mp4'
    assert len(fragments) == 3


@pytest.mark.parametrize('segments', WHOLE.values(), ids=WHOLE)
def test_a_dash_manifest_of_whole_files_becomes_their_url(segments):
    (found,) = formats(segments)
    assert 'fragments' not in found and found['url'] == 'https://site.test/all.mp4'
    assert promise.obstacle(found, {}) == ''
