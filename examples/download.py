#!/usr/bin/env python3
"""Hands a URL to a Trawl server, waits for the download and stores its file here.

TRAWL_URL=http://localhost:8080 TRAWL_KEY=... download.py URL [QUALITY]
"""
import json
import os
import shutil
import sys
import uuid
from typing import Literal, NotRequired, TypedDict
from urllib.error import HTTPError
from urllib.parse import urljoin
from urllib.request import Request, urlopen


class DownloadRequest(TypedDict):
    url: str
    quality: NotRequired[str]
    audio_only: NotRequired[bool]
    webhook_url: NotRequired[str]


class FileInfo(TypedDict):
    filename: str
    file_url: str
    size_bytes: int
    mime_type: str


class Download(TypedDict):
    id: str
    status: Literal["queued", "running", "paused", "completed", "failed", "cancelled"]
    file_info: FileInfo | None
    error: str | None
    error_code: str | None


class TrawlError(Exception):
    """A refusal: `code` is for programs, the text for people."""

    def __init__(self, status: int, code: str, text: str):
        super().__init__(f"{status} {code}: {text}")
        self.status, self.code = status, code


class Trawl:
    def __init__(self, url: str, key: str | None = None):
        self.url, self.headers = url, {"X-API-Key": key} if key else {}

    def _open(self, path: str, body: DownloadRequest | None = None, **headers: str):
        data = json.dumps(body).encode() if body is not None else None
        sent = {**self.headers, **({"Content-Type": "application/json"} if data else {}), **headers}
        try:
            return urlopen(Request(urljoin(self.url, path), data, sent), timeout=90)
        except HTTPError as refused:
            said = json.load(refused)
            raise TrawlError(refused.code, said["error_code"], said["error"]) from None

    def create(self, wanted: DownloadRequest) -> Download:
        # The same Idempotency-Key makes it safe to send this again when the answer was lost.
        with self._open("/api/v1/downloads", wanted, **{"Idempotency-Key": str(uuid.uuid4())}) as answer:
            return json.load(answer)

    def show(self, job: str, wait: int = 0) -> Download:
        """The download, at once or when it has changed, at most `wait` seconds later."""
        with self._open(f"/api/v1/downloads/{job}?wait={wait}") as answer:
            return json.load(answer)

    def fetch(self, file: FileInfo) -> str:
        with self._open(file["file_url"]) as answer, open(file["filename"], "wb") as out:
            shutil.copyfileobj(answer, out)
        return file["filename"]


def main() -> None:
    trawl = Trawl(os.environ.get("TRAWL_URL", "http://localhost:8080"), os.environ.get("TRAWL_KEY"))
    job = trawl.create({"url": sys.argv[1], "quality": sys.argv[2] if len(sys.argv) > 2 else "best"})
    while job["status"] in ("queued", "running", "paused"):
        job = trawl.show(job["id"], wait=30)
    if job["status"] != "completed" or job["file_info"] is None:
        raise SystemExit(f"{job['status']}: {job['error']}")
    print(trawl.fetch(job["file_info"]))


if __name__ == "__main__":
    try:
        main()
    except TrawlError as refused:
        raise SystemExit(str(refused)) from None
