import pytest

from trawl_engine.errors import EngineError
from trawl_engine.options import NEVER, parameters, postprocessors
from trawl_engine.request import Request


def request(**fields):
    return Request.parse({'url': 'https://example.org/watch', 'work_dir': '/srv/job', **fields})


def keys(**fields):
    return [step['key'] for step in postprocessors(request(**fields))]


def test_nothing_is_read_or_written_outside_the_work_folder():
    params = parameters(request(), '')
    assert params['cachedir'] is False
    assert params['outtmpl'] == {'default': 'media.%(ext)s', 'chapter': 'media.chapter%(section_number)03d.%(ext)s'}
    assert not {'config_locations', 'exec_cmd'} & params.keys()
    assert not any(params[name] for name in ('usenetrc', 'cookiesfrombrowser', 'external_downloader'))


def test_a_fragment_is_never_left_out():
    assert parameters(request(), '')['skip_unavailable_fragments'] is False


def test_the_proxy_is_always_set_so_that_the_environment_does_not_count():
    assert parameters(request(), '')['proxy'] == ''
    assert parameters(request(proxy='http://t:x@127.0.0.1:1'), '')['proxy'] == 'http://t:x@127.0.0.1:1'


def test_a_rate_limit_holds_for_all_connections_together():
    params = parameters(request(rate_limit=1000), '')
    assert (params['ratelimit'], params['concurrent_fragment_downloads']) == (1000, 1)
    assert parameters(request(), '')['concurrent_fragment_downloads'] > 1


@pytest.mark.parametrize(('fields', 'manual', 'automatic'), [
    ({}, False, False),
    ({'automatic_subtitles': True}, False, False),
    ({'subtitle_languages': ['en']}, True, False),
    ({'subtitle_languages': ['en'], 'automatic_subtitles': True, 'manual_subtitles': False}, False, True),
])
def test_subtitles_are_fetched_only_when_a_language_is_named(fields, manual, automatic):
    params = parameters(request(**fields), '')
    assert (params['writesubtitles'], params['writeautomaticsub']) == (manual, automatic)


def test_the_wanted_subtitle_format_is_preferred_to_those_that_can_be_converted():
    assert parameters(request(subtitle_format='srt'), '')['subtitlesformat'] == 'srt/vtt/ass/ttml/best'


@pytest.mark.parametrize(('container', 'merged_into'), [('', None), ('mp4', 'mp4/mkv'), ('mkv', 'mkv'), ('avi', 'mkv')])
def test_streams_that_do_not_fit_are_merged_into_matroska_first(container, merged_into):
    assert parameters(request(container=container), '')['merge_output_format'] == merged_into


def test_post_processing_keeps_the_order_of_the_command_line():
    assert keys(subtitle_languages=['en'], subtitle_format='srt', embed_subtitles=True, write_thumbnail=True, thumbnail_format='jpg',
                embed_thumbnail=True, embed_metadata=True, container='mp4') == [
        'FFmpegSubtitlesConvertor', 'FFmpegThumbnailsConvertor', 'Container', 'FFmpegEmbedSubtitle', 'FFmpegMetadata', 'EmbedThumbnail']


def test_chapters_are_changed_before_they_are_written_and_split_last():
    assert keys(sponsorblock_mark=['sponsor'], sponsorblock_remove=['intro'], embed_thumbnail=True, split_chapters=True, container='mp4') == [
        'Container', 'ModifyChapters', 'FFmpegMetadata', 'EmbedThumbnail', 'ChapterFiles']


def test_only_a_transcript_has_nothing_to_do_with_media():
    asked = {'transcript_only': True, 'transcript': True, 'subtitle_languages': ['en'], 'container': 'mp4', 'embed_metadata': True}
    assert keys(**asked) == ['Transcript']
    assert parameters(request(**asked), '')['skip_download'] is True


def test_audio_extraction_takes_the_place_of_the_container():
    assert keys(audio_format='mp3', container='mp4') == ['FFmpegExtractAudio']


def test_avi_is_always_converted():
    assert keys(container='avi') == ['FFmpegVideoConvertor']


def test_embedded_subtitles_stay_as_a_file_only_when_asked_for():
    def step(write):
        return postprocessors(request(subtitle_languages=['en'], embed_subtitles=True, write_subtitles=write))[-1]
    assert step(False)['already_have_subtitle'] is False
    assert step(True)['already_have_subtitle'] is True


@pytest.mark.parametrize('fields', [
    {'url': 'file:///etc/passwd'},
    {'url': '-o/etc/cron.d/x'},
    {'work_dir': 'relative'},
    {'container': 'mp4/mkv'},
    {'audio_format': 'mp3>exe'},
    {'audio_quality': '5 -f x'},
    {'subtitle_format': 'exe'},
    {'thumbnail_format': 'svg'},
    {'subtitle_languages': ['.*']},
    {'subtitle_languages': ['-en']},
    {'sponsorblock_mark': ['../x']},
    {'sponsorblock_remove': ['poi_highlight']},
    {'sponsorblock_api': 'file:///etc/passwd'},
    {'pot_provider': 'file:///etc/passwd'},
    {'geo_bypass_country': 'CHE'},
    {'sleep_interval': 1e9},
    {'sleep_interval': -1},
    {'cookies_file': '/etc/passwd'},
    {'cookies_file': '/srv/job/../other/cookies.txt'},
])
def test_a_field_that_could_carry_more_than_its_meaning_is_refused(fields):
    with pytest.raises(EngineError) as caught:
        request(**fields)
    assert (caught.value.code, caught.value.reason) == ('invalid', 'bad_request')


def test_no_field_of_a_request_switches_on_what_must_never_happen():
    everything = request(format='bestvideo+bestaudio/best', container='mp4', audio_quality='192', subtitle_languages=['all'],
                         automatic_subtitles=True, subtitle_format='srt', embed_subtitles=True, write_subtitles=True, write_thumbnail=True,
                         thumbnail_format='jpg', embed_thumbnail=True, embed_metadata=True, write_info_json=True, max_bytes=1, rate_limit=1,
                         cookies_file='/srv/job/cookies.txt', impersonate='chrome', transcript=True, all_thumbnails=True, embed_chapters=True, split_chapters=True,
                         write_description=True, write_nfo=True, sponsorblock_mark=['sponsor'], sponsorblock_remove=['intro'],
                         section_start=1, section_end=2, precise_cuts=True, live_from_start=True,
                         geo_bypass_country='ch', sleep_interval=1.5, pot_provider='http://x.invalid')
    for asked in (request(), everything):
        params = parameters(asked, '/usr/bin/ffmpeg')
        assert {name: params[name] for name in NEVER} == NEVER
        assert not {'exec_cmd', 'postprocessors', 'config_locations', 'http_headers', 'hls_use_mpegts', 'batchfile', 'password'} & params.keys()
        assert {step['key'] for step in postprocessors(asked)} <= {
            'FFmpegSubtitlesConvertor', 'FFmpegThumbnailsConvertor', 'FFmpegExtractAudio', 'Container', 'FFmpegEmbedSubtitle',
            'FFmpegMetadata', 'EmbedThumbnail', 'Transcript', 'Nfo', 'ModifyChapters', 'ChapterFiles', 'Section'}


def test_a_provider_of_tokens_is_named_to_both_kinds_of_plugins():
    url = 'http://0123.invalid'
    assert parameters(request(pot_provider=url), '')['extractor_args'] == {
        'youtubepot-bgutilhttp': {'base_url': [url]}, 'youtube': {'getpot_bgutil_baseurl': [url]}}
    assert parameters(request(), '')['extractor_args'] == {}


@pytest.mark.parametrize(('fields', 'expected'), [
    ({}, (True, None, None)), ({'geo_bypass': False}, (False, None, None)), ({'geo_bypass_country': 'ch'}, (True, 'CH', None)),
    ({'sleep_interval': 1.5}, (True, None, 1.5))])
def test_geo_bypass_and_pauses_go_to_the_extractors(fields, expected):
    params = parameters(request(**fields), '')
    assert (params['geo_bypass'], params['geo_bypass_country'], params['sleep_interval_requests']) == expected


def test_a_request_has_no_field_for_options_of_yt_dlp():
    parsed = Request.parse({'url': 'https://example.org/', 'work_dir': '/srv/job', 'params': {'exec_cmd': 'id'}, 'exec_cmd': 'id'})
    assert not hasattr(parsed, 'exec_cmd') and not hasattr(parsed, 'params')


@pytest.mark.parametrize('url', ['-o', '--exec=id', 'file:///etc/passwd', 'https://example.org/#__youtubedl_smuggle=%7B%7D',
                                 'https://example.org/#%5F_youtubedl_smuggle=%7B%7D', 'ytsearch:x', ''])
def test_only_plain_addresses_are_asked_for(url):
    with pytest.raises(EngineError) as refused:
        request(url=url)
    assert refused.value.reason == 'bad_request'
