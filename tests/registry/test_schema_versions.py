import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from speeddata.registry.problems import ApiProblem
from speeddata.registry.schema_versions import MAX_VERSIONS, SchemaVersions, check_framing, with_schema
from speeddata.registry.store import Channel, Store, StoreError
from speeddata.relay import spec

FIRST = Channel("x", 26000, "a.avsc", '{"n": 1}', "f1", "ns", {"framing": "single_object"})


@pytest.fixture
def versions(store: Store) -> SchemaVersions:
    store.insert(FIRST, [])
    return SchemaVersions(store)


def newer(number: int, name: str = "x") -> Channel:
    return replace(
        FIRST,
        name=name,
        schema_path=None,
        schema=f'{{"n": {number}}}',
        fingerprint=f"f{number}",
        time_unit=None,
    )


def add(versions: SchemaVersions, number: int, name: str = "x") -> None:
    with versions.adding(newer(number, name), number):
        pass


def test_the_newest_is_the_channels_own(versions: SchemaVersions, store: Store) -> None:
    assert [one.version for one in versions.of("x")] == [1]
    add(versions, 2)
    add(versions, 3)
    channel = store.get("x")
    assert channel
    assert (channel.schema, channel.fingerprint, channel.schema_path, channel.time_unit) == (
        '{"n": 3}',
        "f3",
        None,
        None,
    )
    assert (channel.port, channel.config) == (FIRST.port, FIRST.config)
    assert versions.former("x") == ['{"n": 1}', '{"n": 2}']
    assert versions.counts() == {"x": 3}


def test_versions_as_the_api_shows_them(versions: SchemaVersions, store: Store) -> None:
    add(versions, 2)
    add(versions, 3)
    with store.transaction() as writer:
        writer.execute("UPDATE channels SET created_at = 'at first'")
        for version, stamp in ((1, "then"), (2, "at last")):
            writer.execute("UPDATE former_schemas SET followed_at = ? WHERE version = ?", (stamp, version))
    keys = ("version", "fingerprint", "time_unit", "created_at", "schema")
    assert [one.to_json() for one in versions.of("x")] == [
        dict(zip(keys, values, strict=True))
        for values in (
            (1, "f1", "ns", "at first", {"n": 1}),
            (2, "f2", None, "then", {"n": 2}),
            (3, "f3", None, "at last", {"n": 3}),
        )
    ]


def test_what_fails_within_leaves_nothing_behind(versions: SchemaVersions, store: Store) -> None:
    def fail() -> None:
        with versions.adding(newer(2), 2):
            assert versions.former("x") == [], "nobody sees it before the end"
            raise KeyError

    pytest.raises(KeyError, fail)
    assert store.get("x") == replace(FIRST, multicast_index=0, created_at=store.channels()[0].created_at)
    assert versions.of("x")[-1].fingerprint == "f1"
    assert versions.counts() == {}


def test_channels_have_their_own_and_take_them_along(versions: SchemaVersions, store: Store) -> None:
    store.insert(replace(FIRST, name="y", port=26001), [])
    add(versions, 2)
    add(versions, 2, "y")
    assert store.delete("x")
    assert (versions.of("x"), versions.former("x"), versions.counts()) == ([], [], {"y": 2})
    store.insert(FIRST, [])
    assert [one.version for one in versions.of("x")] == [1]


def test_they_are_there_after_a_restart(versions: SchemaVersions, store: Store) -> None:
    add(versions, 2)
    again = Store(store.path)
    assert SchemaVersions(again).of("x") == versions.of("x")
    again.close()


def test_a_fingerprint_is_a_channels_once(versions: SchemaVersions) -> None:
    add(versions, 2)
    for number in (1, 2):
        with pytest.raises(ApiProblem) as caught:
            versions.next_number(newer(number), force=True)
        assert (caught.value.status, caught.value.body["fingerprint"], caught.value.body["version"]) == (
            409,
            f"f{number}",
            number,
        )
    assert versions.next_number(newer(3), force=True) == 3
    add(versions, 3)
    with pytest.raises(StoreError, match="UNIQUE"):
        add(versions, 3)


def test_there_are_as_many_as_a_relay_takes(versions: SchemaVersions) -> None:
    assert MAX_VERSIONS == spec.MAX_VERSIONS
    for number in range(2, MAX_VERSIONS + 1):
        assert versions.next_number(newer(number), force=True) == number
        add(versions, number)
    with pytest.raises(ApiProblem) as caught:
        versions.next_number(newer(MAX_VERSIONS + 1), force=True)
    assert (caught.value.status, caught.value.body["versions"]) == (409, 16)


def test_a_database_that_is_locked_says_so(versions: SchemaVersions, store: Store) -> None:
    store._writer.execute("PRAGMA busy_timeout = 20")
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(StoreError, match="locked"):
            add(versions, 2)
    finally:
        other.close()
    assert versions.counts() == {}


def test_packets_that_are_not_framed_tell_no_versions() -> None:
    check_framing("single_object")
    with pytest.raises(ApiProblem) as caught:
        check_framing("plain")
    body = caught.value.body
    assert (caught.value.status, body["field"], body["value"]) == (400, "framing", "plain")
    assert body["wanted"].startswith("single_object: ")


def test_a_schema_is_read_as_at_registration(folder: Path) -> None:
    schema = {"type": "record", "name": "r", "fields": [{"name": "time", "type": "long"}]}
    channel = replace(FIRST, config={"framing": "single_object", "time_unit": "us"})
    made = with_schema(channel, schema, folder)
    assert (made.time_unit, made.schema_path, made.name, made.config) == ("us", None, "x", channel.config)
    assert with_schema(FIRST, schema, folder).time_unit is None
    assert with_schema(FIRST, "agents/example.avsc", folder).schema_path == "agents/example.avsc"
    with pytest.raises(ApiProblem) as caught:
        with_schema(FIRST, "agents/timeless.avsc", folder)
    assert caught.value.body["error"] == "Invalid schema"
