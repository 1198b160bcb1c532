"""How a channel comes in: under a name and on a port that nobody has, or as one that was here before."""

import itertools
from dataclasses import dataclass, replace
from pathlib import Path

from speeddata.errors import RelayError
from speeddata.registry.channel_specs import ChannelSpecs
from speeddata.registry.leases import Leases
from speeddata.registry.port_owners import PortOwners
from speeddata.registry.problems import ApiProblem
from speeddata.registry.registration import Registration, read_channel
from speeddata.registry.relays import Relays
from speeddata.registry.schema_versions import SchemaVersions
from speeddata.registry.store import Channel, NameTaken, PortTaken, Store

__all__ = ["Admission", "Registered", "name_taken", "port_taken"]

MOST_PORTS = 5  # that are tried for a channel that may have any


@dataclass(frozen=True)
class Registered:
    """What has become of a request to register a channel."""

    channel: Channel
    pid: int | None
    is_new: bool


class Admission:
    """Lets channels into one registry; one at a time, which who calls sees to."""

    def __init__(
        self,
        store: Store,
        schemas: SchemaVersions,
        specs: ChannelSpecs,
        ports: PortOwners,
        relays: Relays,
        leases: Leases,
        folder: Path,
    ) -> None:
        self.store = store
        self.schemas = schemas
        self.specs = specs
        self.ports = ports
        self.relays = relays
        self.leases = leases
        self.folder = folder  # where schema files are looked for

    def let_in(self, request: Registration) -> Registered:
        """Register a channel and start its relay, or find it there. Nothing stays behind when that fails."""
        known = self.store.get(request.name)
        if not request.any_port:
            return self._register(request)
        return self._come_back(known, request) if known else self._register_anywhere(request)

    def insert(self, request: Registration) -> Channel:
        """Register a channel; ApiProblem where that cannot be."""
        self.specs.check_config(request.config)
        owner = self.ports.all().get(request.port) if request.port is not None else None
        if owner is not None:
            raise port_taken(request.port, owner)
        self.check_room(1, 0 if request.port is None else 1)
        channel = read_channel(request, self.folder)
        try:
            streamed = channel.port is not None or self.specs.settings(channel)["live"]
            return self.store.insert(channel, self.ports.services, streams=streamed)
        except NameTaken:
            raise name_taken(request.name) from None
        except PortTaken:
            raise port_taken(request.port, "another channel") from None
        except OverflowError as error:
            raise ApiProblem(409, "No multicast group is free", details=str(error)) from None

    def check_room(self, channels: int, relays: int) -> None:
        """Whether there may be so many more; 409 if not."""
        places = self.store.places()
        there = {
            "limits.channels": len(places),
            "limits.relays": sum(port is not None for _, port, _ in places),
        }
        for key, more in (("limits.channels", channels), ("limits.relays", relays)):
            if more and there[key] + more > (most := self.specs.relay[key]):
                details = f"there are {there[key]} and {more} more were asked for, relay.{key} is {most}"
                raise ApiProblem(409, "Too many channels", details=details, limit=most)

    def _come_back(self, known: Channel, request: Registration) -> Registered:
        """A device that registers again what is there; 409 where its schema is another."""
        schema = read_channel(request, self.folder)
        framed = self.specs.settings(known)["framing"] == "single_object" or known.port is None
        versions = [one.fingerprint for one in self.schemas.of(known.name)] if framed else [known.fingerprint]
        if schema.fingerprint not in versions:
            details = f"name is {known.name!r}, which is registered with another schema ({known.fingerprint})"
            raise ApiProblem(
                409, "Channel name already registered", field="name", details=details, name=known.name
            )
        if known.port is None:
            return Registered(known, None, is_new=False)
        self.leases.renew(known.name)
        try:
            return Registered(known, self._start(known), is_new=False)
        except RelayError as error:
            self.relays.note_fault(known.name, error)
            return Registered(known, None, is_new=False)

    def _register_anywhere(self, request: Registration) -> Registered:
        """Register on the first port that is free; one that another program takes at this moment is passed over."""
        failure = None
        for port in itertools.islice(self.ports.free(self.specs.relay), MOST_PORTS):
            try:
                return self._register(replace(request, port=port))
            except ApiProblem as problem:
                if problem.status != 500:
                    raise
                failure = problem
        if failure is not None:
            raise failure
        wanted = f"{self.specs.relay['ports.first']} to {self.specs.relay['ports.last']}"
        raise ApiProblem(409, "No port is free", field="port", details=f"port: all from {wanted} are in use")

    def _register(self, request: Registration) -> Registered:
        channel = self.insert(request)
        if channel.port is None:
            return Registered(channel, None, is_new=True)
        try:
            return Registered(channel, self._start(channel), is_new=True)
        except RelayError as error:
            self.store.delete(channel.name)
            self.relays.faults.pop(channel.name, None)
            raise ApiProblem(
                500, "Failed to start relay process", field="port", name=channel.name, details=str(error)
            ) from None

    def _start(self, channel: Channel) -> int:
        return self.relays.start(self.specs.for_relay(channel, self.schemas.former(channel.name)))


def name_taken(name: str) -> ApiProblem:
    """409 for a name that a channel has."""
    details = f"name is {name!r}, wanted one that no channel has"
    return ApiProblem(409, "Channel name already registered", field="name", details=details, name=name)


def port_taken(port: int | None, owner: str) -> ApiProblem:
    """409 for a port that somebody has."""
    details = f"{port} belongs to {owner}, wanted one that is free"
    return ApiProblem(409, "Port already in use", field="port", details=details, port=port, used_by=owner)
