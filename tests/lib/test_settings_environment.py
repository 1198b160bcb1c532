import re

from speeddata.settings_environment import given, unread, variable
from speeddata.settings_table import FILES, rows

ALL = [(file, key) for file in FILES for key in rows(file)]


def test_each_setting_has_a_variable_of_its_own() -> None:
    names = {variable(file, key) for file, key in ALL}
    assert len(names) == len(ALL)
    assert "SPEEDDATA_RELAY__DECIMATION__RATE_HZ" in names
    # A key with a double underscore would be two keys.
    assert all(re.fullmatch("SPEEDDATA(_[A-Z0-9]+)+(__[A-Z0-9]+(_[A-Z0-9]+)*)+", name) for name in names)


def test_a_variable_is_the_setting_that_it_spells_in_either_case() -> None:
    for file, key in ALL:
        for name in (variable(file, key), variable(file, key).lower()):
            (found,) = given({name: "5", "PATH": "/bin"})
            assert (found.name, found.text, found.file, found.key, found.problem) == (
                name,
                "5",
                file,
                key,
                "",
            )


def test_unknown_variables_are_named_with_the_nearest_known_one() -> None:
    found = given(
        {
            "SPEEDDATA_RELAY__DECIMATION__FACTR": "5",
            "SPEEDDATA_RELAIS__API__PORT": "1",
            "SPEEDDATA_PIVOT__HOSTS": "x",
            "SPEEDDATA_QQ__WW": "x",
        }
    )
    assert {one.name: one.problem.partition("did you mean ")[2] for one in found} == {
        "SPEEDDATA_PIVOT__HOSTS": "SPEEDDATA_PIVOT__HOST?",
        "SPEEDDATA_QQ__WW": "",
        "SPEEDDATA_RELAIS__API__PORT": "SPEEDDATA_RELAY__API__PORT?",
        "SPEEDDATA_RELAY__DECIMATION__FACTR": "SPEEDDATA_RELAY__DECIMATION__FACTOR?",
    }


def test_two_spellings_of_one_setting_are_a_problem() -> None:
    found = given({"SPEEDDATA_RELAY__GRO": "true", "speeddata_relay__gro": "false"})
    assert [one.problem for one in found] == [
        "",
        "is the same setting as SPEEDDATA_RELAY__GRO, wanted one of them",
    ]


def test_other_variables_are_let_alone() -> None:
    others = {"SPEEDDATA_CONFIG_DIR": "/x", "SPEEDDATA_URL": "y", "SPEEDDATA_LOCK_S": "1", "OTHER__KEY": "1"}
    assert given(others) == []
    assert unread(others | {"SPEEDDATA_RELAY_PORT_8080_TCP": "tcp://10.0.0.1:8080"}) == []


def test_a_variable_with_single_underscores_is_warned_of() -> None:
    assert unread({"SPEEDDATA_RELAY_API_PORT": "8090"}) == [
        "SPEEDDATA_RELAY_API_PORT: is not read as a setting, wanted SPEEDDATA_RELAY__API__PORT"
    ]
