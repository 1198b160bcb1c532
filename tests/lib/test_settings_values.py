import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speeddata.settings_table import TABLE, rows
from speeddata.settings_values import CHANNEL_NAME, Problem, Wanted, check_channel, check_mapping, check_value

RELAY = rows("relay")
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10) | st.binary(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8) | st.integers(), inner, max_size=3)
    ),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("key", "value", "final"),
    [
        ("decimation.algorithm", "min-max", "minmax"),
        ("decimation.factor", 5.0, 5),
        ("listen", "localhost", "127.0.0.1"),
        ("host", "::1", "::1"),
        ("api.names", ["A.Example"], ["a.example"]),
        ("rotation.bytes", 0, 0),
        ("time_unit", None, None),
    ],
)
def test_values_come_back_in_their_final_form(key: str, value: Any, final: Any) -> None:
    assert check_value(RELAY[key], value) == final


def test_a_problem_says_key_value_and_what_is_wanted() -> None:
    assert str(Problem("a.b", "x", "a number")) == "a.b is 'x', wanted a number"
    assert str(Problem("a.b", 1, "one of c", unknown=True)) == "unknown key a.b (value 1), wanted one of c"
    assert len(str(Problem("a", "x" * 10000, "less"))) < 120
    assert len(str(Problem("a", [["x" * 100] * 100] * 100, "less"))) < 200


def test_a_channels_decimation_may_be_its_factor() -> None:
    assert check_channel({"decimation": 5}, overrides_only=True).values == {"decimation.factor": 5}
    assert check_channel({"decimation": True}, overrides_only=True).problems


def test_a_channel_needs_its_three() -> None:
    assert [problem.key for problem in check_channel({}).problems] == ["name", "port", "schema"]
    assert check_channel({}, overrides_only=True).problems == []


def test_names_keep_to_the_grammar() -> None:
    for name in ("a", "A0", "example", "a.b-c_d", "0" * 64):
        assert CHANNEL_NAME.fullmatch(name)
    for name in ("", ".", "..", ".a", "a..b", "a/b", "a\0", "-a", "ä", "0" * 65, "a\n", "a b", "a%2e"):
        assert not CHANNEL_NAME.fullmatch(name)


@pytest.mark.parametrize("value", ["zstd", "gzip", 3, True, ["deflate"]])
def test_a_codec_that_there_is_not_is_said_with_those_there_are(value: Any) -> None:
    with pytest.raises(Wanted, match="one of zstandard, deflate, null"):
        check_value(RELAY["compression"], value)


def test_a_codec_that_cannot_be_used_here_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("speeddata.settings_values.unusable", lambda codec: f"no {codec}")
    with pytest.raises(Wanted, match="of which deflate cannot be used: no deflate"):
        check_value(RELAY["compression"], "deflate")
    assert check_value(RELAY["compression"], None) is None


@given(ANYTHING)
def test_no_value_does_worse_than_be_unwanted(value: Any) -> None:
    for row in TABLE:
        with contextlib.suppress(Wanted):
            check_value(row, value)


@given(
    st.dictionaries(
        st.sampled_from([key.split(".")[0] for key in RELAY]) | st.text(max_size=8), ANYTHING, max_size=4
    )
)
def test_no_mapping_does_worse_than_have_problems(mapping: dict[Any, Any]) -> None:
    for checked in (check_mapping(RELAY, mapping), check_channel(mapping)):
        assert all(str(problem) for problem in checked.problems)
        assert all(key in RELAY or key in ("name", "port", "schema") for key in checked.values)


def test_names_of_keys_are_checked_one_by_one() -> None:
    row = RELAY["sign"]
    assert check_value(row, ["roof", "cellar.2", "roof"]) == ["roof", "cellar.2"]
    assert check_value(row, None) is None
    for bad in ("roof", [], ["../roof"], [""], [1], [f"k{n}" for n in range(65)]):
        with pytest.raises(Wanted, match="a list of names of keys"):
            check_value(row, bad)


def test_networks_are_checked_one_by_one() -> None:
    row = RELAY["sources"]
    assert check_value(row, ["192.168.1.0/24", "10.0.0.7"]) == ["192.168.1.0/24", "10.0.0.7/32"]
    assert check_value(row, None) is None
    for wrong in ([], "10.0.0.7", ["10.0.0.7/24"], ["::1"], ["x"], [5], ["10.0.0.0/33"], ["10.0.0.1"] * 65):
        with pytest.raises(Wanted, match="a list of IPv4 addresses and networks"):
            check_value(row, wrong)
