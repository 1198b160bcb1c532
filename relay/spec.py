"""What a relay is told of its channel: everything resolved, nothing to look up."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, Self, get_args

from speeddata.errors import ConfigError, RelayError
from speeddata.limits import without_limits

__all__ = ["ChannelSpec", "Decimation", "Group", "Multicast", "Rotation"]


Algorithm = Literal["downsample", "minmax", "average", "rms"]
ALGORITHMS: tuple[str, ...] = get_args(Algorithm)
MAX_FACTOR = 1_000_000_000
MIN_RATE_HZ, MAX_RATE_HZ = 0.001, 1e6


@dataclass(frozen=True, slots=True)
class Group:
    """A multicast group and port."""

    address: str
    port: int


@dataclass(frozen=True, slots=True)
class Multicast:
    """Where the two streams are sent, by which interface (its IPv4 address) and how far."""

    full_rate: Group
    decimated: Group
    interface: str = "127.0.0.1"
    ttl: int = 0


@dataclass(frozen=True, slots=True)
class Decimation:
    """How the decimated stream is made: by `factor` records or at `rate_hz` buckets a second of record time."""

    enabled: bool = True
    algorithm: Algorithm = "minmax"
    factor: int | None = None
    rate_hz: float | None = 50.0

    @classmethod
    def from_json(cls, value: Any) -> Self:
        """Make one of what `asdict` gave; ConfigError for what none can be made of."""
        try:
            made = cls(**value)
        except TypeError as error:
            raise ConfigError([f"decimation {value!r}: {error}"]) from None
        if problem := made.problem():
            raise ConfigError([f"decimation {value!r}: {problem}"])
        return made

    def resolved(self) -> tuple[str, int, int]:
        """Algorithm, records a bucket or 0, width of a bucket in ns or 0."""
        if not self.enabled:
            return "downsample", 1, 0
        return self.algorithm, self.factor or 0, 0 if self.factor else round(1e9 / (self.rate_hz or 0))

    def problem(self) -> str:
        """Why this cannot be done; empty when it can."""
        if self.algorithm not in ALGORITHMS:
            return f"algorithm {self.algorithm!r}: one of {', '.join(ALGORITHMS)} is expected"
        if not self.enabled:
            return ""
        if self.factor is not None and not 1 <= self.factor <= MAX_FACTOR:
            return f"factor {self.factor!r}: 1 to {MAX_FACTOR} is expected"
        if self.rate_hz is not None and not MIN_RATE_HZ <= self.rate_hz <= MAX_RATE_HZ:
            return f"rate_hz {self.rate_hz!r}: {MIN_RATE_HZ} to {MAX_RATE_HZ:g} is expected"
        if self.factor is None:
            if self.algorithm == "downsample":
                return "decimation by downsample needs a factor"
            if self.rate_hz is None:
                return "decimation needs a factor or a rate"
        return ""


@dataclass(frozen=True, slots=True)
class Rotation:
    """Size and age at which a segment ends; 0 = never."""

    bytes: int = 256 << 20
    seconds: int = 3600


MAX_VERSIONS = 16  # of a channel's schema

# Fields that the next relay of a channel may have other values of.
SOFT = frozenset(
    (
        "decimation",
        "rotation",
        "block_age_s",
        "flush_interval_s",
        "busy_poll",
        "cpus",
        "full_rate",
        "durability",
    )
    + ("quarantine_bytes", "live", "sources", "sign")
)


@dataclass(frozen=True, slots=True)
class ChannelSpec:
    """One channel, as its relay sees it, and the shared relay."""

    name: str
    port: int | None  # None: what comes by HTTP is all it has, and the shared relay its only one
    schema: dict[str, Any]  # its newest version
    archive: str
    multicast: Multicast | None  # None: it has no live streams
    listen: str = "127.0.0.1"
    framing: Literal["plain", "single_object"] = "plain"
    time_unit: str | None = None
    decimation: Decimation = field(default_factory=Decimation)
    rotation: Rotation = field(default_factory=Rotation)
    block_bytes: int = 256 << 10
    block_age_s: float = 1.0
    flush_interval_s: float = 1.0
    ring_bytes: int = 64 << 20
    receive_buffer_bytes: int = 64 << 20
    gro: bool = False
    busy_poll: bool = False
    cpus: list[int] | None = None
    full_rate: bool = True
    durability: Literal["block", "interval", "none"] = "interval"
    quarantine_bytes: int = 1 << 20
    sources: list[str] | None = None  # networks that packets are taken from; None: everywhere
    sign: list[str] | None = (
        None  # files of keys, by one of which packets must be signed; None: they need not be
    )
    versions: list[dict[str, Any]] = field(default_factory=list)  # of the schema before, oldest first
    live: bool = True  # whether what comes by HTTP is sent live, where the request does not say

    @property
    def known(self) -> list[dict[str, Any]]:
        """All versions of the schema, oldest first. Framed packets say which they are of; plain ones are of the newest."""
        return [*self.versions, self.schema] if self.framing == "single_object" else [self.schema]

    @property
    def wire(self) -> tuple[int, Multicast]:
        """The UDP port and the groups of a channel that has a relay of its own; RelayError for one that has none."""
        if self.port is None or self.multicast is None:
            raise RelayError(f"channel {self.name!r} has no UDP port, the shared relay is its only one")
        return self.port, self.multicast

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Make a spec of what `to_json` gave; ConfigError for keys it does not know or misses."""
        given = dict(value)
        unknown = set(given) - {f.name for f in fields(cls)}
        if unknown:
            raise ConfigError([f"channel spec: unknown key {key!r}" for key in sorted(unknown)])
        try:
            if given["multicast"] is not None:
                given["multicast"] = _multicast(given["multicast"])
            for key, kind in (("decimation", Decimation), ("rotation", Rotation)):
                if key in given:
                    given[key] = kind(**given[key])
            spec = cls(**given)
        except (KeyError, TypeError) as error:
            raise ConfigError([f"channel spec {given.get('name')!r}: {error}"]) from None
        problem = spec.decimation.problem()
        if len(spec.known) > MAX_VERSIONS:
            problem = f"{len(spec.known)} versions of the schema, at most {MAX_VERSIONS} are possible"
        if problem:
            raise ConfigError([f"channel spec {spec.name!r}: {problem}"])
        return spec

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def hard_differences(self, other: Self) -> list[str]:
        """Fields that differ and that a relay cannot go over to on the same sockets, mapping and open segment."""
        differing = {one.name for one in fields(self) if getattr(self, one.name) != getattr(other, one.name)}
        alike = without_limits(other.known[: len(self.known)]) == without_limits(self.known)
        if alike:  # versions may be added, and limits may be others
            differing -= {"schema", "versions"}
        return sorted(differing - SOFT)


def _multicast(value: Mapping[str, Any]) -> Multicast:
    groups = {stream: Group(**value[stream]) for stream in ("full_rate", "decimated")}
    return Multicast(**{**value, **groups})
