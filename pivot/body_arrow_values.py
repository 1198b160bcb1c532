"""What the values of Arrow columns come to when each is written out by itself, told before that is done.

A few bytes can stand for any number of values: by run ends, views, dictionaries, or types without any bytes. Kinds whose size
cannot be told from their buffers are refused.
"""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as kinds

from speeddata.pivot.problem import Problem

__all__ = ["require_plain", "written_out"]

OBJECT = 8  # bytes that a value takes at least, which becomes an object
REFUSED = (
    kinds.is_run_end_encoded, kinds.is_string_view, kinds.is_binary_view, kinds.is_list_view,
    kinds.is_large_list_view, kinds.is_union,
)  # fmt: skip
WANTED = "columns of numbers, times, texts, bytes, dictionaries of these, lists, structs and maps"


def require_plain(schema: pa.Schema) -> None:
    """Problem 400 for a column of a kind that is not taken."""
    for field in schema:
        type_ = field.type
        if kinds.is_dictionary(type_):
            type_ = type_.value_type
            if kinds.is_nested(type_):
                raise _refused(field)
        if not _is_plain(type_):
            raise _refused(field)


def _is_plain(type_: Any) -> bool:
    if isinstance(type_, pa.BaseExtensionType):
        return _is_plain(type_.storage_type)
    if kinds.is_dictionary(type_) or any(refused(type_) for refused in REFUSED):
        return False
    return all(_is_plain(type_.field(place).type) for place in range(type_.num_fields))


def _refused(field: "pa.Field[Any]") -> Problem:
    return Problem(
        400, f"A column of type {str(field.type)[:100]} is not taken", field=field.name[:200], wanted=WANTED
    )


def written_out(column: "pa.ChunkedArray[Any]") -> int:
    """The bytes of a column's values, each by itself; of those that become objects, with what that takes."""
    if kinds.is_integer(column.type) or kinds.is_floating(column.type):
        return int(column.nbytes)
    return sum(_size(chunk) for chunk in column.chunks)


def _size(chunk: Any) -> int:
    type_, count = chunk.type, len(chunk)
    if isinstance(type_, pa.BaseExtensionType):
        return _size(chunk.storage)
    if kinds.is_dictionary(type_):
        return OBJECT * count + _picked(chunk)
    if kinds.is_map(type_):
        return OBJECT * count + _size(chunk.keys) + _size(chunk.items)
    if kinds.is_nested(type_):
        parts = chunk.flatten()
        return OBJECT * count + sum(map(_size, parts if isinstance(parts, list) else [parts]))
    return OBJECT * count + int(chunk.nbytes)


def _picked(chunk: Any) -> int:
    """The bytes of the values that a dictionary's indices pick."""
    value = chunk.type.value_type
    if kinds.is_primitive(value) or kinds.is_null(value) or kinds.is_decimal(value):
        return OBJECT * len(chunk)
    if kinds.is_fixed_size_binary(value):
        return int(value.byte_width) * len(chunk)
    lengths = pc.binary_length(chunk.dictionary).cast(pa.int64())
    return int(pc.sum(pc.take(lengths, chunk.indices)).as_py() or 0)
