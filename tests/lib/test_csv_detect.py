"""Which column is the time, and what the others are."""

import pytest

from speeddata.csv_detect import detect_layout, kind_of
from speeddata.csv_dialect import detect_dialect, read_sample
from speeddata.csv_layout import Kind
from speeddata.errors import FormatError
from speeddata.import_options import ImportOptions


@pytest.fixture
def detect(tmp_path):
    def detect(text, **options):
        path = tmp_path / "data.csv"
        path.write_text(text)
        return detect_layout(detect_dialect(path, read_sample(path, None)), ImportOptions(**options))

    return detect


@pytest.mark.parametrize(
    ("text", "time", "form"),
    [
        ("a,time\n1,2021-05-01\n", "time", "%Y-%m-%d"),
        ("ts,a\n1.5945120943859746E9,1\n1.5945120953859746E9,1\n", "ts", "s since 1970"),
        ("timestamp,a\n1594512094385,1\n", "timestamp", "ms since 1970"),
        ("a,when\n1,2021-05-01 10:00\n2,2021-05-01 10:01\n", "when", "%Y-%m-%d %H:%M"),
        ("a,b\n7,1594512094\n7,1594512095\n", "b", "s since 1970"),
        ("Datum Zeit;f [Hz]\nSa. 01.05.21 00:00:30;50\n", "Datum Zeit", "%a %d.%m.%y"),
        ("a,update_time\n7,5\n7,6\n", "update_time", "s since 1970"),
    ],
)
def test_the_time_is_found(text, time, form, detect):
    found = detect(text)
    assert found.time_columns == (time,)
    assert found.time_format.startswith(form)


def test_what_the_user_tells_counts(detect):
    found = detect("a,b,c\n1,2,3\n", time_column=("b",), time_unit="ms")
    assert (found.time_columns, found.layout.epoch_power) == (("b",), 6)
    assert detect("a,b\n1,2\n", time_column=("2",)).time_columns == ("b",)
    text = "a,b\n1,02/03/2021\n"
    assert detect(text, time_format="%m/%d/%Y").layout.programs[0].format == "%m/%d/%Y"
    assert detect("a,b\n1,2\n", rate_hz=50.0).time_columns == ()


def test_date_and_clock_may_be_in_two_columns(detect):
    found = detect("Datum;Zeit;v\n01.05.21;10:00:00;1\n", time_column=("Datum", "Zeit"))
    assert [column.kind for column in found.layout.columns] == [Kind.TIME, Kind.CLOCK, Kind.LONG]


def test_two_orders_of_day_and_month_are_both_told(detect):
    found = detect("time,v\n01/02/2021 10:00,1\n")
    assert (found.layout.programs[0].format[:8], found.other_format[:8]) == ("%d/%m/%Y", "%m/%d/%Y")
    assert detect("time,v\n01/02/2021 10:00,1\n01/13/2021 10:00,1\n").layout.programs[0].format[:5] == "%m/%d"


@pytest.mark.parametrize(
    ("text", "options", "error"),
    [
        ("a,b\n1,2\n", {}, "no column holds times"),
        ("a,b\n1,2\n", {"time_column": ("c",)}, "no column 'c', only 'a', 'b'"),
        ("a,b\nx,2\n", {"time_column": ("a",)}, "cannot tell how the times of column 'a'"),
        ("time,b\n1,2\n", {"without": ("b",)}, "no column is left"),
        ("time,b\n1,2\n", {"by": "x"}, "no column 'x'"),
        ("a,b,c\n1,2,3\n", {"time_column": ("a", "b", "c")}, "one column, or in two"),
        ("a,b,c\n1,2,3\n", {"time_column": ("a", "b")}, "cannot tell how column"),
    ],
)
def test_what_cannot_be_found_out_is_asked_for(text, options, error, detect):
    with pytest.raises(FormatError, match=error):
        detect(text, **options)


@pytest.mark.parametrize(
    ("values", "kind"),
    [(["1", "-2"], Kind.LONG), (["1", "2.5", ""], Kind.DOUBLE), (["true", "FALSE"], Kind.FLAG), (["a", "1"], Kind.TEXT),
     (["", "NA"], Kind.NEW), (["1", "nan"], Kind.DOUBLE), (["1e3", "inf"], Kind.DOUBLE), (["5"] * 99 + ["ERR"], Kind.LONG)],
)  # fmt: skip
def test_kinds_of_columns(values, kind):
    assert kind_of(values, ".", False) == kind


def test_what_has_a_unit_is_measured(detect):
    found = detect("time,f [Hz],n\n1,50,50\n")
    assert [(c.kind, c.unit) for c in found.layout.columns[1:]] == [(Kind.DOUBLE, "Hz"), (Kind.LONG, "")]


def test_columns_are_chosen(detect):
    found = detect("time,a,b,c\n1,2,3,4\n", columns=(("a", "string"), ("b", None)))
    assert [column.kind for column in found.layout.columns] == [Kind.EPOCH, Kind.TEXT, Kind.LONG, Kind.SKIP]
    found = detect("time,a,b,dev\n1,2,3,x\n", without=("a",), by="dev")
    assert [column.kind for column in found.layout.columns] == [Kind.EPOCH, Kind.SKIP, Kind.LONG, Kind.TEXT]
    assert found.layout.columns[3].is_key
