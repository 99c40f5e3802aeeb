"""Throw-away Redis servers on loopback, ended with the test run."""
import subprocess
import time
from pathlib import Path

from support import process
from support.postgres import free_port


class Redis:
    def __init__(self, folder: Path):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.child: subprocess.Popen | None = None

    def start(self, within: float = 10) -> "Redis":
        assert self.child is None, "it is running"
        self.child = process.start(["redis-server", "--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--dir", str(self.folder)],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + within
        while self.ask("PING") != "PONG":
            assert self.child.poll() is None and time.monotonic() < deadline, "redis-server does not start"
            time.sleep(0.02)
        return self

    def ask(self, *words: str) -> str:
        done = subprocess.run(["redis-cli", "-p", str(self.port), *words], capture_output=True, text=True, timeout=10)
        return done.stdout.strip()

    def flush(self) -> None:
        assert self.ask("FLUSHALL") == "OK"

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def kill(self) -> None:
        self.child.kill()
        self.child.wait()
        self.child = None

    def stop(self) -> None:
        if self.child is not None:
            self.kill()
