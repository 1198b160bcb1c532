"""Tables of commands: plain for a pipe, drawn for a terminal, and plain again where there are very many rows."""

import io
import sys

import pytest

from speeddata import text_table
from speeddata.text_table import print_table

ROWS = [("a", 1, None), ("bench.\x1b[31m", 12345, "温度"), ("c", 7, "deg")]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_pipe_gets_plain_columns(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("name", "port", "unit"), ROWS, right=("port",))
    name = "bench.\\x1b[31m"
    wide = len(name)
    assert capsys.readouterr().out.splitlines() == [
        f"{'name':{wide}}   port  unit",
        f"{'a':{wide}}      1",
        f"{name}  12345  温度",
        f"{'c':{wide}}      7  deg",
    ]


def test_no_rows_are_a_heading(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("name", "port"), [])
    assert capsys.readouterr().out == "name  port\n"


@pytest.mark.parametrize(("many", "drawn"), [(500, True), (2, False)])
def test_a_terminal_gets_a_drawn_one_unless_there_are_very_many(
    many: int, drawn: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_table, "MANY", many)
    for name in ("TTY_COMPATIBLE", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    print_table(("name", "port", "unit"), ROWS, right=("port",))
    said = terminal.getvalue()
    assert ("\x1b[1m" in said) == drawn
    assert "12345" in said
    assert "\x1b[31m" not in said
