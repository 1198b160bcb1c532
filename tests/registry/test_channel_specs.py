"""The settings and specs of channels, remembered as long as they hold."""

from dataclasses import replace
from pathlib import Path

import pytest

from speeddata.errors import RelayError
from speeddata.registry.channel_specs import ChannelSpecs
from speeddata.registry.problems import ApiProblem
from speeddata.registry.store import Channel, Store
from speeddata.settings import load_settings
from speeddata.signing import make_key, read_key

RELAY = load_settings().flat["relay"]
SCHEMA = '{"type": "record", "name": "r", "fields": [{"name": "time", "type": "long"}]}'
CHANNEL = Channel("x", 26000, None, SCHEMA, "00", None, {"decimation": 7}, 3)


@pytest.fixture
def specs(store: Store) -> ChannelSpecs:
    return ChannelSpecs(store, RELAY, Path("/archive"))


def test_a_channels_own_settings_go_before_those_of_all(specs: ChannelSpecs) -> None:
    assert specs.settings(CHANNEL)["decimation.factor"] == 7
    assert specs.settings(replace(CHANNEL, config=None))["decimation.factor"] is None
    assert specs.settings(CHANNEL) is specs.settings(replace(CHANNEL, name="y"))


def test_other_settings_are_in_force_at_once(specs: ChannelSpecs) -> None:
    assert specs.of(CHANNEL, ())["rotation"]["seconds"] == 3600
    streams = specs.streams(CHANNEL)
    shared = {"multicast.decimated.address": "239.1.1.2", "multicast.decimated.port": 6001}
    specs.use({**RELAY, "rotation.seconds": 60, **shared})
    assert specs.of(CHANNEL, ())["rotation"]["seconds"] == 60
    assert specs.streams(CHANNEL) != streams


def test_a_keeper_of_before_is_told_nothing_that_it_does_not_know(specs: ChannelSpecs) -> None:
    assert {"live", "sources"} <= set(specs.of(CHANNEL, ()))
    assert not {"live", "sources"} & set(specs.for_relay(CHANNEL, ()))
    limited = replace(CHANNEL, config={"sources": ["10.0.0.0/8"]})
    assert specs.for_relay(limited, ())["sources"] == ["10.0.0.0/8"]


def test_a_channel_of_signed_packets_is_told_where_its_keys_are_and_not_what_they_are(
    specs: ChannelSpecs,
) -> None:
    signed = replace(CHANNEL, config={"sign": ["roof", "cellar"]})
    with pytest.raises(ApiProblem) as caught:
        specs.check_config(signed.config)
    assert caught.value.body["field"] == "config.sign"
    assert "`speeddata key create roof`" in caught.value.body["details"]
    folder = specs.store.path.parent / "keys"
    paths = [make_key(folder, name) for name in ("roof", "cellar")]
    specs.check_config(signed.config)
    assert specs.for_relay(signed, ())["sign"] == [str(path) for path in paths]
    assert not any(read_key(path).hex() in str(specs.of(signed, ())) for path in paths)
    assert "sign" not in specs.of(CHANNEL, ())
    paths[1].chmod(0o644)
    with pytest.raises(ApiProblem):
        specs.check_config(signed.config)


def test_what_does_not_agree_is_refused_by_name(specs: ChannelSpecs) -> None:
    specs.check_config({"decimation": 5})
    with pytest.raises(ApiProblem) as caught:
        specs.check_config({"rotation": {"threshold": 5}})
    assert caught.value.body["field"] == "config.rotation.mode"


def test_a_row_that_is_damaged_says_so(specs: ChannelSpecs) -> None:
    with pytest.raises(RelayError, match="row of 'x' is damaged"):
        specs.of(replace(CHANNEL, schema="{"), ())
