"""Throw-away PostgreSQL servers: initdb in a temporary folder, loopback only, ended with their owner.

  python3 tests/support/postgres.py keep FOLDER

keeps one server for all unit tests that run at the moment: each holds a shared lock on FOLDER/users
while it lives, and the server is stopped when nobody has held one for some seconds
(src/testing/postgres_server.h).
"""
import fcntl
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support import process  # noqa: E402

BIN = Path("/usr/lib/postgresql/15/bin")


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def _unprivileged() -> dict[str, object]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam("postgres")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


class Postgres:
    """One server. `fsync` is what it costs: off except where a crash is part of the test."""

    def __init__(self, folder: Path, fsync: bool = False, port: int = 0):
        self.folder = folder
        self.port = port or free_port()
        self.settings = {"listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": "",
                         "fsync": "on" if fsync else "off", "max_connections": 200, "shared_buffers": "32MB", "log_min_messages": "warning"}
        self.child: subprocess.Popen | None = None

    def create(self) -> "Postgres":
        self.folder.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
        self._run("initdb", "-D", str(self.folder / "data"), "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        return self

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run([str(BIN / program), *arguments], cwd="/", check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL, **_unprivileged())

    def start(self, within: float = 30) -> "Postgres":
        assert self.child is None, "it is running"
        deadline = time.monotonic() + within
        self._spawn()
        while subprocess.run([str(BIN / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)], cwd="/").returncode != 0:
            if self.child.poll() is not None and "pre-existing shared memory block" in "".join(self.tail().splitlines()[-2:]):
                self._spawn()  # The children of one that was killed are not all gone yet.
            assert self.child.poll() is None and time.monotonic() < deadline, f"PostgreSQL did not start: {self.tail()}"
            time.sleep(0.02)
        return self

    def _spawn(self) -> None:
        options = [part for name, value in self.settings.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self.child = process.start([str(BIN / "postgres"), "-D", str(self.folder / "data"), *options], cwd="/", stdout=log, stderr=log, start_new_session=True,
                                       **_unprivileged())

    def tail(self) -> str:
        return "\n".join((self.folder / "log").read_text(errors="replace").splitlines()[-20:])

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def sql(self, statement: str, database: str = "postgres") -> list[list[str]]:
        """What psql prints, as rows of text."""
        done = subprocess.run([str(BIN / "psql"), "-X", "-q", "-A", "-t", "-F", "\x1f", "-v", "ON_ERROR_STOP=1", self.url(database), "-c", statement],
                              capture_output=True, check=True, text=True, timeout=60)
        return [line.split("\x1f") for line in done.stdout.splitlines()]

    def create_database(self, name: str) -> str:
        self.sql(f'CREATE DATABASE "{name}"')
        return self.url(name)

    def kill(self) -> None:
        """kill -9 of the postmaster; its children notice and end by themselves."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        if self.child is not None:
            self._end(signal.SIGINT)

    def _end(self, how: signal.Signals) -> None:
        self.child.send_signal(how)
        self.child.wait(30)
        self.child = None

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def keep(folder: Path, idle: float = 5) -> None:
    """Tells the URL in FOLDER/url and stays until nobody uses the server any more."""
    users = os.open(folder / "users", os.O_RDWR | os.O_CREAT, 0o600)
    server = Postgres(folder / "server").create().start()
    (folder / "url.new").write_text(server.url())
    (folder / "url.new").rename(folder / "url")
    unused_since = time.monotonic()
    while time.monotonic() - unused_since < idle and server.child.poll() is None:
        time.sleep(0.2)
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if time.monotonic() - unused_since < idle:
                fcntl.flock(users, fcntl.LOCK_UN)
        except BlockingIOError:
            unused_since = time.monotonic()
    # Still locked here: a test that comes now waits, finds no URL and starts anew.
    (folder / "url").unlink()
    server.remove()


if __name__ == "__main__":
    assert sys.argv[1:2] == ["keep"] and len(sys.argv) == 3, __doc__
    keep(Path(sys.argv[2]))
