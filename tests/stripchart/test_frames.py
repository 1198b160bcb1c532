import contextlib
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from speeddata.stripchart import frames

GOLDEN = Path(__file__).parent / "golden"
GOOD = sorted(path.stem for path in GOLDEN.glob("good_*.json"))
BAD = sorted(path.stem for path in GOLDEN.glob("bad_*.json"))


def numbers(told: list[Any]) -> np.ndarray:
    return np.array([np.nan if value is None else float(value) for value in told])


def build_block(block: dict[str, Any]) -> bytes:
    kind, flags, id, count = (block[key] for key in ("kind", "flags", "id", "count"))
    if kind == frames.KIND_TIMES:
        return frames.times_block(id, (numbers(block["data"]) * 1e6).astype(np.int64), flags, count)
    if kind in (frames.KIND_FLOAT64, frames.KIND_FLOAT32):
        return frames.values_block(id, numbers(block["data"]), kind == frames.KIND_FLOAT32, flags, count)
    if kind == frames.KIND_AXIS:
        places = np.array([round(start / block["width"]) for start in block["data"]], np.int64)
        return frames.axis_block(id, places, round(block["width"] * 1e6), flags, count)
    if kind == frames.KIND_ARRAYS:
        return frames.arrays_block(id, np.array(block["data"]).reshape(-1, count), flags)
    columns = np.array([numbers(row) for row in block["data"]])
    counts, marks = np.array(block["counts"], np.int64), np.array(block["marks"], np.bool_)
    return frames.columns_block(id, columns, counts, marks, kind == frames.KIND_COLUMNS32, flags)


def build(told: dict[str, Any]) -> bytes:
    """Write the frame that a golden file describes."""
    blocks = [build_block(block) for block in told["blocks"]]
    return frames.frame(told["tick"], told["server_time"], blocks, told["merged"])


@pytest.mark.parametrize("name", GOOD)
def test_the_writer_makes_the_golden_frames(name: str) -> None:
    told = json.loads((GOLDEN / f"{name}.json").read_text())
    assert build(told) == (GOLDEN / f"{name}.bin").read_bytes()


def plain(array: np.ndarray | None) -> Any:
    """An array as JSON has it."""
    if array is None:
        return None
    return json.loads(json.dumps(array.tolist()).replace("NaN", "null"))


@pytest.mark.parametrize("name", GOOD)
def test_the_reader_reads_the_golden_frames(name: str) -> None:
    told = json.loads((GOLDEN / f"{name}.json").read_text())
    frame = frames.parse((GOLDEN / f"{name}.bin").read_bytes())
    head = frame.tick, frame.merged, frame.server_time
    assert head == (told["tick"], told["merged"], told["server_time"])
    assert len(frame.blocks) == len(told["blocks"])
    for block, expected in zip(frame.blocks, told["blocks"], strict=True):
        for key in ("kind", "flags", "id", "count"):
            assert getattr(block, key) == expected[key]
        assert plain(block.data) == expected["data"]
        assert block.width == expected.get("width", 0)
        assert plain(block.counts) == expected.get("counts")
        assert plain(block.marks) == expected.get("marks")


@pytest.mark.parametrize("name", BAD)
def test_the_reader_refuses_the_bad_golden_frames(name: str) -> None:
    told = json.loads((GOLDEN / f"{name}.json").read_text())
    with pytest.raises(frames.FrameError, match=told["error"]):
        frames.parse((GOLDEN / f"{name}.bin").read_bytes())


@given(
    st.lists(st.integers(0, 2**61), max_size=9),
    st.booleans(),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**40),
)
def test_what_is_written_is_read(times: list[int], single: bool, tick: int, merged: int) -> None:
    values = np.arange(len(times), dtype=np.float64)
    blocks = [frames.times_block(3, np.array(times, np.int64)), frames.values_block(4, values, single, 2, 99)]
    data = frames.frame(tick, 1.5, blocks, merged)
    frame = frames.parse(data)
    assert len(data) % 8 == 0
    assert (frame.tick, frame.merged) == (tick, min(merged, 2**32 - 1))
    assert frame.blocks[0].data.tolist() == [time / 1e6 for time in times]
    assert frame.blocks[1].data.tolist() == values.tolist()
    assert (frame.blocks[1].flags, frame.blocks[1].count) == (2, 99)


@given(st.binary(max_size=80))
def test_no_bytes_do_harm(data: bytes) -> None:
    header = frames.HEADER.pack(frames.MAGIC, frames.VERSION, 2, 1, 0, 0.0, 32 + len(data), 0)
    with contextlib.suppress(frames.FrameError):
        frames.parse(header + data)


def test_columns_are_written_and_read_with_their_place() -> None:
    places = np.array([2**40, 2**40 + 1, 2**40 + 7])
    columns = np.arange(12.0).reshape(4, 3)
    counts, broken = np.array([1, 2, 3]), np.array([True, False, True])
    blocks = [
        frames.axis_block(3, places, 20_000_000),
        frames.columns_block(4, columns, counts, broken, False),
    ]
    axis, made = frames.parse(frames.frame(1, 0, blocks)).blocks
    assert (axis.width, axis.count, axis.data.tolist()) == (20, 1, [place * 20 for place in places])
    assert (made.data.tolist(), made.count) == (columns.tolist(), 6)
    assert made.counts is not None
    assert made.marks is not None
    assert (made.counts.tolist(), made.marks.tolist()) == (
        [1, 2, 3],
        [frames.MARK_BROKEN, 0, frames.MARK_BROKEN],
    )


@given(
    st.integers(0, 12),
    st.sampled_from(range(9)),
    st.integers(0, 9),
    st.integers(0, 9),
    st.binary(max_size=90),
)
def test_no_block_does_harm(blocks: int, kind: int, n: int, count: int, data: bytes) -> None:
    body = frames.BLOCK.pack(kind, 0, 1, n, count) + data
    header = frames.HEADER.pack(frames.MAGIC, frames.VERSION, blocks, 1, 0, 0.0, 32 + len(body), 0)
    with contextlib.suppress(frames.FrameError):
        frames.parse(header + body)


def test_sections_are_aligned_to_eight_bytes() -> None:
    assert frames.HEADER.size == 32
    assert frames.BLOCK.size == 16
    assert struct.unpack_from("<d", frames.frame(1, 1234.5, []), 16) == (1234.5,)
