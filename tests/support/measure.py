"""Measures a download: by a program of its own, or by a job of a running server."""
import asyncio
import json
import os
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

import websockets

from support.server import Server


class Figures(NamedTuple):
    wall: float  # Seconds.
    cpu: float
    memory: int  # Bytes.


def syncs_per_second(folder: Path, seconds: float = 2) -> float:
    """What the disk can do: appends of 4 KiB to one file, each synced."""
    with (folder / "sync").open("wb", buffering=0) as file:
        began, count = time.monotonic(), 0
        while time.monotonic() - began < seconds:
            file.write(bytes(4096))
            os.fdatasync(file.fileno())
            count += 1
        return count / (time.monotonic() - began)


def run(command: list[str], folder: Path, env: dict[str, str] | None = None) -> Figures:
    """What a command and its children took; memory is that of the largest of them."""
    began = time.perf_counter()
    child = subprocess.Popen(command, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise SystemExit(f"failed with {child.returncode}: {' '.join(command)}")
    return Figures(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


async def final_status(url: str) -> str:
    async with websockets.connect(url, max_size=None) as socket:
        async for text in socket:
            message = json.loads(text)
            if message["type"] == "status" and message["final"]:
                return message["status"]
            if message["type"] == "snapshot" and message["job"]["status"] in ("completed", "failed", "cancelled"):
                return message["job"]["status"]
    raise SystemExit("the WebSocket closed before the job ended")


def submit(server: Server, url: str, options: dict) -> float:
    """Wall seconds of one job, from sending POST until its final status has arrived."""
    began = time.perf_counter()
    job = server.api.submit(url, **options)["id"]
    status = asyncio.run(final_status(f"{server.url.replace('http', 'ws', 1)}/api/v1/ws/downloads/{job}"))
    wall = time.perf_counter() - began
    if status != "completed":
        raise SystemExit(f"the job ended as {status}:\n{server.api.log_text(job)}")
    return wall
