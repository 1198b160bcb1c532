import pytest
import segments as made
from follow_segments import STEP_NS, GrowingChannel
from hypothesis import given, settings
from hypothesis import strategies as st

from speeddata import follow_history
from speeddata.follow_positions import Positions
from speeddata.follow_tail import Tail

FAR = -(2**63)


@pytest.fixture
def channel(tmp_path):
    return GrowingChannel(tmp_path)


def read(history):
    """(time in ms, number) of each record."""
    out = []
    for rows, key in history.turns():
        times = (rows.table.time_ns - made.START) // STEP_NS
        out += list(zip(times.tolist(), rows.table.columns["counter"].tolist(), strict=True))
        assert key[0] == rows.table.time_ns[-1]
    return out


def test_in_the_order_of_time(channel):
    channel.add(5, 1)
    channel.add(3, 1)
    channel.begin()
    channel.add(0, 3)
    tail = Tail(channel.folder)
    channel.add(4)  # beyond the snapshot
    assert read(tail.history(FAR)) == [(0, 4), (1, 1), (1, 3), (3, 2), (3, 5), (5, 0)]
    assert read(tail.history(made.START + 3 * STEP_NS)) == [(3, 2), (3, 5), (5, 0)]
    assert read(tail.history(made.START + 9 * STEP_NS)) == []


def test_versions_of_the_schema_come_in_runs(channel):
    channel.add(0, 4)
    channel.begin(wider=True)
    channel.add(2, 3)
    runs = [sorted(rows.table.columns) for rows, _ in Tail(channel.folder).history(FAR).turns()]
    assert runs == [["counter", "message", "voltage"], ["counter", "current", "message", "voltage"],
                    ["counter", "message", "voltage"]]  # fmt: skip


def test_damage_is_told(channel):
    channel.folder.mkdir()
    (channel.folder / "engine_20200101T000000.000000Z.avro").write_bytes(b"no head at all, but some bytes")
    channel.add(0)
    data = bytearray(channel.path.read_bytes())
    data[-20] ^= 1
    channel.path.write_bytes(data)
    channel.add(1)
    history = Tail(channel.folder).history(FAR)
    assert read(history) == [(1, 1)]
    assert sorted(str(damage.records) for damage in history.damages) == ["1", "None"]


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.lists(st.integers(0, 20), min_size=1, max_size=4), min_size=1, max_size=8), st.integers(0, 20),
    st.sampled_from([1, 3, 1000]), st.integers(0, 100), st.booleans(),
)  # fmt: skip
def test_resumed_anywhere_it_is_the_same(tmp_path_factory, blocks, start, batch, stop, seal):
    channel = GrowingChannel(tmp_path_factory.mktemp("archive"))
    for place, times in enumerate(blocks):
        if place % 3 == 0:
            channel.begin(wider=place % 2 == 0)
        channel.add(*times)
    numbered = [time for times in blocks for time in times]
    expected = sorted((time, number) for number, time in enumerate(numbered) if time >= start)
    follow_history.BATCH, usual = batch, follow_history.BATCH
    try:
        tail, found = Tail(channel.folder), []
        tail.positions.in_history = True
        for place, (rows, key) in enumerate(tail.history(made.START + start * STEP_NS).turns()):
            found += rows.table.columns["counter"].tolist()
            tail.positions.key = key
            if place == stop:
                break
        if seal:
            channel.reseal()
        channel.add(0, 20)
        again = Positions.from_json("engine", tail.positions.to_json("engine"))
        history = Tail(channel.folder, None, again).history(made.START + start * STEP_NS)
        found += [number for _, number in read(history)]
    finally:
        follow_history.BATCH = usual
    assert found == [number for _, number in expected]
