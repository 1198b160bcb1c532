"""A batch that is to be archived: parts, each the records of one channel in whatever form they came.

A part is encoded when its channel is known. What is wrong with its values is told row by row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from reprlib import Repr
from typing import Any

import numpy as np

from speeddata.columns import decode, time_ns
from speeddata.errors import RecordError, SchemaError
from speeddata.infer_schema import Inferred, infer_columns, infer_rows
from speeddata.pivot.ingest_arrays import encode_arrays, listed, plain_times
from speeddata.pivot.ingest_specs import Known, compiled
from speeddata.pivot.problem import Problem
from speeddata.plan import Plan
from speeddata.rows_json import MAX_ERRORS, Encoded
from speeddata.schema import Schema

__all__ = ["Batch", "Columns", "Content", "Faults", "Part", "Ready", "Records", "Rows"]

MAX_LOOKED = 1_000_000  # records among which the one that is wrong is looked for
MAX_SHOWN = 100  # characters of a value
SHORT = Repr()
SHORT.maxstring = SHORT.maxother = SHORT.maxlong = MAX_SHOWN


@dataclass(frozen=True)
class Ready:
    """A part as the shared relay takes it."""

    channel: str
    fingerprint: str
    data: bytes
    count: int
    newest_ns: int | None


class Faults:
    """What is wrong with a batch: the first hundred values, and how many rows."""

    def __init__(self) -> None:
        self.errors: list[dict[str, Any]] = []
        self.rows = 0

    def add(self, channel: str, row: int | None, name: str | None, value: Any, expected: str) -> None:
        if len(self.errors) < MAX_ERRORS:
            self.errors.append(
                {"row": row, "channel": channel, "field": name, "value": _shown(value), "expected": expected}
            )

    def take(self, other: "Faults") -> None:
        """Take over what is wrong with a part."""
        self.rows += other.rows
        self.errors += other.errors[: MAX_ERRORS - len(self.errors)]

    def problem(self) -> Problem:
        first = self.errors[0]
        where = f"row {first['row']}, " if first["row"] is not None else ""
        what = f"field {first['field']!r}: " if first["field"] else ""
        error = f"Nothing was ingested: {where}{what}expected {first['expected']}"
        return Problem(400, error, errors=self.errors, rows=self.rows)


class Content:
    """The records of one channel in some form."""

    def encode(self, known: Known, given: str | None, ignore_unknown: bool, faults: Faults) -> Ready | None:
        """Encode by the channel's schema; None where anything is wrong, which `faults` is told."""
        raise NotImplementedError

    def infer(self, name: str, time_unit: str | None) -> Inferred:
        """Infer a schema for a channel of this name; SchemaError."""
        raise NotImplementedError


class Rows(Content):
    """Objects of JSON; `numbers` says which rows of the batch they are, `beside` which of their keys is no signal."""

    def __init__(
        self, rows: list[Any], beside: str | None = None, numbers: Sequence[int] | None = None
    ) -> None:
        self.rows = rows
        self.beside = beside
        self.numbers = numbers

    def encode(self, known: Known, given: str | None, ignore_unknown: bool, faults: Faults) -> Ready | None:
        made = known.encoder(given, ignore_unknown).rows(self.rows, self.beside)
        return _ready(known, made, faults, self.numbers)

    def infer(self, name: str, time_unit: str | None) -> Inferred:
        return infer_rows(self.rows, name, time_unit, self.beside)


class Columns(Content):
    """Columns by the names of the signals: lists as JSON has them, or arrays; `units` of those signals that tell theirs."""

    def __init__(self, columns: Mapping[str, Any], units: Mapping[str, str] | None = None) -> None:
        self.columns = columns
        self.units = units

    def encode(self, known: Known, given: str | None, ignore_unknown: bool, faults: Faults) -> Ready | None:
        columns: Mapping[str, Any] = self.columns
        count = self._count(known.name)
        if any(isinstance(column, np.ndarray) for column in columns.values()):
            columns, given = plain_times(columns, known.plan.schema.time, given)
            try:
                data, newest = encode_arrays(known, columns, given, ignore_unknown)
                return Ready(known.name, known.fingerprint, data, count, newest)
            except RecordError:
                columns = listed(columns)  # which is slower, and tells the rows
        made = known.encoder(given, ignore_unknown).columns(dict(columns), count)
        return _ready(known, made, faults, None)

    def _count(self, channel: str) -> int:
        lengths = {len(column) for column in self.columns.values() if column is not None}
        if len(lengths) > 1:
            told = {name: len(column) for name, column in list(self.columns.items())[:20]}
            raise Problem(400, "Columns of different lengths", channel=channel, lengths=told)
        return lengths.pop() if lengths else 0

    def infer(self, name: str, time_unit: str | None) -> Inferred:
        self._count(name)
        return infer_columns(self.columns, name, time_unit, self.units)


class Records(Content):
    """Records in Avro binary, back to back; `schema` is what they were written by, None: the channel's own."""

    def __init__(self, data: bytes, schema: Schema | None = None) -> None:
        self.data = data
        self.plan = Plan(schema) if schema is not None else None

    def encode(self, known: Known, given: str | None, ignore_unknown: bool, faults: Faults) -> Ready | None:
        plan = self._plan(known)
        try:
            if plan is None:
                assert self.plan is not None
                columns = decode(self.plan, self.data)
                unit = given or self.plan.schema.time_unit
                return Columns(columns).encode(known, unit, ignore_unknown, faults)
            column = decode(plan, self.data, names=[plan.schema.time])[plan.schema.time]
        except RecordError as error:
            self._find(plan or self.plan, known, error, faults)
            return None
        newest = None
        if len(column):
            ns, bad = time_ns(plan, column, known.unit)
            newest = None if bad.all() else int(ns[~bad].max())
        return Ready(known.name, plan.schema.fingerprint.hex(), self.data, len(column), newest)

    def _plan(self, known: Known) -> Plan | None:
        """The plan of the channel's schema, or a version of it, that these records are of; None: they are of another."""
        if self.plan is None:
            return known.plan
        for plan in known.versions():
            ours, theirs = plan.schema, self.plan.schema
            if ours.fingerprint == theirs.fingerprint and theirs.time_unit in (
                None,
                ours.time_unit,
                known.unit,
            ):
                return plan
        return None

    def _find(self, plan: Plan | None, known: Known, error: RecordError, faults: Faults) -> None:
        """Tell which record it is that is none."""
        at, row = 0, 0
        faults.rows += 1
        try:
            while plan is not None and at < len(self.data) and row < MAX_LOOKED:
                at += plan.walk(self.data, at)[0]
                row += 1
        except RecordError as found:
            faults.add(known.name, row, None, None, f"a record of the channel's schema ({found})")
            return
        faults.add(known.name, None, None, None, f"records of the channel's schema ({error})")

    def infer(self, _: str, time_unit: str | None) -> Inferred:
        if self.plan is None:
            raise SchemaError("records alone tell no schema; send a container file, or register the channel")
        schema = self.plan.schema
        return Inferred(schema.json, time_unit if schema.time_unit is None else None)


def _ready(known: Known, made: Encoded, faults: Faults, numbers: Sequence[int] | None) -> Ready | None:
    if not made.wrong:
        return Ready(known.name, known.fingerprint, made.data, made.count, made.newest_ns)
    faults.rows += made.wrong
    for row, name, value, expected in made.errors:
        faults.add(
            known.name, numbers[row] if numbers and row is not None else row, name or None, value, expected
        )
    return None


def _shown(value: Any) -> Any:
    """A value as an error can show it in JSON."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return value if abs(value) < 2**63 else repr(value)[:MAX_SHOWN]
    if isinstance(value, str):
        return value if len(value) <= MAX_SHOWN else f"{value[: MAX_SHOWN - 3]}..."
    try:
        return SHORT.repr(value)
    except Exception:  # of a foreign __repr__
        return f"a {type(value).__name__}"


@dataclass
class Part:
    """Records for one channel. With a `schema` it is written by that, and made with it where it may be made."""

    channel: str
    content: Content
    schema: Schema | None = None
    config: Mapping[str, Any] = field(default_factory=dict)  # of the channel, where it is made

    def given(self) -> Known | None:
        """What is known of the channel without asking for it."""
        if self.schema is None:
            return None
        plan = compiled(self.schema.text.encode(), self.schema.time_unit)
        return Known(self.channel, {}, plan, plan.schema.time_unit)


@dataclass
class Batch:
    """Parts that are archived together or not at all."""

    parts: Sequence[Part]
    time_unit: str | None = None  # of times that come as numbers; None: the channel's
    ignore_unknown: bool = False
    size: int = 0  # bytes that it came in, where they are known

    def encode(self, known: Mapping[str, Known]) -> list[Ready]:
        """Encode all parts; Problem tells all that is wrong with them."""
        faults = Faults()
        ready = [
            part.content.encode(known[part.channel], self.time_unit, self.ignore_unknown, faults)
            for part in self.parts
        ]
        if faults.errors:
            raise faults.problem()
        return [part for part in ready if part is not None]
