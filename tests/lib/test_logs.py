"""What is said: as text or JSON, within a ration, and never so that one event looks like two."""

import json
import logging
import os
import re
import subprocess
import sys

import pytest

from speeddata import logs
from speeddata.logs import Line, Ration, format_line, read_line

LINE = Line("2026-01-23T14:00:00.123Z", "WARNING", "pivot", "it's late")


@pytest.fixture
def said(capsys):
    """Gives what was said on standard error, after `set_up`."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield lambda: capsys.readouterr().err
    root.handlers[:] = before
    root.setLevel(level)


@pytest.mark.parametrize("style", logs.FORMATS)
def test_what_is_written_is_read(style):
    assert read_line(format_line(LINE, style), "other") == LINE


def test_what_is_none_of_ours_is_a_message():
    for text in ("hello", "{", '{"a": 1}', "", "2026-01-23 INFO x: y"):
        assert read_line(text, "source-host") == Line("", "INFO", "source-host", text)
    assert read_line("x", "a").number == logging.INFO
    assert Line("", "NONSENSE", "", "").number == logging.INFO
    assert LINE.number == logging.WARNING


def test_fault_80_a_text_cannot_look_like_an_event_of_its_own():
    evil = Line("t", "INFO", "pivot", "x\r\n2026-01-23T14:00:00.123Z ERROR keeper: all is lost")
    written = format_line(evil, "text")
    assert [line for line in written.split("\n")[1:] if not line.startswith("    ")] == []
    assert "\r" not in written
    assert "\n" not in format_line(evil, "json")


def test_text_and_json(said):
    logs.set_up("pivot", "text")
    logging.getLogger("speeddata.x").warning("%d things", 3)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z WARNING pivot: 3 things\n", said())
    logs.set_up("pivot", "json")
    try:
        raise ValueError("why")
    except ValueError:
        logging.getLogger("speeddata.x").exception("failed")
    told = json.loads(said())
    assert (told["level"], told["process"]) == ("ERROR", "pivot")
    assert told["message"].startswith("failed\nTraceback")
    assert told["message"].endswith("ValueError: why")


def test_the_environment_says_which(said, monkeypatch):
    monkeypatch.setenv(logs.VARIABLE, "json")
    logs.set_up("x")
    logging.info("hello")
    assert json.loads(said())["message"] == "hello"
    monkeypatch.setenv(logs.VARIABLE, "nonsense")
    logs.set_up("x")
    logging.info("again")
    assert "INFO x: again" in said()


def test_a_ration_is_what_it_says():
    now = [0.0]
    ration = Ration(3, 1, lambda: now[0])
    assert [ration.take() for _ in range(5)] == [True, True, True, False, False]
    now[0] = 2.5
    assert [ration.take() for _ in range(3)] == [True, True, False]
    assert ration.take_left_out() == 3
    assert ration.take_left_out() == 0


def test_fault_32_a_flood_is_cut_and_counted(said):
    now = [0.0]
    logs.set_up("x", "text")
    logging.getLogger().handlers[0]._ration = Ration(clock=lambda: now[0])
    for n in range(100_000):
        logging.info("line %d", n)
    assert said().count("\n") == logs.BURST
    logging.error("what matters is said all the same")
    now[0] = 10.0
    logging.info("later")
    lines = said().splitlines()
    assert lines[-3].endswith(
        f"WARNING x: {100_000 - logs.BURST} lines were left out, as more came than 50 a second"
    )
    assert lines[-2].endswith("ERROR x: what matters is said all the same")
    assert lines[-1].endswith("INFO x: later")
    assert logs.left_out() == 100_000 - logs.BURST


def test_fault_31_who_has_nobody_to_read_what_he_says_goes_on():
    code = (
        "import logging, os\nfrom speeddata import logs\nlogs.set_up('x')\n"
        "for n in range(2000): logging.error('x' * 200)\nprint('done')"
    )
    read, write = os.pipe2(os.O_NONBLOCK)
    try:
        for end in ("full", "closed"):
            if end == "closed":
                os.close(read)
            done = subprocess.run(
                [sys.executable, "-P", "-c", code], stdout=subprocess.PIPE, stderr=write, timeout=30
            )
            assert done.stdout == b"done\n", end
    finally:
        os.close(write)
