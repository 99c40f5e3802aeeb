"""Cookies that users store: kept sealed, used by their owner's downloads only, shown to nobody."""
import json
import sqlite3
import stat
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from support import process
from support.api import check_error
from support.keys import ADMIN_KEY, guarded_server, make_key
from support.login_origin import MARK, netscape

KEY = "a1" * 32


@pytest.fixture(scope="module")
def safe(tmp_path_factory):
    with guarded_server(tmp_path_factory.mktemp("safe"), cookies__key=KEY, log__level="trace") as server:
        yield server


@pytest.fixture(scope="module")
def holder(safe):
    with safe.as_key(make_key(safe.api)[0]) as api:
        yield api


@pytest.fixture(scope="module")
def stored(holder):
    response = holder.post("/api/v1/auth/cookies", json={"cookies": netscape(), "name": "mine"})
    assert response.status_code == 201, response.text
    return response.json()


# --- Storing


def test_cookies_are_shown_by_domain_and_expiry_only(holder, stored):
    assert stored["domains"] == ["127.0.0.1"] and stored["status"] == "active" and stored["name"] == "mine"
    assert stored["expires_at"].startswith("2033-05-18") and stored["cookie_count"] == 1
    for path in ("/api/v1/auth/cookies", "/api/v1/cookies", f"/api/v1/auth/cookies/{stored['cookie_id']}"):
        answer = holder.get(path)
        assert answer.status_code == 200 and stored["cookie_id"] in answer.text and MARK not in answer.text


@pytest.mark.parametrize("form", ["text", "as it is"])
def test_the_json_of_a_browser_extension_is_understood(holder, form):
    export = [{"domain": ".example.com", "name": "a", "value": MARK, "path": "/", "secure": True, "hostOnly": False, "expirationDate": 4102444800.5}]
    made = holder.post("/api/v1/cookies", json={"cookies": json.dumps(export) if form == "text" else export})
    assert made.status_code == 201, made.text
    assert made.json()["domains"] == ["example.com"] and made.json()["name"] == "default" and MARK not in made.text
    assert holder.delete(f"/api/v1/cookies/{made.json()['cookie_id']}").json()["status"] == "deleted"
    check_error(holder.get(f"/api/v1/cookies/{made.json()['cookie_id']}"), 404)


@pytest.mark.parametrize("body, status", [
    ({"cookies": ""}, 400), ({"cookies": f"nonsense {MARK}"}, 400), ({"cookies": []}, 400), ({"cookies": {}}, 400), ({"cookies": 7}, 400),
    ({"cookies": netscape(domain="")}, 400), ({}, 422), ({"name": "x"}, 422), ({"browser": "lynx"}, 422), ({"cookies": netscape(), "name": "a/b"}, 422),
    ({"cookies": netscape(), "name": "x" * 51}, 422), ({"browser": "firefox"}, 403)])
def test_bad_content_is_400_and_a_wrong_question_422(holder, body, status):
    answer = holder.post("/api/v1/auth/cookies", json=body)
    check_error(answer, status)
    assert MARK not in answer.text
    if status == 400:
        assert "Invalid" in answer.json()["message"]


def test_expired_cookies_are_told_and_not_used(holder, login):
    old = holder.post("/api/v1/cookies", json={"cookies": netscape(expires=1000000000)}).json()
    assert old["status"] == "expired"
    refused = holder.post("/api/v1/downloads", json={"url": login.url("/video.mp4"), "cookies_id": old["cookie_id"]})
    check_error(refused, 422, "cookies_expired")


def test_cookies_that_end_soon_or_are_old_are_named(server):
    own = server(cookies__key=KEY, env={"COOKIE_ROTATION_SCHEDULE_DAYS": "10"})
    show = lambda: own.api.get(f"/api/v1/auth/cookies/{mine}").json()  # noqa: E731
    mine = own.api.post("/api/v1/auth/cookies", json={"cookies": netscape()}).json()["cookie_id"]
    assert (show()["expires_soon"], show()["rotation_due"]) == (False, False)
    own.stop()
    with sqlite3.connect(own.storage / "trawl.db") as database:
        database.execute("UPDATE cookies SET created_at = created_at - 10 * 86400000")
    own.start()
    assert (show()["expires_soon"], show()["rotation_due"]) == (False, True)
    assert "stored cookies are due to be stored anew" in own.err.read_text()
    own.stop()
    with sqlite3.connect(own.storage / "trawl.db") as database:
        database.execute("UPDATE cookies SET first_expiry = created_at + 12 * 86400000")
    own.start()
    assert show()["expires_soon"] and "stored cookies expire soon" in own.err.read_text()


def test_without_a_key_to_encrypt_with_none_are_stored(server):
    plain = server()
    check_error(plain.api.post("/api/v1/cookies", json={"cookies": netscape()}), 422, "no_encryption_key")


@pytest.mark.parametrize("key", ["short", "a" * 63, "a" * 65, "x" * 64, "passphrase-of-exactly-32-bytes!!"])
def test_a_key_that_is_none_stops_the_start(server, key):
    refused = server(start=False, cookies__key=key)
    with pytest.raises(AssertionError, match="did not start"):
        refused.start()
    assert key not in refused.err.read_text() and "cookies.key" in refused.err.read_text()
    refused.child = None


# --- Using


@pytest.mark.parametrize("native", ["true", "false"])
def test_a_download_with_cookies_gets_what_only_they_open(server, login, native):
    own = server(cookies__key=KEY, transfer__native=native, download__max_retries=0)
    check_error(own.api.get("/api/v1/cookies/none"), 404)
    cookies = own.api.post("/api/v1/cookies", json={"cookies": netscape()}).json()["cookie_id"]
    assert own.api.failed(login.url("/video.mp4"))["error"]
    job = own.api.completed(login.url("/video.mp4"), cookies_id=cookies, embed_metadata=False)
    assert own.api.get(job["file_info"]["file_url"]).status_code == 200
    # Not to another host, however the redirect leads there.
    login.seen.clear()
    own.api.completed(login.url("/elsewhere.mp4"), cookies_id=cookies, embed_metadata=False)
    elsewhere = [cookie for path, cookie in login.seen if path == "/open.mp4"]
    assert elsewhere and not any(MARK in cookie for cookie in elsewhere)
    assert any(MARK in cookie for path, cookie in login.seen if path == "/elsewhere.mp4")


def test_cookies_of_another_key_do_not_exist(safe, stored, login):
    with safe.as_key(make_key(safe.api)[0]) as other:
        for method in ("GET", "DELETE"):
            check_error(other.request(method, f"/api/v1/cookies/{stored['cookie_id']}"), 404)
        assert other.get("/api/v1/cookies").json()["total"] == 0
        refused = other.post("/api/v1/downloads", json={"url": login.url("/video.mp4"), "cookies_id": stored["cookie_id"]})
        check_error(refused, 422, "unknown_cookies")
    with safe.as_key(make_key(safe.api, permission_level="read_only")[0]) as reader:
        check_error(reader.get("/api/v1/cookies"), 403)


def test_no_trace_of_a_cookie_is_left_anywhere(safe, holder, stored, login):
    """Looked for while the download runs and after it has ended."""
    login.slow = True
    try:
        job = holder.submit(login.url("/video.mp4"), cookies_id=stored["cookie_id"], embed_metadata=False, write_info_json=True)["id"]
        holder.running(job)
        files = [path for path in safe.storage.rglob("*") if path.is_file() and MARK.encode() in path.read_bytes()]
        assert [path.name for path in files] == ["cookies.txt"], files
        assert stat.S_IMODE(files[0].stat().st_mode) == 0o600 and stat.S_IMODE(files[0].parent.stat().st_mode) == 0o700
        for pid in safe.processes():
            assert MARK not in process.command_of(pid)
    finally:
        login.slow = False
    ended = holder.finish(job)
    assert ended["status"] == "completed", holder.log_text(job)
    left = [path for path in safe.storage.rglob("*") if path.is_file() and MARK.encode() in path.read_bytes()]
    assert left == []
    with sqlite3.connect(f"file:{safe.storage / 'trawl.db'}?mode=ro", uri=True) as database:
        dump = "\n".join(database.iterdump())
        sealed = [row[0] for row in database.execute("SELECT sealed FROM cookies")]
    assert MARK not in dump and KEY not in dump and sealed and all(text.startswith("v1.") for text in sealed)
    said = safe.out.read_text() + safe.err.read_text() + json.dumps(ended) + holder.log_text(job)
    for path in ("/api/v1/cookies", "/api/v1/downloads", "/health"):
        said += holder.get(path).text
    for info in ended["artifacts"]:
        said += holder.get(info["file_url"]).content.decode(errors="replace")
    assert MARK not in said and KEY not in said and ADMIN_KEY not in said


def test_a_new_key_takes_over_and_the_old_one_can_go(server, login):
    own = server(cookies__key=KEY)
    cookies = own.api.post("/api/v1/cookies", json={"cookies": netscape()}).json()["cookie_id"]
    own.stop()
    own.options.update({"cookies.key": "b2" * 32, "cookies.old_keys": KEY})
    own.start()
    own.stop()
    del own.options["cookies.old_keys"]
    own.start()
    own.api.completed(login.url("/video.mp4"), cookies_id=cookies, embed_metadata=False)


# --- From a browser


def test_the_cookies_of_a_browser_on_the_machine_are_taken_when_the_operator_allows_it(server, login):
    own = server(start=False, cookies__key=KEY, cookies__browsers="firefox")
    profile = own.folder / ".mozilla/firefox/abcd.work"
    profile.mkdir(parents=True)
    with sqlite3.connect(profile / "cookies.sqlite") as database:
        database.execute("CREATE TABLE moz_cookies (host TEXT, name TEXT, value TEXT, path TEXT, expiry INTEGER, isSecure INTEGER, originAttributes TEXT)")
        database.execute("INSERT INTO moz_cookies VALUES ('127.0.0.1', 'sid', ?, '/', 4102444800, 0, '')", (MARK,))
    own.start()
    made = own.api.post("/api/v1/cookies", json={"browser": "firefox", "profile": "abcd.work"})
    assert made.status_code == 201, made.text
    assert made.json()["browser"] == "firefox" and made.json()["domains"] == ["127.0.0.1"]
    own.api.completed(login.url("/video.mp4"), cookies_id=made.json()["cookie_id"], embed_metadata=False)
    for profile in ("../../etc", "/etc", "..", "nobody"):
        check_error(own.api.post("/api/v1/cookies", json={"browser": "firefox", "profile": profile}), 422)
    check_error(own.api.post("/api/v1/cookies", json={"browser": "chrome"}), 403, "browser_not_allowed")


def test_the_operators_cookies_go_to_their_site_only_when_that_is_what_was_asked_for(server, origin, tmp_path):
    """A page elsewhere that leads to the operator's site must not be served as the operator."""
    seen: list[tuple[str, str]] = []
    data = origin.file("small.mp4").read_bytes()

    class Anywhere(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            host = self.headers["Host"].partition(":")[0]
            seen.append((host, self.headers.get("Cookie", "")))
            moved = host == "127.0.0.2"
            self.send_response(302 if moved else 200)
            if moved:
                self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}{self.path}")
            body = b"" if moved else data
            self.send_header("Content-Type", "video/mp4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        do_HEAD = do_GET

        def log_message(self, *args):
            pass

    site = ThreadingHTTPServer(("0.0.0.0", 0), Anywhere)
    threading.Thread(target=site.serve_forever, daemon=True).start()
    jar = tmp_path / "operator.txt"
    jar.write_text(netscape(value="OPERATORS"))
    try:
        running = server(download__cookies_file=jar)
        running.api.completed(f"http://127.0.0.2:{site.server_port}/led.mp4", embed_metadata=False)
        assert {host for host, _ in seen} == {"127.0.0.1", "127.0.0.2"} and not any(cookie for _, cookie in seen), seen
        seen.clear()
        running.api.completed(f"http://127.0.0.1:{site.server_port}/asked.mp4", embed_metadata=False)
        assert seen and all("OPERATORS" in cookie for _, cookie in seen), seen
    finally:
        site.shutdown()
        site.server_close()
