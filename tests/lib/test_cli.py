import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from system import SPEEDDATA, speeddata

import speeddata as package
from speeddata import cli
from speeddata.cli_docs import each_command
from speeddata.tokens import TokenFile

PAGE = Path(__file__).parents[2] / "docs" / "command-line.md"


def test_the_version_is_the_packages() -> None:
    done = speeddata("--version")
    assert done.returncode == 0
    assert done.stdout == f"speeddata, version {package.__version__}\n"


@pytest.mark.parametrize("command", ["run", "demo"])
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
    )
    assert all(f"--{option}" in said for option in options)
    assert "relay.decimation.factor=10" in said
    assert all(f"`--{option}" in PAGE.read_text() for option in options)


# What they print is no result: logs, or a script.
WITHOUT_JSON = {"run", "demo", "completion"}


@pytest.mark.parametrize(("name", "command"), [pytest.param(*one, id=one[0]) for one in each_command()])
def test_each_command_has_help_its_exit_statuses_and_json(name: str, command: click.Command) -> None:
    assert command.help
    assert (command.epilog or "").startswith("Exit status: 0 "), name
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.help, f"{name} {option.opts[0]}"
    options = {word for option in command.params for word in option.opts}
    assert ("--json" in options) == (name not in WITHOUT_JSON)


@pytest.mark.parametrize(
    "code",
    [
        "from speeddata.cli import commands; commands(['--help'], standalone_mode=False)",
        "import speeddata.relay.stop",
    ],
    ids=["help", "stop"],
)
def test_what_is_to_be_quick_imports_little(code: str) -> None:
    heavy = "{'rich', 'requests', 'numpy', 'pyarrow'}"
    told = f"import sys; {code}; print('heavy:', *sorted({heavy} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-P", "-c", told], capture_output=True, text=True, timeout=30)
    assert done.stdout.splitlines()[-1:] == ["heavy:"], done


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
        ("--set=pivot.host=::", "pivot.host ::"),
    ],
)
def test_an_address_beyond_this_machine_needs_a_token(tmp_path: Path, option: str, address: str) -> None:
    data = tmp_path / "data"
    done = speeddata("run", f"--data={data}", option)
    assert done.returncode == 2
    assert address in done.stderr
    assert "others can reach this" in done.stderr
    assert f"speeddata token create NAME --role admin --data {data}" in done.stderr
    assert not data.exists()


def test_settings_may_come_from_the_environment(tmp_path: Path) -> None:
    (tmp_path / "pivot.yaml").write_text("nonsense: 1\n")
    environment = os.environ | {"SPEEDDATA_CONFIG_DIR": str(tmp_path)}
    done = speeddata("run", f"--data={tmp_path / 'data'}", env=environment)
    assert done.returncode == 2
    assert "pivot.yaml:1: unknown key nonsense" in done.stderr


def test_a_command_becomes_the_service_it_names(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda _path, argv: called.append(argv[1:]))
    for arguments in (["run", "--only=relay", "--data=/x"], ["demo", "--host=::1"], ["stop"]):
        with pytest.raises(SystemExit) as ended:
            cli.main(arguments)
        assert ended.value.code == 0
    assert called == [
        ["-P", "-m", "speeddata.relay.orchestrator", "--data", "/x", "--only", "relay"],
        ["-P", "-m", "speeddata.relay.orchestrator", "--demo", "--host", "::1"],
        ["-P", "-m", "speeddata.relay.stop", "--data", "data"],
    ]


@pytest.mark.parametrize(
    "command", [["--help"], ["completion", "bash"], ["token", "list"], ["config", "show"]], ids=" ".join
)
def test_output_that_cannot_be_written_is_told_in_words(tmp_path: Path, command: list[str]) -> None:
    TokenFile(tmp_path / "tokens.json").add("ann", "read")
    if command[0] == "token":
        command = [*command, "--data", str(tmp_path)]
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*SPEEDDATA, *command], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60
        )
    assert (done.returncode, done.stderr) == (1, "speeddata: No space left on device\n")


def test_no_file_stands_for_an_output_that_was_closed() -> None:
    look = "import os; from speeddata.cli import fill_standard; fill_standard(); print([os.readlink(f'/proc/self/fd/{n}') for n in range(2)], file=__import__('sys').stderr)"
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" <&- >&-', "sh", sys.executable, "-c", look],
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
    )
    assert done.stderr == "['/dev/null', '/dev/null']\n"


def test_a_service_runs_where_output_was_closed() -> None:
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" >&-', "sh", *SPEEDDATA, "doctor", "--help"],
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
