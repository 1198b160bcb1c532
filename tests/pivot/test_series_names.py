import pytest
from hypothesis import given
from hypothesis import strategies as st

from speeddata.pivot.series_names import KINDS, channel_of, is_cut, label, labelled, name_of
from speeddata.schema import Schema
from speeddata.settings_values import CHANNEL_NAME

POINT = {"type": "record", "name": "point", "fields": [{"name": "time", "type": "long"}]}
names = st.text(st.characters(exclude_categories=["Cs"]), max_size=255) | st.text("ab-.é ", max_size=80)


@pytest.mark.parametrize(
    ("name", "channel"),
    [
        ("temperature", "metric.temperature"),
        ("cpu_load.1", "metric.cpu_load.1"),
        ("room 1", "metric.room-201"),
        ("b8:27:eb", "metric.b8-3a27-3aeb"),
        ("a-b", "metric.a--b"),
        ("é", "metric.-c3-a9"),
        ("", "metric."),
        ("x" * 57, "metric." + "x" * 57),
    ],
)
def test_names(name, channel):
    assert channel_of("metric", name) == channel
    assert name_of("metric", channel) == name
    assert not is_cut(channel)


@given(st.sampled_from(KINDS), names)
def test_every_name_has_a_channel_and_comes_back(kind, name):
    channel = channel_of(kind, name)
    assert CHANNEL_NAME.fullmatch(channel)
    schema = label(POINT, name)
    assert labelled(kind, channel, Schema.parse(schema).json) == name
    assert (name_of(kind, channel) or labelled(kind, channel, schema)) == name or not name
    assert is_cut(channel) == (name_of(kind, channel) is None)


@given(st.lists(st.tuples(st.sampled_from(KINDS), names), unique=True))
def test_no_two_share_a_channel(series):
    assert len({channel_of(*one) for one in series}) == len(series)


@pytest.mark.parametrize(
    "channel",
    [
        "temperature",
        "sensor.x",
        "metric.a-b",
        "metric.a-2",
        "metric.-61",
        "metric.-ff",
        "metric.a-.b",
        "metric",
    ],
)
def test_other_channels_are_none(channel):
    assert name_of("metric", channel) is None


def test_a_schema_of_another():
    channel = channel_of("metric", "x" * 58)
    for told in (
        label(POINT, "y" * 58),
        POINT,
        POINT | {"speeddata": 5},
        POINT | {"speeddata": {"series": "\ud800"}},
    ):
        assert labelled("metric", channel, told) is None
