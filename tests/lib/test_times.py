import contextlib
import datetime
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speeddata.errors import TimeError
from speeddata.times import format_time, parse_duration, parse_time, unit_of

NS = 1_000_000_000
FOURTEEN = 1737640800 * NS  # 2025-01-23T14:00:00Z


@pytest.mark.parametrize(
    ("text", "stamp"),
    [
        ("2025-01-23T14:00:00Z", FOURTEEN),
        ("2025-01-23T14:00:00", FOURTEEN),
        ("2025-01-23 14:00", FOURTEEN),
        ("2025-01-23T14Z", FOURTEEN),
        ("2025-01-23T15:00:00+01:00", FOURTEEN),
        ("2025-01-23T15:00:00+0100", FOURTEEN),
        ("2025-01-23T03:30:00-10:30", FOURTEEN),
        ("20250123T140000Z", FOURTEEN),
        (" 2025-01-23T14:00:00z ", FOURTEEN),
        ("2025-01-23", FOURTEEN - 14 * 3600 * NS),
        ("2025-01-23T14:00:00.123456Z", FOURTEEN + 123_456_000),
        ("2025-01-23T14:00:00.123456789Z", FOURTEEN + 123_456_789),
        ("2025-01-23T14:00:00,5Z", FOURTEEN + 500_000_000),
        ("1969-12-31T23:59:59.999999999Z", -1),
        ("1677-09-21T00:12:43.145224192Z", -(2**63)),
        ("2262-04-11T23:47:16.854775807Z", 2**63 - 1),
    ],
)
def test_times_are_read_to_the_nanosecond(text: str, stamp: int) -> None:
    assert parse_time(text) == stamp


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "''"),
        ("yesterday", "yesterday"),
        ("2025-13-01T00:00:00Z", "month"),
        ("2025-02-29", "day"),
        ("2025-01-23T24:00:00Z", "hour"),
        ("2025-01-23T14:00:00+99:00", "+99:00"),
        ("2025-0123", "2025-0123"),
        ("1737640800", "1737640800"),
        ("2025-01-23T15:00:00 01:00", "%2B"),
        ("9999-01-01", "1677 to 2262"),
        ("1600-01-01", "1677 to 2262"),
        ("٢٠٢٥-01-23", "wanted"),
    ],
)
def test_what_is_no_time_is_refused_by_value_and_wanted(text: str, named: str) -> None:
    with pytest.raises(TimeError, match="wanted") as caught:
        parse_time(text)
    assert named in str(caught.value)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("PT30S", 30),
        ("PT1M", 60),
        ("PT1H30M", 5400),
        ("P1D", 86400),
        ("P1DT12H", 129600),
        ("P2W", 1209600),
        ("PT0.5S", 0.5),
        ("PT1,5M", 90),
        ("PT0.000000001S", 1e-9),
        ("PT0S", 0),
        ("pt5s", 5),
        ("5m", 300),
        ("5 min", 300),
        ("1.5H", 5400),
        ("100ms", 0.1),
        ("10µs", 1e-5),
        ("2w", 1209600),
    ],
)
def test_durations_are_read_exactly(text: str, seconds: float) -> None:
    assert parse_duration(text) == round(seconds * NS)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "''"),
        ("P", "no number"),
        ("PT", "no number"),
        ("P1DT", "no number"),
        ("30", "'30'"),
        ("30x", "30x"),
        ("1mo", "1mo"),
        ("1h30m", "1h30m"),
        ("-PT30S", "-PT30S"),
        ("PT1.5H30M", "fraction"),
        ("P1M", "no fixed length"),
        ("P1Y", "no fixed length"),
        ("P9999999W", "int64"),
        ("PT" + "9" * 5000 + "S", "cannot read"),
    ],
)
def test_what_is_no_duration_is_refused_by_value_and_wanted(text: str, named: str) -> None:
    with pytest.raises(TimeError, match="wanted") as caught:
        parse_duration(text)
    assert named in str(caught.value)


@pytest.mark.parametrize(
    ("stamp", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (FOURTEEN, "2025-01-23T14:00:00Z"),
        (FOURTEEN + 120_000_000, "2025-01-23T14:00:00.120Z"),
        (FOURTEEN + 1_000, "2025-01-23T14:00:00.000001Z"),
        (-1, "1969-12-31T23:59:59.999999999Z"),
    ],
)
def test_times_are_written_as_short_as_they_can_be(stamp: int, text: str) -> None:
    assert format_time(stamp) == text


def test_a_time_that_no_int64_holds_is_not_written() -> None:
    with pytest.raises(TimeError, match="1677 to 2262"):
        format_time(2**63)


@given(st.integers(-(2**63), 2**63 - 1))
def test_every_int64_comes_back_as_it_was_written(stamp: int) -> None:
    assert parse_time(format_time(stamp)) == stamp


@given(st.datetimes(datetime.datetime(1700, 1, 1), datetime.datetime(2260, 1, 1)))
def test_agrees_with_the_standard_library(moment: datetime.datetime) -> None:
    aware = moment.replace(tzinfo=datetime.UTC)
    microseconds = (aware - datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)) // datetime.timedelta(
        microseconds=1
    )
    assert parse_time(moment.isoformat()) == microseconds * 1000


@given(st.text(max_size=40))
def test_no_text_does_worse_than_a_time_error(text: str) -> None:
    for parse in (parse_time, parse_duration):
        with contextlib.suppress(TimeError):
            parse(text)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_the_size_of_a_time_tells_its_unit(unit: str) -> None:
    assert unit_of(FOURTEEN // {"s": NS, "ms": 10**6, "us": 10**3, "ns": 1}[unit]) == unit
    assert unit_of(0) == "s"


@pytest.mark.parametrize(
    "zone", ["UTC", "America/St_Johns", "Asia/Kathmandu", "Pacific/Kiritimati", "Europe/Zurich"]
)
def test_fault_64_the_zone_of_the_machine_changes_no_time(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        for text, stamp in (
            ("1970-01-01T00:00:00Z", 0),
            ("2016-12-31T23:59:59Z", 1_483_228_799 * NS),  # before a leap second, which UTC's count has not
            ("2017-01-01T00:00:00Z", 1_483_228_800 * NS),
            ("2025-03-30T02:30:00", 1_743_301_800 * NS),  # an hour that Zurich's clocks do not show
            ("2025-10-26T02:30:00", 1_761_445_800 * NS),  # one that they show twice
            ("2038-01-19T03:14:08Z", 2**31 * NS),
            ("2262-04-11T23:47:16.854775807Z", 2**63 - 1),
        ):
            assert parse_time(text) == stamp
            assert parse_time(format_time(stamp)) == stamp
        with pytest.raises(TimeError, match="second"):
            parse_time("2016-12-31T23:59:60Z")
    finally:
        monkeypatch.undo()
        time.tzset()
