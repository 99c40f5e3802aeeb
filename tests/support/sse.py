"""Reads server-sent events as the HTML standard has it."""
import json
import time
from dataclasses import dataclass, field

import httpx


@dataclass
class Streamed:
    status: int = 0
    events: list[tuple[str | None, str, dict]] = field(default_factory=list)  # id, event, data
    comments: list[str] = field(default_factory=list)
    ended: bool = False  # By the server, and whole.

    def of(self, *types: str) -> list[dict]:
        return [data for _, event, data in self.events if event in types]

    @property
    def ids(self) -> list[int]:
        """Of recorded events."""
        return [int(number) for number, event, _ in self.events if event in ("status", "log")]


def listen(api: httpx.Client, job: str, last_event_id: int | None = None, path: str = "/api/v1/downloads/{}/events", leave_when=None,
           within: float = 60, **query) -> Streamed:
    """Collects events until the server ends the stream, or until `leave_when(streamed)`."""
    seen = Streamed()
    deadline = time.monotonic() + within
    headers = {} if last_event_id is None else {"Last-Event-ID": str(last_event_id)}
    with api.stream("GET", path.format(job), headers=headers, params=query, timeout=within) as response:
        seen.status = response.status_code
        if seen.status != 200:
            response.read()
            return seen
        assert response.headers["content-type"].startswith("text/event-stream"), response.headers
        assert response.headers["cache-control"] == "no-store"
        fields: dict[str, str] = {}
        for line in response.iter_lines():
            line = line.rstrip("\r\n")
            assert time.monotonic() < deadline, f"not ended within {within} s; got {seen.events[-5:]}"
            if line.startswith(":"):
                seen.comments.append(line)
            elif line:
                name, _, value = line.partition(": ")
                fields[name] = value
            elif "data" in fields:
                seen.events.append((fields.get("id"), fields["event"], json.loads(fields["data"])))
                fields = {}
            else:
                fields = {}
            if leave_when and leave_when(seen):
                return seen
    seen.ended = True
    return seen
