import time

import pytest

from trawl_engine import limits, promise
from trawl_engine.errors import EngineError, classify


def test_what_computes_without_end_is_ended_though_extractors_swallow_exceptions(monkeypatch):
    monkeypatch.setattr(limits, 'MAX_THINKING', 0.05)
    swallowed = 0
    with pytest.raises(EngineError) as caught, limits.thinking():
        while True:
            try:
                while True:
                    pass
            except EngineError:
                swallowed += 1
                if swallowed == 2:
                    raise
    assert (caught.value.code, caught.value.reason) == ('too_large', 'too_complex')


def test_what_waits_may_take_its_time(monkeypatch):
    monkeypatch.setattr(limits, 'MAX_THINKING', 0.05)
    with limits.thinking():
        time.sleep(0.2)
    deadline = time.process_time() + 0.1
    while time.process_time() < deadline:
        pass


def test_a_list_that_nobody_should_fetch_is_refused():
    fragments = [{'url': 'https://site.test/1'}] * (promise.TOO_MANY_SEGMENTS + 1)
    with pytest.raises(EngineError) as caught:
        promise.segments(fragments, '', lambda url: b'')
    assert classify(caught.value).reason == 'too_many_segments'
