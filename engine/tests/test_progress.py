import pytest

from trawl_engine.errors import EngineError
from trawl_engine.progress import Progress


class Recorder:
    def __init__(self, parts, max_bytes=0):
        self.now = 0.0
        self.sent = []
        self.progress = Progress(parts, max_bytes, lambda message: self.sent.append(message['progress']), lambda: self.now)

    def hook(self, part, done, total=None, status='downloading', speed=None):
        self.now += 1
        self.progress.hook({'status': status, 'downloaded_bytes': done, 'total_bytes': total, 'speed': speed,
                            'info_dict': {'format_id': part}})
        return self.sent[-1]


def test_the_parts_add_up():
    r = Recorder({'v': 100, 'a': 50})
    assert r.hook('v', 40, 100)['total_bytes'] == 150
    r.hook('v', 100, 100, 'finished')
    last = r.hook('a', 10, 50, speed=20.0)
    assert (last['downloaded_bytes'], last['total_bytes'], last['eta']) == (110, 150, 2.0)


def test_the_total_is_unknown_until_every_part_is_known():
    r = Recorder({'v': None, 'a': None})
    assert r.hook('v', 10, 100)['total_bytes'] is None
    r.hook('v', 100, 100, 'finished')
    assert r.hook('a', 1, 50)['total_bytes'] == 150


def test_it_never_goes_backwards_and_the_total_never_falls_short():
    r = Recorder({'v': None})
    r.hook('v', 100, 90)
    last = r.hook('v', 20, 90)
    assert (last['downloaded_bytes'], last['total_bytes']) == (100, 100)


def test_at_most_five_messages_a_second_and_the_end_of_a_part():
    r = Recorder({'v': 1000})
    for done in range(100):
        r.now += 0.01
        r.progress.hook({'status': 'downloading', 'downloaded_bytes': done, 'info_dict': {'format_id': 'v'}})
    assert len(r.sent) <= 6
    r.progress.hook({'status': 'finished', 'downloaded_bytes': 1000, 'info_dict': {'format_id': 'v'}})
    assert r.sent[-1]['downloaded_bytes'] == 1000


def test_subtitles_show_movement_without_counting():
    r = Recorder({'v': 100})
    r.progress.hook({'status': 'downloading', 'downloaded_bytes': 7, 'info_dict': {}})
    assert r.sent[-1]['downloaded_bytes'] == 0


def test_one_file_for_several_formats_takes_their_place():
    r = Recorder({'v': 100, 'a': 50})
    r.progress.file_size('v+a', 70)
    assert (r.sent[-1]['downloaded_bytes'], r.sent[-1]['total_bytes']) == (70, None)


def test_the_limit_holds_for_all_parts_together():
    r = Recorder({'v': None, 'a': None}, max_bytes=100)
    r.hook('v', 80)
    with pytest.raises(EngineError) as caught:
        r.hook('a', 30)
    assert caught.value.reason == 'too_large'


def test_what_the_server_moves_is_not_counted_here():
    r = Recorder({'v': 100, 'a': 50})
    r.progress.leave_out('v')
    last = r.hook('a', 10, 50)
    assert (last['downloaded_bytes'], last['total_bytes']) == (10, 50)
    r.hook('v', 100, 100, 'finished')
    assert r.hook('a', 50, 50, 'finished')['downloaded_bytes'] == 50
