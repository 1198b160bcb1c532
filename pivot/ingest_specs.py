"""What the registry tells of the channels that records are to go to, kept until the shared relay knows better.

A spec is asked for once. It is asked for again when the shared relay says that it does not know the channel, or the
version of its schema: so a channel that was removed, or registered anew, is noticed at its next record.
"""

import asyncio
import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import quote, urlsplit

import orjson

from speeddata.credentials import headers
from speeddata.errors import SpeedDataError
from speeddata.pivot.problem import Problem
from speeddata.plan import Plan
from speeddata.rows_json import RowEncoder
from speeddata.schema import Schema
from speeddata.settings_values import CHANNEL_NAME

__all__ = ["Known", "RegistryAway", "Specs", "compiled"]

TIMEOUT_S = 20.0  # also for making a thousand channels
THREADS = 4  # as many requests as the registry takes at a time
MAX_KEPT = 50_000  # channels
RETRY_S = 1
ASKED = 1000  # channels by one request


class RegistryAway(Problem):
    """The registry does not answer, and nothing is known without it."""

    def __init__(self) -> None:
        super().__init__(503, "The registry does not answer, try again later", {"retry-after": str(RETRY_S)})


@dataclass(frozen=True, eq=False)
class Known:
    """A channel as the registry told it."""

    name: str
    spec: Mapping[str, Any]  # what the shared relay is told of it
    plan: Plan  # of the newest version of its schema
    unit: str | None  # of its time; None: nothing has told it yet

    @property
    def fingerprint(self) -> str:
        return self.plan.schema.fingerprint.hex()

    def versions(self) -> list[Plan]:
        """The plans of all versions of its schema that records may be of, the newest first."""
        former = self.spec.get("versions") or ()
        return [self.plan, *(compiled(orjson.dumps(schema), self.unit) for schema in reversed(former))]

    def encoder(self, given: str | None, ignore_unknown: bool) -> RowEncoder:
        """What encodes JSON for this channel; `given` is the unit of times that come as numbers."""
        return _encoder(self.plan, self.unit, given, ignore_unknown)


@lru_cache(maxsize=4096)
def _encoder(plan: Plan, unit: str | None, given: str | None, ignore_unknown: bool) -> RowEncoder:
    return RowEncoder(plan, unit, given, ignore_unknown)


@lru_cache(maxsize=4096)
def compiled(schema: bytes, unit: str | None) -> Plan:
    """The plan of a schema given as JSON; those of ten thousand like series are one."""
    return Plan(Schema.parse(schema, time_unit=unit))


class Specs:
    """Asks the registry in threads of its own."""

    def __init__(self, registry: str) -> None:
        url = urlsplit(registry.rstrip("/").removesuffix("/api/v1"))
        self._address = url.netloc
        self._path = f"{url.path}/api/v1/channels"
        self._known: dict[str, Known] = {}
        self._threads = ThreadPoolExecutor(THREADS, "registry")
        self._local = threading.local()
        self._open: set[HTTPConnection] = set()

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        for connection in self._open:
            connection.close()

    def recall(self, name: str) -> Known | None:
        """A channel that was asked for before."""
        return self._known.get(name)

    def forget(self, names: Iterable[str]) -> None:
        for name in names:
            self._known.pop(name, None)

    async def find(self, names: Sequence[str]) -> dict[str, Known | None]:
        """The channels of these names; None for one that there is not. RegistryAway."""
        found: dict[str, Known | None] = {name: self._known.get(name) for name in names}
        missing = [name for name, known in found.items() if known is None and CHANNEL_NAME.fullmatch(name)]
        if missing:
            loop = asyncio.get_running_loop()
            for at in range(0, len(missing), ASKED):
                group = missing[at : at + ASKED]
                for name, known in zip(
                    group, await loop.run_in_executor(self._threads, self._ask, group), strict=True
                ):
                    found[name] = known
                    if known is not None:
                        self._keep(known)
        return found

    async def create(self, channels: Sequence[Mapping[str, Any]]) -> tuple[list[str], dict[str, str]]:
        """Register channels without a port; give which were made, and which were refused and why. RegistryAway."""
        loop = asyncio.get_running_loop()
        answer = await loop.run_in_executor(self._threads, self._post, {"channels": channels})
        refused = answer.get("refused", ())
        return list(answer.get("created", ())), {
            entry["name"]: str(entry.get("error", "refused")) for entry in refused
        }

    def _keep(self, known: Known) -> None:
        while len(self._known) >= MAX_KEPT:
            self._known.pop(next(iter(self._known)))
        self._known[known.name] = known

    def _ask(self, names: Sequence[str]) -> list[Known | None]:
        """Channels, by one request."""
        try:
            specs = self._answer(*self._exchange("POST", "/specs", orjson.dumps({"names": names})))["specs"]
            return [self._read(name, spec) for name, spec in zip(names, specs, strict=True)]
        except (SpeedDataError, ValueError, LookupError, TypeError, AttributeError):
            raise RegistryAway from None

    def _read(self, name: str, spec: dict[str, Any] | None) -> Known | None:
        if spec is None:
            return None
        plan = compiled(orjson.dumps(spec["schema"]), spec.get("time_unit"))
        return Known(name, spec, plan, plan.schema.time_unit or self._detected(name))

    def _detected(self, name: str) -> str | None:
        """The unit that a channel's relay has found in its records."""
        unit = self._answer(*self._exchange("GET", f"/{quote(name)}")).get("time_unit")
        return unit if unit in ("s", "ms", "us", "ns") else None

    def _post(self, body: Mapping[str, Any]) -> dict[str, Any]:
        return self._answer(*self._exchange("POST", "/batch", orjson.dumps(body)))

    def _answer(self, status: int, data: bytes) -> dict[str, Any]:
        try:
            answer = orjson.loads(data)
        except ValueError:
            raise RegistryAway from None
        if status >= 300 or not isinstance(answer, dict):
            raise RegistryAway
        return answer

    def _exchange(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        """A request on this thread's connection; requests takes four times as long. A connection that was left is made anew."""
        told = headers() | ({"content-type": "application/json"} if body is not None else {})
        for again in (True, False):
            kept: HTTPConnection | None = getattr(self._local, "connection", None)
            connection = kept or HTTPConnection(self._address, timeout=TIMEOUT_S)
            self._local.connection = connection
            self._open.add(connection)
            try:
                connection.request(method, f"{self._path}{path}", body, told)
                response = connection.getresponse()
                return response.status, response.read()
            except (OSError, HTTPException):
                connection.close()
                self._open.discard(connection)
                self._local.connection = None
                if kept is None or not again:
                    break
        raise RegistryAway
