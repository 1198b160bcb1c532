from pathlib import Path

import pytest

from speeddata.rollup_names import is_rollup_name, leftover_of, rollup_path, temporary_path

NAME = "a.b_20231114T221320.000000Z"


def test_a_rollup_lies_beside_its_segment():
    segment = Path("/x") / f"{NAME}.avro"
    assert rollup_path(segment) == Path("/x") / f"{NAME}.rollup"
    assert leftover_of(temporary_path(segment).name) == segment.name


@pytest.mark.parametrize("name", [f"{NAME}.avro", f".{NAME}.avro.seal.avro", f"{NAME}.rollup.new", "", "."])
def test_other_files_are_no_leftovers(name):
    assert leftover_of(name) == ""


def test_names_of_rollups():
    assert is_rollup_name("a.b", f"{NAME}.rollup")
    for channel, name in (("a", f"{NAME}.rollup"), ("a.b", f"{NAME}.idx"), ("a.b", "a.b_x.rollup")):
        assert not is_rollup_name(channel, name)
