"""Formats of times: what texts may be, and that the steps of a format read them."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speeddata.csv_layout import Column, Kind, Layout
from speeddata.csv_scan import Scan
from speeddata.csv_times import MONTHS, NAMES, WEEKDAYS, compile_format, formats_of
from speeddata.errors import TimeError

NS = 10**9


def read(text, form, **options):
    layout = Layout(
        columns=(Column("t", Kind.TIME),), programs=(compile_format(form),), names=NAMES, **options
    )
    scan = Scan(layout)
    return scan.first_ns if scan.add([text.encode()]) is None else None


def utc(*parts):
    return int(datetime.datetime(*parts, tzinfo=datetime.UTC).timestamp()) * NS


CASES = [
    ("2021-05-01T00:00:30Z", "%Y-%m-%d[clock]T%H:%M[:%S].%f%z", utc(2021, 5, 1, 0, 0, 30)),
    ("2021-05-01 00:00", "%Y-%m-%d[clock] %H:%M[:%S].%f%z", utc(2021, 5, 1)),
    ("Sa. 01.05.21 00:00:30", "%a %d.%m.%y[clock] %H:%M[:%S].%f%z", utc(2021, 5, 1, 0, 0, 30)),
    ("sam. 1.5.2021 00:00:30", "%a %d.%m.%Y[clock] %H:%M[:%S].%f%z", utc(2021, 5, 1, 0, 0, 30)),
    ("2016-11-24 13:58:58.081000", "%Y-%m-%d[clock] %H:%M[:%S].%f%z", utc(2016, 11, 24, 13, 58, 58) + 81_000_000),
    ("24 Nov 2016 13:58:58 +0100", "%d %b %Y[clock] %H:%M[:%S].%f%z", utc(2016, 11, 24, 12, 58, 58)),
    ("Thu, 24 Nov 2016 13:58:58 GMT", "%a %d %b %Y[clock] %H:%M[:%S].%f%z", utc(2016, 11, 24, 13, 58, 58)),
    ("Nov 24, 2016 1:58 PM", "%b %d, %Y[clock] %I:%M[:%S].%f %p", utc(2016, 11, 24, 13, 58)),
    ("3 août 2021", "%d %b %Y[clock] %H:%M:%S.%f%z", utc(2021, 8, 3)),
    ("12-Mär-21 12:00", "%d-%b-%y[clock] %H:%M[:%S].%f%z", utc(2021, 3, 12, 12)),
    ("20210501T000030Z", "%Y%m%d[clock]T%H%M%S.%f%z", utc(2021, 5, 1, 0, 0, 30)),
    ("2012/01/01", "%Y/%m/%d[clock] %H:%M:%S.%f%z", utc(2012, 1, 1)),
]  # fmt: skip


@pytest.mark.parametrize(("text", "form", "ns"), CASES, ids=[case[0] for case in CASES])
def test_formats_are_found_and_read(text, form, ns):
    assert form in formats_of(text)
    assert read(text, form) == ns


def test_day_and_month_may_be_either_unless_points_are_between():
    assert len(formats_of("01/02/2021")) == 2
    assert len(formats_of("01-02-21 10:00")) == 3
    assert len(formats_of("01.02.2021")) == 1


@pytest.mark.parametrize(
    "text", ["1.5e9", "1594512094", "3", "abc", "", "1.5", "12 apples", "Montag", "-5", "1.2.3.4"]
)
def test_what_is_no_time_has_no_format(text):
    assert formats_of(text) == []


@given(
    st.datetimes(datetime.datetime(1970, 1, 1), datetime.datetime(2068, 12, 31)),
    st.sampled_from(["de", "en", "fr", "it"]),
)
def test_weekdays_are_checked(moment, language):
    names = {"de": "montag dienstag mittwoch donnerstag freitag samstag sonntag", "en": "mon tue wed thu fri sat sun",
             "fr": "lundi mardi mercredi jeudi vendredi samedi dimanche", "it": "lun mar mer gio ven sab dom"}[language].split()  # fmt: skip
    text = moment.strftime("%d.%m.%y %H:%M:%S")
    right, wrong = names[moment.weekday()], names[(moment.weekday() + 3) % 7]
    whole = moment.replace(microsecond=0)
    assert read(f"{right.title()}. {text}", "%a %d.%m.%y %H:%M:%S") == utc(*whole.timetuple()[:6])
    assert read(f"{wrong.title()}. {text}", "%a %d.%m.%y %H:%M:%S") is None
    assert read(f"{wrong} {text}", "%a %d.%m.%y %H:%M:%S", check_weekdays=False) is not None


def test_every_name_is_known():
    for number, text in MONTHS.items():
        for name in text.split():
            assert read(f"5 {name} 2021", "%d %b %Y") == utc(2021, number, 5), name
    for number, text in WEEKDAYS.items():
        for name in text.split():
            assert read(f"{name} {number:02d}.11.21", "%a %d.%m.%y") == utc(2021, 11, number), name


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ("%Q", "unknown"),
        ("%d.%m", "no whole date"),
        ("%M", "neither date nor clock"),
        ("%Y%Y%m%d", "twice"),
        ("", "neither"),
    ],
)
def test_wrong_formats_are_told(form, error):
    with pytest.raises(TimeError, match=error):
        compile_format(form)


def test_long_names_of_formats():
    assert read("2021-05-01 10:20:30", "%F %T") == read("05/01/21 10:20:30", "%D %T")


def test_two_digit_years_turn_at_69():
    assert read("01.01.68", "%d.%m.%y") == utc(2068, 1, 1)
    assert read("01.01.69", "%d.%m.%y") == utc(1969, 1, 1)


@pytest.mark.parametrize(
    ("text", "hour"), [("12:05 AM", 0), ("12:05 pm", 12), ("1:05 PM", 13), ("11:05 am", 11)]
)
def test_halves_of_the_day(text, hour):
    assert read(f"2021-05-01 {text}", "%Y-%m-%d %I:%M %p") == utc(2021, 5, 1, hour, 5)
    assert read("2021-05-01 13:05 PM", "%Y-%m-%d %I:%M %p") is None


def test_the_end_of_a_day_is_the_start_of_the_next():
    assert read("2021-05-01 24:00:00", "%F %T") == utc(2021, 5, 2)
    assert read("2021-05-01 24:00:01", "%F %T") is None
