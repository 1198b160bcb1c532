"""Going over to settings that have changed: what they differ in, and what of it is brought about at once.

Channels go over to theirs without losing what comes; services whose own settings are others are started anew; nothing else is
touched. What only another start of everything brings about is said.
"""

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from speeddata.errors import ConfigError
from speeddata.registry.channels import Registry
from speeddata.relay.addresses import own_ports
from speeddata.relay.services import Service
from speeddata.relay.supervisor import Supervisor
from speeddata.reload_words import reload_lines
from speeddata.settings import Settings
from speeddata.settings_diff import Difference, differences, of_all
from speeddata.settings_values import Problem

__all__ = ["Outcome", "effective", "refuse_absent", "reload"]

# Settings that are taken in once, when everything starts: addresses and folders that are held, and whom to let in.
LATER = frozenset(("host", "access.required", "storage.avro_path", "api.names"))
LATER_OF_RELAY = LATER | {"api.port"}


@dataclass
class Outcome:
    """What has become of it."""

    changes: list[Difference] = field(default_factory=list)
    channels: list[str] = field(default_factory=list)  # whose relays went over
    added: list[str] = field(default_factory=list)  # channels of relay.yaml that are registered now
    services: list[str] = field(default_factory=list)  # that were started anew
    failed: dict[str, str] = field(default_factory=dict)  # channels that did not go over, and why

    def to_json(self) -> dict[str, Any]:
        """The form that the API shows."""
        changes = [{**one.as_json(), "takes": "restart" if is_later(one) else None} for one in self.changes]
        return {
            "changes": changes,
            "channels": self.channels,
            "added": self.added,
            "services": self.services,
            "failed": self.failed,
        }

    def lines(self) -> list[str]:
        """The same in words."""
        return reload_lines(self.to_json())


def is_later(change: Difference) -> bool:
    """Whether a change takes another start of everything."""
    return change.key in (LATER_OF_RELAY if change.service == "relay" else LATER)


def effective(before: Settings, after: Settings) -> Settings:
    """The new settings, but for what only another start brings about."""
    flat = {}
    for service, values in after.flat.items():
        kept = LATER_OF_RELAY if service == "relay" else LATER
        held = {key: before.flat[service][key] for key in kept if key in before.flat.get(service, {})}
        flat[service] = {**values, **held}
    return replace(after, flat=flat)


def refuse_absent(before: Settings, after: Settings) -> None:
    """ConfigError where the channels' ports would be bound to another address that this machine does not have, channels or none."""
    address = after.flat["relay"]["listen"]
    if address == before.flat["relay"]["listen"]:
        return
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind((address, 0))
    except OSError as error:
        wanted = f"an address that channels can bind to just now ({error.strerror})"
        place = after.origin("relay", "listen")
        raise ConfigError([f"{place}: {Problem('listen', address, wanted)}"]) from None


def reload(
    before: Settings,
    after: Settings,
    registry: Registry | None,
    supervisor: Supervisor,
    wanted: Sequence[Service],
    begin: Callable[[str], None],
) -> Outcome:
    """Bring about what differs. `wanted` are the services as they should run now; `begin` starts a channel that is new."""
    outcome = Outcome(of_all(differences(before, after)))
    if not outcome.changes:
        return outcome
    if registry is not None:
        _channels(registry, effective(before, after), outcome, begin)
    outcome.services = [service.name for service in wanted if supervisor.replace(service)]
    return outcome


def _channels(registry: Registry, after: Settings, outcome: Outcome, begin: Callable[[str], None]) -> None:
    relay = after.flat["relay"]
    for name, words in registry.use(relay, own_ports(after)).items():
        if words:
            outcome.failed[name] = words
        else:
            outcome.channels.append(name)
    for name in registry.add_baseline(relay["channels"]):
        outcome.added.append(name)
        begin(name)
    known = {name for name, _, _ in registry.store.places()}
    for name in (item["name"] for item in relay["channels"]):
        if name not in known:
            outcome.failed[name] = "not registered, the log tells why"
