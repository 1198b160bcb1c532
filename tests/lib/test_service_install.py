"""Whether a service could read what it needs, whether it is used, and what comes next."""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from speeddata import service_install
from speeddata.errors import ConfigError
from speeddata.run_options import RunOptions
from speeddata.service_install import hindrances, is_used, next_commands, place_of, plan_of, read_by, run
from speeddata.service_unit import Plan, service_files


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A program that everybody may read; all else that is read is left out."""
    monkeypatch.setattr(service_install, "read_by", lambda python, config: [python, *filter(None, [config])])
    folder = Path(tempfile.mkdtemp(dir="/var/tmp"))
    folder.chmod(0o755)
    (folder / "python").write_text("")
    (folder / "python").chmod(0o755)
    yield folder / "python"
    shutil.rmtree(folder)


def plan(python: Path = Path("/usr/bin/python3"), data: str = "/srv/data", **changes: bool) -> Plan:
    return Plan(python, (), Path(data), **changes)


def test_what_the_services_user_cannot_read_is_named_with_what_hinders(program: Path) -> None:
    folder = program.parent
    assert hindrances(plan(program), None) == []
    folder.chmod(0o700)
    words = "user speeddata cannot enter or read it, and has to read"
    assert hindrances(plan(program), folder) == [f"{folder}: {words} {program}"]
    folder.chmod(0o711)
    assert hindrances(plan(program), folder) == [f"{folder}: {words} {folder}"]
    program.chmod(0o700)
    assert hindrances(plan(program), None) == [f"{program}: {words} {program}"]
    gone = folder / "settings"
    assert hindrances(plan(folder), gone)[-1] == f"{gone}: not there, and the service has to read it"


def test_the_program_the_packages_and_the_settings_are_read() -> None:
    found = read_by(Path(sys.executable), Path("/etc/speeddata"))
    packages = Path(service_install.__file__)
    assert {Path(sys.executable), Path(sys.base_prefix), packages, Path("/etc/speeddata")} <= set(found)


def test_homes_are_let_in_where_something_is_read_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_install, "read_by", lambda *_: [Path("/opt/speeddata/bin/python")])
    assert not plan_of(RunOptions(), user=False).home
    assert plan_of(RunOptions(data=Path("/home/me/data")), user=False).home
    monkeypatch.setattr(service_install, "read_by", lambda *_: [Path("/root/.venv/bin/python")])
    assert plan_of(RunOptions(), user=False).home


def test_a_program_that_systemd_cannot_run_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", '/opt/"x"/python')
    with pytest.raises(ConfigError, match="systemd runs no program whose path has quotes"):
        plan_of(RunOptions(), user=False)


def test_a_unit_is_used_where_a_target_wants_it(tmp_path: Path) -> None:
    places = [place_of(file, tmp_path) for file in service_files(plan())]
    assert not is_used(places, (), here=False)
    wants = places[0].path.parent / "multi-user.target.wants"
    wants.mkdir(parents=True)
    (wants / "speeddata.service").symlink_to("/nowhere")
    assert is_used(places, (), here=False)


def test_the_next_commands_make_the_user_before_what_belongs_to_it() -> None:
    told = [" ".join(command) for command in next_commands(plan())]
    assert told == [
        "systemd-sysusers /etc/sysusers.d/speeddata.conf",
        "sysctl -p /etc/sysctl.d/90-speeddata.conf",
        "systemd-tmpfiles --create /etc/tmpfiles.d/speeddata.conf",
        "systemctl daemon-reload",
        "systemctl enable --now speeddata.service",
    ]
    assert [command[0] for command in next_commands(plan(user=True))] == [
        "systemctl",
        "systemctl",
        "loginctl",
        "sudo",
    ]


def test_a_command_that_fails_is_said() -> None:
    run(("true",))
    with pytest.raises(OSError, match="`false x` ended with status 1"):
        run(("false", "x"))
