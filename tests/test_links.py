"""Links to files that work without a key: only for that file, only GET, only for a while, and only until taken back."""
import time
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from support.api import check_error
from support.keys import ADMIN_KEY, guarded_server, make_key


@pytest.fixture(scope="module")
def linked(tmp_path_factory):
    with guarded_server(tmp_path_factory.mktemp("linked")) as server:
        yield server


@pytest.fixture(scope="module")
def maker(linked):
    with linked.as_key(make_key(linked.api)[0]) as api:
        yield api


@pytest.fixture(scope="module")
def stranger(linked):
    with linked.as_key(None) as api:
        yield api


@pytest.fixture(scope="module")
def file(maker, origin):
    """The path of a stored file and its bytes."""
    job = maker.completed(origin.url("small.mp4"), embed_metadata=False, path_template="links/{title}.{ext}")
    return job["file_info"]["file_path"], origin.file("small.mp4").read_bytes()


def make_link(api, path, **wanted):
    response = api.post("/api/v1/links", json={"path": path, **wanted})
    assert response.status_code == 201, response.text
    return response.json()


def changed(url, **parameters):
    parts = urlsplit(url)
    query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
    return parts._replace(query=urlencode({**query, **parameters})).geturl()


def test_a_link_opens_its_file_without_a_key(maker, stranger, file):
    path, data = file
    check_error(stranger.get(f"/files/{path}"), 401)
    link = make_link(maker, path)
    answer = stranger.get(link["url"])
    assert answer.status_code == 200 and answer.content == data
    assert answer.headers["content-disposition"].startswith("attachment") and answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    head = stranger.head(link["url"])
    assert head.status_code == 200 and head.headers["content-length"] == str(len(data))
    part = stranger.get(link["url"], headers={"Range": "bytes=100-199"})
    assert part.status_code == 206 and part.content == data[100:200]


def test_nothing_about_a_link_can_be_changed(maker, stranger, file, origin):
    path, _ = file
    other = maker.completed(origin.url("other.mp4"), embed_metadata=False)["file_info"]["file_path"]
    url = make_link(maker, path)["url"]
    expires = int(parse_qs(urlsplit(url).query)["expires"][0])
    signature = parse_qs(urlsplit(url).query)["signature"][0]
    for wrong in (changed(url, expires=expires + 3600), changed(url, key="Ab12Cd34"), changed(url, key=""), changed(url, link="0" * 16),
                  changed(url, signature=signature[:-1] + ("0" if signature[-1] != "0" else "1")), changed(url, signature=""), changed(url, signature="0" * 64),
                  url.replace(path, other), url.replace(path, "videos/nothing.mp4"), url.replace(path, "..%2ftrawl.db")):
        check_error(stranger.get(wrong), 400 if ".." in wrong else 403)
    for method in ("DELETE", "PUT", "POST"):
        assert stranger.request(method, url).status_code in (401, 405)
    # A link opens files, nothing else.
    query = urlsplit(url).query
    for elsewhere in ("/api/v1/downloads", "/api/v1/links", "/api/v1/admin/api-keys"):
        check_error(stranger.get(f"{elsewhere}?{query}"), 401)


def test_a_link_ends_at_its_time(maker, stranger, file):
    link = make_link(maker, file[0], expires_in=2)
    assert stranger.get(link["url"]).status_code == 200
    deadline = time.monotonic() + 10
    while (answer := stranger.get(link["url"])).status_code == 200:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    check_error(answer, 403, "link_expired")


@pytest.mark.parametrize("body", [{}, {"path": ""}, {"path": "x", "expires_in": 0}, {"path": "x", "expires_in": 86_401}, {"path": "x", "more": 1}])
def test_a_wrong_link_is_not_made(maker, body):
    check_error(maker.post("/api/v1/links", json=body), 422)


def test_a_link_can_be_taken_back_by_its_maker_only(linked, maker, stranger, file):
    link = make_link(maker, file[0])
    assert link["id"] in [one["id"] for one in maker.get("/api/v1/links").json()["links"]]
    with linked.as_key(make_key(linked.api)[0]) as other:
        assert other.get("/api/v1/links").json()["links"] == []
        check_error(other.delete(f"/api/v1/links/{link['id']}"), 404)
        check_error(other.post("/api/v1/links", json={"path": file[0]}), 404)
    assert stranger.get(link["url"]).status_code == 200
    assert maker.delete(f"/api/v1/links/{link['id']}").status_code == 200
    check_error(stranger.get(link["url"]), 403, "link_revoked")
    check_error(maker.delete(f"/api/v1/links/{link['id']}"), 404)


def test_a_link_ends_with_the_key_that_made_it(linked, stranger, origin):
    text, info = make_key(linked.api)
    with linked.as_key(text) as api:
        job = api.completed(origin.url("small.mp4"), embed_metadata=False)
        url = make_link(api, job["file_info"]["file_path"])["url"]
    assert stranger.get(url).status_code == 200
    linked.api.delete(f"/api/v1/admin/api-keys/{info['id']}")
    check_error(stranger.get(url), 403, "link_revoked")
    # The administrator's own links go on.
    assert stranger.get(make_link(linked.api, job["file_info"]["file_path"])["url"]).status_code == 200


def test_links_outlive_a_restart_and_no_log_has_their_signature(server, origin):
    own = server(auth__mode="optional", limits__enabled="false", auth__api_key=ADMIN_KEY)
    with own.as_key(ADMIN_KEY) as admin:
        job = admin.completed(origin.url("small.mp4"), embed_metadata=False)
        url = make_link(admin, job["file_info"]["file_path"])["url"]
    own.stop()
    own.start()
    assert own.api.get(url).status_code == 200
    signature = parse_qs(urlsplit(url).query)["signature"][0]
    own.stop()
    for start in (1, 2):
        for kind in ("out", "err"):
            assert signature not in (own.folder / f"{kind}.{start}").read_text()
    secret = (own.storage / "link-secret").read_text().strip()
    assert len(secret) >= 40 and oct((own.storage / "link-secret").stat().st_mode)[-3:] == "600"
