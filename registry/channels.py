"""The registry: channels that should run, brought together with those that do.

What is registered is in the store, what runs is asked of the launcher (the keeper), at the time of the request.
Registering, de-registering and starting take turns, so that a channel is never started after it was removed.
"""

import contextlib
import itertools
import logging
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from speeddata.counted import counted
from speeddata.errors import RelayError
from speeddata.limits import ALARM_FILE
from speeddata.registry.admission import Admission, Registered
from speeddata.registry.alarms import Alarms
from speeddata.registry.baseline import differing, requested
from speeddata.registry.batches import sort_batch
from speeddata.registry.catalogue import Catalogue
from speeddata.registry.changes import changed
from speeddata.registry.channel_specs import ChannelSpecs
from speeddata.registry.events import Event, Events
from speeddata.registry.launcher import Ingest, Launcher, NoIngest
from speeddata.registry.leases import Leases
from speeddata.registry.port_owners import PortOwners
from speeddata.registry.problems import ApiProblem
from speeddata.registry.registration import Registration
from speeddata.registry.relays import Relays
from speeddata.registry.schema_versions import SchemaVersion, SchemaVersions, check_framing, with_schema
from speeddata.registry.store import Channel, Store, StoreError
from speeddata.registry.tags import Tags

__all__ = ["Registry"]

log = logging.getLogger(__name__)

Json = dict[str, Any]


class Registry:
    """The channels of one data folder."""

    def __init__(
        self,
        store: Store,
        launcher: Launcher,
        relay: Mapping[str, Any],
        archive: Path,
        folder: Path,
        services: Mapping[int, str],
        ingest: Ingest | None = None,
        looking: Launcher | None = None,
    ) -> None:
        self.store = store
        self.tags = Tags(store)
        self.schemas = SchemaVersions(store)
        self.events = Events(store)
        self.leases = Leases()
        self.launcher = launcher
        self.relays = Relays(launcher, looking)
        self.ingest = ingest or NoIngest()
        self.alarms = Alarms(store, looking or launcher, self.ingest)
        self.specs = ChannelSpecs(store, relay, archive)
        self.ports = PortOwners(store, services, self.specs.shared)
        self.catalogue = Catalogue(
            self.store, self.schemas, self.specs, self.relays, self.ingest, self.leases
        )
        self.admission = Admission(
            store, self.schemas, self.specs, self.ports, self.relays, self.leases, folder
        )
        self.archive = archive
        self.folder = folder  # where schema files are looked for
        self._differing: dict[str, list[str]] = {}  # what was last said of channels of relay.yaml
        self._turn = threading.Lock()
        for moved in self.store.move_multicast(self.ports.services):
            log.warning("channel %s has other multicast ports now, the former ones are in use", moved.name)

    @property
    def relay(self) -> Mapping[str, Any]:
        """The relay's settings in force, by dotted key."""
        return self.specs.relay

    def add_baseline(self, channels: Sequence[Mapping[str, Any]]) -> list[str]:
        """Register the channels of relay.yaml whose names are not known, and give these; what is registered stays as it is."""
        added = []
        for item in channels:
            request = requested(item)
            known = self.store.get(request.name)
            if known is not None:
                self._compare(request, known)
                continue
            try:
                with self._turn:
                    self.admission.insert(request)
                added.append(request.name)
            except ApiProblem as problem:
                log.error("channel %s of relay.yaml is not registered: %s", request.name, problem.body)
        return added

    def register(self, request: Registration) -> Registered:
        """Register a channel and start its relay. Nothing stays behind when that fails.

        A device that comes again, leaving the port to us, is told what it has.
        """
        with self._turn:
            done = self.admission.let_in(request)
        channel = done.channel
        self.leases.renew(channel.name)
        if done.is_new:
            self._note(
                channel.name, "registered", f"port {channel.port}" if channel.port else "without a port"
            )
            log.info("channel %s registered on port %s, relay %s", channel.name, channel.port, done.pid)
        return done

    def register_all(self, given: list[Any]) -> Json:
        """Register channels without a port, in one transaction; the names of those that are new, present, refused and why."""
        with self._turn:
            known = {channel.name: channel.fingerprint for channel in self.store.channels()}
            done = sort_batch(given, known, self.folder, lambda one: self.specs.check_config(one.config))
            self.admission.check_room(len(done.fresh), 0)
            live = {name for name, channel in done.fresh.items() if (channel.config or {}).get("live")}
            try:
                self.store.insert_all(done.fresh.values(), live, self.ports.services)
            except OverflowError as error:
                raise ApiProblem(409, "No multicast group is free", details=str(error)) from None
        if done.fresh:
            names = ", ".join(itertools.islice(done.fresh, 5))
            count = len(done.fresh)
            self._note(
                next(iter(done.fresh)),
                "registered",
                f"{counted(count, 'channel')} without a port: {names}{' ...' if count > 5 else ''}",
            )
            log.info("%d channels registered without a port", count)
        return done.to_json()

    def add_schema(
        self, name: str, source: str | Json, *, force: bool = False
    ) -> tuple[SchemaVersion, int | None]:
        """Register a further version of a channel's schema, and have its relay go over to it: the version, and the pid.

        Nothing is registered when that fails. Unless by `force`, what was recorded must be readable by the version.
        """
        with self._turn:
            channel = self.find(name)
            if channel.port is not None:  # what comes by HTTP says itself which version it is of
                check_framing(self.specs.settings(channel)["framing"])
            newer = with_schema(channel, source, self.folder)
            number = self.schemas.next_number(newer, force=force)
            try:
                with self.schemas.adding(newer, number):
                    wanted = self.specs.for_relay(newer, [*self.schemas.former(name), channel.schema])
                    pid = self.relays.go_over(wanted, self._relay_spec(channel))
            except RelayError as error:
                raise ApiProblem(
                    500, "Failed to replace relay process", name=name, details=str(error)
                ) from None
            added = self.schemas.of(name)[-1]
        self._note(name, "schema", f"version {number}, {newer.fingerprint}")
        log.info("channel %s has version %d of its schema, %s", name, number, newer.fingerprint)
        return added, pid

    def change(self, name: str, changes: Json) -> int | None:
        """Change a channel, without losing what comes meanwhile; its relay's pid, None where none lives.

        Nothing is changed when that fails.
        """
        with self._turn:
            channel = self.find(name)
            newer = changed(channel, changes)
            self.specs.check_config(newer.config, "")
            self.schemas.check_limits(newer)
            former = self.schemas.former(name)
            try:
                with self.store.changing(newer):
                    pid = None
                    if channel.port is not None and not self.leases.has_run_out(name):
                        wanted = self.specs.for_relay(newer, former)
                        pid = self.relays.go_over(wanted, self._relay_spec(channel))
            except RelayError as error:
                raise ApiProblem(500, "Failed to change channel", name=name, details=str(error)) from None
            self.ingest.use(self.specs.of(newer, former))
        if "ttl" in changes:
            self._forget_lease(name)
        self._note(name, "changed", ", ".join(sorted(changes)))
        log.info("channel %s changed: %s", name, changes)
        return pid

    def use(self, relay: Mapping[str, Any], services: Mapping[int, str]) -> dict[str, str]:
        """Go by other settings from now on: channels whose own are others by that go over, without a loss where that can be.

        Their names, and why one did not, empty where it did.
        """
        with self._turn:
            channels = self.store.channels()
            before = {one.name: self._spec(one) for one in channels}
            self.specs.use(relay)
            self.ports.use(services, self.specs.shared)
            done = {}
            for channel in channels:
                wanted, name = self._spec(channel), channel.name
                if wanted == before[name]:
                    continue
                if channel.port is None and wanted is not None:
                    self.ingest.use(wanted)
                elif channel.port is not None and not self.leases.has_run_out(name):
                    done[name] = self._go_over(channel)
        self.events.note(
            Event("settings", "settings", "reloaded", f"gone over: {counted(len(done), 'channel')}")
        )
        return done

    def restart(self, name: str) -> int | None:
        """Have another relay go on with a channel, without a loss; its pid, None where the keeper is about to start one."""
        with self._turn:
            channel = self.find(name)
            if channel.port is None:
                details = "it has no UDP port: what comes by HTTP is appended by the shared relay"
                raise ApiProblem(409, "Channel has no relay of its own", name=name, details=details)
            self.leases.renew(name)
            try:
                pid = self.relays.restart(self._relay_spec(channel))
            except RelayError as error:
                raise ApiProblem(
                    500, "Failed to restart relay process", name=name, details=str(error)
                ) from None
        self._note(name, "restarted")
        log.info("channel %s: relay restarted, %s", name, pid)
        return pid

    def deregister(self, name: str) -> None:
        """Stop a channel's relay and forget the channel; its archive stays."""
        with self._turn:
            channel = self.find(name)
            stopped = False
            try:
                with self.store.deleting(name):
                    stopped = self.relays.stop(name)
            except RelayError as error:
                raise ApiProblem(500, "Failed to stop relay process", name=name, details=str(error)) from None
            except StoreError:
                if stopped:  # but still registered
                    self._start(channel)
                raise
            self.relays.faults.pop(name, None)
            self.leases.forget(name)
            with contextlib.suppress(OSError):  # another channel of that name is not to have them
                (self.archive / name / ALARM_FILE).unlink(missing_ok=True)
        self.ingest.forget(name)
        self._note(name, "deregistered")
        log.info("channel %s de-registered", name)

    def renew(self, name: str) -> Channel:
        """Take note that a channel's device is there; one that was given up runs again."""
        channel = self.find(name)
        if channel.ttl_s is None:
            details = "it was registered without ttl, and is there until it is de-registered"
            raise ApiProblem(409, "Channel has no lease", name=name, details=details)
        if self.leases.renew(name):
            self._note(name, "renewed", "its device is there again")
            self.start(name)
        return channel

    def expire(self, heard: Sequence[str]) -> list[str]:
        """Stop channels whose devices have said nothing for as long as their leases are; `heard` are those that sent meanwhile."""
        for name in heard:
            self.leases.renew(name)
        leased = [one for one in self.store.channels() if one.ttl_s is not None]
        silent = [
            one.name
            for one in leased
            if not (self.leases.has_run_out(one.name) or self.leases.left_s(one.name, one.ttl_s or 0))
        ]
        return [name for name in silent if self._expire(name)]

    def start(self, name: str) -> int | None:
        """Start a channel's relay if it is registered; one that runs with other settings is replaced."""
        with self._turn:
            channel = self.store.get(name)
            if channel is None or channel.port is None or self.leases.has_run_out(name):
                return None
            try:
                return self._start(channel)
            except RelayError as error:
                self.relays.note_fault(name, error)
                raise

    def stop_strangers(self) -> list[str]:
        """Stop relays whose channels are not registered; their names."""
        with self._turn:
            known = {name for name, port, _ in self.store.places() if port is not None}
            strangers = [running["name"] for running in self.launcher.list() if running["name"] not in known]
            for name in strangers:
                self.launcher.stop(name)
        return strangers

    def find(self, name: str) -> Channel:
        """The channel of a name; 404 if there is none."""
        channel = self.store.get(name)
        if channel is None:
            details = f"there is no channel {name[:100]!r}"
            raise ApiProblem(404, "Channel not found", field="name", details=details, name=name)
        return channel

    def knows(self, name: str) -> bool:
        """Whether a channel is registered, or was once and has its archive still."""
        folder = self.archive / name
        return self.store.get(name) is not None or (folder.is_dir() and not folder.is_symlink())

    def spec(self, name: str) -> Json:
        """Everything that a relay must know of a channel; 404 if there is none."""
        return self.specs.of(self.find(name), self.schemas.former(name))

    def spec_or_none(self, name: str) -> Json | None:
        """The same; None where there is none."""
        channel = self.store.get(name)
        return None if channel is None else self.specs.of(channel, self.schemas.former(name))

    def _expire(self, name: str) -> bool:
        """Stop a channel, unless it is heard of, changed or de-registered at this moment; whether it is stopped."""
        with self._turn:
            channel = self.store.get(name)
            if channel is None or channel.ttl_s is None or not self.leases.give_up(name, channel.ttl_s):
                return False
            try:
                if channel.port is not None:
                    self.relays.stop(name)
            except RelayError:  # it is tried again
                self.leases.take_back(name)
                return False
            self._note(name, "expired", f"nothing was heard of its device for {channel.ttl_s:g} s")
            log.info("channel %s: its lease has run out", name)
        return True

    def _go_over(self, channel: Channel) -> str:
        try:
            self._start(channel)
        except RelayError as error:
            self.relays.note_fault(channel.name, error)
            return str(error)
        return ""

    def _compare(self, request: Registration, known: Channel) -> None:
        """Say what relay.yaml has otherwise than what is registered, which counts."""
        keys = differing(request, known, self.folder)
        if keys and self._differing.get(known.name) != keys:
            log.warning(
                "channel %s goes by what is registered; relay.yaml says otherwise of %s (PATCH changes the one, an editor the other)",
                known.name,
                ", ".join(keys),
            )
        self._differing[known.name] = keys

    def _spec(self, channel: Channel) -> Json | None:
        """Everything that a relay must know; None of a row that is damaged."""
        try:
            return self.specs.of(channel, self.schemas.former(channel.name))
        except RelayError:
            return None

    def _start(self, channel: Channel) -> int:
        return self.relays.start(self._relay_spec(channel))

    def _relay_spec(self, channel: Channel) -> Json:
        return self.specs.for_relay(channel, self.schemas.former(channel.name))

    def _forget_lease(self, name: str) -> None:
        """A lease of another length begins anew; a channel that had run out runs again."""
        was_out = self.leases.has_run_out(name)
        self.leases.forget(name)
        if was_out:
            with contextlib.suppress(RelayError):  # it is told as its fault
                self.start(name)

    def _note(self, name: str, event: str, reason: str = "") -> None:
        self.events.note(Event("channel", name, event, reason))
