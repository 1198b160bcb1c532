"""Reading a request to change a registered channel: pure.

What can be changed is what a relay goes over to while it receives: how the decimated stream is made.
"""

from collections.abc import Mapping
from typing import Any

from speeddata.registry.problems import ApiProblem, wrong_value
from speeddata.settings_values import check_channel

__all__ = ["CHANGEABLE", "changed_config", "read_changes"]

CHANGEABLE = ("decimation",)
WANTED = "a factor, an object of settings, or null for what the configuration says"

Json = dict[str, Any]


def read_changes(body: Mapping[str, Any]) -> Json:
    """The settings that a request gives other values, null for those that are to be as configured; 400 for what cannot be changed."""
    for field in body:
        if field not in CHANGEABLE:
            wanted = f"{' or '.join(CHANGEABLE)}: nothing else of a registered channel can be changed"
            raise wrong_value("Unknown field", field, body[field], wanted)
    for field, value in body.items():
        if isinstance(value, bool) or not isinstance(value, int | dict | None):
            raise wrong_value(f"Invalid {field}", field, value, WANTED)
    return dict(body)


def changed_config(config: Mapping[str, Any] | None, changes: Json) -> Json | None:
    """A channel's own settings after a change; 400 where they are none."""
    whole = {key: value for key, value in {**(config or {}), **changes}.items() if value is not None}
    problems = check_channel(whole, overrides_only=True).problems
    if problems:
        raise invalid(problems[0].key, problems[0].value, problems[0].wanted)
    return whole or None


def invalid(key: str, value: Any, wanted: str) -> ApiProblem:
    """400 for a setting, by its dotted key."""
    return wrong_value(f"Invalid {key.partition('.')[0]}", key, value, wanted)
