import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speeddata.settings_yaml import read_yaml


def test_values_come_with_the_lines_they_stand_on(tmp_path: Path) -> None:
    path = tmp_path / "relay.yaml"
    path.write_text("# comment\napi:\n  port: 1\nchannels:\n  - name: a\n    port: 2\n  - {name: b}\n")
    document = read_yaml(path)
    assert document.problems == []
    assert document.values == {"api": {"port": 1}, "channels": [{"name": "a", "port": 2}, {"name": "b"}]}
    places = {
        key: document.place(key).rpartition(":")[2]
        for key in ("api.port", "channels[0].port", "channels[1].name")
    }
    assert places == {"api.port": "3", "channels[0].port": "6", "channels[1].name": "7"}
    assert document.place("channels[1].nosuch") == f"{path}:7"
    assert document.place("nosuch") == str(path)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"a: 1\nb: 2\na: 3\n", ":3: a is given twice"),
        (b"a: {b: 1, b: 2}\n", ":1: a.b is given twice"),
        (b"a: [\n", "cannot be read as YAML"),
        (b"a: b: c\n", ":1: cannot be read as YAML"),
        (b"a: !!python/name:os.system\n", "cannot be read as YAML"),
        (b"a: \xff\n", "cannot be read: "),
        (b"a: \x00\n", "cannot be read"),
        (b"- a\n", "holds list, wanted a mapping"),
        (b"a: 1\n---\nb: 2\n", "cannot be read as YAML"),
        (b"[" * 20000, "cannot be read"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(data)
    (problem,) = read_yaml(path).problems
    assert problem.startswith(str(path))
    assert said in problem


@pytest.mark.parametrize("data", ["", "# nothing\n", "---\n", "null\n"])
def test_an_empty_file_is_no_settings(tmp_path: Path, data: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(data)
    document = read_yaml(path)
    assert (document.values, document.problems) == ({}, [])


def test_a_file_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    (problem,) = read_yaml(tmp_path).problems
    assert problem == f"{tmp_path}: cannot be read: Is a directory"


def test_what_has_no_end_is_no_file(tmp_path: Path) -> None:
    pipe, zero = tmp_path / "pipe.yaml", tmp_path / "zero.yaml"
    os.mkfifo(pipe)
    zero.symlink_to("/dev/zero")
    for path in (pipe, zero):
        assert read_yaml(path).problems == [f"{path}: cannot be read: it is no file"]


@given(st.binary(max_size=200))
def test_no_bytes_do_worse_than_have_problems(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(data)
    document = read_yaml(path)
    assert isinstance(document.values, dict)
