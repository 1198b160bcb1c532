"""Registering many channels without a UDP port at once: read and checked one by one, inserted in one transaction."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from speeddata.registry.problems import ApiProblem, wrong_value
from speeddata.registry.registration import Registration, read_channel, read_registration
from speeddata.registry.store import Channel

__all__ = ["MOST", "Sorted", "read_batch", "read_names", "sort_batch"]

MOST = 10_000  # channels

Json = dict[str, Any]


class Sorted:
    """Channels of a request: those to be inserted, and what is answered of each."""

    def __init__(self) -> None:
        self.fresh: dict[str, Channel] = {}
        self.present: list[str] = []
        self.refused: list[Json] = []

    def to_json(self) -> Json:
        return {"created": list(self.fresh), "present": self.present, "refused": self.refused}


def read_batch(body: Mapping[str, Any]) -> list[Any]:
    """The channels of a request; 400 when there are none, or too many."""
    given = body.get("channels")
    if not isinstance(given, list) or not 0 < len(given) <= MOST:
        shown = f"{len(given)} channels" if isinstance(given, list) else given
        raise wrong_value("Invalid channels", "channels", shown, f"a list of 1 to {MOST} channels")
    return given


def read_names(body: Mapping[str, Any]) -> list[str]:
    """The names of a request; 400 when there are none, too many, or something else among them."""
    given = body.get("names")
    if not isinstance(given, list) or not 0 < len(given) <= MOST:
        shown = f"{len(given)} names" if isinstance(given, list) else given
        raise wrong_value("Invalid names", "names", shown, f"a list of 1 to {MOST} names")
    wrong = next((name for name in given if not isinstance(name, str)), None)
    if wrong is not None:
        raise wrong_value("Invalid names", "names", wrong, "text")
    return given


def sort_batch(
    given: list[Any], known: Mapping[str, str], folder: Path, check: Callable[[Registration], None]
) -> Sorted:
    """Sort channels into new, present and refused ones. `known` are registered names and their schemas' fingerprints."""
    done = Sorted()
    read: dict[str, Channel] = {}  # a schema and settings that many channels have are read once
    for one in given:
        name = one.get("name") if isinstance(one, dict) else None
        try:
            channel = _read(one, folder, read, check)
            _sort(channel, known, done)
        except ApiProblem as problem:
            done.refused.append({"name": name if isinstance(name, str) else None, **problem.body})
    return done


def _sort(channel: Channel, known: Mapping[str, str], done: Sorted) -> None:
    former = done.fresh.get(channel.name)
    fingerprint = known.get(channel.name) or (former.fingerprint if former else None)
    if fingerprint is None:
        done.fresh[channel.name] = channel
    elif fingerprint != channel.fingerprint:
        raise ApiProblem(409, "Channel name already registered", schema=fingerprint)
    elif former is None:
        done.present.append(channel.name)


def _read(one: Any, folder: Path, read: dict[str, Channel], check: Callable[[Registration], None]) -> Channel:
    if not isinstance(one, dict):
        raise wrong_value("Invalid channel", "channels", one, "objects with name, port null, schema")
    if one.get("port", "absent") is not None:
        raise wrong_value(
            "Invalid port", "port", one.get("port"), "null: only channels without a port come many at once"
        )
    request = read_registration(one)
    config = {"live": False, **(request.config or {})}
    request = Registration(request.name, None, request.schema, config)
    alike = json.dumps([request.schema, config], sort_keys=True)
    if alike not in read:
        check(request)
        read[alike] = read_channel(request, folder)
    model = read[alike]
    return Channel(
        request.name, None, model.schema_path, model.schema, model.fingerprint, model.time_unit, config
    )
