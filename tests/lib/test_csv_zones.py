"""Local time: offsets as zoneinfo has them, and which hour it is when it comes twice."""

import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speeddata.csv_layout import Column, Kind, Layout
from speeddata.csv_scan import Scan
from speeddata.csv_times import NAMES, compile_format
from speeddata.csv_zones import find_folds, spans_of
from speeddata.errors import TimeError

FORM = compile_format("%Y-%m-%d %H:%M:%S")
ZONES = [
    "Europe/Zurich",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Africa/Casablanca",
    "Pacific/Apia",
]


def layout(zone, **options):
    return Layout(
        columns=(Column("t", Kind.TIME),), programs=(FORM,), names=NAMES, spans=spans_of(zone), **options
    )


@given(
    st.datetimes(datetime.datetime(1950, 1, 1), datetime.datetime(2090, 1, 1)),
    st.sampled_from(ZONES),
    st.booleans(),
)
def test_local_times_are_those_of_zoneinfo(moment, zone, later):
    moment = moment.replace(microsecond=0, fold=later)
    there = moment.replace(tzinfo=ZoneInfo(zone))
    scan = Scan(layout(zone, ambiguous="later" if later else "earlier", missing="shift"))
    assert scan.add([moment.strftime("%Y-%m-%d %H:%M:%S").encode()]) is None
    exists = there.astimezone(datetime.UTC).astimezone(ZoneInfo(zone)).replace(
        tzinfo=None, fold=0
    ) == moment.replace(fold=0)
    if exists:
        assert scan.first_ns == int(there.timestamp()) * 10**9


def test_zones_by_offset_and_none():
    assert spans_of("UTC") is None
    assert spans_of("+01:00").first == (3600,)
    for wrong in ("Nowhere/City", "+1", "../etc/passwd", ""):
        with pytest.raises(TimeError):
            spans_of(wrong)


def test_the_hour_that_is_left_out():
    line = [b"2021-03-28 02:30:00"]
    assert Scan(layout("Europe/Zurich")).add(line) == (11, 0)
    shifted = Scan(layout("Europe/Zurich", missing="shift"))
    assert shifted.add(line) is None
    assert (
        shifted.first_ns
        == int(datetime.datetime(2021, 3, 28, 1, 30, tzinfo=datetime.UTC).timestamp()) * 10**9
    )


def test_the_hour_that_comes_twice_may_be_refused():
    assert Scan(layout("Europe/Zurich", ambiguous="reject")).add([b"2021-10-31 02:30:00"]) == (12, 0)


@pytest.mark.parametrize("step", [1, 30, 900, 3600, -30, -3600])
@pytest.mark.parametrize("parts", [1, 5])
def test_folds_give_back_the_true_times(step, parts, tmp_path):
    start = datetime.datetime(2021, 10, 30, 22, tzinfo=datetime.UTC)
    count = 6 * 3600 // abs(step)
    truth = [start + datetime.timedelta(seconds=n * abs(step)) for n in range(count)]
    truth = truth[::-1] if step < 0 else truth
    zone = ZoneInfo("Europe/Zurich")
    lines = [f"{one.astimezone(zone):%Y-%m-%d %H:%M:%S}\n".encode() for one in truth]
    path = tmp_path / "t.csv"
    path.write_bytes(b"".join(lines))
    size, per_part = path.stat().st_size, (len(lines) + parts - 1) // parts * len(lines[0])
    known = layout("Europe/Zurich", step_s=float(step))
    ranges = [(at, min(size, at + per_part)) for at in range(0, size, per_part)]

    def scans(folds):
        for at, end in ranges:
            scan = Scan(known, folds=folds)
            with path.open("rb") as file:
                scan.load(file.fileno(), at, end, size)
            assert scan.run() is None
            yield scan

    folds = find_folds([scan.take_events() for scan in scans([])], float(step))
    assert len({state for _, state in folds}) == 2
    scans_again = list(scans(folds))
    ends = [(scan.first_ns, scan.last_ns) for scan in scans_again]
    places = [(at // len(lines[0]), end // len(lines[0]) - 1) for at, end in ranges]
    assert ends == [tuple(int(truth[p].timestamp()) * 10**9 for p in pair) for pair in places]
    assert sum(scan.backward if step > 0 else len(truth) * 0 for scan in scans_again) == 0


def test_hours_of_several_devices_one_below_the_other():
    """Each enters the hour anew."""
    seen = [([(0, 7200, 4, 0), (50, 7200, 4, 2), (200, 7200, 4, 1), (250, 7200, 4, 2)], (10800, 5))]
    assert find_folds(seen, 60.0) == [(0, 0), (50, 1), (200, 0), (250, 1)]
