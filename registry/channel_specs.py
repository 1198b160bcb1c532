"""From registered channels to what their relays are told: with the settings in force, and remembered, for it is asked often."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from speeddata.errors import RelayError, TokenError
from speeddata.registry.multicast import Streams, shared_streams, streams
from speeddata.registry.problems import wrong_value
from speeddata.registry.specs import channel_problems, channel_settings, spec
from speeddata.registry.store import Channel, Store
from speeddata.signing import KEYS, key_file, read_keys

__all__ = ["ChannelSpecs"]

Json = dict[str, Any]
MOST_SETTINGS = 1000  # that are remembered


class ChannelSpecs:
    """The settings and specs of one registry's channels. `relay` are the relay's settings by dotted key."""

    def __init__(self, store: Store, relay: Mapping[str, Any], archive: Path) -> None:
        self.store = store
        self.archive = archive
        self.keys = store.path.absolute().parent / KEYS
        self.generation = 0  # of the settings
        self.use(relay)

    def use(self, relay: Mapping[str, Any]) -> None:
        """Go by other settings from now on."""
        self.relay = relay
        self.generation += 1
        self.shared = shared_streams(relay)
        # By config: what it takes to tell is not little, and thousands of channels have the same.
        self._settings: dict[str, Json] = {}
        self._streams: dict[int, Streams] = {}  # by multicast index, of which they are a function

    def settings(self, channel: Channel) -> Json:
        """The settings that hold for a channel."""
        key = json.dumps(channel.config, sort_keys=True)
        if key not in self._settings:
            if len(self._settings) >= MOST_SETTINGS:
                self._settings.clear()
            self._settings[key] = channel_settings(channel.config, self.relay)
        return self._settings[key]

    def streams(self, channel: Channel) -> Streams | None:
        """Where a channel's streams are sent; None where it has none."""
        index = channel.multicast_index
        if index is None:
            return None
        if index not in self._streams:
            self._streams[index] = streams(self.store.multicast_base, index, self.shared)
        return self._streams[index]

    def check_config(self, config: Mapping[str, Any] | None, prefix: str = "config.") -> None:
        """Whether a config agrees with the relay's settings; 400 if not."""
        problems = channel_problems(config, self.relay)
        if problems:
            first = problems[0]
            raise wrong_value("Invalid config", f"{prefix}{first.key}", first.value, first.wanted)
        names = channel_settings(config, self.relay)["sign"]
        try:
            read_keys(self._key_files(names))
        except (TokenError, OSError) as error:
            wanted = f"names of keys that can be read: {error}"
            raise wrong_value("Invalid config", f"{prefix}sign", names, wanted) from None

    def _key_files(self, names: Sequence[str] | None) -> list[str]:
        """Where keys are. What is in them is for the relay alone."""
        return [str(key_file(self.keys, name)) for name in names or ()]

    def of(self, channel: Channel, former: Sequence[str]) -> Json:
        """Everything that a relay must know of a channel; `former` versions of its schema come oldest first. RelayError for a row
        that is damaged."""
        try:
            made = spec(channel, self.relay, self.archive, self.streams(channel), former)
        except ValueError as error:
            raise RelayError(f"the registry's row of {channel.name!r} is damaged: {error}") from None
        # Only where it is asked for: a keeper of before does not know it.
        signed = self._key_files(self.settings(channel)["sign"])
        return made | ({"sign": signed} if signed else {})

    def for_relay(self, channel: Channel, former: Sequence[str]) -> Json:
        """What a relay of its own is told: not what a keeper of before does not know, unless it is asked for."""
        made = self.of(channel, former)
        return {
            key: value for key, value in made.items() if key != "live" and (key, value) != ("sources", None)
        }
