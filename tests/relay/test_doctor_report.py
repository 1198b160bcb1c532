"""What a reader of `speeddata doctor` is told: what to mend first, then what is well, then the rate."""

from typing import Any

from speeddata.relay.doctor_check import Remedy, about, mend, size_text, unknown, well
from speeddata.relay.doctor_report import report

CHECKS = [
    well("a", "one: well"),
    mend("b", "two: short", Remedy("mend it with", "sudo one"), Remedy("and for good", "sudo two")),
    unknown("c", "three: not shown"),
]
BUFFER = {"gap_s": 0.02, "packets": [{"bytes": 200, "kernel_bytes": 1280, "rate": 5242880}]}


def told(checks: list[Any], **more: Any) -> str:
    return report({"checks": [check.to_json() for check in checks], **more})


def test_what_should_be_mended_comes_first() -> None:
    assert told(CHECKS, **BUFFER) == (
        "To mend:\n  two: short\n    mend it with: sudo one\n    and for good: sudo two\n\n"
        "Well:\n  one: well\n\nNot to be known here:\n  three: not shown\n\n"
        "packets that the receive buffer holds while a relay is replaced (20 ms), as a rate:\n"
        "    200 B a packet,   1280 B in the kernel: 5,242,880 packets/s"
    )


def test_when_all_is_well_that_is_said() -> None:
    assert told(CHECKS[:1]) == "Nothing is to be mended.\n\nWell:\n  one: well\n"


def test_the_rate_comes_last_with_what_limits_it() -> None:
    rate = {"bytes": 200, "capture": 326123.0, "storage": 2e6, "replacement": 5242880, "at_least": True,
            "records_per_s": 326123.0, "bytes_per_s": 65224600.0, "limited_by": "capture"}  # fmt: skip
    more: dict[str, Any] = {
        "rate": [rate],
        "capture": {"folder": "/dev/shm", "rates": [{"disturbed": True}]},
        "storage": {"folder": "/data"},
    }
    *_, row, places, disturbed = told(CHECKS, **more).splitlines()
    assert row.split() == [
        "200",
        "B",
        "at",
        "least",
        "326,000",
        "65.2",
        "capture",
        "326,000",
        "2,000,000",
        "5,240,000",
    ]
    assert places == "Capture was tried with an archive in /dev/shm, the disk in /data."
    assert disturbed.startswith("Other programs used the processor meanwhile")
    more["capture"]["rates"][0]["disturbed"] = False
    assert "Other programs" not in told(CHECKS, **more)


def test_numbers_for_a_reader() -> None:
    assert [about(rate) for rate in (0, 7, 123, 1234.5, 326123)] == ["0", "7", "123", "1,230", "326,000"]
    assert [size_text(size) for size in (0, 999, 1000, 67108864, 2.5e12)] == [
        "0 B",
        "999 B",
        "1.0 kB",
        "67.1 MB",
        "2.5 TB",
    ]
