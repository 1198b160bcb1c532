"""The parts of an append, in groups that are written one after the other."""

from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from store_client import FINGERPRINT, rows, store_spec

from speeddata.relay.ingest_channel import IngestChannel, read_spec
from speeddata.relay.ingest_parts import Part, read_options, read_parts, rounds
from speeddata.relay.ingest_protocol import Refusal


def test_parts_are_read_in_their_order(tmp_path: Path) -> None:
    known = {name: IngestChannel(read_spec(store_spec(tmp_path, name))) for name in "xy"}
    told = [
        {"channel": name, "schema": FINGERPRINT, "bytes": len(rows(first, 3)), "records": 3}
        for name, first in (("x", 0), ("y", 3), ("x", 6))
    ]
    body = memoryview(b"".join(rows(first, 3) for first in (0, 3, 6)))
    parts = read_parts({"parts": told}, body, known)
    assert [(part.channel.name, part.records.count) for part in parts] == [("x", 3), ("y", 3), ("x", 3)]
    with pytest.raises(Refusal, match="differ in size"):
        read_parts({"parts": told}, body[1:], known)


def test_what_is_left_out_is_for_the_channel_to_say() -> None:
    options = read_options({})
    assert (options.key, options.durability, options.live) == (None, None, None)
    with pytest.raises(Refusal, match="key is wrong"):
        read_options({"key": "x" * 257})


@given(st.lists(st.integers(0, 5), max_size=40), st.integers(1, 6))
def test_no_channel_is_twice_in_a_group(channels: list[int], most: int) -> None:
    parts = [Part(cast(Any, channel), "", cast(Any, None)) for channel in channels]
    groups = rounds(parts, most)
    assert [part for group in groups for part in group] == parts
    for group in groups:
        assert len({part.channel for part in group}) == len(group) <= most
