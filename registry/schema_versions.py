"""Versions of a channel's schema: the newest is in the channel's own row, those before it in rows of their own.

Packets tell by fingerprint which version they are of, so a fingerprint is a channel's only once.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from speeddata.limits import MAX_LIMITED
from speeddata.registry.alarm import limited_sides
from speeddata.registry.compatibility import incompatibilities
from speeddata.registry.problems import ApiProblem, wrong_value
from speeddata.registry.registration import Registration, read_channel
from speeddata.registry.store import Channel, Store

__all__ = [
    "MAX_VERSIONS",
    "SchemaVersion",
    "SchemaVersions",
    "check_compatible",
    "check_framing",
    "with_schema",
]

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

    def next_number(self, newer: Channel, *, force: bool = False) -> int:
        """The number that the schema of `newer` gets.

        409 if it is registered already, if with it there is too much, and unless by `force` if what was recorded cannot be read by it.
        """
        known = self.of(newer.name)
        for one in known:
            if one.fingerprint == newer.fingerprint:
                raise ApiProblem(
                    409,
                    "Schema already registered",
                    field="schema",
                    name=newer.name,
                    fingerprint=newer.fingerprint,
                    version=one.version,
                    details="packets tell by the fingerprint which version they are of",
                )
        if len(known) >= MAX_VERSIONS:
            raise ApiProblem(
                409,
                "Too many versions of the schema",
                field="schema",
                details=f"schema: there are {len(known)} versions, and no more can be",
                name=newer.name,
                versions=len(known),
                wanted=f"at most {MAX_VERSIONS}",
            )
        _check_limited(newer.name, [*(one.schema for one in known), newer.schema])
        if not force:
            for one in known:
                check_compatible(newer, one)
        return len(known) + 1

    def check_limits(self, channel: Channel) -> None:
        """Whether a channel's versions together have not too many signals with limits; 409 if they have."""
        _check_limited(channel.name, [*self.former(channel.name), channel.schema])

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


def _check_limited(name: str, schemas: Sequence[str]) -> None:
    limited = {about["signal"] for schema in schemas for about, _ in limited_sides(schema)}
    if len(limited) > MAX_LIMITED:
        wanted = f"at most {MAX_LIMITED} over all versions of the schema"
        raise ApiProblem(
            409,
            "Too many signals with limits",
            field="schema",
            details=f"schema: {len(limited)} signals have limits, wanted {wanted}",
            name=name,
            signals=len(limited),
            wanted=wanted,
        )


def check_compatible(newer: Channel, former: SchemaVersion) -> None:
    """Whether records of a former version can be read by a newer one, by Avro's rules of schema resolution; 409 if not."""
    reasons = incompatibilities(json.loads(newer.schema), json.loads(former.schema))
    if reasons:
        raise ApiProblem(
            409,
            "Schema is not compatible",
            field="schema",
            details=f"records of version {former.version} cannot be read by it: {reasons[0]}",
            hint="force: true registers it all the same",
            name=newer.name,
            version=former.version,
            incompatibilities=reasons,
        )


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
