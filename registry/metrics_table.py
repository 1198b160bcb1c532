"""The metrics for Prometheus: one table of which number of the API is told under which name. Pure.

No number is counted for a metric alone: each row names where the API tells the same.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from speeddata.registry.conditions import STATES, WITHOUT_PORT

__all__ = ["GROUPS", "LEFT_OUT", "NAMES", "TABLE", "Group", "Metric"]

RELAY_STATES = tuple(state for state in STATES if state != WITHOUT_PORT)


@dataclass(frozen=True)
class Group:
    """Things of one kind that metrics are about: by which labels they are told apart, and which request tells of them."""

    labels: tuple[str, ...]
    request: str


@dataclass(frozen=True)
class Metric:
    """A number of each thing of a group."""

    group: str
    key: str  # where it is in what the API tells of the thing, names joined by dots
    name: str
    help: str
    labels: tuple[tuple[str, str], ...] = ()  # that are the same for all
    by: str = ""  # the label of entries, where the key names an object of them
    states: tuple[str, ...] = ()  # where the key names a text of these, each with 1 or 0
    time: bool = False  # where the key names a time, as text or as nanoseconds
    where: str = ""  # in words, where it is no number of the API itself

    @property
    def kind(self) -> str:
        return "counter" if self.name.endswith("_total") else "gauge"

    @property
    def label_names(self) -> tuple[str, ...]:
        """All its labels, in the order in which they are written."""
        return (
            *GROUPS[self.group].labels,
            *(name for name, _ in self.labels),
            *((self.by,) if self.by else ()),
        )


GROUPS = {
    "build": Group((), "GET /status"),
    "system": Group((), "GET /status"),
    "keeper": Group((), "GET /status"),
    "service": Group(("process",), "GET /status"),
    "process": Group(("kind", "process"), "GET /system"),
    "archive": Group((), "GET /status"),
    "alarms": Group((), "GET /alarms"),
    "channels": Group((), "GET /status"),
    "channel": Group(("channel",), "GET /channels/<name>"),
    "ingested": Group(("channel",), "GET /channels/<name>"),
}
FULL_RATE, DECIMATED = (("stream", "full_rate"),), (("stream", "decimated"),)
STATE = {"by": "state", "states": RELAY_STATES}


def _rows(group: str, inside: str, prefix: str, *rows: tuple[str, str, str]) -> Iterator[Metric]:
    """Metrics that need nothing but a key, a name and words."""
    for key, name, words in rows:
        yield Metric(group, f"{inside}{key}", f"{prefix}{name}", words)


SYSTEM = (
    Metric("build", "version", "speeddata_build_info", "The version that runs, always 1.", by="version", where="`version`"),
    Metric("system", "started", "speeddata_start_time_seconds", "When the orchestrator was started.", time=True),
    Metric("system", "left_out.log_lines", "speeddata_log_lines_left_out_total",
           "Lines of a process that were too many for the log.", by="process"),
    Metric("system", "left_out.events", "speeddata_events_left_out_total",
           "Events that were not kept, as they could not be written for long."),
    Metric("keeper", "up", "speeddata_keeper_up", "1: the keeper answers; while it does not, nothing is told of what relays do.",
           where="`keeper.state`"),
    Metric("keeper", "keeper.restarts", "speeddata_keeper_restarts_total", "How often the keeper ended, and was to be started again."),
    Metric("system", "registry_degraded", "speeddata_registry_degraded",
           "1: the registry's database cannot be used; a copy is gone by, where there is none little else is told here.", where="`registry.trouble` is not null"),
    Metric("service", "up", "speeddata_service_up", "1: the service runs.", where="`services[].state` is `active` or `degraded`"),
    Metric("service", "services[].restarts", "speeddata_service_restarts_total",
           "How often the service ended, and was to be started again."),
    Metric("process", "processes[].cpu_s", "speeddata_process_cpu_seconds_total", "Processor time of all threads."),
    Metric("process", "processes[].memory.resident", "speeddata_process_resident_memory_bytes",
           "Memory, with what is shared with other processes."),
)  # fmt: skip
ARCHIVE = (
    *_rows(
        "archive", "archive.", "speeddata_archive_",
        ("bytes", "bytes", "What the archive holds."),
        ("segments", "segments", "Segments in the archive."),
        ("size_bytes", "disk_size_bytes", "Size of the archive's file system."),
        ("free_bytes", "disk_free_bytes", "Free space of the archive's file system."),
        ("growth_bytes_per_s", "growth_bytes_per_second", "How fast the archive has grown lately; absent: too little was seen."),
        ("full_in_s", "disk_full_in_seconds", "When the disk is full at that rate; absent: it does not come to that."),
        ("deletes_in_s", "deletes_in_seconds", "When the oldest segments go at that rate; absent: it does not come to that."),
        ("damaged", "damaged_segments", "Segments that sealing has found damaged."),
        ("deleted.segments", "deleted_segments_total", "Segments that retention deleted."),
        ("deleted.bytes", "deleted_bytes_total", "Bytes that retention deleted."),
        ("sealed", "sealed_segments_total", "Segments that were sealed, that is verified."),
        ("compressed.segments", "compressed_segments_total", "Segments that were compressed."),
        ("compressed.saved_bytes", "compression_saved_bytes_total", "Bytes that compression saved."),
        ("clock_step.by_s", "clock_step_seconds", "By how much the wall clock stepped, while that is not believed; absent: it did not."),
    ),
    Metric("archive", "degraded", "speeddata_archive_degraded", "1: something keeps the archive from being kept in order.",
           where="`archive.trouble` is not null"),
)  # fmt: skip
ALARMS = (
    Metric("alarms", "active", "speeddata_alarms_active", "Sides of signals that are beyond their limits now.", by="level",
           where="entries with `state` `active`, by `now`"),
    Metric("channels", "channels.states", "speeddata_channels", "Channels by state, those without a port among them.", by="state"),
)  # fmt: skip
RELAY = (
    Metric("channel", "state", "speeddata_channel_state", "1 for the state that the channel is in, 0 for all others.",
           by="state", states=RELAY_STATES),
    *_rows(
        "channel", "", "speeddata_channel_",
        ("restarts", "restarts_total", "How often the channel's relay ended, and another was to go on."),
        ("stats.packets", "packets_total", "Packets that were accepted."),
        ("stats.records", "records_total", "Records that were accepted."),
        ("stats.bytes", "bytes_total", "Bytes of the packets that were accepted."),
        ("stats.archived", "archived_records", "Records written; less by those that a failed fsync costs, and so no counter."),
        ("stats.durable", "durable_records_total", "Records that are known to be on the disk."),
    ),
    Metric("channel", "stats.rejected", "speeddata_channel_rejected_packets_total", "Packets that were refused.", by="reason"),
    Metric("channel", "stats.not_archived", "speeddata_channel_not_archived_records_total", "Records that the disk refused.", by="reason"),
    *_rows(
        "channel", "stats.", "speeddata_channel_",
        ("ring_full", "ring_full_records_total", "Records for which the disk was too slow."),
        ("kernel_drops", "kernel_dropped_packets_total",
         "Packets for which the socket's buffer had no room; a lower bound where the kernel joins packets."),
        ("bad_time", "bad_time_records_total", "Records whose time cannot be right."),
        ("sequence.gaps", "sequence_gaps_total", "Numbers of the sequence that were left out."),
        ("sequence.duplicates", "sequence_duplicates_total", "Numbers of the sequence that came again."),
        ("sequence.reordered", "sequence_reordered_total", "Numbers of the sequence that came late."),
        ("sources.followed", "sources", "Senders that are followed."),
        ("sources.forgotten", "forgotten_sources_total", "Senders that are no longer followed, as there were too many."),
    ),
)  # fmt: skip
STREAMS = tuple(
    Metric("channel", f"stats.{key}", f"speeddata_channel_{name}", words, stream)
    for name, words, *keys in (
        ("sent_packets_total", "Packets of a live stream.", "forwarded", "decimated"),
        ("send_failed_packets_total", "Packets of a live stream that could not be sent.", "forward_failed", "decimate_failed"),
        ("cut_packets_total", "Packets of a live stream that the kernel cut from runs, which costs least.", "forward_cut", "decimate_cut"),
    )
    for key, stream in zip(keys, (FULL_RATE, DECIMATED), strict=True)
) + (
    Metric("channel", "unsent", "speeddata_channel_stream_failing", "1: the last packet of a live stream could not be sent.", by="stream",
           where="`stats.forward_error`, `stats.decimate_error` are not null"),
)  # fmt: skip
WRITTEN = (
    *_rows(
        "channel", "stats.", "speeddata_channel_",
        ("decimate_skipped_blocks", "decimate_skipped_blocks_total", "Blocks that the decimator came too late for."),
        ("blocks", "archived_blocks_total", "Blocks written."),
        ("archived_bytes", "archived_bytes_total", "Bytes written."),
        ("segments", "segments_total", "Segments begun."),
        ("fsyncs", "fsyncs_total", "Fsyncs."),
        ("failed_fsyncs", "failed_fsyncs_total", "Fsyncs that failed."),
        ("rescued", "rescued_records_total", "Records that were written again after a failed fsync."),
        ("quarantined", "quarantined_packets_total", "Refused packets that were filed."),
        ("quarantine_missed", "quarantine_missed_packets_total", "Refused packets that could not be filed, for want of room on the way."),
        ("repaired.segments", "repaired_segments_total", "Segments that were mended when a relay started."),
        ("repaired.cut_bytes", "repaired_cut_bytes_total", "Bytes of torn tails that were cut off."),
        ("repaired.found_blocks", "repaired_found_blocks_total", "Blocks that were put into indexes."),
        ("ring.blocks", "ring_blocks", "Blocks of the ring between receiver and disk."),
        ("ring.queued", "ring_queued_blocks", "Blocks of the ring that wait for the disk."),
        ("receive_buffer.wanted", "receive_buffer_wanted_bytes", "The socket's buffer, as it was asked for."),
        ("receive_buffer.granted", "receive_buffer_granted_bytes", "The socket's buffer, as the kernel gave it."),
        ("receive_buffer.used", "receive_buffer_used_bytes", "Bytes of the socket's buffer that are in use."),
    ),
    *(
        Metric("channel", f"stats.{key}", f"speeddata_channel_{name}_timestamp_seconds", words, time=True)
        for key, name, words in (
            ("last_packet", "last_packet", "When the last packet came."),
            ("durable_until", "durable_until", "When the newest record came that is known to be on the disk."),
            ("since", "counters_since", "Since when the channel's counters run."),
            ("heartbeat", "heartbeat", "When the relay was last seen alive."),
        )
    ),
)  # fmt: skip
INGESTED = tuple(
    _rows(
        "ingested", "ingested.", "speeddata_channel_ingested_",
        ("records", "records_total", "Records that came by HTTP and were taken."),
        ("bytes", "bytes_total", "Bytes of the records that came by HTTP."),
        ("batches", "batches_total", "Batches that came by HTTP and were taken."),
        ("archived", "archived_records", "Of them, records in the archive; less by those that a failed fsync costs, and so no counter."),
        ("lost", "lost_records_total", "Of them, records that a failed fsync cost."),
        ("rescued", "rescued_records_total", "Of them, records that were written again after a failed fsync."),
        ("bad_time", "bad_time_records_total", "Of them, records whose time cannot be right."),
        ("live_packets", "live_packets_total", "Packets of them that were sent live."),
        ("live_failed", "live_failed_packets_total", "Packets of them that could not be sent live."),
    )
)  # fmt: skip

TABLE = (*SYSTEM, *ARCHIVE, *ALARMS, *RELAY, *STREAMS, *WRITTEN, *INGESTED)
NAMES = tuple(name for name, _ in itertools.groupby(TABLE, key=lambda metric: metric.name))
# Numbers that the API tells of channels and that are no metrics, and why.
LEFT_OUT = {
    "stats.ingested": "always 0: what comes by HTTP is counted apart",
    "stats.source.port": "no amount",
    "stats.full_rate_source.port": "no amount",
    "ingested.since": "when the shared relay was started, the same for all channels",
    "ingested.heartbeat": "when it was asked",
}
