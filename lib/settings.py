"""Settings of the services: options, the environment, YAML files, defaults; checked together, merged per service.

Precedence: `--set` > SPEEDDATA_... of the environment > local.yaml > a service's own file > global.yaml > defaults. The
rows of `speeddata.settings_table` say what there is. All problems of all files are raised at once, as one ConfigError.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path
from typing import Any

from speeddata.errors import ConfigError
from speeddata.settings_environment import given, unread
from speeddata.settings_layers import (
    LOCAL,
    Layer,
    Override,
    read_documents,
    read_environment,
    read_file,
    read_local,
    read_override,
)
from speeddata.settings_rules import cross_check, port_clashes, schema_problems, warnings
from speeddata.settings_table import FILES, Setting, rows
from speeddata.settings_values import Problem, check_channel
from speeddata.settings_yaml import Document

__all__ = [
    "SYSTEM_FOLDER",
    "Override",
    "Settings",
    "examine",
    "examine_folder",
    "find_folder",
    "load_config",
    "load_settings",
    "overlay",
]

SYSTEM_FOLDER = Path("/etc/speeddata")
DEFAULT = "default"


@dataclass(frozen=True)
class Settings:
    """Settings in force: `flat[service]` maps dotted keys to values; `folder` is where schemas are looked for.

    `origins` tells by service and key where what was given stands, `replaced` which setting put another out of force,
    `read` what was looked at.
    """

    folder: Path
    flat: Mapping[str, Mapping[str, Any]]
    warnings: Sequence[str] = ()
    origins: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    replaced: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    read: Sequence[str] = ()

    def nested(self, service: str) -> dict[str, Any]:
        """The settings of a service as nested plain dicts."""
        result: dict[str, Any] = {}
        for key, value in self.flat[service].items():
            *above, last = key.split(".")
            level = result
            for name in above:
                level = level.setdefault(name, {})
            level[last] = value
        return result

    def origin(self, service: str, key: str) -> str:
        """Where the value in force comes from: file and line, variable, option, or that it is the default."""
        origins = self.origins.get(service, {})
        if key in origins:
            return origins[key]
        by = self.replaced.get(service, {}).get(key)
        if by is not None:
            return f"replaced by {by} ({origins[by]})" if by in origins else f"replaced by {by}"
        return origins.get("channels", DEFAULT) if key.startswith("channels[") else DEFAULT


def load_config(service: str, config_dir: str | os.PathLike[str] | None = None) -> dict[str, Any]:
    """Give the settings of a service (relay, stripchart, pivot, global) as nested plain dicts.

    Without `config_dir`: $SPEEDDATA_CONFIG_DIR, ./config, /etc/speeddata, then the packaged defaults.
    """
    if service not in FILES:
        raise ConfigError([f"service is {service!r}, wanted one of {', '.join(FILES)}"])
    files = ("global", service) if service != "global" else ("global",)
    return _in_order(*examine_folder(find_folder(config_dir), files=files)).nested(service)


def load_settings(folder: Path | None = None, overrides: Iterable[Override] = ()) -> Settings:
    """Give the settings of all services, from the packaged defaults or a folder; ConfigError names all problems."""
    return _in_order(*examine_folder(folder, overrides))


def find_folder(config_dir: str | os.PathLike[str] | None = None) -> Path:
    """The config folder: the one given, else the first of those that `load_config` names."""
    chosen = config_dir or os.environ.get("SPEEDDATA_CONFIG_DIR")
    if chosen:
        return Path(chosen)
    for folder in (Path("config"), SYSTEM_FOLDER):
        if any((folder / f"{name}.yaml").is_file() for name in (*FILES, LOCAL)):
            return folder
    return _packaged()


def examine_folder(
    folder: Path | None = None, overrides: Iterable[Override] = (), *, files: Sequence[str] = FILES
) -> tuple[Settings, list[str]]:
    """Give the settings of a folder, or of the packaged defaults, as far as they are in order, and all problems."""
    packaged = _packaged()
    if folder is not None and folder != packaged:
        return examine(folder, read_documents(folder, (*files, LOCAL)), overrides, os.environ, files=files)
    settings, problems = examine(
        packaged, read_documents(packaged, files), overrides, os.environ, files=files
    )
    return _as_defaults(settings), problems


def examine(
    folder: Path,
    documents: Mapping[str, Document],
    overrides: Iterable[Override] = (),
    environment: Mapping[str, str] | None = None,
    *,
    files: Sequence[str] = FILES,
) -> tuple[Settings, list[str]]:
    """Give the settings that documents make, as far as they are in order, and all problems; schemas are in `folder`."""
    environment = environment or {}
    sources = [
        {name: read_file(name, documents[name]) for name in files if name in documents},
        read_local(documents[LOCAL], files) if LOCAL in documents else {},
        read_environment(environment, files),
        *map(read_override, overrides),
    ]
    problems = [problem for source in sources for layer in source.values() for problem in layer.problems]
    if not folder.is_dir():
        wanted = f"one with {', '.join(f'{name}.yaml' for name in FILES)}"
        problems.append(f"{folder}: is no folder, wanted {wanted}")
    flat: dict[str, dict[str, Any]] = {}
    origins: dict[str, dict[str, str]] = {}
    replaced: dict[str, dict[str, str]] = {}
    for service in files:
        own = [
            source[name]
            for source in sources
            for name in dict.fromkeys(("global", service))
            if name in source
        ]
        flat[service], origins[service], replaced[service] = _merge(service, own)
    for service in files:
        problems += [
            f"{_nearby(origins[service], problem.key) or service}: {problem}"
            for problem in cross_check(flat[service])
        ]
    problems += _channel_problems(flat, origins)
    problems += port_clashes(flat, origins)
    problems += schema_problems(folder, flat, origins)
    said = warnings(folder, flat, origins, documents) + unread(environment)
    read = [str(document.path) for document in documents.values()]
    read += [one.name for one in given(environment) if one.file in files]
    return (
        Settings(folder.resolve(), flat, said, origins, replaced, read),
        sorted(set(problems), key=problems.index),
    )


def _as_defaults(settings: Settings) -> Settings:
    """Settings whose files are the packaged ones: what those say is the default, unless somebody has edited them."""
    packaged = str(_packaged())
    origins = {
        service: {
            key: place
            for key, place in own.items()
            if not place.startswith(packaged) or settings.flat[service].get(key) != rows(service)[key].default
        }
        for service, own in settings.origins.items()
    }
    read = [name for name in settings.read if not name.startswith(packaged)]
    return replace(settings, origins=origins, read=read)


def _in_order(settings: Settings, problems: list[str]) -> Settings:
    if problems:
        raise ConfigError(problems)
    return settings


def overlay(
    base: Mapping[str, Any], layer: Mapping[str, Any], table: Mapping[str, Setting]
) -> dict[str, Any]:
    """Put a more particular layer over settings; what a setting replaces is put out of force."""
    result = dict(base)
    for key, value in layer.items():
        result[key] = value
        for replaced in table[key].replaces if value is not None else ():
            result[replaced] = None
    return result


def _packaged() -> Path:
    return Path(str(resources.files("speeddata.config")))


def _channel_problems(
    flat: Mapping[str, Mapping[str, Any]], origins: Mapping[str, Mapping[str, str]]
) -> list[str]:
    """What is wrong with channels of relay.yaml only together with the settings that hold for all."""
    relay = flat.get("relay", {})
    problems = []
    common = {problem.key for problem in cross_check(relay)}
    for index, item in enumerate(relay.get("channels", ())):
        own = check_channel(item, overrides_only=True).values if isinstance(item, dict) else {}
        key = f"channels[{index}]"
        place = origins["relay"].get(f"{key}.schema", origins["relay"].get("channels", "relay"))
        problems += [
            f"{place}: {Problem(f'{key}.{problem.key}', problem.value, problem.wanted)}"
            for problem in cross_check(overlay(relay, own, rows("relay")))
            if problem.key not in common
        ]
    return problems


def _merge(service: str, layers: Sequence[Layer]) -> tuple[dict[str, Any], dict[str, str], dict[str, str]]:
    """Values, where each was given, and what put others out of force."""
    table = rows(service)
    values = {key: row.default for key, row in table.items()}
    origin: dict[str, str] = {}
    replaced: dict[str, str] = {}
    for layer in layers:
        before, values = values, overlay(values, layer.values, table)
        # What a layer before said of channels is no more when another gives the list.
        stale = [key for key in origin if key.startswith("channels[")] if "channels" in layer.values else []
        for key, value in layer.values.items():
            others = table[key].replaces if value is not None else ()
            replaced |= {other: key for other in others if before[other] is not None}
            stale += [key, *others]
        for key in stale:
            origin.pop(key, None)
        for key in layer.values:
            replaced.pop(key, None)
        origin |= layer.origin
    return values, origin, replaced


def _nearby(origin: Mapping[str, str], key: str) -> str:
    """Where a setting comes from, or the last that was given of its family."""
    family = [place for other, place in origin.items() if other.split(".")[0] == key.split(".")[0]]
    return origin.get(key) or (family[-1] if family else "")
