"""Channels and signals as they are named on a command line; how names complete is shown by test_commands.py."""

import pytest

from speeddata.channel_names import nearest, signal_of

KNOWN = ["engine", "cpu", "cpu.load"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("engine", ("engine", None)),
        ("engine.speed", ("engine", "speed")),
        ("cpu.load", ("cpu.load", None)),
        ("cpu.load.avg.1", ("cpu.load", "avg.1")),
        ("cpu.temp", ("cpu", "temp")),
        ("engines", None),
        ("engin", None),
    ],
)
def test_the_longest_name_of_a_channel_counts(text, found):
    assert signal_of(text, KNOWN) == found


def test_what_is_near_is_named():
    assert nearest("engin", KNOWN) == "; did you mean 'engine'?"
    assert nearest("xyz", KNOWN) == ""
