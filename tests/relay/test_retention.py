"""What retention decides, over any archive: never the pinned, never what is in use, the oldest first, no more than needed."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speeddata.relay.retention import Choice, Held, Limits, choose, limits_of
from speeddata.settings import load_settings
from speeddata.settings_table import rows

NS = 10**9
NOW = 10_000
NO_LIMITS = Limits()
CHANNELS = ("a", "b", "c")


def held(number: int, channel: str = "a", size: int = 10, came: int = 0, free: bool = True) -> Held:
    return Held(channel, f"{channel}_{number}", size, came or number, NOW - (came or number), free)


def names(choices: list[Choice]) -> list[str]:
    return [choice.segment.name for choice in choices]


def chosen(segments: list[Held], limits: Limits = NO_LIMITS, **more: Any) -> list[str]:
    given = {"archive_bytes": None, "lacking": 0, "pinned": lambda _: False} | more
    return names(choose(segments, lambda _: limits, **given))


FIVE = [held(number) for number in (3, 1, 5, 2, 4)]


def test_without_limits_nothing_goes() -> None:
    assert chosen(FIVE) == []


@pytest.mark.parametrize(
    ("limits", "gone"),
    [
        (Limits(max_age_ns=NOW - 3), ["a_1", "a_2"]),
        (Limits(max_segments=3), ["a_1", "a_2"]),
        (Limits(max_bytes=30), ["a_1", "a_2"]),
        (Limits(max_bytes=29), ["a_1", "a_2", "a_3"]),
        (Limits(max_bytes=1), ["a_1", "a_2", "a_3", "a_4", "a_5"]),
        (Limits(max_age_ns=NOW - 3, max_segments=2), ["a_1", "a_2", "a_3"]),
    ],
)
def test_limits_of_a_channel_take_the_oldest(limits: Limits, gone: list[str]) -> None:
    assert chosen(FIVE, limits) == gone


def test_what_is_pinned_or_in_use_is_passed_over_and_counts() -> None:
    segments = [held(1), held(2, free=False), held(3), held(4)]
    assert chosen(segments, Limits(max_segments=2), pinned=lambda one: one.name == "a_1") == ["a_3", "a_4"]


def test_limits_of_the_archive_go_across_channels() -> None:
    segments = [held(1, "b"), held(2, "a"), held(3, "b"), held(4, "a")]
    assert chosen(segments, archive_bytes=20) == ["b_1", "a_2"]
    assert chosen(segments, lacking=11) == ["b_1", "a_2"]
    assert chosen(segments, lacking=10**9) == ["b_1", "a_2", "b_3", "a_4"]


def test_what_one_limit_frees_counts_for_the_next() -> None:
    segments = [held(1), held(2), held(3, "b"), held(4, "b")]
    choices = choose(
        segments, lambda name: Limits(max_segments=1 if name == "b" else None), 30, 15, lambda _: False
    )
    assert [(choice.segment.name, choice.setting) for choice in choices] == [
        ("b_3", "retention.max_segments"),
        ("a_1", "retention.min_free_percent"),
    ]


def test_order_is_by_arrival_not_by_name() -> None:
    segments = [held(1, came=50), held(2, came=30), held(3, came=40)]
    assert chosen(segments, Limits(max_segments=1)) == ["a_2", "a_3"]


def test_only_what_must_go_is_asked_whether_it_is_pinned() -> None:
    asked: list[str] = []
    chosen(FIVE, Limits(max_segments=4), pinned=lambda one: bool(asked.append(one.name)))
    assert asked == ["a_1"]


SEGMENTS = st.lists(
    st.builds(
        held,
        st.integers(1, 99),
        st.sampled_from(CHANNELS),
        st.integers(1, 100),
        st.integers(1, 500),
        st.booleans(),
    ),
    max_size=25,
    unique_by=lambda one: one.name,
)
SOME = st.none() | st.integers(0, 600)
LIMITS = st.builds(Limits, st.none() | st.integers(NOW - 500, NOW), SOME, st.none() | st.integers(1, 8))


@given(
    SEGMENTS,
    st.fixed_dictionaries(dict.fromkeys(CHANNELS, LIMITS)),
    SOME,
    st.integers(0, 600),
    st.sets(st.integers(1, 99)),
)
def test_any_archive(
    segments: list[Held], limits: dict[str, Limits], archive_bytes: int | None, lacking: int, pins: set[int]
) -> None:
    def pinned(one: Held) -> bool:
        return int(one.name[2:]) in pins

    choices = choose(segments, limits.__getitem__, archive_bytes, lacking, pinned)
    gone = [choice.segment for choice in choices]
    assert len(set(gone)) == len(gone)
    assert all(one.free and not pinned(one) for one in gone), "never the pinned, never what is in use"
    left = [one for one in segments if one not in gone]
    deletable = [one for one in left if one.free and not pinned(one)]
    for choice in choices:
        older = [one for one in deletable if one.order_ns < choice.segment.order_ns]
        if choice.setting in ("retention.archive_bytes", "retention.min_free_percent"):
            assert not older, "the oldest of all first"
        assert not [one for one in older if one.channel == choice.segment.channel], "the oldest first"
    for channel, limit in limits.items():
        mine = [one for one in left if one.channel == channel]
        if [one for one in deletable if one.channel == channel]:  # else everything deletable is gone
            assert limit.max_segments is None or len(mine) <= limit.max_segments
            assert limit.max_bytes is None or sum(one.bytes for one in mine) <= limit.max_bytes
        for one in deletable:
            assert one.channel != channel or limit.max_age_ns is None or one.age_ns <= limit.max_age_ns
    if deletable:
        assert archive_bytes is None or sum(one.bytes for one in left) <= archive_bytes
        assert sum(one.bytes for one in gone) >= lacking
    by_space = [choice for choice in choices if choice.setting == "retention.min_free_percent"]
    if by_space:
        assert sum(one.bytes for one in gone) - by_space[-1].segment.bytes < lacking, "no more than needed"


@pytest.mark.parametrize(
    ("given", "limits"),
    [
        ({}, Limits()),
        ({"retention.max_age_s": 1.5, "retention.max_segments": 7}, Limits(1_500_000_000, None, 7)),
        ({"retention.mode": "ttl", "retention.value": 86400}, Limits(86400 * NS)),
        ({"retention.mode": "quota", "retention.value": 5}, Limits(None, 5)),
        ({"retention.mode": "quota"}, Limits()),  # in registries of before there was retention
    ],
)
def test_limits_of_settings(given: dict[str, Any], limits: Limits) -> None:
    settings = {key: load_settings().flat["relay"][key] for key in rows("relay")} | given
    assert limits_of(settings) == limits
