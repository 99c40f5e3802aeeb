"""PO tokens: the operator's provider reaches the engine's children, which reach it although they reach nothing else that is private."""
import time
from urllib.parse import urlsplit

import pytest

from support import pot
from support.api import check_error


@pytest.fixture
def provider():
    provider = pot.Provider()
    yield provider
    provider.stop()


def state(one, wanted: str) -> dict:
    """The health of the engine once it says so of the provider."""
    deadline = time.monotonic() + 40
    while (engine := one.api.get("/health").json()["checks"]["ytdlp"])["pot_provider"] != wanted:
        assert time.monotonic() < deadline, engine
        time.sleep(0.05)
    return engine


def test_a_token_of_the_provider_reaches_the_extractor_and_nothing_else_does(server, origin, provider, tmp_path):
    port = urlsplit(origin.url("x")).port
    one = server(engine__pot_provider=provider.url, engine__plugin_dirs=pot.install(tmp_path / "plugins"), policy__allow_private_networks="false",
                 policy__allow_addresses=f"127.0.0.1:{port}")
    assert state(one, "reachable")["status"] == "healthy"
    page = origin.url("/guarded/film")
    assert one.api.get("/api/v1/formats", params={"url": page}).json()["title"] == "film tOkEn-1", "a look needs a token as well"
    job = one.api.completed(page, max_retries=0)
    assert job["title"] == "film tOkEn-1" and any("?pot=tOkEn-1" in line for line in origin.requests())
    asked = provider.tokens()
    assert asked == [("POST /get_pot", urlsplit(provider.url).netloc, '{"content_binding": "film"}')] * 2
    # Nobody can have the provider downloaded, by its address or by a page that leads there.
    check_error(one.api.post("/api/v1/downloads", json={"url": provider.url + "/secret"}), 403, "address_not_allowed")
    assert not any("/secret" in one[0] for one in provider.asked)


def test_a_provider_that_is_gone_is_told_by_health(server, provider):
    provider.stop()
    one = server(engine__pot_provider=provider.url)
    assert state(one, "unreachable")["status"] == "degraded"
    answer = one.api.get("/health")
    assert answer.status_code == 200 and answer.json()["status"] == "degraded"
    assert "the provider of PO tokens cannot be reached" in one.out.read_text() + one.err.read_text()


def test_without_a_provider_nothing_is_said_of_one(api):
    assert api.get("/health").json()["checks"]["ytdlp"]["pot_provider"] is None


@pytest.mark.parametrize("wrong", ["https://127.0.0.1:4416", "http://127.0.0.1:4416/path", "127.0.0.1:4416", "http://me@127.0.0.1"])
def test_an_address_that_cannot_be_a_provider_is_refused(server, wrong):
    assert "engine.pot_provider" in server(start=False, engine__pot_provider=wrong).refused()
