from collections.abc import Mapping
from typing import Any

from numpy.typing import ArrayLike

from speeddata.plan import Plan
from speeddata.schema import Schema

def encode(plan: Plan | Schema, columns: Mapping[str, ArrayLike]) -> bytes:
    """Encode columns as records back to back: the reverse of `speeddata.columns.decode`.

    There must be one column for each signal, all equally long. Null are None, masked values and, in a nullable float or
    double without a mask, `numpy.nan`. RecordError names field, row, value and what was expected.
    """

def encode_record(plan: Plan | Schema, record: Mapping[str, Any]) -> bytes:
    """Encode one record from a mapping of its fields, as fastavro takes it: nested records are mappings too.

    A field that is missing takes its default, or null. RecordError names the field, the value and what was expected.
    """
