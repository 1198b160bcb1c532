"""A channel's archive that grows block by block as under its relay, with numbered records."""

import os
from pathlib import Path
from typing import Any

import segments as made

STEP_NS = 1_000_000
WIDER = made.SCHEMA | {"fields": [*made.SCHEMA["fields"], {"name": "current", "type": ["null", "double"]}]}


class GrowingChannel:
    """Its records are numbered by `counter`, whatever their time."""

    def __init__(self, archive: Path, name: str = "engine") -> None:
        self.folder = archive / name
        self.number = 0  # of the next record
        self.path: Path | None = None
        self._schema: dict[str, Any] = made.SCHEMA
        self._sync = b""
        self._begun = made.START

    def begin(self, *, wider: bool = False, begun: int | None = None) -> None:
        """Open the next segment, empty; its name tells when it was begun."""
        self._begun = self._begun + 1_000_000 if begun is None else begun
        self._schema = WIDER if wider else made.SCHEMA
        self._sync = os.urandom(16)
        self.path = made.write_segment(self.folder, [], self._schema, start=self._begun, sync=self._sync)

    def add(self, *times: int, index: bool = True) -> None:
        """Write a block of records of these times, in ms after the start: first the data, then the index entry."""
        if self.path is None:
            self.begin()
        assert self.path is not None
        rows = []
        for time in times:
            row = made.record(self.number, made.START + time * STEP_NS)
            rows.append(row | ({"current": float(self.number)} if self._schema is WIDER else {}))
            self.number += 1
        packed = made.block(len(rows), made.encode(self._schema, rows), self._sync)
        offset = self.path.stat().st_size
        with self.path.open("ab") as file:
            file.write(packed)
        if index:
            with self.path.with_suffix(".idx").open("ab") as file:
                file.write(made.entry(offset, packed, [row["time"] for row in rows], self._begun))

    def reseal(self, codec: str = "deflate") -> None:
        """Put a compressed copy in the place of the segment, as sealing does: another sync marker, other offsets."""
        assert self.path is not None
        from speeddata.relay.recompression import recompress
        from speeddata.verify import signature_of

        recompress(self.path, codec, signature_of(self.path), lambda: None)


def counters(channels: list[Any]) -> list[int]:
    """The numbers of the records in some channels."""
    return [int(number) for channel in channels for number in channel.signal["counter"]]
