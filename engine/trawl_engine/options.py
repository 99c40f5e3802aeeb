"""Maps a Request to yt-dlp's parameters. Nothing a user writes becomes an option by itself."""

from __future__ import annotations

from typing import Any

from yt_dlp.utils import MEDIA_EXTENSIONS, determine_ext

from . import runtimes
from .request import Request

MEDIA_NAME = 'media.%(ext)s'
CHAPTER_NAME = 'media.chapter%(section_number)03d.%(ext)s'
# Containers whose usual codecs differ from what sites serve: copying streams into them makes files few players read.
ALWAYS_CONVERTED = frozenset(('avi',))
# Without a wish only a file whose type the site did not say is put into a container that holds anything.
UNKNOWN_TO_MKV = 'unknown_video>mkv'

# What must not happen whatever yt-dlp's defaults are or become: reading other files and the server's own logins,
# running programs, loading code from the network, writing files that start something when they are opened.
NEVER: dict[str, Any] = {
    'cachedir': False,
    'enable_file_urls': False,
    'usenetrc': False,
    'netrc_location': None,
    'netrc_cmd': None,
    'cookiesfrombrowser': None,
    'external_downloader': None,
    'remote_components': [],
    'load_pages': False,
    'write_pages': False,
    'writelink': False,
    'writeurllink': False,
    'writewebloclink': False,
    'writedesktoplink': False,
    'allow_playlist_files': False,
    'print_to_file': {},
    'nocheckcertificate': False,
    'compat_opts': set(),
}


# What yt-dlp may start for YouTube; found once, when the host warms up.
RUNTIMES: dict[str, Any] = {}


def parameters(request: Request, ffmpeg: str) -> dict[str, Any]:
    params: dict[str, Any] = {
        **NEVER,
        **RUNTIMES,
        'quiet': True,
        'noprogress': True,
        'progress_delta': 1e9,  # Formatting yt-dlp's own progress line costs more than reading the bytes.
        'color': 'no_color',
        'outtmpl': {'default': MEDIA_NAME, 'chapter': CHAPTER_NAME},
        'restrictfilenames': True,
        'continuedl': True,
        'noplaylist': True,
        'ignoreerrors': False,
        'updatetime': False,
        'proxy': request.proxy,
        'socket_timeout': 20,
        'retries': request.retries,
        'fragment_retries': request.retries,
        'extractor_retries': request.retries,
        'skip_unavailable_fragments': False,
        # yt-dlp limits the rate of each connection by itself.
        'concurrent_fragment_downloads': 1 if request.rate_limit else 4,
        'hls_prefer_native': True,
        'live_from_start': request.live_from_start,
        # Where ffmpeg downloads, `quiet` would also hide why it could not.
        'external_downloader_args': {'ffmpeg_i': ['-loglevel', 'error']},
        'format': request.format or None,
        'merge_output_format': merge_target(request.container),
        'writesubtitles': bool(request.subtitle_languages) and request.manual_subtitles,
        'writeautomaticsub': bool(request.subtitle_languages) and request.automatic_subtitles,
        # Which of them is decided in captions.choose(); what is left then is wanted.
        'subtitleslangs': ['all'] if request.subtitle_languages else [],
        'subtitlesformat': subtitle_preference(request.subtitle_format),
        'writethumbnail': request.write_thumbnail or request.embed_thumbnail or request.all_thumbnails,
        'write_all_thumbnails': request.all_thumbnails,
        'writeinfojson': request.write_info_json,
        'writedescription': request.write_description,
        'force_keyframes_at_cuts': request.precise_cuts,
        'geo_bypass': request.geo_bypass,
        'geo_bypass_country': request.geo_bypass_country.upper() or None,
        'sleep_interval_requests': request.sleep_interval or None,
        'extractor_args': runtimes.provider_arguments(request.pot_provider),
    }
    if request.transcript_only:
        # Whether there is a picture to it does not matter then.
        params |= {'skip_download': True, 'format': None, 'ignore_no_formats_error': True}
    if request.max_bytes:
        params['max_filesize'] = request.max_bytes
    if request.rate_limit:
        params['ratelimit'] = request.rate_limit
    if request.cookies_file:
        params['cookiefile'] = request.cookies_file
    if ffmpeg:
        params['ffmpeg_location'] = ffmpeg
    return params


def merge_target(container: str) -> str | None:
    """Streams that do not fit the wanted container are merged into one that holds anything, and converted later."""
    if not container:
        return None
    return f'{container}/mkv' if container in ('mp4', 'webm', 'mov', 'flv') else 'mkv'


def subtitle_preference(wanted: str) -> str:
    """The site's own file in the wanted format, else one that ffmpeg can convert."""
    return '/'.join(dict.fromkeys([*filter(None, [wanted]), 'vtt', 'srt', 'ass', 'ttml', 'best']))


def sound_alone(info: dict[str, Any]) -> bool:
    """Whether the site gives a file of sound, without a picture to be put into a video's container: a podcast, say."""
    return str(info.get('ext')).lower() in MEDIA_EXTENSIONS.common_audio and info.get('vcodec') in (None, 'none')


def is_final(request: Request, info: dict[str, Any]) -> bool:
    """Whether this file will probably be the result as it is, so that hashing it on its way is worth the time."""
    changed = (info.get('cut_afterwards') or request.audio_format or request.embed_metadata or request.embed_chapters or request.embed_thumbnail
               or request.embed_subtitles or request.sponsorblock_mark or request.sponsorblock_remove)
    repaired = str(info.get('container') or '').endswith('_dash')
    moved = request.container and request.container != info.get('ext') and not sound_alone(info)
    if changed or repaired or not info.get('format_id') or moved:
        return False
    # DASH, and HLS of transport streams, are repaired by yt-dlp; HLS of MP4 begins with its initialisation segment.
    fragments = info.get('fragments')
    return not fragments or (info['protocol'].startswith('m3u8') and determine_ext(fragments[0]['url']) in ('mp4', 'm4s', 'm4a'))


def postprocessors(request: Request) -> list[dict[str, Any]]:
    """All of them run after the transfer, in the order of yt-dlp's command line.

    The converters of subtitles and thumbnails, which the command line runs before the download, come
    first: so everything that changes files is behind the barrier, and a replay finds the files as fetched.
    """
    steps = texts_and_pictures(request)
    if request.transcript_only:
        return steps
    if request.has_section:
        steps.append({'key': 'Section', 'precise': request.precise_cuts})
    if request.audio_format:
        steps.append({'key': 'FFmpegExtractAudio', 'preferredcodec': request.audio_format,
                      'preferredquality': request.audio_quality or None})
    elif request.container in ALWAYS_CONVERTED:
        steps.append({'key': 'FFmpegVideoConvertor', 'preferedformat': request.container})
    else:
        steps.append({'key': 'Container', 'preferedformat': request.container or UNKNOWN_TO_MKV})
    if request.embed_subtitles and request.subtitle_languages:
        steps.append({'key': 'FFmpegEmbedSubtitle', 'already_have_subtitle': request.write_subtitles})
    if request.sponsorblock_mark or request.sponsorblock_remove:
        steps.append({'key': 'ModifyChapters', 'remove_sponsor_segments': request.sponsorblock_remove,
                      'force_keyframes': request.precise_cuts})
    chapters = request.embed_chapters or bool(request.sponsorblock_mark)
    if request.embed_metadata or chapters:
        steps.append({'key': 'FFmpegMetadata', 'add_chapters': chapters, 'add_metadata': request.embed_metadata})
    if request.embed_thumbnail:
        steps.append({'key': 'EmbedThumbnail', 'already_have_thumbnail': request.write_thumbnail or request.all_thumbnails})
    if request.split_chapters:
        steps.append({'key': 'ChapterFiles', 'force_keyframes': request.precise_cuts})
    return steps


def texts_and_pictures(request: Request) -> list[dict[str, Any]]:
    """The transcript first: what the converters make of captions has lost some of what it goes by."""
    steps: list[dict[str, Any]] = []
    if request.subtitle_languages and request.transcript:
        steps.append({'key': 'Transcript', 'paragraphs': request.transcript_paragraphs, 'timestamps': request.transcript_timestamps})
    if request.subtitle_format and request.subtitle_languages:
        steps.append({'key': 'FFmpegSubtitlesConvertor', 'format': request.subtitle_format})
    if request.thumbnail_format and (request.write_thumbnail or request.all_thumbnails):
        steps.append({'key': 'FFmpegThumbnailsConvertor', 'format': request.thumbnail_format})
    if request.write_nfo:
        steps.append({'key': 'Nfo'})
    return steps
