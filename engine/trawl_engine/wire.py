"""JSON messages on a stream socket, each after its length as four bytes, big-endian."""

from __future__ import annotations

import json
import math
import socket
import struct
import threading
from typing import Any

MAX_MESSAGE = 16 << 20


class Suspended(BaseException):
    """The other side closed its end: stop here, quietly. Not an Exception, so that nothing between catches it."""


class Channel:
    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._lock = threading.Lock()

    def send(self, message: dict[str, Any]) -> None:
        payload = encode(message)
        if len(payload) > MAX_MESSAGE:
            raise ValueError(f'a message of {len(payload)} bytes is too large')
        try:
            with self._lock:
                self._socket.sendall(struct.pack('>I', len(payload)) + payload)
        except (BrokenPipeError, ConnectionResetError):
            raise Suspended from None

    def receive(self) -> dict[str, Any]:
        size, = struct.unpack('>I', self._exactly(4))
        if size > MAX_MESSAGE:
            raise ValueError(f'a message of {size} bytes is too large')
        return json.loads(self._exactly(size))

    def _exactly(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            try:
                chunk = self._socket.recv(min(size - len(data), 1 << 20))
            except ConnectionResetError:
                chunk = b''
            if not chunk:
                raise Suspended
            data += chunk
        return bytes(data)


def encode(message: Any) -> bytes:
    """Strict JSON in valid UTF-8; lone surrogates, which site titles do contain, become '?'."""
    return json.dumps(json_safe(message), ensure_ascii=False, separators=(',', ':'), allow_nan=False).encode('utf-8', 'replace')


def json_safe(value: Any) -> Any:
    """The value with everything JSON has no word for as null or as its text."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): json_safe(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [json_safe(item) for item in value]
    return str(value)
