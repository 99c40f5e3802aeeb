import pytest

from trawl_engine import files, plan, wire
from trawl_engine.downloader import only_entry
from trawl_engine.errors import EngineError
from trawl_engine.request import Request


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def request(folder, **fields):
    return Request.parse({'url': 'https://example.org/', 'work_dir': str(folder), **fields})


def reason(call, *args):
    with pytest.raises(EngineError) as caught:
        call(*args)
    return caught.value.reason


def test_only_what_was_asked_for_is_produced(folder):
    for name in ('media.mp4', 'media.en.srt', 'media.webp', 'media.info.json', 'media.f1.mp4.part'):
        (folder / name).write_text('x')
    info = {'filepath': str(folder / 'media.mp4'), 'requested_subtitles': {'en': {'filepath': 'media.en.srt'}},
            'thumbnails': [{}, {'filepath': 'media.webp'}], 'infojson_filename': 'media.info.json'}
    assert [file['name'] for file in files.produced(info, request(folder))] == ['media.mp4']
    wanted = request(folder, write_subtitles=True, write_thumbnail=True, write_info_json=True)
    assert [(file['kind'], file['name'], file['language']) for file in files.produced(info, wanted)] == [
        ('video', 'media.mp4', ''), ('subtitle', 'media.en.srt', 'en'), ('thumbnail', 'media.webp', ''), ('info', 'media.info.json', '')]


@pytest.mark.parametrize('name', ['media.exe', 'media.html', 'media.svg', 'media.desktop', 'media.unknown_video', 'media'])
def test_a_dangerous_extension_is_not_kept(folder, name):
    (folder / name).write_text('x')
    assert reason(files.produced, {'filepath': name}, request(folder)) == 'unsafe_extension'


def test_a_link_is_not_kept(folder):
    (folder / 'media.mp4').symlink_to('/etc/hostname')
    assert reason(files.produced, {'filepath': 'media.mp4'}, request(folder)) == 'file_missing'


@pytest.mark.parametrize('head', [b'#EXTM3U\n', b'\xef\xbb\xbf\n#EXTM3U', b'ffconcat version 1.0\n', b'<?xml version="1.0"?>\n<MPD>', b'v=0\no=- 0'])
def test_a_list_of_other_files_is_no_media(folder, head):
    (folder / 'media.mp4').write_bytes(head + b'rest')
    assert reason(files.check_media, 'media.mp4') == 'unsafe_content'


def test_a_page_with_one_medium_is_that_medium():
    assert only_entry(iter([None, {'id': 1}])) == {'id': 1}
    assert reason(only_entry, iter([{}, None])) == 'no_media_found'
    assert reason(only_entry, [{'id': 1}, {'id': 2}]) == 'is_a_playlist'


def test_a_channel_is_recognised_without_reading_it_all():
    def endless():
        for number in range(3):
            assert number < 2
            yield {'id': number}
    assert reason(only_entry, endless()) == 'is_a_playlist'


class Ydl:
    @staticmethod
    def sanitize_info(info):
        return info


def test_a_plan_keeps_what_a_replay_needs_and_no_more(folder):
    info = {'id': 1, 'title': 'a\ud800b', 'extractor_key': 'Site', 'formats': [{}] * 100, '__private': 1, 'duration': float('nan'),
            'requested_formats': [{'format_id': 'v', 'vcodec': 'h264', 'filesize': 10, 'protocol': 'https', 'url': 'https://a/', 'ext': 'mp4'},
                                  {'format_id': 'a', 'vcodec': 'none', 'language': 'de'}]}
    made = plan.make(Ydl, info, request(folder), '2026')
    assert made['info'].keys() & {'formats', '__private'} == set()
    assert [(t['kind'], t['size'], t['language']) for t in made['transfers']] == [('video', 10, ''), ('audio', None, 'de')]
    assert b'a?b' in wire.encode(made)
    assert b'"duration":null' in wire.encode(made)


def test_a_plan_is_bounded(folder):
    info = {'id': '1', 'requested_formats': None, 'description': 'x' * (9 << 20)}
    assert reason(plan.make, Ydl, info, request(folder), '2026') == 'plan_too_large'


def test_a_plan_for_an_info_file_keeps_all_formats(folder):
    made = plan.make(Ydl, {'id': '1', 'formats': [{}]}, request(folder, write_info_json=True), '2026')
    assert 'formats' in made['info']


def test_an_info_file_holds_no_cookies():
    from trawl_engine.downloader import without_cookies

    info = {'id': '1', 'cookies': 'sid=secret', 'http_headers': {'Cookie': 'sid=secret', 'User-Agent': 'x'},
            'formats': [{'format_id': 'a', 'cookies': 'sid=secret; Domain=.example.com'}], 'subtitles': {'en': [{'http_headers': {'cookie': 'sid=secret'}}]}}
    cleaned = without_cookies(info)
    assert 'secret' not in repr(cleaned) and 'secret' in repr(info)
    assert cleaned['id'] == '1' and cleaned['formats'][0]['format_id'] == 'a' and cleaned['http_headers'] == {'User-Agent': 'x'}


def test_what_was_fetched_is_there_again_after_it_was_changed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'media.f1.mp4').write_text('picture')
    (tmp_path / 'media.en.vtt').write_text('words')
    (tmp_path / 'media.f1.mp4.journal').write_text('')
    (tmp_path / 'cookies.txt').write_text('')
    files.keep_fetched()
    files.keep_fetched()  # After a crash before anybody knew of the first time.
    (tmp_path / 'merged').write_text('shorter')
    (tmp_path / 'merged').rename(tmp_path / 'media.mp4')
    (tmp_path / 'media.f1.mp4').unlink()
    for _ in range(2):
        files.bring_back_fetched()
        assert {path.name: path.read_text() for path in tmp_path.glob('media.*')} == {'media.f1.mp4': 'picture', 'media.en.vtt': 'words'}
    assert (tmp_path / 'cookies.txt').exists()


def test_files_that_were_not_kept_stay(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'media.mp4').write_text('picture')
    files.bring_back_fetched()
    assert (tmp_path / 'media.mp4').read_text() == 'picture'
