"""How the registered channels fare, as the API tells it: what is registered, what runs, what came by HTTP, brought together."""

import bisect
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from speeddata.registry.channel_specs import ChannelSpecs
from speeddata.registry.conditions import WITHOUT_PORT, condition
from speeddata.registry.descriptions import describe_row, describe_run
from speeddata.registry.launcher import Ingest
from speeddata.registry.leases import Leases
from speeddata.registry.relays import Relays
from speeddata.registry.schema_versions import SchemaVersions
from speeddata.registry.store import Channel, Store

__all__ = ["Catalogue", "Page"]

Json = dict[str, Any]
LEASE_OUT = "its lease has run out: nothing was heard of its device for {:g} s"


@dataclass(frozen=True)
class Page:
    """Part of a list of channels. `after`: the name that the next part begins behind; None: there is no more."""

    channels: list[Json]
    total: int
    after: str | None = None


@dataclass(frozen=True)
class _Running:
    """What is asked once for all channels that are told of."""

    relays: Mapping[str, Json]
    trouble: str  # why relays say nothing
    ingested: Mapping[str, Json]
    versions: Mapping[str, int]


class Catalogue:
    """The channels of one registry, to be looked at."""

    def __init__(
        self,
        store: Store,
        schemas: SchemaVersions,
        specs: ChannelSpecs,
        relays: Relays,
        ingest: Ingest,
        leases: Leases,
    ) -> None:
        self.store = store
        self.schemas = schemas
        self.specs = specs
        self.relays = relays
        self.ingest = ingest
        self.leases = leases
        # What follows from the rows alone: of which rows and settings, and by name.
        self._rows: tuple[Any, dict[str, Json]] = (None, {})

    def describe(self, channel: Channel) -> Json:
        """One channel, with who sends."""
        return self._describe(channel, self._running(channel.name, sources=True), self._known_rows())

    def counted(self) -> tuple[list[Json], str]:
        """Of channels that something is counted for their names, states, restarts and counters, times in ns; and why nothing is
        told of relays. Those that have no relay and that nothing has come for are left out."""
        relays, trouble = self.relays.running(stats=True)
        ingested, now_ns = self.ingest.counts(), time.time_ns()
        found: list[Json] = []
        for channel in self.store.channels():
            name, one = channel.name, relays.get(channel.name)
            if channel.port is not None:
                about = self._condition(channel, one, trouble, now_ns, ingested.get(name))
            elif name in ingested:
                about = {}
            else:
                continue
            counters = {"stats": (one or {}).get("stats"), "ingested": ingested.get(name)}
            found.append({"name": name, "port": channel.port, "pid": one and one["pid"], **about, **counters})
        return found, trouble

    def list(
        self,
        *,
        status: str | None = None,
        state: str | None = None,
        live: bool = False,
        limit: int | None = None,
        after: str = "",
    ) -> Page:
        """Channels by name: those of a status or state, those that have live streams, so many behind a name."""
        channels = self.store.channels(live=live)
        start = bisect.bisect_right(channels, after, key=lambda channel: channel.name) if after else 0
        running, rows = self._running(), self._known_rows()
        if status is None and state is None:
            part = channels[start:] if limit is None else channels[start : start + limit]
            shown = [self._describe(one, running, rows) for one in part]
            is_last = start + len(part) >= len(channels)
            return Page(shown, len(channels), None if is_last else part[-1].name)
        matching = [
            told
            for one in channels
            if status in (None, (told := self._describe(one, running, rows))["status"])
            and state in (None, told["state"])
        ]
        rest = [one for one in matching if one["name"] > after] if after else matching
        part_ = rest if limit is None else rest[:limit]
        return Page(part_, len(matching), part_[-1]["name"] if len(part_) < len(rest) else None)

    def conditions(
        self, running: Mapping[str, Json] | None = None, trouble: str = ""
    ) -> Iterator[tuple[Channel, Json, Json | None]]:
        """Channels that have a relay of their own, their conditions, and what the keeper says of each.

        `running`: if it was asked; `trouble`: why it said nothing.
        """
        if running is None:
            running, trouble = self.relays.running()
        ingested = self.ingest.counts()
        for channel in self.store.channels():
            if channel.port is not None:
                one, came = running.get(channel.name), ingested.get(channel.name)
                yield channel, self._condition(channel, one, trouble, time.time_ns(), came), one

    def _running(self, name: str | None = None, *, sources: bool = False) -> _Running:
        relays, trouble = self.relays.running(name, stats=True, sources=sources)
        return _Running(relays, trouble, self.ingest.counts(), self.schemas.counts())

    def _describe(self, channel: Channel, running: _Running, rows: dict[str, Json]) -> Json:
        name = channel.name
        row = rows.get(name) or self._row(channel, rows)
        one, ingested = running.relays.get(name), running.ingested.get(name)
        told: Json = {}
        fares = self._condition(channel, one, running.trouble, time.time_ns(), ingested)
        if channel.port is not None:
            told = describe_run(one, fares)
        elif fares["state"] != WITHOUT_PORT:
            told = fares
        if ingested is not None:
            told["ingested"] = ingested
        if name in running.versions:
            told["schemas"] = running.versions[name]
        if channel.ttl_s is not None:
            told["expires_in_s"] = round(self.leases.left_s(name, channel.ttl_s), 3)
        return row | told if told else row

    def _known_rows(self) -> dict[str, Json]:
        """What is remembered of rows, until any row or the settings change."""
        of = self.store.revision, self.specs.generation
        if of != self._rows[0]:
            self._rows = of, {}
        return self._rows[1]

    def _row(self, channel: Channel, rows: dict[str, Json]) -> Json:
        settings, streams = self.specs.settings(channel), self.specs.streams(channel)
        rows[channel.name] = describe_row(channel, settings, streams, f"{self.specs.archive}/{channel.name}")
        return rows[channel.name]

    def _condition(
        self, channel: Channel, running: Json | None, trouble: str, now_ns: int, ingested: Json | None
    ) -> Json:
        if running is None and self.leases.has_run_out(channel.name):
            trouble = LEASE_OUT.format(channel.ttl_s or 0)
        idle_after_s = self.specs.settings(channel)["idle_after_s"]
        fault = self.relays.faults.get(channel.name)
        live_error = (ingested or {}).get("live_error")
        return condition(channel.port, running, fault, trouble, idle_after_s, now_ns, live_error)
