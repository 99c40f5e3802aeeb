"""Runs programs as engine children are run, with things around them that they must not reach."""
import collections
import contextlib
import os
import signal
import socket
import subprocess
import tempfile
import threading
from pathlib import Path

from support.media import ROOT

# A user that exists nowhere, as root's children become; not the one of a server that runs beside us.
SLOT = 58_000 + os.getpid() % 1000
PLAIN = 57_999
AS_PLAIN = ("setpriv", f"--reuid={PLAIN}", f"--regid={PLAIN}", "--clear-groups")


def engine_folder() -> Path:
    """Where trawl-sandbox is: in the build of the program under test, without needing that program itself."""
    program = os.environ.get("TRAWL_BIN")
    return (Path(program).resolve().parents[2] if program else ROOT / "build/dev") / "engine"


def probe() -> Path:
    return ROOT / "build/dev/src/sandbox/sandbox-probe"


class Listener:
    """Counts who connects to a port of any address of the machine, and keeps the newest connections open."""

    def __init__(self, host: str = "::", port: int = 0):
        self.hits = 0
        self.newest = collections.deque(maxlen=64)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        if family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, host != "::")
        self.socket.bind((host, port))
        self.socket.listen(512)
        # Fast open has to be offered, or an attempt at it proves nothing.
        self.socket.setsockopt(socket.IPPROTO_TCP, 23, 16)
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                self.newest.append(self.socket.accept()[0])
            except OSError:
                return
            self.hits += 1

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.newest.clear()


class Jail:
    """A work folder, a proxy, and the things outside: files, sockets, a process."""

    def __init__(self, uid: int | None = None, options: tuple[str, ...] = (), prefix: tuple[str, ...] = ()):
        root = os.geteuid() == 0
        self.uid = uid if uid is not None else SLOT if root else 0
        self.options, self.prefix = options, prefix
        self.base = Path(tempfile.mkdtemp(prefix="trawl-jail-"))
        self.work, self.outside = self.base / "work", self.base / "outside"
        for folder in (self.work, self.outside):
            folder.mkdir(mode=0o700)
        (self.outside / "secret").write_text("secret words")
        # As strict as the server's own folders are, and as open as a careless operator's: both must hold.
        self.base.chmod(0o755)
        if prefix:  # The program that confines is a plain user itself.
            os.chown(self.work, PLAIN, PLAIN)
        self.outside.chmod(0o777)
        (self.outside / "secret").chmod(0o666)
        self.proxy, self.canary = Listener("127.0.0.1"), Listener()
        # The proxy's port at other addresses is not the proxy.
        self.beside = [Listener(host, self.proxy.port) for host in ("127.0.0.2", "::1")]
        self.unix = self._unix(str(self.base / "socket"))
        self.abstract = self._unix(f"\0{self.base.name}")
        self.victim = subprocess.Popen(["/usr/bin/sleep", "1000"], preexec_fn=self._become_victim)

    def _become_victim(self):
        """Of the user the jailed program has, where that is not the tests' own: the hardest case."""
        if self.uid and os.geteuid() == 0 and not self.prefix:
            os.setresgid(self.uid, self.uid, self.uid)
            os.setresuid(self.uid, self.uid, self.uid)

    @staticmethod
    def _unix(address: str) -> socket.socket:
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(address)
        listener.listen(8)
        return listener

    def run(self, *command: str | Path, options: tuple[str, ...] = (), timeout: float = 60, **env: str) -> subprocess.CompletedProcess:
        environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "PROXY": str(self.proxy.port), "CANARY": str(self.canary.port),
                       "OUTSIDE": str(self.outside), "SOCKET": str(self.base / "socket"), "ABSTRACT": f"@{self.base.name}",
                       "VICTIM": str(self.victim.pid), **env}
        sandbox = [*self.prefix, engine_folder() / "trawl-sandbox", "run", "--folder", self.work, "--port", self.proxy.port, "--uid", self.uid,
                   "--read", probe(), *self.options, *options, "--", *command]
        return subprocess.run([str(part) for part in sandbox], env=environment, capture_output=True, text=True, timeout=timeout, cwd=self.base)

    def strays(self) -> int:
        """Connections to anything but the proxy."""
        return sum(listener.hits for listener in (self.canary, *self.beside))

    def attempts(self, kind: str, **env: str) -> dict[str, str]:
        """What the probe says of each of its attempts."""
        done = self.run(probe(), kind, timeout=300, **env)
        assert done.returncode == 0, done.stdout + done.stderr
        return dict(line.rsplit(": ", 1) for line in done.stdout.splitlines())

    def close(self):
        self.victim.send_signal(signal.SIGKILL)
        self.victim.wait()
        for open_thing in (self.proxy, self.canary, *self.beside, self.unix, self.abstract):
            open_thing.close()
        subprocess.run(["rm", "-rf", self.base], check=True)
