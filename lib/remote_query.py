"""Queries to a history service, whose answers come as Arrow in parts, as channels."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

from speeddata.channel import Channel
from speeddata.counted import counted
from speeddata.remote_http import Service

__all__ = ["fetch", "signals"]

ARROW = "application/vnd.apache.arrow.stream"
KEPT = (
    "avg",
    "sum",
    "min",
    "max",
    "first",
    "last",
    "stddev",
    "median",
    "twa",
)  # aggregates in the unit of the signal
FEW = 1000  # records, of which an answer may have so many whatever the number of signals


def signals(service: Service, channels: Iterable[str] = ()) -> list[dict[str, Any]]:
    """The catalogue of signals, or of those of some channels."""
    params = {"channels": ",".join(channels)}
    found: list[dict[str, Any]] = []
    while True:
        answer = service.json(
            "GET", "/signals", params={key: value for key, value in params.items() if value}
        )
        found += answer["signals"]
        if not answer.get("cursor"):
            return found
        params["cursor"] = answer["cursor"]


def fetch(
    service: Service,
    channel: str,
    asked: Mapping[str, Any],
    limit: int | None = None,
    most: int | None = None,
) -> Channel:
    """What a query about one channel gives, all parts of it or the first `limit` records.

    ValueError where that is more than `most` records.
    """
    raw = not any(asked.get(name) for name in ("every", "width", "aggregates"))
    tables: list[Any] = []
    count, cursor, damages = 0, None, 0
    units: dict[str, str] = {}
    while True:
        params = {"channels": channel, **asked}
        if raw and limit is not None and limit - count <= FEW:
            params["limit"] = str(max(1, limit - count))
        if cursor:
            params["cursor"] = cursor
        answer = service.ask("GET", "/query", params=params, headers={"Accept": ARROW})
        with pa.ipc.open_stream(answer.content) as stream:
            tables.append(stream.read_all())
        about = {key.decode(): value.decode() for key, value in (tables[-1].schema.metadata or {}).items()}
        units |= json.loads(about.get("units", "{}"))
        count, cursor, damages = (
            count + len(tables[-1]),
            about.get("cursor"),
            damages + int(about.get("damages", 0)),
        )
        if most is not None and count > most:
            raise ValueError(
                f"channel {channel!r} has more than {most} records there; take a range by between(), fewer by resample(), or "
                "open it with a larger `most`"
            )
        if not cursor or (limit is not None and count >= limit):
            break
    table = pa.concat_tables([one.replace_schema_metadata() for one in tables], promote_options="default")
    made = Channel.from_arrow(table.slice(0, limit) if limit is not None else table, channel)
    for name, signal in made.signal.items():
        signal.unit = units.get(name) or (_unit(units, name) if not raw else None)
    if damages:
        made.damage = [{"reason": f"{counted(damages, 'damaged place', '')} left out"}]
    return made


def _unit(units: Mapping[str, str], name: str) -> str | None:
    """The unit of an aggregate, named such as `speed.avg`."""
    signal, _, aggregate = name.rpartition(".")
    return units.get(signal) if aggregate in KEPT else None
