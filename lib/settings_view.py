"""Settings as people and programs are told them: each with its value and where it comes from, and all about one. Pure."""

import difflib
import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from speeddata.settings import Settings
from speeddata.settings_diff import ABSENT, channels
from speeddata.settings_docs import type_words
from speeddata.settings_environment import PREFIX, variable
from speeddata.settings_table import CHANNEL, FILES, TABLE, Setting, rows

__all__ = ["Entry", "about", "entries", "find", "lines_about", "spelled"]

MAX_TEXT = 80  # characters of a list or an object


@dataclass(frozen=True)
class Entry:
    """A setting in force."""

    service: str  # or global
    key: str
    value: Any
    origin: str
    changed: bool  # is not the default

    @property
    def path(self) -> str:
        """FILE.KEY, as --set has it."""
        return f"{self.service}.{self.key}"

    def as_json(self) -> dict[str, Any]:
        """What programs are told."""
        told = {"service": self.service, "key": self.key, "value": self.value}
        return {**told, "origin": self.origin, "changed": self.changed}


def entries(settings: Settings, files: Collection[str] = ()) -> list[Entry]:
    """The settings of these services with all that holds for them; without any, every setting once.

    A setting of global.yaml is then told of a service only if it has another value there. Each channel's own settings
    follow as channels[NAME].KEY.
    """
    found = []
    for file in files or FILES:
        for key, row in rows(file).items():
            value, origin = settings.flat[file][key], settings.origin(file, key)
            if not files and row.file != file and value == settings.flat["global"][key]:
                continue
            found.append(Entry(file, key, value, origin, value != row.default))
            if key == "channels":
                found += _of_channels(settings)
    return found


def find(text: str) -> list[tuple[str, Setting]]:
    """The settings that a person means, each with the file: FILE.KEY, KEY, a part of one before a dot, a variable.

    A KEY that several services have of their own is that of each. ValueError: there is none; it names the nearest.
    """
    asked = text.strip()
    if asked.upper().startswith(PREFIX):
        asked = asked[len(PREFIX) :].replace("__", ".")
    asked = asked.lower()
    file, _, key = asked.partition(".")
    if file in FILES and key:
        found = [(file, row) for row in _below(rows(file).values(), key)]
    else:
        found = [(row.file, row) for row in _below(TABLE, asked)]
    if found:
        return found
    for row in TABLE if file in FILES else ():
        if row.key == key:
            raise ValueError(f"unknown key {text}, wanted a known one; did you mean {row.file}.{key}?")
    known = [*dict.fromkeys(name for row in TABLE for name in (f"{row.file}.{row.key}", row.key))]
    nearest = difflib.get_close_matches(asked, known, n=1)
    advice = f"did you mean {nearest[0]}?" if nearest else "`speeddata config show` lists them"
    raise ValueError(f"unknown key {text}, wanted a known one; {advice}")


def about(settings: Settings, file: str, row: Setting) -> dict[str, Any]:
    """All about a setting: what the table says, the value in force, where that comes from, how it can be given."""
    services = FILES if file == row.file == "global" else (file,)
    told: dict[str, Any] = {
        "setting": f"{file}.{row.key}", "help": row.help, "type": type_words(row).replace("`", ""), "unit": row.unit or None,
        "low": row.low, "high": row.high, "choices": list(row.choices) or None, "null": row.optional,
        "default": row.default, "file": f"{row.file}.yaml",
        "in_force": {
            service: {"value": settings.flat[service][row.key], "origin": settings.origin(service, row.key)}
            for service in services
        },
        "per_channel": row.channel, "replaces": list(row.replaces),
        "variable": variable(file, row.key), "option": f"--set {file}.{row.key}=VALUE",
    }  # fmt: skip
    if row.channel:
        told["channels"] = {
            name: {
                "value": values[row.key],
                "origin": settings.origin("relay", f"channels[{index}].{row.key}"),
            }
            for name, (index, values) in channels(settings).items()
            if row.key in values
        }
    if row.kind == "channels":
        told["keys"] = {one.key: one.help for one in CHANNEL if not one.channel}
    return told


def lines_about(told: dict[str, Any]) -> Iterator[str]:
    """What `about` tells, as lines."""
    yield told["setting"]
    yield f"  {told['help']}"
    parts = [("type", told["type"]), ("unit", told["unit"]), ("default", spelled(told["default"]))]
    in_force = told["in_force"]
    common = next(iter(in_force.values()))
    parts.append(("in force", f"{spelled(common['value'])} ({common['origin']})"))
    parts += [
        ("", f"{service}: {spelled(one['value'])} ({one['origin']})")
        for service, one in in_force.items()
        if one["value"] != common["value"]
    ]
    if told["per_channel"]:
        parts.append(("channels", "each can have its own, beside its name or as config over REST"))
        parts += [
            ("", f"{name}: {spelled(one['value'])} ({one['origin']})")
            for name, one in told["channels"].items()
        ]
    parts += [(f".{key}", words) for key, words in told.get("keys", {}).items()]
    if told["replaces"]:
        parts.append(("replaces", f"{', '.join(told['replaces'])} of a place that goes after its own"))
    parts += [("file", told["file"]), ("variable", told["variable"]), ("option", told["option"])]
    yield from (f"  {name:9} {words}" for name, words in parts if words)


def spelled(value: Any) -> str:
    """A value as it is written in YAML and behind --set, long lists and objects cut."""
    if value is ABSENT:
        return "-"
    if isinstance(value, str):
        try:
            return value if yaml.safe_load(value) == value else json.dumps(value)
        except (yaml.YAMLError, ValueError):
            return json.dumps(value)
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 3]}..."


def _below(known: Collection[Setting], key: str) -> list[Setting]:
    return [row for row in known if row.key == key] or [row for row in known if row.key.startswith(f"{key}.")]


def _of_channels(settings: Settings) -> list[Entry]:
    return [
        Entry(
            "relay",
            f"channels[{name}].{key}",
            value,
            settings.origin("relay", f"channels[{index}].{key}"),
            True,
        )
        for name, (index, values) in channels(settings).items()
        for key, value in values.items()
    ]
