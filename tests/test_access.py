"""API keys: who may call what, and what exists for whom."""
import re
import sqlite3
import stat
import time

import pytest

from support.api import check_error
from support.keys import ADMIN_KEY, guarded_server, make_key

KEY = re.compile(r"^trawl_[0-9A-Za-z]{8}_[0-9A-Za-z]{49}$")
FAR = "2999-01-01T00:00:00Z"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    with guarded_server(tmp_path_factory.mktemp("guarded")) as server:
        yield server


@pytest.fixture
def admin(guarded):
    return guarded.api


# --- The first key


def test_a_new_server_makes_its_first_key_once_for_who_can_read_its_token(server):
    new = server(auth__mode="required")
    file = new.storage / "bootstrap-token"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    token = file.read_text().strip()
    said = new.out.read_text()
    assert str(file) in said and "/api/v1/bootstrap/admin-key" in said
    assert token not in said + new.err.read_text()

    status = new.api.get("/api/v1/bootstrap/status").json()
    assert status["bootstrap_required"] is True and status["bootstrap_available"] is True
    check_error(new.api.get("/api/v1/downloads"), 401)
    for wrong in ({}, {"X-Setup-Token": token[:-1]}, {"X-Setup-Token": ""}):
        check_error(new.api.post("/api/v1/bootstrap/admin-key", headers=wrong), 401)
    made = new.api.post("/api/v1/bootstrap/admin-key", headers={"X-Setup-Token": token}, json={"name": "me"})
    assert made.status_code == 201, made.text
    key = made.json()["api_key"]
    assert KEY.match(key) and made.json()["key_info"]["permission_level"] == "full_access"
    assert new.as_key(key).get("/api/v1/downloads").status_code == 200
    check_error(new.api.post("/api/v1/bootstrap/admin-key", headers={"X-Setup-Token": token}), 409, "already_bootstrapped")
    assert not file.exists()
    assert new.api.get("/api/v1/bootstrap/status").json()["bootstrap_required"] is False

    new.stop()
    new.start()
    assert not file.exists() and "bootstrap" not in new.out.read_text()
    assert new.as_key(key).get("/api/v1/downloads").status_code == 200
    check_error(new.api.post("/api/v1/bootstrap/admin-key", headers={"X-Setup-Token": token}), 401)


def test_the_bootstrap_token_of_the_configuration_is_used_and_stays_the_same_over_restarts(server):
    token = "sixteen-characters-at-least"
    new = server(auth__mode="required", auth__bootstrap_token=token)
    assert not (new.storage / "bootstrap-token").exists() and token not in new.out.read_text()
    new.stop()
    new.start()
    assert new.api.post("/api/v1/bootstrap/admin-key", headers={"X-Setup-Token": token}).status_code == 201


def test_without_a_word_about_it_keys_are_required(server):
    plain = server(start=False)
    del plain.options["auth.mode"]
    plain.start()
    check_error(plain.api.get("/api/v1/downloads"), 401)
    assert plain.api.get("/healthz").status_code == 200


# --- Keys


def test_a_key_is_shown_once_and_never_again(admin):
    text, info = make_key(admin, name="once", description="d", notes="n", expires_at=FAR, custom_rate_limit=77)
    assert KEY.match(text) and info["prefix"] == text[:14] and info["id"] == text[6:14]
    for path in (f"/api/v1/admin/api-keys/{info['id']}", "/api/v1/admin/api-keys"):
        answer = admin.get(path)
        assert answer.status_code == 200 and info["id"] in answer.text and text[15:] not in answer.text
    shown = admin.get(f"/api/v1/admin/api-keys/{info['id']}").json()
    assert (shown["name"], shown["description"], shown["notes"], shown["custom_rate_limit"]) == ("once", "d", "n", 77)
    assert shown["status"] == "active" and shown["expires_at"].startswith("2999-01-01T00:00:00")
    assert shown["created_by"] == "configured" and shown["last_used_at"] is None


def test_a_key_counts_its_uses(guarded, admin):
    text, info = make_key(admin)
    with guarded.as_key(text) as holder:
        for _ in range(3):
            assert holder.get("/api/v1/downloads").status_code == 200
    deadline = time.monotonic() + 15
    while (shown := admin.get(f"/api/v1/admin/api-keys/{info['id']}").json())["usage_count"] != 3:
        assert time.monotonic() < deadline, shown
        time.sleep(0.1)
    assert shown["last_used_at"]


@pytest.mark.parametrize("how", ["header", "bearer"])
def test_a_key_may_come_in_either_header(guarded, admin, how):
    text, _ = make_key(admin, permission_level="read_only")
    headers = {"X-API-Key": text} if how == "header" else {"Authorization": f"Bearer {text}"}
    with guarded.as_key(None) as stranger:
        assert stranger.get("/api/v1/downloads", headers=headers).status_code == 200
        refused = stranger.get("/api/v1/downloads", params={"api_key": text})
        check_error(refused, 401)
        assert "apikey" in refused.headers["www-authenticate"].lower()


def test_revocation_takes_effect_with_the_next_request(guarded, admin):
    text, info = make_key(admin)
    with guarded.as_key(text) as holder:
        assert holder.get("/api/v1/downloads").status_code == 200
        assert admin.delete(f"/api/v1/admin/api-keys/{info['id']}").json()["status"] == "revoked"
        check_error(holder.get("/api/v1/downloads"), 401, "key_revoked")
    check_error(admin.put(f"/api/v1/admin/api-keys/{info['id']}", json={"is_active": True}), 409)


def test_a_key_can_be_switched_off_and_on_again(guarded, admin):
    text, info = make_key(admin)
    path = f"/api/v1/admin/api-keys/{info['id']}"
    with guarded.as_key(text) as holder:
        assert admin.put(path, json={"is_active": False}).json()["status"] == "disabled"
        check_error(holder.get("/api/v1/downloads"), 401, "key_disabled")
        assert admin.put(path, json={"is_active": True}).json()["status"] == "active"
        assert holder.get("/api/v1/downloads").status_code == 200
        assert admin.put(path, json={"expires_at": "2001-01-01T00:00:00Z"}).json()["status"] == "expired"
        check_error(holder.get("/api/v1/downloads"), 401, "key_expired")
        assert admin.put(path, json={"expires_at": None}).json()["expires_at"] is None
        assert holder.get("/api/v1/downloads").status_code == 200
        assert admin.put(path, json={"permission_level": "read_only", "name": "less"}).json()["name"] == "less"
        check_error(holder.post("/api/v1/downloads", json={"url": "http://127.0.0.1:1/x.mp4"}), 403, "scope_missing")


def test_a_rotated_key_keeps_its_name_and_its_things(guarded, admin, origin):
    old, info = make_key(admin)
    with guarded.as_key(old) as holder:
        job = holder.submit(origin.url("small.mp4"), embed_metadata=False)["id"]
        holder.finish(job)
    path = f"/api/v1/admin/api-keys/{info['id']}/rotate"
    new = admin.post(path, json={"grace_sec": 3600}).json()["api_key"]
    assert new != old and new[:14] == old[:14]
    for text in (old, new):
        with guarded.as_key(text) as holder:
            assert holder.show(job)["id"] == job
    newest = admin.post(path).json()["api_key"]
    for text in (old, new):
        with guarded.as_key(text) as holder:
            check_error(holder.get("/api/v1/downloads"), 401)
    with guarded.as_key(newest) as holder:
        assert holder.show(job)["id"] == job


@pytest.mark.parametrize("body", [
    {}, {"name": ""}, {"name": "x" * 101}, {"name": "a/b"}, {"name": "x", "permission_level": "god"}, {"name": "x", "custom_rate_limit": 0},
    {"name": "x", "custom_rate_limit": 10_001}, {"name": "x", "expires_at": "soon"}, {"name": "x", "description": "x" * 501},
    {"name": "x", "notes": "x" * 1001}, {"name": "x", "jobs_per_day": -1}, {"name": "x", "colour": "blue"}])
def test_a_wrong_key_is_not_made(admin, body):
    before = admin.get("/api/v1/admin/api-keys").json()["total"]
    check_error(admin.post("/api/v1/admin/api-keys", json=body), 422)
    assert admin.get("/api/v1/admin/api-keys").json()["total"] == before


def test_nobody_hands_out_or_takes_away_more_than_they_have(guarded, admin):
    text, _ = make_key(admin, permission_level="admin")
    _, strong = make_key(admin, permission_level="full_access")
    with guarded.as_key(text) as lesser:
        check_error(lesser.post("/api/v1/admin/api-keys", json={"name": "x", "permission_level": "full_access"}), 403, "level_too_high")
        _, mine = make_key(lesser, permission_level="admin")
        check_error(lesser.put(f"/api/v1/admin/api-keys/{mine['id']}", json={"permission_level": "full_access"}), 403)
        for method, path in (("DELETE", ""), ("PUT", ""), ("POST", "/rotate")):
            check_error(lesser.request(method, f"/api/v1/admin/api-keys/{strong['id']}{path}", json={}), 403, "level_too_high")
    for level in ("read_only", "download"):
        text, _ = make_key(admin, permission_level=level)
        with guarded.as_key(text) as lesser:
            check_error(lesser.get("/api/v1/admin/api-keys"), 403, "scope_missing")


def test_keys_are_listed_by_level_and_whether_they_can_be_used(admin):
    _, kept = make_key(admin, permission_level="read_only")
    _, gone = make_key(admin, permission_level="read_only")
    admin.delete(f"/api/v1/admin/api-keys/{gone['id']}")
    listed = admin.get("/api/v1/admin/api-keys", params={"permission_level": "read_only", "active_only": "true", "per_page": 100}).json()
    ids = [key["id"] for key in listed["api_keys"]]
    assert kept["id"] in ids and gone["id"] not in ids and listed["total"] == len(ids) and listed["pages"] == 1
    check_error(admin.get("/api/v1/admin/api-keys", params={"permission_level": "god"}), 422)
    check_error(admin.get("/api/v1/admin/api-keys/nobody00"), 404)


# --- What exists for whom


@pytest.fixture(scope="module")
def two(guarded, origin):
    """Two holders, and a finished job of the first."""
    first, second = (guarded.as_key(make_key(guarded.api)[0]) for _ in range(2))
    job = first.completed(origin.url("small.mp4"), embed_metadata=False)
    yield first, second, job
    first.close()
    second.close()


def test_a_key_sees_its_own_downloads_and_files_only(guarded, two):
    first, second, job = two
    unknown = second.get("/api/v1/downloads/01890a5d-ac96-774b-bcce-b302099a8057")
    for method, path in (("GET", ""), ("GET", "/logs"), ("DELETE", ""), ("DELETE", "?purge=true"), ("POST", "/pause"), ("POST", "/resume"),
                         ("POST", "/retry"), ("DELETE", "/retention")):
        answer = second.request(method, f"/api/v1/downloads/{job['id']}{path}")
        check_error(answer, 404, "not_found")
        assert answer.json()["message"].replace(job["id"], "ID") == unknown.json()["message"].replace("01890a5d-ac96-774b-bcce-b302099a8057", "ID")
    check_error(second.get(f"/api/v1/status/{job['id']}"), 404, "not_found")
    check_error(second.get("/api/v1/admin/dlq"), 403)
    assert second.get("/api/v1/downloads").json()["total"] == second.get("/api/v1/jobs").json()["total"] == 0
    assert job["id"] in [entry["id"] for entry in first.get("/api/v1/downloads").json()["downloads"]]
    file = job["file_info"]["file_url"]
    check_error(second.get(file), 404)
    assert first.get(file).status_code == 200


def test_an_idempotency_key_belongs_to_the_key_it_was_sent_with(guarded, two, origin):
    body = {"url": origin.url("small.mp4"), "scheduled_at": FAR}
    made = []
    for holder in (*two[:2], *two[:2]):
        answer = holder.post("/api/v1/downloads", json=body, headers={"Idempotency-Key": "the-same"})
        assert answer.status_code == 202, answer.text
        made.append(answer.json()["id"])
    assert made[0] == made[2] != made[1] == made[3]
    for holder, job in zip(two[:2], made):
        assert holder.show(job)["id"] == job
        for became in ("cancelled", "deleted"):
            assert holder.delete(f"/api/v1/downloads/{job}?purge=true").json()["status"] == became


def test_an_administrator_sees_everything(guarded, admin, two):
    _, _, job = two
    assert admin.show(job["id"])["id"] == job["id"]
    assert admin.get(job["file_info"]["file_url"]).status_code == 200
    assert job["id"] in [entry["id"] for entry in admin.get("/api/v1/downloads", params={"per_page": 100}).json()["downloads"]]


def test_without_a_key_where_it_is_optional_one_may_download_but_not_administer(server, origin):
    open_server = server(auth__mode="optional", limits__enabled="false", auth__api_key=ADMIN_KEY)
    mine = open_server.api.completed(origin.url("small.mp4"), embed_metadata=False)
    assert open_server.api.get(mine["file_info"]["file_url"]).status_code == 200
    check_error(open_server.api.get("/api/v1/admin/api-keys"), 403)
    with open_server.as_key(ADMIN_KEY) as admin, open_server.as_key("wrong") as wrong:
        theirs = admin.submit(origin.url("small.mp4"), embed_metadata=False)["id"]
        admin.finish(theirs)
        check_error(open_server.api.get(f"/api/v1/downloads/{theirs}"), 404)
        check_error(wrong.get("/api/v1/downloads"), 401)


# --- Where keys are kept


def test_no_key_is_kept_in_clear(guarded, admin):
    texts = [make_key(admin)[0] for _ in range(20)]
    with sqlite3.connect(f"file:{guarded.storage / 'trawl.db'}?mode=ro", uri=True) as database:
        dump = "\n".join(database.iterdump())
    raw = b"".join(path.read_bytes() for path in guarded.storage.glob("trawl.db*"))
    logs = guarded.out.read_text() + guarded.err.read_text()
    for text in [*texts, ADMIN_KEY]:
        secret = text[15:] if text in texts else text
        assert secret not in dump and secret.encode() not in raw and secret not in logs
    assert all(text[6:14] in dump for text in texts)
