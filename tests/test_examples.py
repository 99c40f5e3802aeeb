"""The clients under examples/ do what they say, with a key, and say why when they cannot."""
import os
import subprocess

import pytest
from support.keys import guarded_server, make_key
from support.media import ROOT

CLIENTS = ["download.sh", "download.py", "download.mjs"]


@pytest.fixture(scope="module")
def keyed(tmp_path_factory):
    with guarded_server(tmp_path_factory.mktemp("keyed"), limits__enabled="true") as server:
        yield server


def run(client, server, folder, key, url):
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "TRAWL_URL": server.url, **({"TRAWL_KEY": key} if key else {})}
    return subprocess.run([ROOT / "examples" / client, url], cwd=folder, env=environment, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_stores_the_file(client, keyed, origin, tmp_path):
    done = run(client, keyed, tmp_path, make_key(keyed.api)[0], origin.url("small.mp4"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / done.stdout.strip()).stat().st_size > 1000


@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_says_why_it_was_refused(client, keyed, origin, tmp_path):
    done = run(client, keyed, tmp_path, None, origin.url("small.mp4"))
    assert done.returncode != 0
    assert "API key is needed" in done.stdout + done.stderr
