"""The host's loop: forks a child per request, reports how each ends, and takes all with it when it goes."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import os
import resource
import select
import signal
import socket
import threading
import traceback
from typing import Any, NoReturn

from . import limits, sandbox, session
from .errors import EngineError
from .warm import Warm
from .wire import Channel, Suspended

MAX_CONTROL = 4096
MAX_DESCRIPTOR = (1 << 31) - 1
PR_SET_PDEATHSIG = 1
NO_SANDBOX = {'tier': 'none', 'landlock': 0, 'private_users': False, 'network_namespace': False, 'cgroups': False, 'missing': ['not asked for']}
_libc = ctypes.CDLL(None, use_errno=True)


class Stop(BaseException):
    pass


def serve(control: socket.socket, warmed: Warm, jail: sandbox.Sandbox | None) -> int:
    if threading.active_count() != 1:
        raise RuntimeError('threads are alive: forking is not safe')
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _stop)
    gc.collect()
    gc.freeze()
    host = Host(control, warmed, jail)
    try:
        host.send({'event': 'ready', 'versions': warmed.versions, 'sandbox': jail.report if jail else NO_SANDBOX})
        while host.step():
            pass
    except (Stop, BrokenPipeError, ConnectionResetError):
        pass
    finally:
        host.kill_all()
    return 0


def _stop(_signal: int, _frame: Any) -> NoReturn:
    raise Stop


class Host:
    def __init__(self, control: socket.socket, warmed: Warm, jail: sandbox.Sandbox | None) -> None:
        self._control = control
        self._warmed = warmed
        self._jail = jail
        self._pid = os.getpid()
        self._children: dict[int, tuple[int, int, int]] = {}  # pidfd -> (child id, pid, slot)
        self._poll = select.poll()
        self._poll.register(control, select.POLLIN)

    def send(self, message: dict[str, Any]) -> None:
        self._control.send(json.dumps(message).encode())

    def step(self) -> bool:
        for fd, _ in self._poll.poll():
            if fd in self._children:
                self._reap(fd)
            elif not self._take_request():
                return False
        return True

    def kill_all(self) -> None:
        for _, pid, _ in self._children.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)

    def _take_request(self) -> bool:
        data, fds, _, _ = socket.recv_fds(self._control, MAX_CONTROL, 3)
        if not data:
            return False
        request = json.loads(data)
        child = request['child']
        slot = None
        try:
            slot = self._jail.take_slot() if self._jail else 0
            channel_fd, output_fd, folder_fd = fds
            pid = os.fork()
        except (OSError, ValueError) as error:
            self._give_back(slot)
            self.send({'event': 'not_started', 'child': child, 'message': str(error)})
        else:
            if pid == 0:
                self._become_child(channel_fd, output_fd, folder_fd, request['proxy_port'], slot)
            with contextlib.suppress(OSError):
                os.setpgid(pid, pid)  # Here and in the child, whoever comes first: the group exists before it is reported.
            pidfd = os.pidfd_open(pid)
            self._children[pidfd] = (child, pid, slot)
            self._poll.register(pidfd, select.POLLIN)
            self.send({'event': 'started', 'child': child, 'pid': pid})
        finally:
            for fd in fds:
                os.close(fd)
        return True

    def _reap(self, pidfd: int) -> None:
        child, pid, slot = self._children.pop(pidfd)
        self._poll.unregister(pidfd)
        os.close(pidfd)
        # The dead child keeps its number until it is waited for, so the group cannot be somebody else's.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        self._give_back(slot)
        signalled = os.WIFSIGNALED(status)
        self.send({'event': 'exited', 'child': child, 'signal': os.WTERMSIG(status) if signalled else 0,
                   'status': 0 if signalled else os.WEXITSTATUS(status)})

    def _give_back(self, slot: int | None) -> None:
        if self._jail and slot is not None:
            self._jail.give_back(slot)

    def _become_child(self, channel_fd: int, output_fd: int, folder_fd: int, proxy_port: int, slot: int) -> NoReturn:
        """Rights go first: nothing of the job has been read when the sandbox closes."""
        code = 1
        try:
            _leave_host(self._pid)
            for pidfd in self._children:  # They would use up the descriptors that the child may have.
                os.close(pidfd)
            failure = self._enter(folder_fd, output_fd, proxy_port, slot)
            channel = Channel(_keep_only(channel_fd, output_fd))
            if failure:
                channel.send({'event': 'failed', 'error': failure.fields()})
            else:
                session.run(channel, self._warmed)
            code = 0
        except Suspended:
            code = 0
        except BaseException:
            with contextlib.suppress(BaseException):
                traceback.print_exc()
        finally:
            os._exit(code)

    def _enter(self, folder_fd: int, output_fd: int, proxy_port: int, slot: int) -> EngineError | None:
        os.fchdir(folder_fd)
        try:
            if self._jail:
                self._jail.confine(folder_fd, output_fd, proxy_port, slot)
        except sandbox.Failed as error:
            return EngineError('unavailable', 'sandbox_failed', f'the sandbox could not be closed: {error}')
        limits.limit_memory()
        return None


def _leave_host(host: int) -> None:
    with contextlib.suppress(OSError):
        os.setpgid(0, 0)
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != host:
        os._exit(1)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _keep_only(channel_fd: int, output_fd: int) -> socket.socket:
    """Standard input is /dev/null already. Above it stay the two outputs and, as fd 3, the channel."""
    high = os.dup(channel_fd)  # May itself be 3 or lie in the way of another.
    os.dup2(output_fd, 1)
    os.dup2(output_fd, 2)
    os.dup2(high, 3, inheritable=False)
    os.closerange(4, MAX_DESCRIPTOR)  # The limit may be lower by now than what is open.
    return socket.socket(fileno=3)
