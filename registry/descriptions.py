"""How the API shows a channel: pure.

What follows from its row alone is told apart from what changes while it runs, so that of thousands of channels the first need
not be made again each time that somebody asks.
"""

import datetime
import zlib
from collections.abc import Mapping
from typing import Any

from speeddata.registry.conditions import WITHOUT_PORT
from speeddata.registry.multicast import Streams
from speeddata.registry.specs import decimation
from speeddata.registry.store import Channel
from speeddata.times import format_time

__all__ = ["describe_row", "describe_run"]

Json = dict[str, Any]
STATUSES = {True: "active", False: "registered"}  # SpeedData 0.6's words


def describe_row(
    channel: Channel, settings: Mapping[str, Any], streams: Streams | None, archive: str
) -> Json:
    """What is registered; of what runs, what is said while nothing does."""
    about: Json = {
        "name": channel.name,
        "port": channel.port,
        "schema_path": channel.schema_path,
        "status": STATUSES[channel.port is None],
        "created_at": channel.created_at,
        "pid": None,
        "last_heartbeat": None,
        "state": WITHOUT_PORT if channel.port is None else "stopped",
        "reason": "",
        "restarts": 0,
        "since": None,
        "ttl": channel.ttl_s,
        "expires_in_s": None,
        "stats": None,
        "ingested": None,
        "live": settings["live"],
        "multicast": streams and streams.to_json(),
        "source": None,
        "time_unit": channel.time_unit,
        "schema": channel.fingerprint,
        "schemas": 1,
        "revision": f"{zlib.crc32(channel.schema.encode()):08x}",
        "framing": settings["framing"],
        "signed": bool(settings["sign"]),
        "decimation": decimation(settings),
        "archive": archive,
    }
    return about if channel.config is None else about | {"config": channel.config}


def describe_run(running: Json | None, condition: Json) -> Json:
    """What its relay and the keeper say."""
    stats = (running or {}).get("stats")
    about: Json = {
        **condition,
        "pid": running["pid"] if running else None,
        "last_heartbeat": _seconds((stats or {}).get("heartbeat")),
        "stats": stats and _shown(stats),
        "source": (stats or {}).get("source"),
    }
    if running:
        about["status"] = STATUSES[bool(running["pid"])]
        if "sources" in running:
            about["sources"] = [one | {"last": format_time(one["last"])} for one in running["sources"]]
    if unit := (stats or {}).get("time_unit"):
        about["time_unit"] = unit
    return about


def _shown(stats: Json) -> Json:
    """Counters with the times among them as text."""
    times = {key: stats.get(key) for key in ("durable_until", "last_packet")}
    told = {key: stamp and format_time(stamp) for key, stamp in times.items()}
    return stats | {"since": format_time(stats["since"]), **told}


def _seconds(stamp_ns: Any) -> str | None:
    """A time as SpeedData 0.6 wrote it."""
    if not isinstance(stamp_ns, int):
        return None
    return datetime.datetime.fromtimestamp(stamp_ns // 10**9, datetime.UTC).strftime("%Y-%m-%d %H:%M:%S")
