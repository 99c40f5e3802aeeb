"""yt-dlp kept fresh: releases that are fetched, verified, tried, used, and taken back."""
import json
import shutil
import subprocess
import time

import pytest

from support.releases import Releases
from support.server import binary, environment

GOOD, LATER, WRONG = "2099.01.01", "2099.02.02", "2099.03.03"


@pytest.fixture(scope="module")
def releases(origin, tmp_path_factory):
    media = tmp_path_factory.mktemp("releases")
    shutil.copy(origin.file("small.mp4"), media / "small.mp4")
    shutil.copy(origin.file("small.mp4"), media / "fine.mp4")
    site = Releases(media, tmp_path_factory.mktemp("releases-site"))
    yield site
    site.stop()


def command(server, releases, *arguments):
    flags = {"storage.dir": server.storage, "policy.allow_private_networks": "true", "engine.update_index": releases.index,
             "engine.smoke_urls": releases.origin.url("fine.mp4")}
    done = subprocess.run([binary(), "engine", *arguments, "--json", *(str(part) for name, value in flags.items() for part in (f"--{name}", value))],
                          env=environment(server.folder), cwd=server.folder, capture_output=True, text=True, timeout=120)
    return done.returncode, json.loads(done.stdout) if done.returncode == 0 else done.stderr


def version(server):
    return server.api.get("/api/v1/admin/engine").json()["ytdlp_version"]


def warm_version(server):
    """The server listens before its engine is warm."""
    deadline = time.monotonic() + 30
    while not (found := version(server)):
        assert time.monotonic() < deadline, server.tail()
        time.sleep(0.05)
    return found


def until_version(server, wanted, within=90):
    deadline = time.monotonic() + within
    while version(server) != wanted:
        assert time.monotonic() < deadline, f"still {version(server)}: {server.tail()}"
        time.sleep(0.2)


def test_a_release_is_fetched_tried_used_and_taken_back_while_downloads_run(server, releases):
    one = server()
    installed = warm_version(one)
    releases.offer(GOOD)
    code, state = command(one, releases, "check")
    assert code == 0 and (state["current"], state["latest"]) == ("", GOOD), state

    slow = one.api.submit(releases.origin.url("/slow/small.mp4"))["id"]
    one.api.running(slow)
    code, state = command(one, releases, "update")
    assert code == 0 and state["current"] == GOOD, state
    until_version(one, GOOD)
    assert one.api.finish(slow)["status"] == "completed", "a download of the engine before was lost"
    assert one.api.completed(releases.origin.url("small.mp4"), embed_metadata=False)["engine_version"] == GOOD

    # What does not match its checksum, and what does not start, changes nothing.
    for fault, says in (("checksum", "checksum_mismatch"), ("syntax", "release_unusable")):
        releases.offer(WRONG, fault)
        code, said = command(one, releases, "update")
        assert code == 1 and says in said
        assert command(one, releases, "status")[1]["current"] == GOOD

    code, state = command(one, releases, "rollback")
    assert code == 0 and (state["current"], state["bad"]) == ("", [GOOD])
    until_version(one, installed)
    releases.offer(GOOD)
    assert command(one, releases, "update")[1]["current"] == "", "a release that was taken back is not taken again by itself"


def test_a_release_that_fails_in_use_is_taken_back_by_the_server(server, releases):
    releases.offer(LATER, "later")
    one = server(engine__update_index=releases.index, engine__update_hours=1, engine__smoke_urls=releases.origin.url("fine.mp4"))
    installed = warm_version(one)
    until_version(one, LATER)
    for n in range(11):
        assert one.api.finish(one.api.submit(releases.origin.url(f"small.mp4?{n}"), max_retries=0)["id"])["error_code"] == "extractor_broken"
    until_version(one, installed)
    assert command(one, releases, "status")[1]["bad"] == [LATER]
    assert one.api.completed(releases.origin.url("small.mp4"))["engine_version"] == installed
