"""What there is to know about one segment, or another Avro container file: for `speeddata inspect`."""

import json
from collections.abc import Iterator
from typing import Any

from speeddata.container import Head
from speeddata.counted import counted
from speeddata.index import FLAG_BAD_TIME, FLAG_UNSORTED, Entry, entries_of
from speeddata.times import format_time
from speeddata.verify import Report

__all__ = ["describe", "description_lines"]

WIDTH = 10  # of the names in the text


def describe(report: Report) -> dict[str, Any]:
    """All of it, as JSON takes it; of an unreadable or empty file only what `verify` says."""
    told = report.as_json()
    if report.error or not report.size or report.head is None:
        return told
    schema = report.head.plan.schema
    return told | {
        "codec": report.head.codec,
        "sync": report.head.sync.hex(),
        "head_bytes": report.head.length,
        "metadata": _metadata(report.head),
        "schema": schema.json,
        "name": schema.name,
        "fingerprint": schema.fingerprint.hex(),
        "time": schema.time or None,
        "time_unit": report.unit if schema.time else None,
        "sequence": schema.sequence,
        "signals": [
            {"name": s.name, "type": s.type, "nullable": s.nullable, "unit": s.unit} for s in schema.signals
        ],
        **_times(list(entries_of(report.entries)), timed=bool(schema.time), indexed=report.indexed),
    }


def description_lines(report: Report) -> Iterator[str]:
    """The same as text."""
    told = describe(report)
    yield f"{told['path']}: {told['state']}{', being written' if told['growing'] else ''}"
    if told["error"]:
        yield _line("error", told["error"])
        return
    if "schema" in told:
        yield _line("schema", f"{told['name']}, fingerprint {told['fingerprint']}")
        yield from (_line(key.removeprefix("speeddata."), value) for key, value in told["metadata"].items())
        yield _line("codec", told["codec"])
        yield _line("sync", told["sync"])
        yield _line(
            "time", f"{told['time']}, {told['time_unit'] or 'unit unknown'}" if told["time"] else "none"
        )
        if told["sequence"]:
            yield _line("sequence", told["sequence"])
    yield _line(
        "size", ", ".join(counted(told[f"{noun}s"], noun, "") for noun in ("block", "record", "byte"))
    )
    if told.get("first"):
        yield _line("records", f"{told['first']} to {told['last']}")
    if told.get("first_arrival"):
        yield _line("arrival", f"{told['first_arrival']} to {told['last_arrival']}")
    for key, words in (
        ("unsorted_blocks", "whose times do not ascend"),
        ("bad_time_blocks", "with impossible times"),
    ):
        if told.get(key):
            yield _line("flags", f"{counted(told[key], 'block', '')} {words}")
    index = told["index"]
    yield _line("index", "; ".join(index["faults"]) or ("whole" if index["present"] else "none"))
    yield from (_line("damage", str(fault)) for fault in report.damages)
    yield from _signal_lines(told.get("signals", []))


def _times(entries: list[Entry], *, timed: bool, indexed: bool) -> dict[str, Any]:
    """First and last of the records and of the receive times, and what the flags tell."""
    shown = entries and timed
    first = min(entry.min_ns for entry in entries) if shown else None
    last = max(entry.max_ns for entry in entries) if shown else None
    arrivals = [entry.arrival_ns for entry in entries] if indexed else []
    return {
        "first": None if first is None else format_time(first),
        "last": None if last is None else format_time(last),
        "first_ns": first,
        "last_ns": last,
        "first_arrival": format_time(min(arrivals)) if arrivals else None,
        "last_arrival": format_time(max(arrivals)) if arrivals else None,
        "unsorted_blocks": sum(bool(entry.flags & FLAG_UNSORTED) for entry in entries) if timed else 0,
        "bad_time_blocks": sum(bool(entry.flags & FLAG_BAD_TIME) for entry in entries) if timed else 0,
    }


def _metadata(head: Head) -> dict[str, str]:
    """What the head says beside the schema and the codec."""
    shown = {key: value for key, value in head.metadata.items() if key not in ("avro.schema", "avro.codec")}
    return {key: value.decode(errors="replace") for key, value in shown.items()}


def _line(key: str, value: str) -> str:
    return f"  {key:<{WIDTH}} {value if value.isprintable() else json.dumps(value)}"


def _signal_lines(signals: list[dict[str, Any]]) -> Iterator[str]:
    width = max((len(signal["name"]) for signal in signals), default=0)
    for signal in signals:
        kind = signal["type"] + (" or null" if signal["nullable"] else "")
        yield f"  signal     {signal['name']:<{width}}  {kind}{'  ' + signal['unit'] if signal['unit'] else ''}"
