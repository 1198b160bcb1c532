"""The progress bar, on what takes standard error for a terminal."""

import io
import sys
import threading

import pytest
from line import wait_until

from speeddata import progress_bar
from speeddata.progress_bar import BYTES, ProgressBar, rate_text, waiting


class Terminal(io.StringIO):
    def isatty(self):
        return True


def begin_terminal(monkeypatch):
    """To be called by a test itself: between fixtures and test, pytest sets standard error again."""
    for name in ("TTY_COMPATIBLE", "TTY_INTERACTIVE", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    return terminal


@pytest.mark.parametrize(
    ("per_s", "unit", "text"),
    [
        (1234567.4, "records", "1,234,567 records/s"),
        (2.25, "rows", "2.2 rows/s"),
        (0, "rows", "0 rows/s"),
        (2.5e6, BYTES, "2.5 MB/s"),
        (12.0, BYTES, "12.0 B/s"),
    ],
)
def test_rates_are_told_for_readers(per_s, unit, text):
    assert rate_text(per_s, unit) == text


def test_what_takes_long_has_a_bar_with_rate_and_time_left(monkeypatch):
    terminal = begin_terminal(monkeypatch)
    monkeypatch.setattr(progress_bar, "DELAY_S", 0)
    monkeypatch.setattr(progress_bar, "PAUSE_S", 0)
    with ProgressBar("importing [a]", 1000, unit="rows") as bar:
        bar.add(250, 10)
        with bar.aside():
            print("meanwhile", file=terminal)
        bar.add(250, 10)
    said = terminal.getvalue()
    assert "importing [a]" in said
    assert "50%" in said
    assert "rows/s" in said
    assert "0:00:" in said or "-:--:--" in said
    assert bar.counted == 20


def test_what_is_quick_or_not_to_be_shown_draws_nothing(monkeypatch):
    terminal = begin_terminal(monkeypatch)
    with ProgressBar("quick", 10) as bar:
        bar.add(10)
    monkeypatch.setattr(progress_bar, "DELAY_S", 0)
    with ProgressBar("hidden", 10, shown=False) as bar, bar.aside():
        bar.reach(5, 10)
    assert terminal.getvalue() == ""


def test_there_is_none_without_a_terminal(monkeypatch):
    monkeypatch.setattr(progress_bar, "DELAY_S", 0)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with ProgressBar("piped", 10) as bar:
        bar.add(1)
    assert sys.stderr.getvalue() == ""


def test_a_download_that_is_taken_up_is_not_faster_for_what_there_was(monkeypatch):
    terminal = begin_terminal(monkeypatch)
    monkeypatch.setattr(progress_bar, "DELAY_S", 0)
    with ProgressBar("fetching", unit=BYTES) as bar:
        bar.reach(10**12, 2 * 10**12)
    assert "0.0 B/s" in terminal.getvalue()


def test_what_is_waited_for_is_told_until_it_is_there(monkeypatch):
    terminal = begin_terminal(monkeypatch)
    with waiting("ending"):
        pass
    assert terminal.getvalue() == ""
    monkeypatch.setattr(progress_bar, "DELAY_S", 0)
    with waiting("ending [a]"):
        wait_until(lambda: "0:00:0" in terminal.getvalue())
    assert "ending [a]" in terminal.getvalue()
    assert "waiting" not in {thread.name for thread in threading.enumerate()}
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with waiting("piped"):
        assert "waiting" not in {thread.name for thread in threading.enumerate()}
    assert sys.stderr.getvalue() == ""
