"""Checks of single values and of mappings of settings against their rows; no files, no precedence.

A check gives the value in its final form or raises `Wanted` with what would have been right. `check_mapping` collects
every problem instead of stopping at the first.
"""

import difflib
import ipaddress
import re
import reprlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from speeddata.compression import unusable
from speeddata.settings_table import CHANNEL, Setting

__all__ = [
    "CHANNEL_NAME",
    "NAME_WANTED",
    "OVERRIDES",
    "Checked",
    "Problem",
    "Wanted",
    "check_channel",
    "check_mapping",
    "check_value",
    "near",
]

# No path is ever built from a name that does not match; '..' is refused beside it.
CHANNEL_NAME = re.compile(r"(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)
NAME_WANTED = "1 to 64 letters, digits, _ . -, a letter or digit first, no '..'"
HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", re.ASCII)

MAX_CPUS = 4096
MAX_NETWORKS = 64  # as many as a relay has room for
MAX_KEYS = 64  # likewise
MAX_SHOWN = 160  # characters of a value in a message
SHORT = reprlib.Repr()
SHORT.maxstring = SHORT.maxother = 80

CHANNEL_ROWS = {row.key: row for row in CHANNEL}
OVERRIDES = {row.key: row for row in CHANNEL if row.channel}


class Wanted(Exception):
    """A value is not what its setting wants; the text says what is."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a mapping of settings."""

    key: str  # dotted
    value: Any
    wanted: str
    unknown: bool = False

    def __str__(self) -> str:
        if self.unknown:
            return f"unknown key {self.key} (value {shorten(self.value)}), wanted {self.wanted}"
        return f"{self.key} is {shorten(self.value)}, wanted {self.wanted}"


@dataclass
class Checked:
    """What was read from a mapping: the good values by dotted key, and every problem."""

    values: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def shorten(value: Any) -> str:
    """A value as a message shows it."""
    text = SHORT.repr(value)
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 3]}..."


def check_value(setting: Setting, value: Any) -> Any:
    """Give a value in its final form; Wanted if it is not what the setting takes."""
    if value is None and setting.optional:
        return None
    return CHECKS[setting.kind](setting, value)


def check_mapping(rows: Mapping[str, Setting], mapping: Mapping[Any, Any], prefix: str = "") -> Checked:
    """Check nested keys against rows; values come back flat, by dotted key."""
    checked = Checked()
    for name, value in mapping.items():
        key = f"{prefix}{name}"
        if key in rows:
            try:
                checked.values[key] = check_value(rows[key], value)
            except Wanted as wanted:
                checked.problems.append(Problem(key, value, str(wanted)))
        elif not any(known.startswith(f"{key}.") for known in rows):
            checked.problems.append(Problem(key, value, near(key, rows), unknown=True))
        elif isinstance(value, Mapping):
            below = check_mapping(rows, value, f"{key}.")
            checked.values.update(below.values)
            checked.problems += below.problems
        elif value is not None:
            checked.problems.append(Problem(key, value, "a mapping of settings"))
    if not prefix:
        checked.problems += _rivals(rows, checked.values)
    return checked


def check_channel(
    mapping: Mapping[Any, Any], *, overrides_only: bool = False, complete: bool = True
) -> Checked:
    """Check a channel of relay.yaml, or (`overrides_only`) the `config` that one is registered with.

    Where it is not `complete`, port and schema may be told elsewhere.
    """
    rows = OVERRIDES if overrides_only else CHANNEL_ROWS
    factor = mapping.get("decimation")
    if isinstance(factor, int) and not isinstance(factor, bool):
        mapping = {**mapping, "decimation": {"factor": factor}}
    checked = check_mapping(rows, mapping)
    needed = ("name", "port", "schema") if complete else ("name",)
    for key in () if overrides_only else needed:
        if key not in mapping:
            checked.problems.append(Problem(key, None, CHANNEL_ROWS[key].help))
    return checked


def _rivals(rows: Mapping[str, Setting], values: Mapping[str, Any]) -> list[Problem]:
    """Settings that replace each other must not be given in one place."""
    given = [key for key, value in values.items() if value is not None]
    return [
        Problem(key, values[key], f"either {key} or {other}, not both")
        for index, key in enumerate(given)
        for other in given[:index]
        if other in rows[key].replaces
    ]


def near(key: str, rows: Collection[str]) -> str:
    """What to write instead of an unknown key: the sibling that looks like it, else all siblings."""
    parent = key[: key.rfind(".") + 1]
    siblings = sorted({row.removeprefix(parent).split(".")[0] for row in rows if row.startswith(parent)})
    close = difflib.get_close_matches(key.removeprefix(parent), siblings, n=1)
    if close:
        return f"a known one; did you mean {parent}{close[0]}?"
    elsewhere = difflib.get_close_matches(key, rows, n=1, cutoff=0.75)
    if elsewhere:
        return f"a known one; did you mean {elsewhere[0]}?"
    return f"one of {', '.join(parent + name for name in siblings)}"


def _integer(setting: Setting, value: Any) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not _within(setting, value):
        raise Wanted(f"an integer {_range(setting)}")
    return value


def _number(setting: Setting, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not _within(setting, value):
        raise Wanted(f"a number {_range(setting)}")
    return value


def _within(setting: Setting, value: float) -> bool:
    return (setting.low is None or value >= setting.low) and (setting.high is None or value <= setting.high)


def _range(setting: Setting) -> str:
    unit = f" {setting.unit}" if setting.unit else ""
    return f"from {bound(setting.low)} to {bound(setting.high)}{unit}"


def bound(number: float | None) -> str:
    """A bound as a person writes it."""
    return str(int(number)) if number is not None and number == int(number) else f"{number}"


def _flag(_setting: Setting, value: Any) -> bool:
    if not isinstance(value, bool):
        raise Wanted("true or false")
    return value


def _text(_setting: Setting, value: Any) -> str:
    if not isinstance(value, str) or not value or "\0" in value:
        raise Wanted("a text")
    return value


def _choice(setting: Setting, value: Any) -> str:
    if value not in setting.choices:
        raise Wanted(_any_of(setting))
    return str(value)


def _codec(setting: Setting, value: Any) -> str:
    codec = _choice(setting, value)
    if reason := unusable(codec):
        raise Wanted(f"{_any_of(setting)}, of which {codec} cannot be used: {reason}")
    return codec


def _algorithm(setting: Setting, value: Any) -> str:
    return "minmax" if value == "min-max" else _choice(setting, value)


def _any_of(setting: Setting) -> str:
    nothing = ("null",) if setting.optional else ()
    return "one of " + ", ".join((*setting.choices, *nothing))


def _host(_setting: Setting, value: Any) -> str:
    if value == "localhost":
        return "127.0.0.1"
    try:
        return str(ipaddress.ip_address(value)) if isinstance(value, str) else _refuse()
    except ValueError:
        raise Wanted("an IP address such as 127.0.0.1 or 0.0.0.0") from None


def _ipv4(_setting: Setting, value: Any) -> str:
    if value == "localhost":
        return "127.0.0.1"
    try:
        address = ipaddress.IPv4Address(value) if isinstance(value, str) else _refuse()
    except ValueError:
        raise Wanted("an IPv4 address of this machine, such as 127.0.0.1") from None
    if address.is_multicast:
        raise Wanted("an IPv4 address of this machine, not a multicast group")
    return str(address)


def _group(_setting: Setting, value: Any) -> str:
    try:
        address = ipaddress.IPv4Address(value) if isinstance(value, str) else _refuse()
        if address.is_multicast:
            return str(address)
    except ValueError:
        pass
    raise Wanted("an IPv4 multicast group such as 239.255.1.1")


def _refuse() -> Any:
    raise ValueError


def _names(_setting: Setting, value: Any) -> list[str]:
    if not isinstance(value, list) or not all(
        isinstance(name, str) and HOST_NAME.fullmatch(name) for name in value
    ):
        raise Wanted("a list of host names")
    return [name.lower() for name in value]


def _cpus(_setting: Setting, value: Any) -> list[int]:
    if isinstance(value, list) and value and all(type(cpu) is int and 0 <= cpu < MAX_CPUS for cpu in value):
        return sorted(set(value))
    raise Wanted("a list of core numbers such as [2, 3]")


def _networks(_setting: Setting, value: Any) -> list[str]:
    wanted = "a list of IPv4 addresses and networks, such as [192.168.1.0/24]"
    if not isinstance(value, list) or not 0 < len(value) <= MAX_NETWORKS:
        raise Wanted(f"{wanted}, at most {MAX_NETWORKS}")
    found = []
    for one in value:
        try:
            found.append(str(ipaddress.IPv4Network(one if isinstance(one, str) else _refuse())))
        except ValueError:
            raise Wanted(f"{wanted}, not {shorten(one)}") from None
    return found


def _keys(_setting: Setting, value: Any) -> list[str]:
    if not isinstance(value, list) or not 0 < len(value) <= MAX_KEYS:
        raise Wanted(f"a list of names of keys, such as [roof], at most {MAX_KEYS}")
    for one in value:
        if not isinstance(one, str) or not CHANNEL_NAME.fullmatch(one):
            raise Wanted(f"a list of names of keys, each of {NAME_WANTED}, not {shorten(one)}")
    return list(dict.fromkeys(value))


def _name(_setting: Setting, value: Any) -> str:
    if not isinstance(value, str) or not CHANNEL_NAME.fullmatch(value):
        raise Wanted(NAME_WANTED)
    return value


def _schema(_setting: Setting, value: Any) -> str | dict[str, Any]:
    if not value or not isinstance(value, str | dict):
        raise Wanted("a file below the config folder, or the schema itself as an object")
    return value


def _channels(_setting: Setting, value: Any) -> list[Any]:
    # The channels themselves are checked by the reader, which names each by its place in the list.
    if not isinstance(value, list):
        raise Wanted("a list of channels, each with name, port, schema")
    return value


CHECKS: dict[str, Callable[[Setting, Any], Any]] = {
    "integer": _integer,
    "number": _number,
    "flag": _flag,
    "text": _text,
    "choice": _choice,
    "algorithm": _algorithm,
    "codec": _codec,
    "host": _host,
    "ipv4": _ipv4,
    "group": _group,
    "names": _names,
    "cpus": _cpus,
    "networks": _networks,
    "keys": _keys,
    "name": _name,
    "schema": _schema,
    "channels": _channels,
}
