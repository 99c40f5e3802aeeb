"""The real binary: started on a free port, killed, restarted, and checked when it ends."""
import os
import re
import signal
import subprocess
import time
from pathlib import Path

from support import process
from support.api import Api
from support.contract import Contract, contract_of
from support.media import ROOT

SANITIZER = re.compile(r"(AddressSanitizer|LeakSanitizer|ThreadSanitizer|MemorySanitizer|runtime error:)")


def binary() -> Path:
    path = Path(os.environ.get("TRAWL_BIN", ROOT / "build/dev/src/server/trawl"))
    assert path.is_file(), f"there is no {path}: build it (./test does), or name another in TRAWL_BIN"
    return path.resolve()


def environment(home: Path, **extra: str) -> dict[str, str]:
    """Nothing of the caller's environment configures the program under test."""
    kept = {name: os.environ[name] for name in ("PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "ASAN_SYMBOLIZER_PATH", "TSAN_OPTIONS") if name in os.environ}
    return {**kept, "HOME": str(home), "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1", **extra}


class Server:
    """One server over one folder. `folder` keeps its data, so another start goes on with it."""

    def __init__(self, folder: Path, options: dict[str, object] | None = None, env: dict[str, str] | None = None, program: Path | None = None):
        self.folder = folder
        self.storage = folder / "data"
        self.program = program or binary()
        self.options = {
            "server.host": "127.0.0.1", "server.port": 0, "storage.dir": self.storage, "storage.low_disk_bytes": 0,
            "auth.mode": "off", "policy.allow_private_networks": "true", "server.shutdown_grace_sec": 3, "server.linger_sec": 0, "log.level": "debug", **(options or {})}
        self.env = env or {}
        self.key: str | None = None  # What `api` sends from the next start on.
        self.starts = 0
        self.child: subprocess.Popen | None = None
        self.url = ""
        self.api: Api | None = None

    # Standard output and error of the newest start.
    @property
    def out(self) -> Path:
        return self.folder / f"out.{self.starts}"

    @property
    def err(self) -> Path:
        return self.folder / f"err.{self.starts}"

    def start(self, within: float = 30) -> "Server":
        assert self.child is None, "it is running"
        self.starts += 1
        flags = [part for name, value in self.options.items() for part in (f"--{name}", str(value))]
        with self.out.open("wb") as out, self.err.open("wb") as err:
            self.child = process.start([str(self.program), "serve", *flags], cwd=self.folder, stdout=out, stderr=err,
                                       env=environment(self.folder, **self.env))
        self.url = self._await_address(within)
        self.api = self.as_key(self.key)
        return self

    def refused(self, within: float = 30) -> str:
        """What a server that does not start says; it must end with 2."""
        try:
            self.start(within)
        except AssertionError as error:
            assert "did not start (exit code 2)" in str(error), error
            self.child.wait(5)
            self.child = None
            return self.out.read_text() + self.err.read_text()
        raise AssertionError("it has started")

    def as_key(self, key: str | None) -> Api:
        """The API as somebody with this key, or with none, uses it."""
        return Api(self.url, key, self._check)

    # Answers are held against the description of the build under test; what it depends on beside that:
    DESCRIBED_BY = ("server.role", "server.public_url", "auth.header", "metrics.enabled", "metrics.open", "metadata.public_info", "ui.enabled")
    contracts: dict[tuple, Contract] = {}

    def _check(self, response) -> None:
        if self.options.get("server.role") == "worker" or not str(response.url).startswith(self.url):
            return
        kind = (self.program, *(self.options.get(name) for name in self.DESCRIBED_BY))
        if kind not in self.contracts:
            self.contracts[kind] = contract_of(self.url)
        self.contracts[kind].check(response)

    def _await_address(self, within: float) -> str:
        deadline = time.monotonic() + within
        while True:
            if found := re.search(r"^listening on (http://127\.0\.0\.1:\d+)$", self.out.read_text(errors="replace"), re.M):
                return found[1]
            ended = self.child.poll()
            if ended is not None or time.monotonic() > deadline:
                if ended is None:
                    self.kill()
                raise AssertionError(f"trawl did not start (exit code {ended}): {self.tail()}")
            time.sleep(0.01)

    def tail(self, lines: int = 40) -> str:
        text = self.out.read_text(errors="replace") + self.err.read_text(errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    def processes(self) -> set[int]:
        """The server and everything it started."""
        return process.tree(self.child.pid)

    def at_rest(self) -> set[int]:
        """The same once its engine is warm: what is more later works on something."""
        self.api.until_ready()
        return self.processes()

    def kill(self, within: float = 5) -> None:
        """kill -9, after which no process of the server may go on."""
        self._end(signal.SIGKILL, within)

    def died(self, within: float = 60) -> bool:
        """Waits for its end; whether that was at the place its environment's FAILPOINT names, which then is forgotten."""
        code = self.child.wait(within)
        self.api.close()
        self.child, self.api, self.env = None, None, {}
        return code == 86

    def stop(self, within: float = 40) -> float:
        """SIGTERM: it must end with 0, in time. Returns the seconds it took."""
        began = time.monotonic()
        code = self._end(signal.SIGTERM, within)
        took = time.monotonic() - began
        assert code == 0, f"exit code {code} after SIGTERM: {self.tail()}"
        self.check_sanitizers()
        return took

    def _end(self, how: signal.Signals, within: float) -> int:
        family = self.processes()
        self.child.send_signal(how)
        try:
            code = self.child.wait(within)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
            raise AssertionError(f"still running {within} s after {how.name}: {self.tail()}") from None
        finally:
            self.api.close() if self.api else None
            self.child, self.api = None, None
        self.check_orphans(family, min(within, 5))
        return code

    def check_orphans(self, family: set[int], within: float = 5) -> None:
        left = process.left_behind(family, within)
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        assert not left, f"left behind: {left}"

    def check_sanitizers(self) -> None:
        for path in (self.out, self.err):
            text = path.read_text(errors="replace")
            if found := SANITIZER.search(text):
                raise AssertionError(text[found.start():found.start() + 6000])

    def close(self) -> None:
        if self.child is None:
            return
        if self.child.poll() is not None:
            code, self.child = self.child.returncode, None
            self.check_sanitizers()
            raise AssertionError(f"the server ended by itself with {code}: {self.tail()}")
        self.stop()


def close_all(servers: list[Server]) -> None:
    """Ends all of them, then says what any of them did wrong."""
    failures = []
    for server in servers:
        try:
            server.close()
        except AssertionError as failure:
            failures.append(str(failure))
    assert not failures, "\n".join(failures)
