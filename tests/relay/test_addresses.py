import socket
from pathlib import Path
from typing import Any

import pytest

from speeddata.relay.addresses import announce, api_names, archive_folder, own_ports, service_addresses
from speeddata.relay.data_folder import DataFolder
from speeddata.relay.interfaces import LOOPBACK, UP, Interface
from speeddata.run_options import RunOptions
from speeddata.settings import Override, Settings, load_settings

PATH = "global.storage.avro_path=/elsewhere"


def settings(*sets: str) -> Settings:
    return load_settings(None, [Override.parse(text) for text in sets])


@pytest.mark.parametrize(
    ("options", "sets", "archive"),
    [
        ({}, (), "data/archive"),
        ({}, (PATH,), "/elsewhere"),
        ({"data": Path("/d")}, (PATH,), "/d/archive"),
        ({"data": Path("/d")}, (), "/d/archive"),
        ({"only": ("pivot",)}, ("relay.storage.avro_path=/x", "pivot.storage.avro_path=/y"), "/y"),
        ({}, ("relay.storage.avro_path=/x", "pivot.storage.avro_path=/y"), "/x"),
        ({}, ("global.storage.avro_path=./data",), "data"),
    ],
)
def test_the_archive_is_in_the_data_folder_that_was_named(
    options: dict[str, Any],
    sets: tuple[str, ...],
    archive: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    given = RunOptions(**options)
    assert archive_folder(given, settings(*sets), DataFolder(given.data_folder)) == tmp_path / archive


def test_ports_and_addresses_are_those_of_the_settings() -> None:
    changed = settings(
        "relay.api.port=1", "stripchart.websocket.port=2", "pivot.api.port=3", "pivot.host=192.0.2.1"
    )
    assert set(own_ports(changed)) == {1, 2, 3}
    assert service_addresses(changed) == {
        "websocket": {"host": "127.0.0.1", "port": 2},
        "pivot": {"host": "192.0.2.1", "port": 3},
    }


def test_the_machines_name_is_answered_to_where_others_can_reach_it() -> None:
    assert api_names(settings("relay.api.names=[Bench.example.org]")) == ["bench.example.org"]
    assert socket.gethostname().lower() in api_names(settings("relay.host=0.0.0.0"))


def test_what_runs_is_announced(capsys: pytest.CaptureFixture[str]) -> None:
    data = DataFolder(Path("/d"))
    announce(["relay", "stripchart", "pivot"], settings(), data, data.archive)
    said = capsys.readouterr().out
    for address in (
        "http://127.0.0.1:8080/\n",
        "http://127.0.0.1:8080/api/v1\n",
        "ws://127.0.0.1:8081/\n",
        "http://127.0.0.1:8080/history, API http://127.0.0.1:8000/docs\n",
    ):
        assert address in said
    announce(["pivot"], settings(), data, Path("/elsewhere"))
    said = capsys.readouterr().out
    assert "/elsewhere" in said
    assert "history  http://127.0.0.1:8000/docs\n" in said
    assert "8080" not in said


def test_where_others_can_reach_it_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    data = DataFolder(Path("/d"))
    there = [
        Interface("lo", ("127.0.0.1",), UP | LOOPBACK),
        Interface("eth0", ("192.0.2.7", "192.0.2.8"), UP),
        Interface("eth1", ("192.0.2.9",), 0),
    ]
    announce(["relay"], settings("relay.host=0.0.0.0"), data, data.archive, lambda: there)
    said = capsys.readouterr().out
    assert "  page     http://127.0.0.1:8080/\n" in said
    assert "  from other machines: http://192.0.2.7:8080/, http://192.0.2.8:8080/\n" in said
    announce(["relay"], settings("relay.host=0.0.0.0"), data, data.archive, lambda: there[:1])
    announce(["relay"], settings(), data, data.archive, lambda: there)
    assert "other machines" not in capsys.readouterr().out
