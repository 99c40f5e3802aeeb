"""Makes captions into text for reading: no numbers and times, no markup, and nothing said twice."""

from __future__ import annotations

import dataclasses
import html
import re

PAUSE = 2.0  # Seconds of silence that begin a paragraph.
MAX_PARAGRAPH = 700  # Characters after which the end of a sentence begins one.
ROLLING = 0.3  # Of the cues that follow each other, so many repeat what stands already.

CUE = re.compile(r'(\d{1,3}):(\d\d):(\d\d)[,.](\d{1,3})\s*-->\s*(\d{1,3}):(\d\d):(\d\d)[,.](\d{1,3})')
MARKUP = re.compile(r'<[^\s<>][^<>\n]{0,200}>|\{\\[^{}\n]{0,200}\}')
INVISIBLE = re.compile(r'[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\x00-\x08\x0b\x0c\x0e-\x1f\x7f]')
NEW_SPEAKER = re.compile(r'^(>>|-\s|\u2013\s|\u2014\s)')
SENTENCE_END = ('.', '!', '?', '\u2026', '\u3002', '\uff01', '\uff1f', '"', '\u201d')


@dataclasses.dataclass(frozen=True)
class Cue:
    start: float
    end: float
    lines: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Line:
    start: float
    end: float
    text: str


def make(srt: str, paragraphs: bool = True, timestamps: bool = False) -> str:
    """`srt` as text, with a newline at its end; empty when nothing is said."""
    said = lines(parse(srt))
    blocks = join(said) if paragraphs else said
    texts = [f'[{clock(block.start)}] {block.text}' if timestamps else block.text for block in blocks]
    separator = '\n\n' if paragraphs else '\n'
    return separator.join(texts) + '\n' if texts else ''


def parse(srt: str) -> list[Cue]:
    """The cues of SubRip text. What stands before a line of times is its number, and left out with it."""
    found: list[Cue] = []
    times: tuple[float, float] | None = None
    text: list[str] = []

    def close(drop_number: bool) -> None:
        if times is None:
            return
        while text and not text[-1]:
            text.pop()
        if drop_number and text and text[-1].isdigit():
            text.pop()
        if cleaned := tuple(filter(None, map(clean, text))):
            found.append(Cue(*times, cleaned))

    for line in srt.splitlines():
        if match := CUE.match(line.strip()):
            close(drop_number=True)
            numbers = [int(number) for number in match.groups()]
            times, text = (seconds(numbers[:4]), seconds(numbers[4:])), []
        else:
            text.append(line.strip())
    close(drop_number=False)
    return found


def seconds(numbers: list[int]) -> float:
    hours, minutes, whole, thousandths = numbers
    return hours * 3600 + minutes * 60 + whole + thousandths / 1000


def clean(line: str) -> str:
    line = html.unescape(html.unescape(MARKUP.sub('', line)))
    return ' '.join(INVISIBLE.sub('', MARKUP.sub('', line)).replace('\xa0', ' ').split())


def lines(cues: list[Cue]) -> list[Line]:
    """Everything that is said, once. Captions that roll show each line again below or above the next one, and
    those that are painted show the beginning of a line before the whole; only tracks that do so are cleaned
    of it, as people do say things twice."""
    rolling = is_rolling(cues)
    said: list[Line] = []
    for cue in cues:
        new = list(cue.lines)
        if rolling:
            known = overlap([line.text for line in said[-len(new):]], new)
            new = new[known:]
            if known == 0 and new and said and grows(said[-1].text, new[0]):
                said[-1] = Line(said[-1].start, cue.end, new.pop(0))
        if not new and said:
            said[-1] = dataclasses.replace(said[-1], end=max(said[-1].end, cue.end))
        said += [Line(cue.start, cue.end, text) for text in new]
    return said


def is_rolling(cues: list[Cue]) -> bool:
    repeated = sum(repeats(before, after) for before, after in zip(cues, cues[1:]))
    return repeated >= 2 and repeated >= ROLLING * (len(cues) - 1)


def repeats(before: Cue, after: Cue) -> bool:
    return overlap(list(before.lines), list(after.lines)) > 0 or grows(before.lines[-1], after.lines[0])


def overlap(before: list[str], after: list[str]) -> int:
    """How many lines at the end of `before` are those at the beginning of `after`."""
    for count in range(min(len(before), len(after)), 0, -1):
        if before[-count:] == after[:count]:
            return count
    return 0


def grows(before: str, after: str) -> bool:
    return len(after) > len(before) and after.startswith(before)


def join(said: list[Line]) -> list[Line]:
    """Lines as paragraphs: a new one after a pause, with another speaker, and where a long one ends a sentence."""
    blocks: list[Line] = []
    for line in said:
        last = blocks[-1] if blocks else None
        if (last is None or line.start - last.end >= PAUSE or NEW_SPEAKER.match(line.text)
                or (len(last.text) > MAX_PARAGRAPH and last.text.endswith(SENTENCE_END))):
            blocks.append(line)
        else:
            blocks[-1] = Line(last.start, max(last.end, line.end), f'{last.text} {line.text}')
    return blocks


def clock(time: float) -> str:
    whole = int(time)
    return f'{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}'
