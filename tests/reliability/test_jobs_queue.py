"""The queue under poison, cancellation, drain and stopped children: bars Q8, Q11, Q12 and Q17."""
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from support import rude_plugin
from support.invariants import Invariants


@pytest.fixture
def rude(server, origin, tmp_path):
    """Starts a server whose yt-dlp knows `/rude/WHAT`; returns it and the address of such a page."""
    plugins = rude_plugin.install(tmp_path / "plugins")

    def start(**options):
        return server(engine__plugin_dirs=plugins, download__queue_max=5000, **options)
    start.page = lambda what: origin.url(f"/rude/{what}")
    return start


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def waits(server, jobs):
    """Seconds each job waited before it ran."""
    rows = Invariants(server).rows("SELECT id, created_at, started_at FROM jobs")
    return [(started - created) / 1000 for job, created, started in rows if job in jobs]


def submit_all(server, pages, **options):
    """One download for each page, also for pages that are the same."""
    return [server.api.submit(page, embed_metadata=False, single_flight=False, **options)["id"] for page in pages]


def test_q8_poison_is_buried_and_nobody_else_notices(rude, bars):
    good = bars.size(200, 40)

    def run(poison):
        served = rude(download__max_concurrent=8)
        bad = {what: submit_all(served, [rude.page(what)], max_retries=1)[0] for what in poison}
        fine = submit_all(served, [rude.page("fine")] * good)
        for job in fine:
            assert served.api.finish(job, within=180)["status"] == "completed"
        return served, bad, percentile(waits(served, set(fine)), 0.95)

    calm, _, baseline = run([])
    calm.stop()
    served, bad, disturbed = run(["crash", "hog", "busy"])
    ends = {what: served.api.finish(job, within=120) for what, job in bad.items()}
    letters = {letter["job_id"]: letter for letter in served.api.get("/api/v1/admin/dlq").json()["dead_letters"]}
    for what in ("crash", "hog"):
        bars.holds("Q8", f"attempts of a job that is poison ({what})", ends[what]["attempts"], equals=3)
        assert ends[what]["state"] == "dead" and letters[bad[what]]["crashes"] == 3, ends[what]
        assert [attempt["attempt"] for attempt in letters[bad[what]]["history"]] == [1, 2, 3]
    assert ends["busy"]["state"] == "dead" and letters[bad["busy"]]["crashes"] == 0 and ends["busy"]["attempts"] == 2
    bars.holds("Q8", "p95 wait of good jobs, times that without poison", disturbed / max(baseline, 0.5), at_most=2.0)
    Invariants(served).check([job["id"] for job in served.api.get("/api/v1/downloads", params={"limit": 100}).json()["downloads"]], only=good <= 90)


@pytest.mark.alone
def test_q11_what_is_cancelled_stops(rude, bars):
    slots, waiting = bars.size(100, 20), bars.size(500, 125)
    deaf = slots // 5
    served = rude(download__max_concurrent=slots)
    before = served.at_rest()
    running = submit_all(served, [rude.page("stubborn")] * deaf + [rude.page("wait")] * (slots - deaf))
    until(lambda: len(served.processes() - before) >= slots, 90, "not all children run")
    # Only one that has begun to ignore SIGTERM can show that it is killed.
    for job in running[:deaf]:
        until(lambda: "deaf now" in served.api.log_text(job), 60, "not deaf")
    queued = submit_all(served, [rude.page("fine")] * waiting)

    def cancel(job):
        began = time.monotonic()
        response = served.api.delete(f"/api/v1/downloads/{job}")
        assert response.status_code == 200, response.text
        return time.monotonic() - began, response.json()["status"]

    with ThreadPoolExecutor(8) as pool:
        at_once = list(pool.map(cancel, queued))
        assert {status for _, status in at_once} == {"cancelled"}
        bars.holds("Q11", "cancelling what waits, p99", percentile([took for took, _ in at_once], 0.99) * 1000, at_most=200, unit="ms")
        asked = time.monotonic()
        stopping = list(pool.map(cancel, running[deaf:] + running[:deaf]))
    bars.holds("Q11", "answer to cancelling what runs, p99", percentile([took for took, _ in stopping], 0.99), at_most=1, unit="s")
    until(lambda: not served.processes() - before, 20, "children go on")
    bars.holds("Q11", "all children gone after", time.monotonic() - asked, at_most=6, unit="s")
    for job in running + queued:
        assert served.api.finish(job)["status"] == "cancelled"
    Invariants(served).check(running + queued)


def until(done, within, complaint):
    deadline = time.monotonic() + within
    while not done():
        assert time.monotonic() < deadline, complaint
        time.sleep(0.02)


# Once is enough at quarter size.
@pytest.mark.parametrize("round", range(3 if os.environ.get("TRAWL_BARS") == "full" else 1))
def test_q12_a_drain_finishes_what_it_can_and_gives_the_rest_back(rude, bars, round):
    count = bars.size(10, 3)
    grace = bars.size(30, 12)
    served = rude(download__max_concurrent=2 * count, server__shutdown_grace_sec=grace, server__linger_sec=2)
    short = submit_all(served, [rude.page("sleep_2500")] * count)
    long = submit_all(served, [rude.page("wait")] * count)
    for job in short + long:
        served.api.until(job, lambda body: body["status"] == "running")
    refused, accepted, flipped = [], [], threading.Event()

    def ask(url):
        with httpx.Client(base_url=url, trust_env=False, timeout=10) as client:
            until_when = None
            while until_when is None or time.monotonic() < until_when:
                if client.get("/api/v1/health/ready").status_code == 503 and until_when is None:
                    until_when = time.monotonic() + 2
                    flipped.set()
                answer = client.post("/api/v1/downloads", json={"url": rude.page("fine"), "scheduled_at": "2090-01-01T00:00:00Z"})
                (accepted if answer.status_code == 202 else refused).append(answer)

    failures = []

    def asking(url):
        try:
            ask(url)
        except Exception as failure:
            failures.append(failure)

    clients = [threading.Thread(target=asking, args=(served.url,)) for _ in range(2)]
    [client.start() for client in clients]
    until(lambda: accepted, 10, "nothing is accepted")
    took = served.stop(within=grace + 15)
    [client.join(20) for client in clients]
    bars.holds("Q12", "requests that fail until 2 s after readiness is off", len(refused) + len(failures), equals=0)
    assert flipped.is_set()
    bars.holds("Q12", "exit 0 after", took, at_most=30, unit="s")
    rows = Invariants(served).rows("SELECT id, state, failures, crashes, losses FROM jobs")
    known = {row[0]: row[1:] for row in rows}
    bars.holds("Q12", "short jobs that finished", sum(known[job][0] == "completed" for job in short), equals=count)
    bars.holds("Q12", "long jobs given back unharmed", sum(known[job] == ("queued", 0, 0, 0) for job in long), equals=count)
    acked = [answer.json()["id"] for answer in accepted]
    Invariants(served).check(short + long + acked, settled=False, files=False)


def test_q12_a_second_signal_stops_at_once(rude, bars):
    served = rude(download__max_concurrent=2, server__shutdown_grace_sec=60, server__linger_sec=20)
    job = submit_all(served, [rude.page("wait")])[0]
    served.api.until(job, lambda body: body["status"] == "running")
    served.child.send_signal(signal.SIGTERM)
    until(lambda: served.api.get("/api/v1/health/ready").status_code == 503, 10, "still ready")
    bars.holds("Q12", "exit 0 after a second SIGTERM", served.stop(within=20), at_most=2, unit="s")
    assert Invariants(served).rows("SELECT state, failures, crashes, losses FROM jobs") == [("queued", 0, 0, 0)]


@pytest.mark.alone
def test_q17_stopped_children_do_not_hold_up_the_queue(rude, bars):
    slots = 6
    served = rude(download__max_concurrent=slots)
    before = served.at_rest()
    running = submit_all(served, [rude.page("wait")] * slots)
    until(lambda: len(served.processes() - before) >= slots, 60, "not all children run")
    children = served.processes() - before
    for child in children:
        os.kill(child, signal.SIGSTOP)
    took, accepted = [], []
    stopped_until = time.monotonic() + bars.size(10, 3)
    while time.monotonic() < stopped_until:
        began = time.monotonic()
        accepted += submit_all(served, [rude.page("fine")])
        took.append(time.monotonic() - began)
    for child in children:
        os.kill(child, signal.SIGCONT)
    bars.holds("Q17", "POST while all children stand still, p99", percentile(took, 0.99) * 1000, at_most=250, unit="ms")
    for job in running:
        assert served.api.delete(f"/api/v1/downloads/{job}").status_code == 200
    Invariants(served).check(running + accepted, settled=False, files=False)
