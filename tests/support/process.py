"""Child processes of the tests: none outlives the test run, and none is left behind unseen."""
import ctypes
import os
import signal
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


def gone(pids: set[int], within: float) -> set[int]:
    """Waits until all of `pids` have ended; returns those that have not."""
    deadline = time.monotonic() + within
    while True:
        left = pids & running().keys()
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.02)
