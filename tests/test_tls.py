"""Origins over TLS: what they serve arrives, over connections that are used again, and only from those with a proper certificate."""
import pytest

from support.api import artifacts
from support.server import Server, close_all

PLAIN = {"embed_metadata": False}


@pytest.fixture(scope="module")
def trusting(origin, tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("trusting"), {"transfer.ca_file": origin.ca_file})
    server.start()
    yield server
    close_all([server])


class Log:
    """What the origin notes of requests from now on."""

    def __init__(self, origin):
        self._origin = origin
        self._start = len(origin.requests())

    def fields(self, part):
        """Path, protocol and connection of each request with `part` in its path."""
        rows = [line.rsplit(" ", 2) for line in self._origin.requests()[self._start:]]
        return [(row[0].split()[1], row[1], row[2]) for row in rows if part in row[0].split()[1]]


@pytest.mark.parametrize("path", ["small.mp4", "hls-ts/high/index.m3u8", "hls-fmp4/index.m3u8", "hls-aes/index.m3u8", "dash/manifest.mpd"])
def test_media_over_tls_are_those_of_the_plain_origin(trusting, origin, tmp_path, path, stream_hash):
    log = Log(origin)
    made = []
    for url in (origin.tls_url(path), origin.url(path)):
        folder = tmp_path / url.split(":")[0]
        folder.mkdir()
        made.append(stream_hash(trusting.api.fetch(trusting.api.completed(url, **PLAIN)["file_info"], folder)))
    assert made[0] == made[1]
    assert len(log.fields("")) >= 2


def test_a_connection_serves_several_jobs(trusting, origin):
    used = []
    for _ in range(2):
        log = Log(origin)
        trusting.api.completed(origin.tls_url("hls-ts/high/index.m3u8"), **PLAIN)
        used.append({connection for _, _, connection in log.fields(".ts")})
        assert len(log.fields(".ts")) >= 5
    assert used[0] & used[1], "the second job dialled anew for all it fetched"


# On a fresh server, as an idle connection of either kind is taken before another is made.
def test_a_key_comes_over_http2_and_segments_over_connections_of_their_own(server, origin):
    log = Log(origin)
    server(transfer__ca_file=origin.ca_file).api.completed(origin.tls_url("hls-aes/index.m3u8"), **PLAIN)
    assert {protocol for _, protocol, _ in log.fields("key.bin")} == {"HTTP/2.0"}
    assert {protocol for _, protocol, _ in log.fields(".ts")} == {"HTTP/1.1"}


def test_pictures_and_subtitles_come_natively_over_a_shared_connection(server, origin):
    log = Log(origin)
    body = server(transfer__ca_file=origin.ca_file).api.completed(origin.tls_url("page.html"), write_thumbnail=True, download_subtitles=True, subtitle_languages=["en", "de"], **PLAIN)
    assert len(artifacts(body, "thumbnail")) == 1 and len(artifacts(body, "subtitle")) == 2
    small = log.fields("poster.jpg") + log.fields(".vtt")
    assert {protocol for _, protocol, _ in small} == {"HTTP/2.0"} and len({connection for _, _, connection in small}) == 1


def test_a_thumbnail_that_is_not_there_costs_the_download_nothing(trusting, origin):
    log = Log(origin)
    body = trusting.api.completed(origin.tls_url("/pictureless.html"), write_thumbnail=True, **PLAIN)
    assert artifacts(body, "thumbnail") == [] and body["retry_count"] == 0
    assert log.fields("missing.jpg")


# Met by yt-dlp, and by the native transfer.
@pytest.mark.parametrize("url", [lambda origin: origin.tls_url("small.mp4"), lambda origin: origin.url("/untrusted.html")], ids=["resolving", "moving"])
def test_an_authority_that_is_not_trusted_is_a_lasting_error_of_its_own(api, origin, url):
    body = api.failed(url(origin), **PLAIN)
    assert body["error_code"] == "certificate_invalid", body
    assert body["retry_count"] == 0


@pytest.mark.parametrize("path", ["/misnamed.html", "/misnamed-behind-a-redirect.html"])
def test_a_certificate_for_another_name_ends_a_native_transfer_for_good(trusting, origin, path):
    body = trusting.api.failed(origin.tls_url(path), **PLAIN)
    assert body["error_code"] == "certificate_invalid", body
    assert body["retry_count"] == 0


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_server_does_not_start_without_the_authorities_it_was_told_about(server, tmp_path, content):
    file = tmp_path / "ca.pem"
    if content:
        file.write_text(content)
    refusing = server(start=False, transfer__ca_file=file)
    with pytest.raises(AssertionError, match="transfer.ca_file"):
        refusing.start()
    assert refusing.child.returncode == 2
    refusing.child = None
