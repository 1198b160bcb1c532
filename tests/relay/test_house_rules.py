from collections.abc import Iterator
from pathlib import Path

import pytest
from house import House

from speeddata.relay.house_rules import HouseRules
from speeddata.relay.retention import Limits


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path, retention__max_segments=7, retention__archive_bytes=100, compression="deflate")
    yield house
    house.close()


def test_a_channel_may_have_its_own(house: House) -> None:
    house.channel("own", retention={"max_age_s": 5}, compression=None)
    house.channel("old", retention={"mode": "quota", "value": 9})
    house.channel("common")
    rules = HouseRules(house.registry)
    rules.read()
    assert (rules.archive_bytes, rules.min_free_percent) == (100, 10)
    assert rules.limits("own") == Limits(5 * 10**9, None, 7)
    assert rules.limits("old") == Limits(None, 9, 7)
    assert rules.limits("common") == rules.limits("not registered") == Limits(None, None, 7)
    assert [rules.codec(name) for name in ("own", "old", "not registered")] == [None, "deflate", "deflate"]
    assert (rules.registered, rules.spoiled) == ({"own", "old", "common"}, frozenset())


def test_what_changes_is_seen_and_a_row_that_is_spoiled_is_known(house: House) -> None:
    rules = HouseRules(house.registry)
    house.channel("x", retention={"max_segments": 1})
    rules.read()
    assert rules.limits("x").max_segments == 1
    with house.store.transaction() as writer:
        writer.execute("""UPDATE channels SET config_json = '{"retention": {"max_segments": 2}}'""")
    rules.read()
    assert rules.limits("x").max_segments == 2
    with house.store.transaction() as writer:
        writer.execute("UPDATE channels SET config_json = '{'")
    rules.read()
    assert (rules.registered, rules.spoiled) == ({"x"}, {"x"})


@pytest.mark.parametrize(
    ("settings", "config", "limiting"),
    [({}, {}, False), ({}, {"retention": {"max_bytes": 5}}, True), ({"retention__archive_bytes": 5}, {}, True),
     ({"retention__max_age_s": 5}, {}, True)],
)  # fmt: skip
def test_whether_there_is_any_limit(tmp_path: Path, settings: dict, config: dict, limiting: bool) -> None:
    house = House(tmp_path / "other", **settings)
    house.channel("x", **config)
    rules = HouseRules(house.registry)
    rules.read()
    assert rules.limiting is limiting
    house.close()
