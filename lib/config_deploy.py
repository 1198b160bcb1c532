"""Putting the settings of a repository on this machine: what would change, whether it is in order, and the change itself.

A list of what was put there, with digests, stays beside it, so that nothing else is ever touched. Each file is replaced
whole, and only after all of them are on the disk under other names.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from speeddata.config_repository import Source
from speeddata.durable import sync_folder, take_after
from speeddata.errors import ConfigError, SpeedDataError
from speeddata.folder_lock import alone_in
from speeddata.settings import Settings, examine
from speeddata.settings_diff import ABSENT, Difference, differences, of_all
from speeddata.settings_layers import LOCAL, read_documents
from speeddata.settings_table import FILES
from speeddata.settings_view import spelled

__all__ = ["MANIFEST", "Plan", "carry_out", "make_plan"]

MANIFEST = ".deployed.json"
YAML = frozenset(f"{name}.yaml" for name in FILES)
RIGHTS = 0o644


@dataclass
class Plan:
    """What a deploy changes: `states` tells of each file whether it is new, changed or removed."""

    target: Path
    files: Mapping[str, bytes]
    states: dict[str, str] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)
    in_the_way: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    known: dict[str, list[str]] = field(default_factory=dict)  # digests by name, of what was put there before

    @property
    def written(self) -> list[str]:
        """Files to be written, schemas before what names them."""
        return sorted((name for name, state in self.states.items() if state != "removed"), key=_order)

    @property
    def removed(self) -> list[str]:
        """Files to be removed."""
        return [name for name, state in self.states.items() if state == "removed"]

    def lines(self) -> list[str]:
        """The settings that change, and the files."""
        said = [
            f"  {one.path}  {spelled(one.before)} -> {spelled(one.after)}  ({one.origin})"
            for one in self.differences
        ]
        return said + [f"  {state:8} {name}" for name, state in sorted(self.states.items())]

    def as_json(self) -> dict[str, Any]:
        """The same for programs. What a channel does not say has neither `before` nor `after`."""
        settings = [
            {"setting": one.path}
            | {
                name: value
                for name, value in (("before", one.before), ("after", one.after))
                if value is not ABSENT
            }
            | {"origin": one.origin}
            for one in self.differences
        ]
        files = [{"name": name, "state": state} for name, state in sorted(self.states.items())]
        return {
            "target": str(self.target), "settings": settings, "files": files,
            "problems": self.in_the_way, "warnings": self.warnings,
        }  # fmt: skip


def make_plan(source: Source, repository: Path, target: Path, *, replace: bool = False) -> Plan:
    """What is to be done; ConfigError if the settings that came of it would not be in order.

    What is there and was not put there by a deploy, or was changed since, is in the way unless it is to be replaced.
    """
    plan = Plan(target, source.files, known=_read_manifest(target))
    after, warnings = _checked(source, repository, target)
    before, _ = examine(target, _documents_of(target))
    plan.differences = of_all(differences(before, after))
    plan.warnings = source.warnings + warnings
    for name, content in source.files.items():
        found = _content(target / name)
        if found == content:
            continue
        plan.states[name] = "new" if found is None else "changed"
        if found is not None and not replace:
            plan.in_the_way += _stranger(plan, name, found)
    for name in plan.known:
        found = None if name in source.files else _content(target / name)
        if found is not None:
            plan.states[name] = "removed"
            plan.in_the_way += [] if replace else _stranger(plan, name, found)
    return plan


def carry_out(
    source: Source, repository: Path, plan: Plan, told: Mapping[str, Any], *, replace: bool = False
) -> Plan:
    """Do what is planned; `told` goes into the list of what was put there.

    The plan is made again, and given, when nobody else can be at work: what is there may be another by now.
    """
    target = plan.target
    target.mkdir(parents=True, exist_ok=True)
    with alone_in(target) as alone:
        if not alone:
            raise SpeedDataError(f"{target}: another deploy is at work there")
        plan = make_plan(source, repository, target, replace=replace)
        if plan.in_the_way:
            raise SpeedDataError("\n".join(plan.in_the_way))
        _place(plan, told)
    return plan


def _checked(source: Source, repository: Path, target: Path) -> tuple[Settings, list[str]]:
    """The settings that the files make together with what is this machine's own, by their places in the repository."""
    local = {name: document for name, document in _documents_of(target).items() if name == LOCAL}
    parent = target.parent
    beside = parent if os.access(parent, os.W_OK | os.X_OK) else None
    with TemporaryDirectory(prefix=".speeddata-", dir=beside) as name:
        built = Path(name).resolve()
        for path, content in source.files.items():
            (built / path).parent.mkdir(parents=True, exist_ok=True)
            (built / path).write_bytes(content)
        settings, problems = examine(built, source.documents | local)
        if not problems:
            # What services will read must be what was checked.
            again, problems = examine(built, read_documents(built, FILES) | local)
            assert problems or again.flat == settings.flat, "what was written reads otherwise"
    if problems:
        raise ConfigError([problem.replace(str(built), str(repository)) for problem in problems])
    return settings, [one.replace(str(built), str(repository)) for one in settings.warnings]


def _documents_of(target: Path) -> dict[str, Any]:
    return read_documents(target, (*FILES, LOCAL))


def _place(plan: Plan, told: Mapping[str, Any]) -> None:
    """Write all files under other names, then give them theirs; what is no longer wanted goes last."""
    target = plan.target
    wanted = {name: [_digest(content)] for name, content in plan.files.items()}
    if not plan.states and wanted == plan.known:
        return
    staged: list[tuple[Path, Path]] = []
    try:
        for name in plan.written:
            path = target / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.parent.resolve().is_relative_to(target.resolve()):
                raise SpeedDataError(f"{path}: leads out of {target}")
            staged.append((_stage(path, plan.files[name]), path))
        # Should the machine stop half way, the next deploy knows either content as its own.
        both = {
            name: sorted({*plan.known.get(name, ()), *wanted.get(name, ())})
            for name in {**plan.known, **wanted}
        }
        _write_manifest(target, both, told)
        while staged:
            fresh, path = staged[0]
            fresh.replace(path)
            del staged[0]
    finally:
        for fresh, _ in staged:
            fresh.unlink(missing_ok=True)
    for name in plan.removed:
        (target / name).unlink(missing_ok=True)
    for folder in {(target / name).parent for name in plan.states}:
        sync_folder(folder)
    _write_manifest(target, wanted, told)


def _stage(path: Path, content: bytes) -> Path:
    """Bring a file's new content to the disk under another name, with the rights that the file has."""
    fresh = path.with_name(f".{path.name}.deploy")
    fresh.unlink(missing_ok=True)
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, RIGHTS)
    try:
        with open(fd, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(fd, RIGHTS)
            with suppress(FileNotFoundError):
                take_after(fd, path.stat())
            os.fsync(fd)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise
    return fresh


def _write_manifest(target: Path, digests: Mapping[str, Iterable[str]], told: Mapping[str, Any]) -> None:
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    text = json.dumps({**told, "at": at, "files": dict(sorted(digests.items()))}, indent=2)
    path = target / MANIFEST
    _stage(path, f"{text}\n".encode()).replace(path)
    sync_folder(target)


def _read_manifest(target: Path) -> dict[str, list[str]]:
    """What was put there before, with digests; SpeedDataError if the list cannot be used."""
    path = target / MANIFEST
    try:
        files = json.loads(path.read_bytes())["files"]
        known = {str(name): [str(one) for one in digests] for name, digests in files.items()}
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError, AttributeError):
        known = {"": []}
    if not all(_is_ours(name) for name in known):
        raise SpeedDataError(f"{path}: is no list of what was deployed, wanted it out of the way")
    return known


def _is_ours(name: str) -> bool:
    """Whether a deploy could have written a file of this name."""
    path = PurePosixPath(name)
    hidden = any(part.startswith(".") for part in path.parts)
    return not path.is_absolute() and not hidden and (name in YAML or path.suffix == ".avsc")


def _stranger(plan: Plan, name: str, found: bytes) -> list[str]:
    """What to say of a file that is not as a deploy has put it there."""
    if name not in plan.known:
        return [
            f"{plan.target / name}: was not put there by a deploy, wanted it out of the way, or --replace"
        ]
    if _digest(found) not in plan.known[name]:
        return [
            f"{plan.target / name}: was changed since it was deployed, wanted that in local.yaml, or --replace"
        ]
    return []


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _order(name: str) -> tuple[bool, str]:
    return name in YAML, name
