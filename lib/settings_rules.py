"""Rules that settings obey together, and what is said about legal but notable ones.

`flat` holds the merged settings by service and dotted key, `origins` the file and line or the option each came from.
"""

import ipaddress
import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from speeddata.settings_table import FILES, SERVICES
from speeddata.settings_values import Problem

__all__ = ["cross_check", "port_clashes", "schema_problems", "warnings"]

SHARED_GROUP = {
    f"multicast.{stream}.{end}" for stream in ("full_rate", "decimated") for end in ("address", "port")
}

Flat = Mapping[str, Mapping[str, Any]]
Origins = Mapping[str, Mapping[str, str]]


def cross_check(values: Mapping[str, Any]) -> list[Problem]:
    """Problems that only several relay settings together, or with this machine, can have."""
    problems = []
    cores = os.sched_getaffinity(0)
    if set(values.get("cpus") or ()) - cores:
        problems.append(Problem("cpus", values["cpus"], f"cores that can be had, which are {sorted(cores)}"))
    if values.get("rotation.threshold") is not None and values.get("rotation.mode") is None:
        problems.append(Problem("rotation.mode", None, "time or size, since rotation.threshold is given"))
    if values.get("retention.value") is not None and values.get("retention.mode") is None:
        problems.append(Problem("retention.mode", None, "ttl or quota, since retention.value is given"))
    if values.get("retention.mode") is not None and values.get("retention.value") is None:
        wanted = "seconds" if values["retention.mode"] == "ttl" else "bytes"
        problems.append(Problem("retention.value", None, f"{wanted}, since retention.mode is given"))
    if "ports.first" in values and values["ports.first"] > values["ports.last"]:
        problems.append(
            Problem("ports.last", values["ports.last"], f"{values['ports.first']} (ports.first) or more")
        )
    if "decimation.factor" in values and values["decimation.factor"] is values["decimation.rate_hz"] is None:
        problems.append(Problem("decimation.rate_hz", None, "a rate, or decimation.factor instead"))
    if (
        values.get("decimation.algorithm") == "downsample"
        and values.get("decimation.factor") is None
        and values.get("decimation.enabled", True)
    ):
        wanted = "an integer, since decimation.algorithm is downsample (a rate needs minmax)"
        problems.append(Problem("decimation.factor", None, wanted))
    return problems


def port_clashes(flat: Flat, origins: Origins) -> list[str]:
    """The services' own ports must differ."""
    problems = []
    taken: dict[int, str] = {}
    for service, key in (("relay", "api.port"), ("stripchart", "websocket.port"), ("pivot", "api.port")):
        port = flat.get(service, {}).get(key)
        if port is None:
            continue
        place = origins[service].get(key, "by default")
        if port in taken:
            problems.append(f"{place}: {service}.{key} is {port}, wanted another port than {taken[port]}")
        taken.setdefault(port, f"{service}.{key} ({place})")
    return problems


def schema_problems(folder: Path, flat: Flat, origins: Origins) -> list[str]:
    """Channels whose schema cannot be found or used."""
    channels = flat.get("relay", {}).get("channels")
    if not channels:
        return []
    from speeddata.schema_files import read_schema  # here, since parsing schemas is slow to import

    problems = []
    for index, item in enumerate(channels):
        source = item.get("schema") if isinstance(item, dict) else None
        try:
            if source and isinstance(source, str | dict):
                read_schema(folder, source)
        except (OSError, ValueError) as error:
            reason = "no such file" if isinstance(error, OSError) else str(error)
            wanted = f"an Avro schema below {folder} ({reason})"
            key = f"channels[{index}].schema"
            place = origins["relay"].get(key, origins["relay"].get("channels", "relay"))
            problems.append(f"{place}: {Problem(key, source, wanted)}")
    return problems


def warnings(folder: Path, flat: Flat, origins: Origins, read: Collection[str] = FILES) -> list[str]:
    """What is worth saying about settings that are in order; `read` are the files that were, without `.yaml`."""
    known = {f"{name}.yaml" for name in (*FILES, *read)}
    said = [
        f"{path}: is not read, wanted {', '.join(f'{name}.yaml' for name in FILES)}"
        for path in sorted(folder.glob("*.y*ml"))
        if path.name not in known
    ]
    for service in SERVICES:
        for key, value in flat.get(service, {}).items():
            text = _warning(key, value)
            # A port and its group's address share one group: one warning, of the address.
            told = (
                key.endswith(".port") and flat[service].get(f"{key.removesuffix('port')}address") is not None
            )
            if text and not told:
                said.append(f"{origins[service].get(key, service)}: {key} is {value!r}: {text}")
    return list(dict.fromkeys(said))


def _warning(key: str, value: Any) -> str:
    """What to say about a legal but notable setting."""
    if key == "retention.mode" and value is not None:
        return "what exceeds retention.value is deleted (SpeedData 0.6 read this and deleted nothing)"
    if key in SHARED_GROUP and value is not None:
        return "one multicast group shared by all channels, subscribers must tell them apart by the relay's source port"
    if key == "listen" and not ipaddress.ip_address(value).is_loopback:
        return "every host that reaches it can send records; a channel's `sources` tells from where it takes them"
    if key == "multicast.ttl" and value > 1:
        return "multicast leaves this network segment"
    if key == "decimation.pass_through" and value is False:
        return "has no effect, the relay's decimated stream always passes as it is"
    return ""
