"""Captions as text for reading."""
import time

import pytest
from trawl_engine.transcript import make


def srt(*cues):
    def clock(seconds):
        return f'{int(seconds) // 3600:02}:{int(seconds) // 60 % 60:02}:{int(seconds) % 60:02},{round(seconds % 1 * 1000):03}'
    return '\n'.join(f'{n}\n{clock(start)} --> {clock(end)}\n{text}\n' for n, (start, end, text) in enumerate(cues, 1))


# What ffmpeg makes of a track that YouTube recognised: each line comes while it is spoken, is shown alone for
# 10 ms, and then stands above the next one.
ROLLING = srt(
    (0.08, 2.63, 'hello and welcome to the'), (2.63, 2.64, 'hello and welcome to the'),
    (2.64, 5.27, 'hello and welcome to the\nshow today we talk about'), (5.27, 5.28, 'show today we talk about'),
    (5.28, 8.0, 'show today we talk about\nboats'), (8.0, 8.01, 'boats'),
    (11.5, 13.0, 'boats\n[Music]'), (13.0, 13.01, '[Music]'),
    (13.01, 15.0, '[Music]\nand now the news'), (15.0, 15.01, 'and now the news'))
# Live captions that are painted: a line grows word by word.
PAINTED = srt((0, 1, 'good'), (1, 2, 'good evening'), (2, 3, 'good evening everyone'), (3, 4, 'this'), (4, 5, 'this is'), (5, 6, 'this is it'))
# Three lines that move up.
THREE = srt((0, 1, 'a one'), (1, 2, 'a one\nb two'), (2, 3, 'a one\nb two\nc three'), (3, 4, 'b two\nc three\nd four'))


@pytest.mark.parametrize(('captions', 'text'), [
    (ROLLING, 'hello and welcome to the show today we talk about boats\n\n[Music] and now the news\n'),
    (PAINTED, 'good evening everyone this is it\n'),
    (THREE, 'a one b two c three d four\n'),
    # People who say things twice are left alone.
    (srt((0, 1, 'No!'), (1, 2, 'No!'), (2, 3, 'Stop it.'), (3, 4, 'I will not.'), (4, 5, 'Why?')), 'No! No! Stop it. I will not. Why?\n'),
    # A pause and a speaker begin paragraphs.
    (srt((0, 1, 'One.'), (1.5, 2, 'Two.'), (4.5, 5, 'Three.')), 'One. Two.\n\nThree.\n'),
    (srt((0, 1, '- Who are you?'), (1, 2, '- Nobody.'), (2, 3, 'Really.')), '- Who are you?\n\n- Nobody. Really.\n'),
    (srt((0, 1, '>> Who?'), (1, 2, '>> Me.')), '>> Who?\n\n>> Me.\n'),
    # Markup, entities, and what nobody sees.
    (srt((0, 1, '<i>Tom &amp; <b>Jerry</b></i>'), (1, 2, '{\\an8}up\u200b here\xa0now')), 'Tom & Jerry up here now\n'),
    (srt((0, 1, '<c.colorE5E5E5>one</c><00:00:01.000><c> two</c>')), 'one two\n'),
    (srt((0, 1, '1 < 2 and 3 > 2')), '1 < 2 and 3 > 2\n'),
    # A number that is said is no number of a cue.
    ('1\n00:00:00,000 --> 00:00:01,000\nAgent\n99\n\n2\n00:00:01,000 --> 00:00:02,000\n86\n', 'Agent 99 86\n'),
    ('1\n00:00:00,000 --> 00:00:01,000\n\u0645\u0631\u062d\u0628\u0627 \u202bworld\u202c\n', '\u0645\u0631\u062d\u0628\u0627 world\n'),
    (srt((0, 1, '<i></i>')), ''),
    ('', ''),
    ('not captions at all', ''),
])
def test_captions_become_what_was_said(captions, text):
    assert make(captions) == text


def test_paragraphs_and_times_are_for_choosing():
    captions = srt((0, 1, 'One.'), (1.5, 2, 'Two.'), (3725, 3726, 'Three.'))
    assert make(captions, paragraphs=False) == 'One.\nTwo.\nThree.\n'
    assert make(captions, timestamps=True) == '[00:00:00] One. Two.\n\n[01:02:05] Three.\n'
    assert make(captions, paragraphs=False, timestamps=True) == '[00:00:00] One.\n[00:00:01] Two.\n[01:02:05] Three.\n'


def test_a_long_speech_is_broken_where_a_sentence_ends():
    text = make(srt(*((n, n + 1, f'This is the sentence with the number {n}.') for n in range(100))))
    paragraphs = text.split('\n\n')
    assert len(paragraphs) > 3 and all(len(paragraph) < 800 and paragraph.strip().endswith('.') for paragraph in paragraphs)


@pytest.mark.parametrize('captions', [
    '<' * 2_000_000, '\n' * 2_000_000, '1\n' * 500_000, '&' * 1_000_000, '00:00:00,000 --> ' * 100_000,
    '00:00:00,000 --> 00:00:01,000\n' + '<a' * 500_000, '00:00:00,000 --> 00:00:01,000\n' + '{\\' * 500_000,
    srt(*((n, n + 1, f'same\nline {n // 2}') for n in range(20_000)))])
def test_hostile_captions_take_no_longer_than_others(captions):
    begun = time.process_time()
    make(captions)
    assert time.process_time() - begun < 10
