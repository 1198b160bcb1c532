import os
from pathlib import Path

import pytest
from system import free_tcp_ports, speeddata

import speeddata as package
from speeddata import cli

PAGE = Path(__file__).parents[2] / "docs" / "command-line.md"


def test_the_version_is_the_packages() -> None:
    done = speeddata("--version")
    assert done.returncode == 0
    assert done.stdout == f"speeddata, version {package.__version__}\n"


@pytest.mark.parametrize("command", ["run", "demo", "stop"])
def test_help_names_every_exit_status(command: str) -> None:
    done = speeddata(command, "--help")
    assert done.returncode == 0
    for words in ("0 done", "1 failed", "2 wrong usage or settings", "3 cannot start"):
        assert words in " ".join(done.stdout.split())


def test_help_of_run_names_its_options() -> None:
    said = speeddata("run", "--help").stdout
    options = (
        "config",
        "data",
        "api-port",
        "websocket-port",
        "pivot-port",
        "host",
        "listen",
        "only",
        "set",
        "insecure",
    )
    assert all(f"--{option}" in said for option in options)
    assert "relay.decimation.factor=10" in said
    assert all(f"`--{option}" in PAGE.read_text() for option in options)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "--api-port", "many"), "Invalid value for '--api-port'"),
        (("run", "--api-port", "65536"), "Invalid value for '--api-port'"),
        (("run", "--only", "nosuch"), "Invalid value for '--only'"),
        (("nosuch",), "No such command 'nosuch'"),
        (("run", "extra"), "unexpected extra argument"),
    ],
)
def test_wrong_usage_is_status_2(arguments: tuple[str, ...], said: str) -> None:
    done = speeddata(*arguments)
    assert done.returncode == 2
    assert said in done.stderr


def test_all_wrong_settings_are_said_and_nothing_is_started(tmp_path: Path) -> None:
    (tmp_path / "relay.yaml").write_text("decimation: {factr: 5}\nlisten: nowhere\n")
    data = tmp_path / "data"
    done = speeddata(
        "run", f"--config={tmp_path}", f"--data={data}", "--set", "pivot.api.port=x", "--set", "nonsense"
    )
    assert done.returncode == 2
    assert "wanted FILE.PATH=VALUE" in done.stderr
    done = speeddata(
        "run", f"--config={tmp_path}", f"--data={data}", "--set", "pivot.api.port=x", "--host=nowhere"
    )
    assert done.returncode == 2
    lines = done.stderr.splitlines()
    assert all(line.startswith("speeddata: ") for line in lines)
    assert (
        f"speeddata: {tmp_path}/relay.yaml:1: unknown key decimation.factr (value 5), wanted a known one; did you mean decimation.factor?"
        in lines
    )
    assert (
        f"speeddata: {tmp_path}/relay.yaml:2: listen is 'nowhere', wanted an IPv4 address of this machine, such as 127.0.0.1"
        in lines
    )
    assert "speeddata: --set pivot.api.port=x: api.port is 'x', wanted an integer from 1 to 65535" in lines
    assert "speeddata: --host: host is 'nowhere', wanted an IP address such as 127.0.0.1 or 0.0.0.0" in lines
    assert not data.exists()


@pytest.mark.parametrize(
    ("option", "address"),
    [
        ("--host=0.0.0.0", "relay.host 0.0.0.0"),
        ("--listen=0.0.0.0", "relay.listen 0.0.0.0"),
        ("--set=pivot.host=::", "pivot.host ::"),
    ],
)
def test_an_address_beyond_this_machine_needs_insecure(tmp_path: Path, option: str, address: str) -> None:
    done = speeddata("run", f"--data={tmp_path / 'data'}", option)
    assert done.returncode == 2
    assert address in done.stderr
    assert "--insecure allows it" in done.stderr
    assert not (tmp_path / "data").exists()


def test_insecure_warns_and_goes_on(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file, so that nothing starts")
    port = free_tcp_ports(1)[0]
    done = speeddata(
        "run", f"--data={tmp_path / 'data'}", f"--api-port={port}", "--listen=0.0.0.0", "--insecure"
    )
    assert done.returncode == 3
    assert (
        "WARNING insecure: anybody who reaches relay.listen 0.0.0.0 can read and change everything"
        in done.stderr
    )


def test_settings_may_come_from_the_environment(tmp_path: Path) -> None:
    (tmp_path / "pivot.yaml").write_text("nonsense: 1\n")
    environment = os.environ | {"SPEEDDATA_CONFIG_DIR": str(tmp_path)}
    done = speeddata("run", f"--data={tmp_path / 'data'}", env=environment)
    assert done.returncode == 2
    assert "pivot.yaml:1: unknown key nonsense" in done.stderr


def test_a_command_becomes_the_service_it_names(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda _path, argv: called.append(argv[1:]))
    for arguments in (["run", "--only=relay", "--data=/x"], ["demo", "--insecure"], ["stop"]):
        with pytest.raises(SystemExit) as ended:
            cli.main(arguments)
        assert ended.value.code == 0
    assert called == [
        ["-P", "-m", "speeddata.relay.orchestrator", "--data", "/x", "--only", "relay"],
        ["-P", "-m", "speeddata.relay.orchestrator", "--demo", "--insecure"],
        ["-P", "-m", "speeddata.relay.stop", "--data", "data"],
    ]
