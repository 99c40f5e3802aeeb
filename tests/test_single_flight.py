"""Identical requests that are in flight together are downloaded once."""
import sqlite3

from support.probe import sha256
from support.ws import watch


def stored(server):
    return [path for path in (server.storage / "content").rglob("*") if path.is_file()]


# Mutant: single_flight_off.
def test_identical_requests_share_one_download_and_keep_their_own_jobs(server, origin, tmp_path):
    ours = server()
    url = origin.url("/slow/small.mp4?single")
    jobs = [ours.api.submit(url, embed_metadata=False)["id"] for _ in range(5)]
    other = ours.api.submit(url, embed_metadata=False, write_info_json=True)["id"]
    alone = ours.api.submit(url, embed_metadata=False, single_flight=False)["id"]
    bodies = [ours.api.finish(job) for job in jobs]
    assert [body["status"] for body in bodies] == ["completed"] * 5
    assert {ours.api.finish(job)["status"] for job in (other, alone)} == {"completed"}
    with sqlite3.connect(ours.storage / "trawl.db") as database:
        found = database.execute("SELECT job_id, location FROM artifacts WHERE kind = 'video'").fetchall()
    locations = dict(found)
    assert len({locations[job] for job in jobs}) == 1
    assert len({locations[job] for job in (jobs[0], other, alone)}) == 3
    paths = {body["file_info"]["file_path"] for body in bodies}
    assert len(paths) == 5
    assert {sha256(ours.api.fetch(body["file_info"], tmp_path)) for body in bodies} == {sha256(origin.file("small.mp4"))}
    for job, body in zip(jobs, bodies):
        assert body["title"] == bodies[0]["title"]
        assert [message["status"] for message in watch(ours.url, job, last_seq=0).finals] == ["completed"]


def test_the_bytes_stay_until_the_last_of_them_lets_go(server, origin):
    ours = server()
    url = origin.url("/slow/small.mp4?shared")
    jobs = [ours.api.submit(url, embed_metadata=False)["id"] for _ in range(3)]
    bodies = [ours.api.finish(job) for job in jobs]
    assert len(stored(ours)) == 1
    for left, (job, body) in enumerate(zip(jobs, bodies)):
        assert ours.api.delete(f"/api/v1/downloads/{job}", params={"purge": "true"}).status_code == 200
        for other in bodies[left + 1:]:
            assert ours.api.get(f"/files/{other['file_info']['file_path']}").status_code == 200
    assert stored(ours) == []


def test_when_the_one_that_runs_is_cancelled_another_one_takes_over(server, origin):
    ours = server()
    url = origin.url("/slow/bench.mp4?cancelled")
    first = ours.api.submit(url, embed_metadata=False)["id"]
    ours.api.running(first)
    second, third = (ours.api.submit(url, embed_metadata=False)["id"] for _ in range(2))
    assert ours.api.show(second)["status"] == "queued"
    assert ours.api.delete(f"/api/v1/downloads/{first}").status_code == 200
    ours.api.running(second)
    assert ours.api.show(third)["status"] == "queued"
    assert {ours.api.finish(job)["status"] for job in (second, third)} == {"completed"}
    assert ours.api.finish(first)["status"] == "cancelled"
    assert len(stored(ours)) == 1


def test_kill_9_in_the_middle_leaves_one_stored_file_for_all(server, origin):
    mortal = server()
    url = origin.url("/slow/bench.mp4?killed")
    jobs = [mortal.api.submit(url, embed_metadata=False)["id"] for _ in range(4)]
    mortal.api.running(jobs[0])
    mortal.kill()
    mortal.start()
    assert [mortal.api.finish(job, within=90)["status"] for job in jobs] == ["completed"] * 4
    assert len(stored(mortal)) == 1


def test_a_request_that_comes_later_is_a_download_of_its_own(api, shared, origin):
    first = api.completed(origin.url("other.mp4?later"), embed_metadata=False)
    second = api.completed(origin.url("other.mp4?later"), embed_metadata=False)
    with sqlite3.connect(f"file:{shared.storage / 'trawl.db'}?mode=ro", uri=True) as database:
        locations = database.execute("SELECT DISTINCT location FROM artifacts WHERE job_id IN (?, ?)", (first["id"], second["id"])).fetchall()
    assert len(locations) == 2
