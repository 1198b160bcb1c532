"""The binary frame of the live protocol, version 2: its layout, its writer and its reader.

The layout is told in docs/live-protocol.md. The server writes; the reader serves Python clients and the tests. Nothing
here knows sockets or channels.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MAGIC = b"SDLV"
VERSION = 2
HEADER = struct.Struct("<4sHHIIdII")  # magic, version, blocks, tick, merged, server time, length, zero
BLOCK = struct.Struct("<HHIII")  # kind, flags, id, n, count

KIND_TIMES = 1  # float64 milliseconds since 1970; id is that of the channel
KIND_FLOAT64 = 2  # values of one signal at the times before them
KIND_FLOAT32 = 3
KIND_AXIS = 4  # float64 width in ms, float64 number of the first column, uint32 numbers from there; id is the channel's
KIND_COLUMNS64 = (
    5  # columns of one signal on the axis before them: first, min, max, last, then uint32 counts, uint8 marks
)
KIND_COLUMNS32 = 6
KIND_ARRAYS = 7  # float32 rows of an array signal, `count` numbers each, at the times before them

FLAG_RESET = 1  # forget what you hold of this signal: the window follows
FLAG_GAP = 2  # samples were lost before this block
FLAG_REDUCED = 4  # the samples are minima and maxima of more

MARK_BROKEN = 1  # of a column: not joined to the one before

_AXIS = struct.Struct("<dd")
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
    """How many samples of the source the array stands for; of an axis how many columns of the class each of its is made
    of; of arrays the numbers in a row."""
    data: NDArray[np.floating]
    """Times or values; of an axis the starts of its columns in ms; of columns first, min, max and last, a row each; of
    arrays a row per record."""
    width: float = 0.0
    """Of an axis: ms per column."""
    counts: NDArray[np.uint32] | None = None
    """Of columns: samples of each."""
    marks: NDArray[np.uint8] | None = None
    """Of columns: MARK_BROKEN."""


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


def axis_block(
    channel_id: int, numbers: NDArray[np.int64], width_ns: int, flags: int = 0, merged: int = 1
) -> bytes:
    """Encode where the columns that follow stand; each is made of so many `merged` ones of the client's class."""
    first = int(numbers[0]) if len(numbers) else 0
    payload = _AXIS.pack(width_ns / 1e6, float(first)) + (numbers - first).astype("<u4").tobytes()
    return _put(KIND_AXIS, flags, channel_id, len(numbers), merged, payload)


def columns_block(
    signal_id: int,
    columns: NDArray[np.float64],
    counts: NDArray[np.int64],
    broken: NDArray[np.bool_],
    single: bool,
    flags: int = 0,
) -> bytes:
    """Encode columns of a signal; `columns` has the rows first, min, max, last, `single` when float32 holds them exactly."""
    payload = columns.astype("<f4" if single else "<f8", copy=False).tobytes()
    payload += counts.astype("<u4").tobytes() + broken.astype(np.uint8).tobytes()  # MARK_BROKEN is 1
    kind = KIND_COLUMNS32 if single else KIND_COLUMNS64
    return _put(kind, flags, signal_id, len(counts), int(counts.sum()) & 0xFFFFFFFF, payload)


def arrays_block(signal_id: int, rows: NDArray[np.floating], flags: int = 0) -> bytes:
    """Encode arrays of a signal, a row per record."""
    return _put(KIND_ARRAYS, flags, signal_id, len(rows), rows.shape[1], rows.astype("<f4").tobytes())


def _block(kind: int, flags: int, number: int, array: NDArray[np.floating], count: int | None) -> bytes:
    n = len(array)
    payload = array.astype(_DTYPES[kind], copy=False).tobytes()
    return _put(kind, flags, number, n, n if count is None else count, payload)


def _put(kind: int, flags: int, number: int, n: int, count: int, payload: bytes) -> bytes:
    return BLOCK.pack(kind, flags, number, n, count) + payload + bytes(-len(payload) % 8)


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
    offset += BLOCK.size
    size = _size(kind, n, count)
    if offset + size > len(data):
        raise FrameError("block is cut short")
    end = offset + size + -size % 8
    if kind in _DTYPES:
        return Block(kind, flags, number, count, np.frombuffer(data, _DTYPES[kind], n, offset)), end
    if kind == KIND_ARRAYS:
        rows = np.frombuffer(data, "<f4", n * count, offset).reshape(n, count)
        return Block(kind, flags, number, count, rows), end
    if kind == KIND_AXIS:
        width, first = _AXIS.unpack_from(data, offset)
        numbers = np.frombuffer(data, "<u4", n, offset + _AXIS.size)
        return Block(kind, flags, number, count, (first + numbers) * width, width), end
    dtype = np.dtype("<f8" if kind == KIND_COLUMNS64 else "<f4")
    columns = np.frombuffer(data, dtype, 4 * n, offset).reshape(4, n)
    offset += columns.nbytes
    counts = np.frombuffer(data, "<u4", n, offset)
    marks = np.frombuffer(data, np.uint8, n, offset + counts.nbytes)
    return Block(kind, flags, number, count, columns, 0.0, counts, marks), end


def _size(kind: int, n: int, count: int) -> int:
    """Bytes of a block's content; FrameError for a kind that this version does not have."""
    if kind in (KIND_TIMES, KIND_FLOAT64):
        return 8 * n
    if kind == KIND_FLOAT32:
        return 4 * n
    if kind == KIND_AXIS:
        return _AXIS.size + 4 * n
    if kind == KIND_COLUMNS64:
        return (4 * 8 + 5) * n
    if kind == KIND_COLUMNS32:
        return (4 * 4 + 5) * n
    if kind == KIND_ARRAYS:
        return 4 * n * count
    raise FrameError(f"block of unknown kind {kind}")
