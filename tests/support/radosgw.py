"""A throw-away S3 server on loopback: Debian's radosgw over one monitor and one OSD that keeps everything in memory."""
import json
import subprocess
import time
import uuid
from pathlib import Path

from support import process
from support.postgres import free_port

ACCESS, SECRET, REGION = "TRAWLTEST", "secret-of-the-test", "default"


def over(bucket, url=None, **options) -> dict[str, object]:
    """The settings of a server over a bucket, or over what stands before it at another address."""
    return {"storage__backend": "s3", "storage__s3__bucket": bucket.bucket, "storage__s3__region": REGION, "storage__s3__endpoint": url or bucket.url,
            "storage__s3__access_key": ACCESS, "storage__s3__secret_key": SECRET, **options}


CONFIG = """\
[global]
fsid = {fsid}
mon host = [v2:127.0.0.1:{v2},v1:127.0.0.1:{v1}]
keyring = {folder}/keyring
run dir = {folder}
admin socket = {folder}/$name.asok
log file = {folder}/$name.log
mon cluster log file = {folder}/cluster.log
crash dir = {folder}/crash
public network = 127.0.0.0/8
ms bind ipv6 = false
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon max pg per osd = 1000
mon data avail crit = 1
mon data avail warn = 1
# A monitor on its own need not wait for others to agree.
paxos propose interval = 0.02
paxos min wait = 0.01
[mon.a]
mon data = {folder}/mon
[osd.0]
osd data = {folder}/osd
keyring = {folder}/osd/keyring
osd objectstore = memstore
memstore device bytes = 8589934592
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:{port}
rgw dns name = s3.localhost
rgw enable usage log = false
rgw enable ops log = false
rgw init timeout = 60
rgw gc obj min wait = 1
rgw gc processor period = 5
"""


class Radosgw:
    def __init__(self, folder: Path):
        self.folder = folder
        for name in ("mon", "osd"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.fsid = str(uuid.uuid4())
        self.ports = {"v1": free_port(), "v2": free_port()}
        self.children: list[subprocess.Popen] = []
        (folder / "ceph.conf").write_text(CONFIG.format(folder=folder, port=self.port, fsid=self.fsid, **self.ports))

    def run(self, *words: str, stdin: str | None = None) -> str:
        conf = [] if words[0] in ("ceph-authtool", "monmaptool") else ["-c", str(self.folder / "ceph.conf")]
        done = subprocess.run([words[0], *conf, *words[1:]], input=stdin, capture_output=True, text=True, timeout=60, cwd=self.folder)
        assert done.returncode == 0, f"{words}: {done.stderr[-2000:]}"
        return done.stdout

    def daemon(self, *words: str) -> None:
        with (self.folder / f"{words[0]}.out").open("wb") as out:
            self.children.append(process.start([words[0], "-f", "-c", str(self.folder / "ceph.conf"), *words[1:]], stdout=out, stderr=out, cwd=self.folder))

    def start(self, within: float = 60) -> "Radosgw":
        deadline = time.monotonic() + within
        keyring, mon_keyring, monmap = (str(self.folder / name) for name in ("keyring", "mon.keyring", "monmap"))
        self.run("ceph-authtool", "-C", mon_keyring, "--gen-key", "-n", "mon.", "--cap", "mon", "allow *")
        self.run("ceph-authtool", "-C", keyring, "--gen-key", "-n", "client.admin", "--cap", "mon", "allow *", "--cap", "osd", "allow *", "--cap", "mgr", "allow *")
        self.run("ceph-authtool", keyring, "--gen-key", "-n", "client.rgw", "--cap", "mon", "allow rw", "--cap", "osd", "allow rwx")
        self.run("ceph-authtool", "-C", str(self.folder / "osd/keyring"), "--gen-key", "-n", "osd.0", "--cap", "mon", "allow profile osd", "--cap", "osd", "allow *")
        for extra in (keyring, str(self.folder / "osd/keyring")):
            self.run("ceph-authtool", mon_keyring, "--import-keyring", extra)
        addresses = f"[v2:127.0.0.1:{self.ports['v2']},v1:127.0.0.1:{self.ports['v1']}]"
        self.run("monmaptool", "--create", "--fsid", self.fsid, "--addv", "a", addresses, monmap)
        self.run("ceph-mon", "--mkfs", "-i", "a", "--monmap", monmap, "--keyring", mon_keyring)
        self.daemon("ceph-mon", "-i", "a", "--keyring", mon_keyring)
        osd = str(uuid.uuid4())
        self.run("ceph", "osd", "new", osd, "0")
        self.run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", osd)
        self.daemon("ceph-osd", "-i", "0")
        while json.loads(self.run("ceph", "osd", "stat", "-f", "json")).get("num_up_osds") != 1:
            assert time.monotonic() < deadline, "the OSD does not start"
            time.sleep(0.1)
        self.daemon("radosgw", "-n", "client.rgw")
        import socket
        while True:
            assert self.children[-1].poll() is None and time.monotonic() < deadline, "radosgw does not start"
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    break
            time.sleep(0.1)
        self.run("radosgw-admin", "-n", "client.admin", "user", "create", "--uid=test", "--display-name=test", f"--access-key={ACCESS}", f"--secret-key={SECRET}")
        return self

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        for child in reversed(self.children):  # The OSD does not end on SIGTERM.
            child.kill()
            child.wait()
        self.children.clear()
