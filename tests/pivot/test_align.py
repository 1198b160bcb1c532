import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from speeddata.pivot.align import Joined, align, aligned_columns
from speeddata.pivot.export_column import Column
from speeddata.table import Table

COLUMNS = [Column("x", "double", "V"), Column("n", "int"), Column("s", "string")]


def table_of(times):
    words = np.empty(len(times), object)
    words[:] = [f"t{time}" for time in times]
    return Table(
        np.array(times, np.int64),
        {"x": np.array(times, np.float64) * 2, "n": np.array(times, np.int32), "s": words},
    )


def joined(name, times, cuts=()):
    cuts = [0, *sorted(min(cut, len(times)) for cut in cuts), len(times)]
    tables = [table_of(times[a:b]) for a, b in zip(cuts, cuts[1:], strict=False)]
    return Joined(name, COLUMNS, iter(tables))


def rows_of(tables):
    found = {}
    for table in tables:
        for row in range(len(table)):
            values = {name: column[row] for name, column in table.columns.items()}
            found[int(table.time_ns[row])] = {
                name: None if value is np.ma.masked or value is None or value != value else value
                for name, value in values.items()
            }
    return found


def expected(times, at, how):
    """The values of a channel at a time, by brute force."""
    before = [time for time in times if time <= at]
    after = [time for time in times if time > at]
    previous = before[-1] if before else None
    if how == "previous":
        chosen = previous
    elif how == "nearest":
        near = [*before[-1:], *after[:1]]
        chosen = min(near, key=lambda time: (abs(time - at), time)) if near else None
    else:
        word = None if previous is None else f"t{previous}"
        if previous == at:
            return {"x": at * 2.0, "n": float(at), "s": word}
        if previous is None or not after:
            return {"x": None, "n": None, "s": word}
        return {"x": at * 2.0, "n": float(at), "s": word}
    return (
        {"x": None, "n": None, "s": None}
        if chosen is None
        else {"x": chosen * 2.0, "n": chosen, "s": f"t{chosen}"}
    )


TIMES = st.lists(st.integers(-40, 40), max_size=25, unique=True).map(sorted)
CUTS = st.lists(st.integers(0, 25), max_size=5)


@given(TIMES, TIMES, TIMES, CUTS, CUTS, st.sampled_from(["previous", "nearest", "linear"]))
def test_channels_are_joined_as_brute_force_joins_them(base, a, b, cuts, more, how):
    channels = [joined("base", base, more), joined("a", a, cuts), joined("b", b, more)]
    found = rows_of(align(channels, how, base="base"))
    assert list(found) == base
    for at, row in found.items():
        assert row["base.x"] == at * 2.0
        for name, times in (("a", a), ("b", b)):
            for signal, value in expected(times, at, how).items():
                assert (
                    row[f"{name}.{signal}"] == pytest.approx(value)
                    if isinstance(value, float)
                    else row[f"{name}.{signal}"] == value
                ), (at, name, signal)


@given(TIMES, TIMES, CUTS, CUTS, st.integers(1, 30), st.sampled_from(["previous", "nearest", "linear"]))
def test_a_grid_goes_from_the_first_record_to_the_last(a, b, cuts, more, width, how):
    found = rows_of(align([joined("a", a, cuts), joined("b", b, more)], how, width_ns=width))
    both = [*a, *b]
    assert list(found) == [
        at for at in range(-60, 60) if at % width == 0 and both and min(both) <= at <= max(both)
    ]
    for at, row in found.items():
        for name, times in (("a", a), ("b", b)):
            for signal, value in expected(times, at, how).items():
                got = row[f"{name}.{signal}"]
                assert got == (pytest.approx(value) if isinstance(value, float) else value), (
                    at,
                    name,
                    signal,
                )


def test_of_equal_times_the_last_counts():
    times = np.array([1, 1, 1, 2], np.int64)
    channel = Joined("a", [Column("x", "double")], iter([Table(times[:2], {"x": np.array([1.0, 2.0])}),
                                                       Table(times[2:], {"x": np.array([3.0, 4.0])})]))  # fmt: skip
    base = Joined("b", [], iter([Table(np.array([1, 2]), {})]))
    made = Table.join(list(align([base, channel], "previous", base="b")))
    assert made.columns["a.x"].tolist() == [3.0, 4.0]


def test_nothing_but_a_table_and_the_row_before_is_held():
    """However sparse the base is."""
    pulled = []

    def tables():
        for n in range(200):
            pulled.append(channel.held is None or len(channel.held))
            yield table_of(list(range(n * 100, n * 100 + 100)))

    channel = Joined("a", COLUMNS, tables())
    base = Joined("b", [], iter([Table(np.array([50, 19_950]), {})]))
    rows = rows_of(align([base, channel], "previous", base="b"))
    assert [row["a.n"] for row in rows.values()] == [50, 19_950]
    assert max(pulled[1:]) <= 101


def test_columns_of_the_base_stay_and_others_may_be_absent():
    made = aligned_columns([joined("a", []), joined("b", [])], "linear", "a")
    assert [(column.name, column.kind, column.nullable) for column in made] == [
        ("a.x", "double", False), ("a.n", "int", False), ("a.s", "string", False),
        ("b.x", "double", True), ("b.n", "double", True), ("b.s", "string", True),
    ]  # fmt: skip


def test_far_times_do_not_overflow():
    ends = [-(2**63), 2**63 - 2]
    times = np.array(ends, np.int64)
    channel = Joined("a", [Column("x", "double")], iter([Table(times, {"x": np.array([0.0, 1.0])})]))
    base = Joined("b", [], iter([Table(np.array([0]), {})]))
    made = Table.join(list(align([base, channel], "linear", base="b")))
    assert math.isclose(made.columns["a.x"][0], 0.5)


def test_arrays_are_taken_whole():
    column = Column("w", "array")
    waves = Joined("a", [column], iter([Table(np.array([5, 10]), {"w": np.array([[1, 2], [3, 4]])})]))
    base = Joined("b", [], iter([Table(np.array([1, 7, 10]), {})]))
    made = Table.join(list(align([base, waves], "previous", base="b")))
    assert [value if value is None else value.tolist() for value in made.columns["a.w"]] == [
        None,
        [1, 2],
        [3, 4],
    ]
