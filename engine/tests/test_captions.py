"""Which tracks a list of languages means."""
import pytest
from trawl_engine.captions import choose, match


@pytest.mark.parametrize(('wanted', 'offered', 'taken'), [
    ('en', ['de', 'en'], 'en'),
    ('en', ['en-US', 'en-GB'], 'en-US'),
    ('en', ['en-US', 'en'], 'en'),
    ('en', ['en-orig'], 'en-orig'),
    ('en', ['en-nP7-2PuUl7o'], 'en-nP7-2PuUl7o'),
    ('en', ['eng'], 'eng'),
    ('deu', ['de'], 'de'),
    ('en-us', ['en-US'], 'en-US'),
    ('en', ['en_US'], 'en_US'),
    ('pt-BR', ['pt-PT', 'pt-BR'], 'pt-BR'),
    ('pt-BR', ['pt'], 'pt'),
    ('pt-BR', ['pt-PT'], None),
    ('zh-Hans', ['zh-TW', 'zh-CN'], 'zh-CN'),
    ('zh-Hant', ['zh-CN'], None),
    ('zh', ['zh-Hant', 'zh-Hans-CN'], 'zh-Hant'),
    ('zh-Hans-CN', ['zh-Hans'], 'zh-Hans'),
    ('e', ['en'], None),
    ('en', ['eo', 'enm'], None),
    ('fr', [], None),
])
def test_a_language_takes_its_best_name(wanted, offered, taken):
    assert match(wanted, offered) == taken


def tracks(*names, translated=False):
    return {name: [{'url': f'http://127.0.0.1/captions?lang={name}' + (f'&tlang={name}' if translated else ''), 'ext': 'vtt'}] for name in names}


MANUAL = tracks('en-GB', 'live_chat')
AUTOMATIC = {**tracks('en', 'en-orig'), **tracks('de', 'fr', translated=True)}


@pytest.mark.parametrize(('wanted', 'translated', 'manual', 'automatic'), [
    (['en'], False, ['en-GB'], []),
    (['en', 'en-GB'], False, ['en-GB'], []),
    (['de'], False, [], []),
    (['de'], True, [], ['de']),
    (['de', 'en'], True, ['en-GB'], ['de']),
    (['all'], False, ['en-GB'], ['en']),
    (['all'], True, ['en-GB'], ['en', 'de', 'fr']),
])
def test_people_come_before_machines_and_listening_before_translating(wanted, translated, manual, automatic):
    chosen = choose(wanted, MANUAL, AUTOMATIC, translated)
    assert [list(pool) for pool in chosen] == [manual, automatic]


def test_a_page_with_a_thousand_tracks_gives_a_hundred():
    assert len(choose(['all'], tracks(*(f'x{n}' for n in range(1000))), {})[0]) == 100
