"""A10: twelve planted secrets, and none of them anywhere but where it belongs."""
import sqlite3
import threading
import time
from urllib.parse import parse_qs, urlsplit

import httpx

from support import process
from support.api import check_error
from support.keys import make_key
from support.login_origin import MARK, netscape
from support.radosgw import ACCESS, REGION, SECRET
from support.receiver import Receiver
from support.ws import watch

KEY = "a1" * 32
ADMIN = "PLANTED-configured-key-1c44"
TOKEN = "PLANTED-setup-token-77aa"
HOOK = "PLANTED-webhook-secret-5d21"
BEARER = "PLANTED-authorization-e0b7"
PASSWORD = "PLANTED-url-password-9f10"
SIGNED = "PLANTED-signed-query-42c8"
OPERATOR = "PLANTED-operator-cookie-0b6e"


class Lines:
    """Every command line, and every environment but the server's own, of the server's processes while it works."""

    def __init__(self, pid):
        self.pid, self.seen, self.over = pid, set(), threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.over.wait(0.02):
            for pid in process.tree(self.pid):
                for name in ("cmdline", *(["environ"] if pid != self.pid else [])):
                    try:
                        with open(f"/proc/{pid}/{name}", "rb") as file:
                            self.seen.add((name, file.read()))
                    except OSError:
                        pass

    def close(self):
        self.over.set()
        self.thread.join()
        return b"\n".join(text for _, text in self.seen)


def test_a10_no_planted_secret_is_told(server, bucket, login, tmp_path, bars):
    receiver = Receiver()
    operators = tmp_path / "operators.txt"
    operators.write_text(netscape("site.example", OPERATOR))
    one = server(
        start=False, log__level="trace", auth__mode="required", limits__enabled="false", download__cookies_file=operators, webhook__allow_private_networks="true",
        storage__backend="s3", storage__s3__bucket=bucket.bucket, storage__s3__region=REGION, storage__s3__endpoint=bucket.url,
        env={"TRAWL_AUTH_API_KEY": ADMIN, "TRAWL_AUTH_BOOTSTRAP_TOKEN": TOKEN, "TRAWL_WEBHOOK_SECRET": HOOK, "TRAWL_COOKIES_KEY": KEY,
             "TRAWL_STORAGE_S3_ACCESS_KEY": ACCESS, "TRAWL_STORAGE_S3_SECRET_KEY": SECRET})
    one.key = ADMIN
    one.start()
    lines, told = Lines(one.child.pid), []

    def keep(answer):
        """Whatever is answered, but for what is told once to who asked for it."""
        told.append(repr(answer.headers.raw).encode() + answer.read())

    try:
        issued, _ = make_key(one.api)
        check_error(one.api.post("/api/v1/bootstrap/admin-key", json={}, headers={"X-Setup-Token": TOKEN}), 409)
        api, admin = one.as_key(issued), one.as_key(ADMIN)
        for client in (api, admin):
            client.event_hooks["response"].append(keep)
        cookies = [api.post("/api/v1/auth/cookies", json={"cookies": netscape()}).json()["cookie_id"] for _ in range(2)]
        job = api.completed(login.url(f"/private.mp4?Signature={SIGNED}"), cookies_id=cookies[0], webhook_url=receiver.url(), embed_metadata=False)["id"]
        failed = api.failed(login.url(f"/private.mp4?Signature={SIGNED}&again=1"), webhook_url=receiver.url(), max_retries=0, embed_metadata=False)["id"]
        assert len([cookie for _, cookie in login.seen if MARK in cookie]) and receiver.messages
        watch(one.url, f"{job}?key={issued}")
        made = one.as_key(issued).post("/api/v1/links", json={"path": api.show(job)["file_info"]["file_path"]}).json()["url"]
        signature = parse_qs(urlsplit(made).query)["signature"][0]
        assert httpx.get(one.url + urlsplit(made)._replace(scheme="", netloc="").geturl(), trust_env=False).status_code == 302
        # What is refused, and what is told about it.
        bearer = httpx.get(one.url + "/api/v1/downloads", headers={"Authorization": f"Bearer {BEARER}"}, trust_env=False)
        assert bearer.status_code == 401
        told.append(bearer.content)
        assert api.post("/api/v1/downloads", json={"url": f"http://user:{PASSWORD}@127.0.0.1:{login.port}/x"}).status_code == 422
        assert api.post("/api/v1/urls/validate", json={"url": f"http://user:{PASSWORD}@127.0.0.1:{login.port}/x"}).json()["valid"] is False
        assert api.get("/api/v1/formats", params={"url": login.url(f"/none.mp4?Signature={SIGNED}")}).status_code >= 400
        for path in ("/metrics", "/api/v1/admin/config", "/api/v1/admin/engine", "/api/v1/admin/dlq", "/api/v1/webhooks/deliveries", "/api/v1/auth/cookies",
                     "/api/v1/admin/api-keys", "/api/v1/stats", "/status", "/services", "/api/v1/links", f"/api/v1/downloads/{job}/logs", f"/api/v1/downloads/{failed}/logs"):
            assert admin.get(path).status_code == 200, path
        deadline = time.monotonic() + 30
        while api.get("/api/v1/webhooks/deliveries", params={"status": "pending"}).json()["total"]:
            assert time.monotonic() < deadline
            time.sleep(0.1)
    finally:
        arguments = lines.close()
        receiver.stop()
    one.stop()
    with sqlite3.connect(one.storage / "trawl.db") as database:
        sealed = [row for (row,) in database.execute("SELECT sealed FROM cookies")]
        kept = "\n".join(database.iterdump()).encode()
    kept += b"".join(path.read_bytes() for path in one.storage.rglob("*") if path.is_file())
    logs = one.out.read_bytes() + one.err.read_bytes()
    assert len(logs) > 10_000 and job.encode() in kept and b"trawl" in arguments and len(told) > 20
    places = {"log": logs, "database and files": kept, "answers": b"\n".join(told), "command lines and environments": arguments,
              "webhooks": b"\n".join(message.body + repr(message.headers).encode() for message in receiver.messages)}
    markers = {"cookie": MARK, "operator's cookie": OPERATOR, "configured key": ADMIN, "issued key": issued[15:58], "Authorization": BEARER, "password in a URL": PASSWORD,
               "signed query": SIGNED, "secret of S3": SECRET, "secret of webhooks": HOOK, "key of cookies": KEY, "token of set-up": TOKEN, "signature of a link": signature}
    # A download keeps the address that its owner gave to it, and shows it to its owner.
    known = {("signed query", place) for place in ("database and files", "answers", "webhooks")}
    found = [(name, place) for name, text in markers.items() for place, content in places.items() if text.encode() in content and (name, place) not in known]
    assert found == []
    bars.holds("A10", "markers planted", len(markers), equals=12)
    bars.holds("A10", "markers found where they do not belong", len(found), equals=0)
    bars.holds("A10", "the same cookies sealed alike", len(cookies) - len(set(sealed)), equals=0)
