"""What is taken away from the live server and its charts."""

from removal import Removal

SERVING = ("tests/stripchart/test_serving.py",)
COUNTS = ("tests/stripchart/test_relay_counts.py",)


def unit(name: str) -> tuple[str, ...]:
    """The tests of a JavaScript module, in the browser."""
    return (f"tests/browser/test_units.py::test_unit[{name}]",)


LIVE = [
    Removal(
        "a late sample has its column sent again",
        "stripchart/serving.py",
        "        return self._encode(self._ring.times(max(served, first)), signals, limit, flags)\n",
        "        return self._encode(self._ring.times(self._ring.total - 1), signals, limit, flags)\n",
        SERVING,
    ),
    Removal(
        "a slow client keeps its peaks in columns",
        "stripchart/serving.py",
        "        while len(touched) > limit:\n            width *= 2\n            touched = np.unique(touched // 2)\n",
        "        touched = touched[-limit:]\n",
        SERVING,
    ),
    Removal(
        "a slow client keeps its peaks in samples",
        "stripchart/serving.py",
        "            kept = keep(own, limit)\n",
        "            kept = np.arange(n - limit, n)\n",
        SERVING,
    ),
    Removal(
        "a page that hangs is given up",
        "stripchart/pace.py",
        "        is_stuck = self._is_full or behind_s > FAR_BEHIND_S\n",
        "        is_stuck = self._is_full\n",
        ("tests/stripchart/test_pace.py", "tests/stripchart/test_live_columns.py"),
    ),
    Removal(
        "who says too much is closed",
        "stripchart/hub.py",
        "        if not client.allowance.take(len(message), now_s):\n",
        "        if False:\n",
        ("tests/stripchart/test_live_columns.py",),
    ),
    Removal(
        "what came live is not taken from history too",
        "stripchart/past.py",
        "            self.told = self.told.until(first_ns)\n",
        "            pass\n",
        (
            "tests/stripchart/test_past.py::test_what_is_not_written_yet_is_asked_for_until_the_first_live_sample_is",
        ),
    ),
    Removal(
        "a page that has taken all and not reported it is asked by another frame",
        "stripchart/pace.py",
        "            waits = _PROBE_S\n",
        "            waits = 1e9\n",
        ("tests/stripchart/test_pace.py",),
    ),
    Removal(
        "a page that nobody looks at is not judged by its reports",
        "stripchart/pace.py",
        "        behind_s = 0.0 if self.is_hidden else self.behind_s(now_s) or 0.0\n",
        "        behind_s = self.behind_s(now_s) or 0.0\n",
        ("tests/stripchart/test_pace.py",),
    ),
    Removal(
        "what a relay lost in an earlier life is not lost again",
        "stripchart/relay_counts.py",
        "            if then is None or then.life != now.life:\n",
        "            if then is None:\n",
        COUNTS,
    ),
    Removal(
        "what came late is not missing once more",
        "stripchart/relay_counts.py",
        "            now.missing = max(now.missing, then.missing)\n",
        "",
        COUNTS,
    ),
    Removal(
        "full rate is kept for a while",
        "stripchart/streams.py",
        "            if now_ns - since_ns > FULL_SPAN_NS:\n",
        "            if now_ns > since_ns:\n",
        ("tests/stripchart/test_streams.py",),
    ),
    Removal(
        "limits of a former registration are known",
        "stripchart/former_limits.py",
        "            known = self._known.pop(info.name, None)\n",
        "            known = None\n",
        ("tests/stripchart/test_former_limits.py",),
    ),
    Removal(
        "a clock that is put right loses nothing",
        "stripchart/channel.py",
        "        self._has_moved |= skew != self._placing.skew_ns and self.ring.total > 0\n",
        "        self.has_lost |= skew != self._placing.skew_ns and self.ring.total > 0\n",
        ("tests/stripchart/test_channel.py",),
    ),
    Removal(
        "columns that the server made wider keep their peaks on the page",
        "stripchart/static/feed.js",
        "signal.columns.widthMs === axis.width / axis.count",
        "signal.columns.widthMs === axis.width",
        unit("feed"),
    ),
    Removal(
        "nulls for ever are no value of now",
        "stripchart/static/feed.js",
        "    if (columns.isNullFor(this.channels.limit(signal))) signal.value = NaN;",
        "    if (false) signal.value = NaN;",
        unit("feed"),
    ),
    Removal(
        "losses are not doubled by a reconnect",
        "stripchart/static/feed.js",
        "    this.channels.forgetLosses();\n",
        "",
        unit("feed"),
    ),
    Removal(
        "a chart that fails stops no other",
        "stripchart/static/main.js",
        "    return work();\n  } catch (error) {\n",
        "    return work();\n  } catch (error) {\n    throw error;\n",
        ("tests/browser/test_charts.py::test_a_chart_that_cannot_be_drawn_says_so_and_stops_no_other",),
    ),
    Removal(
        "values are held against the limits of their time",
        "stripchart/static/decor.js",
        "    while (time[slot] >= all[era][0]) era++;\n",
        "    era = all.length - 1;\n",
        unit("decor"),
    ),
    Removal(
        "what a still chart lacks is told",
        "stripchart/static/past/painter.js",
        "    const trouble = [this.trouble, ",
        '    const trouble = ["", ',
        unit("past-chart"),
    ),
    Removal(
        "a pixel of several states shows two of them",
        "stripchart/static/states.js",
        "      Object.assign(begun, { to: x + 1, low: Math.min(low, begun.low), high: Math.max(high, begun.high) });\n",
        "      Object.assign(begun, { to: x + 1 });\n",
        unit("states"),
    ),
]
