"""Signals with states on the whole running system: many of them are strips, live and in the archive."""

import socket
import time
from collections.abc import Callable, Iterator

import pytest
import system
from chart_pages import LAYER
from chart_stand import VIEW, Stand, drag_back, paused
from live import Encoder
from playwright.sync_api import Page

pytestmark = pytest.mark.browser

SYMBOLS = [f"state_{number}" for number in range(16)]
STATE = {"type": "enum", "name": "state", "symbols": SYMBOLS}
SCHEMA = {
    "type": "record",
    "name": "machine",
    "fields": [{"name": "time", "type": "long"}, {"name": "state", "type": STATE}],
}
CHART = '<canvas class="stripchart" data-signals="machine.state" data-window="{window}" data-theme="light" data-height="150"></canvas>'
# Runs of pixels of one colour in the lowest third of the picture: [red, green, blue, from, to] of each wider than 3 pixels.
BLOCKS = f"""() => {{
    const {{ data, width, height }} = ({LAYER})();
    const y = Math.floor(height * 0.75);
    const runs = [];
    for (let x = 0; x < width; x++) {{
        const color = [...data.slice(4 * (y * width + x), 4 * (y * width + x) + 3)];
        const last = runs.at(-1);
        if (last && String(last.slice(0, 3)) === String(color)) last[4] = x + 1;
        else runs.push([...color, x, x + 1]);
    }}
    return runs.filter(([, , , from, to]) => to - from > 3);
}}"""
BLUE, RED = [0, 0, 255], [255, 0, 0]  # the first two colours of the palette
WHITE = [255, 255, 255]


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with system.run(tmp_path_factory.mktemp("states") / "data") as running:
        yield Stand(running)


def test_16_many_states_are_a_strip_live_and_in_the_archive(
    stand: Stand, open_page: Callable[..., Page]
) -> None:
    port = stand.register("machine", SCHEMA)
    encode = Encoder(SCHEMA)
    page = open_page(
        stand.page("states.html", title="States", charts=CHART.format(window=6)),
        viewport={"width": 1000, "height": 400},
    )
    changes = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for number in range(150):  # 1.5 s in the first state, 1.5 s in the second
            changes.append(time.time_ns())
            sock.sendto(encode(time=changes[-1], state=SYMBOLS[number // 75]), ("127.0.0.1", port))
            time.sleep(0.02)
        is_live = f"() => {{ const colors = ({BLOCKS})().map((run) => String(run.slice(0, 3))); return colors.includes('0,0,255') && colors.includes('255,0,0'); }}"
        page.wait_for_function(is_live)
        changed = changes[75]
        for _ in range(300):  # until it has left what the page holds
            sock.sendto(encode(time=time.time_ns(), state=SYMBOLS[2]), ("127.0.0.1", port))
            time.sleep(0.02)
    paused(page)
    drag_back(page, changed)
    page.wait_for_function("() => !document.querySelector('canvas').stripchart.view.trouble", timeout=20_000)
    page.wait_for_function(is_live)
    start, end, _, width = page.evaluate(VIEW)
    blocks = [block for block in page.evaluate(BLOCKS) if block[:3] != WHITE]
    assert [block[:3] for block in blocks][:2] == [BLUE, RED]
    at = (changed - start) / (end - start) * width
    assert abs(blocks[0][4] - at) < 4
    assert abs(blocks[1][3] - at) < 4
    page.keyboard.press("End")
