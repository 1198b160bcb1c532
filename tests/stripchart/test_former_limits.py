import json
from dataclasses import replace
from typing import Any

from speeddata.limits import Limits
from speeddata.schema import Schema
from speeddata.stripchart import former_limits
from speeddata.stripchart.catalogue import ChannelInfo
from speeddata.stripchart.former_limits import FormerLimits

LOW, HIGH = Limits(alarm=(None, 1.0)), Limits(alarm=(None, 9.0))


def schema(**limits: Limits | None) -> Schema:
    """A schema of signals with limits, or without."""
    fields: list[dict[str, Any]] = [{"name": "time", "type": "long"}]
    for name, one in limits.items():
        about = {"limits": {"alarm": one.alarm}} if one else {}
        fields.append({"name": name, "type": "double", "speeddata": about})
    return Schema.parse({"type": "record", "name": "r", "fields": fields})


def info(*versions: Schema, since_ms: tuple[int, ...] = (), name: str = "c") -> ChannelInfo:
    revision = f"{since_ms} {[one.text for one in versions]}"
    plain = ChannelInfo(name, ("239.255.42.1", 1), None, revision, None, versions[-1])
    return replace(plain, versions=versions if len(versions) > 1 else (), since_ms=since_ms)


def test_limits_of_former_versions_held_until_the_next_was_registered() -> None:
    versions = schema(a=LOW, b=None, x=None), schema(a=LOW, b=HIGH), schema(a=HIGH, b=None, x=LOW)
    (found,) = FormerLimits().add_to([info(*versions, since_ms=(1000, 2000, 3000))])
    assert found.former_limits == {
        "a": ((3000, LOW),),
        "b": ((2000, None), (3000, HIGH)),
        "x": ((3000, None),),
    }


def test_limits_that_change_with_a_registration_are_kept() -> None:
    former = FormerLimits()
    assert [one.former_limits for one in former.add_to([info(schema(a=LOW), since_ms=(1000,))])] == [{}]
    assert not list(former.add_to([]))  # it was deregistered
    for _ in range(2):  # it is told again and again
        (found,) = former.add_to([info(schema(a=HIGH), since_ms=(5000,))])
        assert found.former_limits == {"a": ((5000, LOW),)}
    (found,) = former.add_to([info(schema(a=None), since_ms=(6000,))])
    assert found.former_limits == {"a": ((5000, LOW), (6000, HIGH))}
    (found,) = former.add_to([info(schema(a=None, b=LOW), since_ms=(7000,))])
    assert found.former_limits == {"a": ((5000, LOW), (6000, HIGH)), "b": ((7000, None),)}
    (found,) = former.add_to([info(schema(b=LOW), since_ms=(8000,))])
    assert found.former_limits == {"b": ((7000, None),)}, "those of signals that are no more are forgotten"


def test_limits_that_come_with_a_registration_are_not_those_of_before() -> None:
    former = FormerLimits()
    list(former.add_to([info(schema(a=None), since_ms=(1000,))]))
    (found,) = former.add_to([info(schema(a=LOW), since_ms=(5000,))])
    assert found.former_limits == {"a": ((5000, None),)}


def test_limits_of_what_had_another_unit_are_not_told() -> None:
    versions = schema(a=LOW), schema(a=HIGH)
    other = json.loads(json.dumps(versions[1].json))
    other["fields"][1]["speeddata"]["unit"] = "mV"
    (found,) = FormerLimits().add_to([info(*versions, Schema.parse(other), since_ms=(1, 2, 3))])
    assert found.former_limits == {}


def test_where_times_are_not_known_nothing_is() -> None:
    former = FormerLimits()
    for limits in (LOW, HIGH):
        assert [one.former_limits for one in former.add_to([info(schema(a=limits))])] == [{}]


def test_what_is_kept_is_bounded() -> None:
    former = FormerLimits()
    for number in range(3 * former_limits.ERAS_MAX):
        told = info(schema(a=(LOW, HIGH)[number % 2]), since_ms=(number,))
        (found,) = former.add_to([told])
    assert len(found.former_limits["a"]) == former_limits.ERAS_MAX
    assert found.former_limits["a"][-1][0] == 3 * former_limits.ERAS_MAX - 1
    plain = schema(a=None)
    list(
        former.add_to(info(plain, since_ms=(1,), name=f"c{n}") for n in range(former_limits.CHANNELS_MAX + 5))
    )
    assert len(former._known) == former_limits.CHANNELS_MAX
