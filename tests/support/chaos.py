"""A TCP proxy that misbehaves on demand: resets connections, swallows bytes both ways, turns callers away."""
import asyncio
import random
import socket
import struct
import threading


class Chaos:
    def __init__(self, port: int, seed: int = 0):
        self.target = port
        self.random = random.Random(seed)
        self.silent = False    # Accepts everything and carries nothing.
        self.closed = False    # Resets whoever connects.
        self.resets = 0
        self._writers: dict[asyncio.StreamWriter, asyncio.StreamWriter] = {}
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._ready.wait(10), "the proxy does not start"

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self._server = server
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.closed:
            return self._reset(writer)
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            return self._reset(writer)
        self._writers[writer] = far_writer
        await asyncio.gather(self._carry(reader, far_writer), self._carry(far_reader, writer), return_exceptions=True)
        self._writers.pop(writer, None)
        for end in (writer, far_writer):
            end.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                if not self.silent:
                    writer.write(data)
                    await writer.drain()
        finally:
            writer.close()

    @staticmethod
    def _reset(writer: asyncio.StreamWriter) -> None:
        connection = writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    def _call(self, what) -> None:
        done = threading.Event()
        self._loop.call_soon_threadsafe(lambda: (what(), done.set()))
        assert done.wait(10)

    def reset(self, fraction: float) -> None:
        """Resets that part of the connections, at least one."""
        def some():
            open_now = list(self._writers.items())
            for near, far in self.random.sample(open_now, max(1, round(len(open_now) * fraction)) if open_now else 0):
                self.resets += 1
                self._reset(near)
                self._reset(far)
        self._call(some)

    def stop(self) -> None:
        async def end():
            self._server.close()
            while tasks := asyncio.all_tasks() - {asyncio.current_task()}:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
            self._loop.stop()
        asyncio.run_coroutine_threadsafe(end(), self._loop)
        self._thread.join(10)
