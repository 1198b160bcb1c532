"""The binary frame of the live protocol, version 1: its layout, its writer and its reader.

The layout is told in docs/live-protocol.md. The server writes; the reader serves Python clients and the tests. Nothing
here knows sockets or channels.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MAGIC = b"SDLV"
VERSION = 1
HEADER = struct.Struct("<4sHHIIdII")  # magic, version, blocks, tick, merged, server time, length, zero
BLOCK = struct.Struct("<HHIII")  # kind, flags, id, n, count

KIND_TIMES = 1  # float64 milliseconds since 1970; id is that of the channel
KIND_FLOAT64 = 2  # values of one signal at the times before them
KIND_FLOAT32 = 3

FLAG_RESET = 1  # forget what you hold of this signal: the window follows
FLAG_GAP = 2  # samples were lost before this block
FLAG_REDUCED = 4  # the samples are minima and maxima of more

_DTYPES = {KIND_TIMES: "<f8", KIND_FLOAT64: "<f8", KIND_FLOAT32: "<f4"}


class FrameError(ValueError):
    """Bytes that are not a frame of this version."""


@dataclass(frozen=True)
class Block:
    """One array of a frame, as the reader gives it."""

    kind: int
    flags: int
    id: int
    count: int
    """How many samples of the source the array stands for."""
    data: NDArray[np.floating]


@dataclass(frozen=True)
class Frame:
    """One frame, as the reader gives it."""

    tick: int
    merged: int
    server_time: float
    blocks: list[Block]


def times_block(
    channel_id: int, times_ns: NDArray[np.int64], flags: int = 0, count: int | None = None
) -> bytes:
    """Encode the times of the value blocks that follow."""
    return _block(KIND_TIMES, flags, channel_id, times_ns / 1e6, count)


def values_block(
    signal_id: int, values: NDArray[np.float64], single: bool, flags: int = 0, count: int | None = None
) -> bytes:
    """Encode values of a signal; `single` when float32 holds them exactly."""
    return _block(KIND_FLOAT32 if single else KIND_FLOAT64, flags, signal_id, values, count)


def _block(kind: int, flags: int, number: int, array: NDArray[np.floating], count: int | None) -> bytes:
    payload = array.astype(_DTYPES[kind], copy=False).tobytes()
    n = len(array)
    head = BLOCK.pack(kind, flags, number, n, n if count is None else count)
    return head + payload + bytes(-len(payload) % 8)


def frame(tick: int, server_time_ms: float, blocks: Sequence[bytes], merged: int = 0) -> bytes:
    """Put blocks behind a header."""
    length = HEADER.size + sum(map(len, blocks))
    header = HEADER.pack(
        MAGIC, VERSION, len(blocks), tick & 0xFFFFFFFF, min(merged, 0xFFFFFFFF), server_time_ms, length, 0
    )
    return b"".join([header, *blocks])


def parse(data: bytes) -> Frame:
    """Read a frame; FrameError says what is wrong with it."""
    if len(data) < HEADER.size:
        raise FrameError(f"frame of {len(data)} bytes is shorter than its header")
    magic, version, blocks, tick, merged, server_time, length, _ = HEADER.unpack_from(data)
    if magic != MAGIC:
        raise FrameError(f"frame begins with {magic!r}, expected {MAGIC!r}")
    if version != VERSION:
        raise FrameError(f"frame of version {version}, expected {VERSION}")
    if length != len(data):
        raise FrameError(f"frame of {len(data)} bytes says it has {length}")
    found: list[Block] = []
    offset = HEADER.size
    for _ in range(blocks):
        block, offset = _parse_block(data, offset)
        found.append(block)
    if offset != len(data):
        raise FrameError(f"{len(data) - offset} bytes after the last block")
    return Frame(tick, merged, server_time, found)


def _parse_block(data: bytes, offset: int) -> tuple[Block, int]:
    if offset + BLOCK.size > len(data):
        raise FrameError("block header is cut short")
    kind, flags, number, n, count = BLOCK.unpack_from(data, offset)
    if kind not in _DTYPES:
        raise FrameError(f"block of unknown kind {kind}")
    dtype = np.dtype(_DTYPES[kind])
    offset += BLOCK.size
    size = n * dtype.itemsize
    if offset + size > len(data):
        raise FrameError("block is cut short")
    array = np.frombuffer(data, dtype, n, offset)
    return Block(kind, flags, number, count, array), offset + size + -size % 8
