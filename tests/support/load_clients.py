"""Many WebSocket clients in one process that costs little: raw sockets under epoll, which look at each frame's header alone."""

import base64
import json
import os
import selectors
import socket
import struct
import time
from collections.abc import Sequence

FRAME = struct.Struct("<4sHHIId")  # of the live protocol: magic, version, blocks, tick, merged, server time
FRAME_HEADER, KIND_TIMES = 32, 1
OPCODE_BINARY, OPCODE_PING = 2, 9
ROOM = 1 << 16


class LoadClient:
    """One client: what it sends, and when frames came after they were made."""

    def __init__(self, address: tuple[str, int], subscription: dict[str, object]) -> None:
        self.socket = socket.create_connection(address, 30)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET / HTTP/1.1\r\nHost: {address[0]}:{address[1]}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self.socket.recv(1)
        assert b" 101 " in answer, answer
        self.socket.sendall(masked(json.dumps(subscription).encode()))
        self.rest = b""

    def read(self, delays: list[float], newest: list[float] | None = None) -> int:
        """Take in what came; adds the delay of each frame with data in ms, gives the bytes."""
        data = self.socket.recv(ROOM)
        now = time.time() * 1e3
        if not data:
            raise ConnectionError("the server closed a client")
        size, data, at = len(data), self.rest + data, 0
        while (frame := _frame(data, at)) is not None:
            start, end, opcode = frame
            if opcode == OPCODE_BINARY:
                magic, _, blocks, _, _, made = FRAME.unpack_from(data, start)
                assert magic == b"SDLV"
                if blocks:
                    delays.append(now - made)
                    if newest is not None and (time_ms := _newest(data, start)):
                        newest.append(now - time_ms)
            elif opcode == OPCODE_PING:
                pong = data[start:end]
                self.socket.sendall(bytes([0x8A, 0x80 | len(pong)]) + bytes(4) + pong)
            at = end
        self.rest = data[at:]
        return size


def masked(payload: bytes) -> bytes:
    """A text message of a client."""
    assert len(payload) < 1 << 16
    head = (
        bytes([0x81, 0xFE]) + struct.pack(">H", len(payload))
        if len(payload) > 125
        else bytes([0x81, 0x80 | len(payload)])
    )
    return head + bytes(4) + payload


def _frame(data: bytes, at: int) -> tuple[int, int, int] | None:
    """Where the payload of the WebSocket frame at a place begins and ends, and its opcode; None when it is not whole."""
    if len(data) < at + 2:
        return None
    size, start = data[at + 1], at + 2
    if size == 126:
        if len(data) < at + 4:
            return None
        size, start = int.from_bytes(data[at + 2 : at + 4], "big"), at + 4
    elif size == 127:
        if len(data) < at + 10:
            return None
        size, start = int.from_bytes(data[at + 2 : at + 10], "big"), at + 10
    return (start, start + size, data[at] & 15) if len(data) >= start + size else None


def _newest(data: bytes, start: int) -> float:
    """Newest time of a frame's first block, where that is one of times; else 0."""
    kind, _, _, n = struct.unpack_from("<HHII", data, start + FRAME_HEADER)
    if kind != KIND_TIMES or not n:
        return 0.0
    return float(struct.unpack_from("<d", data, start + FRAME_HEADER + 16 + 8 * (n - 1))[0])


def listen(clients: Sequence[LoadClient], seconds: float) -> tuple[list[float], int]:
    """Read all for a while; give the delays of frames in ms, and the bytes."""
    selector = selectors.EpollSelector()
    for client in clients:
        selector.register(client.socket, selectors.EVENT_READ, client)
    delays: list[float] = []
    received, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        for key, _ in selector.select(0.05):
            received += key.data.read(delays)
    selector.close()
    return delays, received
