"""Certificates for servers of the tests: one authority, and what it signs."""
import subprocess
from pathlib import Path

CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def openssl(*args: str | Path) -> None:
    subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True, timeout=30)


def authority(file: Path) -> None:
    """`file` (PEM), and its key beside it as .key."""
    openssl("req", "-x509", *CURVE, "-days", "30", "-subj", "/CN=Trawl test authority", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
            "-keyout", file.with_suffix(".key"), "-out", file)


def issue(ca: Path, file: Path, names: str) -> None:
    """A certificate for `names`, in the form of OpenSSL: "IP:127.0.0.1,DNS:localhost"."""
    request, extensions = file.with_suffix(".csr"), file.with_suffix(".ext")
    extensions.write_text(f"subjectAltName={names}\nextendedKeyUsage=serverAuth\n")
    openssl("req", *CURVE, "-subj", "/CN=Trawl test", "-keyout", file.with_suffix(".key"), "-out", request)
    openssl("x509", "-req", "-in", request, "-CA", ca, "-CAkey", ca.with_suffix(".key"), "-CAcreateserial", "-days", "30",
            "-extfile", extensions, "-out", file)
