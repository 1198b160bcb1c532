"""What became of reloading settings, in words: for the log of the orchestrator and for `speeddata reload`."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from speeddata.settings_values import shorten

__all__ = ["reload_lines"]

# A setting of a channel of relay.yaml.
OF_CHANNEL = re.compile(r"relay\.channels\[(.+?)\]")


def reload_lines(outcome: Mapping[str, Any]) -> list[str]:
    """A line for each change, then for each thing that was done for it; `outcome` is what `POST /reload` answers."""
    if not outcome["changes"]:
        return ["settings: nothing has changed"]
    lines = [_change(one) for one in outcome["changes"]]
    lines += [f"channel {name}: gone over to its settings" for name in outcome["channels"]]
    lines += [f"channel {name}: registered" for name in outcome["added"]]
    lines += [
        f"channel {name}: stays as it is registered, whatever relay.yaml says; PATCH changes it, speeddata deregister ends it"
        for name in _named(outcome["changes"])
        if name not in outcome["added"] and name not in outcome["failed"]
    ]
    lines += [f"{name}: started anew" for name in outcome["services"]]
    return lines + [f"channel {name}: not gone over: {words}" for name, words in outcome["failed"].items()]


def _named(changes: Iterable[Mapping[str, Any]]) -> list[str]:
    """Channels of relay.yaml that changes are about: it is read for those that are new."""
    return list(dict.fromkeys(found[1] for one in changes if (found := OF_CHANNEL.match(one["key"]))))


def _change(change: Mapping[str, Any]) -> str:
    before, after = (shorten(change[key]) if key in change else "nothing" for key in ("from", "to"))
    takes = f"; takes speeddata {change['takes']}" if change.get("takes") else ""
    return f"{change['key']}: {before} -> {after} ({change['origin']}){takes}"
