"""What became of reloading settings, in words: for the log of the orchestrator and for `speeddata reload`."""

from collections.abc import Mapping
from typing import Any

from speeddata.settings_values import shorten

__all__ = ["reload_lines"]


def reload_lines(outcome: Mapping[str, Any]) -> list[str]:
    """A line for each change, then for each thing that was done for it; `outcome` is what `POST /reload` answers."""
    if not outcome["changes"]:
        return ["settings: nothing has changed"]
    lines = [_change(one) for one in outcome["changes"]]
    lines += [f"channel {name}: gone over to its settings" for name in outcome["channels"]]
    lines += [f"channel {name}: registered" for name in outcome["added"]]
    lines += [f"{name}: started anew" for name in outcome["services"]]
    return lines + [f"channel {name}: not gone over: {words}" for name, words in outcome["failed"].items()]


def _change(change: Mapping[str, Any]) -> str:
    before, after = (shorten(change[key]) if key in change else "nothing" for key in ("from", "to"))
    takes = f"; takes speeddata {change['takes']}" if change.get("takes") else ""
    return f"{change['key']}: {before} -> {after} ({change['origin']}){takes}"
