"""Every answer 2xx is kept, whatever is killed when: the server, or the database under it."""
import contextlib
import http.client
import json
import sqlite3
import tempfile
import threading
import time
from pathlib import Path

import pytest

from support.postgres import Postgres

# Nothing listens there, so a job costs a refused connection, and after some of them nothing at all.
NOWHERE = "http://127.0.0.1:1/{}"


class Clients:
    """Submit without pause and keep what was accepted.

    Every request has an address and an Idempotency-Key of its own, and is sent again with both until it is
    answered, so what got lost after it was stored must not be stored twice.
    """

    def __init__(self, count: int):
        self.port = 0
        self.acked: dict[str, str] = {}
        self.failed = 0
        self.stopped = False
        self.threads = [threading.Thread(target=self._submit, args=(number,), daemon=True) for number in range(count)]
        for thread in self.threads:
            thread.start()

    def _submit(self, number: int) -> None:
        counter, answered = 0, True
        while not self.stopped:
            counter += answered
            answered = False
            address = NOWHERE.format(f"{number}-{counter}")
            headers = {"Content-Type": "application/json", "Idempotency-Key": f"{number}-{counter}"}
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
                connection.request("POST", "/api/v1/downloads", json.dumps({"url": address}), headers)
                answer = connection.getresponse()
                body = json.loads(answer.read())
                if answer.status == 202:
                    self.acked[body["id"]] = address
                    answered = True
                else:
                    self.failed += 1
                    time.sleep(0.05)
            except (OSError, http.client.HTTPException, ValueError):
                self.failed += 1
                time.sleep(0.02)
            finally:
                connection.close()

    def stop(self) -> None:
        self.stopped = True
        for thread in self.threads:
            thread.join(10)


def port_of(server) -> int:
    return int(server.url.rsplit(":", 1)[1])


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_q3_what_was_accepted_is_kept_over_kill_9_at_any_instant(kind, server, bars, seeded):
    with contextlib.ExitStack() as stack:
        options = {"download__max_concurrent": 1, "download__queue_max": 1_000_000, "log__level": "warn"}
        if kind == "postgres":
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="trawl-postgres-")))
            folder.chmod(0o755)
            postgres = Postgres(folder / "server", fsync=True).create().start()
            stack.callback(postgres.remove)
            options |= {"db__url": postgres.create_database("q3"), "server__role": "gateway"}
        victim = server(**options)
        clients = Clients(32 if bars.size(2, 1) == 2 else 8)
        stack.callback(clients.stop)
        slowest, rounds = 0.0, bars.size(50, 4)
        for turn in range(rounds):
            clients.port = port_of(victim)
            time.sleep(seeded.uniform(0.2, 2))
            if kind == "postgres" and turn % 2 == 0:
                postgres.kill()
                began = time.monotonic()
                postgres.start()
            else:
                victim.kill()
                began = time.monotonic()
                victim.start()
                clients.port = port_of(victim)
            while victim.api.get("/readyz").status_code == 503 and time.monotonic() - began < 30:
                time.sleep(0.02)
            slowest = max(slowest, time.monotonic() - began)
        clients.stop()
        if kind == "postgres":
            rows = dict(postgres.sql("SELECT id, request::json->>'url' FROM jobs", "q3"))
        else:
            with sqlite3.connect(victim.storage / "trawl.db") as database:
                rows = {id: json.loads(request)["url"] for id, request in database.execute("SELECT id, request FROM jobs")}
                bars.holds("Q3", "integrity_check says ok", int(database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]), equals=1)
        lost = [id for id, address in clients.acked.items() if rows.get(id) != address]
        bars.holds("Q3", f"accepted jobs missing ({kind})", len(lost), equals=0)
        bars.holds("Q3", f"jobs accepted over {rounds} kills ({kind})", len(clients.acked), at_least=rounds)
        bars.holds("Q3", f"jobs made twice for one Idempotency-Key ({kind})", len(rows) - len(set(rows.values())), equals=0)
        bars.holds("Q3", f"slowest until ready again ({kind})", slowest, at_most=bars.size(2, 10), unit="s")  # ./test runs with sanitizers, beside other tests.
        print(f"{kind}: {len(clients.acked)} accepted, {clients.failed} refused or cut")
        victim.stop()
