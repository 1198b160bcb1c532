import contextlib
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from live import EXAMPLE, Registry, free_port

from speeddata.stripchart.catalogue import ChannelInfo, Follower, Making, read_address
from speeddata.stripchart.relay_counts import Missing

GROUP = ("239.255.41.1", 5001)


@pytest.fixture
def registry() -> Iterator[Registry]:
    with contextlib.closing(Registry()) as opened:
        yield opened


@pytest.fixture
def told() -> list[list[ChannelInfo]]:
    return []


@pytest.fixture
def follower(registry: Registry, told: list[list[ChannelInfo]]) -> Follower:
    return Follower(registry.url, told.append)


def test_channels_are_told_once_per_change(
    registry: Registry, follower: Follower, told: list[list[ChannelInfo]]
) -> None:
    registry.add("example", EXAMPLE, GROUP, source=["127.0.0.1", 4000])
    follower.poll()
    follower.poll()
    registry.channels["example"]["stats"]["records"] = 5
    follower.poll()
    assert len(told) == 1
    (info,) = told[0]
    assert (info.name, info.group, info.source) == ("example", GROUP, ("127.0.0.1", 4000))
    assert (info.time_unit, info.schema.signal_names[0]) == ("ns", "time")
    registry.remove("example")
    follower.poll()
    assert told[1:] == [[]]


@pytest.mark.parametrize(
    "change",
    [
        {"multicast": {"decimated": {"address": "239.255.41.2", "port": 5002}}},
        {"source": {"address": "127.0.0.1", "port": 7}},
        {"schema": "0011223344556677"},
        {"created_at": "2026-02-02 00:00:00"},
        {"time_unit": "us"},
        {"revision": "0badcafe"},
        {"signed": True},
    ],
)
def test_what_matters_is_told(
    registry: Registry, follower: Follower, told: list[list[ChannelInfo]], change: dict[str, Any]
) -> None:
    registry.add("example", EXAMPLE, GROUP)
    follower.poll()
    registry.channels["example"] |= change
    follower.poll()
    assert len(told) == 2


SECOND = {**EXAMPLE, "fields": [*EXAMPLE["fields"], {"name": "more", "type": "double"}]}


def test_versions_are_told_where_packets_say_which_they_are_of(
    registry: Registry, follower: Follower, told: list[list[ChannelInfo]]
) -> None:
    registry.add("framed", EXAMPLE, GROUP, framing="single_object", schemas=1)
    registry.add("plain", EXAMPLE, GROUP, framing="plain", schemas=1)
    follower.poll()
    registry.add_version("framed", SECOND)
    follower.poll()
    follower.poll()
    before, after = ({info.name: info for info in infos} for infos in told)
    assert before["plain"] == after["plain"]
    assert before["framed"].revision != after["framed"].revision
    found = {name: [one.json for one in info.versions] for name, info in after.items()}
    assert found == {"plain": [], "framed": [EXAMPLE, SECOND]}
    assert [one.json for one in before["framed"].versions] == [EXAMPLE]
    assert after["framed"].schema.json == SECOND
    new_year = 1767225600_000
    assert (before["plain"].since_ms, after["framed"].since_ms) == ((new_year,), (new_year, new_year))
    path = "/api/v1/channels"
    assert {key: count for key, count in registry.asked.items() if not key.startswith(f"{path}?")} == {
        f"{path}/framed/schemas": 2,
        f"{path}/plain/schema": 1,
    }


def test_a_registry_of_before_there_were_versions(
    registry: Registry, follower: Follower, told: list[list[ChannelInfo]]
) -> None:
    registry.add("framed", EXAMPLE, GROUP, framing="single_object")
    follower.poll()
    assert [(info.versions, info.schema.json) for info in told[0]] == [((), EXAMPLE)]
    registry.channels["framed"] |= {"schemas": 1}
    follower.poll()
    assert [len(info.versions) for info in told[1]] == [1]


@pytest.mark.parametrize(
    ("stated", "expected"), [((None, None), ["us", "us"]), ((None, "timestamp-millis"), [None, "ms"])]
)
def test_the_unit_in_use_is_that_of_versions_only_where_none_states_its_own(
    registry: Registry, follower: Follower, told: list[list[ChannelInfo]], stated: Any, expected: Any
) -> None:
    def version(logical: str | None) -> dict[str, Any]:
        kind = {"type": "long", "logicalType": logical} if logical else "long"
        return {
            "type": "record",
            "name": "r",
            "fields": [{"name": "time", "type": kind}, *EXAMPLE["fields"][1:]],
        }

    registry.add("c", version(stated[0]), GROUP, framing="single_object", schemas=1, time_unit="us")
    registry.add_version("c", version(stated[1]) | {"aliases": ["s"]})
    follower.poll()
    assert [one.time_unit for one in told[0][0].versions] == expected


def test_a_channel_whose_versions_cannot_be_had_is_named(
    registry: Registry, follower: Follower, told: list[list[ChannelInfo]], caplog: pytest.LogCaptureFixture
) -> None:
    registry.add("good", EXAMPLE, GROUP)
    registry.add("framed", EXAMPLE, GROUP, framing="single_object", schemas=1)
    registry.former["framed"] = [{**EXAMPLE, "fields": EXAMPLE["fields"][1:]}]
    follower.poll()
    assert [info.name for info in told[0]] == ["good"]
    assert "channel 'framed' cannot be shown" in caplog.text


def test_a_registry_that_is_away_changes_nothing(
    registry: Registry, follower: Follower, told: list[list[ChannelInfo]], caplog: pytest.LogCaptureFixture
) -> None:
    registry.add("example", EXAMPLE, GROUP)
    follower.poll()
    registry.close()
    follower._session.close()
    for _ in range(3):
        follower.poll()
    assert len(told) == 1
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert f"{registry.url} does not answer" in caplog.text


def test_a_registry_that_comes_later_is_found(told: list[list[ChannelInfo]]) -> None:
    port = free_port()
    follower = Follower(f"http://127.0.0.1:{port}/", told.append)
    follower.poll()
    with contextlib.closing(Registry(port)) as registry:
        registry.add("example", EXAMPLE, GROUP)
        follower.poll()
    assert [info.name for info in told[0]] == ["example"]


def test_one_bad_channel_does_not_hide_the_others(
    registry: Registry, follower: Follower, told: list[list[ChannelInfo]], caplog: pytest.LogCaptureFixture
) -> None:
    registry.add("good", EXAMPLE, GROUP)
    registry.add("no_time", {**EXAMPLE, "fields": EXAMPLE["fields"][1:]}, GROUP)
    registry.add("no_group", EXAMPLE, GROUP, multicast=None)
    follower.poll()
    assert [info.name for info in told[0]] == ["good"]
    assert "channel 'no_time' cannot be shown" in caplog.text
    assert "channel 'no_group' cannot be shown" in caplog.text


def test_names_are_quoted_in_addresses(
    registry: Registry, follower: Follower, told: list[list[ChannelInfo]]
) -> None:
    registry.add("a b/c?d", EXAMPLE, GROUP)
    follower.poll()
    assert [info.name for info in told[0]] == ["a b/c?d"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"address": "1.2.3.4", "port": 5}, ("1.2.3.4", 5)),
        (["1.2.3.4", 5], ("1.2.3.4", 5)),
        (None, None),
        (["1.2.3.4", 0], None),
        ({}, None),
    ],
)
def test_addresses(value: Any, expected: tuple[str, int] | None) -> None:
    assert read_address(value) == expected


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (None, Making()),
        ({"enabled": False, "algorithm": "minmax", "rate_hz": 50.0}, Making()),
        ({"algorithm": "minmax", "factor": None, "rate_hz": 50.0}, Making(20_000_000, True, 1)),
        ({"algorithm": "minmax", "factor": 10, "rate_hz": None}, Making(None, True, 10)),
        (
            {"algorithm": "average", "factor": None, "rate_hz": 30.0},
            Making(33_333_333, False, None, "average"),
        ),
        ({"algorithm": "downsample", "factor": 10, "rate_hz": None}, Making(None, False, 10, "downsample")),
        ({"algorithm": "downsample", "factor": 1, "rate_hz": None}, Making(None, False, 1)),
    ],
)
def test_how_samples_are_made_of_records(told: Any, expected: Making) -> None:
    assert Making.read(told) == expected


def test_the_full_rate_and_the_decimation_are_told(
    registry: Registry, follower: Follower, told: list[list[ChannelInfo]]
) -> None:
    decimation = {"enabled": True, "algorithm": "minmax", "factor": None, "rate_hz": 50.0}
    registry.add("example", EXAMPLE, GROUP, decimation=decimation)
    follower.poll()
    registry.channels["example"]["decimation"] = {**decimation, "rate_hz": 100.0}
    follower.poll()
    assert [info[0].making.bucket_ns for info in told] == [20_000_000, 10_000_000]
    assert told[0][0].full_group == ("239.255.1.1", 5000)


def test_what_relays_lost_is_told(registry: Registry) -> None:
    lost: list[dict[str, Missing]] = []
    follower = Follower(registry.url, lambda _: None, lost.append)
    registry.add("example", EXAMPLE, GROUP)
    stats = registry.channels["example"]["stats"]
    stats |= {"sequence": {"gaps": 0, "reordered": 0}, "decimate_skipped_blocks": 0}
    follower.poll()
    stats["sequence"]["gaps"] = 4
    follower.poll()
    follower.poll()
    ((name, missing),) = [*lost[0].items()]
    assert (len(lost), name, missing.records) == (1, "example", 4)
    assert missing.over_ns > 0
