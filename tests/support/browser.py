"""A real browser without a window, watched over its DevTools: what a page shows, asks for and complains about."""
import asyncio
import json
import os
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import websockets

from support import process


@dataclass
class Seen:
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)  # Errors of the console, exceptions, what a policy blocked.
    counted: int = 0


async def _visit(socket, url: str, count: str, at_least: int, within: float) -> Seen:
    seen, number, answers = Seen(), 0, {}

    async def say(method, **params):
        nonlocal number
        number += 1
        await socket.send(json.dumps({"id": number, "method": method, "params": params}))
        return number

    async def hear(until):
        while True:
            message = json.loads(await asyncio.wait_for(socket.recv(), until - time.monotonic()))
            params = message.get("params", {})
            if "id" in message:
                answers[message["id"]] = message.get("result", {})
                return
            if message["method"] == "Network.requestWillBeSent":
                seen.requests.append(params["request"]["url"])
            if message["method"] == "Runtime.exceptionThrown":
                seen.complaints.append(str(params["exceptionDetails"])[:500])
            if message["method"] == "Log.entryAdded" and params["entry"]["level"] == "error":
                seen.complaints.append(f"{params['entry']['text']} {params['entry'].get('url', '')}")
            if message["method"] == "Runtime.consoleAPICalled" and params["type"] == "error":
                seen.complaints.append(str([part.get("value") for part in params["args"]])[:500])

    deadline = time.monotonic() + within
    for domain in ("Page", "Network", "Runtime", "Log"):
        await say(f"{domain}.enable")
    await say("Page.navigate", url=url)
    while seen.counted < at_least and time.monotonic() < deadline:
        asked = await say("Runtime.evaluate", expression=count)
        while asked not in answers:
            await hear(deadline)
        seen.counted = answers[asked].get("result", {}).get("value") or 0
        await asyncio.sleep(0.1)  # Questions go before the page's own work.
    return seen


def visit(url: str, count: str, at_least: int, folder: Path, within: float = 90) -> Seen:
    """Opens `url` and evaluates `count`, a JavaScript expression for a number, until it is `at_least` that."""
    profile = folder / "browser"
    child = process.start(["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
                           "--disable-component-update", "--disable-sync", "--remote-debugging-port=0", f"--user-data-dir={profile}", "about:blank"],
                          stdout=(folder / "browser.out").open("wb"), stderr=(folder / "browser.err").open("wb"), env={"HOME": str(folder), "PATH": os.environ["PATH"]})
    try:
        deadline = time.monotonic() + within
        port = profile / "DevToolsActivePort"
        while not (port.is_file() and port.read_text().count("\n") >= 1):
            assert child.poll() is None and time.monotonic() < deadline, (folder / "browser.err").read_text()[-2000:]
            time.sleep(0.05)
        number = port.read_text().split("\n")[0]
        pages = httpx.get(f"http://127.0.0.1:{number}/json", trust_env=False, timeout=10).json()
        address = next(page["webSocketDebuggerUrl"] for page in pages if page["type"] == "page")

        async def run():
            async with websockets.connect(address, max_size=1 << 26) as socket:
                return await _visit(socket, url, count, at_least, within)
        return asyncio.run(run())
    finally:
        family = process.tree(child.pid)
        child.kill()
        child.wait()
        process.left_behind(family, within=10)
