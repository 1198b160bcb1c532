"""How old a sample is when it can be seen: from its sending by UDP, through the real live server, to the frame after its drawing."""

import contextlib

from chart_pages import add_chart, wait_state
from live import Registry, running
from live_line import Line
from playwright.sync_api import Browser

WARM_MS = 5000
# Samples are stamped by their sender; what a frame has drawn is seen, at the earliest, when the next one begins. A sample counts
# as drawn once the time at the chart's right edge has passed it.
WATCH = """async () => {
    const { charts } = await import("/static/stripchart/main.js");
    const chart = [...charts.values()][0];
    const waiting = [];
    const drawn = [];
    globalThis.latencies = [];
    chart.signals[0].sinks.add((times) => waiting.push(...times));
    const step = () => {
        requestAnimationFrame(step);
        const now = performance.timeOrigin + performance.now();
        for (const time of drawn.splice(0)) latencies.push(now - time);
        const end = chart.painter.range[1];
        for (let i = waiting.length - 1; i >= 0; i--) if (waiting[i] < end) drawn.push(...waiting.splice(i, 1));
    };
    requestAnimationFrame(step);
}"""


def measure(browser: Browser, seconds: float) -> list[float]:
    """Milliseconds of each sample that came meanwhile."""
    with contextlib.closing(Registry()) as registry, running(registry) as (process, _):
        line = Line(registry, process)
        line.add("example")
        page = browser.new_page()
        with line.feeding():
            page.goto(f"{registry.url}/browser/pages/empty.html")
            add_chart(page, {"signals": "example.sine_wave", "window": 10})
            wait_state(page, "live")
            page.wait_for_timeout(WARM_MS)
            page.evaluate(WATCH)
            page.wait_for_timeout(seconds * 1e3)
            found: list[float] = page.evaluate("() => latencies")
            page.close()
        line.close()
    assert found, "no sample was seen"
    return found
