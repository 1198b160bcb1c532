"""What differs between two settings, key by key: pure. Channels of relay.yaml are compared by their names.

A schema is compared as it is given, by its path or as an object; what the file holds is no setting.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from speeddata.settings import Settings
from speeddata.settings_table import SERVICES
from speeddata.settings_values import check_channel, shorten

__all__ = ["ABSENT", "Absent", "Difference", "channels", "differences", "of_all"]


class Absent(Enum):
    """What a channel has where it says nothing, which is another thing than null."""

    ABSENT = "absent"


ABSENT = Absent.ABSENT


@dataclass(frozen=True)
class Difference:
    """A key whose value is another one; `origin` tells where the new one comes from.

    Keys of a channel are channels[NAME].KEY. A channel that came or went is channels[NAME], with its values as a dict.
    """

    service: str  # or global
    key: str  # dotted
    before: Any
    after: Any
    origin: str

    @property
    def path(self) -> str:
        """FILE.KEY, as --set has it."""
        return f"{self.service}.{self.key}"

    def __str__(self) -> str:
        return f"{self.path}: {_told(self.before)} -> {_told(self.after)} ({self.origin})"

    def as_json(self) -> dict[str, Any]:
        """The form that is shown; what was or is not there has no `from` or `to`."""
        ends = {"from": self.before, "to": self.after}
        told = {key: value for key, value in ends.items() if value is not ABSENT}
        return {"key": self.path, "origin": self.origin, **told}


def differences(before: Settings, after: Settings) -> list[Difference]:
    """Every key that differs, for each service that it holds for and for global.yaml."""
    found = []
    for service in after.flat:
        old, new = before.flat.get(service, {}), after.flat[service]
        for key in new:
            if key == "channels":
                found += _channel_differences(channels(before), channels(after), after)
            elif key not in old or not _same(old[key], new[key]):
                origin = after.origin(service, key)
                found.append(Difference(service, key, old.get(key, ABSENT), new[key], origin))
    return found


def of_all(found: Sequence[Difference]) -> list[Difference]:
    """The differences without those of services that only are what global.yaml says for all."""
    common = {(one.key, repr(one.before), repr(one.after)) for one in found if one.service == "global"}
    return [
        one
        for one in found
        if one.service not in SERVICES or (one.key, repr(one.before), repr(one.after)) not in common
    ]


def channels(settings: Settings) -> dict[str, tuple[int, dict[str, Any]]]:
    """What the settings say of each channel: its place in the list, and values by dotted key."""
    listed = enumerate(settings.flat.get("relay", {}).get("channels", ()))
    checked = [(index, check_channel(item).values) for index, item in listed if isinstance(item, dict)]
    return {values["name"]: (index, values) for index, values in checked if "name" in values}


def _channel_differences(
    before: Mapping[str, tuple[int, dict[str, Any]]],
    after: Mapping[str, tuple[int, dict[str, Any]]],
    settings: Settings,
) -> list[Difference]:
    found = []
    for name in {**before, **after}:
        if name not in after:
            values, origin = before[name][1], settings.origin("relay", "channels")
            found.append(Difference("relay", f"channels[{name}]", values, ABSENT, origin))
            continue
        index, new = after[name]
        if name not in before:
            origin = settings.origin("relay", f"channels[{index}].name")
            found.append(Difference("relay", f"channels[{name}]", ABSENT, new, origin))
            continue
        old = before[name][1]
        for key in {**old, **new}:
            was, now = old.get(key, ABSENT), new.get(key, ABSENT)
            if not _same(was, now):
                origin = settings.origin("relay", f"channels[{index}].{key if key in new else 'name'}")
                found.append(Difference("relay", f"channels[{name}].{key}", was, now, origin))
    return found


def _told(value: Any) -> str:
    return "nothing" if value is ABSENT else shorten(value)


def _same(one: Any, other: Any) -> bool:
    """Whether values are equal; a flag is no number, though Python thinks so."""
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)
