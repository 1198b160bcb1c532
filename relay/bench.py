"""`speeddata bench relay`: loss against rate, and processor time per packet, of the relay and two baselines.

A rate is lossless when not one packet of a run is lost, drain time included; what only the sender limits is marked. A run that
others disturb is made again; where that does not help, `disturbed` stands in the place of the figure.
"""

import json
import math
import os
import platform
import statistics
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from speeddata.exit_codes import epilog
from speeddata.progress_bar import ProgressBar
from speeddata.relay.bench_plot import plot
from speeddata.relay.bench_run import DISTURBED, Point, attempts, packets
from speeddata.relay.contenders import NAMES

__all__ = ["main"]

BISECTIONS = 5
MODES = ("plain", "gso")


@dataclass
class Series:
    """A contender at one packet size and mode."""

    name: str
    size: int
    mode: str
    points: list[Point] = field(default_factory=list)

    @property
    def good(self) -> list[Point]:
        """The runs that nobody disturbed."""
        return [point for point in self.points if not point.disturbed]

    @property
    def disturbed(self) -> bool:
        """Whether a run remained disturbed, however often it was made."""
        return bool(self.points) and self.points[-1].disturbed

    @property
    def lossless(self) -> Point | None:
        """The fastest run without a loss; none where it is not certain to be the fastest."""
        whole = [point for point in self.good if point.lost == 0]
        return max(whole, key=lambda point: point.rate) if whole and not self.disturbed else None

    @property
    def sender_bound(self) -> bool:
        """Whether the sender goes no faster: nothing was lost flat out, which comes first."""
        return bool(self.good) and self.good[0].lost == 0

    def figure(self) -> str:
        """What stands in the table."""
        if self.disturbed:
            return "disturbed"
        best = self.lossless
        return f"{best.rate:,.0f}{'*' * self.sender_bound} ({best.cpu_ns:,.0f})" if best else "-"


@dataclass
class Comparison:
    """Processor time per packet of the relay to that of `recvmmsg` at one rate, in turn."""

    rate: float = 0.0
    runs: list[list[Point]] = field(default_factory=list)  # of the relay, then of `recvmmsg`, in turn
    disturbed: bool = False  # whether a run remained so

    @property
    def ratios(self) -> list[float]:
        """Of the pairs, ascending."""
        times = [made[-1].cpu_ns for made in self.runs]
        return sorted(relay / plain for relay, plain in zip(times[::2], times[1::2], strict=True) if plain)

    def figure(self) -> str:
        """What stands in the table: median, least, most."""
        if self.disturbed:
            return "disturbed"
        ratios = self.ratios
        return f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})" if ratios else "-"

    def to_json(self) -> dict[str, Any]:
        """The ratios, where there are some that tell anything, and all runs."""
        ratios = [] if self.disturbed else self.ratios
        found = (
            {"median": statistics.median(ratios), "least": ratios[0], "most": ratios[-1]} if ratios else {}
        )
        runs = [list(map(point_json, made)) for made in self.runs]
        return found | {"rate": self.rate, "pairs": len(runs) // 2, "disturbed": self.disturbed, "runs": runs}


@dataclass
class Result:
    """All about one packet size and mode."""

    size: int
    mode: str
    series: list[Series]
    cpu: Comparison

    @property
    def disturbed(self) -> bool:
        return self.cpu.disturbed or any(one.disturbed for one in self.series)

    def to_json(self) -> dict[str, Any]:
        series = [
            {
                **asdict(one),
                "disturbed": one.disturbed,
                "points": list(map(point_json, one.points)),
                "lossless": point_json(one.lossless) if one.lossless else None,
            }
            for one in self.series
        ]
        return {"size": self.size, "mode": self.mode, "series": series, "cpu": self.cpu.to_json()}


def point_json(point: Point) -> dict[str, Any]:
    return {**asdict(point), "disturbed": point.disturbed}


def curve(name: str, size: int, mode: str, seconds: float, say: Console, bar: ProgressBar) -> Series:
    """Loss against rate: flat out, then halving the interval in which losses begin."""
    series = Series(name, size, mode)
    low, high = 0.0, 0.0
    for step in range(BISECTIONS + 1):
        rate = (low + high) / 2 if step else 0.0
        made = attempts(name, size, mode, rate, seconds)
        series.points += made
        bar.add(1)
        with bar.aside():
            for point in made:
                note = (
                    f"  [red]disturbed: others used {point.others:.0%} of a core[/]"
                    if point.disturbed
                    else ""
                )
                say.print(f"  {name:9} {size:5} B {mode:5} {point.rate:12,.0f}/s  lost {point.lost:,}{note}")
        if made[-1].disturbed:
            break  # nothing that follows would be certain
        if made[-1].lost == 0:
            low = made[-1].rate
            if not step:
                break  # the sender goes no faster
        else:
            high = made[-1].rate
    return series


def compare(series: list[Series], count: int, seconds: float, bar: ProgressBar) -> Comparison:
    """Compare processor times at 0.8 of the slower lossless rate."""
    by_name = {one.name: one for one in series}
    relay, plain = by_name["relay"], by_name["recvmmsg"]
    if not count or relay.lossless is None or plain.lossless is None:
        return Comparison(disturbed=bool(count) and (relay.disturbed or plain.disturbed))
    found = Comparison(0.8 * min(relay.lossless.rate, plain.lossless.rate))
    for _ in range(count):
        for one in (relay, plain):
            found.runs.append(attempts(one.name, one.size, one.mode, found.rate, seconds))
            bar.add(1)
        if any(made[-1].disturbed for made in found.runs[-2:]):
            found.disturbed = True
            break
    return found


def report(results: list[Result]) -> Table:
    """The table that is printed."""
    table = Table(title="packets/s without loss (processor ns per packet)")
    for column in ("packet", "mode", *NAMES, "processor, relay : recvmmsg"):
        table.add_column(column, justify="right")
    for result in results:
        figures = [one.figure() for one in result.series]
        table.add_row(f"{result.size} B", result.mode, *figures, result.cpu.figure())
    table.caption = "* the sender goes no faster"
    if any(result.disturbed for result in results):
        table.caption += (
            f"\ndisturbed: others used more than {DISTURBED:.0%} of a core, however often it was tried"
        )
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


def read_sizes(_context: click.Context, _option: click.Parameter, text: str) -> list[int]:
    """Read the option `--sizes`."""
    sizes = []
    for word in text.split(","):
        try:
            sizes.append(int(word))
        except ValueError:
            raise click.BadParameter(
                f"{word!r} in {text!r}: expected bytes, with commas between sizes: 64,1400"
            ) from None
        try:
            packets(sizes[-1], joined=False)
        except ValueError as error:
            raise click.BadParameter(f"{word!r} in {text!r}: {error}") from None
    return sizes


def read_modes(_context: click.Context, _option: click.Parameter, text: str) -> list[str]:
    """Read the option `--modes`."""
    for word in text.split(","):
        if word not in MODES:
            raise click.BadParameter(f"{word!r} in {text!r}: expected plain, gso, or plain,gso")
    return text.split(",")


def read_seconds(_context: click.Context, _option: click.Parameter, seconds: float) -> float:
    """Read the option `--seconds`: a number that is one."""
    if math.isnan(seconds):
        raise click.BadParameter("'nan': expected seconds")
    return seconds


def read_out(_context: click.Context, _option: click.Parameter, out: Path) -> Path:
    """Read the option `--out`, before everything is measured."""
    if not out.name or not out.parent.is_dir():
        raise click.BadParameter(f"'{out}': expected a name in a folder that exists")
    return out


@click.command(epilog=epilog("measured"))
@click.option(
    "--sizes",
    default="64,200,1400,8000",
    show_default=True,
    callback=read_sizes,
    help="Bytes of a packet.",
)
@click.option(
    "--modes",
    default=",".join(MODES),
    show_default=True,
    callback=read_modes,
    help="How packets are sent: plain, one by one; gso, in runs.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0, min_open=True, max=3600),
    callback=read_seconds,
    default=5.0,
    show_default=True,
    help="Length of a run.",
)
@click.option(
    "--pairs",
    type=click.IntRange(min=0),
    default=9,
    show_default=True,
    help="Interleaved pairs of the comparison; 0: none.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default="bench-relay",
    show_default=True,
    callback=read_out,
    help="Files to write, without ending.",
)
@click.option("-q", "--quiet", is_flag=True, help="No progress: the table alone.")
@click.option("--json", "as_json", is_flag=True, help="Say it as JSON, which is what the .json file has.")
def main(
    sizes: list[int], modes: list[str], seconds: float, pairs: int, out: Path, quiet: bool, as_json: bool
) -> None:
    """Measure the relay on this machine: loss against rate, processor time per packet, beside two baselines."""
    say = Console(quiet=quiet or as_json)
    results: list[Result] = []
    runs = len(modes) * len(sizes) * (len(NAMES) * (BISECTIONS + 1) + 2 * pairs)  # at most
    with ProgressBar("measuring", runs, unit="runs", shown=not (quiet or as_json)) as bar:
        for mode in modes:
            for size in sizes:
                series = [curve(name, size, mode, seconds, say, bar) for name in NAMES]
                results.append(Result(size, mode, series, compare(series, pairs, seconds, bar)))
                bar.reach(runs * len(results) / (len(modes) * len(sizes)), runs)
    if not as_json:
        Console().print(report(results))
    document = {
        "machine": machine(),
        "disturbed": any(result.disturbed for result in results),
        "seconds": seconds,
        "results": [result.to_json() for result in results],
    }
    out.with_name(f"{out.name}.json").write_text(json.dumps(document, indent=1))
    out.with_name(f"{out.name}.svg").write_text(plot(document))
    if as_json:
        print(json.dumps(document))
    else:
        Console().print(f"{out}.json, {out}.svg")


if __name__ == "__main__":
    main(prog_name="speeddata bench relay")
