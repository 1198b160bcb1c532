"""A browser in which benchmarks of charts are measured: what a frame costs by the page's clock, by the browser's account and by /proc.

Nothing here reads pixels, as that would change what is measured. Milliseconds are those of a thread's own processor time,
as far as the browser gives them, so that others at work on the machine disturb little.
"""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from playwright.sync_api import Browser, Page

SIZE = {"width": 1300, "height": 1000}
TICKS = os.sysconf("SC_CLK_TCK")
TRACED = ["-*", "disabled-by-default-devtools.timeline", "disabled-by-default-devtools.timeline.frame"]
LONG_US = 50_000
READY_MS = 120_000  # a rival may need long for its first frame


@contextlib.contextmanager
def playing() -> Iterator[tuple[str, int]]:
    """Run the player; give its address and process id."""
    program = str(Path(__file__).with_name("chart_player.py"))
    with subprocess.Popen(
        [sys.executable, "-P", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        yield process.stdout.readline().strip(), process.pid
        process.communicate("q")


def cpu_s(pid: int) -> float:
    """Processor time of a process; 0 when it has gone."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS
    return 0.0


def busy_s() -> float:
    """Processor time of all processes together."""
    user, nice, system, _, _, irq, softirq = map(int, Path("/proc/stat").read_text().split()[1:8])
    return (user + nice + system + irq + softirq) / TICKS


def quantile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


@dataclass
class Cost:
    """What some seconds of a page cost."""

    frames: int
    seconds: float
    task_ms: float
    """Of the main thread, a frame: all of its tasks."""
    script_ms: float
    pages_ms: list[float]
    """By the page's clock: its callbacks, frame by frame."""
    shares: dict[str, float] = field(default_factory=dict)
    """Of a core: by renderer, GPU (here without one: the compositor), browser, player, and others on this machine."""


@dataclass
class Trace:
    """What the browser's own trace tells of some seconds."""

    fps: float
    """Frames that were presented."""
    dropped: int
    """Frames that were not, as far as the browser says that it shows."""
    main_ms: list[float]
    """Of the main thread, frame by frame."""
    long_tasks: int


class Shown:
    """A page that is measured."""

    def __init__(self, browser: Browser, address: str, player: int) -> None:
        self.browser = browser
        self.context = browser.new_context(viewport=SIZE, device_scale_factor=1)
        self.page: Page = self.context.new_page()
        self.faults: list[str] = []
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.goto(address)
        self.cdp = self.context.new_cdp_session(self.page)
        self.cdp.send("Performance.enable", {"timeDomain": "threadTicks"})
        self.system = browser.new_browser_cdp_session()
        self.player = player

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()
        assert not self.faults, self.faults

    def wait(self, warm_s: float) -> None:
        """Wait until it shows what it should, and then until it is warm."""
        self.page.wait_for_function("() => globalThis.bench?.isReady()", timeout=READY_MS)
        self.page.wait_for_timeout(warm_s * 1e3)

    def metrics(self) -> dict[str, float]:
        return {one["name"]: one["value"] for one in self.cdp.send("Performance.getMetrics")["metrics"]}

    def cpu(self) -> dict[str, float]:
        """Processor time by kind of process."""
        spent = {"renderer": 0.0, "GPU": 0.0, "browser": 0.0}
        for one in self.system.send("SystemInfo.getProcessInfo")["processInfo"]:
            kind = one["type"] if one["type"] in spent else "browser"
            spent[kind] += cpu_s(one["id"])
        spent["player"] = cpu_s(self.player)
        own = cpu_s(os.getpid()) + cpu_s(os.getppid())
        return spent | {"others": busy_s() - sum(spent.values()) - own}

    def measure(self, seconds: float) -> Cost:
        cpu, before = self.cpu(), self.metrics()
        self.page.evaluate("probe.begin()")
        self.page.wait_for_timeout(seconds * 1e3)
        told = self.page.evaluate("probe.end()")
        after = self.metrics()
        took = after["Timestamp"] - before["Timestamp"]
        frames = len(told["frame"])
        spent = {
            name: (after[name] - before[name]) * 1e3 / max(1, frames)
            for name in ("TaskDuration", "ScriptDuration")
        }
        shares = {name: (value - cpu[name]) / took for name, value in self.cpu().items()}
        return Cost(frames, took, spent["TaskDuration"], spent["ScriptDuration"], told["frame"], shares)

    def trace(self, seconds: float) -> Trace:
        self.browser.start_tracing(page=self.page, categories=TRACED)
        self.page.wait_for_timeout(seconds * 1e3)
        return read_trace(json.loads(self.browser.stop_tracing())["traceEvents"])

    def heap_mb(self) -> float:
        """What the page's heap holds after a collection: objects, those of the DOM, and typed arrays."""
        self.cdp.send("HeapProfiler.collectGarbage")
        told = self.cdp.send("Runtime.getHeapUsage")
        return heap_mb(told)


def heap_mb(told: dict[str, Any]) -> float:
    return sum(told.get(name, 0) for name in ("usedSize", "embedderHeapUsedSize", "backingStorageSize")) / 1e6


def read_trace(events: list[dict[str, Any]]) -> Trace:
    """Make figures of a trace: frames by the pipeline's reports, the main thread's tasks from one frame's begin to the next."""
    begins = sorted(
        (one["ts"], one["pid"], one["tid"]) for one in events if one["name"] == "BeginMainThreadFrame"
    )
    if not begins:
        return Trace(0.0, 0, [], 0)
    main = begins[0][1:]
    tasks = sorted(
        (one["ts"], one.get("tdur", one["dur"]) / 1e3, one["dur"])
        for one in events
        if one["name"] == "RunTask" and one["ph"] == "X" and (one["pid"], one["tid"]) == main
    )
    spent = [0.0]
    at = 0
    for ts, took_ms, dur in tasks:
        while at < len(begins) and begins[at][0] < ts + dur:
            spent.append(0.0)
            at += 1
        spent[-1] += took_ms
    presented, dropped = pipeline(events, main[0])
    span_s = (presented[-1] - presented[0]) / 1e6 if len(presented) > 1 else float("nan")
    return Trace(
        (len(presented) - 1) / span_s, dropped, spent[1:-1], sum(dur > LONG_US for _, _, dur in tasks)
    )


def pipeline(events: list[dict[str, Any]], pid: int) -> tuple[list[int], int]:
    """When frames were presented, and how many were dropped that would have shown."""
    opened: dict[str, dict[str, Any]] = {}
    presented: set[int] = set()
    dropped: set[int] = set()
    reports = (one for one in events if one["name"] == "PipelineReporter" and one["pid"] == pid)
    for one in sorted(reports, key=lambda one: (one["ts"], one["ph"] != "e")):
        key = one["id2"]["local"]
        if one["ph"] == "b":
            opened[key] = one["args"].get("frame_reporter", {})
        elif key in opened:
            told = opened.pop(key)
            if told.get("state", "").startswith("STATE_PRESENTED"):
                presented.add(one["ts"])
            elif told.get("affects_smoothness"):
                dropped.add(told["frame_sequence"])
    return sorted(presented), len(dropped)
