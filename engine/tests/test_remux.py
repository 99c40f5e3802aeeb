"""What trawl-remux makes is what ffmpeg makes when yt-dlp's own steps call it."""

import json
import os
import pathlib
import random
import shutil
import subprocess

import pytest
import yt_dlp
from yt_dlp.postprocessor import FFmpegMergerPP, FFmpegMetadataPP, FFmpegVideoRemuxerPP
from yt_dlp.postprocessor.ffmpeg import FFmpegFixupDuplicateMoovPP, FFmpegFixupM3u8PP, FFmpegFixupM4aPP, FFmpegPostProcessor

from trawl_engine import remux

BUILD = pathlib.Path(__file__).resolve().parents[2] / 'build'
HELPER = next((str(path) for path in (BUILD / 'dev/engine/trawl-remux-checked', BUILD / 'release/engine/trawl-remux') if path.exists()), '')

H264 = ('-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '2', '-pix_fmt', 'yuv420p')
CHAPTERS = [{'start_time': 0, 'end_time': 1.5, 'title': 'One; # = \\ two'}, {'start_time': 1.5, 'end_time': 3, 'title': 'Zwei ☃'}]
INFO = {'title': 'A title = with "signs" ☃', 'upload_date': '20240229', 'description': 'Line one\nline two; # \\ end', 'uploader': 'Somebody',
        'webpage_url': 'https://example.org/watch?v=1&t=2', 'track_number': 7, 'genre': 'Noise', 'language': 'de', 'season_number': 2}


def make(folder, name, *arguments):
    subprocess.run(['ffmpeg', '-nostdin', '-loglevel', 'error', '-y', *arguments, name], cwd=folder, check=True, timeout=60)


@pytest.fixture(scope='module')
def media(tmp_path_factory):
    folder = tmp_path_factory.mktemp('media')
    picture = ('-f', 'lavfi', '-i', 'testsrc2=size=160x90:rate=25:duration=3')
    tone = ('-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=44100:duration=3')
    make(folder, 'v.mp4', *picture, *H264, '-metadata', 'title=Old', '-metadata', 'creation_time=2020-01-01T00:00:00Z')
    make(folder, 'a.m4a', *tone, '-c:a', 'aac', '-metadata:s:a', 'language=ger')
    make(folder, 'both.mp4', *picture, *tone, *H264, '-c:a', 'aac', '-metadata', 'artist=Old artist')
    make(folder, 'v.webm', *picture, '-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8')
    make(folder, 'a.webm', *tone, '-c:a', 'libopus')
    make(folder, 'v.ts', *picture, *H264)
    make(folder, 'a.ts', *tone, '-c:a', 'aac')
    make(folder, 'both.ts', *picture, *tone, *H264, '-c:a', 'aac', '-metadata:s:a', 'language=fre')
    make(folder, 'mp3.ts', *picture, *tone, *H264, '-c:a', 'libmp3lame')
    make(folder, 'frag.mp4', *picture, *tone, *H264, '-c:a', 'aac', '-movflags', 'frag_keyframe+empty_moov')
    make(folder, 'late.ts', *picture, *tone, *H264, '-c:a', 'aac', '-output_ts_offset', '95440')
    (folder / 'jump.ts').write_bytes((folder / 'both.ts').read_bytes() + (folder / 'late.ts').read_bytes())
    return folder


class Steps(yt_dlp.YoutubeDL):
    def __init__(self):
        self.said = []
        super().__init__({'quiet': True, 'logger': self}, auto_init=False)

    def debug(self, message):
        self.said.append(message)

    info = warning = error = debug


@pytest.fixture
def both(tmp_path, monkeypatch):
    """Runs a step with ffmpeg and with the helper, in a folder each."""
    assert HELPER, 'trawl-remux is not built'
    patched = ('real_run_ffmpeg', 'get_metadata_object', 'get_audio_codec')
    before = {name: getattr(FFmpegPostProcessor, name) for name in patched}

    def run(step, *sources, names=None):
        results, said = [], []
        for kind in ('ffmpeg', 'helper'):
            folder = tmp_path / kind
            folder.mkdir(exist_ok=True)
            files = [shutil.copy(source, folder / name) for source, name in zip(sources, names or [s.name for s in sources])]
            for name in patched:
                monkeypatch.setattr(FFmpegPostProcessor, name, before[name])
            if kind == 'helper':
                remux.take_over(HELPER)
            ydl = Steps()
            results.append(step(ydl, folder, [str(file) for file in files]))
            said = ydl.said
        assert not [line for line in said if 'ffmpeg takes over' in line]
        return results
    yield run
    for name in patched:
        setattr(FFmpegPostProcessor, name, before[name])


def probe(path):
    shown = json.loads(subprocess.run(['ffprobe', '-v', 'error', '-show_format', '-show_streams', '-show_chapters', '-of', 'json', str(path)],
                                      check=True, capture_output=True, timeout=60).stdout)
    for name in ('filename', 'size', 'bit_rate'):
        shown['format'].pop(name, None)
    shown['format'].get('tags', {}).pop('encoder', None)
    shown['format'].get('tags', {}).pop('ENCODER', None)
    return shown


def packets(path):
    return subprocess.run(['ffmpeg', '-v', 'error', '-i', str(path), '-map', '0', '-c', 'copy', '-f', 'framemd5', '-'], check=True, capture_output=True,
                          timeout=60).stdout


def assert_same(results):
    by_ffmpeg, by_helper = results
    assert probe(by_helper) == probe(by_ffmpeg)
    assert packets(by_helper) == packets(by_ffmpeg)


def merge(formats, output):
    def step(ydl, folder, files):
        info = {'filepath': str(folder / output), 'ext': output.rpartition('.')[2], '__files_to_merge': files,
                'requested_formats': [{**part, 'filepath': file} for part, file in zip(formats, files)]}
        FFmpegMergerPP(ydl).run(info)
        return info['filepath']
    return step


VIDEO = {'vcodec': 'x', 'acodec': 'none', 'protocol': 'https'}
AUDIO = {'vcodec': 'none', 'acodec': 'x', 'protocol': 'https'}


@pytest.mark.parametrize('video, audio, output', [
    ('v.mp4', 'a.m4a', 'out.mp4'), ('v.mp4', 'a.m4a', 'out.mkv'), ('v.mp4', 'a.m4a', 'out.mov'), ('v.webm', 'a.webm', 'out.webm'),
    ('v.webm', 'a.webm', 'out.mkv'), ('v.webm', 'a.webm', 'out.mp4'), ('v.mp4', 'a.webm', 'out.mkv'), ('frag.mp4', 'a.m4a', 'out.mp4')])
def test_a_merge_is_the_same(both, media, video, audio, output):
    assert_same(both(merge([VIDEO, AUDIO], output), media / video, media / audio))


def test_a_merge_of_transport_streams_is_the_same(both, media):
    parts = [{**VIDEO, 'protocol': 'm3u8_native'}, {**AUDIO, 'protocol': 'm3u8_native'}]
    assert_same(both(merge(parts, 'out.mp4'), media / 'v.ts', media / 'a.ts'))


@pytest.mark.parametrize('source', ['both.ts', 'mp3.ts', 'late.ts', 'jump.ts', 'v.ts'])
def test_a_transport_stream_becomes_the_same_mp4(both, media, source):
    def step(ydl, folder, files):
        before = pathlib.Path(files[0]).read_bytes()
        FFmpegFixupM3u8PP(ydl).run({'filepath': files[0], 'ext': 'mp4', 'protocol': 'm3u8_native'})
        assert pathlib.Path(files[0]).read_bytes() != before
        return files[0]
    assert_same(both(step, media / source, names=['media.mp4']))


def test_a_real_mp4_is_not_touched_by_the_fix_of_transport_streams(both, media):
    def step(ydl, folder, files):
        FFmpegFixupM3u8PP(ydl).run({'filepath': files[0], 'ext': 'mp4', 'protocol': 'm3u8_native'})
        return files[0]
    results = both(step, media / 'both.mp4')
    assert [pathlib.Path(file).read_bytes() for file in results] == [(media / 'both.mp4').read_bytes()] * 2


@pytest.mark.parametrize('step, source, info', [
    (FFmpegFixupM4aPP, 'a.m4a', {'ext': 'm4a', 'container': 'm4a_dash', 'vcodec': 'none'}),
    (FFmpegFixupDuplicateMoovPP, 'frag.mp4', {'ext': 'mp4'})])
def test_other_fixes_are_the_same(both, media, step, source, info):
    def fix(ydl, folder, files):
        step(ydl).run({**info, 'filepath': files[0]})
        return files[0]
    assert_same(both(fix, media / source))


@pytest.mark.parametrize('source, target', [('both.mp4', 'mkv'), ('both.mp4', 'mov'), ('v.webm', 'mp4'), ('both.ts', 'mkv'), ('both.ts', 'mp4')])
def test_another_container_is_the_same(both, media, source, target):
    def step(ydl, folder, files):
        return FFmpegVideoRemuxerPP(ydl, target).run({'filepath': files[0], 'ext': source.rpartition('.')[2]})[1]['filepath']
    assert_same(both(step, media / source))


@pytest.mark.parametrize('chapters', [None, CHAPTERS], ids=['tags', 'tags and chapters'])
@pytest.mark.parametrize('source', ['both.mp4', 'a.m4a', 'v.webm', 'both.mkv', 'chapters.mp4'])
def test_tags_and_chapters_are_the_same(both, media, source, chapters):
    if source == 'both.mkv':
        make(media, source, '-i', 'both.mp4', '-c', 'copy')
    if source == 'chapters.mp4':
        (media / 'list').write_text(';FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1000\ntitle=There already\n')
        make(media, source, '-i', 'both.mp4', '-i', 'list', '-map_chapters', '1', '-map', '0', '-c', 'copy')

    def step(ydl, folder, files):
        FFmpegMetadataPP(ydl).run({**INFO, 'filepath': files[0], 'ext': source.rpartition('.')[2],
                                   'chapters': [dict(chapter) for chapter in chapters or []]})
        return files[0]
    assert_same(both(step, media / source))


def run_helper(request):
    return subprocess.run([HELPER], input=json.dumps(request).encode() if isinstance(request, dict) else request, capture_output=True, timeout=60)


def copy_of(source, output):
    return {'copy': {'inputs': [{'path': str(source)}], 'output': str(output), 'container': 'mp4', 'map': [{'input': 0}], 'drop_unknown': True}}


def boxes(path):
    """The outermost boxes of an MP4 file, with their sizes."""
    found, at = [], 0
    with open(path, 'rb') as file:
        while head := file.read(16):
            size, kind = int.from_bytes(head[:4], 'big'), head[4:8].decode()
            size = int.from_bytes(head[8:16], 'big') if size == 1 else size
            found.append((kind, size))
            at += size
            file.seek(at)
    return found


def test_a_large_file_is_written_once_with_room_for_its_index_in_front(both, media):
    make(media, 'large.ts', '-f', 'lavfi', '-i', 'testsrc2=size=640x360:rate=25:duration=3', '-f', 'lavfi', '-i', 'sine=duration=3', '-vf', 'noise=alls=60:allf=t',
         *H264, '-crf', '4', '-c:a', 'aac')

    def step(ydl, folder, files):
        FFmpegFixupM3u8PP(ydl).run({'filepath': files[0], 'ext': 'mp4', 'protocol': 'm3u8_native'})
        return files[0]
    results = both(step, media / 'large.ts', names=['media.mp4'])
    assert_same(results)
    (_, _), (second, _), (third, spare) = boxes(results[1])[:3]
    assert (second, third) == ('moov', 'free') and 8 < spare < os.path.getsize(results[1]) / 100


def test_an_index_that_does_not_fit_is_put_in_front_all_the_same(media, tmp_path):
    source = tmp_path / 'clocks.ts'
    source.write_bytes((media / 'both.ts').read_bytes() * 150)  # It looks three seconds long.
    done = run_helper(copy_of(source, tmp_path / 'out.mp4'))
    assert done.returncode == 0, done.stdout
    found = boxes(tmp_path / 'out.mp4')
    assert [kind for kind, _ in found][:2] == ['ftyp', 'moov'] and dict(found).get('free', 0) <= 8
    assert os.path.getsize(source) > 8e6 and dict(found)['moov'] > 100_000


@pytest.mark.parametrize('damage, said', [(lambda data: data[:len(data) * 2 // 3], 'cut short'), (lambda data: b'<html>' * 999, 'cannot be read as media'),
                                          (lambda data: b'', 'cannot be read as media'), (lambda data: b'#EXTM3U\n#EXTINF:1,\n/etc/passwd\n', 'cannot be read')])
def test_what_is_no_whole_media_file_is_refused_and_leaves_nothing(media, tmp_path, damage, said):
    make(media, 'fast.mp4', '-i', 'both.mp4', '-c', 'copy', '-movflags', '+faststart')
    (tmp_path / 'in.mp4').write_bytes(damage((media / 'fast.mp4').read_bytes()))
    done = run_helper(copy_of(tmp_path / 'in.mp4', tmp_path / 'out.mp4'))
    assert done.returncode == 1 and said in json.loads(done.stdout)['error']['message']
    assert not (tmp_path / 'out.mp4').exists()


@pytest.mark.parametrize('text', [b'', b'[]', b'{}', b'{"copy": {"inputs": []}}', b'{"copy": 1}', b'{"probe": {"path": "/dev/zero"}}', b'{"probe": {"path": "."}}',
                                  b'{"probe": {"path": "http://127.0.0.1:1/"}}', b'{"unknown": 1}', b'\xff'])
def test_a_wrong_request_is_refused_with_a_reason(text):
    done = run_helper(text)
    assert done.returncode == 1 and json.loads(done.stdout)['error']['message']


def test_a_file_is_not_written_over_itself(media, tmp_path):
    source = shutil.copy(media / 'both.mp4', tmp_path)
    done = run_helper(copy_of(source, source))
    assert done.returncode == 1 and pathlib.Path(source).read_bytes() == (media / 'both.mp4').read_bytes()


def corrupted(data, chance):
    data = bytearray(data)
    for _ in range(chance.randrange(1, 20)):
        place = chance.randrange(len(data)) if chance.random() < 0.5 else chance.randrange(min(4096, len(data)))
        data[place] = chance.randrange(256)
    if chance.random() < 0.2:
        del data[chance.randrange(len(data)):]
    return bytes(data)


@pytest.mark.parametrize('source', ['both.mp4', 'both.ts', 'v.webm', 'frag.mp4'])
def test_fifty_corruptions_end_in_a_file_or_an_error(media, tmp_path, source):
    whole = (media / source).read_bytes()
    for seed in range(50):
        (tmp_path / source).write_bytes(corrupted(whole, random.Random(f'{source} {seed}')))
        done = run_helper(copy_of(tmp_path / source, tmp_path / 'out.mp4'))
        assert done.returncode in (0, 1), f'seed {seed}: {done.returncode} {done.stderr.decode()[-2000:]}'
        assert json.loads(done.stdout)['ok'] == os.path.exists(tmp_path / 'out.mp4') == (done.returncode == 0)
        (tmp_path / 'out.mp4').unlink(missing_ok=True)


@pytest.mark.parametrize('options', [['-map', '0'], ['-c', 'copy', '-aspect', '1.5'], ['-c', 'copy', '-map', '-0:s'], ['-c', 'copy', '-map', '0:s:0'],
                                     ['-acodec', 'copy'], ['-c', 'copy', '-attach', 'file:x'], ['-c', 'copy', '-bsf', 'setts=ts=TS-STARTPTS', '-ss', '1']])
def test_what_the_helper_cannot_do_is_left_to_ffmpeg(options):
    with pytest.raises(remux.NeedsFfmpeg):
        remux.request_of([('in.mp4', [])], [('out.mp4', options)])


def test_ffmpeg_is_asked_where_nothing_is_to_be_written():
    with pytest.raises(remux.NeedsFfmpeg, match='nothing is to be written'):
        remux.request_of([('poster.jpg', [])], [(None, ['-hide_banner'])])


def test_a_helper_that_dies_costs_nothing_but_its_advantage(both, media, tmp_path, monkeypatch):
    monkeypatch.setattr(FFmpegPostProcessor, 'real_run_ffmpeg', FFmpegPostProcessor.real_run_ffmpeg)
    killed = tmp_path / 'killed'
    killed.write_text('#!/bin/sh\nkill -SEGV $$\n')
    killed.chmod(0o755)
    remux.take_over(str(killed))
    ydl, source = Steps(), shutil.copy(media / 'frag.mp4', tmp_path)
    FFmpegFixupDuplicateMoovPP(ydl).run({'filepath': source, 'ext': 'mp4'})
    assert [line for line in ydl.said if 'status -11' in line]
    assert probe(source)['format']['nb_streams'] == 2
