"""The benchmark as it is run, on a small scale, and that no figure of a disturbed run is printed."""

import io
import json
import xml.etree.ElementTree
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from rich.console import Console

from speeddata.progress_bar import ProgressBar
from speeddata.relay import bench
from speeddata.relay.bench import Comparison, Result, Series, compare, curve, main, report
from speeddata.relay.bench_run import Point

QUIET, BUSY = 0.0, 0.5
NO_BAR = ProgressBar("measuring", shown=False)


def point(rate: float = 1000.0, lost: int = 0, cpu_ns: float = 100.0, others: float = QUIET) -> Point:
    return Point(rate, 1000, lost, cpu_ns, others)


def series(name: str, *points: Point) -> Series:
    return Series(name, 200, "plain", list(points))


def prepare(monkeypatch: pytest.MonkeyPatch, *made: list[Point]) -> None:
    """Let runs come out as told."""
    told = iter(made)
    monkeypatch.setattr(bench, "attempts", lambda *_: next(told))


def test_the_fastest_run_without_a_loss_counts() -> None:
    points = [point(9.0, lost=1), point(4.0), point(6.0)]
    assert series("relay", *points).lossless == points[2]
    assert series("relay", *points[:1]).lossless is None
    assert series("relay", *points[:1]).figure() == "-"
    assert series("relay", *points).figure() == "6 (100)"
    assert series("relay", points[2]).figure() == "6* (100)"


def test_a_run_that_was_disturbed_once_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(monkeypatch, [point(7000.0, lost=5, others=BUSY), point(9000.0)])
    found = curve("relay", 200, "plain", 1.0, Console(quiet=True), NO_BAR)
    assert found.figure() == "9,000* (100)"
    assert len(found.points) == 2


def test_a_curve_ends_where_a_run_remains_disturbed(monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(monkeypatch, [point(9000.0, lost=5)], [point(4500.0)], [point(6750.0, others=BUSY)] * 3)
    found = curve("relay", 200, "plain", 1.0, Console(quiet=True), NO_BAR)
    assert (found.figure(), found.lossless) == ("disturbed", None)
    assert len(found.points) == 5


def test_processor_time_is_compared_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    made = [
        [point(cpu_ns=120.0)],
        [point()],
        [point(cpu_ns=999.0, others=BUSY), point(cpu_ns=140.0)],
        [point()],
    ]
    prepare(monkeypatch, *made)
    found = compare([series("relay", point(500.0)), series("recvmmsg", point(900.0))], 2, 1.0, NO_BAR)
    assert (found.rate, found.figure()) == (400.0, "1.30 (1.20 to 1.40)")
    assert found.to_json()["median"] == pytest.approx(1.3)


def test_others_in_the_paired_runs_are_not_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(monkeypatch, [point()], [point(others=BUSY)] * 3)
    found = compare([series("relay", point()), series("recvmmsg", point())], 9, 1.0, NO_BAR)
    assert found.figure() == "disturbed"
    told = found.to_json()
    assert (told["disturbed"], "median" in told) == (True, False)
    assert [[run["disturbed"] for run in made] for made in told["runs"]] == [[False], [True] * 3]


@pytest.mark.parametrize(
    ("one", "count", "figure"),
    [(point(lost=1), 9, "-"), (point(others=BUSY), 9, "disturbed"), (point(), 0, "-")],
)
def test_what_cannot_be_compared(one: Point, count: int, figure: str) -> None:
    assert compare([series("relay", one), series("recvmmsg", point())], count, 1.0, NO_BAR).figure() == figure


def test_a_disturbed_figure_is_not_in_the_table() -> None:
    relay = series("relay", point(12345.0, others=BUSY))
    result = Result(200, "plain", [series("recvmmsg", point(777.0)), relay], Comparison())
    said = io.StringIO()
    Console(width=200, file=said).print(report([result]))
    text = said.getvalue()
    assert "777* (100)" in text
    assert "disturbed" in text
    assert "12,345" not in text
    assert result.disturbed


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("--sizes", "abc", "'abc' in 'abc': expected bytes, with commas between sizes: 64,1400"),
        ("--sizes", "64,,200", "'' in '64,,200': expected bytes"),
        ("--sizes", "200,20", "'20' in '200,20': no packet of one record has 20 bytes, expected 42 to 65507"),
        ("--modes", "foo", "'foo' in 'foo': expected plain, gso, or plain,gso"),
        ("--modes", "", "'' in '': expected plain, gso"),
        ("--seconds", "0", "0 is not in the range 0<x<=3600"),
        ("--seconds", "nan", "expected seconds"),
        ("--pairs", "-1", "-1 is not in the range x>=0"),
        ("--out", "/no/such/folder/b", "'/no/such/folder/b': expected a name in a folder that exists"),
    ],
)
def test_what_an_option_cannot_be_is_said_at_once(option: str, value: str, expected: str) -> None:
    done = CliRunner().invoke(main, [option, value], env={"COLUMNS": "500"})
    assert done.exit_code == 2
    assert f"Invalid value for '{option}'" in done.output
    assert expected in done.output.replace("\n", " ")


def test_it_measures_prints_and_saves(tmp_path: Path) -> None:
    out = tmp_path / "b.1"
    done = CliRunner().invoke(
        main, ["--sizes", "200", "--modes", "plain", "--seconds", "0.1", "--pairs", "1", "--out", str(out)]
    )
    assert done.exit_code == 0, done.output
    document: dict[str, Any] = json.loads((tmp_path / "b.1.json").read_text())
    (result,) = document["results"]
    assert [one["name"] for one in result["series"]] == ["recvmmsg", "relay", "python"]
    for one in result["series"]:
        assert all(run["sent"] > 0 and 0 <= run["lost"] <= run["sent"] for run in one["points"])
        assert one["disturbed"] == one["points"][-1]["disturbed"]
        whole = [run for run in one["points"] if run["lost"] == 0 and not run["disturbed"]]
        best = max(whole, key=lambda run: run["rate"], default=None)
        assert one["lossless"] == (None if one["disturbed"] else best)
    flags = [result["cpu"]["disturbed"], *(one["disturbed"] for one in result["series"])]
    assert document["disturbed"] == any(flags)
    assert "packets/s without loss" in done.output
    picture = xml.etree.ElementTree.parse(tmp_path / "b.1.svg").getroot()
    assert len(picture.findall(".//{http://www.w3.org/2000/svg}polyline")) == 3
