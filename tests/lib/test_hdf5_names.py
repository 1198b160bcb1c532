import pytest

from speeddata.errors import FormatError
from speeddata.hdf5_names import GIVEN_NAME, check_text, given_name, stored_names


def test_slashes_become_division_slashes():
    assert stored_names("signal", ["km/h", "rpm", "a b"]) == {"km/h": "km∕h", "rpm": "rpm", "a b": "a b"}


def test_no_two_names_become_one():
    names = ["a/b", "a∕b", "time", "time_", "a∕b_"]
    stored = stored_names("signal", names, ("time",))
    assert stored == {"a/b": "a∕b__", "a∕b": "a∕b", "time": "time__", "time_": "time_", "a∕b_": "a∕b_"}


@pytest.mark.parametrize("name", ["", ".", "a\0b", "\udc80"])
def test_what_hdf5_cannot_hold_is_refused(name):
    with pytest.raises(FormatError, match="HDF5 cannot hold .*signal"):
        stored_names("signal", [name])


def test_texts_are_checked():
    check_text("unit", "V", "", "°C")
    with pytest.raises(FormatError, match=r"in the unit 'V\\x00'"):
        check_text("unit", "V", "V\0")


def test_given_names_are_text():
    assert given_name({GIVEN_NAME: "km/h"}) == "km/h"
    assert given_name({GIVEN_NAME: 5}) is None
    assert given_name({}) is None
