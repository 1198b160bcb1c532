"""What `speeddata status` makes of what the API tells."""

import pytest
from rich.console import Console

from speeddata.status_command import View, drawn
from speeddata.status_view import (
    Line,
    Rates,
    age_text,
    channel_line,
    count_text,
    in_order,
    loss_words,
    losses,
    size_text,
    troubles,
)

NS = 10**9
STATUS = {
    "version": "1", "data": "/d", "keeper": {"state": "active", "reason": ""},
    "services": [{"name": "pivot", "state": "active", "reason": ""}],
    "archive": {"bytes": 5 * 10**9, "segments": 3, "free_bytes": 10**12, "free_percent": 50.0, "full_in_s": 7200, "trouble": None},
    "channels": {"count": 0, "states": {}},
}  # fmt: skip


def channel(name, state="active", **stats):
    return {"name": name, "port": 1, "state": state, "reason": "", "stats": stats or None, "ingested": None}


def line(name, state="active", reason=""):
    return Line(name, 26000, state, reason, 5, 1.0, 0, "", 0.5)


def test_rates_are_differences_of_counters_by_their_own_clock():
    rates = Rates()
    assert rates.update(channel("a", records=10, heartbeat=NS)) is None
    assert rates.update(channel("a", records=10, heartbeat=NS)) is None, "read once, told twice"
    assert rates.update(channel("a", records=30, heartbeat=3 * NS)) == 10
    assert rates.update(channel("a", records=30, heartbeat=5 * NS)) == 5
    assert rates.update(channel("a", records=30, heartbeat=9 * NS)) == 0
    assert rates.update(channel("a", records=3, heartbeat=10 * NS)) is None, "counting began anew"


def test_what_comes_by_http_is_counted_too():
    rates, one = Rates(), channel("a", records=1, heartbeat=NS)
    rates.update({**one, "ingested": {"records": 10, "heartbeat": NS}})
    two = channel("a", records=3, heartbeat=2 * NS)
    assert rates.update({**two, "ingested": {"records": 20, "heartbeat": 2 * NS}}) == 12


def test_drops_are_all_that_came_and_is_not_archived():
    stats = {
        "kernel_drops": 1,
        "ring_full": 2,
        "rejected": {"short": 4, "empty": 0},
        "not_archived": {"io": 8, "ring_full": 2},
    }
    lossy = {**channel("a", **stats), "ingested": {"lost": 16}}
    assert sum(count for _, _, count in losses(lossy)) == channel_line(lossy, None, 0).drops == 31
    told = "16 lost: by HTTP; 8 not archived: io; 4 refused: short; 3 dropped: 2 ring full, 1 by the kernel"
    assert loss_words(lossy) == told
    assert (
        loss_words(channel("a", rejected={"short": 4, "schema": 2000}))
        == "2,004 refused: 2,000 schema, 4 short"
    )
    assert loss_words(channel("a", kernel_drops=0)) == ""

    told = channel_line(channel("a", records=7, durable_until="1970-01-01T00:00:10Z", **stats), 2.5, 12 * NS)
    assert (told.records, told.rate, told.drops, told.last_s) == (7, 2.5, 15, 2.0)
    assert channel_line(channel("a"), None, 0).last_s is None


def test_those_in_trouble_come_first():
    lines = [
        line("b"),
        line("a", "idle"),
        line("z", "backoff"),
        line("y", "degraded"),
        line("s", "stopped"),
        line("t", "stopped", "the keeper does not answer"),
    ]
    assert "".join(one.name for one in in_order(lines)) == "yztsab"
    assert troubles(STATUS, lines) == ["3 channels in trouble"]
    assert troubles(STATUS, lines[:2]) == []


def test_trouble_of_processes_and_archive_is_told():
    status = {
        **STATUS,
        "keeper": {"state": "backoff", "reason": "it died"},
        "services": [{"name": "pivot", "state": "failed", "reason": ""}],
        "archive": {"trouble": "no room"},
        "registry": {"trouble": "registry.db is damaged"},
    }
    assert troubles(status, [line("a", "failed")]) == [
        "keeper backoff: it died", "pivot failed", "archive: no room",
        "registry: nothing can be changed: registry.db is damaged", "1 channel in trouble"]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (count_text(None), "-"),
        (count_text(1234567), "1,234,567"),
        (count_text(2.25), "2.2"),
        (count_text(1234.5), "1,234"),
        (age_text(None), "-"),
        (age_text(0.25), "0.2 s"),
        (age_text(42.0), "42 s"),
        (age_text(7200.0), "2 h"),
        (size_text(12), "12 B"),
        (size_text(1.5e9), "1.5 GB"),
    ],
)
def test_figures_are_short(text, wanted):
    assert text == wanted


def test_the_table_says_why_there_are_drops():
    view = View.__new__(View)
    view.status, view.troubles = STATUS, []
    lossy = channel("a", "degraded", rejected={"short": 20})
    view.lines = [channel_line({**lossy, "reason": "the disk is slow"}, None, 0)]
    with (console := Console(width=200, color_system=None)).capture() as captured:
        console.print(drawn(view, console))
    assert "the disk is slow; 20 refused: short" in captured.get()
    assert view.lines[0].to_json()["drops_why"] == "20 refused: short"


def test_two_hundred_channels_fit_a_terminal():
    view = View.__new__(View)
    view.status, view.troubles = STATUS, ["1 channel in trouble"]
    view.lines = in_order([line(f"channel-{n:03}", "failed" if n == 150 else "active") for n in range(200)])
    console = Console(width=80, height=24, force_terminal=True, color_system=None)
    with console.capture() as captured:
        console.print(drawn(view, console))
    said = captured.get().splitlines()
    assert len(said) <= 22
    assert all(len(one) <= 80 for one in said)
    assert "channel-150" in said[6]
    assert "and 186 more channels" in said[-1]
    assert "full in 2 h" in said[2]
    with (wide := Console(width=200, color_system=None)).capture() as captured:
        wide.print(drawn(view, wide))
    assert len(captured.get().splitlines()) == 5 + 1 + 200, "a pipe has all"
