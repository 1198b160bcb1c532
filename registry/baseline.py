"""A channel of relay.yaml beside the one that is registered under its name, which counts: what they differ in."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from speeddata.registry.problems import ApiProblem
from speeddata.registry.registration import Registration, read_channel
from speeddata.registry.store import Channel
from speeddata.settings_values import check_channel

__all__ = ["differing", "requested"]


def requested(item: Mapping[str, Any]) -> Registration:
    """The request that a channel of relay.yaml stands for."""
    config = {key: value for key, value in item.items() if key not in ("name", "port", "schema")}
    return Registration(item["name"], item["port"], item["schema"], config or None)


def differing(request: Registration, known: Channel, folder: Path) -> list[str]:
    """The settings, `port` and `schema` among them, that are others; `folder` is where schema files are looked for."""
    wanted, had = (
        check_channel(config or {}, overrides_only=True).values for config in (request.config, known.config)
    )
    keys = [key for key in {**wanted, **had} if wanted.get(key) != had.get(key)]
    if request.port != known.port:
        keys.append("port")
    try:
        same = read_channel(request, folder).fingerprint == known.fingerprint
    except ApiProblem:
        same = False
    return sorted(keys if same else [*keys, "schema"])
