"""The unit as systemd itself reads it: `systemd-analyze` says what is wrong with it, and how exposed it is."""

import shutil
import subprocess
from pathlib import Path

import pytest

from speeddata.relay.spec import ChannelSpec
from speeddata.service_unit import MARK, Plan, quoted, service_files, unit

EXPOSURE = 2.5  # at most, of 10
with_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is missing: apt-get install systemd"
)


def plan(
    data: str = "/var/lib/speeddata", python: str = shutil.which("true") or "", **changes: object
) -> Plan:
    return Plan(Path(python), ("--data", data), Path(data), **changes)  # type: ignore[arg-type]


def analyze(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", *map(str, arguments)], capture_output=True, text=True, check=False, timeout=30
    )


def written(folder: Path, one: Plan) -> Path:
    path = folder / "speeddata.service"
    path.write_text(unit(one))
    return path


def settings(text: str) -> dict[str, str]:
    """What the unit sets; of what is there twice the last."""
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line and line[0] not in "#[")


@with_systemd
@pytest.mark.parametrize(
    "one",
    [plan(), plan("/srv/data"), plan("/home/me/data", home=True), plan("/var/lib/a b/100%$x", home=True), plan(user=True)],
    ids=["system", "elsewhere", "home", "odd", "user"],
)  # fmt: skip
def test_systemd_finds_nothing_wrong_and_little_exposed(tmp_path: Path, one: Plan) -> None:
    path = written(tmp_path, one)
    verified = analyze("verify", "--man=no", path)
    assert (verified.returncode, verified.stdout + verified.stderr) == (0, "")
    if not one.user:  # whose manager can do less
        exposed = analyze(
            "security", "--offline=true", f"--threshold={EXPOSURE * 10:.0f}", "--no-pager", path
        )
        assert exposed.returncode == 0, exposed.stdout


@with_systemd
def test_systemd_would_say_what_is_wrong(tmp_path: Path) -> None:
    path = written(tmp_path, plan(python="/nowhere/python"))
    assert "/nowhere/python is not executable" in analyze("verify", "--man=no", path).stderr
    path.write_text("\n".join(line for line in unit(plan()).splitlines() if not line.startswith("ProtectS")))
    loose = path.read_text().replace("CapabilityBoundingSet=\n", "").replace("SystemCallFilter", "X-")
    path.write_text(loose)
    assert analyze("security", "--offline=true", f"--threshold={EXPOSURE * 10:.0f}", path).returncode == 1


@with_systemd
def test_systemd_finds_a_program_whose_path_is_odd(tmp_path: Path) -> None:
    program = tmp_path / "a b%n$HOME" / "python"
    program.parent.mkdir()
    shutil.copy(shutil.which("true") or "", program)
    verified = analyze("verify", "--man=no", written(tmp_path, plan(python=str(program))))
    assert (verified.returncode, verified.stderr) == (0, "")


def test_what_outlives_the_orchestrator_is_ended_by_a_stop_alone() -> None:
    told = settings(unit(plan()))
    command = f"{shutil.which('true')} -P -m speeddata"
    assert told["ExecStart"] == f"{command} run --data /var/lib/speeddata"
    assert told["ExecStop"] == f"{command} stop --data /var/lib/speeddata"
    assert told["ExecReload"] == f"{command} restart --data /var/lib/speeddata"
    expected = {
        "Type": "notify", "WatchdogSec": "10", "KillMode": "process", "Restart": "on-failure", "RestartSec": "1",
        "StartLimitIntervalSec": "300", "StartLimitBurst": "10", "OOMPolicy": "continue", "User": "speeddata",
        "StateDirectory": "speeddata", "LimitMEMLOCK": "infinity", "UMask": "0077", "MemoryDenyWriteExecute": "yes",
    }  # fmt: skip
    assert {name: told[name] for name in expected} == expected
    # Each of these would part the next orchestrator from what the former one has left.
    assert not {"PrivateUsers", "DynamicUser", "PrivateNetwork", "ProcSubset", "RootDirectory"} & told.keys()


def test_data_elsewhere_are_made_by_a_drop_in_and_may_be_written() -> None:
    files = {file.path.parent.name: file.text for file in service_files(plan("/srv/my data"))}
    told = settings(files["system"])
    assert told["ReadWritePaths"] == told["RequiresMountsFor"] == '"/srv/my data"'
    assert "StateDirectory" not in told
    assert files["tmpfiles.d"].endswith('\nd "/srv/my data" 0700 speeddata speeddata -\n')
    assert settings(unit(plan("/home/me/data", home=True)))["ProtectHome"] == "read-only"


def test_a_users_unit_has_what_a_users_manager_can_do() -> None:
    (file,) = service_files(plan(user=True, folder=Path("/home/me/.config/systemd/user")))
    told = settings(file.text)
    assert file.path == Path("/home/me/.config/systemd/user/speeddata.service")
    assert told["NoNewPrivileges"] == told["MemoryDenyWriteExecute"] == "yes"
    assert not {"User", "ProtectSystem", "PrivateTmp", "LimitMEMLOCK", "CapabilityBoundingSet"} & told.keys()
    assert told["WantedBy"] == "default.target"


def test_the_kernel_grants_what_relays_ask_for() -> None:
    defaults = ChannelSpec.__dataclass_fields__["receive_buffer_bytes"].default
    assert plan().receive_buffer == defaults
    granting = plan(receive_buffer=123, send_buffer=45, default_buffer=6)
    files = {file.path.parent.name: file.text for file in service_files(granting)}
    told = ["net.core.rmem_max = 123", "net.core.rmem_default = 6", "net.core.wmem_max = 45"]
    assert files["sysctl.d"].splitlines()[1:] == told
    assert all(text.startswith(MARK) for text in files.values())


@pytest.mark.parametrize(
    ("word", "dollar", "text"),
    [
        ("plain", True, "plain"),
        ("", True, '""'),
        ("a b", True, '"a b"'),
        ("50%", True, "50%%"),
        ("$x", True, "$$x"),
        ("$x", False, "$x"),
        ('"', True, '"\\""'),
        ("a\\b", True, '"a\\\\b"'),
        (";", True, '";"'),
    ],
)
def test_words_are_escaped_as_systemd_wants(word: str, dollar: bool, text: str) -> None:
    assert quoted(word, dollar=dollar) == text
