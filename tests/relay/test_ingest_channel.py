"""A channel as the shared relay knows it."""

from pathlib import Path

import pytest
from store_client import FINGERPRINT, NUMBERED, records, store_spec

from speeddata.relay.ingest_channel import IDLE_BYTES, IDLE_S, IngestChannel, read_spec
from speeddata.relay.ingest_protocol import Refusal


class Hands:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Hands:
    return Hands()


def made(folder: Path, clock: Hands, **other: object) -> IngestChannel:
    return IngestChannel(read_spec(store_spec(folder, "x") | other), clock)


@pytest.mark.parametrize("value", [None, 7, [], {}, {"name": "x"}, {"name": "x", "nonsense": 1}])
def test_what_is_no_spec(value: object) -> None:
    with pytest.raises(Refusal) as caught:
        read_spec(value)
    assert caught.value.status == 400


GROUP = {"address": "239.255.0.1", "port": 10000}
STREAMS = {"full_rate": GROUP, "decimated": GROUP}


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("name", [None, 7, [], "", "../x", "x" * 65, "\ud800"]),
        ("archive", [None, 7, [], "", "x", "/x\0", "/\ud800"]),
        ("versions", [None, 7, {}]),
        ("time_unit", [7, [], {}, "h"]),
        ("block_bytes", [None, 0, -1, 1, 2**70, 1e9, "1000"]),
        ("flush_interval_s", [None, -1, float("nan"), float("inf"), "1", []]),
        ("rotation", [None, {"seconds": "1"}, {"bytes": []}, {"seconds": float("nan")}, {"bytes": -1}]),
        ("multicast", [7, {}, STREAMS | {"ttl": 2**40}, STREAMS | {"interface": 7}]),
        ("multicast", [STREAMS | {"full_rate": GROUP | {"port": 0}}, STREAMS | {"full_rate": {"port": "x"}}]),
    ],
)
def test_a_field_that_nothing_can_be_done_with(
    tmp_path: Path, clock: Hands, field: str, values: list[object]
) -> None:
    made(tmp_path, clock, multicast=STREAMS)
    for value in values:
        with pytest.raises(Refusal, match="not a channel spec"):
            made(tmp_path, clock, **{field: value})


def test_a_schema_that_no_channel_can_have(tmp_path: Path, clock: Hands) -> None:
    with pytest.raises(Refusal, match="not a channel spec"):
        made(tmp_path, clock, schema={"type": "int"})


def test_all_versions_are_known(tmp_path: Path, clock: Hands) -> None:
    second = {**NUMBERED, "fields": [*NUMBERED["fields"], {"name": "more", "type": "int"}]}
    channel = made(tmp_path, clock, schema=second, versions=[NUMBERED])
    assert list(channel.plans)[0] == FINGERPRINT
    assert len(channel.plans) == 2
    channel.use(read_spec(store_spec(tmp_path, "x")))
    assert list(channel.plans) == [FINGERPRINT]


def test_when_a_segment_ends(tmp_path: Path, clock: Hands) -> None:
    channel = made(tmp_path, clock, rotation={"bytes": IDLE_BYTES * 2, "seconds": 3600})
    some = records(0, 10)
    assert not channel.must_end(some)
    assert not channel.too_old()
    channel.begin(some)
    clock.now += IDLE_S
    assert not channel.must_end(some)
    clock.now += 3600
    assert channel.too_old()
    assert channel.must_end(some)
    channel.let_go()
    assert not channel.too_old()
    segment = channel.begin(some)
    segment.append(records(0, 60_000))
    assert not channel.too_old()
    assert channel.must_end(records(0, 60_000))
    clock.now += IDLE_S
    assert channel.too_old()
