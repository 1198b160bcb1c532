"""The layers that settings are made of: YAML files, local.yaml, variables of the environment, options.

Each is read and checked by itself, and knows where each of its values stands; `speeddata.settings` puts one over the
other.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from speeddata.errors import ConfigError
from speeddata.settings_environment import given
from speeddata.settings_table import FILES, Setting, rows
from speeddata.settings_values import Checked, Problem, check_channel, check_mapping, near
from speeddata.settings_yaml import Document, read_yaml

__all__ = [
    "LOCAL",
    "Layer",
    "Override",
    "check_channels",
    "read_documents",
    "read_environment",
    "read_file",
    "read_local",
    "read_override",
]

LOCAL = "local"  # the file of settings of one machine alone
RAW_KINDS = ("text", "host", "ipv4", "group", "choice", "algorithm", "codec")


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


@dataclass
class Layer:
    """Values of one file or option, where each comes from, and what is wrong there."""

    values: dict[str, Any] = field(default_factory=dict)
    origin: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def read_documents(folder: Path, files: Iterable[str]) -> dict[str, Document]:
    """Read those of the YAML files that are in a folder, by name without `.yaml`."""
    paths = {name: folder / f"{name}.yaml" for name in files}
    return {name: read_yaml(path) for name, path in paths.items() if path.exists()}


def read_file(name: str, document: Document, *, complete: bool = True) -> Layer:
    """The layer of a service's own file, or of global.yaml.

    Where it is not `complete`, ports and schemas of channels may be told elsewhere.
    """
    layer = _read_section(name, document, document.values, "", complete=complete)
    layer.problems[:0] = document.problems
    return layer


def read_local(document: Document, files: Sequence[str]) -> dict[str, Layer]:
    """The layers of local.yaml: a section for each file, in which that file's keys stand."""
    layers = {"global": Layer(problems=list(document.problems))}
    for name, section in document.values.items():
        place = document.place(str(name))
        if name not in FILES:
            problem = Problem(str(name), section, near(str(name), FILES), unknown=True)
            layers["global"].problems.append(f"{place}: {problem}")
        elif name in files and isinstance(section, dict):
            read = _read_section(name, document, section, f"{name}.")
            read.problems[:0] = layers[name].problems if name in layers else []
            layers[name] = read
        elif name in files and section is not None:
            layers["global"].problems.append(f"{place}: {Problem(name, section, 'a mapping of settings')}")
    return layers


def _read_section(
    name: str, document: Document, values: Mapping[Any, Any], above: str, *, complete: bool = True
) -> Layer:
    checked = check_mapping(rows(name), values)
    layer = Layer(checked.values, {key: document.place(above + key) for key in checked.values})
    problems = list(checked.problems)
    if "channels" in checked.values:
        channels = checked.values["channels"]
        problems += check_channels(channels, complete=complete)
        layer.origin |= {key: document.place(above + key) for key in _channel_keys(channels)}
    layer.problems = [f"{document.place(above + problem.key)}: {problem}" for problem in problems]
    return layer


def read_environment(environment: Mapping[str, str], files: Sequence[str]) -> dict[str, Layer]:
    """The layers of variables, by file. What two variables of a file say must not be in each other's way."""
    layers = {"global": Layer()}
    nested: dict[str, dict[str, Any]] = {}
    names: dict[tuple[str, str], str] = {}
    for one in given(environment):
        if one.problem:
            layers["global"].problems.append(f"{one.name}: {one.problem}")
        elif one.file in files:
            value = _read_text(rows(one.file), one.key, one.text) if one.text.strip() else one.text
            _put(nested.setdefault(one.file, {}), one.key, value)
            names[one.file, one.key] = one.name
    for file, mapping in nested.items():
        checked = check_mapping(rows(file), mapping)
        layer = layers.setdefault(file, Layer())
        layer.values = checked.values
        layer.origin = {key: names[file, key] for key in checked.values}
        layer.problems += [f"{names[file, problem.key]}: {problem}" for problem in checked.problems]
        name = names.get((file, "channels"))
        channels = checked.values.get("channels", [])
        layer.problems += [f"{name}: {problem}" for problem in check_channels(channels)]
    return layers


def read_override(override: Override) -> dict[str, Layer]:
    """One option as a layer of its own, by file."""
    file, _, key = override.path.partition(".")
    label = (
        f"{override.label} {override.path}={override.text}" if override.label == "--set" else override.label
    )
    if file not in FILES or not key:
        wanted = f"unknown file {file!r}, wanted one of {', '.join(FILES)}, then .PATH=VALUE"
        return {"global": Layer(problems=[f"{label}: {wanted}"])}
    table = rows(file)
    nested: dict[str, Any] = {}
    _put(nested, key, _read_text(table, key, override.text))
    checked = check_mapping(table, nested)
    problems = checked.problems + check_channels(checked.values.get("channels", []))
    layer = Layer(
        checked.values, dict.fromkeys(checked.values, label), [f"{label}: {problem}" for problem in problems]
    )
    return {file: layer}


def _read_text(table: Mapping[str, Setting], key: str, text: str) -> Any:
    """A value that was written as in YAML; what can only be text is not taken for a number or a time."""
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):  # ValueError: a date that no calendar has
        value = text
    if key in table and table[key].kind in RAW_KINDS and value is not None:
        value = text
    return value


def _put(nested: dict[str, Any], key: str, value: Any) -> None:
    *above, last = key.split(".")
    for name in above:
        nested = nested.setdefault(name, {})
    nested[last] = value


def _channel_keys(channels: Sequence[Any]) -> list[str]:
    """What is said of channels, as keys such as channels[0].port; schemas in any case, since they are looked at."""
    keys = []
    for index, item in enumerate(channels):
        own = check_channel(item).values if isinstance(item, dict) else {}
        keys += [f"channels[{index}].{key}" for key in {"schema": None, **own}]
    return keys


def check_channels(channels: Sequence[Any], *, complete: bool = True) -> list[Problem]:
    """Check each channel of a list, and that no two share a name or a port.

    Where they are not `complete`, port and schema may be told elsewhere.
    """
    problems = []
    seen: dict[tuple[str, Any], int] = {}
    for index, item in enumerate(channels):
        place = f"channels[{index}]"
        if not isinstance(item, dict):
            problems.append(Problem(place, item, "a channel: name, port, schema"))
            continue
        checked: Checked = check_channel(item, complete=complete)
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
