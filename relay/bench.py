"""`speeddata bench relay`: loss against rate, and processor time per packet, of the relay and two baselines.

The sender has a core of its own. A rate is lossless when not one packet of a run is lost, drain time included; what only the
sender limits is marked. Everything is sent on 127.0.0.1.
"""

import io
import json
import os
import platform
import random
import socket
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import click
import fastavro
from rich.console import Console
from rich.table import Table

from speeddata.relay.bench_plot import plot
from speeddata.relay.contenders import NAMES, TICK_S, running
from speeddata.relay.load import send_load
from speeddata.relay.sockets import UDP_SEGMENT
from speeddata.relay.spec import ChannelSpec, Decimation, Group, Multicast

__all__ = ["Point", "main", "packets"]

MAX_RUN = 65507
BISECTIONS = 5
SENDER_CPU = 0  # of those there are
DISTURBED = 0.05  # of a core, used by others
SCHEMA: dict[str, Any] = {
    "type": "record",
    "name": "speeddata.bench.data",
    "fields": [
        {"name": "time", "type": "long", "logicalType": "timestamp-nanos"},
        {"name": "message", "type": "string"},
        *({"name": f"value_{k}", "type": "double"} for k in range(4)),
    ],
}


@dataclass(frozen=True)
class Point:
    """One run."""

    rate: float  # packets a second that were sent
    sent: int
    lost: int
    cpu_ns: float  # of the contender, per packet that it dealt with
    others: float  # cores that other processes used meanwhile


@dataclass
class Series:
    """A contender at one packet size and mode."""

    name: str
    size: int
    mode: str
    points: list[Point] = field(default_factory=list)

    @property
    def lossless(self) -> Point | None:
        """The fastest run without a loss."""
        good = [point for point in self.points if point.lost == 0]
        return max(good, key=lambda point: point.rate) if good else None


def packets(size: int, joined: bool) -> bytes:
    """A burst of packets of one record and `size` bytes each."""
    schema = fastavro.parse_schema(SCHEMA)
    for length in range(max(0, size - 50), size):
        out = io.BytesIO()
        values = {f"value_{k}": k + 0.5 for k in range(4)}
        fastavro.schemaless_writer(out, schema, {"time": time.time_ns(), "message": "x" * length, **values})
        if len(out.getvalue()) == size:
            return out.getvalue() * (min(64, MAX_RUN // size) if joined else 64)
    raise click.BadParameter(f"{size} bytes are too few for a record, or none has that size")


def spec_of(folder: Path, joined: bool) -> ChannelSpec:
    """A channel on a free port with groups of its own."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    a, b = random.randrange(1, 250), random.randrange(1, 250)
    groups = Multicast(Group(f"239.255.{a}.{b}", 47001), Group(f"239.255.{a}.{b + 1}", 47002))
    decimation = Decimation(algorithm="downsample", factor=10, rate_hz=None)
    return ChannelSpec(
        name="bench", port=port, schema=SCHEMA, archive=str(folder / "bench"), multicast=groups,
        decimation=decimation, gro=joined,
    )  # fmt: skip


def run(name: str, size: int, mode: str, rate: float, seconds: float) -> Point:
    """Send to a contender for a while, and see what it made of it."""
    joined = mode == "gso"
    burst = packets(size, joined)
    cores = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory(prefix="speeddata-bench-") as folder:
        spec = spec_of(Path(folder), joined)
        with (
            running(name, spec, Path(folder), set(cores[1:]) or set(cores)) as contender,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
            pinned(cores[SENDER_CPU]),
        ):
            sender.connect(("127.0.0.1", spec.port))
            if joined:
                sender.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, size)
            cpu, busy, own, start = contender.cpu_s(), _busy_s(), _own_s(), time.monotonic()
            sent = send_load(sender.fileno(), burst, size, joined, rate, seconds)
            took = time.monotonic() - start
            contender.drain()
            spent, elapsed = contender.cpu_s() - cpu, time.monotonic() - start
            others = (_busy_s() - busy - (_own_s() - own) - spent) / elapsed
            contender.finish()
    dealt = max(1, contender.packets)
    return Point(sent / took, sent, sent - contender.packets, spent / dealt * 1e9, max(0.0, others))


@contextmanager
def pinned(core: int) -> Iterator[None]:
    """Run on one core."""
    former = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, former)


def _busy_s() -> float:
    """Seconds that all cores were busy since the machine started, softirqs not counted: those are ours."""
    user, nice, system = map(int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:4])
    return (user + nice + system) * TICK_S


def _own_s() -> float:
    used = os.times()
    return used.user + used.system


def curve(name: str, size: int, mode: str, seconds: float, say: Console) -> Series:
    """Loss against rate: flat out, then halving the interval in which losses begin."""
    series = Series(name, size, mode)
    low, high = 0.0, 0.0
    for step in range(BISECTIONS + 1):
        rate = (low + high) / 2 if step else 0.0
        point = run(name, size, mode, rate, seconds)
        series.points.append(point)
        say.print(f"  {name:9} {size:5} B {mode:5} {point.rate:12,.0f}/s  lost {point.lost:,}")
        if point.lost == 0:
            low = point.rate
            if not step:
                break  # the sender goes no faster
        else:
            high = point.rate
    return series


def pairs(size: int, mode: str, rate: float, count: int, seconds: float) -> list[tuple[float, float]]:
    """Processor time per packet of relay and `recvmmsg` at one rate, in turn: (relay, recvmmsg), ns."""
    return [
        (run("relay", size, mode, rate, seconds).cpu_ns, run("recvmmsg", size, mode, rate, seconds).cpu_ns)
        for _ in range(count)
    ]


def compare(series: list[Series], count: int, seconds: float) -> dict[str, Any]:
    """Ratio of processor times at 0.8 of the slower lossless rate, with its spread."""
    by_name = {one.name: one.lossless for one in series}
    relay, plain = by_name.get("relay"), by_name.get("recvmmsg")
    if not count or relay is None or plain is None:
        return {}
    rate = 0.8 * min(relay.rate, plain.rate)
    ratios = sorted(a / b for a, b in pairs(series[0].size, series[0].mode, rate, count, seconds) if b)
    return {
        "rate": rate,
        "median": statistics.median(ratios),
        "least": ratios[0],
        "most": ratios[-1],
        "pairs": count,
    }


def report(results: list[dict[str, Any]]) -> Table:
    """The table that is printed."""
    table = Table(title="packets/s without loss (processor ns per packet)")
    for column in ("packet", "mode", *NAMES, "processor, relay : recvmmsg"):
        table.add_column(column, justify="right")
    for result in results:
        cells = []
        for name in NAMES:
            series = next((one for one in result["series"] if one.name == name), None)
            best = series.lossless if series else None
            bound = "*" if series and best and len(series.points) == 1 else ""
            cells.append(f"{best.rate:,.0f}{bound} ({best.cpu_ns:,.0f})" if best else "-")
        ratio = result["cpu"]
        shown = f"{ratio['median']:.2f} ({ratio['least']:.2f} to {ratio['most']:.2f})" if ratio else "-"
        table.add_row(f"{result['size']} B", result["mode"], *cells, shown)
    table.caption = "* the sender goes no faster"
    return table


def machine() -> dict[str, Any]:
    """What was measured on."""
    model = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if "model name" in line
    ]
    return {
        "cores": os.cpu_count(),
        "processor": model[0] if model else platform.machine(),
        "kernel": platform.release(),
    }


@click.command()
@click.option("--sizes", default="64,200,1400,8000", show_default=True, help="Bytes of a packet.")
@click.option(
    "--modes", default="plain,gso", show_default=True, help="How packets are sent: one by one, or in runs."
)
@click.option("--seconds", default=5.0, show_default=True, help="Length of a run.")
@click.option(
    "--pairs",
    "pair_count",
    default=9,
    show_default=True,
    help="Interleaved pairs of the comparison; 0: none.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default="bench-relay",
    show_default=True,
    help="Files to write, without ending.",
)
def main(sizes: str, modes: str, seconds: float, pair_count: int, out: Path) -> None:
    """Measure the relay on this machine: loss against rate, processor time per packet, beside two baselines."""
    say = Console()
    results: list[dict[str, Any]] = []
    for mode in modes.split(","):
        for size in map(int, sizes.split(",")):
            series = [curve(name, size, mode, seconds, say) for name in NAMES]
            results.append(
                {"size": size, "mode": mode, "series": series, "cpu": compare(series, pair_count, seconds)}
            )
    say.print(report(results))
    noisy = max(point.others for result in results for one in result["series"] for point in one.points)
    if noisy > DISTURBED:
        say.print(
            f"[bold red]disturbed[/]: other processes used up to {noisy:.0%} of a core; these figures are not to be quoted"
        )
    document = {"machine": machine(), "disturbed": noisy > DISTURBED, "seconds": seconds, "results": [
        {**result, "series": [asdict(one) for one in result["series"]]} for result in results]}  # fmt: skip
    out.with_suffix(".json").write_text(json.dumps(document, indent=1))
    out.with_suffix(".svg").write_text(plot(document))
    say.print(f"{out}.json, {out}.svg")


if __name__ == "__main__":
    main()
