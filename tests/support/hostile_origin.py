"""An origin on loopback whose every answer is a coroutine, for thousands of requests at once.

`/NAME/SEED/SIZE.mp4` is answered by the coroutine called NAME. A file is a window on one ring of random
bytes, so that any piece of any file costs no memory and bytes in a wrong place are never the right ones.
"""
import asyncio
import hashlib
import random
import socket
import struct
import threading
from collections import defaultdict
from dataclasses import dataclass, field

PERIOD = 8_388_593  # A prime, so that no offset that software likes leads to the same bytes again.
PIECE = 65536
_RING = memoryview(random.Random(20).randbytes(PERIOD) * 2)


@dataclass(frozen=True)
class File:
    seed: int
    size: int

    def piece(self, first: int, end: int) -> memoryview:
        at = (self.seed * 104_729 + first) % PERIOD
        return _RING[at:at + end - first]

    def sha256(self) -> str:
        digest = hashlib.sha256()
        for first in range(0, self.size, PERIOD):
            digest.update(self.piece(first, min(first + PERIOD, self.size)))
        return digest.hexdigest()

    @property
    def etag(self) -> str:
        return f'"{self.seed}-{self.size}"'


class Spans:
    """Which bytes were sent: add() says how many of them had been sent before."""

    def __init__(self):
        self.spans: list[tuple[int, int]] = []

    def add(self, first: int, end: int) -> int:
        again = 0
        kept = []
        whole = (first, end)
        for span in self.spans:
            again += max(0, min(end, span[1]) - max(first, span[0]))
            if span[1] < whole[0] or span[0] > whole[1]:
                kept.append(span)
            else:
                whole = (min(whole[0], span[0]), max(whole[1], span[1]))
        self.spans = sorted([*kept, whole])
        return again

    def bytes(self) -> int:
        return sum(end - first for first, end in self.spans)


class Cut(Exception):
    """The connection ends here."""


@dataclass
class Exchange:
    """One request and the means to answer it. `nth` counts those of the server under test for this
    path, from 0; a `look` is yt-dlp's, which asks for the head of the file and leaves."""

    origin: "HostileOrigin"
    path: str
    headers: dict[str, str]
    nth: int
    look: bool
    file: File
    writer: asyncio.StreamWriter

    @property
    def asked(self) -> tuple[int, int] | None:
        """The range asked for: its first byte and the one after its last."""
        text = self.headers.get("range", "")
        if not text.startswith("bytes="):
            return None
        first, _, last = text[6:].partition("-")
        return int(first), min(int(last) + 1, self.file.size) if last else self.file.size

    async def head(self, status: int, fields: dict[str, object], version: str = "1.1") -> None:
        text = f"HTTP/{version} {status} Hostile\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        self.writer.write(text.encode() + b"\r\n")
        await self.writer.drain()

    async def pause(self) -> None:
        await asyncio.sleep(0.02)

    def reset(self) -> None:
        """Ends the connection as a crash does: with a reset instead of a proper end."""
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def body(self, first: int, end: int, cut: int | None = None, file: File | None = None, before=None) -> None:
        """Sends bytes of the file; ends the connection at the offset `cut`. `before(first, end)` is
        awaited before each piece."""
        file = file or self.file
        last = end if cut is None else min(end, cut)
        for at in range(first, last, PIECE):
            stop = min(at + PIECE, last)
            if before:
                await before(at, stop)
            self.writer.write(file.piece(at, stop))
            await self.writer.drain()
            if not self.look:
                self.origin.sent[self.path] += stop - at
        if last < end:
            raise Cut

    async def proper(self, file: File | None = None, cut: int | None = None, before=None, etag: str | None = None, **fields: object) -> None:
        """What an origin without faults answers."""
        file = file or self.file
        etag = file.etag if etag is None else etag
        asked = self.asked
        if asked and self.headers.get("if-range", etag) == etag:
            first, end = asked
            await self.head(206, {"Content-Type": "video/mp4", "Content-Length": end - first, "ETag": etag,
                                  "Content-Range": f"bytes {first}-{end - 1}/{file.size}", **fields})
        else:
            first, end = 0, file.size
            await self.head(200, {"Content-Type": "video/mp4", "Content-Length": end, "Accept-Ranges": "bytes", "ETag": etag, **fields})
        await self.body(first, end, cut, file, before)


@dataclass
class HostileOrigin:
    """Answers `/NAME/SEED/SIZE.mp4` by `answers[NAME](exchange)`; yt-dlp's look at a file gets a proper
    answer. An answer that returns False closes the connection.

    It is `hosts` origins: each has an address of its own on loopback, because what one host does wrong is
    held against all downloads from it."""
    answers: dict[str, object]
    hosts: int = 1
    looks_too: frozenset[str] = frozenset()  # Names whose coroutine answers yt-dlp's look as well.
    sent: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    asked: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    looked: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> "HostileOrigin":
        self.loop = asyncio.new_event_loop()
        self.servers = []
        self.authorities: list[str] = []
        ready = threading.Event()
        self.thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self.thread.start()
        assert ready.wait(10)
        return self

    def _run(self, ready: threading.Event) -> None:
        asyncio.set_event_loop(self.loop)

        async def listen():
            for number in range(self.hosts):
                server = await asyncio.start_server(self._serve, f"127.0.{number // 250}.{1 + number % 250}", 0, limit=1 << 17, backlog=512)
                self.servers.append(server)
                self.authorities.append("{}:{}".format(*server.sockets[0].getsockname()))
        self.loop.run_until_complete(listen())
        ready.set()
        self.loop.run_forever()

    def stop(self) -> None:
        async def end():
            for server in self.servers:
                server.close()
            for task in asyncio.all_tasks(self.loop) - {asyncio.current_task()}:
                task.cancel()
            self.loop.call_later(0.05, self.loop.stop)
        asyncio.run_coroutine_threadsafe(end(), self.loop)
        self.thread.join(10)

    def call(self, function, *args) -> None:
        """Runs `function` on the origin's loop."""
        self.loop.call_soon_threadsafe(function, *args)

    def url(self, name: str, file: File, host: int = 0) -> str:
        return f"http://{self.authorities[host]}{self.path(name, file)}"

    @staticmethod
    def path(name: str, file: File) -> str:
        return f"/{name}/{file.seed}/{file.size}.mp4"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.set_write_buffer_limits(0)  # drain() waits for the kernel, so that `sent` is what left.
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 18)
        try:
            while await self._serve_one(reader, writer):
                pass
        except (Cut, ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError, TimeoutError):
            pass
        finally:
            writer.close()

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        request, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        path = request.split(" ")[1]
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
        name, seed, size = path.strip("/").split("/")
        look = headers.get("connection") == "close"  # As yt-dlp says, and Trawl never.
        nth = self.asked[path]
        (self.looked if look else self.asked)[path] += 1
        exchange = Exchange(self, path, headers, nth, look, File(int(seed), int(size.partition(".")[0])), writer)
        if look and name not in self.looks_too:
            await exchange.proper()
            return True
        return await self.answers[name](exchange) is not False
