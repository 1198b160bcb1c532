"""Whose the ports of this machine are, as far as the registry gives them: those of channels, of their streams, of the services."""

from collections.abc import Iterator, Mapping
from typing import Any

from speeddata.registry.multicast import own_ports
from speeddata.registry.ports import bound_ports
from speeddata.registry.store import Store

__all__ = ["PortOwners"]


class PortOwners:
    """The ports of one registry. `services` are those that no channel may have, and whose they are."""

    def __init__(
        self, store: Store, services: Mapping[int, str], shared: Mapping[str, tuple[str, int]]
    ) -> None:
        self.store = store
        self.use(services, shared)

    def use(self, services: Mapping[int, str], shared: Mapping[str, tuple[str, int]]) -> None:
        """Go by other services and shared streams from now on."""
        # Streams that all channels share, by name: their ports are no channel's own.
        self.shared = shared
        self.services = {**services, **{port: f"multicast ({name})" for name, (_, port) in shared.items()}}

    def all(self) -> dict[int, str]:
        """What every port that a channel cannot have is used for; the name alone if it is a channel's input."""
        owners = dict(self.services)
        places = self.store.places()
        for name, _, index in places:
            if index is None:
                continue
            for stream, port in zip(("full_rate", "decimated"), own_ports(index), strict=True):
                if stream not in self.shared:
                    owners.setdefault(port, f"multicast of {name} ({stream})")
        return owners | {port: name for name, port, _ in places if port is not None}

    def free(self, relay: Mapping[str, Any]) -> Iterator[int]:
        """Ports that a channel may be given, by the settings of relays: nobody's, and bound by no program just now."""
        taken = {*self.all(), *bound_ports(relay["listen"])}
        for port in range(relay["ports.first"], relay["ports.last"] + 1):
            if port not in taken:
                yield port
