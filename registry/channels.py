"""The registry: channels that should run, brought together with those that do.

What is registered is in the store, what runs is asked of the launcher (the keeper), at the time of the request.
Registering, de-registering and starting take turns, so that a channel is never started after it was removed.
"""

import contextlib
import json
import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from speeddata.errors import RelayError
from speeddata.limits import ALARM_FILE
from speeddata.registry.alarms import Alarms
from speeddata.registry.batches import sort_batch
from speeddata.registry.changes import changed_config, invalid
from speeddata.registry.descriptions import condition, describe
from speeddata.registry.launcher import Ingest, Launcher, NoIngest
from speeddata.registry.multicast import Streams, own_ports, shared_streams, streams
from speeddata.registry.problems import ApiProblem, wrong_value
from speeddata.registry.registration import Registration, read_channel
from speeddata.registry.relays import Relays
from speeddata.registry.schema_versions import SchemaVersion, SchemaVersions, check_framing, with_schema
from speeddata.registry.specs import channel_problems, channel_settings, spec
from speeddata.registry.store import Channel, NameTaken, PortTaken, Store, StoreError
from speeddata.registry.tags import Tags

__all__ = ["Registry"]

log = logging.getLogger(__name__)

Json = dict[str, Any]
MOST_SETTINGS = 1000  # that are remembered


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
    ) -> None:
        self.store = store
        self.tags = Tags(store)
        self.schemas = SchemaVersions(store)
        self.launcher = launcher
        self.relays = Relays(launcher)
        self.ingest = ingest or NoIngest()
        self.alarms = Alarms(store, launcher, self.ingest)
        self.relay = relay  # settings by dotted key
        self.archive = archive
        self.folder = folder  # where schema files are looked for
        # Ports that no channel may have, and whose they are.
        self.services = dict(services)
        self.shared = shared_streams(relay)
        for name, (_, port) in self.shared.items():
            self.services[port] = f"multicast ({name})"
        self._turn = threading.Lock()
        # By config: what it takes to tell is not little, and thousands of channels have the same.
        self._settings: dict[str, Json] = {}
        self._streams: dict[int, Streams] = {}  # by multicast index, of which they are a function
        for moved in self.store.move_multicast(self.services):
            log.warning("channel %s has other multicast ports now, the former ones are in use", moved.name)

    def add_baseline(self, channels: Sequence[Mapping[str, Any]]) -> None:
        """Register the channels of relay.yaml whose names are not known; what is registered stays as it is."""
        for item in channels:
            if self.store.get(item["name"]) is not None:
                continue
            config = {key: value for key, value in item.items() if key not in ("name", "port", "schema")}
            request = Registration(item["name"], item["port"], item["schema"], config or None)
            try:
                with self._turn:
                    self._insert(request)
            except ApiProblem as problem:
                log.error("channel %s of relay.yaml is not registered: %s", request.name, problem.body)

    def register(self, request: Registration) -> int | None:
        """Register a channel and start its relay; its pid, None where it has no port. Nothing stays behind when that fails."""
        with self._turn:
            channel = self._insert(request)
            if channel.port is None:
                log.info("channel %s registered without a port", channel.name)
                return None
            try:
                pid = self._start(channel)
            except RelayError as error:
                self.store.delete(channel.name)
                self.relays.faults.pop(channel.name, None)
                raise ApiProblem(
                    500, "Failed to start relay process", name=channel.name, details=str(error)
                ) from None
        log.info("channel %s registered on port %d, relay %d", channel.name, channel.port, pid)
        return pid

    def register_all(self, given: list[Any]) -> Json:
        """Register channels without a port, in one transaction; the names of those that are new, present, refused and why."""
        with self._turn:
            known = {channel.name: channel.fingerprint for channel in self.store.channels()}
            done = sort_batch(given, known, self.folder, lambda one: self.check_config(one.config))
            live = {name for name, channel in done.fresh.items() if (channel.config or {}).get("live")}
            try:
                self.store.insert_all(done.fresh.values(), live, self.services)
            except OverflowError as error:
                raise ApiProblem(409, "No multicast group is free", details=str(error)) from None
        if done.fresh:
            log.info("%d channels registered without a port", len(done.fresh))
        return done.to_json()

    def add_schema(self, name: str, source: str | Json) -> tuple[SchemaVersion, int | None]:
        """Register a further version of a channel's schema, and have its relay go over to it: the version, and the pid.

        Nothing is registered when that fails.
        """
        with self._turn:
            channel = self.find(name)
            if channel.port is not None:  # what comes by HTTP says itself which version it is of
                check_framing(self._settings_of(channel)["framing"])
            newer = with_schema(channel, source, self.folder)
            number = self.schemas.next_number(newer)
            try:
                with self.schemas.adding(newer, number):
                    wanted = self._relay_spec(newer, [*self.schemas.former(name), channel.schema])
                    present = self._relay_spec(channel, self.schemas.former(name))
                    pid = self.relays.go_over(wanted, present)
            except RelayError as error:
                raise ApiProblem(
                    500, "Failed to replace relay process", name=name, details=str(error)
                ) from None
            added = self.schemas.of(name)[-1]
        log.info("channel %s has version %d of its schema, %s", name, number, newer.fingerprint)
        return added, pid

    def change(self, name: str, changes: Json) -> int | None:
        """Give a channel other settings, which its relay goes over to while it receives; its pid, None where none lives.

        Nothing is changed when that fails.
        """
        with self._turn:
            channel = self.find(name)
            newer = replace(channel, config=changed_config(channel.config, changes))
            if problems := channel_problems(newer.config, self.relay):
                raise invalid(problems[0].key, problems[0].value, problems[0].wanted)
            former = self.schemas.former(name)
            try:
                with self.store.changing(newer):
                    pid = None
                    if channel.port is not None:
                        pid = self.relays.go_over(
                            self._relay_spec(newer, former), self._relay_spec(channel, former)
                        )
            except RelayError as error:
                raise ApiProblem(500, "Failed to change channel", name=name, details=str(error)) from None
            self.ingest.use(self._spec(newer, former))
        log.info("channel %s changed: %s", name, changes)
        return pid

    def restart(self, name: str) -> int | None:
        """Have another relay go on with a channel, without a loss; its pid, None where the keeper is about to start one."""
        with self._turn:
            channel = self.find(name)
            if channel.port is None:
                details = "it has no UDP port: what comes by HTTP is appended by the shared relay"
                raise ApiProblem(409, "Channel has no relay of its own", name=name, details=details)
            try:
                pid = self.relays.restart(self._relay_spec(channel, self.schemas.former(name)))
            except RelayError as error:
                raise ApiProblem(
                    500, "Failed to restart relay process", name=name, details=str(error)
                ) from None
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
            with contextlib.suppress(OSError):  # another channel of that name is not to have them
                (self.archive / name / ALARM_FILE).unlink(missing_ok=True)
        self.ingest.forget(name)
        log.info("channel %s de-registered", name)

    def start(self, name: str) -> int | None:
        """Start a channel's relay if it is registered; one that runs with other settings is replaced."""
        with self._turn:
            channel = self.store.get(name)
            if channel is None or channel.port is None:
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
            raise ApiProblem(404, "Channel not found", name=name)
        return channel

    def knows(self, name: str) -> bool:
        """Whether a channel is registered, or was once and has its archive still."""
        folder = self.archive / name
        return self.store.get(name) is not None or (folder.is_dir() and not folder.is_symlink())

    def describe(self, name: str) -> Json:
        """A channel as the API shows it."""
        channel = self.find(name)
        running, trouble = self.relays.running(name, stats=True, sources=True)
        about = running.get(name), trouble, self.schemas.counts(), self.ingest.counts()
        return self._describe(channel, *about)

    def describe_all(self, status: str | None = None, *, live: bool = False) -> list[Json]:
        """All channels, or those of a status, as the API shows them; `live`: but those that have no live streams."""
        running, trouble = self.relays.running(stats=True)
        about = trouble, self.schemas.counts(), self.ingest.counts()
        channels = self.store.channels(live=live)
        shown = [self._describe(one, running.get(one.name), *about) for one in channels]
        return [channel for channel in shown if status in (None, channel["status"])]

    def spec(self, name: str) -> Json:
        """Everything that a relay must know of a channel; 404 if there is none."""
        return self._spec(self.find(name), self.schemas.former(name))

    def spec_or_none(self, name: str) -> Json | None:
        """The same; None where there is none."""
        channel = self.store.get(name)
        return None if channel is None else self._spec(channel, self.schemas.former(name))

    def conditions(self) -> list[Json]:
        """State and reason of all channels, without their counters."""
        running, trouble = self.relays.running()
        places = self.store.places()
        return [self._condition(name, port, running.get(name), trouble) for name, port, _ in places]

    def streams(self, channel: Channel) -> Streams | None:
        """Where a channel's streams are sent; None where it has none."""
        index = channel.multicast_index
        if index is None:
            return None
        if index not in self._streams:
            self._streams[index] = streams(self.store.multicast_base, index, self.shared)
        return self._streams[index]

    def port_owners(self) -> dict[int, str]:
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

    def _settings_of(self, channel: Channel) -> Json:
        """The settings that hold for a channel."""
        key = json.dumps(channel.config, sort_keys=True)
        if key not in self._settings:
            if len(self._settings) >= MOST_SETTINGS:
                self._settings.clear()
            self._settings[key] = channel_settings(channel.config, self.relay)
        return self._settings[key]

    def check_config(self, config: Mapping[str, Any] | None) -> None:
        """Whether a config agrees with the relay's settings; 400 if not."""
        problems = channel_problems(config, self.relay)
        if problems:
            raise wrong_value(
                "Invalid config", f"config.{problems[0].key}", problems[0].value, problems[0].wanted
            )

    def _insert(self, request: Registration) -> Channel:
        self.check_config(request.config)
        owner = self.port_owners().get(request.port) if request.port is not None else None
        if owner is not None:
            raise ApiProblem(409, "Port already in use", port=request.port, used_by=owner)
        channel = read_channel(request, self.folder)
        try:
            streamed = channel.port is not None or self._settings_of(channel)["live"]
            return self.store.insert(channel, self.services, streams=streamed)
        except NameTaken:
            raise ApiProblem(409, "Channel name already registered", name=request.name) from None
        except PortTaken:
            raise ApiProblem(
                409, "Port already in use", port=request.port, used_by="another channel"
            ) from None
        except OverflowError as error:
            raise ApiProblem(409, "No multicast group is free", details=str(error)) from None

    def _spec(self, channel: Channel, former: Sequence[str]) -> Json:
        try:
            return spec(channel, self.relay, self.archive, self.streams(channel), former)
        except ValueError as error:
            raise RelayError(f"the registry's row of {channel.name!r} is damaged: {error}") from None

    def _relay_spec(self, channel: Channel, former: Sequence[str]) -> Json:
        """What a relay of its own is told: not what only the shared one asks for, which a keeper of before does not know."""
        return {key: value for key, value in self._spec(channel, former).items() if key != "live"}

    def _start(self, channel: Channel) -> int:
        return self.relays.start(self._relay_spec(channel, self.schemas.former(channel.name)))

    def _describe(
        self,
        channel: Channel,
        running: Json | None,
        trouble: str,
        versions: Mapping[str, int],
        ingested: Mapping[str, Json],
    ) -> Json:
        return describe(
            channel,
            running,
            self._condition(channel.name, channel.port, running, trouble),
            self._settings_of(channel),
            self.streams(channel),
            ingested.get(channel.name),
            versions.get(channel.name, 1),
            f"{self.archive}/{channel.name}",
        )

    def _condition(self, name: str, port: int | None, running: Json | None, trouble: str) -> Json:
        return condition(port, running, self.relays.faults.get(name), trouble)
