"""Stored files are read again: what was damaged is told, and nothing is deleted for it."""
import re
import time

from support.api import check_error
from support.radosgw import over
from support.server import Server

PLAIN = {"embed_metadata": False}


def checked(api) -> dict:
    """The report once everything that is stored has been read again."""
    assert api.post("/api/v1/storage/integrity").status_code == 202
    deadline = time.monotonic() + 60
    while (report := api.get("/api/v1/storage/integrity").json())["due_files"]:
        assert time.monotonic() < deadline, report
        time.sleep(0.05)
    return report


def damage(report: dict) -> tuple[int, int, int]:
    return report["corrupt"], report["missing"], report["unreadable"]


def info(api, job) -> dict:
    return api.get(f"/files/info/{job['file_info']['file_path']}").json()


def figure(api, line: str) -> float:
    return float(re.search(rf"^{re.escape(line)} (\S+)$", api.get("/metrics").text, re.M)[1])


def told(one: Server) -> int:
    return (one.out.read_text() + one.err.read_text()).count("a stored file is damaged")


def test_a_byte_that_changed_on_the_disk_is_reported_and_the_file_stays(server, origin):
    one = server()
    sound = one.api.completed(origin.url("small.mp4"), **PLAIN)
    spoilt = one.api.completed(origin.url("small.mp4"), **PLAIN)
    assert damage(checked(one.api)) == (0, 0, 0) and info(one.api, spoilt)["integrity"] == "sound"

    (file,) = (one.storage / "content" / spoilt["id"]).rglob("*.mp4")
    with file.open("r+b") as opened:
        opened.seek(1000)
        byte = opened.read(1)
        opened.seek(1000)
        opened.write(bytes([byte[0] ^ 1]))
    before = figure(one.api, "trawl_scrub_bytes_total")
    report = checked(one.api)
    assert damage(report) == (1, 0, 0) and report["total_files"] == 2 and report["rate_bytes_per_second"] == 4 << 20
    assert [kept["path"] for kept in report["files"]] == [spoilt["file_info"]["file_path"]]
    assert info(one.api, spoilt)["integrity"] == "corrupt" and info(one.api, sound)["integrity"] == "sound"
    assert one.api.get(f"/files/{spoilt['file_info']['file_path']}").content == file.read_bytes(), "it is still given out"
    assert figure(one.api, 'trawl_damaged_files{integrity="corrupt"}') == 1
    assert figure(one.api, 'trawl_scrub_files_total{result="corrupt"}') == 1
    assert figure(one.api, "trawl_scrub_bytes_total") - before == report["total_bytes"]

    assert damage(checked(one.api)) == (1, 0, 0) and told(one) == 1, "logged when it was found, and never again"
    one.kill()
    one.start()
    assert damage(one.api.get("/api/v1/storage/integrity").json()) == (1, 0, 0), "it is known after a restart"


def test_objects_that_changed_or_went_are_reported(server, bucket, origin):
    one = server(**over(bucket))
    jobs = [one.api.completed(origin.url("small.mp4"), **PLAIN) for _ in range(3)]
    keys = [f"content/{job['id']}/1/media.mp4" for job in jobs]
    data = bucket.get(keys[0])
    bucket.call("PUT", keys[0], body=data[:1000] + bytes([data[1000] ^ 1]) + data[1001:])
    bucket.call("DELETE", keys[1])
    assert damage(checked(one.api)) == (1, 1, 0)
    assert [info(one.api, job)["integrity"] for job in jobs] == ["corrupt", "missing", "sound"]
    assert bucket.objects() == {keys[0], keys[2]}

    bucket.call("PUT", keys[0], body=data)
    assert damage(checked(one.api)) == (0, 1, 0), "it was put back"


def test_files_are_read_no_faster_than_the_rate(server, origin):
    one = server(storage__scrub_rate_bytes=origin.file("small.mp4").stat().st_size)
    one.api.completed(origin.url("small.mp4"), **PLAIN)
    began = time.monotonic()
    checked(one.api)
    assert time.monotonic() - began > 0.9


def test_nothing_is_read_with_a_rate_of_nothing(server):
    one = server(storage__scrub_rate_bytes=0)
    check_error(one.api.post("/api/v1/storage/integrity"), 409, "scrub_off")
    assert one.api.get("/api/v1/storage/integrity").json()["rate_bytes_per_second"] == 0
