"""Confines the forked children, and tries it out first: what a machine allows is seen, not guessed.

The work is done by trawl-confinement.so (src/sandbox); the structure below is the one of its library.cpp.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import shutil
import signal
import socket
import sys
import tempfile
from typing import Any, NoReturn

from .cgroups import Cgroups, Unavailable, own_base

GUARD_FD = 4  # Where the guard, which has started us, takes registrations.
LANDLOCK, FILTER, BROKER, UID = 1, 2, 4, 8
BLOCK = 256  # Users are taken by so many at once.
BLOCKS = 64  # Of users, for all servers on one machine.
LOCKS = '/run'
DESCRIPTORS = 256
PROCESSES = 256
TOOLS = ('ffmpeg', 'ffprobe', 'deno', 'node', 'bun', 'qjs', 'AtomicParsley')
# What root needs to give a child a user of its own and to manage it then: CHOWN, DAC_OVERRIDE, FOWNER, KILL, SETGID, SETUID.
RIGHTS = sum(1 << bit for bit in (0, 1, 3, 5, 6, 7))
NEWEST_WITHOUT_PORTS = 3  # The last version of Landlock that does not know TCP ports.


class Failed(Exception):
    def __init__(self, part: int, message: str) -> None:
        super().__init__(message)
        self.part = part


class Confinement(ctypes.Structure):
    _fields_ = [*((name, ctypes.c_uint64) for name in ('memory', 'file_size', 'cpu_seconds')),
                *((name, ctypes.c_int32) for name in ('folder', 'guard', 'output')),
                *((name, ctypes.c_uint32) for name in ('parts', 'uid', 'descriptors', 'processes', 'port', 'blind', 'landlock_abi'))]


class Sandbox:
    """What every child of this host is confined to; `report` says how far that goes on this machine."""

    def __init__(self, config: dict[str, Any], library: str, readable: list[str]) -> None:
        self._config = config
        self._library = ctypes.CDLL(library)
        paths = [os.fsencode(path) for path in readable if path not in ('', '/')]
        self._library.trawl_sandbox_open((ctypes.c_char_p * len(paths))(*paths), len(paths))
        self._parts = LANDLOCK | FILTER | BROKER | (UID if may_change_user() and config['first_uid'] else 0)
        self._private_users = bool(self._parts & UID)
        places = -(-(config['children'] + 1) // BLOCK) * BLOCK
        self._trial = places - 1  # The slot of the process that tries the sandbox out; children have those below.
        self._first_uid, self._uid_locks = claim_users(config['first_uid'], places) if self._private_users else (0, [])
        self._cgroups = self._make_cgroups()
        self._blind = False
        self._missing: list[str] = []
        self._free = list(range(self._trial))
        with socket.create_server(('127.0.0.1', 0)) as listener:  # In the guard's network, which we may leave.
            self._network = self._leave_network()
            self._settle(listener.getsockname()[1])
        self.report = {'tier': self._tier(), 'landlock': self._library.trawl_sandbox_landlock_version(),
                       'private_users': bool(self._parts & UID), 'network_namespace': self._network,
                       'cgroups': self._cgroups is not None, 'missing': self._missing}

    def usable(self) -> bool:
        return self.report['tier'] != 'none' or not self._config['required']

    def why_not(self) -> str:
        return ('the sandbox for downloads cannot be set up here: ' + '; '.join(self._missing or ['it did not hold when tried'])
                + '; sandbox.required=false starts without what is missing')

    def take_slot(self) -> int:
        """The one that has been free for longest."""
        if not self._free:
            raise OSError('every place for a child is taken')
        slot = self._free.pop(0)
        if self._cgroups:
            try:
                self._cgroups.make(slot)
            except OSError:
                self._free.append(slot)
                raise
        return slot

    def give_back(self, slot: int) -> None:
        if self._cgroups:
            self._cgroups.end(slot)
        self._free.append(slot)

    def confine(self, folder: int, output: int, port: int, slot: int) -> None:
        """Confines the calling process for good. Raises Failed, after which it must end."""
        config = self._config
        if self._cgroups:
            try:
                self._cgroups.enter(slot)
            except OSError as error:
                raise Failed(0, f'the control group: {error}') from error
        confinement = Confinement(
            memory=config['memory_bytes'], file_size=config['max_file_bytes'], cpu_seconds=config['cpu_sec'], folder=folder, guard=GUARD_FD,
            output=output, parts=self._parts, uid=self._first_uid + slot, descriptors=DESCRIPTORS, processes=PROCESSES, port=port,
            blind=self._blind)
        error = ctypes.create_string_buffer(200)
        part = self._library.trawl_sandbox_confine(ctypes.byref(confinement), error, len(error))
        if part:
            raise Failed(part, error.value.decode())

    def _make_cgroups(self) -> Cgroups | None:
        """Tried by a process that enters one: where a kernel or a container allows only half of it there are none."""
        try:
            groups = Cgroups(own_base(), self._config['memory_bytes'], PROCESSES)
            groups.make(self._trial)
        except (Unavailable, OSError):
            return None
        child = os.fork()
        if child == 0:
            with contextlib.suppress(BaseException):
                groups.enter(self._trial)
                os._exit(0)
            os._exit(1)
        return groups if os.waitpid(child, 0)[1] == 0 else None

    def _settle(self, port: int) -> None:
        """Finds the most that works here, by trying."""
        while self._parts:
            tried = self._try(port)
            if tried.get('holds'):
                return
            if (part := tried.get('part')) and part & self._parts:
                self._missing.append(tried['error'])
                self._parts &= ~(part | (BROKER if part == FILTER else 0))
            elif self._parts & BROKER and not self._blind:
                self._blind = True  # It cannot see where a child wants to go, and leads everybody to the proxy.
            else:
                self._missing.append(tried.get('error', 'what a child was not to reach it reached'))
                self._parts = 0

    def _try(self, port: int) -> dict[str, Any]:
        reader, writer = os.pipe()
        with tempfile.TemporaryDirectory() as folder, open(reader, 'rb') as result:
            child = os.fork()
            if child == 0:
                self._be_tried(folder, port, writer)
            os.close(writer)
            said = result.read()
            os.waitpid(child, 0)
        return json.loads(said) if said else {'error': 'a confined process does not run'}

    def _be_tried(self, folder: str, port: int, writer: int) -> NoReturn:
        signal.alarm(10)
        found: dict[str, Any] = {}
        try:
            os.setpgid(0, 0)
            self.confine(os.open(folder, os.O_PATH | os.O_DIRECTORY), -1, port, self._trial)
            found['holds'] = self._holds(port)
        except Failed as failure:
            found.update(part=failure.part, error=str(failure))
        except BaseException as error:
            found['error'] = f'{type(error).__name__}: {error}'
        finally:
            with contextlib.suppress(BaseException):
                os.write(writer, json.dumps(found).encode())
            os._exit(0)

    def _holds(self, port: int) -> bool:
        with open('written', 'w') as file:
            file.write('x')
        if self._parts & LANDLOCK and opens('/etc/hostname', '/etc/passwd', '/proc/self/environ'):
            return False
        if not connects(port):
            return False
        return self._blind or not self._parts & (BROKER | LANDLOCK) or not connects(1 if port != 1 else 2)

    def _tier(self) -> str:
        needed = LANDLOCK | FILTER | (UID if self._private_users else 0)
        if self._parts & needed != needed:
            return 'none'
        if not self._parts & BROKER:
            return 'A-' if self._library.trawl_sandbox_landlock_version() > NEWEST_WITHOUT_PORTS else 'none'
        if self._blind:
            return 'A-'
        return 'B' if self._network else 'A'

    def _leave_network(self) -> bool:
        """Tried in a child first: half of it would be worse than nothing. Users of their own are worth more to children than a network
        of their own, where a namespace of users, which knows no others, is the only way to the latter."""
        child = os.fork()
        if child == 0:
            os._exit(0 if self._library.trawl_sandbox_leave_network(self._private_users) else 1)
        _, status = os.waitpid(child, 0)
        return status == 0 and bool(self._library.trawl_sandbox_leave_network(self._private_users))


def may_change_user() -> bool:
    with open('/proc/self/status') as file:
        effective = next((int(line.split()[1], 16) for line in file if line.startswith('CapEff:')), 0)
    return os.geteuid() == 0 and effective & RIGHTS == RIGHTS


def claim_users(first: int, count: int) -> tuple[int, list[int]]:
    """The first of `count` numbers in a row that no other server of this machine uses, and the locks that say so while they are open.

    Without a place for locks it is `first`.
    """
    needed = count // BLOCK
    locks: list[int] = []  # Of blocks in a row.
    for block in range(BLOCKS):
        try:
            lock = lock_users(first + block * BLOCK)
        except OSError:
            return first, []
        if lock is None:
            release(locks)
            continue
        locks.append(lock)
        if len(locks) == needed:
            return first + (block + 1 - needed) * BLOCK, locks
    release(locks)
    raise OSError(f'other servers on this machine have the users from {first} on (sandbox.first_uid)')


def lock_users(start: int) -> int | None:
    lock = os.open(f'{LOCKS}/trawl-users-{start}.lock', os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


def release(locks: list[int]) -> None:
    while locks:
        os.close(locks.pop())


def readable_paths(config: dict[str, Any]) -> list[str]:
    """What yt-dlp and its tools are made of, wherever they are installed."""
    folders = [*sys.path, sys.prefix, sys.base_prefix, os.path.dirname(os.path.dirname(os.path.abspath(__file__))), config['ytdlp_path'],
               *config['plugin_dirs'], *config['sandbox']['read_paths']]
    programs = [sys.executable, config['remux'], *map(shutil.which, TOOLS)]
    if config['ffmpeg']:
        folders.append(config['ffmpeg'] if os.path.isdir(config['ffmpeg']) else os.path.dirname(config['ffmpeg']))
    return [os.path.realpath(path) for path in (*folders, *programs) if path and os.path.exists(path)]


def opens(*paths: str) -> bool:
    for path in paths:
        with contextlib.suppress(OSError), open(path, 'rb'):
            return True
    return False


def connects(port: int) -> bool:
    """A refusal by the machine itself also means that nothing stood in the way."""
    try:
        with socket.create_connection(('127.0.0.1', port), timeout=5):
            return True
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
