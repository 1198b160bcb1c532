"""Ingest: has batches archived by the shared relay, and makes channels for them where that is wanted.

Every door by which records come in, other than UDP, leads here: the HTTP route, the dialects of other systems, imports.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, TypeVar

import orjson

from speeddata.errors import SchemaError
from speeddata.infer_schema import Inferred
from speeddata.pivot.ingest_batch import Batch, Part, Ready
from speeddata.pivot.ingest_specs import Known, Specs, compiled
from speeddata.pivot.problem import Problem
from speeddata.pivot.store_client import MAX_BODY, Refused, StoreAway, StoreClient
from speeddata.schema import Schema
from speeddata.settings_values import CHANNEL_NAME, NAME_WANTED

__all__ = ["Ingest", "Live", "make_ingest"]

T = TypeVar("T")
Live = Literal["auto", "true", "false"]
Durability = Literal["interval", "block"]

FRESH_NS = 60_000_000_000  # records newer than this are live ones
TRIES = 4  # of a batch: the channels may be unknown, be made, be another's, and change meanwhile
INLINE = 256 << 10  # bytes of a batch that is encoded between other requests, rather than in a thread
RETRY_S = 1
PASSED_ON = (400, 404, 409, 413, 429, 503, 507)  # what the shared relay may say to the client


class Ingest:
    """Archives batches; at most `MAX_BODY` bytes of records each."""

    def __init__(self, store: StoreClient, specs: Specs) -> None:
        self.store = store
        self.specs = specs
        self._threads = ThreadPoolExecutor(2, "ingest")

    def close(self) -> None:
        self.store.close()
        self.specs.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def append(
        self,
        batch: Batch,
        *,
        key: str | None = None,
        durability: Durability | None = None,
        live: Live = "auto",
        create: bool = False,
    ) -> dict[str, Any]:
        """Have a batch archived, whole or not at all; returns when that is so at its `durability` (None: the channel's).

        The same batch again, under the same `key`, is archived once. `create` makes channels that there are not, by the
        parts' schemas or by ones that are inferred. Gives `ingested`, `channels`, `repeated`, and `created` where there are
        such. Problem: 400, 404, 409, 413, 429, 503, 507.
        """
        created: list[str] = []
        for _ in range(TRIES):
            known = await self._known(batch, create, created)
            try:
                ready = await self._encode(batch, known)
            except Problem as problem:
                if problem.status != 400 or not await self._has_changed(known, batch, create, created):
                    raise
                continue
            try:
                answer = await self._send(ready, key, durability, self._live(live, ready))
            except Refused as refusal:
                unknown = refusal.answer.get("unknown")
                if refusal.status != 404 or not unknown:
                    raise _passed_on(refusal) from None
                await self._introduce([str(name) for name in unknown], batch, create, created)
                continue
            return _answer(ready, bool(answer.get("repeated")), created)
        raise Problem(503, "The channels change faster than records get there", {"retry-after": str(RETRY_S)})

    async def seal(self, channel: str) -> list[str]:
        """End the segment that a channel's batches go into, so that it can be compressed and rolled up; the names of those ended.

        Problem: 400, 404, 503.
        """
        if not CHANNEL_NAME.fullmatch(channel):
            raise Problem(400, "Invalid channel name", name=channel[:200], wanted=NAME_WANTED)
        try:
            return await self.store.seal(channel)
        except Refused as refusal:
            if refusal.status != 404:
                raise _passed_on(refusal) from None
        except StoreAway as away:
            raise _away(away) from None
        # The shared relay knows the channels that it has had batches of.
        if (await self.specs.find([channel]))[channel] is None:
            raise Problem(404, "Channel not found", name=channel)
        return []

    async def _encode(self, batch: Batch, known: Mapping[str, Known]) -> list[Ready]:
        ready = await self._run(lambda: batch.encode(known), batch)
        size = sum(len(part.data) for part in ready)
        if size > MAX_BODY:
            raise Problem(
                413,
                f"The records are more than {MAX_BODY} bytes",
                limit=MAX_BODY,
                hint="send smaller batches",
            )
        return [part for part in ready if part.count]

    async def _run(self, work: Callable[[], T], batch: Batch) -> T:
        """Do what takes long for a large batch."""
        if batch.size <= INLINE:
            return work()
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def _send(
        self, ready: Sequence[Ready], key: str | None, durability: str | None, live: bool | None
    ) -> dict[str, Any]:
        """Give the records to the shared relay; Refused."""
        if not ready:
            return {}
        parts = [
            {
                "channel": part.channel,
                "schema": part.fingerprint,
                "bytes": len(part.data),
                "records": part.count,
            }
            for part in ready
        ]
        body = [part.data for part in ready]
        for again in (True, False):
            try:
                return await self.store.append(parts, body, key=key, durability=durability, live=live)
            except StoreAway as away:
                # Under a key nothing is archived twice.
                if not (again and key is not None and away.sent):
                    raise _away(away) from None
        raise AssertionError("the second attempt either returns or raises")

    def _live(self, live: Live, ready: Iterable[Ready]) -> bool | None:
        """Whether the shared relay sends the records live; None: as each channel has it."""
        if live != "auto":
            return live == "true"
        now_ns = time.time_ns()
        newest = max((part.newest_ns for part in ready if part.newest_ns is not None), default=None)
        return None if newest is not None and abs(now_ns - newest) < FRESH_NS else False

    async def _known(self, batch: Batch, create: bool, created: list[str]) -> dict[str, Known]:
        """What is known of the channels; those that there are not are made, or a 404."""
        known: dict[str, Known] = {}
        asked: list[str] = []
        for part in batch.parts:
            found = self.specs.recall(part.channel) or part.given()
            if found is None:
                asked.append(part.channel)
            else:
                known[part.channel] = found
        if asked:
            known |= await self._find(asked, batch, create, created, known)
        return known

    async def _find(
        self,
        names: Sequence[str],
        batch: Batch,
        create: bool,
        created: list[str],
        known: Mapping[str, Known],
    ) -> dict[str, Known]:
        """Ask the registry for channels, and make those that there are not; others are `known`."""
        for name in names:
            if not CHANNEL_NAME.fullmatch(name):
                raise Problem(404 if not create else 400, "Channel not found" if not create else "Invalid channel name",
                              name=name[:200], wanted=NAME_WANTED)  # fmt: skip
        if create and all(part.schema is not None for part in batch.parts):
            # At once; those that there are stay as they are.
            await self._create(batch, set(names), created, known)
        found = await self.specs.find(names)
        missing = [name for name, known in found.items() if known is None]
        if missing and not create:
            raise Problem(404, "Channel not found", name=missing[0], names=missing[:100])
        if missing:
            there = {name: one for name, one in found.items() if one is not None}
            await self._create(batch, set(missing), created, {**known, **there})
            found |= await self.specs.find(missing)
        lost = [name for name, known in found.items() if known is None]
        if lost:
            raise Problem(503, "A channel was removed meanwhile", {"retry-after": str(RETRY_S)}, name=lost[0])
        return {name: known for name, known in found.items() if known is not None}

    async def _create(
        self, batch: Batch, names: Collection[str], created: list[str], known: Mapping[str, Known]
    ) -> None:
        """Register channels; one that somebody else has registered meanwhile is taken as it is.

        None is registered for a batch that is refused then: it would keep the schema of what was wrong.
        """
        parts = list({part.channel: part for part in batch.parts if part.channel in names}.values())

        def describe() -> list[dict[str, Any]]:
            made = [_registration(part, batch.time_unit) for part in parts]
            if any(part.schema is None for part in parts):
                plans = {entry["name"]: _planned(entry) for entry in made}
                tried = [part for part in batch.parts if part.channel in plans or part.channel in known]
                replace(batch, parts=tried).encode({**known, **plans})
            return made

        made, refused = await self.specs.create(await self._run(describe, batch))
        found = await self.specs.find(list(refused)) if refused else {}
        for name, error in refused.items():
            if found.get(name) is None:
                raise Problem(400, f"The channel cannot be made: {error}"[:500], name=name)
        created += made

    async def _has_changed(
        self, known: Mapping[str, Known], batch: Batch, create: bool, created: list[str]
    ) -> bool:
        """Whether channels have another schema, or are others, than was remembered; 404 where one is not there any more."""
        self.specs.forget(known)
        now = await self._known(batch, create, created)
        return any(now[name].spec != one.spec for name, one in known.items())

    async def _introduce(self, names: Sequence[str], batch: Batch, create: bool, created: list[str]) -> None:
        """Tell the shared relay of channels, or versions of their schemas, that it does not know."""
        self.specs.forget(names)
        found = await self._find(names, batch, create, created, {})
        try:
            await self.store.open(known.spec for known in found.values())
        except Refused as refusal:
            raise _passed_on(refusal) from None
        except StoreAway as away:
            raise _away(away) from None


def make_ingest(registry: str, socket: Path) -> Ingest:
    """What archives by the shared relay that listens at `socket`, the registry being that at the URL."""
    return Ingest(StoreClient(socket), Specs(registry))


def _registration(part: Part, time_unit: str | None) -> dict[str, Any]:
    """What the registry is told to make a channel for a part: its schema, or one that is inferred."""
    inferred = Inferred({}, None)
    if part.schema is None:
        try:
            inferred = part.content.infer(part.channel, time_unit)
            Schema.parse(inferred.schema, time_unit=inferred.time_unit)
        except SchemaError as error:
            raise Problem(
                400, f"No schema can be inferred: {error}"[:500], channel=part.channel, field=error.field
            ) from None
    schema = part.schema.json if part.schema is not None else inferred.schema
    config = {**part.config, **({"time_unit": inferred.time_unit} if inferred.time_unit else {})}
    made = {"name": part.channel, "port": None, "schema": schema}
    return {**made, "config": config} if config else made


def _planned(entry: Mapping[str, Any]) -> Known:
    """A channel that is to be registered, as it will be known."""
    plan = compiled(orjson.dumps(entry["schema"]), entry.get("config", {}).get("time_unit"))
    return Known(entry["name"], {}, plan, plan.schema.time_unit)


def _answer(ready: Sequence[Ready], repeated: bool, created: Sequence[str]) -> dict[str, Any]:
    counts: dict[str, int] = {}
    for part in ready:
        counts[part.channel] = counts.get(part.channel, 0) + part.count
    answer = {"ingested": sum(counts.values()), "channels": counts, "repeated": repeated}
    return {**answer, "created": list(created)} if created else answer


def _away(away: StoreAway) -> Problem:
    error = f"Nothing can be ingested just now: {away}"
    if away.sent:
        error = f"It is not known whether the batch was ingested ({away}); with an Idempotency-Key it can be sent again"
    return Problem(503, error, {"retry-after": str(RETRY_S)})


def _passed_on(refusal: Refused) -> Problem:
    """What the client is told of what the shared relay refused."""
    answer, status = refusal.answer, refusal.status
    if status not in PASSED_ON:
        return Problem(503, f"The shared relay failed: {refusal}", {"retry-after": str(RETRY_S)})
    headers = None
    if status in (429, 503):
        after = answer.get("retry_after", RETRY_S)
        headers = {"retry-after": str(max(1, round(after)) if isinstance(after, int | float) else RETRY_S)}
    if status == 400 and "channel" in answer:
        error = {key: answer.get(key) for key in ("row", "channel")}
        expected = f"a record of the channel's schema ({answer.get('reason', refusal)})"
        errors = [{**error, "field": None, "value": None, "expected": expected}]
        return Problem(400, f"Nothing was ingested: {refusal}", errors=errors, rows=1)
    more = {key: answer[key] for key in ("channel", "limit", "unknown") if key in answer}
    return Problem(status, str(refusal), headers, **more)
