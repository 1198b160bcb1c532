"""What is expected of a live chart, by the numbers of the list in docs/charts.md: what it tells beside its traces, and what it costs."""

import math
import re
from collections.abc import Callable

import pytest
from chart_pages import CHART, SINE, hands_on
from live_line import Line
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

Open = Callable[..., Page]


def numbers(text: str) -> list[float]:
    """Read the numbers of a text with signs as charts write them."""
    return [float(word.replace("−", "-")) for word in re.findall(r"−?[\d.]*\d", text)]


def test_18_a_screen_reader_is_told_what_is_seen(live: Open, fed: Line) -> None:
    page = live({**SINE, "title": "Bench 7"})
    image = page.get_by_role("img")  # it is called something once the page is up
    expect(image).to_have_attribute("aria-label", re.compile("now"))
    form = r"Bench 7: last 10 s, live, now (−?[\d.]+).V, min (−?[\d.]+).V, max (−?[\d.]+).V"
    found = re.fullmatch(form, image.get_attribute("aria-label") or "")
    assert found, image.get_attribute("aria-label")
    now, low, high = numbers(" ".join(found.groups()))
    assert -1 <= low <= high <= 1
    assert low - 0.3 <= now <= high + 0.3, "it is a little right of what is in sight"
    hands_on(page).focus()
    page.keyboard.press(" ")
    page.get_by_role("button", name="Table").click()
    table = page.get_by_role("region", name="Values shown").locator("table")
    expect(table.locator("tr")).to_have_count(21)
    assert table.locator("th[scope=col]").all_text_contents() == ["From", "example.sine_wave min (V)", "max"]
    start, end = page.evaluate(f"() => {CHART}.painter.range")
    told = [
        row.locator("td").all_text_contents() for row in table.locator("tr:has(td)").all()
    ]  # newest first
    sent = [at / 1e6 for at in list(fed.fed)]
    values = [math.sin(at / 1e3) for at in sent]
    filled = 0
    for number, cells in enumerate(reversed(told)):
        first, last = start + number * (end - start) / 20, start + (number + 1) * (end - start) / 20
        inner = [value for at, value in zip(sent, values, strict=True) if first + 50 <= at < last - 50]
        outer = [value for at, value in zip(sent, values, strict=True) if first - 50 <= at < last + 50]
        if not inner or cells == ["–", "–"]:
            continue
        filled += 1
        if filled == 1:
            continue  # its beginning may be of before the page had anything
        low, high = (float(cell.replace("−", "-")) for cell in cells)
        assert min(outer) - 1e-3 <= low <= min(inner) + 1e-3, number
        assert max(inner) - 1e-3 <= high <= max(outer) + 1e-3, number
    assert filled >= len(
        {int((at - start) // ((end - start) / 20)) for at in sent if start + 500 < at < end - 1500}
    )
    label = "() => document.querySelector('canvas').ariaLabel"
    page.wait_for_function(f"() => /: .* to .* UTC, paused, /.test(({label})())")
    whole = [float(cell.replace("−", "-")) for cells in told for cell in cells if cell != "–"]
    assert numbers(page.evaluate(label))[-2:] == [min(whole), max(whole)]


def test_26_the_age_of_the_newest_sample_and_the_way_from_the_server_are_told(live: Open) -> None:
    page = live()
    hands_on(page)
    page.get_by_role("button", name="Info").click()
    cells = page.get_by_role("region", name="Info").locator("td")
    # A busy machine is late now and then; a clock that is wrong by a second is so all the time.
    page.wait_for_function(
        """() => {
            const [age, way] = [...document.querySelectorAll("[aria-label=Info] td")].map((cell) => cell.textContent);
            const [median, most] = /^([\\d.]+) ms, ([\\d.]+) ms$/.exec(way)?.slice(1).map(Number) ?? [];
            return /^\\d+ ms$/.test(age) && parseInt(age) >= 50 && parseInt(age) < 700 && median > 0 && median <= most && median < 700;
        }"""
    )
    assert cells.count() >= 7


def test_28_what_a_page_holds_does_not_grow_with_the_rate(live: Open) -> None:
    page = live()
    session = page.context.new_cdp_session(page)
    held = f"""() => {{
        const {{ feed, signals: [signal] }} = {CHART};
        return [signal.columns.capacity, feed.signals.size, feed.ids.size, signal.sinks.size];
    }}"""
    # A million samples, 16 MB of them, in 50 s: 400 times what comes.
    feed = f"""() => {{
        const {{ feed, signals: [signal] }} = {CHART};
        const start = Math.max(Date.now(), signal.columns.newestTime);
        for (let round = 0; round < 1000; round++) {{
            const times = Float64Array.from({{ length: 1000 }}, (_, i) => start + 50 * (round + i / 1000));
            feed.add(signal, {{ kind: 1, data: times }}, {{ kind: 2, flags: 0, n: 1000, data: times.map(Math.sin) }});
        }}
        return [signal.columns.list(0, Infinity).length, signal.columns.capacity];
    }}"""

    def heap() -> int:
        session.send("HeapProfiler.collectGarbage")
        usage = session.send("Runtime.getHeapUsage")
        return int(usage["usedSize"] + usage["backingStorageSize"])

    page.evaluate(feed)  # what a page comes to hold at first
    before, size = page.evaluate(held), heap()
    count, capacity = page.evaluate(feed)
    assert count <= capacity
    assert page.evaluate(held) == before
    assert heap() - size < 4_000_000, "a million samples would be 16 MB"
