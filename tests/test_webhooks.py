"""Webhooks: what is sent, how it is signed, and that it arrives."""
import base64
import hashlib
import hmac
import time

import pytest
from support.receiver import Receiver, verify

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OLD_SECRET = "an old secret of some length"


@pytest.fixture
def receiver():
    receivers = []

    def make(*args):
        receivers.append(Receiver(*args))
        return receivers[-1]

    yield make
    for each in receivers:
        each.stop()


@pytest.fixture
def hooked(server):
    """A server that may send webhooks to this machine."""
    return lambda **options: server(**{"webhook__allow_private_networks": "true", "webhook__secret": SECRET, **options})


def events(messages, job=None):
    return [m.document["event"] for m in messages if m.document["event"] != "download.progress" and job in (None, m.document["request_id"])]


def deliveries(api, **params):
    response = api.get("/api/v1/webhooks/deliveries", params=params)
    assert response.status_code == 200, response.text
    return response.json()["deliveries"]


def until(done, within=30):
    deadline = time.monotonic() + within
    while not (result := done()):
        assert time.monotonic() < deadline, f"not within {within} s"
        time.sleep(0.03)
    return result


def test_a_download_tells_of_its_start_and_end_and_both_signatures_hold(hooked, origin, receiver):
    listener = receiver()
    server = hooked()
    body = server.api.completed(origin.url("small.mp4"), webhook_url=listener.url("/hook?token=1"))
    messages = listener.until(lambda all: "download.completed" in events(all))

    assert events(messages) == ["download.started", "download.completed"]
    last = messages[-1]
    verify(SECRET, last)
    digest = hmac.new(base64.b64decode(SECRET.removeprefix("whsec_")), last.body, hashlib.sha256).hexdigest()
    assert last.headers["x-webhook-signature"] == f"sha256={digest}"
    assert last.headers["content-type"] == "application/json"
    assert last.headers["user-agent"].startswith("Ultimate-Media-Downloader-Webhook/")
    assert last.path == "/hook?token=1"

    document, info = last.document, body["file_info"]
    assert document["request_id"] == body["job_id"] and document["type"] == document["event"]
    data = document["data"]
    assert (data["file_path"], data["file_size"], data["file_url"]) == (info["file_path"], info["size_bytes"], info["file_url"])
    assert data["status"] == "completed" and data["file_info"]["filename"] == info["filename"]
    assert data["title"] == body["title"]
    until(lambda: server.api.show(body["job_id"])["webhook_sent"])
    assert [d["status"] for d in deliveries(server.api, request_id=body["job_id"])] == ["delivered", "delivered"]
    assert "token=1" not in str(deliveries(server.api))


def test_a_failure_says_what_kind(hooked, origin, receiver):
    listener = receiver()
    server = hooked()
    body = server.api.failed(origin.url("missing.mp4"), webhook_url=listener.url())
    messages = listener.until(lambda all: "download.failed" in events(all))
    data = messages[-1].document["data"]
    assert data["error"] == body["error"] and data["error_code"] == body["error_code"] and data["error_type"] == "download_error"


def test_progress_is_told_while_bytes_arrive(hooked, origin, receiver):
    listener = receiver()
    server = hooked(download__rate_limit_bytes=400_000)
    body = server.api.submit(origin.url("/slow/bench.mp4"), webhook_url=listener.url())
    messages = listener.until(lambda all: any(m.document["event"] == "download.progress" for m in all))
    server.api.delete(f"/api/v1/downloads/{body['job_id']}")
    messages = listener.until(lambda all: "download.cancelled" in events(all))
    [progress, *_] = [m for m in messages if m.document["event"] == "download.progress"]
    verify(SECRET, progress)
    assert progress.document["data"]["status"] == "downloading"
    assert set(progress.document["data"]["progress"]) == {"percent", "downloaded_bytes", "total_bytes", "speed", "eta"}


def test_two_secrets_sign_both_while_one_replaces_the_other(hooked, receiver):
    listener = receiver()
    server = hooked(webhook__secret=f"{SECRET},{OLD_SECRET}")
    assert server.api.post("/api/v1/webhooks/test", json={"url": listener.url()}).status_code == 202
    [message] = listener.until(len)
    verify(SECRET, message)
    verify(OLD_SECRET, message)
    with pytest.raises(AssertionError, match="no signature"):
        verify("some other secret entirely", message)
    with pytest.raises(AssertionError, match="too old"):
        verify(SECRET, message, now=time.time() + 301)


def test_without_a_secret_the_api_key_signs(hooked, receiver):
    listener = receiver()
    server = hooked(webhook__secret="", auth__api_key="a-key-of-the-operator")
    response = server.api.post("/api/v1/webhooks/test", json={"url": listener.url()}, headers={"X-API-Key": "a-key-of-the-operator"})
    assert response.status_code == 202, response.text
    [message] = listener.until(len)
    expected = hmac.new(b"a-key-of-the-operator", message.body, hashlib.sha256).hexdigest()
    assert message.headers["x-webhook-signature"] == f"sha256={expected}"


def test_a_redirect_is_not_followed(hooked, receiver):
    target = receiver()
    listener = receiver(lambda message, seen: (307, {"Location": target.url("/elsewhere")}))
    server = hooked(webhook__attempts=2)
    server.api.post("/api/v1/webhooks/test", json={"url": listener.url()})
    [delivery] = until(lambda: deliveries(server.api, status="failed"))
    assert [attempt["status"] for attempt in delivery["history"]] == [307, 307]
    assert target.messages == []


def test_410_ends_deliveries_to_that_address_until_one_is_replayed(hooked, receiver):
    gone = True
    listener = receiver(lambda message, seen: (410 if gone else 200, {}))
    server = hooked()
    for _ in range(2):
        assert server.api.post("/api/v1/webhooks/test", json={"url": listener.url()}).status_code == 202
        until(lambda: not deliveries(server.api, status="pending"))
    assert len(listener.messages) == 1
    disabled = deliveries(server.api, status="disabled")
    assert len(disabled) == 2
    gone = False
    replayed = server.api.post(f"/api/v1/webhooks/deliveries/{disabled[0]['id']}/replay")
    assert replayed.status_code == 202 and replayed.json()["status"] == "pending"
    until(lambda: deliveries(server.api, status="delivered"))
    assert listener.messages[-1].id == disabled[0]["id"]


def test_an_address_that_must_not_be_reached_is_refused_at_once(server, receiver, origin):
    listener = receiver()
    strict = server()  # Downloads may go to this machine, webhooks may not.
    for url in (listener.url(), "http://127.1:80/", "http://[::ffff:127.0.0.1]/", "http://169.254.169.254/latest"):
        for path, body in (("/api/v1/webhooks/test", {"url": url}), ("/api/v1/downloads", {"url": origin.url("small.mp4"), "webhook_url": url})):
            response = strict.api.post(path, json=body)
            assert response.status_code == 403 and response.json()["error_code"] == "address_not_allowed", response.text
    assert listener.messages == []


def test_when_webhooks_are_off_a_request_for_one_is_refused(server, origin):
    off = server(webhook__enabled="false")
    response = off.api.post("/api/v1/downloads", json={"url": origin.url("small.mp4"), "webhook_url": "https://example.com/hook"})
    assert response.status_code == 422 and response.json()["error_code"] == "webhooks_disabled"


def test_deliveries_can_be_looked_at_one_by_one(hooked, receiver):
    listener = receiver(lambda message, seen: (404, {}))
    server = hooked()
    made = server.api.post("/api/v1/webhooks/test", json={"url": listener.url()}).json()
    until(lambda: deliveries(server.api, status="failed"))
    shown = server.api.get(f"/api/v1/webhooks/deliveries/{made['id']}").json()
    assert shown["attempts"] == 1 and shown["history"][0]["error"] == "the receiver answered 404"
    assert server.api.get("/api/v1/webhooks/deliveries/nothing").status_code == 404
    assert server.api.get("/api/v1/webhooks/deliveries", params={"status": "odd"}).status_code == 422
