"""The registry: channels that should run, brought together with those that do.

What is registered is in the store, what runs is asked of the launcher (the keeper), at the time of the request.
Registering, de-registering and starting take turns, so that a channel is never started after it was removed.
"""

import contextlib
import datetime
import logging
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from speeddata.errors import RelayError
from speeddata.registry.multicast import Streams, own_ports, shared_streams, streams
from speeddata.registry.problems import ApiProblem, wrong_value
from speeddata.registry.registration import Registration, read_channel
from speeddata.registry.schema_versions import SchemaVersion, SchemaVersions, check_framing, with_schema
from speeddata.registry.specs import channel_problems, channel_settings, decimation, spec
from speeddata.registry.store import Channel, NameTaken, PortTaken, Store, StoreError
from speeddata.registry.tags import Tags
from speeddata.times import format_time

__all__ = ["Launcher", "Registry"]

log = logging.getLogger(__name__)

Json = dict[str, Any]
STATUSES = {True: "active", False: "registered"}  # SpeedData 0.6's words


class Launcher(Protocol):
    """What starts relays and knows how they fare: a keeper's client."""

    def start(self, spec: Json) -> int:
        """Start a channel's relay, or find it running with the same spec; its pid. RelayError says why not."""

    def replace(self, name: str, spec: Json) -> int | None:
        """Have another relay go on with another spec, without a loss. RelayError where that cannot be."""

    def stop(self, name: str) -> None:
        """Stop a channel's relay, all it received flushed."""

    def list(self, name: str | None = None, *, stats: bool = False) -> list[Json]:
        """Name, pid, state, reason, since (ns), restarts of one or each channel that runs or should; with its counters."""


@dataclass(frozen=True)
class _Fault:
    """Why a channel could not be started."""

    reason: str
    since_ns: int


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
    ) -> None:
        self.store = store
        self.tags = Tags(store)
        self.schemas = SchemaVersions(store)
        self.launcher = launcher
        self.relay = relay  # settings by dotted key
        self.archive = archive
        self.folder = folder  # where schema files are looked for
        # Ports that no channel may have, and whose they are.
        self.services = dict(services)
        self.shared = shared_streams(relay)
        for name, (_, port) in self.shared.items():
            self.services[port] = f"multicast ({name})"
        # Channels that could not be started, until they are.
        self.faults: dict[str, _Fault] = {}
        self._turn = threading.Lock()
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

    def register(self, request: Registration) -> int:
        """Register a channel and start its relay; its pid. Nothing stays behind when that fails."""
        with self._turn:
            channel = self._insert(request)
            try:
                pid = self._start(channel)
            except RelayError as error:
                self.store.delete(channel.name)
                self.faults.pop(channel.name, None)
                raise ApiProblem(
                    500, "Failed to start relay process", name=channel.name, details=str(error)
                ) from None
        log.info("channel %s registered on port %d, relay %d", channel.name, channel.port, pid)
        return pid

    def add_schema(self, name: str, source: str | Json) -> tuple[SchemaVersion, int | None]:
        """Register a further version of a channel's schema, and have its relay go over to it: the version, and the pid.

        Nothing is registered when that fails.
        """
        with self._turn:
            channel = self.find(name)
            check_framing(channel_settings(channel.config, self.relay)["framing"])
            newer = with_schema(channel, source, self.folder)
            number = self.schemas.next_number(newer)
            try:
                with self.schemas.adding(newer, number):
                    pid = self._go_over(channel, newer)
            except RelayError as error:
                raise ApiProblem(
                    500, "Failed to replace relay process", name=name, details=str(error)
                ) from None
            added = self.schemas.of(name)[-1]
        log.info("channel %s has version %d of its schema, %s", name, number, newer.fingerprint)
        return added, pid

    def deregister(self, name: str) -> None:
        """Stop a channel's relay and forget the channel; its archive stays."""
        with self._turn:
            channel = self.find(name)
            stopped = False
            try:
                with self.store.deleting(name):
                    if any(running["name"] == name for running in self.launcher.list()):
                        self.launcher.stop(name)
                        stopped = True
            except RelayError as error:
                raise ApiProblem(500, "Failed to stop relay process", name=name, details=str(error)) from None
            except StoreError:
                if stopped:  # but still registered
                    self._start(channel)
                raise
            self.faults.pop(name, None)
        log.info("channel %s de-registered", name)

    def start(self, name: str) -> int | None:
        """Start a channel's relay if it is registered; one that runs with other settings is replaced."""
        with self._turn:
            channel = self.store.get(name)
            if channel is None:
                return None
            try:
                return self._start(channel)
            except RelayError as error:
                self.faults[name] = _Fault(str(error), time.time_ns())
                raise

    def stop_strangers(self) -> list[str]:
        """Stop relays whose channels are not registered; their names."""
        with self._turn:
            known = {channel.name for channel in self.store.channels()}
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
        running, trouble = self._running(name, stats=True)
        return self._describe(channel, running.get(name), trouble, self.schemas.counts())

    def describe_all(self, status: str | None = None) -> list[Json]:
        """All channels, or those of a status, as the API shows them."""
        running, trouble = self._running(stats=True)
        counts = self.schemas.counts()
        shown = [self._describe(one, running.get(one.name), trouble, counts) for one in self.store.channels()]
        return [channel for channel in shown if status in (None, channel["status"])]

    def conditions(self) -> list[Json]:
        """State and reason of all channels, without their counters."""
        running, trouble = self._running()
        return [self._condition(one.name, running.get(one.name), trouble) for one in self.store.channels()]

    def streams(self, channel: Channel) -> Streams:
        """Where a channel's streams are sent."""
        return streams(self.store.multicast_base, channel.multicast_index, self.shared)

    def port_owners(self) -> dict[int, str]:
        """What every port that a channel cannot have is used for; the name alone if it is a channel's input."""
        owners = dict(self.services)
        places = self.store.places()
        for name, _, index in places:
            for stream, port in zip(("full_rate", "decimated"), own_ports(index), strict=True):
                if stream not in self.shared:
                    owners.setdefault(port, f"multicast of {name} ({stream})")
        return owners | {port: name for name, port, _ in places}

    def _insert(self, request: Registration) -> Channel:
        problems = channel_problems(request.config, self.relay)
        if problems:
            raise wrong_value(
                "Invalid config", f"config.{problems[0].key}", problems[0].value, problems[0].wanted
            )
        owner = self.port_owners().get(request.port)
        if owner is not None:
            raise ApiProblem(409, "Port already in use", port=request.port, used_by=owner)
        channel = read_channel(request, self.folder)
        try:
            return self.store.insert(channel, self.services)
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

    def _start(self, channel: Channel) -> int:
        wanted = self._spec(channel, self.schemas.former(channel.name))
        try:
            pid = self.launcher.start(wanted)
        except RelayError:
            if channel.name not in self._running()[0]:
                raise
            log.info("channel %s runs with other settings, its relay is replaced", channel.name)
            pid = self._replace(wanted)
        self.faults.pop(channel.name, None)
        return pid

    def _replace(self, wanted: Json) -> int:
        """Have a channel that runs go on with another spec: without a pause where that can be."""
        with contextlib.suppress(RelayError):
            if pid := self.launcher.replace(wanted["name"], wanted):
                return pid
        self.launcher.stop(wanted["name"])
        return self.launcher.start(wanted)

    def _go_over(self, channel: Channel, newer: Channel) -> int | None:
        """Have a channel's relay know a newer schema; its pid, None where none lives, and the next one will know it.

        When that fails the relay is left alone: one that cannot even start has a keeper that holds what it received and
        starts it again, and one that knows a version too many does no harm.
        """
        running, trouble = self._running(channel.name)
        if trouble:
            raise RelayError(trouble)
        wanted = self._spec(newer, [*self.schemas.former(channel.name), channel.schema])
        if channel.name not in running:
            return None
        with contextlib.suppress(RelayError):
            return self.launcher.start(wanted)  # which knows it, by an attempt that failed in the end
        self._start(channel)  # one that knows another, by such an attempt, is replaced
        return self.launcher.replace(channel.name, wanted)

    def _running(self, name: str | None = None, *, stats: bool = False) -> tuple[dict[str, Json], str]:
        """What the launcher says of one or all channels, by name, or why it says nothing."""
        try:
            return {running["name"]: running for running in self.launcher.list(name, stats=stats)}, ""
        except RelayError as error:
            return {}, str(error)

    def _describe(
        self, channel: Channel, running: Json | None, trouble: str, counts: Mapping[str, int]
    ) -> Json:
        stats = running["stats"] if running else None
        settings = channel_settings(channel.config, self.relay)
        about: Json = {
            "name": channel.name,
            "port": channel.port,
            "schema_path": channel.schema_path,
            "status": STATUSES[bool(running and running["pid"])],
            "created_at": channel.created_at,
            "pid": running["pid"] if running else None,
            "last_heartbeat": _seconds((stats or {}).get("heartbeat")),
            **self._condition(channel.name, running, trouble),
            "stats": stats and stats | {"since": format_time(stats["since"])},
            "multicast": self.streams(channel).to_json(),
            "source": (stats or {}).get("source"),
            "time_unit": (stats or {}).get("time_unit") or channel.time_unit,
            "schema": channel.fingerprint,
            "schemas": counts.get(channel.name, 1),
            "framing": settings["framing"],
            "decimation": decimation(settings),
            "archive": str(self.archive / channel.name),
        }
        return about if channel.config is None else about | {"config": channel.config}

    def _condition(self, name: str, running: Json | None, trouble: str) -> Json:
        """State, reason and since of a channel: what the keeper says, else why it was not started."""
        if running:
            since = running["since"]
            return {"state": running["state"], "reason": running["reason"] or "", "restarts": running["restarts"],
                    "since": format_time(since)}  # fmt: skip
        fault = self.faults.get(name)
        if fault:
            return {
                "state": "backoff",
                "reason": fault.reason,
                "restarts": 0,
                "since": format_time(fault.since_ns),
            }
        return {"state": "stopped", "reason": trouble, "restarts": 0, "since": None}


def _seconds(stamp_ns: Any) -> str | None:
    """A time as SpeedData 0.6 wrote it."""
    if not isinstance(stamp_ns, int):
        return None
    return datetime.datetime.fromtimestamp(stamp_ns // 10**9, datetime.UTC).strftime("%Y-%m-%d %H:%M:%S")
