"""Channel specs go through JSON unchanged; what is wrong with one is named."""

import json

import pytest
from line import make_spec

from speeddata.errors import ConfigError
from speeddata.relay.spec import ChannelSpec, Decimation, Rotation


def test_round_trip(tmp_path):
    spec = ChannelSpec.from_json(make_spec(tmp_path, rotation={"bytes": 5, "seconds": 6}))
    assert ChannelSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec
    assert spec.rotation == Rotation(5, 6)


def test_defaults(tmp_path):
    spec = ChannelSpec.from_json(make_spec(tmp_path))
    assert spec.decimation == Decimation(True, "minmax", None, 50.0)
    assert (spec.block_bytes, spec.ring_bytes, spec.multicast.ttl) == (262_144, 67_108_864, 0)


def test_decimation_that_is_off_needs_nothing(tmp_path):
    off = {"enabled": False, "algorithm": "downsample", "rate_hz": None}
    assert ChannelSpec.from_json(make_spec(tmp_path, decimation=off)).decimation.problem() == ""


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"colour": "red"}, "unknown key 'colour'"),
        ({"multicast": {}}, "full_rate"),
        ({"rotation": {"inches": 3}}, "inches"),
        ({"decimation": {"algorithm": "downsample"}}, "'test': decimation by downsample needs a factor"),
        ({"decimation": {"algorithm": "mean"}}, "algorithm 'mean': one of downsample, minmax, average, rms"),
        ({"decimation": {"rate_hz": 0}}, "rate_hz 0: 0.001 to 1e.06 is expected"),
        ({"decimation": {"factor": -1}}, "factor -1: 1 to 1000000000 is expected"),
        ({"decimation": {"rate_hz": None}}, "'test': decimation needs a factor or a rate"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, change, message):
    with pytest.raises(ConfigError, match=message):
        ChannelSpec.from_json(make_spec(tmp_path) | change)
