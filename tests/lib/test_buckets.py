from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from speeddata.buckets import LADDER, Buckets, for_pixels, parse_every, parse_zone
from speeddata.errors import TimeError
from speeddata.times import format_time, parse_time

S = 10**9
DAY = 86400 * S
ZONES = ["UTC", "Europe/Zurich", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/Sao_Paulo",
         "Pacific/Apia", "Africa/Casablanca", "America/Havana"]  # fmt: skip
STAMPS = st.integers(parse_time("1975-01-01"), parse_time("2037-01-01"))


def edges(every, zone, start, end):
    found = parse_every(every, zone).edges(parse_time(start), parse_time(end))
    return [format_time(int(edge)).removesuffix(":00Z") for edge in found]


@pytest.mark.parametrize(
    ("text", "width", "months"),
    [("500ms", S // 2, 0), ("10us", 10**4, 0), ("30s", 30 * S, 0), ("15m", 900 * S, 0), ("1h", 3600 * S, 0),
     ("1d", DAY, 0), ("1w", 7 * DAY, 0), ("1mo", 0, 1), ("1y", 0, 12), ("P1M", 0, 1), ("P1Y6M", 0, 18),
     ("PT15M", 900 * S, 0), ("P1D", DAY, 0), ("PT0.5S", S // 2, 0), ("1.5h", 5400 * S, 0), (" 1 min ", 60 * S, 0)],
)  # fmt: skip
def test_widths_are_read(text, width, months):
    assert parse_every(text) == Buckets(width, months, "UTC")


@pytest.mark.parametrize(
    "text", ["", "x", "0s", "-1s", "1", "1.5mo", "P", "PT", "101y", "0mo", "0.1ns", "P1M1D", "1e3s"]
)
def test_others_are_refused_with_what_was_wanted(text):
    with pytest.raises(TimeError, match="wanted such as 500ms"):
        parse_every(text)


def test_zones_are_checked():
    assert [parse_zone(name) for name in ("utc", "Z", "", "Europe/Zurich")] == [
        "UTC",
        "UTC",
        "UTC",
        "Europe/Zurich",
    ]
    for name in ("Europe/Nowhere", "../x", "Europe", "a" * 500, "\0"):
        with pytest.raises(TimeError, match="unknown time zone"):
            parse_zone(name)


def test_the_repeated_hour_is_two_buckets_and_the_lost_one_none():
    assert edges("1h", "Europe/Zurich", "2024-10-27T00:00", "2024-10-27T02:00") == [
        "2024-10-27T00:00", "2024-10-27T01:00", "2024-10-27T02:00", "2024-10-27T03:00",
    ]  # fmt: skip
    assert edges("6h", "Europe/Zurich", "2024-03-30T23:00", "2024-03-31T09:00") == [
        "2024-03-30T23:00", "2024-03-31T04:00", "2024-03-31T10:00",
    ]  # fmt: skip


def test_days_and_months_begin_at_the_zones_midnight():
    assert edges("1d", "Europe/Zurich", "2024-03-31T00:00", "2024-04-01T00:00") == [
        "2024-03-30T23:00", "2024-03-31T22:00", "2024-04-01T22:00",
    ]  # fmt: skip
    assert edges("1d", "America/Sao_Paulo", "2018-11-04T00:00", "2018-11-04T12:00") == [
        "2018-11-03T03:00", "2018-11-04T03:00", "2018-11-05T02:00",
    ]  # fmt: skip
    assert edges("P1M", "Europe/Zurich", "2024-03-15", "2024-03-16") == [
        "2024-02-29T23:00",
        "2024-03-31T22:00",
    ]
    assert edges("1w", "UTC", "2024-03-15", "2024-03-16") == ["2024-03-11T00:00", "2024-03-18T00:00"]
    assert edges("1y", "UTC", "2024-03-15", "2025-01-01") == [
        f"{year}-01-01T00:00" for year in (2024, 2025, 2026)
    ]
    assert edges("1h", "Asia/Kolkata", "2024-01-01T00:10", "2024-01-01T00:20") == [
        "2023-12-31T23:30",
        "2024-01-01T00:30",
    ]


@given(
    STAMPS,
    st.integers(0, 400 * DAY),
    st.sampled_from(["1h", "30m", "6h", "1d", "3d", "1w", "1mo", "1y"]),
    st.sampled_from(ZONES),
)
def test_buckets_cover_the_range_and_begin_by_the_clock(start, length, every, zone):
    buckets = parse_every(every, zone)
    length = length % (20 * DAY) if every in ("1h", "30m") else length
    found = buckets.edges(start, start + length)
    assert found[0] <= start < found[1]
    assert found[-2] <= start + length < found[-1]
    assert (np.diff(found) > 0).all()
    assert len(found) - 1 <= buckets.estimate(start, start + length) * 3 // 2
    granule = buckets.granule(found)
    assert (found % granule == 0).all()
    for edge in found.tolist():
        local = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=edge // 1000)).astimezone(
            ZoneInfo(zone)
        )
        if every in ("1d", "1w", "1mo", "1y") and zone not in (
            "America/Sao_Paulo",
            "Pacific/Apia",
            "America/Havana",
        ):
            assert (local.hour, local.minute) == (0, 0)
        if every == "1mo":
            assert local.day == 1
        if every == "1w" and zone == "UTC":
            assert local.weekday() == 0


@given(STAMPS, st.integers(0, 3 * DAY), st.sampled_from(ZONES))
def test_parts_of_a_range_have_the_same_buckets(start, length, zone):
    buckets = parse_every("1h", zone)
    whole = set(buckets.edges(start - 40 * DAY, start + 40 * DAY).tolist())
    assert set(buckets.edges(start, start + length).tolist()) <= whole


@pytest.mark.parametrize("every", ["1ms", "1h", "1d", "1w", "1mo", "1y"])
@pytest.mark.parametrize("zone", ["UTC", "Europe/Zurich"])
def test_the_ends_of_time_are_cut_off(every, zone):
    buckets = parse_every(every, zone)
    for start, end in ((-(2**63), -(2**63) + 10**6), (2**63 - 10**6, 2**63 - 2)):
        found = buckets.edges(start, end)
        assert found[0] <= start
        assert found[-1] > end
        assert (np.diff(found.astype(object)) > 0).all()


@given(STAMPS, st.integers(0, 5000 * DAY), st.integers(1, 3000), st.sampled_from(["UTC", "Europe/Zurich"]))
def test_pixels_get_as_narrow_buckets_as_fit(start, length, pixels, zone):
    buckets = for_pixels(start, start + length, pixels, zone)
    assert len(buckets.edges(start, start + length)) - 1 <= max(pixels, 2)
    if buckets.width_ns in LADDER[1:]:
        narrower = LADDER[LADDER.index(buckets.width_ns) - 1]
        assert len(Buckets(narrower, 0, zone).edges(start, start + length)) - 1 > pixels


def test_an_estimate_costs_nothing():
    assert parse_every("1ns").estimate(0, 2**62) > 10**18
    assert parse_every("1mo").estimate(0, 365 * DAY) in range(12, 20)
