"""Versions of a channel's schema: the newest is in the channel's own row, those before it in rows of their own.

Packets tell by fingerprint which version they are of, so a fingerprint is a channel's only once.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from speeddata.limits import MAX_LIMITED
from speeddata.registry.alarm import limited_sides
from speeddata.registry.problems import ApiProblem, wrong_value
from speeddata.registry.registration import Registration, read_channel
from speeddata.registry.store import Channel, Store

__all__ = ["MAX_VERSIONS", "SchemaVersion", "SchemaVersions", "check_framing", "with_schema"]

MAX_VERSIONS = 16  # of a channel's schema, as many as a relay takes


@dataclass(frozen=True)
class SchemaVersion:
    """One version of a channel's schema."""

    version: int  # 1 is the oldest
    fingerprint: str  # hex
    time_unit: str | None  # as schema or config state it
    created_at: str
    schema: str  # JSON

    def to_json(self) -> dict[str, Any]:
        """The form that the API shows."""
        return {
            "version": self.version,
            "fingerprint": self.fingerprint,
            "time_unit": self.time_unit,
            "created_at": self.created_at,
            "schema": json.loads(self.schema),
        }


class SchemaVersions:
    """The versions of all channels' schemas in one registry."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def of(self, name: str) -> list[SchemaVersion]:
        """The versions of a channel, oldest first; none when there is no such channel."""
        with self.store.reading() as reader:
            rows = reader.execute(
                "SELECT version, fingerprint, time_unit, followed_at, schema FROM former_schemas"
                " WHERE channel = :name UNION ALL"
                " SELECT (SELECT count(*) + 1 FROM former_schemas WHERE channel = :name),"
                " fingerprint, time_unit, created_at, schema FROM channels WHERE name = :name ORDER BY 1",
                {"name": name},
            ).fetchall()
        # The channel's row tells when its first version was registered, each of the others when the next one was.
        stamps = [row[3] for row in rows[-1:] + rows[:-1]]
        return [
            SchemaVersion(version, fingerprint, time_unit, stamp, schema)
            for (version, fingerprint, time_unit, _, schema), stamp in zip(rows, stamps, strict=True)
        ]

    def former(self, name: str) -> list[str]:
        """The schemas of a channel before its newest one, oldest first."""
        with self.store.reading() as reader:
            rows = reader.execute(
                "SELECT schema FROM former_schemas WHERE channel = ? ORDER BY version", (name,)
            ).fetchall()
        return [schema for (schema,) in rows]

    def counts(self) -> dict[str, int]:
        """How many versions the schemas have, of channels that have more than one."""
        with self.store.reading() as reader:
            return dict(
                reader.execute("SELECT channel, count(*) + 1 FROM former_schemas GROUP BY channel").fetchall()
            )

    def next_number(self, newer: Channel) -> int:
        """The number that the schema of `newer` gets; 409 if it is registered already, or with it there is too much."""
        known = self.of(newer.name)
        for one in known:
            if one.fingerprint == newer.fingerprint:
                raise ApiProblem(
                    409,
                    "Schema already registered",
                    name=newer.name,
                    fingerprint=newer.fingerprint,
                    version=one.version,
                    details="packets tell by the fingerprint which version they are of",
                )
        if len(known) >= MAX_VERSIONS:
            raise ApiProblem(
                409,
                "Too many versions of the schema",
                name=newer.name,
                versions=len(known),
                wanted=f"at most {MAX_VERSIONS}",
            )
        schemas = [*(one.schema for one in known), newer.schema]
        limited = {about["signal"] for schema in schemas for about, _ in limited_sides(schema)}
        if len(limited) > MAX_LIMITED:
            raise ApiProblem(
                409,
                "Too many signals with limits",
                name=newer.name,
                signals=len(limited),
                wanted=f"at most {MAX_LIMITED} over all versions of the schema",
            )
        return len(known) + 1

    @contextmanager
    def adding(self, newer: Channel, number: int) -> Iterator[None]:
        """Make the schema of `newer` its channel's newest version, at the end of the context unless that fails."""
        with self.store.transaction() as writer:
            writer.execute(
                "INSERT INTO former_schemas (channel, version, schema_path, schema, fingerprint, time_unit)"
                " SELECT name, ?, schema_path, schema, fingerprint, time_unit FROM channels WHERE name = ?",
                (number - 1, newer.name),
            )
            writer.execute(
                "UPDATE channels SET schema_path = ?, schema = ?, fingerprint = ?, time_unit = ? WHERE name = ?",
                (newer.schema_path, newer.schema, newer.fingerprint, newer.time_unit, newer.name),
            )
            yield


def check_framing(framing: str) -> None:
    """Whether the packets of a channel can be of several versions; 400 if not."""
    if framing != "single_object":
        wanted = "single_object: only framed packets tell which version of the schema they are of"
        raise wrong_value("Channel cannot have versions of its schema", "framing", framing, wanted)


def with_schema(channel: Channel, source: str | dict[str, Any], folder: Path) -> Channel:
    """A channel with another schema, read as at its registration."""
    config = None if channel.config is None else dict(channel.config)
    read = read_channel(Registration(channel.name, channel.port, source, config), folder)
    return replace(
        channel,
        schema_path=read.schema_path,
        schema=read.schema,
        fingerprint=read.fingerprint,
        time_unit=read.time_unit,
    )
