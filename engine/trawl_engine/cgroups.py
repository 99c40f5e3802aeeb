"""Control groups (version 2) around the children, where this process has been given a part of the tree.

A child and all it starts share one group, so that memory and processes are counted and bounded by the kernel
together, whatever user they are. The tree below our own group has to be ours alone: a service with
Delegate=yes, a container with a writable /sys/fs/cgroup. Everywhere else there are none, and the report says so.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

NEEDED = ('memory', 'pids')
SERVER = 'trawl-server'  # Where the server's own processes go: a group with limits below it may hold none itself.
CHILDREN = 'trawl-children-'  # With the number of the host they belong to.


class Unavailable(Exception):
    pass


class Cgroups:
    """One group per slot below `base`, each with these limits."""

    def __init__(self, base: Path, memory: int, processes: int, needed: tuple[str, ...] = NEEDED) -> None:
        # The guard, which can say why, ends a child at `memory`; the kernel holds what is faster than its next look.
        self._limits = {'memory.max': memory + memory // 4, 'memory.swap.max': 0, 'memory.oom.group': 1, 'pids.max': processes}
        self._limits = {name: value for name, value in self._limits.items() if name.partition('.')[0] in needed}
        self._folder = base / f'{CHILDREN}{os.getpid()}'
        try:
            _delegate(base, needed)
            _remove_leftovers(base)
            self._folder.mkdir(exist_ok=True)
            _enable(self._folder, needed)
        except OSError as error:
            raise Unavailable(f'{error.filename or base}: {error.strerror}') from error

    def make(self, slot: int) -> Path:
        """The group of a slot, with its limits set. Raises OSError when it cannot be had."""
        group = self._folder / str(slot)
        if not group.exists():
            group.mkdir()
            for name, value in self._limits.items():
                if name != 'memory.swap.max' or (group / name).exists():  # Kernels without swap have none.
                    _write(group / name, str(value))
        return group

    def enter(self, slot: int) -> None:
        """Moves the calling process into the group of its slot; what it forks is born there."""
        _write(self._folder / str(slot) / 'cgroup.procs', '0')

    def end(self, slot: int) -> None:
        """Kills whatever is still in the group."""
        with contextlib.suppress(OSError):
            _write(self._folder / str(slot) / 'cgroup.kill', '1')


def own_base() -> Path:
    """The group under which ours may be made: the one this process is in, or was in before it made room."""
    with open('/proc/self/cgroup') as file:
        inside = next((line.rstrip('\n').partition('::')[2] for line in file if line.startswith('0::')), None)
    with open('/proc/self/mountinfo') as file:
        mount = next((fields for fields in map(str.split, file) if fields[fields.index('-') + 1] == 'cgroup2'), None)
    if inside is None or mount is None:
        raise Unavailable('there are no control groups of version 2')
    root, place = mount[3].rstrip('/'), mount[4]
    if not (inside + '/').startswith(root + '/'):
        raise Unavailable('the own control group is not visible here')
    group = Path(place, inside.removeprefix(root).lstrip('/'))
    return group.parent if group.name == SERVER else group


def _delegate(base: Path, needed: tuple[str, ...]) -> None:
    """Makes `needed` available below `base`, and moves our own processes out of the way for that."""
    offered = (base / 'cgroup.controllers').read_text().split()
    if lacking := [name for name in needed if name not in offered]:
        raise Unavailable(f'{base} offers no {" and no ".join(lacking)}')
    if set(needed) <= set((base / 'cgroup.subtree_control').read_text().split()):
        return
    inside = [int(pid) for pid in (base / 'cgroup.procs').read_text().split()]
    is_root = not (base / 'cgroup.events').exists()
    if not is_root:
        if set(inside) - _server_processes():
            raise Unavailable(f'other processes are in {base}')
        (base / SERVER).mkdir(exist_ok=True)
        for pid in inside:
            _write(base / SERVER / 'cgroup.procs', str(pid))
    _enable(base, needed)


def _enable(group: Path, needed: tuple[str, ...]) -> None:
    if needed:
        _write(group / 'cgroup.subtree_control', ' '.join(f'+{name}' for name in needed))


def _server_processes() -> set[int]:
    """This host, the guard that started it, and the server that started the guard."""
    guard = os.getppid()
    with open(f'/proc/{guard}/stat') as file:
        server = int(file.read().rpartition(')')[2].split()[1])
    return {os.getpid(), guard, server}


def _remove_leftovers(base: Path) -> None:
    """Groups of hosts that are no more. What still lives in one keeps it."""
    for folder in base.glob(f'{CHILDREN}*'):
        if os.path.exists(f'/proc/{folder.name.removeprefix(CHILDREN)}'):
            continue
        for group in (*(one for one in folder.iterdir() if one.is_dir()), folder):
            with contextlib.suppress(OSError):
                group.rmdir()


def _write(file: Path, text: str) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)
