"""`speeddata service`: what it writes, what it refuses, and that what the unit runs does run, outlives a kill, and ends."""

import json
import shlex
import signal
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from line import NUMBERED, wait_until
from ports import free_port
from system import System, alive

from speeddata import service_command
from speeddata.cli import commands

UNIT = "etc/systemd/system/speeddata.service"
FILES = [UNIT, "etc/sysctl.d/90-speeddata.conf", "etc/sysusers.d/speeddata.conf"]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Somebody's home, and a folder to start in."""
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "SPEEDDATA_CONFIG_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


def service(*arguments: object) -> Result:
    return CliRunner().invoke(commands, ["service", *map(str, arguments)])


def files_below(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_the_files_are_written_and_the_next_commands_told(tmp_path: Path) -> None:
    done = service("install", "--prefix", tmp_path)
    assert (done.exit_code, done.stderr) == (0, "")
    assert files_below(tmp_path) == sorted(FILES)
    assert done.stdout.splitlines() == [
        *(f"{tmp_path}/{name}: written" for name in FILES),
        "next:",
        "  systemd-sysusers /etc/sysusers.d/speeddata.conf",
        "  sysctl -p /etc/sysctl.d/90-speeddata.conf",
        "  systemctl daemon-reload",
        "  systemctl enable --now speeddata.service",
    ]
    assert (tmp_path / UNIT).stat().st_mode & 0o777 == 0o644
    again = service("install", "--prefix", tmp_path, "--json")
    assert {file["done"] for file in json.loads(again.stdout)["files"]} == {"unchanged"}


def test_what_differs_is_shown_and_replaced_by_force_alone(tmp_path: Path) -> None:
    service("install", "--prefix", tmp_path)
    before = (tmp_path / UNIT).read_text()
    done = service("install", "--prefix", tmp_path, "--api-port", 9090)
    assert done.exit_code == 1
    assert "-ExecStart=" in done.stdout
    assert "+ExecStart=" in done.stdout
    assert done.stderr == (
        f"speeddata: {tmp_path}/{UNIT}: differs from what would be written, nothing was changed; --force replaces\n"
    )
    assert (tmp_path / UNIT).read_text() == before
    assert service("install", "--prefix", tmp_path, "--api-port", 9090, "--force").exit_code == 0
    assert "--api-port 9090" in (tmp_path / UNIT).read_text()


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    done = service("install", "--prefix", tmp_path, "--dry-run")
    assert done.stdout.startswith(f"{tmp_path}/{UNIT}: to be written\n")
    assert files_below(tmp_path) == []


def test_options_of_run_come_into_the_unit_with_absolute_paths(tmp_path: Path) -> None:
    (tmp_path / "my settings").mkdir()
    done = service("install", "--prefix", "root", "--data", "my data", "--config", "my settings", "--set", "relay.block_age_s=0.5")  # fmt: skip
    assert done.exit_code == 0, done.stderr
    line = next(
        one for one in (tmp_path / "root" / UNIT).read_text().splitlines() if one.startswith("ExecStart")
    )
    options = ["--config", str(tmp_path / "my settings"), "--data", str(tmp_path / "my data"), "--set", "relay.block_age_s=0.5"]  # fmt: skip
    assert shlex.split(line.partition("=")[2])[1:] == ["-P", "-m", "speeddata", "run", *options]
    assert (tmp_path / "root" / "etc" / "tmpfiles.d" / "speeddata.conf").exists()


def test_the_kernels_limits_follow_the_settings_and_are_not_lowered(tmp_path: Path) -> None:
    service("install", "--prefix", tmp_path, "--set", "relay.receive_buffer_bytes=134217728")
    assert "net.core.rmem_max = 134217728\n" in (tmp_path / FILES[1]).read_text()
    service("install", "--prefix", tmp_path, "--set", "relay.receive_buffer_bytes=65536", "--force")
    now = int(Path("/proc/sys/net/core/rmem_max").read_text())
    assert f"net.core.rmem_max = {max(now, 65536)}\n" in (tmp_path / FILES[1]).read_text()


def test_a_users_service_is_below_the_home_and_the_rest_is_told(home: Path) -> None:
    done = service("install", "--user")
    assert (done.exit_code, done.stderr) == (0, "")
    assert files_below(home) == [".config/systemd/user/speeddata.service"]
    text = (home / ".config/systemd/user/speeddata.service").read_text()
    assert f"--data {home}/.local/share/speeddata" in text
    told = done.stdout.splitlines()
    assert "  systemctl --user enable --now speeddata.service" in told
    assert told[-1].startswith("  sudo sh -c 'echo net.core.rmem_max=")
    assert service("uninstall", "--user", "--prefix", "/").exit_code == 0
    assert files_below(home) == []


def test_show_prints_what_would_be_written_and_how_it_is(tmp_path: Path) -> None:
    assert service("show", "--prefix", tmp_path).stdout.startswith(
        f"# {tmp_path}/{UNIT}: not installed, this would be written\n# Written by"
    )
    service("install", "--prefix", tmp_path)
    (tmp_path / FILES[1]).write_text("net.core.rmem_max=1\n")
    shown = json.loads(service("show", "--prefix", tmp_path, "--json").stdout)["files"]
    assert [file["state"] for file in shown] == ["same", "differs", "same"]
    assert shown[0]["text"] == (tmp_path / UNIT).read_text()


def test_uninstall_deletes_what_install_has_written_and_nothing_else(tmp_path: Path) -> None:
    assert service("uninstall", "--prefix", tmp_path).stdout == "nothing is installed\n"
    service("install", "--prefix", tmp_path, "--data", "/srv/data")
    wants = tmp_path / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir()
    (wants / "speeddata.service").symlink_to("../speeddata.service")
    done = service("uninstall", "--prefix", tmp_path)
    assert (done.exit_code, done.stdout) == (1, "")
    assert "systemctl disable --now speeddata.service ends it" in done.stderr
    (wants / "speeddata.service").unlink()
    sysctl = tmp_path / FILES[1]
    sysctl.write_text("net.core.rmem_max=1\n")
    assert f"{sysctl}: not written by" in service("uninstall", "--prefix", tmp_path).stderr
    assert (tmp_path / UNIT).exists()
    done = service("uninstall", "--prefix", tmp_path, "--force")
    assert (done.exit_code, files_below(tmp_path)) == (0, [])
    assert done.stdout.splitlines()[-1] == "  systemctl daemon-reload"


def test_wrong_settings_are_said_now_and_not_in_a_log_later(tmp_path: Path) -> None:
    done = service("install", "--prefix", tmp_path, "--set", "relay.factr=1", "--api-port", 1)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("speeddata: --set relay.factr=1: unknown key")
    done = service("install", "--prefix", tmp_path, "--data", "a\nb")
    assert (done.exit_code, done.stderr) == (2, f"speeddata: {str(tmp_path / 'a') + chr(10) + 'b'!r}: wanted a path that can be printed, for systemd's files\n")  # fmt: skip
    assert files_below(tmp_path) == []


@pytest.mark.parametrize("command", ["install", "uninstall"])
def test_the_systems_service_is_roots_affair(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_command.os, "geteuid", lambda: 1000)
    done = service(command)
    assert (done.exit_code, done.stdout) == (1, "")
    assert (
        done.stderr
        == "speeddata: the system's service is installed by root: sudo; --user is for one of your own\n"
    )
    assert "--now is for this machine" in service(command, "--prefix", "x", "--now").stderr


def test_what_the_unit_runs_outlives_a_kill_and_is_ended_by_its_stop(tmp_path: Path) -> None:
    system = System(tmp_path / "data", "--only=relay")
    options = ("--data", system.data, "--api-port", system.api_port, "--only", "relay")
    assert service("install", "--prefix", tmp_path / "root", *options).exit_code == 0
    unit = (tmp_path / "root" / UNIT).read_text().splitlines()
    lines = {name: shlex.split(line) for name, _, line in (one.partition("=") for one in unit)}

    def start() -> None:
        with system.output.open("ab") as output:
            system.process = subprocess.Popen(lines["ExecStart"], stdout=output, stderr=output)
        wait_until(system.answers, "API", 30)

    try:
        start()
        relay = system.register("x", free_port(), NUMBERED)["pid"]
        keeper = system.get("/status")["keeper"]["pid"]
        assert system.end(signal.SIGKILL) == -signal.SIGKILL
        start()
        assert (system.get("/channels/x")["pid"], system.get("/status")["keeper"]["pid"]) == (relay, keeper)
        stopped = subprocess.run(lines["ExecStop"], capture_output=True, timeout=60, check=False)
        assert stopped.returncode == 0, stopped.stderr
        assert system.process is not None
        assert system.process.wait(30) == 0
        assert not any(map(alive, (relay, keeper)))
    finally:
        system.stop()
