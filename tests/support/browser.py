"""A real browser without a window, driven over its DevTools: what a page shows, asks for and complains about."""
import asyncio
import json
import os
import time
from pathlib import Path

import httpx
import websockets

from support import process


class Page:
    """The one page of a browser. `requests` are the addresses it asked for, `complaints` the errors of its console,
    its exceptions, and what a policy kept from it."""

    def __init__(self, socket, deadline: float):
        self.socket, self.deadline = socket, deadline
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.number = 0

    async def say(self, method, **params) -> dict:
        self.number += 1
        await self.socket.send(json.dumps({"id": self.number, "method": method, "params": params}))
        while True:
            message = json.loads(await asyncio.wait_for(self.socket.recv(), 30))
            if message.get("id") == self.number:
                return message.get("result", {})
            if "method" in message:
                self._heard(message["method"], message.get("params", {}))

    def _heard(self, method, params):
        if method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        if method == "Runtime.exceptionThrown":
            self.complaints.append(str(params["exceptionDetails"])[:500])
        if method == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.complaints.append(f"{params['entry']['text']} {params['entry'].get('url', '')}")
        if method == "Runtime.consoleAPICalled" and params["type"] == "error":
            self.complaints.append(str([part.get("value") for part in params["args"]])[:500])

    async def open(self, url: str):
        for domain in ("Page", "Network", "Runtime", "Log"):
            await self.say(f"{domain}.enable")
        await self.say("Page.navigate", url=url)

    async def value(self, expression: str):
        """Of JavaScript; a promise is awaited. None where it throws."""
        answer = await self.say("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        return answer.get("result", {}).get("value")

    async def until(self, expression: str):
        """Its value as soon as that is true."""
        while not (value := await self.value(expression)):
            assert time.monotonic() < self.deadline, f"never true: {expression}\n{self.complaints}\n{await self.value('document.body.innerText')}"
            await asyncio.sleep(0.1)  # Questions go before the page's own work.
        return value


def browse(url: str, what, folder: Path, within: float = 90):
    """Opens `url`; what the coroutine function `what` gives for its Page."""
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
                page = Page(socket, deadline)
                await page.open(url)
                return await what(page)
        return asyncio.run(run())
    finally:
        family = process.tree(child.pid)
        child.kill()
        child.wait()
        process.left_behind(family, within=10)
