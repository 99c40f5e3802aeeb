"""Child processes of the tests: none outlives the test run, and none is left behind unseen."""
import contextlib
import ctypes
import os
import re
import signal
import subprocess
import time
from pathlib import Path

_libc = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def die_with_parent(by: signal.Signals = signal.SIGKILL) -> None:
    """For Popen(preexec_fn=...): the child is ended when the test run dies, however it dies."""
    _libc.prctl(_PR_SET_PDEATHSIG, by)


def adopt_orphans() -> None:
    """Orphans of our children become our own children from now on, so that orphans() finds them."""
    _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1)


_started: set[int] = set()


def start(command: list[str], end_signal: signal.Signals = signal.SIGKILL, **popen) -> subprocess.Popen:
    """A child that ends with us and that orphans() knows to be ours."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, preexec_fn=lambda: die_with_parent(end_signal), **popen)
    _started.add(child.pid)
    return child


def orphans() -> set[int]:
    """Living processes whose parent has ended and left them behind."""
    left = set()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or not (fields := _stat(int(entry.name))) or int(fields[1]) != os.getpid():
            continue
        pid = int(entry.name)
        if pid in _started:
            continue
        if fields[0] in "ZX":
            os.waitpid(pid, os.WNOHANG)
        else:
            left.add(pid)
    return left


def _stat(pid: int) -> list[str] | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return text[text.rindex(")") + 2:].split()


def running() -> dict[int, int]:
    """Parent of every process that is not a zombie."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))) and fields[0] not in "ZX":
            parents[int(entry.name)] = int(fields[1])
    return parents


def tree(root: int) -> set[int]:
    """`root` and its living descendants."""
    parents = running()
    found = {root} & parents.keys()
    while True:
        more = {pid for pid, parent in parents.items() if parent in found} - found
        if not more:
            return found
        found |= more


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return "?"


def cpu_seconds(root: int) -> float:
    """CPU time of a process tree, with what its members have reaped."""
    ticks = 0
    for pid in tree(root):
        if fields := _stat(pid):
            ticks += sum(int(value) for value in fields[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")


def memory_bytes(root: int) -> int:
    """Memory of a process tree; what its members share counts once."""
    total = 0
    for pid in tree(root):
        with contextlib.suppress(OSError):
            found = re.search(r"^Pss: +(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M)
            total += int(found[1]) * 1024 if found else 0
    return total


def left_behind(family: set[int], within: float) -> dict[int, str]:
    """Waits until all of `family` and all orphans have ended; returns the commands of those that have not."""
    deadline = time.monotonic() + within
    while (left := (family & running().keys()) | orphans()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return {pid: command_of(pid) for pid in left}
