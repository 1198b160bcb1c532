"""The metrics of a scrape: what the API tells just now, brought under the names of the table.

What cannot be known is absent: while the keeper does not answer, nothing is told of relays, rather than zeros.
"""

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import speeddata
from speeddata.errors import RelayError
from speeddata.registry.alarm import LEVELS
from speeddata.registry.channels import Registry
from speeddata.registry.exposition import Family, label_text
from speeddata.registry.metrics_table import GROUPS, TABLE, Metric
from speeddata.registry.routes_system import System
from speeddata.registry.store import StoreError
from speeddata.times import SCALES, parse_time

__all__ = ["families", "look"]

Json = dict[str, Any]
# Of each group the things, as the API tells them: their labels and what is told.
Things = dict[str, list[tuple[str, Json]]]


def look(registry: Registry, system: System) -> Things:
    """Ask for everything once; while the registry's database cannot be read that is told, and little else."""
    try:
        return _look(registry, system)
    except StoreError:
        _, trouble = registry.relays.running()
        return {
            "build": [("", {"version": {speeddata.__version__: 1}})],
            "system": [("", {"registry_degraded": 1})],
            "keeper": [("", {"up": int(not trouble)})],
        }


def _look(registry: Registry, system: System) -> Things:
    channels, trouble = registry.catalogue.counted()
    status = system.status()
    archive = status["archive"]
    things: Things = {
        "build": [("", {"version": {status["version"]: 1}})],
        "system": [("", {**status, "registry_degraded": int(status["registry"]["trouble"] is not None)})],
        "keeper": [("", {**status, "up": int(not trouble)})],
        "service": [
            (
                _labels("service", one["name"]),
                {"services[]": one, "up": int(one["state"] in ("active", "degraded"))},
            )
            for one in status["services"]
        ],
        "process": [
            (_labels("process", one["kind"], one["name"]), {"processes[]": one})
            for one in system.usage(status, {one["name"]: one["pid"] for one in channels if one["pid"]})
        ],
        "archive": [("", {**status, "degraded": int(archive["trouble"] is not None)})],
        "alarms": [] if trouble else [("", {"active": active}) for active in _alarms(registry)],
        "ingested": [(_labels("ingested", one["name"]), one) for one in channels if one["ingested"]],
    }
    if not trouble:
        things["channels"] = [("", status)]
        things["channel"] = [
            (_labels("channel", one["name"]), one | {"unsent": _unsent(one["stats"])})
            for one in channels
            if one["port"] is not None
        ]
    return things


def _unsent(stats: Json | None) -> Json | None:
    """1 for each live stream whose last packet could not be sent, by the names of metrics."""
    keys = {"full_rate": "forward_error", "decimated": "decimate_error"}
    return stats and {stream: int(stats.get(key) is not None) for stream, key in keys.items()}


def families(things: Things) -> Iterator[Family]:
    """All metrics of the table, in its order."""
    for name, metrics in itertools.groupby(TABLE, key=lambda metric: metric.name):
        of_name = list(metrics)
        lines: list[str] = []
        for metric in of_name:
            found = _found(metric, things.get(metric.group, ()))
            lines += _by_entry(metric, found) if metric.by else _plain(metric, found)
        yield Family(name, of_name[0].kind, of_name[0].help, lines)


def _labels(group: str, *values: str) -> str:
    return label_text(dict(zip(GROUPS[group].labels, values, strict=True)))


def _alarms(registry: Registry) -> Iterator[Json]:
    """How many alarms are active by level; nothing where not all can be asked about."""
    try:
        alarms, unchecked = registry.alarms.look()
    except RelayError:
        return
    if any(one["channel"] is None for one in unchecked):  # the shared relay does not answer
        return
    levels = Counter(LEVELS[alarm.told["level"]] for alarm in alarms)
    yield {level: levels[level] for level in LEVELS[1:]}


def _found(metric: Metric, things: Iterable[tuple[str, Json]]) -> Iterator[tuple[str, Any]]:
    """What the API tells under the key of a metric, of each thing of which it does."""
    path = metric.key.split(".")
    for labels, told in things:
        value: Any = told
        for part in path:
            if value is None:
                break
            value = value.get(part)
        if value is not None:
            yield labels, value


def _plain(metric: Metric, found: Iterable[tuple[str, Any]]) -> Iterator[str]:
    name, fixed = metric.name, "".join(_more(*label) for label in metric.labels)
    for labels, value in found:
        number = _seconds(value) if metric.time else value
        yield f"{name}{labels}{fixed}}} {number}\n" if labels else f"{name} {number}\n"


def _by_entry(metric: Metric, found: Iterable[tuple[str, Any]]) -> Iterator[str]:
    """A line for each entry of an object, or for each of the states that there are."""
    name, ends = metric.name, {state: _more(metric.by, state) for state in metric.states}
    for labels, value in found:
        if metric.states:
            for state, end in ends.items():
                yield f"{name}{labels}{end}}} {int(state == value)}\n"
        else:
            for entry, number in value.items():
                more = ends.get(entry) or ends.setdefault(entry, _more(metric.by, entry))
                yield f"{name}{labels}{more}}} {number}\n" if labels else f"{name}{{{more[1:]}}} {number}\n"


def _more(label: str, value: str) -> str:
    """One more label behind others."""
    return "," + label_text({label: value})[1:]


def _seconds(stamp: str | int) -> float:
    return (parse_time(stamp) if isinstance(stamp, str) else stamp) / SCALES["s"]
