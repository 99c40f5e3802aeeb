"""The HTTP API as a client program uses it."""
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx

FINAL = {"completed", "failed", "cancelled"}


class Api(httpx.Client):
    def __init__(self, base_url: str, key: str | None = None, check=None):
        """`check` sees every response before the caller does (support/contract.py)."""
        super().__init__(base_url=base_url, timeout=30, trust_env=False, headers={"X-API-Key": key} if key else None,
                         event_hooks={"response": [check] if check else []})

    def until_ready(self, within: float = 60) -> None:
        """A server answers at once, but is ready only when its engine is warm."""
        deadline = time.monotonic() + within
        while self.get("/api/v1/health/ready").status_code != 200:
            assert time.monotonic() < deadline, f"not ready after {within} s: {self.get('/api/v1/health').text}"
            time.sleep(0.05)

    def submit(self, url: str, **options) -> dict:
        response = self.post("/api/v1/downloads", json={"url": url, **options})
        assert response.status_code == 202, f"{response.status_code} {response.text}"
        return response.json()

    def show(self, job: str) -> dict:
        response = self.get(f"/api/v1/downloads/{job}")
        assert response.status_code == 200, f"{response.status_code} {response.text}"
        return response.json()

    def until(self, job: str, done, within: float = 60) -> dict:
        """Polls the job until `done(job)`."""
        deadline = time.monotonic() + within
        while not done(body := self.show(job)):
            assert time.monotonic() < deadline, f"still after {within} s: {body}\n{self.log_text(job)}"
            time.sleep(0.03)
        return body

    def finish(self, job: str, within: float = 60) -> dict:
        return self.until(job, lambda body: body["status"] in FINAL, within)

    def completed(self, url: str, **options) -> dict:
        """Submits and waits: the job must complete."""
        body = self.finish(self.submit(url, **options)["job_id"])
        assert body["status"] == "completed", f"{body}\n{self.log_text(body['job_id'])}"
        return body

    def failed(self, url: str, **options) -> dict:
        body = self.finish(self.submit(url, **options)["job_id"])
        assert body["status"] == "failed", f"{body}\n{self.log_text(body['job_id'])}"
        return body

    def running(self, job: str, within: float = 30) -> dict:
        """Waits until bytes of the job arrive."""
        return self.until(job, lambda body: body["status"] in FINAL or body["progress"]["downloaded_bytes"] > 0, within)

    def log_text(self, job: str) -> str:
        return self.get(f"/api/v1/downloads/{job}/logs", params={"format": "text"}).text

    def fetch(self, file: dict, folder: Path) -> Path:
        """Stores what a `file_info` or an artifact links to."""
        response = self.get(urlsplit(file["file_url"]).path)
        assert response.status_code == 200, f"{file}: {response.status_code} {response.text[:200]}"
        target = folder / Path(file["filename"]).name
        target.write_bytes(response.content)
        return target


def artifacts(job: dict, kind: str) -> list[dict]:
    return [artifact for artifact in job["artifacts"] if artifact["kind"] == kind]


def check_error(response: httpx.Response, status: int, code: str | None = None) -> dict:
    """Holds an answer against the one error body of the API, and returns it."""
    assert response.status_code == status, f"{response.status_code} {response.text}"
    assert response.headers["content-type"].startswith("application/json")
    body = response.json()
    assert body["status_code"] == status
    assert body["error"] and body["error"] == body["message"]
    assert body["error_code"].replace("_", "").isalnum() and body["error_code"] == body["error_code"].lower()
    assert isinstance(body["details"], dict)
    assert body["timestamp"].endswith("Z")
    assert body["request_id"] and body["request_id"] == response.headers["x-request-id"]
    if status == 422 and isinstance(body["detail"], list):
        assert all({"loc", "msg", "type"} <= set(entry) for entry in body["detail"])
    else:
        assert body["detail"] == body["error"]
    if code is not None:
        assert body["error_code"] == code
    return body
