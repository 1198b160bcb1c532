"""From a registered channel and the settings to the spec that its relay is started with: pure, but that it looks which cores there are."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from speeddata.registry.multicast import Streams
from speeddata.registry.store import Channel
from speeddata.settings import overlay
from speeddata.settings_rules import cross_check
from speeddata.settings_table import rows
from speeddata.settings_values import Problem, check_channel

__all__ = ["channel_problems", "channel_settings", "decimation", "rotation", "spec"]

ROWS = rows("relay")
PLAIN = (
    "framing",
    "block_bytes",
    "block_age_s",
    "flush_interval_s",
    "ring_bytes",
    "receive_buffer_bytes",
    "gro",
    "busy_poll",
    "cpus",
    "durability",
    "quarantine_bytes",
    "sources",
    "live",
)
DAY_S = 86400
# The thresholds of SpeedData 0.6 where only the mode was given.
V06_THRESHOLDS = {"time": 3600, "size": 52428800}


def channel_settings(config: Mapping[str, Any] | None, relay: Mapping[str, Any]) -> dict[str, Any]:
    """The relay settings that hold for a channel with this config."""
    return overlay(relay, check_channel(config or {}, overrides_only=True).values, ROWS)


def channel_problems(config: Mapping[str, Any] | None, relay: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with a config (whose single values are in order) together with the relay settings."""
    return cross_check(channel_settings(config, relay))


def spec(
    channel: Channel,
    relay: Mapping[str, Any],
    archive: Path,
    streams: Streams | None,
    former: Sequence[str] = (),
) -> dict[str, Any]:
    """Everything a relay must know of its channel, resolved; `former` versions of its schema come oldest first.

    Without `streams` nothing of it is sent live.
    """
    settings = channel_settings(channel.config, relay)
    return {
        "name": channel.name,
        "listen": relay["listen"],
        "port": channel.port,
        "schema": json.loads(channel.schema),
        "versions": [json.loads(schema) for schema in former],
        # Not that of the channel's row, which may be stated by the newest schema alone.
        "time_unit": (channel.config or {}).get("time_unit"),
        "archive": str(archive / channel.name),
        "multicast": streams
        and {
            "interface": relay["multicast.interface"],
            "ttl": relay["multicast.ttl"],
            **streams.to_json(),
        },
        "decimation": decimation(settings),
        "rotation": rotation(settings)
        if channel.port is not None
        else _slow_rotation(channel.config, settings),
        "full_rate": settings["full_rate.enabled"],
        **{key: settings[key] for key in PLAIN},
    }


def decimation(settings: Mapping[str, Any]) -> dict[str, Any]:
    """How the decimated stream is made; with a factor alone it is by `downsample`, as in SpeedData 0.6."""
    factor = settings["decimation.factor"]
    algorithm = settings["decimation.algorithm"] or ("minmax" if factor is None else "downsample")
    every = factor is not None and factor <= 1
    return {
        "enabled": settings["decimation.enabled"] and not every,
        "algorithm": algorithm,
        "factor": factor,
        "rate_hz": settings["decimation.rate_hz"] if factor is None else None,
    }


def rotation(settings: Mapping[str, Any]) -> dict[str, int]:
    """Size and age at which a segment is sealed; 0 for never."""
    mode = settings["rotation.mode"]
    if mode is None:
        return {"bytes": settings["rotation.bytes"] or 0, "seconds": settings["rotation.seconds"] or 0}
    threshold = settings["rotation.threshold"] or V06_THRESHOLDS[mode]
    return {"bytes": threshold if mode == "size" else 0, "seconds": threshold if mode == "time" else 0}


def _slow_rotation(config: Mapping[str, Any] | None, settings: Mapping[str, Any]) -> dict[str, int]:
    """The same for a channel without a UDP port: a segment an hour would be many for what is slow, a day is the least."""
    usual = rotation(settings)
    given = check_channel(config or {}, overrides_only=True).values
    if usual["seconds"] and not any(key.startswith("rotation.") for key in given):
        usual["seconds"] = max(usual["seconds"], DAY_S)
    return usual
