"""The queue over one PostgreSQL and several processes, which are killed, frozen and lied to.

The jobs do nothing (tests/queue_node), so what is seen is the queue's.
"""
import secrets
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from support import queue_node
from support.chaos import Chaos
from support.media import ROOT
from support.postgres import Postgres
from support.queue_node import Node
from support.redis import Redis


@pytest.fixture(scope="module")
def postgres():
    with tempfile.TemporaryDirectory(prefix="trawl-postgres-") as folder:  # Not pytest's, which only root may enter.
        Path(folder).chmod(0o755)
        server = Postgres(Path(folder) / "server").create().start()
        yield server
        server.stop()


@pytest.fixture
def open_folder():
    with tempfile.TemporaryDirectory(prefix="trawl-postgres-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def database(postgres):
    name = f"q{secrets.token_hex(4)}"
    return name, postgres.create_database(name)


@pytest.fixture
def nodes(tmp_path):
    made = []

    def make(count: int, db: str, **options) -> list[Node]:
        some = [Node(tmp_path, f"node{len(made) + i}", db, **options).start() for i in range(count)]
        made.extend(some)
        return some

    yield make
    failures = []
    for node in made:
        try:
            node.stop()
        except AssertionError as failure:
            failures.append(str(failure))
    assert not failures, "\n".join(failures)


FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"


def hold_outcome(bars, bar, postgres, database, ids):
    found = queue_node.outcome(postgres, database, ids)
    bars.holds(bar, "jobs lost", found["lost"], equals=0)
    bars.holds(bar, "jobs not completed", found["unfinished"], equals=0)
    bars.holds(bar, "jobs without exactly one completion", found["repeated"], equals=0)


def test_q1_workers_killed_all_the_time_lose_no_job_and_complete_none_twice(postgres, database, nodes, bars, seeded):
    name, url = database
    count, kills = bars.size(10_000, 500), bars.size(50, 10)
    workers = nodes(4, url, slots=2, lease_ms=1000, stalls=bars.size(10, 40) / 1000)
    ids, began = [], time.monotonic()
    for _ in range(kills):  # Each in the middle of a wave, so that however fast the machine is, all of them meet running jobs.
        ids += queue_node.submit(url, count // kills)
        wait_for("half a wave has ended", lambda: 0 <= queue_node.left(postgres, name) <= count // kills // 2, 60)
        victim = seeded.choice(workers)
        victim.kill()
        victim.start()
    queue_node.wait_until_done(postgres, name, 600)
    took = time.monotonic() - began
    refused = sum(node.count("a result came too late") for node in workers)
    hold_outcome(bars, "Q1", postgres, name, ids)
    bars.holds("Q1", "workers killed", kills, at_least=bars.size(40, 8))
    bars.holds("Q1", "stale completions refused", refused, at_least=bars.size(5, 1))
    print(f"{count} jobs in {took:.1f} s, {kills} kills, {refused} refused")


def built(preset: str, path: str) -> Path:
    program = ROOT / f"build/{preset}" / path
    assert program.is_file(), f"there is no {program}: scripts/build {preset} {program.name}"
    return program


@pytest.mark.parametrize("preset", ["dev", "tsan"])
def test_q16_nodes_under_sanitizers_that_are_killed_report_nothing(preset, postgres, database, nodes, bars, seeded, monkeypatch):
    name, url = database
    monkeypatch.setenv("TRAWL_QUEUE_NODE", str(built(preset, "tests/queue_node/queue_node")))
    reports = 0
    for _ in range(bars.size(3, 1)):
        ids = queue_node.submit(url, bars.size(1_000, 250))
        workers = nodes(4, url, slots=2, lease_ms=2000, stalls=0.01)
        last = time.monotonic()

        def kill_one():
            nonlocal last
            if time.monotonic() - last > 1:
                last = time.monotonic()
                victim = seeded.choice(workers)
                victim.kill()
                victim.start()

        queue_node.wait_until_done(postgres, name, 300, kill_one)
        hold_outcome(bars, "Q16", postgres, name, ids)
        for worker in workers:
            try:
                worker.stop()
            except AssertionError as report:
                print(report)
                reports += 1
    bars.holds("Q16", f"nodes that reported anything ({preset})", reports, equals=0)


@pytest.mark.parametrize("preset", ["dev", "tsan"])
def test_q16_races_under_sanitizers_report_nothing(preset, bars):
    units = built(preset, "src/jobs/jobs_test")
    failed = 0
    for _ in range(bars.size(3, 1)):
        done = subprocess.run([units, "--gtest_filter=QueueInRealTime.EndsAJobOnce*:WorkerTest.*"], capture_output=True, text=True, timeout=600)
        print(done.stdout[-3000:], done.stderr[-3000:])
        failed += done.returncode != 0
    bars.holds("Q16", f"rounds of races with a report ({preset})", failed, equals=0)


def test_q10_everybody_is_served_while_one_has_thousands_waiting(postgres, database, nodes, bars):
    name, url = database
    for origin in ("a1", "a2"):  # Of two hosts, so that A could take all slots.
        queue_node.submit(url, bars.size(2_500, 625), tenant="A", origin=origin)
    for other in "BCDE":
        queue_node.submit(url, 10, tenant=other, origin=other.lower())
    (worker,) = nodes(1, url, slots=4, least_ms=50, most_ms=50, lease_ms=30_000, per_origin=3)
    wait_for("something runs", lambda: owners(postgres, name), 30)
    # Samples 100 times a second, from outside.
    postgres.sql("CREATE TABLE seen (running BIGINT)", name)
    postgres.sql("""DO $$ BEGIN FOR i IN 1..400 LOOP
        INSERT INTO seen SELECT COUNT(*) FROM jobs WHERE state = 'running' GROUP BY origin; COMMIT; PERFORM pg_sleep(0.01);
        END LOOP; END $$""", name)
    worker.kill()
    done = [(tenant, int(at)) for tenant, at in postgres.sql("SELECT tenant, completed_at - (SELECT MIN(started_at) FROM jobs) FROM jobs WHERE state = 'completed' ORDER BY completed_at", name)]
    others = [at for tenant, at in done if tenant != "A"]
    bars.holds("Q10", "jobs of the other four that are done", len(others), equals=40)
    bars.holds("Q10", "last of them after", max(others) / 1000, at_most=3, unit="s")
    begun = [tenant for tenant, at in done if at <= 3000]
    bars.holds("Q10", "share of the one with thousands in the first 3 s", begun.count("A") / len(begun), at_least=0.6)
    bars.holds("Q10", "jobs of one host at once, sampled at 100 Hz", int(postgres.sql("SELECT MAX(running) FROM seen", name)[0][0]), at_most=3)


def test_q14_a_database_that_is_killed_and_links_that_break_lose_no_job(open_folder, nodes, bars, seeded):
    server = Postgres(open_folder / "server", fsync=True).create().start()
    name = "q14"
    server.create_database(name)
    chaos = Chaos(server.port, seeded.randrange(1 << 30))
    try:
        count = bars.size(5_000, 600)
        ids = queue_node.submit(server.url(name), count)
        workers = nodes(4, f"postgresql://postgres@127.0.0.1:{chaos.port}/{name}", slots=4, lease_ms=2000, least_ms=150, most_ms=550)
        kills, gaps, last_reset, next_kill = 0, [], time.monotonic(), time.monotonic() + 2

        def done() -> int:
            return int(server.sql("SELECT COUNT(*) FROM jobs WHERE state = 'completed'", name)[0][0])

        def trouble():
            nonlocal kills, last_reset, next_kill
            if time.monotonic() - last_reset > 1:
                last_reset = time.monotonic()
                chaos.reset(0.1)
            if kills < bars.size(6, 2) and time.monotonic() > next_kill:
                server.kill()
                time.sleep(0.5)
                server.start()
                kills += 1
                began, before = time.monotonic(), done()
                while done() == before and queue_node.left(server, name) != 0:
                    assert time.monotonic() - began < 30, "nothing is completed any more"
                    time.sleep(0.05)
                gaps.append(time.monotonic() - began)
                next_kill = time.monotonic() + bars.size(15, 3)

        queue_node.wait_until_done(server, name, 600, trouble)
        hold_outcome(bars, "Q14", server, name, ids)
        bars.holds("Q14", "times the database was killed", kills, at_least=bars.size(6, 2))
        bars.holds("Q14", "workers that ended", sum(worker.child.poll() is not None for worker in workers), equals=0)
        bars.holds("Q14", "longest time to go on", max(gaps), at_most=5, unit="s")
        assert chaos.resets > 0
    finally:
        for worker in workers:
            worker.stop()
        chaos.stop()
        server.remove()


def test_q13_redis_may_be_emptied_killed_and_fall_silent(postgres, database, nodes, bars, seeded, tmp_path):
    name, url = database
    redis = Redis(tmp_path / "redis").start()
    chaos = Chaos(redis.port, seeded.randrange(1 << 30))
    try:
        link = f"redis://127.0.0.1:{chaos.port}"
        count = bars.size(5_000, 600)
        nodes(4, url, redis=link, slots=2, lease_ms=2000, least_ms=20, most_ms=60)
        wait_for("the schema is there", lambda: postgres.sql("SELECT to_regclass('jobs') IS NOT NULL", name)[0][0] == "t", 30)
        accepted = tmp_path / "accepted"
        with accepted.open("wb") as file:
            feeder = queue_node.start_submitting(url, count, redis=link, into=file, together=8)
        steps = [(0.2, redis.flush), (0.5, redis.kill), (0.7, lambda: setattr(chaos, "silent", True))]
        longest, progressed, completed, started = 0.0, time.monotonic(), 0, None

        def trouble():
            nonlocal longest, progressed, completed, started
            now_completed = int(postgres.sql("SELECT COUNT(*) FROM jobs WHERE state = 'completed'", name)[0][0])
            if now_completed > completed:
                longest, progressed, completed = max(longest, time.monotonic() - progressed), time.monotonic(), now_completed
            while steps and completed >= steps[0][0] * count:
                steps.pop(0)[1]()
                if redis.child is None:
                    started = time.monotonic() + bars.size(10, 1)
            if started and time.monotonic() > started:
                started = None
                redis.start()

        while feeder.poll() is None:
            trouble()
            time.sleep(0.05)
        ids = accepted.read_text().split()
        queue_node.wait_until_done(postgres, name, 120, trouble)
        assert not steps, "it was over before all was done to Redis"
        # Nobody has anything to do now, so what comes is found by the bell, which is dead, or by looking.
        ids += queue_node.submit(url, 20)
        queue_node.wait_until_done(postgres, name, 10)
        hold_outcome(bars, "Q13", postgres, name, ids)
        bars.holds("Q13", "jobs accepted", len(ids), equals=count + 20)
        bars.holds("Q13", "longest time without a completion", longest, at_most=10, unit="s")
    finally:
        chaos.stop()
        redis.stop()


def owners(postgres, database: str) -> dict[str, str]:
    return dict(postgres.sql("SELECT id, COALESCE(owner, '') FROM jobs WHERE state = 'running'", database))


def wait_for(what, condition, within: float, step: float = 0.02):
    deadline = time.monotonic() + within
    while not (found := condition()):
        assert time.monotonic() < deadline, f"{what}: not within {within} s"
        time.sleep(step)
    return found


def test_q5_the_jobs_of_a_dead_a_frozen_and_a_cut_off_worker_are_queued_again(postgres, database, nodes, bars):
    name, url = database
    lease = bars.size(30, 4)
    each = bars.size(20, 6)
    chaos = Chaos(postgres.port)
    victims = {}
    try:
        ids = queue_node.submit(url, 3 * each)
        for fate in ("killed", "frozen", "cut"):
            link = url.replace(str(postgres.port), str(chaos.port)) if fate == "cut" else url
            (victims[fate],) = nodes(1, link, name=fate, slots=each, lease_ms=lease * 1000, least_ms=600_000, most_ms=600_000)
            wait_for(f"{fate} has its jobs", lambda: list(owners(postgres, name).values()).count(fate) == each, 60)
        time.sleep(lease / 2)  # So that each has renewed its leases at least once.
        (heir,) = nodes(1, url, name="heir", slots=3 * each, lease_ms=lease * 1000, least_ms=600_000, most_ms=600_000)
        victims["killed"].child.kill()
        victims["frozen"].child.send_signal(signal.SIGSTOP)
        chaos.silent = True
        began = time.monotonic()
        wait_for("all jobs are the heir's", lambda: list(owners(postgres, name).values()).count("heir") == 3 * each, 3 * lease)
        took = time.monotonic() - began
        victims["frozen"].child.send_signal(signal.SIGCONT)
        wait_for("the frozen worker stops its runs", lambda: victims["frozen"].count("a lease could not be renewed in time; its run is stopped") == each, 30)
        fenced = victims["cut"].count("a lease could not be renewed in time; its run is stopped")
        early = int(postgres.sql("SELECT COUNT(*) FROM jobs WHERE epoch > 2", name)[0][0])
        bars.holds("Q5", "jobs handed on", sum(id in owners(postgres, name) for id in ids), equals=3 * each)
        bars.holds("Q5", f"longest until re-queued, lease {lease} s", took, at_most=bars.size(35, 6), unit="s")
        bars.holds("Q5", "runs a cut-off worker stopped by itself", fenced, equals=each)
        bars.holds("Q5", "jobs handed on more than once", early, equals=0)
    finally:
        chaos.stop()
        for node in (*victims.values(), *([heir] if "heir" in locals() else [])):
            node.kill()


def test_q6_a_worker_that_was_frozen_changes_nothing_when_it_wakes_up(postgres, database, nodes, bars, seeded, tmp_path):
    name, url = database
    written = tmp_path / "written"
    written.mkdir()
    workers = nodes(4, url, slots=4, lease_ms=1000, least_ms=100, most_ms=900, write_to=written)
    rounds = bars.size(100, 12)
    ids, woken = [], 0
    frozen: dict[Node, float] = {}

    def wake_some() -> bool:
        nonlocal woken
        for worker in [worker for worker, until in frozen.items() if time.monotonic() > until]:
            worker.child.send_signal(signal.SIGCONT)
            del frozen[worker]
            woken += 1
        return len(frozen) < 2

    def runs_jobs(node: Node) -> bool:
        return postgres.sql(f"SELECT 1 FROM jobs WHERE state = 'running' AND owner LIKE '{node.child.pid}.%' LIMIT 1", name) != []

    for _ in range(rounds):  # Each with jobs of its own, so that however fast the machine is, who is frozen runs some.
        ids += queue_node.submit(url, 8)
        victim = seeded.choice([worker for worker in workers if worker not in frozen])
        wait_for("it runs a job, or the wave is over", lambda: runs_jobs(victim) or queue_node.left(postgres, name) == 0, 60)
        victim.child.send_signal(signal.SIGSTOP)
        frozen[victim] = time.monotonic() + 3  # The lease and two seconds.
        wait_for("fewer than two are frozen", wake_some, 60)
    queue_node.wait_until_done(postgres, name, 600, wake_some)
    wait_for("all are awake", lambda: wake_some() and not frozen, 60)
    hold_outcome(bars, "Q6", postgres, name, ids)
    zombies = sum(worker.count("a result came too late") + worker.count("a lease could not be renewed in time; its run is stopped") for worker in workers)
    bars.holds("Q6", "workers frozen and woken", woken, equals=rounds)
    bars.holds("Q6", "runs of zombies that were stopped or refused", zombies, at_least=1)
    settled = {f"{id}.{epoch}" for id, epoch in postgres.sql("SELECT id, epoch FROM jobs", name)}
    bars.holds("Q6", "results that are not the last holder's", len(settled - {file.name for file in written.iterdir()}), equals=0)


def test_q7_clocks_of_workers_decide_nothing(postgres, database, nodes, bars):
    name, url = database
    count = bars.size(1_000, 300)
    def lying(lie: str) -> dict[str, str]:
        # Without the command of that name, which would stand between us and the node.
        return {"LD_PRELOAD": FAKETIME, "FAKETIME": lie, "DONT_FAKE_MONOTONIC": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}

    # A rate above one would disarm timers that are due at once: libfaketime divides their single nanosecond by it.
    workers = [nodes(1, url, env=lying(lie), slots=4, lease_ms=2000, least_ms=1, most_ms=60)[0] for lie in ("+600s", "-600s", "+0 x0.9")]
    ids = queue_node.submit(url, count)
    queue_node.wait_until_done(postgres, name, 120)
    hold_outcome(bars, "Q7", postgres, name, ids)
    stolen = int(postgres.sql("SELECT COUNT(*) FROM jobs WHERE epoch > 1", name)[0][0])
    bars.holds("Q7", "jobs taken from living workers", stolen, equals=0)
    assert all(worker.child.poll() is None for worker in workers)
