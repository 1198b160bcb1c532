"""Every setting of every service: one row each, from which validation, `--set` and the documents are made.

`file` is the YAML file a setting belongs to. Settings of global.yaml may also stand in a service's own file, where
they hold for that service alone.
"""

from dataclasses import dataclass
from typing import Any

from speeddata.compression import COMPRESSIONS

__all__ = ["CHANNEL", "FILES", "SERVICES", "TABLE", "Setting", "rows"]

SERVICES = ("relay", "stripchart", "pivot")
FILES = ("global", *SERVICES)

MIB = 1 << 20


@dataclass(frozen=True)
class Setting:
    """One setting; `kind` names the check in `speeddata.settings_values` that its value must pass."""

    file: str
    key: str
    kind: str
    default: Any
    help: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    # None (YAML's null) is a value too, and means what the help says.
    optional: bool = False
    # A channel may have its own value: as `key` beside its name in relay.yaml, or in `config` over REST.
    channel: bool = False
    # Settings of a less particular place that this one puts out of force when it is given.
    replaces: tuple[str, ...] = ()


def _row(file: str, key: str, kind: str, default: Any, help: str, **more: Any) -> Setting:
    optional = more.pop("optional", default is None)
    return Setting(file, key, kind, default, help, optional=optional, **more)


def _port(file: str, key: str, default: int | None, help: str) -> Setting:
    return _row(file, key, "integer", default, help, low=1, high=65535)


def _channel(key: str, kind: str, default: Any, help: str, **more: Any) -> Setting:
    return _row("relay", key, kind, default, help, channel=True, **more)


SHARED_GROUP = "null gives each channel its own; a value is shared by all channels, as in SpeedData 0.6"

GLOBAL = (
    _row("global", "host", "host", "127.0.0.1", "address that HTTP and WebSocket bind to"),
    _row("global", "access.required", "flag", False,
         "ask for a token on loopback addresses too; on any other one is always asked for"),
    _row("global", "storage.avro_path", "text", None, "folder of the archive; null: `archive` in the data folder"),
    _row("global", "multicast.interface", "ipv4", "127.0.0.1", "address of the interface that multicast uses"),
    _row("global", "multicast.ttl", "integer", 0, "hops that multicast may travel", low=0, high=255),
    _row("global", "multicast.full_rate.address", "group", None, f"group of the full-rate stream: {SHARED_GROUP}"),
    _port("global", "multicast.full_rate.port", None, f"port of the full-rate stream: {SHARED_GROUP}"),
    _row("global", "multicast.decimated.address", "group", None, f"group of the decimated stream: {SHARED_GROUP}"),
    _port("global", "multicast.decimated.port", None, f"port of the decimated stream: {SHARED_GROUP}"),
)  # fmt: skip

RELAY = (
    _row(
        "relay", "channels", "channels", [], "channels that are registered at the start unless already known"
    ),
    _row("relay", "listen", "ipv4", "127.0.0.1", "address that the channels' UDP ports bind to"),
    _port("relay", "api.port", 8080, "port of the registration API and the pages"),
    _row(
        "relay",
        "limits.relays",
        "integer",
        1000,
        "channels with a UDP port, each of which has a process",
        low=1,
        high=8000,
    ),
    _row("relay", "limits.channels", "integer", 100_000, "channels in all", low=1, high=10**6),
    _port(
        "relay", "ports.first", 26000, "first of the UDP ports that channels registered without one are given"
    ),
    _port("relay", "ports.last", 27000, "last of them"),
    _row(
        "relay", "api.names", "names", [], "host names, besides this machine's, that the services answer to"
    ),
    _channel(
        "framing",
        "choice",
        "plain",
        "what a packet holds: bare records, or single-object encoded ones",
        choices=("plain", "single_object"),
    ),
    _channel(
        "time_unit",
        "choice",
        None,
        "unit of the time field where the schema does not tell; null: found from the first record",
        choices=("s", "ms", "us", "ns"),
    ),
    _channel("decimation.enabled", "flag", True, "false sends every packet on the decimated stream"),
    _channel(
        "decimation.algorithm",
        "algorithm",
        None,
        "how records are decimated; null: `downsample` when there is a factor, else `minmax`",
        choices=("downsample", "average", "minmax", "min-max", "rms"),
    ),
    _channel(
        "decimation.factor",
        "integer",
        None,
        "records per bucket; 0 and 1 send every packet",
        low=0,
        high=10**9,
        replaces=("decimation.rate_hz",),
    ),
    _channel(
        "decimation.rate_hz",
        "number",
        50.0,
        "buckets per second of record time",
        unit="Hz",
        low=0.001,
        high=1e6,
        optional=True,
        replaces=("decimation.factor",),
    ),
    _channel(
        "rotation.bytes",
        "integer",
        256 * MIB,
        "size at which a segment is sealed; 0: never for its size",
        unit="B",
        low=0,
        high=2**40,
        optional=True,
        replaces=("rotation.mode", "rotation.threshold"),
    ),
    _channel(
        "rotation.seconds",
        "integer",
        3600,
        "age at which a segment is sealed; 0: never for its age",
        unit="s",
        low=0,
        high=10**9,
        optional=True,
        replaces=("rotation.mode", "rotation.threshold"),
    ),
    _channel(
        "rotation.mode",
        "choice",
        None,
        "rotation of SpeedData 0.6: by `time` alone or by `size` alone",
        choices=("time", "size"),
        replaces=("rotation.bytes", "rotation.seconds"),
    ),
    _channel(
        "rotation.threshold",
        "integer",
        None,
        "seconds (`time`, 3600 if absent) or bytes (`size`, 52428800 if absent) of `rotation.mode`",
        low=1,
        high=2**40,
    ),
    _channel(
        "retention.max_age_s",
        "number",
        None,
        "age, counted from arrival, beyond which segments are deleted; null: any",
        unit="s",
        low=1,
        high=10**10,
        replaces=("retention.mode", "retention.value"),
    ),
    _channel(
        "retention.max_bytes",
        "integer",
        None,
        "size of the channel's archive beyond which its oldest segments are deleted; null: any",
        unit="B",
        low=1,
        high=2**60,
        replaces=("retention.mode", "retention.value"),
    ),
    _channel(
        "retention.max_segments",
        "integer",
        None,
        "number of segments beyond which the channel's oldest are deleted; null: any",
        low=1,
        high=10**9,
    ),
    _channel(
        "retention.mode",
        "choice",
        None,
        "retention of SpeedData 0.6: by age (`ttl`) or by size (`quota`)",
        choices=("ttl", "quota"),
        replaces=("retention.max_age_s", "retention.max_bytes"),
    ),
    _channel(
        "retention.value",
        "integer",
        None,
        "seconds (`ttl`) or bytes (`quota`) of `retention.mode`",
        low=1,
        high=2**53,
        replaces=("retention.max_age_s", "retention.max_bytes"),
    ),
    _row(
        "relay",
        "retention.min_free_percent",
        "number",
        10,
        "free space of the archive's file system below which the oldest segments of all channels are deleted; 0: never",
        unit="%",
        low=0,
        high=99,
    ),
    _row(
        "relay",
        "retention.archive_bytes",
        "integer",
        None,
        "size of the whole archive beyond which the oldest segments of all channels are deleted; null: any",
        unit="B",
        low=1,
        high=2**60,
    ),
    _channel(
        "compression",
        "codec",
        None,
        "codec that a segment is compressed by, in the background, after it was sealed; null: none",
        choices=COMPRESSIONS,
    ),
    _channel(
        "block_bytes",
        "integer",
        256 * 1024,
        "size at which a block is written",
        unit="B",
        low=65536,
        high=16 * MIB,
    ),
    _channel("full_rate.enabled", "flag", True, "false sends nothing on the full-rate stream"),
    _channel(
        "live",
        "flag",
        True,
        "whether records that come by HTTP are sent live too, where their request does not say; "
        "a channel without UDP port that has it off has no live streams",
    ),
    _channel(
        "idle_after_s",
        "number",
        10,
        "time without a packet after which the channel counts as idle",
        unit="s",
        low=1,
        high=10**9,
    ),
    _channel("block_age_s", "number", 1.0, "age at which a block is written", unit="s", low=0.01, high=3600),
    _channel(
        "durability",
        "choice",
        "interval",
        "when blocks are fsynced: each on its own, every `flush_interval_s`, or when the segment is sealed",
        choices=("block", "interval", "none"),
        optional=False,
    ),
    _channel(
        "flush_interval_s", "number", 1.0, "longest time between two fsyncs", unit="s", low=0.01, high=3600
    ),
    _channel(
        "ring_bytes", "integer", 64 * MIB, "blocks held while the disk stalls", unit="B", low=MIB, high=2**36
    ),
    _channel(
        "receive_buffer_bytes",
        "integer",
        64 * MIB,
        "receive buffer asked of the kernel",
        unit="B",
        low=4096,
        high=2**30 - 1,
    ),
    _channel(
        "gro",
        "flag",
        False,
        "have the kernel join packets of equal size on receipt: worth it where a sender or network card joins them",
    ),
    _channel(
        "busy_poll",
        "flag",
        False,
        "the receiver never sleeps: less latency, and a whole core for the channel",
    ),
    _channel(
        "sources",
        "networks",
        None,
        "addresses and networks that packets are taken from, such as 192.168.1.0/24; null: any. The address is not proved: it can be forged",
    ),
    _channel(
        "sign",
        "keys",
        None,
        "names of keys (`speeddata key create`), by one of which every packet must be signed; null: none need be",
    ),
    _channel("cpus", "cpus", None, "cores that the channel's relay may run on; null: any"),
    _channel(
        "quarantine_bytes",
        "integer",
        MIB,
        "invalid packets set aside for a look",
        unit="B",
        low=0,
        high=2**32,
    ),
)

STRIPCHART = (
    _port("stripchart", "websocket.port", 8081, "port of the live data"),
    _row("stripchart", "websocket.clients", "integer", 2000, "clients at a time, of each worker", low=1, high=10**5),
    _row("stripchart", "websocket.workers", "integer", 1,
         "processes that serve the port; each takes in all channels and keeps their last minutes", low=1, high=64),
    _row("stripchart", "decimation.pass_through", "flag", True,
         "accepted from SpeedData 0.6: the relay's decimated stream always passes as it is"),
)  # fmt: skip

PIVOT = (
    _port("pivot", "api.port", 8000, "port of the history API"),
    _row("pivot", "api.limits.max_channels", "integer", 20, "channels in one export", low=1, high=10**6),
    _row("pivot", "api.limits.max_duration_minutes", "number", 5, "longest time range of one export",
         unit="min", low=0.001, high=10**9),
    _row("pivot", "api.limits.timeout_seconds", "number", 60, "longest time one export or query may take",
         unit="s", low=0.1, high=10**6),
    _row("pivot", "api.limits.running_exports", "integer", 4, "exports made at a time, those in the background apart",
         low=1, high=64),
    _row("pivot", "api.limits.running_queries", "integer", 4, "queries answered at a time", low=1, high=64),
    _row("pivot", "api.limits.followers", "integer", 64, "clients that follow at a time", low=0, high=2000),
    _row("pivot", "api.exports.max_channels", "integer", 1000, "channels in one export made in the background",
         low=1, high=10**6),
    _row("pivot", "api.exports.max_duration_minutes", "number", None,
         "longest time range of one made in the background; null: any", unit="min", low=0.001, high=10**9),
    _row("pivot", "api.exports.running", "integer", 1, "exports made in the background at a time", low=1, high=64),
    _row("pivot", "api.exports.queued", "integer", 100, "exports that wait or are made in the background",
         low=1, high=10**5),
    _row("pivot", "api.exports.keep_seconds", "number", 86400, "for how long they are kept",
         unit="s", low=1, high=10**9),
    _row("pivot", "api.exports.max_bytes", "integer", 20 * 1024 * MIB, "size of all that are kept",
         unit="B", low=1, high=2**60),
    _row("pivot", "api.limits.max_points", "integer", 10**6, "values in the answer to a query", low=1, high=10**8),
    _row("pivot", "api.ingest.max_bytes", "integer", 64 * MIB, "an ingest body, as it is sent and as it is unpacked",
         unit="B", low=1024, high=2**30),
    _row("pivot", "api.ingest.max_text_bytes", "integer", 32 * MIB, "the same of JSON and CSV",
         unit="B", low=1024, high=2**30),
    _row("pivot", "api.ingest.running", "integer", 64, "ingest requests at a time", low=1, high=10**4),
    _row("pivot", "api.ingest.held_bytes", "integer", 256 * MIB,
         "their bodies at a time; at least twice the largest body", unit="B", low=1024, high=2**40),
    _row("pivot", "cache.result_bytes", "integer", 64 * MIB, "finished answers that are kept",
         unit="B", low=0, high=2**36),
    _row("pivot", "cache.rollup_bytes", "integer", 256 * MIB, "rollups that are kept", unit="B", low=0, high=2**40),
    _row("pivot", "sql.timeout_seconds", "number", 30, "longest time one statement of SQL may take",
         unit="s", low=0.1, high=10**6),
    _row("pivot", "sql.memory_mb", "integer", 512, "memory that one may take", unit="MB", low=64, high=10**6),
    _row("pivot", "sql.running", "integer", 2, "statements that run at a time", low=1, high=64),
)  # fmt: skip

TABLE = (*GLOBAL, *RELAY, *STRIPCHART, *PIVOT)

# What a channel has beside the settings that it may override.
CHANNEL = (
    _row("relay", "name", "name", None, "letters, digits, _ . - (64 at most), a letter or digit first",
         optional=False),
    _row("relay", "port", "integer", None, "UDP port of its packets", low=1, high=65535, optional=False),
    _row("relay", "schema", "schema", None, "Avro schema: a file below the config folder, or the schema itself",
         optional=False),
    *(row for row in RELAY if row.channel),
)  # fmt: skip


def rows(file: str) -> dict[str, Setting]:
    """The settings that may stand in a file, by key."""
    own = TABLE if file == "global" else (*GLOBAL, *TABLE)
    return {row.key: row for row in own if row.file in (file, "global")}
