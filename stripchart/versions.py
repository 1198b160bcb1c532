"""The versions of a channel's schema that its stream may be of, and what of each is shown under the signals of the newest."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from speeddata.columns import decode, time_ns
from speeddata.plan import Plan
from speeddata.schema import Schema
from speeddata.stripchart.catalogue import ChannelInfo

MARK = b"\xc3\x01"  # Avro's single-object encoding: this, the fingerprint, the record


@dataclass(frozen=True)
class Records:
    """Decoded records of one version."""

    columns: Mapping[str, NDArray[Any]]
    """Of the signals that the newest version has too."""
    times: NDArray[np.int64]
    bad: NDArray[np.bool_]
    """Times that cannot be right."""


class Version:
    """One version."""

    def __init__(self, schema: Schema, newest: Schema) -> None:
        self.plan = Plan(schema)
        wanted = {(signal.name, signal.type, signal.unit) for signal in newest.signals}
        # Signals that are the newest version's too: of the same name, type and unit.
        self.shown = [one.name for one in schema.signals if (one.name, one.type, one.unit) in wanted]

    def decode(self, data: bytes, count: int) -> Records:
        """Decode records."""
        time = self.plan.schema.time
        columns = decode(self.plan, data, count, {*self.shown, time})
        times, bad = time_ns(self.plan, columns[time])
        return Records({name: columns[name] for name in self.shown}, times, bad)


def versions(info: ChannelInfo) -> dict[bytes, Version]:
    """A channel's versions by what stands before a record of them: nothing where its stream is plain."""
    if not info.versions:
        return {b"": Version(info.schema, info.schema)}
    return {MARK + schema.fingerprint: Version(schema, info.schema) for schema in info.versions}
