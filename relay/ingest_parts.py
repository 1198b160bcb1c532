"""Reading an append: what its head says, and the records of its parts, all validated before anything is written."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from speeddata.errors import RecordError
from speeddata.relay.ingest_channel import IngestChannel
from speeddata.relay.ingest_protocol import Refusal
from speeddata.relay.ingest_records import Records

__all__ = ["Options", "Part", "read_options", "read_parts", "rounds"]

DURABILITIES = ("block", "interval", None)
MAX_KEY = 256  # characters
MAX_PARTS = 10_000

Json = dict[str, Any]


@dataclass(slots=True, eq=False)
class Part:
    """Records of one channel."""

    channel: IngestChannel
    fingerprint: str
    records: Records


@dataclass(slots=True)
class Options:
    """What an append is to be done by."""

    key: str | None
    durability: str | None  # None: the channels'
    live: bool | None  # None: the channel's


def read_options(head: Json) -> Options:
    """The options of an append. Refusal names the one that is wrong."""
    key, durability, live = head.get("key"), head.get("durability"), head.get("live")
    if not (key is None or (isinstance(key, str) and 0 < len(key) <= MAX_KEY)):
        raise _wrong("key", key, f"null, or text of 1 to {MAX_KEY} characters")
    if durability not in DURABILITIES:
        raise _wrong("durability", durability, "block, interval or null")
    if not isinstance(live, bool | None):
        raise _wrong("live", live, "true, false or null")
    return Options(key, durability, live)


def read_parts(head: Json, body: memoryview, channels: Mapping[str, IngestChannel]) -> list[Part]:
    """The parts of an append. Refusal says what is wrong: with the head, with a channel, with the first bad record."""
    told = head.get("parts")
    if not isinstance(told, list) or not 0 < len(told) <= MAX_PARTS:
        raise Refusal(400, "parts are wrong", field="parts", wanted=f"a list of 1 to {MAX_PARTS}")
    unknown: list[str] = []
    size = 0
    for number, one in enumerate(told):
        name, length = _check_part(one, number)
        known = channels.get(name)
        if known is None or one["schema"] not in known.plans:
            unknown.append(name)
        size += length
    if unknown:
        raise Refusal(404, "no such channel or schema, open it first", unknown=list(dict.fromkeys(unknown)))
    if size != len(body):
        raise Refusal(400, "parts and body differ in size", parts=size, body=len(body))
    now, at = time.time_ns(), 0
    parts = []
    for one in told:
        parts.append(_read_part(one, body, at, channels[one["channel"]], now))
        at += one["bytes"]
    return parts


def rounds(parts: list[Part], most: int) -> list[list[Part]]:
    """The parts in their order, in groups of at most `most` in which no channel is twice."""
    groups: list[list[Part]] = []
    seen: set[IngestChannel] = set()
    for part in parts:
        if not groups or part.channel in seen or len(groups[-1]) >= most:
            groups.append([])
            seen = set()
        groups[-1].append(part)
        seen.add(part.channel)
    return groups


def _check_part(one: Any, number: int) -> tuple[str, int]:
    try:
        name, schema, length, records = one["channel"], one["schema"], one["bytes"], one["records"]
    except (KeyError, TypeError, IndexError):
        wanted = "an object with channel, schema, bytes, records"
        raise Refusal(400, "a part is wrong", field=f"parts[{number}]", wanted=wanted) from None
    whole = type(length) is int and type(records) is int
    if not (isinstance(name, str) and isinstance(schema, str) and whole and length > 0 and records > 0):
        wanted = "text, text, whole numbers over 0"
        raise Refusal(400, "a part is wrong", field=f"parts[{number}]", wanted=wanted)
    return name, length


def _read_part(one: Json, body: memoryview, at: int, channel: IngestChannel, now: int) -> Part:
    fingerprint = one["schema"]
    try:
        records = Records(
            channel.plans[fingerprint], body, at, one["bytes"], channel.spec.block_bytes,
            channel.unit(fingerprint), now,
        )  # fmt: skip
    except RecordError as error:
        row = getattr(error, "row", 0)
        raise Refusal(
            400,
            "a record is not valid",
            channel=channel.name,
            row=row,
            reason=error.reason,
            details=str(error),
        ) from None
    if records.count != one["records"]:
        raise Refusal(
            400, "the part has another number of records", channel=channel.name, records=records.count,
            wanted=one["records"],
        )  # fmt: skip
    return Part(channel, fingerprint, records)


def _wrong(field: str, value: Any, wanted: str) -> Refusal:
    return Refusal(400, f"{field} is wrong", field=field, value=str(value)[:80], wanted=wanted)
