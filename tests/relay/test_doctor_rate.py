"""The rate that a machine will hold is that of its slowest part."""

from pathlib import Path

from speeddata.relay.doctor_capture import Capture, Rate
from speeddata.relay.doctor_rate import held_rates
from speeddata.relay.doctor_storage import Run, Storage

PLACE = Path("/")
PACKETS = [{"bytes": 200, "rate": 50_000}, {"bytes": 8000, "rate": 900}]


def storage(bytes_per_s: float, worst_s: float = 0.01) -> Storage:
    run = Run(1, bytes_per_s, 10, worst_s / 2, worst_s)
    return Storage(PLACE, run, run)


def capture(lossless: float | None, size: int = 200, *, sender_bound: bool = False) -> Capture:
    return Capture(PLACE, [Rate(size, 1e6, 1e5, lossless, sender_bound, disturbed=False)])


def test_capture_the_disk_or_the_buffer_limits() -> None:
    for captured, disk, wanted, part in (
        (10_000.0, 1e9, 10_000, "capture"),
        (40_000.0, 1e6, 5_000, "storage"),
        (90_000.0, 1e9, 50_000, "replacement"),
        (None, 1e9, 0, "capture"),
    ):
        (held,) = held_rates(capture(captured), storage(disk), 1 << 30, PACKETS)
        told = held.to_json()
        assert (told["records_per_s"], told["bytes_per_s"], told["limited_by"]) == (
            wanted,
            wanted * 200,
            part,
        )


def test_a_pause_of_the_disk_must_not_fill_the_ring() -> None:
    (held,) = held_rates(capture(1e6), storage(1e9, worst_s=2.0), 4_000_000, PACKETS)
    assert (held.records_per_s, held.limited_by) == (10_000, "storage")


def test_a_rate_is_more_where_only_the_sender_limited_it() -> None:
    for disk, at_least in ((1e9, True), (1e5, False)):
        (held,) = held_rates(capture(10_000, sender_bound=True), storage(disk), 1 << 30, PACKETS)
        assert held.at_least is at_least
