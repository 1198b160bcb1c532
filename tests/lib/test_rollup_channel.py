import os
import random
import tempfile
from pathlib import Path

import numpy as np
import pytest
import rolled
import segments as made
from hypothesis import given
from hypothesis import strategies as st

from speeddata import rollup_blocks, rollup_parts
from speeddata.index import entries_of
from speeddata.rollup_file import make_rollup
from speeddata.rollup_names import rollup_path
from speeddata.segment import Segment

S = 10**9
HOUR = 3600 * S


@given(st.integers(0, 2**32))
def test_sums_equal_those_by_hand_whatever_the_archive_is_made_of(seed):
    """Late records, equal times, NaN and null, sealed and open segments, time zones, a small memory and a large one."""
    with tempfile.TemporaryDirectory() as folder:
        world = rolled.World(Path(folder), random.Random(seed))
        for _ in range(4):
            world.grow()
            world.ask()
            world.ask()


def total(channel, low, high, width=HOUR, name="real"):
    """Count and sum of all buckets."""
    edges = np.arange(low, high + width, width)
    view = channel.look()
    rows = channel.sum_up(view, view.signals, edges, width, lambda: None).totals[name].rows
    return int(rows[0].sum()), float(rows[5].sum())


@pytest.fixture
def decoded(monkeypatch):
    """The blocks that are decoded to be aggregated."""
    counts = []
    roll_up = rollup_blocks.roll_up_blocks

    def counted(segment, entries, *more):
        counts.append(len(entries))
        return roll_up(segment, entries, *more)

    monkeypatch.setattr(rollup_parts, "roll_up_blocks", counted)
    return counts


BEGIN = made.START // HOUR * HOUR


def test_only_new_blocks_are_decoded(tmp_path, decoded):
    channel = rolled.rollups(tmp_path / "c")
    rows = rolled.steady_rows(9000)
    for count, new in ((3000, 3), (3000, None), (6000, 3), (9000, 3)):
        rolled.segment(tmp_path / "c", 0, rows[:count], parts=count // 1000)
        assert total(channel, BEGIN, BEGIN + 5 * HOUR) == (count, sum(row["real"] for row in rows[:count]))
        assert decoded == ([new] if new else [])
        decoded.clear()


def test_nothing_is_opened_when_nothing_has_changed(tmp_path, decoded, monkeypatch):
    for number in range(4):
        make_rollup(
            rolled.segment(tmp_path / "c", number, rolled.steady_rows(3600, number * 3600)), lambda: None
        )
    channel = rolled.rollups(tmp_path / "c")
    wanted = total(channel, BEGIN, BEGIN + 6 * HOUR)
    assert wanted[0] == 4 * 3600
    opened = []
    monkeypatch.setattr("os.open", lambda *args, **_: opened.append(args))
    monkeypatch.setattr("speeddata.rollup_file.pa.OSFile", lambda *args: opened.append(args))
    assert total(channel, BEGIN, BEGIN + 6 * HOUR) == wanted
    assert (opened, decoded) == ([], [])


@pytest.mark.parametrize("spoil", ["missing", "cut", "flipped", "stale", "other"])
def test_a_rollup_that_cannot_be_used_is_as_good_as_none(tmp_path, spoil, decoded, caplog):
    path = rolled.segment(tmp_path / "c", 0, rolled.steady_rows(3000))
    rollup = make_rollup(path, lambda: None)
    data = bytearray(rollup.read_bytes())
    if spoil == "missing":
        rollup.unlink()
    elif spoil == "cut":
        rollup.write_bytes(data[: len(data) // 2])
    elif spoil == "flipped":
        place = data.index(np.float64(749.75).tobytes()) + 2
        data[place] ^= 1
        rollup.write_bytes(data)
    elif spoil == "stale":
        rolled.segment(tmp_path / "c", 0, rolled.steady_rows(4000), parts=4)
    else:
        rolled.segment(tmp_path / "c", 0, rolled.steady_rows(3000), sync=bytes(range(16)))
    caplog.set_level("DEBUG")
    count = 4000 if spoil == "stale" else 3000
    channel = rolled.rollups(tmp_path / "c")
    assert total(channel, BEGIN, BEGIN + 2 * HOUR) == (count, sum(n / 4 for n in range(count)))
    assert sum(decoded) > 0
    assert (spoil == "missing") != ("not used" in caplog.text)


@pytest.mark.parametrize("sealed", [False, True])
def test_a_segment_that_is_cut_has_no_more_than_is_left(tmp_path, sealed):
    rows = rolled.steady_rows(3000)
    path = rolled.segment(tmp_path / "c", 0, rows, parts=3)
    if sealed:
        make_rollup(path, lambda: None)
    channel = rolled.rollups(tmp_path / "c")
    assert total(channel, BEGIN, BEGIN + 2 * HOUR)[0] == 3000
    assert channel.look().unreadable == 0
    with Segment(path) as segment:
        last = list(entries_of(segment.entries))[-1]
    os.truncate(path, last.offset + 5)
    assert total(channel, BEGIN, BEGIN + 2 * HOUR) == (2000, sum(row["real"] for row in rows[:2000]))
    view = channel.look()
    sums = channel.sum_up(view, view.signals, np.arange(BEGIN, BEGIN + 3 * HOUR, HOUR), HOUR, lambda: None)
    assert sums.damages == 1


def test_a_rollup_that_is_made_is_used(tmp_path, decoded):
    path = rolled.segment(tmp_path / "c", 0, rolled.steady_rows(3000))
    channel = rolled.rollups(tmp_path / "c")
    wanted = total(channel, BEGIN, BEGIN + 2 * HOUR)
    decoded.clear()
    make_rollup(path, lambda: None)
    assert channel.look().segments[0].rollup is not None
    assert total(channel, BEGIN, BEGIN + 2 * HOUR) == wanted
    assert decoded == []


def test_a_copy_that_takes_the_place_of_a_segment_meanwhile_is_summed_up_whole(tmp_path):
    """It has another sync marker, and its blocks may be others."""
    rows = rolled.steady_rows(3000)
    rolled.segment(tmp_path / "c", 0, rows[:2000], parts=2)
    channel = rolled.rollups(tmp_path / "c")
    total(channel, BEGIN, BEGIN + 2 * HOUR)
    rolled.segment(tmp_path / "c", 0, rows, parts=3)
    view = channel.look()
    rolled.segment(tmp_path / "c", 0, rows, parts=1, sync=bytes(range(16)))
    edges = np.arange(BEGIN, BEGIN + 3 * HOUR, HOUR)
    sums = channel.sum_up(view, view.signals, edges, HOUR, lambda: None)
    assert sums.totals["real"].rows[0].sum() == 3000
    assert total(channel, BEGIN, BEGIN + 2 * HOUR)[0] == 3000


def test_versions_of_the_schema_are_united(tmp_path):
    make_rollup(rolled.segment(tmp_path / "c", 0, rolled.steady_rows(100)), lambda: None)
    later = [{"time": made.START + n * S, "real": None, "whole": 0.5, "extra": n} for n in range(100, 200)]
    make_rollup(rolled.segment(tmp_path / "c", 1, later, schema=rolled.LATER), lambda: None)
    channel = rolled.rollups(tmp_path / "c")
    view = channel.look()
    assert {one.name: one.type for one in view.signals} == {
        "real": "double", "whole": "double", "extra": "int", "flag": "boolean",
    }  # fmt: skip
    found = {
        name: total(channel, BEGIN, BEGIN + HOUR, 60 * S, name) for name in ("real", "whole", "extra", "flag")
    }
    assert found == {
        "real": (100, 1237.5),
        "whole": (200, 5000.0),
        "extra": (100, 14950.0),
        "flag": (100, 50.0),
    }


def test_a_segment_that_vanishes_is_left_out(tmp_path):
    for number in range(2):
        rolled.segment(tmp_path / "c", number, rolled.steady_rows(100, number * 100))
    channel = rolled.rollups(tmp_path / "c")
    view = channel.look()
    view.segments[0].path.unlink()
    edges = np.array([made.START, made.START + HOUR])
    for granule in (0, S):
        rows = channel.sum_up(view, view.signals, edges, granule, lambda: None).totals["real"].rows
        assert rows[0].tolist() == [100]
    with channel.open(view, made.START, made.START + HOUR) as reader:
        assert len(reader.read()) == 100


@pytest.mark.parametrize("number", [1, 3], ids=["one segment", "several, merged"])
@pytest.mark.parametrize("width", [HOUR, 60 * S, 30 * S, 7 * S])
def test_damage_is_counted_whatever_answers(tmp_path, number, width):
    for place in range(number):
        rows = rolled.steady_rows(3000, place * 3000)
        path = rolled.segment(tmp_path / "c", place, rows)
        os.utime(path, (1e9 + place, 1e9 + place))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    os.utime(path, (1e9, 1e9))
    channel = rolled.rollups(tmp_path / "c")
    edges = np.arange(BEGIN, BEGIN + 4 * HOUR, width)
    for _ in range(2):
        view = channel.look()
        sums = channel.sum_up(view, view.signals, edges, width, lambda: None)
        assert sums.damages == 1
        assert sums.totals["flag"].rows[0].sum() == number * 3000 - 1000
    assert not rollup_path(path).exists()


def test_what_check_raises_ends_the_work(tmp_path):
    rolled.segment(tmp_path / "c", 0, rolled.steady_rows(3000))
    channel = rolled.rollups(tmp_path / "c")

    def stop():
        raise InterruptedError

    for granule in (0, HOUR):
        with pytest.raises(InterruptedError):
            channel.sum_up(
                channel.look(), channel.look().signals, np.array([BEGIN, BEGIN + HOUR]), granule, stop
            )


def test_times_at_the_ends_of_int64_are_summed_up_from_records(tmp_path):
    rows = [{"time": time, "real": 1.0, "whole": 1, "flag": True} for time in (-(2**63), 0, 2**63 - 2)]
    path = rolled.segment(tmp_path / "c", 0, rows)
    make_rollup(path, lambda: None)
    channel = rolled.rollups(tmp_path / "c")
    view = channel.look()
    edges = np.array([-(2**63), 2**63 - 1])
    assert channel.sum_up(view, view.signals, edges, 0, lambda: None).totals["real"].rows[0].tolist() == [3]
