"""What the registry tells: the channels there are, followed once a second by a thread of its own."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import requests

from speeddata.credentials import authorize
from speeddata.errors import SchemaError
from speeddata.limits import Limits
from speeddata.schema import Schema
from speeddata.stripchart.relay_counts import Missing, RelayCounts

_log = logging.getLogger(__name__)

Address = tuple[str, int]
PERIOD_S = 1.0
_TIMEOUT_S = 3.0


@dataclass(frozen=True)
class Making:
    """How the samples of a stream are made of a channel's records; as it stands here, each is a record."""

    bucket_ns: int | None = None
    """Width of the buckets of record time that a sample, or a pair of them, tells of."""
    has_pairs: bool = False
    """A bucket of several records has two samples of one time: minima, then maxima."""
    sequence_step: int | None = 1
    """By how much the sequence goes on from one sample to the next: of buckets of a width, where each has one record.
    None where that cannot be told."""
    loses_peaks: str = ""
    """The algorithm of the decimation, where the extremes of the records may not be among the samples."""

    @classmethod
    def read(cls, told: Any) -> "Making":
        """Read what the registry tells of a channel's decimation."""
        if not isinstance(told, dict) or not told.get("enabled", True):
            return cls()
        algorithm, factor, rate = (told.get(key) for key in ("algorithm", "factor", "rate_hz"))
        pairs = algorithm == "minmax"
        lossy = "" if pairs or not algorithm else str(algorithm)
        if factor or not rate:
            return cls(None, pairs, int(factor or 1), lossy if int(factor or 1) > 1 else "")
        return cls(round(1e9 / rate), pairs, 1 if pairs else None, lossy)


@dataclass(frozen=True)
class ChannelInfo:
    """A channel as the live server needs to know it."""

    name: str
    group: Address
    """Where its decimated stream is sent to."""
    source: Address | None
    """Where it is sent from; tells channels of one group apart."""
    revision: str
    """Changes when the schema does, or what there is of its versions."""
    time_unit: str | None
    schema: Schema = field(compare=False)
    """Its newest version."""
    versions: tuple[Schema, ...] = field(default=(), compare=False)
    """All of them, oldest first, where packets say which version they are of; none where packets are plain."""
    full_group: Address | None = None
    """Where its records are sent on at full rate; None: nowhere, or that is not known."""
    making: Making = field(default_factory=Making)
    """How the samples of the stream are made of records."""
    since_ms: tuple[int, ...] = field(default=(), compare=False)
    """When each of the versions was registered, or the channel where it has none; nothing where that is not known."""
    former_limits: Mapping[str, tuple[tuple[int, Limits | None], ...]] = field(
        default_factory=dict, compare=False
    )
    """By signal, the limits that it had before: until when (ms since 1970), and which."""
    signed: bool = False
    """Whether packets at full rate may bear a trailer."""
    has_trailers: bool = False
    """Whether those of this stream may."""


@dataclass(frozen=True)
class _Version:
    """A version of a channel's schema."""

    schema: Schema
    since_ms: int | None
    """When it was registered; None where the registry does not tell."""


def read_stamp(value: Any) -> int | None:
    """Read a time that the registry tells, in UTC, as ms since 1970; None when there is none."""
    if not value:
        return None
    stamp = datetime.fromisoformat(str(value))
    return int((stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)).timestamp() * 1000)


def read_address(value: Any) -> Address | None:
    """Read {"address", "port"} or [address, port]; None when it is not known."""
    if isinstance(value, dict) and value.get("address") and value.get("port"):
        return str(value["address"]), int(value["port"])
    if isinstance(value, (list, tuple)) and len(value) == 2 and value[1]:
        return str(value[0]), int(value[1])
    return None


class Follower(threading.Thread):
    """Asks the registry once a second and calls back with the channels whenever they changed, and with what relays lost.

    A registry that does not answer changes nothing: the channels known stay, and it is asked again.
    """

    def __init__(
        self,
        url: str,
        callback: Callable[[list[ChannelInfo]], None],
        lost: Callable[[dict[str, Missing]], None] = lambda _: None,
    ) -> None:
        super().__init__(name="catalogue", daemon=True)
        self._url = url.rstrip("/")
        self._callback = callback
        self._lost = lost
        self._counts = RelayCounts()
        self._session = authorize(requests.Session())
        # Parsed versions of schemas by channel and what they depend on, so that each is fetched once.
        self._schemas: dict[tuple[str, str, str | None], tuple[_Version, ...]] = {}
        self._known: list[ChannelInfo] | None = None
        # What is wrong at the moment, by subject: said once, when it changes.
        self._troubles: dict[str, str] = {}
        self._stopped = threading.Event()

    def run(self) -> None:
        """Follow until stopped."""
        while not self._stopped.is_set():
            self.poll()
            self._stopped.wait(PERIOD_S)
        self._session.close()

    def stop(self) -> None:
        """Make `run` end."""
        self._stopped.set()

    def poll(self) -> None:
        """Ask once."""
        try:
            told = self._get("/api/v1/channels?live=true")["channels"]
        except (requests.RequestException, ValueError, KeyError, TypeError) as error:
            # The error's own text holds object addresses, which change from try to try.
            self._trouble(
                "registry",
                f"{self._url} does not answer ({type(error).__name__}), going on with the channels known",
            )
            return
        self._trouble("registry", "")
        infos = [info for info in map(self._info, told) if info]
        names = {info.name for info in infos}
        self._schemas = {key: schema for key, schema in self._schemas.items() if key[0] in names}
        if infos != self._known:
            self._known = infos
            self._callback(infos)
        missing = self._counts.look(told, time.monotonic_ns())
        if missing:
            self._lost(missing)

    def _info(self, told: dict[str, Any]) -> ChannelInfo | None:
        name = str(told.get("name"))
        try:
            group = read_address(told["multicast"]["decimated"])
            if group is None:
                raise ValueError("its decimated stream has no address")
            # A registry that does not count versions is of before there were any, and packets were plain then.
            framed = told.get("framing") == "single_object" and told.get("schemas") is not None
            # The fingerprint leaves out units, notes and limits; the revision is of the whole text.
            parts = [told.get(key) for key in ("schema", "created_at", "revision")]
            parts.append(told["schemas"] if framed else "plain")
            revision, time_unit = " ".join(map(str, parts)), told.get("time_unit")
            known = self._versions(told, revision, framed)
            schemas = tuple(one.schema for one in known)
            since_ms = tuple(one.since_ms for one in known if one.since_ms is not None)
            source = read_address(told.get("source"))
            full, making = (
                read_address(told["multicast"].get("full_rate")),
                Making.read(told.get("decimation")),
            )
        except (
            requests.RequestException,
            SchemaError,
            ValueError,
            KeyError,
            TypeError,
            ArithmeticError,
        ) as error:
            self._trouble(name, f"channel {name!r} cannot be shown: {error!r}")
            return None
        self._trouble(name, "")
        return ChannelInfo(
            name,
            group,
            source,
            revision,
            time_unit,
            schemas[-1],
            schemas if framed else (),
            full,
            making,
            since_ms if len(since_ms) == len(known) else (),
            signed=bool(told.get("signed")),
        )

    def _versions(self, channel: dict[str, Any], revision: str, framed: bool) -> tuple[_Version, ...]:
        """The versions of a channel's schema, the newest last; that one alone where packets are plain."""
        name, time_unit = str(channel.get("name")), channel.get("time_unit")
        key = (name, revision, time_unit)
        if key not in self._schemas:
            path = f"/api/v1/channels/{quote(name, safe='')}"
            if framed:
                told = self._get(f"{path}/schemas")["schemas"]
            else:
                created_at = channel.get("created_at")
                told = [{"schema": self._get(f"{path}/schema"), "created_at": created_at}]
            # The unit told is that of the version in use: good for all that state none where no other does.
            unit = None if any(one.get("time_unit") for one in told) else time_unit
            self._schemas[key] = tuple(
                _Version(
                    Schema.parse(one["schema"], time_unit=one.get("time_unit") or unit),
                    read_stamp(one.get("created_at")),
                )
                for one in told
            )
        return self._schemas[key]

    def _get(self, path: str) -> Any:
        answer = self._session.get(self._url + path, timeout=_TIMEOUT_S)
        answer.raise_for_status()
        return answer.json()

    def _trouble(self, subject: str, text: str) -> None:
        if self._troubles.get(subject, "") != text:
            if text:
                _log.warning("%s", text)
            else:
                _log.info("%s is well again", subject)
        self._troubles[subject] = text
