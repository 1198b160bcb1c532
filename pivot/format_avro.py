"""Writes one stream of an export as an Avro container file.

Records of one channel that are as the archive has them keep its schema, or the union of its versions; others get a schema
made for them, whose fields are named like the columns as far as Avro lets them be.
"""

import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from speeddata.compression import Compressor
from speeddata.container import pack_block, pack_head
from speeddata.pivot.arrow_types import json_text
from speeddata.pivot.export_column import Column
from speeddata.pivot.export_options import Options
from speeddata.pivot.export_room import Room, outcome
from speeddata.pivot.export_sink import Sink, table_rows
from speeddata.pivot.export_stream import Stream
from speeddata.plan import Plan
from speeddata.regroup import pieces
from speeddata.rows import encode
from speeddata.schema import Schema
from speeddata.table import Array, Table
from speeddata.tree import NUMBERS

__all__ = ["write"]

BLOCK_ROWS = 1 << 14
BLOCK_BYTES = 1 << 20  # about the largest size of a block, in memory
SCALES = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
PRIMITIVES = ("int", "long", "float", "double", "boolean", "string", "bytes")


def write(stream: Stream, sink: Sink, about: Mapping[str, str], options: Options) -> None:
    """Write a stream."""
    records = Own(stream.schema) if stream.schema and fits(stream.schema) else Derived(stream.columns)
    room, sync = Room(), os.urandom(16)
    told = {"avro.schema": records.plan.schema.text, "avro.codec": codec(options.compression)}
    told |= {**about, "speeddata.time_unit": records.unit, "speeddata.outcome": room.text}
    compressor = None if options.compression == "none" else Compressor(options.compression)
    sink.write(pack_head({key: value.encode() for key, value in told.items()}, sync))
    for table in pieces(stream, lambda size: table_rows(size, BLOCK_ROWS, BLOCK_BYTES)):
        content = encode(records.plan, records.columns(table))
        sink.write(pack_block(len(table), compressor.compress(content) if compressor else content, sync))
        sink.check()
    sink.check()
    room.fill(sink.fileno(), outcome(stream.records, stream.gaps, stream.damage))


def codec(compression: str) -> str:
    """Avro's word for a compression."""
    return "null" if compression == "none" else compression


def fits(schema: Schema) -> bool:
    """Whether every time that a record can be given can be written as its field has it."""
    return bool(schema.time) and _time_kind(schema) in ("long", "double")


def _time_kind(schema: Schema) -> str:
    field = next(field for field in schema.record.fields if field.name == schema.time)
    return field.type.without_null()[0].kind


class Own:
    """Records with the schema that they came with."""

    def __init__(self, schema: Schema) -> None:
        self.plan = Plan(schema)
        self._double = _time_kind(schema) == "double"
        self.unit = schema.time_unit or ("s" if self._double else "ns")

    def columns(self, table: Table) -> dict[str, Array]:
        """All columns as the schema names them."""
        scale = SCALES[self.unit]
        whole = table.time_ns // scale
        time = whole if not self._double else whole + (table.time_ns - whole * scale) / scale
        return {**table.columns, self.plan.schema.time: time}


class Derived:
    """Records with a schema that is made for them."""

    unit = "ns"

    def __init__(self, columns: Sequence[Column]) -> None:
        fields: list[dict[str, Any]] = [
            {"name": "time", "type": {"type": "long", "logicalType": "timestamp-nanos"}}
        ]
        self._names: dict[str, Column] = {}
        for column in columns:
            name = self._free(re.sub(r"[^A-Za-z0-9_]", "_", column.name))
            self._names[name] = column
            given = _avro_type(column)
            stated = {"unit": column.unit} if column.unit else {}
            if name != column.name:
                stated["name"] = column.name
            field = {"name": name, "type": ["null", given] if column.nullable else given}
            fields.append(field | ({"speeddata": stated} if stated else {}))
        schema = {"type": "record", "name": "export", "namespace": "speeddata", "fields": fields}
        self.plan = Plan(Schema.parse(schema))

    def _free(self, name: str) -> str:
        name = f"_{name}" if name[:1].isdigit() else name
        while name == "time" or name in self._names:
            name += "_"
        return name

    def columns(self, table: Table) -> dict[str, Array]:
        """All columns as the schema names them."""
        made = {"time": table.time_ns}
        for name, column in self._names.items():
            values = table.columns[column.name]
            if _is_text(column):
                texts = np.empty(len(values), object)
                for row, value in enumerate(values):
                    texts[row] = json_text(value) or (None if column.nullable else "null")
                values = texts
            made[name] = values
        return made


def _is_text(column: Column) -> bool:
    """Whether its values are given as JSON text."""
    return column.kind not in (*PRIMITIVES, "enum", "fixed") and _item(column) is None


def _item(column: Column) -> str | None:
    """What the arrays of a column hold, where it is numbers."""
    if column.kind != "array" or column.type is None:
        return None
    item = column.type.inner[0].kind
    return item if item in NUMBERS else None


def _avro_type(column: Column) -> Any:
    if column.kind in PRIMITIVES:
        return column.kind
    item = _item(column)
    if item is not None:
        return {"type": "array", "items": item}
    return "bytes" if column.kind == "fixed" else "string"
