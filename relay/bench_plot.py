"""The plot of a relay benchmark, as SVG: packets archived over packets sent, per second, a panel per size and mode."""

import math
from collections.abc import Iterator, Mapping
from typing import Any
from xml.sax.saxutils import escape

__all__ = ["plot"]

WIDTH, HEIGHT, GAP, COLUMNS = 300, 220, 55, 4
COLORS = {"recvmmsg": "#777777", "relay": "#0b6bcb", "python": "#b35900"}


def plot(document: Mapping[str, Any]) -> str:
    """Give the SVG of a benchmark's document."""
    panels = list(document["results"])
    rows = math.ceil(len(panels) / COLUMNS)
    width, height = COLUMNS * (WIDTH + GAP) + GAP, rows * (HEIGHT + 2 * GAP) + GAP
    body = "".join(
        f'<g transform="translate({GAP + index % COLUMNS * (WIDTH + GAP)},{GAP + index // COLUMNS * (HEIGHT + 2 * GAP)})">'
        + "".join(_panel(panel))
        + "</g>"
        for index, panel in enumerate(panels)
    )
    about = escape(f"{document['machine']['cores']} cores, {document['machine']['processor']}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">'
        f'<rect width="100%" height="100%" fill="#ffffff"/><text x="{GAP}" y="24">Packets dealt with over packets sent, per second, and processor'
        f" time per packet ({about}{', disturbed' if document['disturbed'] else ''})</text>{body}</svg>\n"
    )


def _panel(panel: Mapping[str, Any]) -> Iterator[str]:
    """One size and mode: a line per contender, and the diagonal on which nothing is lost."""
    most = max(point["rate"] for series in panel["series"] for point in series["points"])
    yield f'<rect width="{WIDTH}" height="{HEIGHT}" fill="none" stroke="#999999"/>'
    yield f'<line x1="0" y1="{HEIGHT}" x2="{WIDTH}" y2="0" stroke="#dddddd"/>'
    yield f'<text y="-6">{panel["size"]} B, {escape(panel["mode"])}</text>'
    yield f'<text x="{WIDTH}" y="{HEIGHT + 16}" text-anchor="end">{most:,.0f}/s</text>'
    for index, series in enumerate(panel["series"]):
        color = COLORS[series["name"]]
        places = sorted(
            (point["rate"] / most, point["rate"] * (1 - point["lost"] / max(1, point["sent"])) / most)
            for point in series["points"]
            if not point.get("disturbed")
        )
        line = " ".join(f"{x * WIDTH:.1f},{HEIGHT - y * HEIGHT:.1f}" for x, y in [(0.0, 0.0), *places])
        yield f'<polyline points="{line}" fill="none" stroke="{color}" stroke-width="2"/>'
        for x, y in places:
            yield f'<circle cx="{x * WIDTH:.1f}" cy="{HEIGHT - y * HEIGHT:.1f}" r="3" fill="{color}"/>'
        yield f'<text x="{index * 90}" y="{HEIGHT + 34}" fill="{color}">{series["name"]}</text>'
        yield f'<text x="{index * 90}" y="{HEIGHT + 50}" fill="{color}">{_cost(series["lossless"])}</text>'


def _cost(lossless: Mapping[str, Any] | None) -> str:
    """Processor time per packet in the fastest run without a loss."""
    return f"{lossless['cpu_ns'] / 1000:.2f} µs" if lossless else "-"
