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


def build(told: dict[str, Any]) -> bytes:
    """Write the frame that a golden file describes."""
    blocks = []
    for block in told["blocks"]:
        data = np.array([np.nan if value is None else float(value) for value in block["data"]])
        flags, count = block["flags"], block["count"]
        if block["kind"] == frames.KIND_TIMES:
            blocks.append(frames.times_block(block["id"], (data * 1e6).astype(np.int64), flags, count))
        else:
            single = block["kind"] == frames.KIND_FLOAT32
            blocks.append(frames.values_block(block["id"], data, single, flags, count))
    return frames.frame(told["tick"], told["server_time"], blocks, told["merged"])


@pytest.mark.parametrize("name", GOOD)
def test_the_writer_makes_the_golden_frames(name: str) -> None:
    told = json.loads((GOLDEN / f"{name}.json").read_text())
    assert build(told) == (GOLDEN / f"{name}.bin").read_bytes()


@pytest.mark.parametrize("name", GOOD)
def test_the_reader_reads_the_golden_frames(name: str) -> None:
    told = json.loads((GOLDEN / f"{name}.json").read_text())
    frame = frames.parse((GOLDEN / f"{name}.bin").read_bytes())
    assert (frame.tick, frame.merged, frame.server_time) == (
        told["tick"],
        told["merged"],
        told["server_time"],
    )
    assert len(frame.blocks) == len(told["blocks"])
    for block, expected in zip(frame.blocks, told["blocks"], strict=True):
        assert (block.kind, block.flags, block.id, block.count) == tuple(
            expected[key] for key in ("kind", "flags", "id", "count")
        )
        data = [None if np.isnan(value) else value for value in block.data.tolist()]
        assert data == expected["data"]


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


def test_sections_are_aligned_to_eight_bytes() -> None:
    assert frames.HEADER.size == 32
    assert frames.BLOCK.size == 16
    assert struct.unpack_from("<d", frames.frame(1, 1234.5, []), 16) == (1234.5,)
