import itertools
from typing import Any

import numpy as np
import pytest
from live import EXAMPLE

from speeddata.schema import Schema
from speeddata.stripchart.catalogue import ChannelInfo
from speeddata.stripchart.signals import (
    TEXT_MAX,
    array_length,
    item_signals,
    schema_signals,
    time_text,
    value_text,
)


def info(schema: dict[str, Any]) -> ChannelInfo:
    return ChannelInfo("c", ("239.255.42.1", 1), None, "1", None, Schema.parse(schema))


def test_numbers_and_booleans_have_samples() -> None:
    signals = list(schema_signals(info(EXAMPLE), itertools.count(10)))
    assert [(s.id, s.path, s.row, s.role) for s in signals] == [
        (10, "time", None, "time"),
        (11, "message", None, None),
        (12, "counter", 0, None),
        (13, "sine_wave", 1, None),
        (14, "ramp", 2, None),
        (15, "square_wave", 3, None),
        (16, "is_on", 4, None),
    ]
    assert signals[3].describe() == {
        "name": "c.sine_wave",
        "id": 13,
        "channel": "c",
        "type": "double",
        "unit": "V",
        "number": True,
        "role": None,
    }


def test_numbers_of_an_array_are_signals() -> None:
    fields = [{"name": "time", "type": "long"}, {"name": "core", "type": {"type": "array", "items": "float"}}]
    array = list(schema_signals(info({"type": "record", "name": "r", "fields": fields}), itertools.count()))[
        1
    ]
    first, second = item_signals(array, range(1, 3), 5, itertools.count(7))
    assert (first.name, first.id, first.row, second.path, second.row) == ("c.core[1]", 7, 5, "core[2]", 6)
    table = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert np.array_equal(first.numbers({"core": table}), [2.0, 4.0])
    assert np.isnan(second.numbers({"core": table})).all()
    ragged = np.array([np.array([1.0]), None, np.array([1.0, 9.0])], object)
    assert np.array_equal(first.numbers({"core": ragged}), [np.nan, np.nan, 9.0], equal_nan=True)


def test_null_is_no_number() -> None:
    signal = list(schema_signals(info(EXAMPLE), itertools.count()))[2]
    column = np.ma.array([1, 2, 3], mask=[False, True, False], dtype=np.int32)
    assert np.array_equal(signal.numbers({"counter": column}), [1, np.nan, 3], equal_nan=True)


@pytest.mark.parametrize(
    ("column", "length"),
    [
        (np.zeros((4, 3)), 3),
        (np.zeros((4, 0), np.int32), 0),
        (np.array([np.zeros(2), np.zeros(5), None], object), 5),
        (np.array(["a", "b"], object), 0),
        (np.array([[["a"]], [["b"]]], object)[:, :, 0], 0),
    ],
)
def test_length_of_arrays(column: np.ndarray[Any, Any], length: int) -> None:
    assert array_length(column) == length


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("word", "word"),
        ("<b>", "<b>"),
        (None, "null"),
        (b"\x01\xff", "01ff"),
        (np.array([1.5, 2.0]), "[1.5, 2.0]"),
        ({"a": b"\x00", "b": [1]}, '{"a": "00", "b": [1]}'),
        ("x" * 300, "x" * (TEXT_MAX - 1) + "…"),
    ],
)
def test_values_as_text(value: Any, text: str) -> None:
    assert value_text(value) == text


def test_times_as_text() -> None:
    assert time_text(1_795_312_800_123_999_999) == "2026-11-22T02:00:00.123Z"


def test_states_are_places_among_their_symbols_and_limits_are_told() -> None:
    state = {"type": "enum", "name": "state", "symbols": ["idle", "run"]}
    limits = {"warn": [None, 5], "alarm": [-1, 9]}
    fields = [
        {"name": "time", "type": "long"},
        {"name": "state", "type": ["null", state]},
        {"name": "level", "type": "double", "speeddata": {"limits": limits}},
    ]
    signals = list(schema_signals(info({"type": "record", "name": "r", "fields": fields}), itertools.count()))
    told = [signal.describe() for signal in signals]
    assert (told[1]["type"], told[1]["number"], told[1]["symbols"]) == ("enum", True, ("idle", "run"))
    assert told[2]["limits"] == {"warn": (None, 5.0), "alarm": (-1.0, 9.0)}
    assert "limits" not in told[1]
    column = np.array(["run", None, "idle", "gone"], dtype=object)
    np.testing.assert_array_equal(np.asarray(signals[1].numbers({"state": column})), [1, np.nan, 0, np.nan])
