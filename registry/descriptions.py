"""How the API shows a channel: pure."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from speeddata.registry.multicast import Streams
from speeddata.registry.specs import decimation
from speeddata.registry.store import Channel
from speeddata.times import format_time

__all__ = ["WITHOUT_PORT", "Fault", "condition", "describe"]

Json = dict[str, Any]
STATUSES = {True: "active", False: "registered"}  # SpeedData 0.6's words
WITHOUT_PORT = "ingest"  # state of a channel that has no relay of its own


@dataclass(frozen=True)
class Fault:
    """Why a channel could not be started."""

    reason: str
    since_ns: int


def describe(
    channel: Channel,
    running: Json | None,
    condition: Json,
    settings: Mapping[str, Any],
    streams: Streams | None,
    ingested: Json | None,
    schemas: int,
    archive: str,
) -> Json:
    """A channel: what is registered, what its relay says, and what came by HTTP."""
    stats = running["stats"] if running else None
    about: Json = {
        "name": channel.name,
        "port": channel.port,
        "schema_path": channel.schema_path,
        "status": STATUSES[bool(running and running["pid"]) or channel.port is None],
        "created_at": channel.created_at,
        "pid": running["pid"] if running else None,
        "last_heartbeat": _seconds((stats or {}).get("heartbeat")),
        **condition,
        "stats": stats and _shown(stats),
        "ingested": ingested,
        "live": settings["live"],
        "multicast": streams and streams.to_json(),
        "source": (stats or {}).get("source"),
        "time_unit": (stats or {}).get("time_unit") or channel.time_unit,
        "schema": channel.fingerprint,
        "schemas": schemas,
        "framing": settings["framing"],
        "decimation": decimation(settings),
        "archive": archive,
    }
    if running and "sources" in running:
        about["sources"] = [one | {"last": format_time(one["last"])} for one in running["sources"]]
    return about if channel.config is None else about | {"config": channel.config}


def _shown(stats: Json) -> Json:
    """Counters with the times among them as text."""
    durable = stats.get("durable_until")
    return stats | {"since": format_time(stats["since"]), "durable_until": durable and format_time(durable)}


def condition(port: int | None, running: Json | None, fault: Fault | None, trouble: str) -> Json:
    """State, reason and since of a channel: what the keeper says, else why it was not started."""
    if running:
        since = running["since"]
        return {"state": running["state"], "reason": running["reason"] or "", "restarts": running["restarts"],
                "since": format_time(since)}  # fmt: skip
    if port is None:
        return {"state": WITHOUT_PORT, "reason": "", "restarts": 0, "since": None}
    if fault:
        since = fault.since_ns
        return {"state": "backoff", "reason": fault.reason, "restarts": 0, "since": format_time(since)}
    return {"state": "stopped", "reason": trouble, "restarts": 0, "since": None}


def _seconds(stamp_ns: Any) -> str | None:
    """A time as SpeedData 0.6 wrote it."""
    if not isinstance(stamp_ns, int):
        return None
    return datetime.datetime.fromtimestamp(stamp_ns // 10**9, datetime.UTC).strftime("%Y-%m-%d %H:%M:%S")
