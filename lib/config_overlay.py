"""One YAML file of settings laid over another, key by key, channels by their names; each key keeps the place it came from. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from speeddata.settings_table import CHANNEL, Setting, rows
from speeddata.settings_values import check_channel, check_mapping
from speeddata.settings_yaml import Document

__all__ = ["Merged", "merge", "written"]

CHANNEL_ROWS = {row.key: row for row in CHANNEL}


@dataclass
class Merged(Document):
    """What a file and its overlay are together; `places` has the file and line of each key."""

    places: dict[str, str] = field(default_factory=dict)

    def place(self, key: str) -> str:
        """The file and line of a key, or of the nearest key above it."""
        while key and key not in self.places:
            key = key[: max(key.rfind("."), key.rfind("["), 0)]
        return self.places.get(key, str(self.path))


@dataclass
class _Part:
    """Settings by dotted key, and where each stands."""

    values: dict[str, Any]
    places: dict[str, str]

    def put_over(self, base: "_Part", table: Mapping[str, Setting]) -> "_Part":
        """These over others, of which those go that these replace, as if one hand had written one file."""
        gone = {
            other
            for key, value in self.values.items()
            if value is not None
            for other in table[key].replaces
        }  # fmt: skip
        values = {key: value for key, value in base.values.items() if key not in gone} | self.values
        places = base.places | self.places
        return _Part(values, {key: places[key] for key in values})


def merge(name: str, base: Document, over: Document) -> Merged:
    """Lay one file over another; single values of both are in order."""
    table = rows(name)
    parts = [_part(check_mapping(table, one.values).values, one, "") for one in (base, over)]
    channels = [
        _channels(part.values.pop("channels", []), one) for part, one in zip(parts, (base, over), strict=True)
    ]
    given = any("channels" in part.places for part in parts)
    merged = parts[1].put_over(_Part(parts[0].values, parts[0].places), table)
    document = Merged(over.path, _nested(merged.values), places=merged.places)
    if given:
        together = dict(channels[0])
        for channel, part in channels[1].items():
            base_part = together.get(channel, _Part({}, {}))
            together[channel] = part.put_over(base_part, CHANNEL_ROWS)
        document.values["channels"] = [_nested(part.values) for part in together.values()]
        document.places["channels"] = next(
            part.places["channels"] for part in parts[::-1] if "channels" in part.places
        )
        for index, part in enumerate(together.values()):
            document.places[f"channels[{index}]"] = part.places["name"]
            document.places |= {f"channels[{index}].{key}": place for key, place in part.places.items()}
    return document


def written(document: Document, head: str) -> bytes:
    """The text of a file that says what a document does, below a comment."""
    text = yaml.safe_dump(document.values, sort_keys=False, allow_unicode=True, width=100)
    return f"# {head}\n{text}".encode()


def _part(values: dict[str, Any], document: Document, above: str) -> _Part:
    return _Part(values, {key: document.place(above + key) for key in values})


def _channels(items: Iterable[Any], document: Document) -> dict[str, _Part]:
    """The channels of a list by name."""
    checked = [check_channel(item, complete=False).values for item in items]
    return {
        values["name"]: _part(values, document, f"channels[{index}].") for index, values in enumerate(checked)
    }


def _nested(values: Mapping[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in values.items():
        *above, last = key.split(".")
        level = result
        for name in above:
            level = level.setdefault(name, {})
        level[last] = value
    return result
