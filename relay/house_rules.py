"""What the settings say about keeping the archive: limits and codecs by channel, and those of the whole."""

from typing import Any

from speeddata.registry.channels import Registry
from speeddata.registry.specs import channel_settings
from speeddata.relay.retention import Limits, limits_of

__all__ = ["HouseRules"]

Rules = tuple[Limits, str | None]


class HouseRules:
    """The rules of one registry. Channels that are not registered (any more) have those of the file."""

    def __init__(self, registry: Registry) -> None:
        relay = registry.relay
        self.registry = registry
        self.min_free_percent: float = relay["retention.min_free_percent"]
        self.archive_bytes: int | None = relay["retention.archive_bytes"]
        # Names in the registry, and those of them whose rows cannot be read.
        self.registered: frozenset[str] = frozenset()
        self.spoiled: frozenset[str] = frozenset()
        self._common: Rules = limits_of(relay), relay["compression"]
        # By channel: the config that they were made from, and the rules.
        self._rules: dict[str, tuple[Any, Rules]] = {}

    def read(self) -> None:
        """Read the registry; StoreError when that cannot be."""
        names = frozenset(name for name, _, _ in self.registry.store.places())
        rules = {}
        for channel in self.registry.store.channels():
            config, made = self._rules.get(channel.name, (None, self._common))
            if config != channel.config:
                settings = channel_settings(channel.config, self.registry.relay)
                made = limits_of(settings), settings["compression"]
            rules[channel.name] = channel.config, made
        self._rules, self.registered, self.spoiled = rules, names, names - rules.keys()

    @property
    def limiting(self) -> bool:
        """Whether there is any limit but that of the free space."""
        every = [self._common, *(made for _, made in self._rules.values())]
        return self.archive_bytes is not None or any(limits != Limits() for limits, _ in every)

    def limits(self, channel: str) -> Limits:
        """What a channel may have."""
        return self._of(channel)[0]

    def codec(self, channel: str) -> str | None:
        """What its sealed segments are compressed by."""
        return self._of(channel)[1]

    def _of(self, channel: str) -> Rules:
        return self._rules.get(channel, (None, self._common))[1]
