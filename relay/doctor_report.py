"""What `speeddata doctor` found, for a reader: what should be mended, what is well, the rate."""

import io
from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.table import Table

from speeddata.relay.doctor_check import MEND, UNKNOWN, WELL, about

__all__ = ["report"]

WIDTH = 120
PARTS = {"capture": "capture", "storage": "the disk", "replacement": "the receive buffer"}


def report(found: dict[str, Any]) -> str:
    """All of it, what should be mended first."""
    checks = found["checks"]
    lines = [*_mend([one for one in checks if one["state"] == MEND])]
    for state, title in ((WELL, "Well:"), (UNKNOWN, "Not to be known here:")):
        texts = [f"  {one['text']}" for one in checks if one["state"] == state]
        lines += [title, *texts, ""] if texts else []
    lines += _rates(found) if "rate" in found else _packets(found) if "packets" in found else ()
    return "\n".join(lines)


def _mend(checks: list[dict[str, Any]]) -> Iterator[str]:
    if not checks:
        yield from ("Nothing is to be mended.", "")
        return
    yield "To mend:"
    for check in checks:
        yield f"  {check['text']}"
        for remedy in check["mend"]:
            yield f"    {remedy['words']}: {remedy['command']}"
    yield ""


def _packets(found: dict[str, Any]) -> Iterator[str]:
    yield (
        f"packets that the receive buffer holds while a relay is replaced ({found['gap_s'] * 1000:.0f} ms), as a rate:"
    )
    for packet in found["packets"]:
        yield f"  {packet['bytes']:>5} B a packet, {packet['kernel_bytes']:>6} B in the kernel: {packet['rate']:>9,} packets/s"


def _rates(found: dict[str, Any]) -> Iterator[str]:
    table = Table(
        title="The rate that this machine will hold, of one channel, a record a packet",
        title_justify="left",
        box=None,
    )
    for column in (
        "packet",
        "records/s",
        "MB/s",
        "limited by",
        "capture",
        "disk",
        "while a relay is replaced",
    ):
        table.add_column(column, justify="left" if column == "limited by" else "right")
    for rate in found["rate"]:
        least = "at least " if rate["at_least"] else ""
        parts = [about(rate[part]) for part in PARTS]
        mb = f"{rate['bytes_per_s'] / 1e6:,.1f}"
        table.add_row(
            f"{rate['bytes']} B",
            f"{least}{about(rate['records_per_s'])}",
            mb,
            PARTS[rate["limited_by"]],
            *parts,
        )
    out = io.StringIO()
    Console(file=out, width=WIDTH, highlight=False).print(table)
    yield from (line.rstrip() for line in out.getvalue().splitlines())
    capture = found["capture"]
    yield f"Capture was tried with an archive in {capture['folder']}, the disk in {found['storage']['folder']}."
    if any(rate["disturbed"] for rate in capture["rates"]):
        yield "Other programs used the processor meanwhile: with less of them it may hold more."
