import json
from pathlib import Path

import pytest

from speeddata.errors import SchemaError
from speeddata.schema_files import find_schema, read_schema

SCHEMA = {"type": "record", "name": "data", "fields": [{"name": "time", "type": "long"}]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "settings"
    (folder / "agents").mkdir(parents=True)
    (folder / "agents" / "x.avsc").write_text(json.dumps(SCHEMA))
    (folder / "config").mkdir()
    (folder / "config" / "own.avsc").write_text(json.dumps(SCHEMA))
    (tmp_path / "outside.avsc").write_text(json.dumps(SCHEMA))
    return folder


@pytest.mark.parametrize(
    "path",
    [
        "agents/x.avsc",
        "config/agents/x.avsc",
        "./agents/x.avsc",
        "agents/../agents/x.avsc",
        "config/own.avsc",
    ],
)
def test_paths_are_below_the_folder(folder: Path, path: str) -> None:
    assert read_schema(folder, path).name == "data"


def test_absolute_paths_inside_and_links_inside_are_followed(folder: Path) -> None:
    (folder / "link.avsc").symlink_to(folder / "agents" / "x.avsc")
    assert find_schema(folder, str(folder / "agents" / "x.avsc")) == folder / "agents" / "x.avsc"
    assert find_schema(folder, "link.avsc") == folder / "agents" / "x.avsc"


def test_a_folder_that_is_a_link_itself_is_a_folder(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "linked").symlink_to(folder)
    assert read_schema(tmp_path / "linked", "agents/x.avsc").name == "data"


@pytest.mark.parametrize(
    "path",
    [
        "",
        "x.avsc",
        "agents",
        ".",
        "..",
        "../outside.avsc",
        "agents/../../outside.avsc",
        "/etc/hostname",
        "a\0b",
        "x" * 9000,
        "~/x",
    ],
)
def test_nothing_else_exists(folder: Path, path: str) -> None:
    with pytest.raises(FileNotFoundError):
        find_schema(folder, path)


@pytest.mark.parametrize("target", ["../../outside.avsc", "loop.avsc", "/dev/null"])
def test_links_that_lead_outside_or_nowhere_do_not_exist(folder: Path, target: str) -> None:
    (folder / "agents" / "loop.avsc").symlink_to(target)
    with pytest.raises(FileNotFoundError):
        find_schema(folder, "agents/loop.avsc")


@pytest.mark.parametrize("data", [b"{", b"", b"\xff\xfe{"])
def test_a_file_that_is_not_json_says_so(folder: Path, data: bytes) -> None:
    (folder / "bad.avsc").write_bytes(data)
    with pytest.raises(json.JSONDecodeError):
        read_schema(folder, "bad.avsc")


@pytest.mark.parametrize("data", [b"[]", b'{"type": "record", "name": "r", "fields": []}', b" " * 70000])
def test_a_file_that_is_no_schema_says_so(folder: Path, data: bytes) -> None:
    (folder / "bad.avsc").write_bytes(data)
    with pytest.raises(SchemaError):
        read_schema(folder, "bad.avsc")


def test_an_inline_schema_needs_no_file(folder: Path) -> None:
    schema = read_schema(folder, SCHEMA, "ms")
    assert (schema.name, schema.time_unit) == ("data", "ms")


@pytest.mark.parametrize("value", ["[" * 30000 + "]" * 30000, "9" * 5000, "1e999", "NaN"])
def test_what_json_cannot_mean_is_an_error_of_the_schema(folder: Path, value: str) -> None:
    text = json.dumps(SCHEMA | {"x": "VALUE"}).replace('"VALUE"', value)
    (folder / "odd.avsc").write_text(text)
    with pytest.raises((json.JSONDecodeError, SchemaError)):
        read_schema(folder, "odd.avsc")


def test_limits_that_cannot_be_used_are_refused(folder: Path) -> None:
    source = {
        **SCHEMA,
        "fields": [*SCHEMA["fields"], {"name": "x", "type": "int", "speeddata": {"limits": 5}}],
    }
    (folder / "limits.avsc").write_text(json.dumps(source))
    for given in (source, "limits.avsc"):
        with pytest.raises(SchemaError, match="limits must be an object"):
            read_schema(folder, given)
