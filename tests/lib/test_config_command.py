import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from system import speeddata

from speeddata.config_command import config
from speeddata.settings_table import TABLE

SCHEMA = '{"type": "record", "name": "data", "fields": [{"name": "time", "type": "long"}]}'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    text = f"channels:\n- {{name: x, port: 1, schema: {SCHEMA}}}\ndecimation:\n  factor: 10\nmulticast: {{ttl: 5}}\n"
    (tmp_path / "relay.yaml").write_text(text)
    (tmp_path / "local.yaml").write_text("pivot: {api: {port: 9000}}\n")
    return tmp_path


def run(*arguments: object, **environment: str) -> Result:
    return CliRunner(env=environment).invoke(config, [str(one) for one in arguments])


def run_json(*arguments: object, status: int = 0, **environment: str) -> Any:
    done = run(*arguments, "--json", **environment)
    assert done.exit_code == status, done.output
    return json.loads(done.stdout)


def test_show_tells_each_setting_with_its_value_and_origin(folder: Path) -> None:
    done = run("show", "--config", folder, "--set", "relay.gro=true", SPEEDDATA_PIVOT__SQL__RUNNING="3")
    assert done.exit_code == 0
    shown = {line.split()[0]: line.split(maxsplit=2)[1:] for line in done.stdout.splitlines()}
    assert {f"{row.file}.{row.key}" for row in TABLE} - set(shown) == {"relay.channels"}
    assert shown["relay.decimation.factor"] == ["10", f"{folder}/relay.yaml:4"]
    assert shown["relay.decimation.rate_hz"][1] == f"replaced by decimation.factor ({folder}/relay.yaml:4)"
    assert shown["relay.gro"] == ["true", "--set relay.gro=true"]
    assert shown["pivot.sql.running"] == ["3", "SPEEDDATA_PIVOT__SQL__RUNNING"]
    assert shown["pivot.api.port"] == ["9000", f"{folder}/local.yaml:1"]
    assert shown["global.host"] == ["127.0.0.1", "default"]
    assert shown["relay.channels[x].port"] == ["1", f"{folder}/relay.yaml:2"]


def test_show_as_json_and_only_what_is_changed(folder: Path) -> None:
    told = run_json("show", "pivot", "--changed", "--config", folder)["settings"]
    assert told == [
        {"service": "pivot", "key": "api.port", "value": 9000, "origin": f"{folder}/local.yaml:1", "changed": True}
    ]  # fmt: skip
    assert all(one["origin"] == "default" for one in run_json("show")["settings"])
    done = run("show", "--changed")
    assert (done.stdout, done.stderr) == ("", "every setting is the default\n")
    done = run("show", "stripchart", "--no-origin", "--changed", "--set", "stripchart.websocket.port=9")
    assert done.stdout == "stripchart.websocket.port  9\n"


def test_the_folder_may_come_from_the_environment(folder: Path) -> None:
    told = run_json("show", "pivot", "--changed", SPEEDDATA_CONFIG_DIR=str(folder))["settings"]
    assert [one["value"] for one in told] == [9000]


def test_check_tells_what_it_read_and_warns(folder: Path) -> None:
    done = run("check", "--config", folder, SPEEDDATA_RELAY__GRO="true", SPEEDDATA_RELAY_LISTEN="127.0.0.1")
    assert done.exit_code == 0
    assert done.stdout == f"in order: {folder}/relay.yaml, {folder}/local.yaml, SPEEDDATA_RELAY__GRO\n"
    assert done.stderr.splitlines() == [
        f"speeddata: warning: {folder}/relay.yaml:5: multicast.ttl is 5: multicast leaves this network segment",
        "speeddata: warning: SPEEDDATA_RELAY_LISTEN: is not read as a setting, wanted SPEEDDATA_RELAY__LISTEN",
    ]
    assert run("check").stdout == "in order: the defaults\n"
    assert run_json("check")["warnings"] == []


def test_check_tells_every_problem_and_every_warning(folder: Path) -> None:
    (folder / "pivot.yaml").write_text("nonsense: 1\n")
    (folder / "relays.yaml").write_text("")
    arguments = ("check", "--config", folder, "--set", "oops", "--set", "relay.gro=5")
    told = run_json(*arguments, status=2, SPEEDDATA_RELAY__GR0="1")
    assert told["in_order"] is False
    wanted = ("--set oops", "--set relay.gro=5", "SPEEDDATA_RELAY__GR0", f"{folder}/pivot.yaml:1")
    assert len(told["problems"]) == len(wanted)
    assert all(any(one.startswith(word) for one in told["problems"]) for word in wanted)
    assert any("relays.yaml: is not read" in one for one in told["warnings"])
    done = run(*arguments, SPEEDDATA_RELAY__GR0="1")
    assert done.exit_code == 2
    assert [one for one in done.stderr.splitlines() if "warning: " not in one] == [
        f"speeddata: {problem}" for problem in told["problems"]
    ]
    assert done.stdout == ""


def test_explain_tells_all_about_a_setting_also_where_others_are_wrong(folder: Path) -> None:
    done = run("explain", "decimation.factor", "--config", folder)
    assert done.exit_code == 0
    for words in (
        "relay.decimation.factor",
        "integer 0 to 1000000000, null",
        f"in force  10 ({folder}/relay.yaml:4)",
        "SPEEDDATA_RELAY__DECIMATION__FACTOR",
        "--set relay.decimation.factor=VALUE",
        "replaces  decimation.rate_hz",
    ):
        assert words in done.stdout
    (folder / "pivot.yaml").write_text("nonsense: 1\n")
    done = run("explain", "api.port", "--config", folder)
    assert (done.exit_code, done.stdout.count("  type ")) == (0, 2)
    assert "speeddata config check" in done.stderr
    told = run_json("explain", "gro", "--config", folder)
    assert told["in_order"] is False
    assert told["settings"][0]["in_force"] == {"relay": {"value": False, "origin": "default"}}


def test_explain_names_the_nearest_key() -> None:
    done = run("explain", "decimation.factr")
    assert done.exit_code == 2
    assert "did you mean decimation.factor?" in done.stderr
    assert "did you mean" in run_json("explain", "relay.gr0", status=2)["problems"][0]


def test_run_goes_by_the_environment_and_the_local_file(folder: Path) -> None:
    """What `config check` refuses, `run` refuses with the same words."""
    (folder / "local.yaml").write_text("\nrelay: {gro: 5}\n")
    environment = os.environ | {"SPEEDDATA_PIVOT__API__PORT": "many"}
    said = [
        speeddata(*command, "--config", str(folder), env=environment)
        for command in (("run", "--data", str(folder / "data")), ("config", "check"))
    ]
    assert [done.returncode for done in said] == [2, 2]
    wanted = {
        f"speeddata: {folder}/local.yaml:2: gro is 5, wanted true or false",
        "speeddata: SPEEDDATA_PIVOT__API__PORT: api.port is 'many', wanted an integer from 1 to 65535",
    }
    assert all(wanted <= set(done.stderr.splitlines()) for done in said)
    assert not (folder / "data").exists()
