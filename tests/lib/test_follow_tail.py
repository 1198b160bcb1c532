import numpy as np
import pytest
import segments as made
from follow_segments import GrowingChannel
from hypothesis import given, settings
from hypothesis import strategies as st

from speeddata.follow_positions import Positions
from speeddata.follow_tail import Tail


@pytest.fixture
def channel(tmp_path):
    return GrowingChannel(tmp_path)


def taken(tail):
    """The numbers of the records that came since."""
    return [int(n) for rows in tail.fresh() for n in rows.table.columns["counter"]]


def test_what_comes_after_the_beginning_in_order_of_arrival(channel):
    channel.add(0, 1)
    tail = Tail(channel.folder)
    assert taken(tail) == []
    channel.add(5, 3)
    channel.add(2)
    assert taken(tail) == [2, 3, 4]
    assert taken(tail) == []


def test_a_folder_that_comes_later(channel):
    tail = Tail(channel.folder)
    assert taken(tail) == []
    channel.add(0)
    channel.begin()
    channel.add(1)
    assert taken(tail) == [0, 1]


def test_fault_62_rotation_sealing_and_a_clock_that_is_set_back(channel):
    channel.add(0)
    tail = Tail(channel.folder)
    channel.add(1)
    former = channel.path
    channel.begin()
    channel.add(2)
    assert taken(tail) == [1, 2]
    current, channel.path = channel.path, former
    channel.reseal()
    channel.path = current
    assert taken(tail) == []
    channel.begin(begun=made.START - 10**12)
    channel.add(3)
    assert channel.path < former
    assert taken(tail) == [3]
    channel.add(4)
    assert taken(tail) == [4]


def test_a_block_without_its_index_entry_comes_once(channel):
    channel.add(0)
    tail = Tail(channel.folder)
    channel.add(1, index=False)
    assert taken(tail) == [1]
    channel.path.with_suffix(".idx").unlink()
    channel.add(2, index=False)
    assert taken(tail) == [2]


def test_half_a_block_is_waited_for(channel):
    channel.add(0)
    tail = Tail(channel.folder)
    before = channel.path.stat().st_size
    channel.add(1, 2, index=False)
    whole = channel.path.read_bytes()
    channel.path.write_bytes(whole[: before + 20])
    assert taken(tail) == []
    channel.path.write_bytes(whole)
    assert taken(tail) == [1, 2]


def test_going_on_from_a_position(channel):
    channel.add(0, 1)
    tail = Tail(channel.folder)
    channel.add(2, 3)
    assert taken(tail) == [2, 3]
    told = tail.positions.to_json("engine")
    channel.add(4)
    channel.reseal()
    channel.begin()
    channel.add(5)
    assert taken(Tail(channel.folder, None, Positions.from_json("engine", told))) == [4, 5]


def test_in_the_middle_of_a_block(channel):
    channel.add(0, 1, 2)
    assert taken(Tail(channel.folder, None, Positions("", {channel.path.name: 2}))) == [2]


def test_an_archive_that_was_cut_is_told(channel):
    channel.add(0)
    length = channel.path.stat().st_size
    channel.add(1, 2)
    tail = Tail(channel.folder)
    channel.path.write_bytes(channel.path.read_bytes()[:length])
    assert taken(tail) == []
    assert tail.cut == 2
    channel.number = 1
    channel.path.with_suffix(".idx").write_bytes(channel.path.with_suffix(".idx").read_bytes()[:-64])
    channel.add(1)
    assert taken(tail) == [1]


def test_damage_is_left_out_told_and_counted(channel):
    channel.add(0)
    tail = Tail(channel.folder)
    channel.add(1, 2)
    data = bytearray(channel.path.read_bytes())
    data[-20] ^= 1
    channel.path.write_bytes(data)
    channel.add(3)
    assert taken(tail) == [3]
    assert [damage.records for damage in tail.damages] == [2]
    channel.add(4)
    assert taken(tail) == [4]


def test_signals_and_versions_of_the_schema(channel):
    channel.add(0)
    tail = Tail(channel.folder, ["counter", "current"])
    channel.add(1)
    channel.begin(wider=True)
    channel.add(2)
    found = list(tail.fresh())
    assert [sorted(rows.table.columns) for rows in found] == [["counter"], ["counter", "current"]]
    assert found[1].schema.signal_names[-1] == "current"


def test_a_segment_that_is_deleted(channel):
    channel.add(0)
    tail = Tail(channel.folder)
    channel.add(1)
    channel.path.unlink()
    former = channel.path.name
    channel.begin()
    channel.add(2)
    assert taken(tail) == [2]
    assert tail.gone == [former]


def test_a_segment_that_is_deleted_between_two_looks_at_it(channel, monkeypatch):
    channel.add(0)
    tail = Tail(channel.folder)
    assert taken(tail) == []
    channel.add(1)
    former = channel.path
    channel.begin()
    channel.add(2)
    list_them = tail._names

    def then_delete():
        names = list_them()
        former.unlink()
        return names

    with monkeypatch.context() as patched:
        patched.setattr(tail, "_names", then_delete)
        assert taken(tail) == [2]
    assert taken(tail) == []
    assert tail.gone == [former.name]


def test_segments_deleted_after_they_were_read_are_no_loss(channel):
    channel.add(0)
    tail = Tail(channel.folder)
    former = channel.path
    channel.begin()
    channel.add(1)
    assert taken(tail) == [1]
    assert taken(tail) == []
    told = tail.positions.to_json("engine")
    former.unlink()
    assert taken(tail) == []
    assert tail.gone == []
    assert Tail(channel.folder, None, Positions.from_json("engine", told)).gone == []
    last = channel.path
    channel.begin()
    last.unlink()
    again = Tail(channel.folder, None, Positions.from_json("engine", told))
    assert again.gone == [last.name]


actions = st.lists(
    st.one_of(
        st.lists(st.integers(0, 50), min_size=1, max_size=5),
        st.sampled_from(["rotate", "wider", "seal", "token", "take"]),
    ),
    max_size=12,
)


@settings(deadline=None, max_examples=60)
@given(actions, st.integers(0, 5))
def test_every_record_once_whatever_happens(tmp_path_factory, what, before):
    channel = GrowingChannel(tmp_path_factory.mktemp("archive"))
    for _ in range(before):
        channel.add(0, 1)
    first, tail, found = channel.number, Tail(channel.folder), []
    for action in what:
        if isinstance(action, list):
            channel.add(*action)
        elif action in ("rotate", "wider"):
            channel.begin(wider=action == "wider")
        elif action == "seal" and channel.path is not None:
            channel.reseal()
            channel.begin()
        elif action == "take":
            found += taken(tail)
        elif action == "token":
            tail = Tail(channel.folder, None, Positions.from_json("engine", tail.positions.to_json("engine")))
    found += taken(tail)
    assert found == list(range(first, channel.number))
    assert np.all(np.diff(found) == 1)
