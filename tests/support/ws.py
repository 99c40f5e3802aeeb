"""Watches a job over its WebSocket."""
import asyncio
import json
import time
from dataclasses import dataclass, field

import websockets


@dataclass
class Watched:
    messages: list[dict] = field(default_factory=list)
    arrivals: list[float] = field(default_factory=list)  # Monotonic seconds, one per message.
    close_code: int | None = None  # None: we left before the server closed.

    def of(self, *types: str) -> list[dict]:
        return [message for message in self.messages if message["type"] in types]

    @property
    def seqs(self) -> list[int]:
        return [message["seq"] for message in self.of("status", "log")]

    @property
    def finals(self) -> list[dict]:
        return [message for message in self.of("status") if message["final"]]


async def _watch(url: str, leave_when, within: float, say: list[dict]) -> Watched:
    watched = Watched()
    deadline = time.monotonic() + within
    async with websockets.connect(url, open_timeout=10, max_size=1 << 22) as socket:
        for message in say:
            await socket.send(json.dumps(message))
        while True:
            try:
                text = await asyncio.wait_for(socket.recv(), deadline - time.monotonic())
            except websockets.ConnectionClosed as closed:
                watched.close_code = closed.rcvd.code if closed.rcvd else 1006
                return watched
            except asyncio.TimeoutError:
                raise AssertionError(f"not closed within {within} s; got {watched.messages[-5:]}") from None
            watched.messages.append(json.loads(text))
            watched.arrivals.append(time.monotonic())
            if leave_when and leave_when(watched.messages[-1]):
                return watched


def watch(base_url: str, job: str, last_seq: int | None = None, path: str = "/api/v1/ws/downloads/{}", leave_when=None,
          within: float = 60, say: list[dict] = ()) -> Watched:
    """Collects messages until the server closes, or until `leave_when(message)`."""
    url = base_url.replace("http://", "ws://") + path.format(job) + (f"?last_seq={last_seq}" if last_seq is not None else "")
    return asyncio.run(_watch(url, leave_when, within, list(say)))
