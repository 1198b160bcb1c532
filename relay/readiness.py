"""What should run and does not (yet), for who waits for all of it: `/readyz`."""

from collections.abc import Mapping
from typing import Any

from speeddata.registry.channels import Registry

__all__ = ["missing_channels", "waited_for"]

# A relay that cannot archive is there, and is no reason to wait: another start would not mend the disk.
THERE = ("active", "idle", "degraded")


def waited_for(
    registry: Registry, *, up: bool, services: list[str], keeper: Mapping[str, Any]
) -> dict[str, list[str]]:
    """Names by kind; `services` are those that do not serve, `up` tells whether all has been started and nothing is to end.

    StoreError where the registry does not answer.
    """
    running, trouble = registry.relays.running()
    no_keeper = bool(trouble) or keeper["state"] != "active"
    found = {
        "orchestrator": [] if up else ["orchestrator"],
        "keeper": ["keeper"] if no_keeper else [],
        "service": services,
        "channel": [] if no_keeper else missing_channels(registry, running),
    }
    return {kind: names for kind, names in found.items() if names}


def missing_channels(registry: Registry, running: Mapping[str, Any]) -> list[str]:
    """Channels with a port that have no relay, but for those that are stopped on purpose."""
    return [
        channel.name
        for channel, told, _ in registry.catalogue.conditions(running)
        if told["state"] not in THERE and not registry.leases.has_run_out(channel.name)
    ]
