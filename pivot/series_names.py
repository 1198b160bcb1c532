"""The channels that series of other systems are kept in: `metric.<name>` and `sensor.<name>`.

Letters, digits, `_` and `.` stand for themselves, `-` is written `--`, every other byte of the UTF-8 text `-` and two
hexadecimal digits, and so is a `.` behind another one: metric `room 1` is channel `metric.room-201`. A name that would be longer than a channel's is cut, `-.` and
26 characters of its hash behind it; its channel's schema has the whole name, which `label` writes and `labelled` reads.
"""

import base64
import hashlib
import re
from collections.abc import Mapping
from typing import Any

__all__ = ["KINDS", "channel_of", "is_cut", "label", "labelled", "name_of"]

KINDS = ("metric", "sensor")
LONGEST = 64  # characters of a channel's name
CUT = "-."
HASHED = 16  # bytes of the hash
PLAIN = re.compile(rb"[A-Za-z0-9_.]")
PARTS = re.compile(r"-[0-9a-f]{2}|--|[A-Za-z0-9_.]")
LABEL = "series"


def channel_of(kind: str, name: str) -> str:
    """The channel of a metric or sensor. UnicodeEncodeError for text that has no UTF-8."""
    text = name.encode()
    parts = [_part(text[at : at + 1], at == 0 or text[at - 1 : at] == b".") for at in range(len(text))]
    room = LONGEST - len(kind) - 1
    if sum(map(len, parts)) <= room:
        return f"{kind}.{''.join(parts)}"
    digest = base64.b32encode(hashlib.sha256(text).digest()[:HASHED]).decode().rstrip("=").lower()
    room -= len(CUT) + len(digest)
    kept = ""
    for part in parts:
        if len(kept) + len(part) > room:
            break
        kept += part
    return f"{kind}.{kept}{CUT}{digest}"


def _part(byte: bytes, behind_dot: bool) -> str:
    if byte == b"-":
        return "--"
    plain = PLAIN.fullmatch(byte) and not (byte == b"." and behind_dot)  # channels have no two dots in a row
    return byte.decode() if plain else f"-{byte.hex()}"


def is_cut(channel: str) -> bool:
    """Whether the channel's schema tells the name."""
    return _cut_at(channel) is not None


def name_of(kind: str, channel: str) -> str | None:
    """The metric or sensor that is kept in a channel; None where it is none, or its name is cut."""
    prefix, dot, rest = channel.partition(".")
    if prefix != kind or not dot:
        return None
    out = bytearray()
    at = 0
    while at < len(rest):
        part = PARTS.match(rest, at)
        if part is None:
            return None
        at = part.end()
        out += (
            b"-" if part[0] == "--" else bytes.fromhex(part[0][1:]) if part[0][0] == "-" else part[0].encode()
        )
    try:
        name = out.decode()
    except UnicodeDecodeError:
        return None
    return name if channel_of(kind, name) == channel else None


def label(schema: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A record's schema that tells the name of what is kept in it."""
    return {**schema, "speeddata": {LABEL: name}}


def labelled(kind: str, channel: str, schema: Mapping[str, Any]) -> str | None:
    """The name that a schema tells; None where it is not that of this channel."""
    told = schema.get("speeddata")
    name = told.get(LABEL) if isinstance(told, Mapping) else None
    try:
        return name if isinstance(name, str) and channel_of(kind, name) == channel else None
    except UnicodeEncodeError:
        return None


def _cut_at(channel: str) -> int | None:
    """Where the hash begins. Behind an escaped `-`, which is two of them, a dot stands for itself."""
    at = channel.find(".") + 1
    while at < len(channel):
        if channel.startswith(CUT, at):
            return at
        at += {"--": 2}.get(channel[at : at + 2], 3 if channel[at] == "-" else 1)
    return None
