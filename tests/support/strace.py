"""System calls of a running server: recorded in order, or made to fail, by strace."""
import re
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from support import process

LINE = re.compile(r"^(\d+) +(\d+\.\d+) (.*)$")
BEGUN = re.compile(r"^(\w+)\((.*) <unfinished \.\.\.>$")
RESUMED = re.compile(r"^<\.\.\. (\w+) resumed>(.*)$")
WHOLE = re.compile(r"^(\w+)\((.*)\) += (-?\d+|\?)(.*)$", re.S)


@dataclass
class Call:
    """`began` and `ended` number the lines of the trace: a call is before another if it ended before that began."""
    name: str
    arguments: str
    result: int
    note: str
    began: int
    ended: int

    @property
    def injected(self) -> bool:
        return "(INJECTED)" in self.note

    @property
    def path(self) -> str:
        """Of the file that the first descriptor stands for."""
        found = re.match(r"\d+<([^>]*)>", self.arguments)
        return found[1] if found else ""

    @property
    def texts(self) -> list[str]:
        return re.findall(r'"((?:[^"\\]|\\.)*)"', self.arguments)

    def before(self, other: "Call") -> bool:
        return self.ended < other.began


class Strace:
    """Traces `pid` and its threads from attach() until detach(); what the process forks is left alone."""

    def __init__(self, pid: int, log: Path, calls: str, *options: str):
        self.log = log
        self.child = process.start(["strace", "-f", "-ttt", "-y", "-o", str(log), "-p", str(pid), "-e", f"trace={calls}", "-e", "signal=none", *options],
                                   end_signal=signal.SIGTERM, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 10
        line = self.child.stderr.readline()
        while "attached" not in line:
            assert line and time.monotonic() < deadline, f"strace does not attach: {line}"
            line = self.child.stderr.readline()

    def detach(self) -> list[Call]:
        self.child.send_signal(signal.SIGTERM)
        self.child.wait(10)
        self.child.stderr.close()
        return read(self.log)


def read(log: Path) -> list[Call]:
    calls, open_calls = [], {}
    for number, line in enumerate(log.read_text(errors="replace").splitlines()):
        if not (found := LINE.match(line)):
            continue
        pid, text = found[1], found[3]
        began = number
        if begun := BEGUN.match(text):
            open_calls[pid] = (number, f"{begun[1]}({begun[2]}")
            continue
        if resumed := RESUMED.match(text):
            if pid not in open_calls:
                continue
            began, start = open_calls.pop(pid)
            text = start + resumed[2]
        if whole := WHOLE.match(text):
            calls.append(Call(whole[1], whole[2], int(whole[3]) if whole[3] != "?" else -1, whole[4], began, number))
    return calls
