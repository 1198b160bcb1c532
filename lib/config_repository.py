"""The settings that a repository has for a machine: its files, with those of hosts/NAME over them.

A repository is a config folder, in git or not: global.yaml, relay.yaml, stripchart.yaml, pivot.yaml, schemas (*.avsc, in
any folder), and hosts/NAME/ with the same for one machine.
"""

import os
import re
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from speeddata.config_overlay import merge, written
from speeddata.errors import ConfigError, SpeedDataError
from speeddata.settings_layers import LOCAL, read_file
from speeddata.settings_table import FILES
from speeddata.settings_yaml import Document, read_yaml

__all__ = ["HOSTS", "Source", "commit_of", "host_name", "pull", "read_repository"]

HOSTS = "hosts"
HOST_FOLDER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", re.ASCII)
SCHEMA_END = ".avsc"
OUTSIDE = "{}: leads out of the repository, wanted a file in it"
GIT_S = 300.0  # longest time that git may take


@dataclass
class Source:
    """Files for a machine by their path below the config folder, and the documents that settings are read from."""

    files: dict[str, bytes] = field(default_factory=dict)
    documents: dict[str, Document] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    overlaid: bool = False


def host_name() -> str:
    """The short name of this machine."""
    return socket.gethostname().partition(".")[0]


def read_repository(repository: Path, host: str, *, named: bool = False) -> Source:
    """Read what is for a host; a host that was `named` must have a folder. ConfigError names all that is wrong."""
    problems: list[str] = []
    if not repository.is_dir():
        raise ConfigError([f"{repository}: is no folder, wanted the repository of the settings"])
    over = repository / HOSTS / host
    if not HOST_FOLDER.fullmatch(host):
        raise ConfigError([f"host is {host!r}, wanted the name of a machine"])
    source = Source(overlaid=over.is_dir())
    if named and not source.overlaid:
        known = sorted(path.name for path in (repository / HOSTS).glob("*") if path.is_dir())
        wanted = f"one of {', '.join(known)}" if known else f"one that has a folder in {repository / HOSTS}"
        raise ConfigError([f"host is {host!r}, wanted {wanted}"])
    for name in FILES:
        problems += _add_file(source, repository, over, name)
    for folder in (repository, over) if source.overlaid else (repository,):
        for path in _schemas(folder):
            if _is_within(path, repository):
                source.files[path.relative_to(folder).as_posix()] = path.read_bytes()
            else:
                problems.append(OUTSIDE.format(path))
        source.warnings += _unread(folder)
    if not source.files and not problems:
        wanted = ", ".join(f"{name}.yaml" for name in FILES)
        problems.append(f"{repository}: holds no settings, wanted one of {wanted} or a schema")
    if problems:
        raise ConfigError(problems)
    return source


def _add_file(source: Source, repository: Path, over: Path, name: str) -> list[str]:
    """Add one of the YAML files: as it is, or merged where the host has one too. Gives what is wrong with them."""
    paths = [path for folder in (repository, over) if (path := folder / f"{name}.yaml").exists()]
    if outside := [OUTSIDE.format(path) for path in paths if not _is_within(path, repository)]:
        return outside
    documents = [read_yaml(path) for path in paths]
    problems = [
        problem for document in documents for problem in read_file(name, document, complete=False).problems
    ]
    if problems or not paths:
        return problems
    if len(paths) == 1:
        source.documents[name] = documents[0]
        source.files[f"{name}.yaml"] = paths[0].read_bytes()
        return []
    merged = merge(name, *documents)
    source.documents[name] = merged
    told = " and ".join(path.relative_to(repository).as_posix() for path in paths)
    head = f"Made by speeddata config deploy from {told}: edit those, or local.yaml."
    source.files[f"{name}.yaml"] = written(merged, head)
    return []


def _schemas(folder: Path) -> Iterator[Path]:
    """The schemas of a config folder, without those of hosts and of hidden folders."""
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        if Path(root) == folder and HOSTS in folders:
            folders.remove(HOSTS)
        yield from (
            Path(root, name) for name in sorted(names) if name.endswith(SCHEMA_END) and name[0] != "."
        )


def _is_within(path: Path, repository: Path) -> bool:
    """Whether a name is that of a file in the repository, also when it is a link."""
    return path.resolve().is_relative_to(repository.resolve()) and path.is_file()


def _unread(folder: Path) -> list[str]:
    """Warnings of YAML files that nothing reads, and of what is no repository's to say."""
    known = {f"{name}.yaml" for name in FILES}
    said = []
    for path in sorted(folder.glob("[!.]*.y*ml")):
        if path.name == f"{LOCAL}.yaml":
            said.append(f"{path}: is not deployed, since {path.name} is each machine's own")
        elif path.name not in known:
            said.append(f"{path}: is not deployed, wanted {', '.join(sorted(known))}")
    return said


def pull(repository: Path) -> str:
    """Bring a checkout up to date; SpeedDataError if git cannot, or would have to merge."""
    return _git(repository, "pull", "--ff-only")


def commit_of(repository: Path) -> str | None:
    """The commit that is checked out, with a + if files differ from it; None where there is no git."""
    try:
        commit = _git(repository, "rev-parse", "--short=12", "HEAD")
        return f"{commit}+" if _git(repository, "status", "--porcelain", "--", ".") else commit
    except SpeedDataError:
        return None


def _git(repository: Path, *arguments: str) -> str:
    """What git says. It asks nobody for a password, who may not be there."""
    argv = ["git", "-C", str(repository), *arguments]
    environment = os.environ | {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
            env=environment, timeout=GIT_S, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise SpeedDataError(f"{' '.join(argv)}: has not ended within {GIT_S:.0f} s") from None
    except OSError as error:
        raise SpeedDataError(f"git: {error.strerror or error}") from None
    if done.returncode:
        words = (done.stderr or done.stdout).strip().splitlines() or [f"status {done.returncode}"]
        raise SpeedDataError("\n".join(f"{' '.join(argv)}: {line}" for line in words if line))
    return done.stdout.strip()
