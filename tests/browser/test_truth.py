"""From packets to pixels on the whole running system: no peak is lost, and a chart that is moved back goes on in the archive."""

import json
import random
import re
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import system
from chart_pages import LAYER
from chart_stand import PEAK, VIEW, Samples, Stand, drag_back, paused
from live import EXAMPLE, Encoder
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

Open = Callable[..., Page]
WINDOWS = (600, 60, 15, 8)  # s, and one by chance
SECONDS = 4
CHART = '<canvas class="stripchart" data-signals="{channel}.sine_wave" data-window="{window}" data-height="150"></canvas>'
FEED_LOSSES = "document.querySelector('canvas.stripchart').stripchart.feed.channels.get('numbered').losses"
# The columns that a still chart shows, one per pixel.
SHOWN = """[document.querySelector("canvas").stripchart].flatMap(({ view, picture: { area: { width } } }) => [...view.traces.values()][0].list(width, 2 * width))"""
COLUMNS = "() => [...document.querySelectorAll('canvas.stripchart')].map((canvas) => canvas.stripchart.signals[0].columns?.list(0, Infinity) ?? [])"


# What a chart has drawn: number since 1970 of its first pixel column, ms of each, the value axis, and of each column the
# first and the last row with ink of the trace, -1 where there is none.
PIXELS = """() => [...document.querySelectorAll('canvas.stripchart')].map((canvas) => {
    const { picture, painter, axisOf } = canvas.stripchart;
    const { layer, area } = picture;
    const { width, height } = layer;
    const { data } = layer.getContext("2d").getImageData(0, 0, width, height);
    const rows = [];
    for (let x = 0; x < width; x++) {
        let [top, bottom] = [-1, -1];
        for (let y = 0, i = 4 * x; y < height; y++, i += 4 * width) {
            if (data[i + 2] !== 255 || data[i] >= 250) continue;
            if (top < 0) top = y;
            bottom = y;
        }
        rows.push([top, bottom]);
    }
    const { min, max } = axisOf[0].scale;
    const { widthMs } = canvas.stripchart.signals[0].columns;
    return { left: painter.rightPixel - area.width + 1, ms: painter.pixelMs, min, max, height, widthMs, rows };
})"""


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with system.run(tmp_path_factory.mktemp("truth") / "data") as running:
        yield Stand(running)


def wrong(columns: list[list[float]], samples: Samples) -> str:
    """What is untrue of drawn columns: each has the extremes of all samples of its span, and none is missing."""
    first, last = samples[0][0], samples[-1][0]
    seen = 0
    for start, end, _, low, high, *_ in columns:
        within = [value for at, value in samples if start * 1e6 <= at < end * 1e6]
        seen += len(within)
        if within and (min(within), max(within)) != (low, high):
            return (
                f"column of {start} to {end} ms: drawn {low} to {high}, sent {min(within)} to {max(within)}"
            )
    return (
        ""
        if seen == len(samples)
        else f"{seen} of {len(samples)} samples have a column, from {first} to {last}"
    )


def wrong_pixels(told: dict[str, Any], samples: Samples) -> str:
    """What is untrue of drawn pixels: those of each column of time reach from its smallest sample to its largest, and no pixel
    has ink beyond what the columns have that touch it, and those beside them, to which lines join."""
    width, ms, left = told["widthMs"], told["ms"], told["left"]
    values: dict[int, list[float]] = {}
    for at, value in samples:
        values.setdefault(int(at / 1e6 // width), []).append(value)
    zoom = (told["height"] - 1) / (told["max"] - told["min"])
    rows_of = {
        number: ((told["max"] - max(own)) * zoom, (told["max"] - min(own)) * zoom)
        for number, own in values.items()
    }
    first, last = min(rows_of), max(rows_of)
    checked = 0
    for number, (highest, lowest) in rows_of.items():
        begin, end = (round(number * width / ms) - left, round((number + 1) * width / ms) - left)
        if begin < 1 or end >= len(told["rows"]) - 1:
            continue
        drawn = [row for row in told["rows"][begin : max(end, begin + 1)] if row[0] >= 0]
        if not drawn:
            return f"column {number}: nothing is drawn at {begin}"
        top, bottom = min(row[0] for row in drawn), max(row[1] for row in drawn)
        if top > highest + 1.5 or bottom < lowest - 1.5:
            return f"column {number} at {begin}: rows {top} to {bottom} do not reach {highest:.1f} to {lowest:.1f}"
        checked += 1
    for x, (top, bottom) in enumerate(told["rows"]):
        touching = range(int((left + x - 1) * ms // width) - 1, int((left + x + 2) * ms // width) + 2)
        if touching[0] < first or touching[-1] > last:
            continue
        around = [rows_of[number] for number in touching if number in rows_of]
        if around and (top < min(row[0] for row in around) - 2 or bottom > max(row[1] for row in around) + 2):
            return f"pixel {x}: rows {top} to {bottom} show more than there is"
    return "" if checked > 3 else f"only {checked} columns are in sight"


def wait_painted(page: Page, samples: Samples, windows: list[float]) -> None:
    """Wait until each chart has been right: all of them are as soon as the last samples came, as long as they are in sight."""
    left = dict.fromkeys(range(len(windows)), "not looked at")
    deadline = time.monotonic() + 20
    while left and time.monotonic() < deadline:
        painted = page.evaluate(PIXELS)
        left = {place: wrong_pixels(painted[place], samples) for place in left}
        left = {place: why for place, why in left.items() if why}
    assert not left, (left, windows)


def wait_true(page: Page, samples: Callable[[], Samples]) -> None:
    deadline = time.monotonic() + 20
    while True:
        found = [wrong(columns, samples()) for columns in page.evaluate(COLUMNS)]
        if not any(found) or time.monotonic() > deadline:
            break
        page.wait_for_timeout(100)
    assert found == [""] * len(found)


def test_11_columns_have_the_extremes_of_the_records_at_every_zoom(stand: Stand, open_page: Open) -> None:
    windows = [*WINDOWS, round(random.uniform(8, 600), 3)]
    charts = "".join(CHART.format(channel="stand", window=window) for window in windows)
    page = open_page(
        stand.page("truth.html", title="Truth", charts=charts), viewport={"width": 1000, "height": 1100}
    )
    page.wait_for_function(f"() => ({COLUMNS})().length === {len(windows)}")
    page.wait_for_function(
        "() => [...document.querySelectorAll('canvas')].every((c) => c.dataset.state !== 'unknown')"
    )
    stand.send(SECONDS)
    wait_painted(page, stand.samples, windows)
    wait_true(page, lambda: stand.samples)
    peaks = [[column for column in columns if column[4] == PEAK] for columns in page.evaluate(COLUMNS)]
    assert [len(found) for found in peaks] == [1] * len(windows), "one record in 4,000 is one column"


def test_a_page_is_loaded_again_when_its_file_is_saved(stand: Stand, open_page: Open) -> None:
    page = open_page(stand.page("mine.html", title="Before", charts=""))
    expect(page).to_have_title("Before")
    page.wait_for_function(
        "async () => (await import('/static/stripchart/main.js')).feed.socket.state === 'open'"
    )
    page.wait_for_timeout(1500)  # it looks every 0.7 s
    stand.page("mine.html", title="After", charts=CHART.format(channel="stand", window=30))
    expect(page).to_have_title("After")
    expect(page.locator("canvas.stripchart")).to_have_count(1)


def test_04_back_past_what_the_page_holds_it_goes_on_in_the_archive(stand: Stand, open_page: Open) -> None:
    if not stand.samples:
        stand.send(1)
    name = f"back{Path(__file__).stat().st_ino}.html"
    page = open_page(
        stand.page(name, title="Back", charts=CHART.format(channel="stand", window=1)),
        viewport={"width": 1000, "height": 700},
    )
    page.wait_for_function("() => ['live', 'stale'].includes(document.querySelector('canvas').dataset.state)")
    paused(page)
    middle = stand.samples[len(stand.samples) // 2][0]
    drag_back(page, middle)
    expect(page.locator(".stripchart-badge")).to_have_text(
        re.compile(r"^PAUSED \d+ s behind, \+\d+ samples$")
    )
    drawn = f"() => [({SHOWN}).map(([, , , min, max]) => [min, max]), ({VIEW})()]"
    page.wait_for_function(
        f"(peak) => ({drawn})()[0].some(([, max]) => max === peak)", arg=PEAK, timeout=20_000
    )
    page.wait_for_function("() => !document.querySelector('canvas').stripchart.view.trouble")
    columns, (start, end, _, width) = page.evaluate(drawn)
    assert abs((start + end) / 2 - middle) < 6 * (end - start) / width, "as near as a hand comes"
    inner = [value for at, value in stand.samples if start + 4e6 <= at < end - 4e6]
    outer = [value for at, value in stand.samples if start - 4e6 <= at < end + 4e6]
    assert min(outer) <= min(low for low, _ in columns) <= min(inner)
    assert max(high for _, high in columns) == PEAK
    assert len(columns) > 500, "records, not only what a live chart has"
    page.keyboard.press("End")
    page.wait_for_function("() => !document.querySelector('canvas').stripchart.view")


def test_32_what_is_measured_is_of_all_records(stand: Stand, open_page: Open) -> None:
    if not stand.samples:
        stand.send(1)
    page = open_page(
        stand.page("measure.html", title="Measure", charts=CHART.format(channel="stand", window=600)),
        viewport={"width": 1000, "height": 700},
    )
    page.wait_for_function("() => ['live', 'stale'].includes(document.querySelector('canvas').dataset.state)")
    page.wait_for_function(f"(peak) => ({COLUMNS})()[0].some((column) => column[4] === peak)", arg=PEAK)
    paused(page)
    box = page.locator(".stripchart-clip").bounding_box()
    assert box
    for share in (0.02, 0.999):
        page.mouse.move(box["x"] + share * box["width"], box["y"] + 50)
        page.keyboard.press("d")
    cells = page.get_by_role("region", name="Measured").locator("td")
    expect(cells.nth(6)).to_have_text(re.compile(r"^−?[\d.e−]+\s?V$"), timeout=20_000)
    low, high, mean = (
        float(re.sub(r"[^-\d.e]", "", text.replace("−", "-"))) for text in cells.all_text_contents()[4:]
    )
    values = [value for _, value in stand.samples]
    assert (low, high) == (pytest.approx(min(values), rel=1e-3), PEAK)
    assert mean == pytest.approx(sum(values) / len(values), rel=1e-3)


def test_15_one_bad_record_of_thousands_is_listed_drawn_and_acknowledged(
    stand: Stand, open_page: Open
) -> None:
    if not stand.samples:
        stand.send(1)
    page = open_page(stand.address)
    expect.set_options(timeout=20_000)
    alarm = page.locator(".alarms li")
    expect(alarm).to_have_count(1)
    expect(alarm).to_contain_text("▲ alarm")
    expect(alarm).to_contain_text("stand.sine_wave")
    expect(alarm).to_contain_text("77.00\u202fV > 75.00\u202fV, 1 record")
    expect(alarm).to_contain_text("within again, not acknowledged")
    assert (
        page.evaluate("async () => (await import('/static/stripchart/main.js')).feed.socket.state") == "open"
    )
    page.get_by_role("button", name="Acknowledge stand.sine_wave, high").click()
    expect(page.locator("#alarms")).to_be_hidden()
    # The chart has the limits of the schema as lines, and a triangle at its edge over the one record.
    chart = CHART.format(channel="stand", window=600).replace(
        "data-height", 'data-theme="light" data-ymin="-100" data-ymax="100" data-height'
    )
    page = open_page(stand.page("limits.html", title="Limits", charts=chart))
    marks = f"""() => {{
        const {{ data, width, height }} = ({LAYER})();
        const [warn, alarm] = [[179, 92, 0], [196, 13, 30]];
        const isOf = (at, color) => color.every((part, i) => Math.abs(data[at + i] - part) < 30);
        const count = (from, to, color) => {{
            let found = 0;
            for (let y = from; y < to; y++) for (let x = 0; x < width; x++) found += isOf(4 * (y * width + x), color);
            return found;
        }};
        const row = (value) => Math.round(((100 - value) / 200) * (height - 1));
        const lines = [[70, warn], [-70, warn], [75, alarm]].map(([value, color]) => count(row(value), row(value) + 1, color) / width);
        return [lines.every((share) => share > 0.3 && share < 0.7), count(0, 8, alarm), count(height - 8, height, alarm)];
    }}"""
    page.wait_for_function(f"() => {{ const [lines, over] = ({marks})(); return lines && over > 20; }}")
    lines, over, under = page.evaluate(marks)
    assert (lines, under) == (True, 0)
    assert over < 60, "one mark, not many"


def test_07_the_legend_has_the_mean_of_all_records(stand: Stand, open_page: Open) -> None:
    if not stand.samples:
        stand.send(1)
    chart = CHART.format(channel="stand", window=600).replace(
        "data-height", 'data-legend="stats" data-height'
    )
    page = open_page(
        stand.page("stats.html", title="Stats", charts=chart + chart.replace('"stats"', '"none"'))
    )
    values = [value for _, value in stand.samples]
    shown = page.locator(".stripchart-value").first
    expect(shown).to_have_text(re.compile(r"mean −?[\d.]"), timeout=30_000)
    told = [
        float(number.replace("−", "-"))
        for number in re.findall(r"(?:min|max|mean) (−?[\d.]+)", shown.text_content() or "")
    ]
    assert told == [
        pytest.approx(wanted, rel=1e-3) for wanted in (min(values), max(values), sum(values) / len(values))
    ]
    expect(page.locator(".stripchart-legend").nth(1)).to_be_hidden()


def test_09_records_missing_within_a_bucket_are_hatched(stand: Stand, open_page: Open) -> None:
    schema = json.loads(json.dumps(EXAMPLE))
    schema["fields"][2]["speeddata"] = {"role": "sequence"}
    port, encode = stand.register("numbered", schema), Encoder(EXAMPLE)
    page = open_page(
        stand.page("lost.html", title="Lost", charts=CHART.format(channel="numbered", window=20))
    )
    told = {"message": "m", "sine_wave": 0.5, "ramp": 0.0, "square_wave": 0.0, "is_on": False}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for number in range(300):
            # 1,000 records a second, of which each bucket has many; halfway, three are missing.
            numbers = range(10 * number, 10 * number + (7 if number == 150 else 10))
            records = [encode(time=time.time_ns(), counter=counter, **told) for counter in numbers]
            sock.sendto(b"".join(records), ("127.0.0.1", port))
            if number == 150:
                lost_ms = time.time() * 1000
            time.sleep(0.01)
    page.wait_for_function(f"() => {FEED_LOSSES}.length > 0")
    ((start, end, count),) = page.evaluate(f"() => {FEED_LOSSES}")
    assert count == 3
    assert start < lost_ms < end
    assert end - start < 3000
