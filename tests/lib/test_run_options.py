from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from speeddata.errors import ConfigError
from speeddata.run_options import RunOptions, exposed, run_options
from speeddata.settings import load_settings

FULL = RunOptions(
    config=Path("/c"),
    data=Path("/d"),
    api_port=1,
    websocket_port=2,
    pivot_port=3,
    host="127.0.0.2",
    listen="127.0.0.3",
    only=("relay", "pivot"),
    sets=("relay.decimation.factor=10", "global.multicast.ttl=1"),
)


@pytest.mark.parametrize("options", [RunOptions(), FULL])
def test_options_come_back_from_their_command_line(options: RunOptions) -> None:
    read: list[RunOptions] = []

    @click.command()
    @run_options
    def command(options: RunOptions) -> None:
        read.append(options)

    result = CliRunner().invoke(
        command, options.argv(), env={"SPEEDDATA_CONFIG_DIR": ""}, catch_exceptions=False
    )
    assert result.exit_code == 0, result.output
    assert read == [options]


def test_options_are_settings() -> None:
    flat = load_settings(None, FULL.overrides()).flat
    assert (flat["relay"]["api.port"], flat["stripchart"]["websocket.port"], flat["pivot"]["api.port"]) == (
        1,
        2,
        3,
    )
    assert flat["relay"]["listen"] == "127.0.0.3"
    assert flat["relay"]["decimation.factor"] == 10
    assert {flat[service]["multicast.ttl"] for service in flat} == {1}


def test_the_host_is_that_of_the_services_that_run_here() -> None:
    flat = load_settings(None, FULL.overrides()).flat
    hosts = [flat[service]["host"] for service in ("relay", "stripchart", "pivot")]
    assert hosts == ["127.0.0.2", "127.0.0.1", "127.0.0.2"]


def test_all_bad_sets_are_named_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        RunOptions(sets=("x", "y")).overrides()
    assert len(caught.value.problems) == 2


def test_defaults_are_all_services_and_a_folder_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert RunOptions().services == ("relay", "stripchart", "pivot")
    assert RunOptions().data_folder == tmp_path / "data"
    assert FULL.services == ("relay", "pivot")


def test_addresses_beyond_this_machine_are_found() -> None:
    options = RunOptions(host="0.0.0.0", listen="192.0.2.1", only=("relay", "stripchart"))
    settings = load_settings(None, options.overrides())
    assert exposed(settings, options.services) == [
        "relay.host 0.0.0.0",
        "stripchart.host 0.0.0.0",
    ]
    assert exposed(settings, ["stripchart"]) == ["stripchart.host 0.0.0.0"]
    assert exposed(load_settings(), ["relay", "stripchart", "pivot"]) == []
