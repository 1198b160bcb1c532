"""A channel as the shared relay knows it: its schema's versions, the segment it appends to, what it has counted."""

import json
import math
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from speeddata.errors import ConfigError, SchemaError
from speeddata.plan import TIME_UNITS, Plan
from speeddata.relay.channel import segment_header
from speeddata.relay.ingest_protocol import Refusal
from speeddata.relay.ingest_records import Records
from speeddata.relay.ingest_segment import IngestSegment
from speeddata.relay.repair import last_unit
from speeddata.relay.spec import ChannelSpec, Multicast
from speeddata.schema import Schema
from speeddata.settings_values import CHANNEL_NAME

__all__ = ["Counts", "IngestChannel", "read_spec"]

IDLE_S = 600.0  # after which a segment of some size is ended
IDLE_BYTES = 1 << 20
LEAST_BLOCK = 1024  # bytes
UNITS = {number: name for name, number in TIME_UNITS.items()}


@dataclass(slots=True)
class Counts:
    """What was done for a channel, or for all, since the shared relay started."""

    records: int = 0  # that were taken
    batches: int = 0
    bytes: int = 0
    bad_time: int = 0
    archived: int = 0  # records in the archive
    lost: int = 0  # records that a failed fsync cost
    rescued: int = 0  # records written once more after one
    live_packets: int = 0
    live_failed: int = 0
    live_error: str | None = None  # why what came last is not sent live

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def read_spec(value: Any) -> ChannelSpec:
    """The spec that a request brings."""
    try:
        spec = ChannelSpec.from_json(value)
        wrong = _wrong_field(spec)
    except (ConfigError, TypeError, ValueError, AttributeError) as error:
        raise Refusal(400, "not a channel spec", reason=str(error)) from None
    if wrong:
        raise Refusal(400, "not a channel spec", channel=str(spec.name)[:80], field=wrong)
    return spec


def _wrong_field(spec: ChannelSpec) -> str:
    """A field that the shared relay could not work with; empty where it can with all."""
    archive, rotation = spec.archive, spec.rotation
    right = {
        "name": isinstance(spec.name, str) and CHANNEL_NAME.fullmatch(spec.name),
        "archive": isinstance(archive, str) and os.path.isabs(archive) and b"\0" not in os.fsencode(archive),
        "versions": isinstance(spec.versions, list),
        "time_unit": spec.time_unit is None or isinstance(spec.time_unit, str),
        "block_bytes": _is_whole(spec.block_bytes, LEAST_BLOCK, 2**32),
        "flush_interval_s": _is_number(spec.flush_interval_s),
        "rotation": _is_number(rotation.bytes) and _is_number(rotation.seconds),
        "multicast": spec.multicast is None or _is_right(spec.multicast),
    }
    return next((field for field, found in right.items() if not found), "")


def _is_right(multicast: Multicast) -> bool:
    groups = multicast.full_rate, multicast.decimated
    addresses = [multicast.interface, *(group.address for group in groups)]
    return (
        all(isinstance(address, str) and address.isascii() for address in addresses)
        and all(_is_whole(group.port, 1, 65535) for group in groups)
        and _is_whole(multicast.ttl, 0, 255)
    )


def _is_whole(value: Any, low: int, high: int) -> bool:
    return type(value) is int and low <= value <= high


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and 0 <= value < math.inf


@lru_cache(maxsize=1024)
def _plan(schema: str, time_unit: str | None) -> Plan:
    return Plan(Schema.parse(schema, time_unit=time_unit))


class IngestChannel:
    """One channel."""

    def __init__(self, spec: ChannelSpec, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.counts = Counts()
        self.segment: IngestSegment | None = None
        # Of the segment: the schema it has, when it was begun and last appended to (monotonic).
        self.plan: Plan | None = None
        self.begun = self.touched = 0.0
        # Units of time that records have told, by the fingerprint of the schema.
        self._units: dict[str, int] = {}
        self.use(spec)

    def use(self, spec: ChannelSpec) -> None:
        """Go on with another spec. Refusal where its schema is none."""
        try:
            texts = [_text(schema) for schema in (*spec.versions, spec.schema)]
            plans = [_plan(text, spec.time_unit) for text in texts]
        except SchemaError as error:
            raise Refusal(400, "not a channel spec", channel=spec.name, reason=str(error)) from None
        # Versions by fingerprint, hex. What the spec has of schemas is not kept twice.
        self.plans = {plan.schema.fingerprint.hex(): plan for plan in plans}
        self.spec = replace(spec, schema={}, versions=[])

    @property
    def name(self) -> str:
        return self.spec.name

    def unit(self, fingerprint: str) -> int:
        """The number of the unit that times of a version are in; 0 where nothing has told it yet."""
        plan = self.plans[fingerprint]
        if plan.schema.time_unit:
            return TIME_UNITS[plan.schema.time_unit]
        if fingerprint not in self._units:
            known = last_unit(Path(self.spec.archive), self.name, plan.schema.fingerprint)
            self._units[fingerprint] = TIME_UNITS.get(known or "", 0)
        return self._units[fingerprint]

    def note_unit(self, fingerprint: str, unit: int) -> None:
        """Records have told the unit."""
        if unit and not self.plans[fingerprint].schema.time_unit:
            self._units[fingerprint] = unit

    def must_end(self, records: Records) -> bool:
        """Whether the segment cannot, or is not to, take these records."""
        if self.segment is None:
            return False
        length, entries, _ = self.segment.place
        limit = self.spec.rotation.bytes
        return (
            self.plan is not records.plan
            or self.segment.unit != records.unit
            or bool(limit and entries and length + records.size > limit)
            or self.too_old()
        )

    def too_old(self) -> bool:
        """Whether the segment is to end by its age, or because nothing comes any more."""
        if self.segment is None:
            return False
        now, limit = self.clock(), self.spec.rotation.seconds
        idle = now - self.touched >= IDLE_S and self.segment.place[0] >= IDLE_BYTES
        return idle or bool(limit and now - self.begun >= limit)

    def begin(self, records: Records) -> IngestSegment:
        """Begin a segment for these records. OSError when that cannot be."""
        folder = self.spec.archive
        os.makedirs(folder, mode=0o750, exist_ok=True)
        header = segment_header(self.name, records.plan.schema.text, UNITS.get(records.unit))
        segment = IngestSegment(self.name, folder, header, records.unit)
        segment.begin(records.arrival_ns // 1000)
        self.segment, self.plan = segment, records.plan
        self.begun = self.touched = self.clock()
        return segment

    def let_go(self) -> None:
        """Have no segment any more."""
        if self.segment is not None:
            self.segment.close()
        self.segment = self.plan = None


def _text(schema: Any) -> str:
    return json.dumps(schema, separators=(",", ":"))
