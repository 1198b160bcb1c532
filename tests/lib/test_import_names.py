"""Names made of headings, file names and values."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speeddata.import_names import channel_name, signal_names, split_unit
from speeddata.settings_values import CHANNEL_NAME


@pytest.mark.parametrize(
    ("heading", "name", "unit"),
    [
        ("A:f_soll_aktiv [Hz]", "A:f_soll_aktiv", "Hz"),
        ("Temp (°C)", "Temp", "°C"),
        ("plain", "plain", ""),
        ("[V]", "[V]", ""),
        (" x [] ", "x", ""),
    ],
)
def test_units_of_headings(heading, name, unit):
    assert split_unit(heading) == (name, unit)


def test_names_of_signals():
    headings = ["A:f", "größe", "time", "1st", "", "a b", "a-b", "日本"]
    assert signal_names(headings) == [
        "A_f",
        "groesse",
        "time_2",
        "_1st",
        "column5",
        "a_b",
        "a_b_2",
        "column8",
    ]


@given(st.lists(st.text(max_size=12), max_size=12))
def test_names_are_avros_and_none_twice(headings):
    names = signal_names(headings)
    assert len({*names, "time"}) == len(headings) + 1
    assert all(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) for name in names)


@given(st.text(), st.sampled_from(["", "base", "x" * 64]))
def test_names_of_channels_are_allowed(text, below):
    assert CHANNEL_NAME.fullmatch(channel_name(text, below))


def test_names_of_channels():
    assert channel_name("my data (2)") == "my-data-2"
    assert channel_name("b8:27:eb", "iot") == "iot.b8-27-eb"
