"""Putting the files of the service in their places: what is there already, whether it can work at all, what comes next."""

import difflib
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from speeddata.errors import ConfigError
from speeddata.kernel_buffers import DEFAULT_BUFFER, SEND_BUFFER
from speeddata.run_options import RunOptions
from speeddata.service_unit import MARK, USER, Plan, ServiceFile, service_files
from speeddata.settings import load_settings

__all__ = [
    "Command",
    "Place",
    "hindrances",
    "is_used",
    "next_commands",
    "place_of",
    "plan_of",
    "run",
    "unit_folder",
]

Command = tuple[str, ...]

UNIT = "speeddata.service"
HOMES = (Path("/home"), Path("/root"), Path("/run/user"))
KERNEL = Path("/proc/sys/net/core")
READ, ENTER = stat.S_IROTH, stat.S_IXOTH


@dataclass(frozen=True)
class Place:
    """A file of the service, where it is to be, and what is there."""

    file: ServiceFile
    path: Path
    there: str | None

    @property
    def state(self) -> str:
        """absent, same, differs."""
        return "absent" if self.there is None else "same" if self.there == self.file.text else "differs"

    @property
    def ours(self) -> bool:
        """Whether what is there is of our writing."""
        return (self.there or "").startswith(MARK)

    def difference(self) -> list[str]:
        """What would change."""
        former, wanted = (self.there or "").splitlines(), self.file.text.splitlines()
        return list(difflib.unified_diff(former, wanted, str(self.path), "wanted", lineterm=""))

    def write(self) -> None:
        """Write the file, whole or not at all."""
        if self.state == "same":
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        try:
            fresh.write_text(self.file.text, encoding="utf-8")
            fresh.chmod(0o644)
            fresh.replace(self.path)
        finally:
            fresh.unlink(missing_ok=True)


def place_of(file: ServiceFile, prefix: Path | None) -> Place:
    """A file below a root folder, and what is there."""
    path = file.path if prefix is None else prefix.absolute() / file.path.relative_to("/")
    try:
        there = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        there = None
    return Place(file, path, there)


def plan_of(options: RunOptions, user: bool) -> Plan:
    """What is to be run; ConfigError when the settings are wrong, which the service would only say in its log."""
    settings = load_settings(options.config, options.overrides())
    config = options.config and options.config.absolute()
    data = (options.data or (home_data() if user else Path("/var/lib/speeddata"))).absolute()
    for path in filter(None, (data, config)):
        if any(not character.isprintable() for character in str(path)):
            raise ConfigError([f"{str(path)!r}: wanted a path that can be printed, for systemd's files"])
    python = Path(sys.executable).absolute()
    if set(str(python)) & set("\"'\\"):
        raise ConfigError([f"{python}: systemd runs no program whose path has quotes or backslashes"])
    return Plan(
        python=python,
        arguments=replace(options, data=data, config=config).argv(),
        data=data,
        user=user,
        folder=unit_folder(user),
        home=any(folder in path.parents for path in (data, *read_by(python, config)) for folder in HOMES),
        # What the machine has already is not lowered.
        receive_buffer=max(settings.flat["relay"]["receive_buffer_bytes"], kernel("rmem_max")),
        send_buffer=max(SEND_BUFFER, kernel("wmem_max")),
        default_buffer=max(DEFAULT_BUFFER, kernel("rmem_default")),
    )


def home_data() -> Path:
    """The data folder of a user's own service."""
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "speeddata"


def unit_folder(user: bool) -> Path:
    """Where units are that people write."""
    if not user:
        return Path("/etc/systemd/system")
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "systemd" / "user"


def kernel(name: str) -> int:
    """A limit of the kernel for buffers; 0 where it does not tell, as in some containers."""
    try:
        return int((KERNEL / name).read_text())
    except OSError:
        return 0


def read_by(python: Path, config: Path | None) -> list[Path]:
    """What the service reads: the programs, the packages, the settings."""
    package = Path(__file__)
    found = [python, python.resolve(), Path(sys.prefix), Path(sys.base_prefix), package, package.resolve()]
    return found if config is None else [*found, config]


def hindrances(plan: Plan, config: Path | None) -> list[str]:
    """Why the user that the system's service runs as could not read what it needs; one line for each folder or file."""
    found: dict[Path, str] = {}
    for path in read_by(plan.python, config):
        for part in (*reversed(path.parents), path):
            if not part.exists():
                found.setdefault(part, f"{part}: not there, and the service has to read it")
                break
            wanted = READ if not part.is_dir() else ENTER | READ if part == path else ENTER
            if part.stat().st_mode & wanted != wanted:
                found.setdefault(part, f"{part}: user {USER} cannot enter or read it, and has to read {path}")
                break
    return list(found.values())


def is_used(places: Iterable[Place], scope: Sequence[str], *, here: bool) -> bool:
    """Whether the unit is enabled or runs."""
    unit = next((place.path for place in places if place.path.name == UNIT), None)
    if unit is not None and any(os.path.lexists(wants / UNIT) for wants in unit.parent.glob("*.wants")):
        return True
    if not here or shutil.which("systemctl") is None:
        return False
    asked = subprocess.run(
        ("systemctl", *scope, "--quiet", "is-active", UNIT), capture_output=True, check=False
    )
    return asked.returncode == 0


def next_commands(plan: Plan) -> list[Command]:
    """What is to be done after the files are in their places."""
    if plan.user:
        sysctl = "90-speeddata.conf"
        wanted = f"net.core.rmem_max={plan.receive_buffer}"
        return [
            ("systemctl", "--user", "daemon-reload"),
            ("systemctl", "--user", "enable", "--now", UNIT),
            ("loginctl", "enable-linger"),
            (
                "sudo",
                "sh",
                "-c",
                f"echo {wanted} > /etc/sysctl.d/{sysctl} && sysctl -p /etc/sysctl.d/{sysctl}",
            ),
        ]
    commands: list[Command] = []
    for file in service_files(plan):
        folder = file.path.parent.name
        if folder == "sysusers.d":
            commands.insert(0, ("systemd-sysusers", str(file.path)))
        elif folder == "tmpfiles.d":
            commands.append(("systemd-tmpfiles", "--create", str(file.path)))
        elif folder == "sysctl.d":
            commands.append(("sysctl", "-p", str(file.path)))
    return [*commands, ("systemctl", "daemon-reload"), ("systemctl", "enable", "--now", UNIT)]


def run(command: Command) -> None:
    """Run a command, whose output is seen; OSError when it fails."""
    status = subprocess.run(command, check=False).returncode
    if status:
        raise OSError(f"`{' '.join(command)}` ended with status {status}")
