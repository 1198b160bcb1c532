from pathlib import Path
from typing import Any

import pytest

from speeddata.registry.multicast import streams
from speeddata.registry.specs import channel_problems, channel_settings, decimation, rotation, spec
from speeddata.registry.store import Channel
from speeddata.relay.spec import ChannelSpec
from speeddata.settings import Override, load_settings

OFF = {"enabled": False}


def relay(*sets: str) -> Any:
    return load_settings(None, [Override.parse(text) for text in sets]).flat["relay"]


@pytest.mark.parametrize(
    ("sets", "config", "expected"),
    [
        ((), None, {"enabled": True, "algorithm": "minmax", "factor": None, "rate_hz": 50}),
        ((), {"decimation": 10}, {"enabled": True, "algorithm": "downsample", "factor": 10, "rate_hz": None}),
        ((), {"decimation": 1}, {"enabled": False, "algorithm": "downsample", "factor": 1, "rate_hz": None}),
        (
            (),
            {"decimation": {"factor": 4, "algorithm": "min-max"}},
            {"enabled": True, "algorithm": "minmax", "factor": 4, "rate_hz": None},
        ),
        (
            (),
            {"decimation": {"enabled": False}},
            {"enabled": False, "algorithm": "minmax", "factor": None, "rate_hz": 50},
        ),
        (
            ("relay.decimation.factor=10",),
            None,
            {"enabled": True, "algorithm": "downsample", "factor": 10, "rate_hz": None},
        ),
        (
            ("relay.decimation.factor=10", "relay.decimation.algorithm=minmax"),
            {"decimation": {"rate_hz": 5}},
            {"enabled": True, "algorithm": "minmax", "factor": None, "rate_hz": 5},
        ),
    ],
)
def test_decimation_is_resolved(sets: tuple[str, ...], config: Any, expected: dict[str, Any]) -> None:
    assert decimation(channel_settings(config, relay(*sets))) == expected


@pytest.mark.parametrize(
    ("sets", "config", "expected"),
    [
        ((), None, {"bytes": 256 << 20, "seconds": 3600}),
        ((), {"rotation": {"bytes": 0}}, {"bytes": 0, "seconds": 3600}),
        (("relay.rotation.mode=time",), None, {"bytes": 0, "seconds": 3600}),
        (("relay.rotation.mode=size",), None, {"bytes": 52428800, "seconds": 0}),
        ((), {"rotation": {"mode": "time", "threshold": 60}}, {"bytes": 0, "seconds": 60}),
        (("relay.rotation.mode=time",), {"rotation": {"bytes": 1000}}, {"bytes": 1000, "seconds": 0}),
        (("relay.rotation.mode=time",), {"rotation": {"threshold": 7}}, {"bytes": 0, "seconds": 7}),
    ],
)
def test_rotation_is_resolved(sets: tuple[str, ...], config: Any, expected: dict[str, Any]) -> None:
    assert rotation(channel_settings(config, relay(*sets))) == expected


def test_a_config_can_be_wrong_only_together_with_the_settings() -> None:
    config = {"rotation": {"threshold": 7}}
    assert [problem.key for problem in channel_problems(config, relay())] == ["rotation.mode"]
    assert channel_problems(config, relay("relay.rotation.mode=size")) == []


def test_downsampling_without_a_factor_is_refused() -> None:
    config = {"decimation": {"algorithm": "downsample"}}
    (problem,) = channel_problems(config, relay())
    assert (problem.key, "an integer" in problem.wanted) == ("decimation.factor", True)
    assert channel_problems(config, relay("relay.decimation.factor=10")) == []
    by_rate = {"decimation": {"rate_hz": 5}}
    assert channel_problems(
        by_rate, relay("relay.decimation.factor=10", "relay.decimation.algorithm=downsample")
    )


def test_the_spec_is_what_a_relay_takes() -> None:
    config = {"framing": "single_object", "block_age_s": 2, "time_unit": "us"}
    channel = Channel("x", 26000, None, '{"type": "record"}', "00", "us", config, 5)
    made = spec(
        channel,
        relay("relay.listen=127.0.0.3", "global.multicast.ttl=1"),
        Path("/data/archive"),
        streams(0, 5),
        ['{"type": "first"}', '{"type": "second"}'],
    )
    # Where keys are tells who knows the data folder.
    assert ChannelSpec.from_json(made).to_json() == made | {"sign": None}
    assert made["archive"] == "/data/archive/x"
    assert made["multicast"] == {"interface": "127.0.0.1", "ttl": 1, **streams(0, 5).to_json()}
    assert (made["listen"], made["port"], made["time_unit"]) == ("127.0.0.3", 26000, "us")
    assert (made["framing"], made["block_age_s"], made["block_bytes"]) == ("single_object", 2, 262144)
    assert ChannelSpec.from_json(made).known == [{"type": one} for one in ("first", "second", "record")]


def test_the_unit_that_one_version_states_is_not_that_of_the_others() -> None:
    channel = Channel("x", 26000, None, "{}", "00", "ms", {"framing": "single_object"}, 5)
    assert spec(channel, relay(), Path("/"), streams(0, 5))["time_unit"] is None
