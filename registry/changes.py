"""Reading a request to change a registered channel, and what comes of it: pure.

Everything that a channel can be registered with can be changed, but what its records mean: framing and unit of time.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from speeddata.errors import SchemaError
from speeddata.limits import set_limits
from speeddata.registry.problems import ApiProblem, wrong_value
from speeddata.registry.registration import read_ttl
from speeddata.registry.store import Channel
from speeddata.schema import Schema
from speeddata.settings_values import OVERRIDES, check_channel

__all__ = ["CHANGEABLE", "changed", "read_changes"]

FIXED = ("framing", "time_unit")
SETTINGS = tuple(sorted({key.partition(".")[0] for key in OVERRIDES} - set(FIXED)))
CHANGEABLE = (*SETTINGS, "limits", "ttl")
SPELLINGS = {"codec": "compression"}
NEWLY = "this takes de-registering the channel and registering it again; its archive stays"

Json = dict[str, Any]


def read_changes(body: Mapping[str, Any]) -> Json:
    """What a request changes: settings, null for those that are to be as configured, `limits` by signal, `ttl`. 400 for what cannot be."""
    given = {}
    for field, value in body.items():
        field = SPELLINGS.get(field, field)
        if field in FIXED:
            raise wrong_value("Field cannot be changed", field, value, NEWLY)
        if field not in CHANGEABLE:
            raise wrong_value("Unknown field", field, value, f"one of {', '.join(CHANGEABLE)}")
        if field in given:
            raise wrong_value("Field given twice", field, value, "either compression or codec")
        given[field] = value
    if "ttl" in given:
        read_ttl(given["ttl"])
    limits = given.get("limits", {})
    if not isinstance(limits, dict) or not all(isinstance(one, dict | None) for one in limits.values()):
        wanted = 'an object by signal, such as {"speed": {"warn": [0, 4000]}}, null for none'
        raise wrong_value("Invalid limits", "limits", limits, wanted)
    return given


def changed(channel: Channel, changes: Json) -> Channel:
    """The channel after a change; 400 where that cannot be."""
    settings = {key: value for key, value in changes.items() if key in SETTINGS}
    return replace(
        channel,
        config=_config(channel.config, settings),
        schema=_schema(channel.schema, changes.get("limits", {})),
        ttl_s=changes.get("ttl", channel.ttl_s),
    )


def _config(config: Mapping[str, Any] | None, changes: Json) -> Json | None:
    """A channel's own settings after a change."""
    whole = {key: value for key, value in {**(config or {}), **changes}.items() if value is not None}
    problems = check_channel(whole, overrides_only=True).problems
    if problems:
        first = problems[0]
        raise wrong_value(f"Invalid {first.key.partition('.')[0]}", first.key, first.value, first.wanted)
    return whole or None


def _schema(text: str, limits: Mapping[str, Json | None]) -> str:
    """A schema with other limits of some signals, and nothing else changed."""
    if not limits:
        return text
    schema = json.loads(text)
    for signal, stated in limits.items():
        try:
            set_limits(schema, signal, stated)
        except KeyError as error:
            raise wrong_value("Unknown signal", "limits", signal, str(error.args[0])) from None
    try:
        found = Schema.parse(schema, strict=True)
    except SchemaError as error:
        raise ApiProblem(400, "Invalid limits", field=f"limits.{error.field}", details=str(error)) from None
    names = {one.name for one in found.signals}
    for signal in limits:
        if signal not in names:
            raise wrong_value("Unknown signal", "limits", signal, f"one of {', '.join(sorted(names))}")
    return found.text
