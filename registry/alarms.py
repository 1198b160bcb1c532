"""The alarms of all channels, and what somebody has acknowledged of them.

How signals stand is asked of the relays when somebody wants to know. What is acknowledged is in rows of the registry: so many
rises of a side, in one life of its channel. A rise after that is not acknowledged, whoever acknowledged what before.
"""

import contextlib
import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from speeddata.errors import RelayError
from speeddata.registry.alarm import HTTP, UDP, Acknowledgement, Alarm, Key, limited_sides, quiet, side_of
from speeddata.registry.launcher import Ingest, Launcher, Seen
from speeddata.registry.store import Store

__all__ = ["Alarms", "Wanted"]

log = logging.getLogger(__name__)

Json = dict[str, Any]
# Signals, named with their channels, and the occurrence of each that was seen.
Wanted = Sequence[tuple[str, str | None]]
OLD_KEEPER = "the keeper is of a version that knows no limits; speeddata restart replaces it"


class Alarms:
    """The alarms of one registry's channels."""

    def __init__(
        self, store: Store, launcher: Launcher, ingest: Ingest, clock: Callable[[], int] = time.time_ns
    ) -> None:
        self.store = store
        self.launcher = launcher
        self.ingest = ingest
        self.clock = clock
        # Held by who acknowledges, so that nothing is acknowledged anew with less.
        self._turn = threading.Lock()

    def look(self) -> tuple[list[Alarm], list[Json]]:
        """All sides that were ever beyond, and what was not checked. RelayError where the keeper does not answer."""
        acknowledged = self._acknowledged()
        known = {name for name, _, _ in self.store.places()}
        told: list[tuple[str, str, Json]] = []
        unchecked: list[Json] = []
        for one in self.launcher.list(alarms=True):
            if one["name"] in known:
                unchecked += self._unchecked(one)
                told += [(one["name"], UDP, side) for side in one.get("alarms", {}).get("raised", ())]
        ingested, trouble = self._ingested()
        unchecked += [one for one in trouble if one["channel"] in known or one["channel"] is None]
        told += [(name, HTTP, side) for name, sides in ingested.items() if name in known for side in sides]
        found = [Alarm(name, via, side) for name, via, side in told]
        alarms = [alarm.acknowledged(acknowledged.get(alarm.key)) for alarm in found]
        alarms.sort(key=lambda alarm: alarm.order)
        self._remind(alarms)
        return alarms, unchecked

    def acknowledge(self, wanted: Wanted | None, by: str, note: str) -> tuple[list[Alarm], list[Alarm]]:
        """Acknowledge what is wanted, or all; what is acknowledged now, and what is there instead of an occurrence that was seen.

        What was acknowledged before stays as it was then. LookupError where signals have no limits, RelayError as `look`.
        """
        with self._turn:
            there, _ = self.look()
            chosen, others = self._choose(wanted, there)
            done = self._write(chosen, by, note)
        self._remind(done)
        return done, others

    def _choose(self, wanted: Wanted | None, there: list[Alarm]) -> tuple[list[Alarm], list[Alarm]]:
        """Which of the alarms that there are are meant, and which have followed one that is."""
        if wanted is None:
            return [alarm for alarm in there if alarm.state != "normal"], []
        named = {alarm.name for alarm in there}
        if unknown := [name for name, _ in wanted if name not in named and not self.knows(name)]:
            raise LookupError(unknown)
        seen = set(wanted)
        chosen = [one for one in there if {(one.name, None), (one.name, one.occurrence)} & seen]
        sides = {(name, side_of(occurrence)) for name, occurrence in wanted if occurrence}
        others = [
            one for one in there
            if one not in chosen and one.by is None and (one.name, one.told["side"]) in sides
        ]  # fmt: skip
        return chosen, others

    def _write(self, alarms: Iterable[Alarm], by: str, note: str) -> list[Alarm]:
        done, stamp = [], self.clock()
        with self.store.transaction() as writer:
            for alarm in alarms:
                if alarm.by is None:
                    told = alarm.told
                    alarm = replace(alarm, by=Acknowledgement(told["epoch"], told["rises"], stamp, by, note))
                    writer.execute(
                        "INSERT OR REPLACE INTO acknowledgements VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                        (*alarm.key, f"{told['epoch']:016x}", told["rises"], stamp, by, note),
                    )
                    log.info("%s: %s acknowledged", alarm.name, alarm.occurrence)
                done.append(alarm)
        return done

    def quiet(self, raised: Iterable[Alarm]) -> list[Json]:
        """Sides of registered channels' signals that have limits and were never beyond them."""
        known = {alarm.key[:3] for alarm in raised}
        return [
            quiet(channel.name, told, side)
            for channel in self.store.channels()
            for told, side in limited_sides(channel.schema)
            if (channel.name, told["signal"], side) not in known
        ]

    def knows(self, name: str) -> bool:
        """Whether a signal, named with its channel, has limits."""
        return any(
            name == f"{channel.name}.{told['signal']}"
            for channel in self.store.channels()
            if name.startswith(f"{channel.name}.")
            for told, _ in limited_sides(channel.schema)
        )

    def _ingested(self) -> tuple[Json, list[Json]]:
        """The alarms of what came by HTTP, and what of it was not checked."""
        try:
            told = self.ingest.alarms()
        except RelayError as error:
            return {}, [{"channel": None, "via": HTTP, "reason": str(error), "blocks": None}]
        trouble = [
            {"channel": name, "via": HTTP, "reason": words, "blocks": None}
            for name, words in told["unchecked"].items()
        ]
        return told["channels"], trouble

    def _unchecked(self, running: Json) -> list[Json]:
        """What of a channel that runs was held against no limits."""
        name, about = running["name"], running.get("alarms")
        if about is None:
            channel = self.store.get(name)
            reasons = [(OLD_KEEPER, None)] if channel and limited_sides(channel.schema) else []
        else:
            reasons = [(words, None) for words in about["ignored"]]
            if about["limited"] and about["skipped_blocks"]:
                reasons.append(("the decimator came too late for them", about["skipped_blocks"]))
        return [{"channel": name, "via": UDP, "reason": words, "blocks": count} for words, count in reasons]

    def _acknowledged(self) -> dict[Key, Acknowledgement]:
        with self.store.reading() as reader:
            rows = reader.execute(
                "SELECT channel, signal, side, via, epoch, rises, at_ns, acknowledged_by, note FROM acknowledgements"
            ).fetchall()
        return {(*row[:4],): Acknowledgement(int(row[4], 16), *row[5:]) for row in rows}

    def _remind(self, alarms: Iterable[Alarm]) -> None:
        """Tell the relays what is acknowledged, as far as they do not know: then what comes next is counted by itself."""
        news: dict[tuple[str, str], list[Seen]] = defaultdict(list)
        for alarm in alarms:
            if alarm.by and alarm.told["seen"] < alarm.by.rises:
                _, signal, side, _ = alarm.key
                news[alarm.via, alarm.channel].append((signal, side, alarm.by.epoch, alarm.by.rises))
        for (via, channel), seen in news.items():
            with contextlib.suppress(RelayError):  # it is told when somebody looks again
                (self.launcher if via == UDP else self.ingest).acknowledge(channel, seen)
