"""Settings of the services: YAML files, `--set`, defaults; checked together, merged per service.

Precedence: `--set` > a service's own file > global.yaml > defaults. The rows of `speeddata.settings_table` say what
there is. All problems of all files are raised at once, as one ConfigError.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from speeddata.errors import ConfigError
from speeddata.settings_rules import cross_check, port_clashes, schema_problems, warnings
from speeddata.settings_table import FILES, Setting, rows
from speeddata.settings_values import Checked, Problem, check_channel, check_mapping
from speeddata.settings_yaml import read_yaml

__all__ = ["Override", "Settings", "find_folder", "load_config", "load_settings", "overlay"]

RAW_KINDS = ("text", "host", "ipv4", "group", "choice", "algorithm", "codec")
SYSTEM_FOLDER = Path("/etc/speeddata")


@dataclass(frozen=True)
class Override:
    """A setting given on the command line; `label` is the option to name in messages."""

    path: str  # FILE.PATH
    text: str
    label: str = "--set"

    @classmethod
    def parse(cls, argument: str) -> "Override":
        """Read FILE.PATH=VALUE; ConfigError if it is not that."""
        path, equals, text = argument.partition("=")
        if not equals or not path.strip():
            raise ConfigError(
                [f"--set {argument}: wanted FILE.PATH=VALUE, such as relay.decimation.factor=10"]
            )
        return cls(path.strip(), text)


@dataclass(frozen=True)
class Settings:
    """Settings in force: `flat[service]` maps dotted keys to values; `folder` is where schemas are looked for."""

    folder: Path
    flat: Mapping[str, Mapping[str, Any]]
    warnings: Sequence[str] = ()

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


@dataclass
class _Layer:
    """Values of one file or option, where each comes from, and what is wrong there."""

    values: dict[str, Any] = field(default_factory=dict)
    origin: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def load_config(service: str, config_dir: str | os.PathLike[str] | None = None) -> dict[str, Any]:
    """Give the settings of a service (relay, stripchart, pivot, global) as nested plain dicts.

    Without `config_dir`: $SPEEDDATA_CONFIG_DIR, ./config, /etc/speeddata, then the packaged defaults.
    """
    if service not in FILES:
        raise ConfigError([f"service is {service!r}, wanted one of {', '.join(FILES)}"])
    folder = find_folder(config_dir)
    files = ("global", service) if service != "global" else ("global",)
    return _load(folder, (), files).nested(service)


def load_settings(folder: Path | None = None, overrides: Iterable[Override] = ()) -> Settings:
    """Give the settings of all services, from the packaged defaults or a folder; ConfigError names all problems."""
    return _load(folder or _packaged(), overrides, FILES)


def find_folder(config_dir: str | os.PathLike[str] | None = None) -> Path:
    """The config folder: the one given, else the first of those that `load_config` names."""
    given = config_dir or os.environ.get("SPEEDDATA_CONFIG_DIR")
    if given:
        return Path(given)
    for folder in (Path("config"), SYSTEM_FOLDER):
        if any((folder / f"{name}.yaml").is_file() for name in FILES):
            return folder
    return _packaged()


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


def _load(folder: Path, overrides: Iterable[Override], files: Sequence[str]) -> Settings:
    layers = {name: _read_file(folder, name) for name in files}
    problems = [problem for layer in layers.values() for problem in layer.problems]
    if not folder.is_dir():
        problems.append(
            f"{folder}: is no folder, wanted one with {', '.join(f'{name}.yaml' for name in FILES)}"
        )
    options = []
    for override in overrides:
        option = _read_override(override)
        problems += option.problems
        options.append((override.path.partition(".")[0], option))
    flat: dict[str, dict[str, Any]] = {}
    origins: dict[str, dict[str, str]] = {}
    for service in files:
        own = [layers["global"], *([layers[service]] if service != "global" else [])]
        own += [option for file, option in options if file in ("global", service)]
        flat[service], origins[service] = _merge(service, own)
    for service in files:
        problems += [
            f"{_nearby(origins[service], problem.key) or service}: {problem}"
            for problem in cross_check(flat[service])
        ]
    problems += _channel_problems(flat, origins)
    problems += port_clashes(flat, origins)
    problems += schema_problems(folder, flat, origins)
    if problems:
        raise ConfigError(sorted(set(problems), key=problems.index))
    return Settings(folder.resolve(), flat, warnings(folder, flat, origins))


def _read_file(folder: Path, name: str) -> _Layer:
    path = folder / f"{name}.yaml"
    if not path.exists():
        return _Layer()
    document = read_yaml(path)
    checked = check_mapping(rows(name), document.values)
    layer = _Layer(checked.values, {key: document.place(key) for key in checked.values}, document.problems)
    layer.problems += [f"{document.place(problem.key)}: {problem}" for problem in checked.problems]
    if "channels" in checked.values:
        channels = checked.values["channels"]
        layer.problems += [
            f"{document.place(problem.key)}: {problem}" for problem in _check_channels(channels)
        ]
        schemas = [f"channels[{index}].schema" for index in range(len(channels))]
        layer.origin |= {key: document.place(key) for key in schemas}
    return layer


def _read_override(override: Override) -> _Layer:
    """Read one option as a layer of its own."""
    file, _, key = override.path.partition(".")
    label = (
        f"{override.label} {override.path}={override.text}" if override.label == "--set" else override.label
    )
    if file not in FILES or not key:
        return _Layer(
            problems=[f"{label}: unknown file {file!r}, wanted one of {', '.join(FILES)}, then .PATH=VALUE"]
        )
    table = rows(file)
    try:
        value = yaml.safe_load(override.text)
    except yaml.YAMLError:
        value = override.text
    if key in table and table[key].kind in RAW_KINDS and value is not None:
        value = override.text
    nested = value
    for name in reversed(key.split(".")):
        nested = {name: nested}
    checked = check_mapping(table, nested)
    problems = checked.problems + _check_channels(checked.values.get("channels", []))
    return _Layer(
        checked.values, dict.fromkeys(checked.values, label), [f"{label}: {problem}" for problem in problems]
    )


def _check_channels(channels: list[Any]) -> list[Problem]:
    """Check each channel of a list, and that no two share a name or a port."""
    problems = []
    seen: dict[tuple[str, Any], int] = {}
    for index, item in enumerate(channels):
        place = f"channels[{index}]"
        if not isinstance(item, dict):
            problems.append(Problem(place, item, "a channel: name, port, schema"))
            continue
        checked: Checked = check_channel(item)
        problems += [
            Problem(f"{place}.{problem.key}", problem.value, problem.wanted, problem.unknown)
            for problem in checked.problems
        ]
        for key in ("name", "port"):
            if key in checked.values and seen.setdefault((key, checked.values[key]), index) != index:
                first = seen[key, checked.values[key]]
                problems.append(
                    Problem(f"{place}.{key}", checked.values[key], f"one that channels[{first}] has not")
                )
    return problems


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


def _merge(service: str, layers: Sequence[_Layer]) -> tuple[dict[str, Any], dict[str, str]]:
    table = rows(service)
    values = {key: row.default for key, row in table.items()}
    origin: dict[str, str] = {}
    for layer in layers:
        values = overlay(values, layer.values, table)
        origin.update(layer.origin)
    return values, origin


def _nearby(origin: Mapping[str, str], key: str) -> str:
    """Where a setting comes from, or the last that was given of its family."""
    family = [place for other, place in origin.items() if other.split(".")[0] == key.split(".")[0]]
    return origin.get(key) or (family[-1] if family else "")
