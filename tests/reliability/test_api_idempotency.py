"""A1: many requests with one Idempotency-Key make one download, whatever happens to the server meanwhile."""
import sqlite3
import threading
import time
from collections import defaultdict

import httpx

LATER = "2090-01-01T00:00:00Z"


def later(server, hours):
    """The server as it is so many hours later: what it has kept is older."""
    server.stop()
    with sqlite3.connect(server.storage / "trawl.db") as database:
        database.execute("UPDATE idempotency_keys SET created_at = created_at - ?", (hours * 3_600_000,))
    server.start()


def test_a1_requests_with_one_key_make_one_download(server, origin, seeded, bars):
    one = server(limits__enabled="false")
    keys = [f"key-{number}" for number in range(bars.size(100, 20))]
    each, kills = bars.size(50, 15), bars.size(5, 2)
    body = {name: {"url": origin.url(f"small.mp4?{name}"), "scheduled_at": LATER} for name in keys}
    work = [name for name in keys for _ in range(each)]
    seeded.shuffle(work)
    left, answers, statuses = list(work), defaultdict(list), defaultdict(int)
    lock = threading.Lock()

    def post(name, document):
        with httpx.Client(timeout=20, trust_env=False) as client:
            return client.post(one.url + "/api/v1/downloads", json=document, headers={"Idempotency-Key": name})

    def run():
        while True:
            with lock:
                if not left:
                    return
                name = left.pop()
            deadline = time.monotonic() + 60
            while True:
                assert time.monotonic() < deadline, name
                try:
                    answer = post(name, body[name])
                except httpx.TransportError:  # The server is being killed, or not there yet.
                    time.sleep(0.05)
                    continue
                with lock:
                    statuses[answer.status_code] += 1
                if answer.status_code != 409:
                    answers[name].append((answer.status_code, answer.content, answer.headers.get("location")))
                    break
                time.sleep(0.02)

    workers = [threading.Thread(target=run) for _ in range(16)]
    for worker in workers:
        worker.start()
    for number in range(1, kills + 1):
        while len(left) > len(work) * (kills + 1 - number) // (kills + 1):
            assert any(worker.is_alive() for worker in workers)
            time.sleep(0.01)
        one.api.until_ready()
        one.kill()
        one.start()
    for worker in workers:
        worker.join(120)
    assert not left and len(answers) == len(keys)

    def total():
        return one.api.get("/api/v1/downloads").json()["total"]

    bars.holds("A1", "requests answered", sum(len(got) for got in answers.values()), equals=len(work))
    bars.holds("A1", "downloads made", total(), equals=len(keys))
    bars.holds("A1", "keys whose answers differ in a byte", sum(len(set(got)) != 1 for got in answers.values()), equals=0)
    bars.holds("A1", "statuses other than 202 and 409", len(set(statuses) - {202, 409}), equals=0)

    one.api.until_ready()
    other = {name: {**body[name], "priority": 7} for name in keys}
    refused = [post(name, other[name]) for name in keys]
    bars.holds("A1", "other bodies refused with 422", sum(answer.status_code == 422 for answer in refused) / len(keys), equals=1.0)
    later(one, 23)
    assert all(post(name, body[name]).content == answers[name][0][1] for name in keys)
    assert total() == len(keys)
    one.api.until_ready()
    later(one, 2)
    fresh = [post(name, other[name]) for name in keys]
    bars.holds("A1", "keys that are free again after a day", sum(answer.status_code == 202 for answer in fresh) / len(keys), equals=1.0)
    assert total() == 2 * len(keys)
