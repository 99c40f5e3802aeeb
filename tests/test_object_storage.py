"""Files in a bucket: the real server over Debian's radosgw, which verifies signatures."""
import hashlib
import http.server
import json
import sqlite3
import subprocess
import threading
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from support import radosgw as gateway
from support import certificates
from support.api import check_error
from support.hostile_origin import File, HostileOrigin
from support.radosgw import ACCESS, REGION, SECRET
from support.s3 import FaultProxy
from support.server import environment

PART = 5 << 20
PLAIN = {"embed_metadata": False}


def over(bucket, url=None, **options):
    return gateway.over(bucket, url, storage__s3__part_bytes=PART, **options)


@pytest.fixture(scope="module")
def files():
    origin = HostileOrigin({"plain": lambda asked: asked.proper()}).start()
    yield origin
    origin.stop()


def link(job) -> str:
    return urlsplit(job["file_info"]["file_url"]).path


def test_a_file_becomes_an_object_and_is_given_out_by_a_presigned_address(server, bucket, origin):
    one = server(**over(bucket, storage__s3__prefix="trawl"))
    job = one.api.completed(origin.url("small.mp4"), path_template="v/{title}.{ext}", **PLAIN)
    data = origin.file("small.mp4").read_bytes()
    assert bucket.objects() == {f"trawl/content/{job['id']}/1/media.mp4"}
    assert bucket.get(bucket.objects().pop()) == data
    assert [path for path in (one.storage).rglob("*.mp4")] == [], "nothing stays on the disk"

    answer = one.api.get(link(job))
    assert answer.status_code == 302 and answer.headers["cache-control"] == "no-store"
    given = httpx.get(answer.headers["location"], headers={"Range": "bytes=5-9"}, trust_env=False)
    assert given.status_code == 206 and given.content == data[5:10]
    assert given.headers["content-type"] == "video/mp4" and "small.mp4" in given.headers["content-disposition"]
    spoilt = answer.headers["location"].replace("media.mp4", "other.mp4")
    assert httpx.get(spoilt, trust_env=False).status_code == 403
    assert SECRET not in answer.headers["location"] and SECRET not in one.out.read_text() + one.err.read_text()
    head = one.api.head(link(job))
    assert head.status_code == 200 and int(head.headers["content-length"]) == len(data)

    assert one.api.delete(f"/api/v1/downloads/{job['id']}?purge=true").status_code == 200
    assert bucket.objects() == set()
    check_error(one.api.get(link(job)), 404)


def test_a_large_file_goes_in_parts(server, bucket, files, radosgw):
    proxy = FaultProxy(radosgw.url)
    one = server(**over(bucket, proxy.url))
    file = File(1, 3 * PART + 12345)
    job = one.api.completed(files.url("plain", file), **PLAIN)
    assert proxy.count("create") == 1 and proxy.count("part") == 4 and proxy.count("complete") == 1
    (key,) = bucket.objects()
    assert hashlib.sha256(bucket.get(key)).hexdigest() == file.sha256()
    assert bucket.uploads() == []
    assert one.api.get(link(job)).status_code == 302


def test_a_part_that_is_damaged_on_its_way_is_refused_by_the_server_and_sent_again(server, bucket, files, radosgw):
    proxy = FaultProxy(radosgw.url)
    passed, spoilt = proxy.ask, []

    def ask(head, body, method):
        if method == "PUT" and len(body) == PART and not spoilt:
            spoilt.append(passed(head, body[:100] + bytes([body[100] ^ 1]) + body[101:], method))
            return spoilt[0]
        return passed(head, body, method)

    proxy.ask = ask
    one = server(**over(bucket, proxy.url))
    file = File(2, 2 * PART)
    one.api.completed(files.url("plain", file), **PLAIN)
    assert spoilt and b" 200 " not in spoilt[0].split(b"\r\n")[0]
    assert hashlib.sha256(bucket.get(bucket.objects().pop())).hexdigest() == file.sha256()


@pytest.fixture(scope="module")
def passed_on(tmp_path_factory, radosgw, files):
    """A server that passes files on itself, the path of one, and its bytes."""
    import uuid

    from support.s3 import S3
    from support.server import Server, close_all
    bucket = S3(radosgw.url, ACCESS, SECRET, REGION, f"test-{uuid.uuid4().hex[:12]}").create()
    options = {name.replace("__", "."): value for name, value in over(bucket, storage__s3__delivery="proxy").items()}
    one = Server(tmp_path_factory.mktemp("passed-on"), options).start()
    file = File(3, 2 * PART + 77)
    job = one.api.completed(files.url("plain", file), **PLAIN)
    yield one.api, link(job), bytes(file.piece(0, PART)) + bytes(file.piece(PART, file.size)), bucket
    close_all([one])


@pytest.mark.parametrize("asked, first, last", [(None, 0, None), ("0-0", 0, 0), ("4194300-4194310", 4194300, 4194310), ("500-", 500, None), ("-100", -100, None)])
def test_passed_on_files_have_ranges(passed_on, asked, first, last):
    api, path, data, _ = passed_on
    answer = api.get(path, headers={"Range": f"bytes={asked}"} if asked else {})
    begin = first if first >= 0 else len(data) + first
    end = len(data) - 1 if last is None else last
    assert answer.status_code == (206 if asked else 200) and answer.content == data[begin:end + 1]
    assert int(answer.headers["content-length"]) == end - begin + 1 and answer.headers["accept-ranges"] == "bytes"
    if asked:
        assert answer.headers["content-range"] == f"bytes {begin}-{end}/{len(data)}"


def test_passed_on_files_have_validators(passed_on):
    api, path, data, _ = passed_on
    etag = api.head(path).headers["etag"]
    assert etag == f'"{hashlib.sha256(data).hexdigest()}"'
    assert api.get(path, headers={"If-None-Match": etag}).status_code == 304
    assert api.get(path, headers={"Range": f"bytes={len(data)}-"}).status_code == 416


def test_an_object_that_has_gone_is_404(passed_on, files):
    api, _, _, bucket = passed_on
    before = bucket.objects()
    job = api.completed(files.url("plain", File(4, 1000)), **PLAIN)
    (key,) = bucket.objects() - before
    bucket.call("DELETE", key)
    check_error(api.get(link(job)), 404)


def test_a_cdn_is_named_with_a_signature_of_its_own(server, bucket, origin, tmp_path):
    key = tmp_path / "cdn.pem"
    subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
    one = server(**over(bucket, storage__s3__cdn_domain="d111.cloudfront.net", storage__s3__cdn_key_id="K2", storage__s3__cdn_key_file=key))
    job = one.api.completed(origin.url("small.mp4"), **PLAIN)
    answer = one.api.get(link(job))
    assert answer.status_code == 302
    url = urlsplit(answer.headers["location"])
    assert (url.scheme, url.netloc, url.path) == ("https", "d111.cloudfront.net", f"/content/{job['id']}/1/media.mp4")
    fields = parse_qs(url.query)
    assert fields["Key-Pair-Id"] == ["K2"] and int(fields["Expires"][0]) > time.time() + 3000 and fields["Signature"]


def test_a_cdn_without_a_key_is_named_as_it_is(server, bucket, origin):
    one = server(**over(bucket, storage__s3__prefix="trawl", storage__s3__cdn_domain="media.example.com"))
    job = one.api.completed(origin.url("small.mp4"), **PLAIN)
    assert one.api.get(link(job)).headers["location"] == f"https://media.example.com/trawl/content/{job['id']}/1/media.mp4"


def test_expired_files_are_deleted_from_the_bucket(server, bucket, files):
    one = server(**over(bucket))
    job = one.api.completed(files.url("plain", File(5, 2000)), **PLAIN)
    assert len(bucket.objects()) == 1
    one.stop()
    import sqlite3
    with sqlite3.connect(one.storage / "trawl.db") as database:
        database.execute("UPDATE artifacts SET expires_at = 1")
    one.start()  # Sweeps at once.
    wait_for(lambda: bucket.objects() == set(), 20)
    check_error(one.api.get(link(job)), 404)


def wait_for(condition, within):
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.1)


def test_a_bucket_is_named_in_the_host_where_that_is_asked_for(server, bucket, radosgw, origin):
    one = server(**over(bucket, f"http://s3.localhost:{radosgw.port}", storage__s3__style="virtual_host"))
    job = one.api.completed(origin.url("small.mp4"), **PLAIN)
    assert len(bucket.objects()) == 1
    where = urlsplit(one.api.get(link(job)).headers["location"])
    assert where.netloc == f"{bucket.bucket}.s3.localhost:{radosgw.port}"
    given = httpx.get(f"{radosgw.url}{where.path}?{where.query}", headers={"Host": where.netloc}, trust_env=False)
    assert given.status_code == 200 and given.content == origin.file("small.mp4").read_bytes()


def test_an_endpoint_with_a_certificate_of_its_own_is_trusted_by_its_authority_alone(server, bucket, radosgw, origin, tmp_path):
    authority = tmp_path / "ca.pem"
    certificates.authority(authority)
    certificates.issue(authority, tmp_path / "s3.pem", "IP:127.0.0.1")
    proxy = FaultProxy(radosgw.url, certificate=tmp_path / "s3.pem")
    assert "certificate" in server(start=False, **over(bucket, proxy.url)).refused() and not proxy.seen
    one = server(**over(bucket, proxy.url, storage__s3__ca_file=authority))
    one.api.completed(origin.url("small.mp4"), **PLAIN)
    assert len(bucket.objects()) == 1 and proxy.count("put") == 2
    proxy.close()


@pytest.mark.parametrize("options, said", [
    ({"storage__s3__secret_key": "wr0ng-secret"}, "403"),
    ({"storage__s3__bucket": "no-such-bucket"}, "NoSuchBucket"),
])
def test_a_bucket_that_cannot_be_used_stops_the_start(server, bucket, options, said):
    text = server(start=False, **over(bucket, **options)).refused()
    assert said in text and "storage" in text, text
    assert "wr0ng-secret" not in text and SECRET not in text


def test_environment_aws_means_a_bucket_and_nothing_else(server, bucket, origin):
    """Never a silent falling back to the folder."""
    assert "storage.s3.bucket" in server(start=False, env={"ENVIRONMENT": "aws"}).refused()

    env = {"ENVIRONMENT": "aws", "S3_BUCKET_NAME": bucket.bucket, "AWS_REGION": REGION, "AWS_ACCESS_KEY_ID": ACCESS, "AWS_SECRET_ACCESS_KEY": SECRET}
    two = server(env=env, storage__s3__endpoint=bucket.url)
    two.api.completed(origin.url("small.mp4"), **PLAIN)
    assert len(bucket.objects()) == 1

    three = server(env={"ENVIRONMENT": "localhost"})
    three.api.completed(origin.url("small.mp4"), **PLAIN)
    assert len(bucket.objects()) == 1 and list((three.storage / "content").rglob("*.mp4"))


def test_keys_of_an_instance_sign_requests(server, bucket, origin):
    class Metadata(http.server.BaseHTTPRequestHandler):
        asked: list[str] = []

        def log_message(self, *_):
            pass

        def answer(self, text):
            self.asked.append(f"{self.command} {self.path}")
            self.send_response(200)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def do_PUT(self):
            self.answer("a-token" if self.headers["X-aws-ec2-metadata-token-ttl-seconds"] else "")

        def do_GET(self):
            if self.headers["X-aws-ec2-metadata-token"] != "a-token":
                return self.send_error(401)
            if self.path.endswith("/security-credentials/"):
                return self.answer("role")
            return self.answer(json.dumps({"AccessKeyId": ACCESS, "SecretAccessKey": SECRET, "Expiration": "2099-01-01T00:00:00Z"}))

    service = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Metadata)
    threading.Thread(target=service.serve_forever, daemon=True).start()
    settings = {name: value for name, value in over(bucket).items() if not name.endswith("_key")}
    one = server(env={"AWS_EC2_METADATA_SERVICE_ENDPOINT": f"http://127.0.0.1:{service.server_address[1]}/"}, **settings)
    one.api.completed(origin.url("small.mp4"), **PLAIN)
    service.shutdown()
    assert len(bucket.objects()) == 1
    assert Metadata.asked == ["PUT /latest/api/token", "GET /latest/meta-data/iam/security-credentials/", "GET /latest/meta-data/iam/security-credentials/role"], \
        "keys are kept until they end"


def test_keys_of_a_container_sign_requests(server, bucket, origin):
    asked = []

    class Container(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_GET(self):
            asked.append((self.path, self.headers["Authorization"]))
            text = json.dumps({"AccessKeyId": ACCESS, "SecretAccessKey": SECRET, "Expiration": "2099-01-01T00:00:00Z"})
            self.send_response(200)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

    service = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Container)
    threading.Thread(target=service.serve_forever, daemon=True).start()
    settings = {name: value for name, value in over(bucket).items() if not name.endswith("_key")}
    address = f"http://127.0.0.1:{service.server_address[1]}/keys"
    one = server(env={"AWS_CONTAINER_CREDENTIALS_FULL_URI": address, "AWS_CONTAINER_AUTHORIZATION_TOKEN": "of-the-container"}, **settings)
    one.api.completed(origin.url("small.mp4"), **PLAIN)
    service.shutdown()
    assert len(bucket.objects()) == 1 and asked == [("/keys", "of-the-container")]


def test_get_keeps_files_on_this_machine(bucket, origin, tmp_path):
    from support.server import binary
    flags = [part for name, value in over(bucket).items() for part in (f"--{name.replace('__', '.')}", str(value))]
    done = subprocess.run([binary(), "get", origin.url("small.mp4"), "--allow-private", "-o", tmp_path / "out", *flags], cwd=tmp_path, env=environment(tmp_path),
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert [file.name for file in Path(tmp_path / "out").glob("*.mp4")] and bucket.objects() == set()


def test_a_file_somebody_brings_becomes_an_object_and_goes_with_its_row(server, bucket, origin):
    one = server(**over(bucket))
    data = origin.file("small.mp4").read_bytes() * 40
    made = one.api.post("/api/v1/files", content=data, params={"filename": "mine.mp4"})
    assert made.status_code == 201, made.text
    (key,) = bucket.objects()
    assert len(data) > PART and bucket.get(key) == data and bucket.uploads() == []
    assert one.api.post("/api/v1/storage/cleanup").status_code == 200
    assert bucket.objects() == {key}, "the sweep takes what somebody brought"
    stats = one.api.get("/api/v1/storage/stats").json()
    assert (stats["total_files"], stats["total_size_bytes"]) == (1, len(data))
    given = one.api.get("/files/" + made.json()["path"])
    assert given.status_code == 302 and httpx.get(given.headers["location"], trust_env=False).content == data
    assert one.api.delete("/files/" + made.json()["path"]).status_code == 200
    assert bucket.objects() == set()


def test_what_is_left_of_an_upload_that_a_crash_cut_is_swept(server, bucket, origin):
    one = server(**over(bucket), env={"FAILPOINT": "s3.before_complete"})
    data = origin.file("small.mp4").read_bytes() * 40
    with pytest.raises(httpx.HTTPError):
        one.api.post("/api/v1/files", content=data, params={"filename": "mine.mp4"})
    assert one.died() and bucket.uploads() != []
    database = sqlite3.connect(one.storage / "trawl.db")
    with database:
        assert database.execute("UPDATE uploads SET lease_until = 1").rowcount == 1  # Two minutes later.
    database.close()
    one.start()
    deadline = time.monotonic() + 30
    while bucket.uploads() or bucket.objects() or any((one.storage / "staging").iterdir()):
        assert one.api.post("/api/v1/storage/cleanup").status_code == 200
        assert time.monotonic() < deadline, (bucket.uploads(), bucket.objects())
        time.sleep(0.1)
    assert one.api.get("/files").json()["total"] == 0


def test_files_somebody_brought_go_when_they_are_the_oldest_and_all_are_too_much(server, origin):
    data = origin.file("small.mp4").read_bytes()
    one = server(storage__quota_bytes=2 * len(data) + 10)
    paths = [one.api.post("/api/v1/files", content=data, params={"filename": f"{name}.mp4"}).json()["path"] for name in "abc"]
    assert one.api.post("/api/v1/storage/cleanup").status_code == 200
    assert [one.api.head("/files/" + path).status_code for path in paths] == [404, 200, 200]
