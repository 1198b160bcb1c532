# cython: language_level=3, boundscheck=False, wraparound=False
# Safe because a leaf's number is that of a signal of the same schema.
"""The fields of a record, as values of JSON are written into them; see `json_slot.pxd`."""

from speeddata.pack cimport Buffer, put_value
from speeddata.plan cimport (
    KIND_BOOLEAN, KIND_DOUBLE, KIND_ENUM, KIND_FLOAT, KIND_INT, KIND_LONG, KIND_RECORD, KIND_STRING, KIND_UNION, NO_BRANCH,
    Plan,
)

from speeddata.errors import RecordError
from speeddata.values_json import default_of, describe

KINDS = {"boolean": KIND_BOOLEAN, "int": KIND_INT, "long": KIND_LONG, "float": KIND_FLOAT, "double": KIND_DOUBLE,
         "string": KIND_STRING, "enum": KIND_ENUM}


cdef list add_slots(Plan plan, record, str path, str unit, list leaves):
    cdef list made = []
    cdef Slot slot
    for field in record.fields:
        slot = Slot()
        slot.name = field.name
        slot.path = f"{path}.{field.name}" if path else field.name
        slot.type = field.type
        slot.null_branch = NO_BRANCH
        made.append(slot)
        if field.type.kind == "record":
            slot.kind = KIND_RECORD
            slot.below = add_slots(plan, field.type, slot.path, unit, leaves)
            slot.wanted = "an object"
            continue
        slot.first = plan.c.leaves[<size_t>len(leaves)].first
        slot.is_time = slot.path == plan.schema.time
        value, null = field.type.without_null()
        slot.kind = KINDS.get(value.kind, KIND_UNION)
        if slot.kind != KIND_UNION and null is not None:
            slot.null_branch = null
        if slot.kind == KIND_ENUM:
            slot.symbols = {symbol: number for number, symbol in enumerate(value.symbols)}
        slot.wanted = describe(field.type, unit if slot.is_time else None)
        slot.missing = missing(plan, slot, field)
        leaves.append(slot)
    return made


cdef bytes missing(Plan plan, Slot slot, field):
    """What is written where a field is missing; None: nothing may be."""
    cdef Buffer out = Buffer()
    try:
        found, value = default_of(field)
        if not found:
            return None
        put_value(plan, slot.first, value, out, slot.path)
    except RecordError:  # a default that the field cannot hold
        return None
    return (<const char*>out.data)[:out.length] if out.length else b""
