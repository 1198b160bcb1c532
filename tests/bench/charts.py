"""What live charts cost in a browser, beside the goals and the rivals: `make bench-charts`, or python -P tests/bench/charts.py [ROW...].

Rows are those of ROWS. Each is run anew several times, the rivals' pages in turn with ours and fed with the same frames by the
same player (chart_player.py); figures are medians, with the least and the most in brackets. The first seconds of a page do not count.
"""

import argparse
import os
import statistics
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent / "support"))

import chart_hidden
import chart_latency
import chart_size
from browser import FLAGS, browsing
from chart_browser import Cost, Shown, Trace, playing, quantile
from playwright.sync_api import Browser

MODULES = Path(__file__).parents[2] / "build/bench/node_modules"
RIVALS = {"uplot": "1.6.32", "smoothie": "1.36.1"}
NAMES = {"ours": "ours", "uplot": "uPlot", "smoothie": "smoothie"}
EARLY_MIN = 5.0  # into a run, what the heap holds is compared from


def say(what: str, found: str, goal: str = "", rivals: str = "") -> None:
    """A line of the table."""
    print(f"| {what} | {found} | {goal} | {rivals} |", flush=True)


def spread(values: list[float], places: int = 2) -> str:
    """The median, least and most."""
    return f"{statistics.median(values):.{places}f} [{min(values):.{places}f} to {max(values):.{places}f}]"


@dataclass
class Bench:
    """What rows are measured with."""

    browser: Browser
    url: str
    player: int
    runs: int
    seconds: float
    minutes: float
    hidden_minutes: float

    def show(self, library: str, **asked: object) -> Shown:
        return Shown(self.browser, f"{self.url}/{library}.html?{urlencode(asked)}", self.player)

    def run(self, libraries: list[str], **asked: object) -> Iterator[tuple[str, Cost, Trace]]:
        for _ in range(self.runs):
            for library in libraries:
                with self.show(library, **asked) as shown:
                    shown.wait(min(5.0, self.seconds))
                    yield library, shown.measure(self.seconds), shown.trace(self.seconds / 2)

    def compare(self, *rivals: str, **asked: object) -> dict[str, list[tuple[Cost, Trace]]]:
        """Runs by library."""
        found: dict[str, list[tuple[Cost, Trace]]] = {"ours": [], **{name: [] for name in rivals}}
        for library, cost, trace in self.run(list(found), **asked):
            found[library].append((cost, trace))
        return found


def mean_ms(runs: list[tuple[Cost, Trace]]) -> list[float]:
    return [cost.task_ms for cost, _ in runs]


def say_frames(what: str, runs: list[tuple[Cost, Trace]], fps: str, main: str) -> None:
    """What is said of a chart of ours: frames, the main thread by the trace and by the page's clock, processes."""
    say(f"{what}: presented frames a second", spread([trace.fps for _, trace in runs], 1), fps)
    shares = (0.5, 0.95, 0.99)
    by_trace = [statistics.median(quantile(trace.main_ms, share) for _, trace in runs) for share in shares]
    by_page = [statistics.median(quantile(cost.pages_ms, share) for cost, _ in runs) for share in shares]
    long_tasks = sum(trace.long_tasks for _, trace in runs)
    say("main thread per frame, p50 / p95 / p99", "{:.2f} / {:.2f} / {:.2f} ms".format(*by_trace), main)
    say("its own callbacks per frame, by the page's clock", "{:.2f} / {:.2f} / {:.2f} ms".format(*by_page))
    say("tasks over 50 ms, frames dropped", f"{long_tasks}, {sum(trace.dropped for _, trace in runs)}", "0")
    parts = [
        statistics.median(cost.shares[name] for cost, _ in runs) * 100
        for name in ("renderer", "GPU", "player")
    ]
    others = max(cost.shares["others"] for cost, _ in runs) * 100
    say(
        "renderer, compositor, player",
        "{:.0f} %, {:.0f} %, {:.0f} % of a core".format(*parts),
        "",
        f"others on this machine: up to {others:.0f} %",
    )


def say_ratios(what: str, found: dict[str, list[tuple[Cost, Trace]]], goal: str) -> None:
    """Milliseconds of the main thread a frame, ours and theirs."""
    ours = statistics.median(mean_ms(found["ours"]))
    rivals = []
    for name in list(found)[1:]:
        theirs = statistics.median(mean_ms(found[name]))
        fps = statistics.median(trace.fps for _, trace in found[name])
        rivals.append(
            f"{NAMES[name]} {spread(mean_ms(found[name]))} ms at {fps:.1f} fps: ours is 1/{theirs / ours:.1f}"
        )
    say(
        f"{what}: main thread per frame, mean",
        f"{spread(mean_ms(found['ours']))} ms",
        goal,
        "; ".join(rivals),
    )


def raw(bench: Bench) -> None:
    found = bench.compare("uplot", "smoothie", channel="raw2000", signals=8, window=60)
    say_frames("8 signals x 2,000 samples/s raw, 60 s", found["ours"], ">= 59", "p95 <= 6 ms")
    say_ratios("the same", found, "<= 1/4 of each")


def columns(bench: Bench) -> None:
    found = bench.compare(channel="columns10000", signals=8, window=60)
    say_frames(
        "8 signals x 10,000 samples/s as columns, 60 s",
        found["ours"],
        ">= 59",
        "p50 <= 2, p95 <= 4, p99 <= 8 ms",
    )


def waves(bench: Bench) -> None:
    found = bench.compare("uplot", channel="still", signals=6, window=60, points=600)
    say_ratios("6 x 600 points, all of them others in each frame", found, "not over uPlot")


def wall(bench: Bench) -> None:
    for channel, how in (("columns1000", "1,000 samples/s as columns"), ("raw100", "100 samples/s raw")):
        runs = bench.compare(channel=channel, signals=4, charts=16, window=60, height=180)["ours"]
        what = f"wall: 16 charts x 4 signals x {how}"
        say(f"{what}: presented frames a second", spread([trace.fps for _, trace in runs], 1), ">= 30")
        say("renderer, % of a core", spread([cost.shares["renderer"] * 100 for cost, _ in runs], 0), "<= 80")


def memory(bench: Bench) -> None:
    with bench.show("ours", channel="columns10000", signals=8, window=60) as shown:
        early_min = min(EARLY_MIN, bench.minutes / 3)
        shown.wait(early_min * 60)
        early = shown.heap_mb()
        shown.page.wait_for_timeout((bench.minutes - early_min) * 60_000)
        late = shown.heap_mb()
    short = "" if bench.minutes >= 60 else "; LONG=1 for the 60 the goal is of"
    say(
        f"memory after {bench.minutes:g} min{short}", f"{late:.2f} MB, {late - early:+.2f} MB since minute {early_min:g}",
        "<= 15 MB, growth <= 1 MB",
    )  # fmt: skip


def size(bench: Bench) -> None:
    for line in chart_size.measure(bench.browser, bench.url, MODULES):
        say(*line)


def latency(bench: Bench) -> None:
    runs = [chart_latency.measure(bench.browser, bench.seconds) for _ in range(bench.runs)]
    found = [statistics.median(quantile(run, share) for run in runs) for share in (0.5, 0.99)]
    count = sum(map(len, runs))
    say(
        f"sample sent until seen, real server at 20 Hz, {count} samples: p50, p99",
        "{:.0f} ms, {:.0f} ms".format(*found),
        "p99 <= 120 ms",
    )


def hidden(bench: Bench) -> None:
    for channel in ("columns10000", "raw2000"):
        painted_ms, grown_mb = chart_hidden.measure(
            f"{bench.url}/ours.html?channel={channel}", bench.hidden_minutes
        )
        say(
            f"{channel} hidden for {bench.hidden_minutes:g} min, then shown: its whole window is painted",
            f"{painted_ms:.0f} ms, {grown_mb:+.2f} MB while hidden", "<= 200 ms, <= 1 MB",
        )  # fmt: skip


ROWS: dict[str, Callable[[Bench], None]] = {
    "raw": raw,
    "columns": columns,
    "waves": waves,
    "wall": wall,
    "memory": memory,
    "latency": latency,
    "hidden": hidden,
    "size": size,
}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "rows", nargs="*", metavar="ROW", help=f"some of {', '.join(ROWS)}; all when none is named"
    )
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=20, help="that a run measures")
    parser.add_argument("--minutes", type=float, default=6, help="that memory is watched for")
    parser.add_argument("--hidden", type=float, default=1, help="minutes that a page is out of sight")
    told = parser.parse_args()
    unknown = set(told.rows) - set(ROWS)
    if unknown:
        parser.error(f"no row {min(unknown)!r}, wanted some of {', '.join(ROWS)}")
    return told


def missing() -> str:
    """What is wanted of the rivals and is not there."""
    wanted = [f"{name}@{version}" for name, version in RIVALS.items() if not (MODULES / name).is_dir()]
    return (
        f"no {' and no '.join(wanted)} in {MODULES}: npm install --prefix {MODULES.parent} {' '.join(wanted)}"
        if wanted
        else ""
    )


def main() -> None:
    """Run it."""
    told = arguments()
    rows = [name for name in ROWS if name in (told.rows or ROWS)]
    if set(rows) & {"raw", "waves"} and missing():
        raise SystemExit(missing())
    with playing() as (url, player), browsing() as browser:
        print(
            f"Chromium {browser.version}, headless, {' '.join(FLAGS)}; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {told.runs} runs of {told.seconds:g} s\n"
        )
        print("| what | measured | goal | rivals |\n| --- | --- | --- | --- |")
        bench = Bench(browser, url, player, told.runs, told.seconds, told.minutes, told.hidden)
        for name in rows:
            ROWS[name](bench)
    print(f"\nload at the end {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
